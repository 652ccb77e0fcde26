"""Mistakes of the chain: which other factor than a'(c), which other error, or which other deltas of the layer above?

output delta   (o - t) * a'(c)          E   1/2 * sum((t - o)**2)          delta   dx * a'(c)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from backproof.cases.data import specified
from backproof.cases.deltas import DeltaCase, Drawn, PointCase, delta_example, point_example
from backproof.cases.levels import Case
from backproof.checks.bench import Array, Bench, Found
from backproof.contract import ORIENTATIONS, Geometry
from backproof.diagnosis.library import MISTAKES, Mistake
from backproof.targets.calls import Request, Results
from backproof.targets.styles.activations import OURS

#: Fresh cases that a mistake must explain.
CASES = 8


@dataclass(frozen=True, slots=True)
class _Seen:
    """A fresh case: its data, the activation, and what the target gave."""

    case: DeltaCase | PointCase
    drawn: Drawn
    actual: Array

    def factor(self, of: Array) -> Array:
        """`a'(of)`."""
        return OURS[self.case.activation][1](of)

    @property
    def c(self) -> Array:
        """The pre-activation."""
        return self.drawn.arrays["c"]


Formula = Callable[[_Seen], Array]
Fresh = Callable[[Bench, Case], list[Case]]


def _difference(seen: _Seen) -> Array:
    difference: Array = seen.drawn.arrays["o"] - seen.drawn.arrays["t"]
    return difference


def _o(seen: _Seen) -> Array:
    return OURS[seen.case.activation][0](seen.c)


def _above(seen: _Seen) -> dict[str, Array]:
    """What the layer above has, under its names there."""
    roles = {"x": "c", "w": "w_next", "dy": "delta_next"}
    return {role: seen.drawn.arrays[name].astype(np.int64) for role, name in roles.items()}


def _dx(seen: _Seen) -> Array:
    """Of the layer above."""
    geometry = seen.case.geometry
    if not isinstance(geometry, Geometry):
        raise TypeError("there is no layer above points")
    return specified(geometry, _above(seen))["dx"].astype(np.float64)


def _factors(gradient: Formula) -> Iterator[tuple[str, Formula]]:
    """What a gradient may be multiplied by, instead of a'(c)."""
    yield "{q} lacks the factor a'(c)", gradient
    yield "{q} is multiplied by a'(c) twice", lambda s: gradient(s) * s.factor(s.c) ** 2
    yield "{q} has the opposite sign", lambda s: -gradient(s) * s.factor(s.c)
    yield "{q} is twice as large", lambda s: 2 * gradient(s) * s.factor(s.c)
    yield "{q} is divided by the batch size N", lambda s: gradient(s) * s.factor(s.c) / len(s.c)
    yield "{q} is divided by N twice", lambda s: gradient(s) * s.factor(s.c) / len(s.c) ** 2
    yield "{q} is divided by the number of entries", lambda s: gradient(s) * s.factor(s.c) / s.c.size
    yield "{q} is multiplied by a'(o), not a'(c)", lambda s: gradient(s) * s.factor(_o(s))
    yield "{q} is multiplied by a(c), not a'(c)", lambda s: gradient(s) * _o(s)
    yield "{q} is multiplied by c, not a'(c)", lambda s: gradient(s) * s.c
    yield "{q} is multiplied by a' of the gradient, not of c", lambda s: gradient(s) * s.factor(gradient(s))
    yield "{q} has the mask c > 0 of a ReLU, whatever the activation", lambda s: gradient(s) * (s.c > 0)
    yield "{q} has the mask o > 0 of a ReLU, whatever the activation", lambda s: gradient(s) * (_o(s) > 0)


def _errors() -> Iterator[tuple[str, Formula]]:
    yield "{q} lacks the factor 1/2", lambda s: (_difference(s) ** 2).sum()
    yield "{q} is divided by the batch size N", lambda s: (_difference(s) ** 2).sum() / 2 / len(s.c)
    yield "{q} is a mean over all entries", lambda s: (_difference(s) ** 2).mean()
    yield "{q} is half a mean over all entries", lambda s: (_difference(s) ** 2).mean() / 2
    yield "{q} is the square of a sum, not a sum of squares", lambda s: _difference(s).sum() ** 2 / 2


