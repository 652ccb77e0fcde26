"""An activation whose name is not known: a' against exact differences of a, where that is a polynomial on pieces.

    a'(c) = (a(c - 2h) - 8 a(c - h) + 8 a(c + h) - a(c + 2h)) / 12h      exactly, up to the fourth power of c

Where the fourth difference of a is not 0, there is a kink or no polynomial; where that is so at most points, a' is not
verified.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from fractions import Fraction

import numpy as np

from backproof.cases.activations import at
from backproof.cases.references import known_names
from backproof.checks.bench import Array, Bench, Found, compare, misbehaviour
from backproof.targets.calls import Results
from backproof.targets.roles import activation_roles


def consistency(bench: Bench, name: str) -> None:
    """Five values of a around each point give its slope exactly where their fourth difference is 0."""
    bench.tally.examples += 1
    slope_name = f"{name} derivative"
    points, step = np.arange(-16, 17) / 4, 1 / 16
    dtype = "float64" if "float64" in bench.binding.dtypes else bench.binding.dtypes[0]
    around = at(name, (points[:, None] + step * np.arange(-2, 3)).astype(dtype))
    centre = at(name, points.astype(dtype))
    value, derivative = activation_roles(name)
    replies = [
        (bench.call(around.geometry, {"c": around.array()}, [value]), name),
        (bench.call(centre.geometry, {"c": centre.array()}, [derivative]), slope_name),
    ]
    for (reply, quantity), case in zip(replies, (around, centre), strict=True):
        if not isinstance(reply, Results):
            for failure in misbehaviour(reply, [quantity]):
                bench.report(
                    Found(replace(failure, quantity=quantity), case, {"c": case.array()}, bench.tally.examples)
                )
            return
    values, slopes = replies[0][0].values["o"], replies[1][0].values["da"]  # type: ignore[union-attr]
    exact = _slopes(values, step) if values.shape == around.shape and np.isfinite(values).all() else {}
    if 4 * len(exact) < 3 * len(points):
        near = difflib.get_close_matches(name.lower(), known_names(), n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]!r}?" if near else f"; the names are {', '.join(known_names())}"
        reason = f"ACTIVATIONS[{name!r}]: the name is not known, and it is no polynomial on pieces{hint}"
        bench.tally.not_supported[reason] += 1
        return
    bench.tally.comparisons[slope_name] += 1
    known = list(exact)
    if slopes.shape != centre.shape:
        differs = compare(slope_name, derivative, slopes, np.zeros(centre.shape))
    else:
        differs = compare(slope_name, derivative, slopes[known], np.array([float(exact[k]) for k in known]))
    if differs is not None and differs.kind == "value":
        text = f"{slope_name} differs from exact differences of {name} at {differs.wrong} of {len(known)} points"
        differs = replace(differs, summary=text, index=(known[differs.index[0]],))
    if differs is not None:
        bench.report(Found(differs, centre, {"c": centre.array()}, bench.tally.examples))


def _slopes(values: Array, step: float) -> dict[int, Fraction]:
    """`(f(-2h) - 8 f(-h) + 8 f(h) - f(2h)) / 12h` where `f(-2h) - 4 f(-h) + 6 f(0) - 4 f(h) + f(2h)` is 0."""
    found: dict[int, Fraction] = {}
    for k, row in enumerate(values.tolist()):
        f = [Fraction(value) for value in row]
        if f[0] - 4 * f[1] + 6 * f[2] - 4 * f[3] + f[4] == 0:
            found[k] = (f[0] - 8 * f[1] + 8 * f[3] - f[4]) / (12 * Fraction(step))
    return found