def _layers_above() -> Iterator[tuple[str, Formula]]:
    """Every mistake of the library that concerns dx, times a'(c)."""
    for mistake in MISTAKES:
        if "dx" in mistake.quantities:
            yield mistake.sentence, partial(_mistaken, mistake)


def _mistaken(mistake: Mistake, seen: _Seen) -> Array:
    geometry = seen.case.geometry
    if not isinstance(geometry, Geometry):
        raise TypeError("there is no layer above points")
    delta: Array = mistake.result("dx", geometry, _above(seen)) * seen.factor(seen.c)
    return delta


def explained(bench: Bench, found: Found, fresh: Fresh) -> tuple[str, ...]:
    """Sentences that explain a wrong `delta`, `output delta` or `E`; none where no single mistake does.

    `fresh` makes cases of convolution around one.
    """
    quantity, case = found.wrong.quantity, found.case
    cases = _deltas(bench, case, fresh) if isinstance(case, DeltaCase) else list(_points(bench, case))
    seen = list(_observe(bench, cases, quantity, found.wrong.function))
    if sum(not _same(item.actual, item.drawn.expected[quantity]) for item in seen) < 2:
        return ()
    candidates = {
        "delta": lambda: (*_factors(_dx), *_layers_above()),
        "output delta": lambda: _factors(_difference),
        "E": _errors,
    }[quantity]
    orientation = getattr(case.geometry, "orientation", ORIENTATIONS[0])
    names = {"this": orientation, "other": next(o for o in ORIENTATIONS if o != orientation)}
    for sentence, formula in candidates():
        if all(_gives(formula, item, quantity) for item in seen):
            return (f"{sentence.format(q=quantity, **names)} (exactly so in {len(seen)} of {len(seen)} fresh cases)",)
    return ()


def _gives(formula: Formula, item: _Seen, quantity: str) -> bool:
    """Whether a formula gives what the target gave; where it has no meaning, the target must be right."""
    try:
        return _same(np.asarray(formula(item)), item.actual)
    except ValueError:
        return _same(item.actual, item.drawn.expected[quantity])


def _same(one: Array, other: Array) -> bool:
    return one.shape == other.shape and bool(np.array_equal(one, other))


def _observe(bench: Bench, cases: list[DeltaCase] | list[PointCase], quantity: str, function: str) -> Iterator[_Seen]:
    for case in cases:
        drawn = delta_example(case) if isinstance(case, DeltaCase) else point_example(case)
        request = Request(case.geometry, drawn.arrays, {}, (function,), f"our {case.activation}")
        reply = bench.target.call(request)
        if not isinstance(reply, Results) or quantity not in reply.values:
            return  # a target that crashes or hangs here has other mistakes first
        yield _Seen(case, drawn, reply.values[quantity])


def _deltas(bench: Bench, case: DeltaCase, fresh: Fresh) -> list[DeltaCase]:
    names = _around(case.activation)
    around = fresh(bench, case.above)[:CASES]
    dtype = "float64" if "float64" in bench.binding.dtypes else bench.binding.dtypes[0]
    # integers so small that whatever a mistake makes of them is exact too
    return [
        DeltaCase(replace(above, dtype=dtype, profile="small"), names[k % len(names)]) for k, above in enumerate(around)
    ]


def _points(bench: Bench, case: PointCase) -> Iterator[PointCase]:
    names = _around(case.activation)
    for k in range(CASES):
        shape = case.shape if k < 2 else ((2, 1, 2, 2), (4, 2, 1, 1), (1, 1, 2, 2))[k % 3]
        yield PointCase(shape, names[k % len(names)], bench.binding.dtypes[0], seed=bench.seed + 7919 * (k + 1))


def _around(activation: str) -> list[str]:
    """Activations of all kinds but the leaky ReLU, that of the failure among them."""
    return list(dict.fromkeys((activation, "square", "relu", "identity", "cube")))
