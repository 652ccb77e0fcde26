"""The gradients against the implementation's own forward, by finite differences that are exact.

E is quadratic in every single entry of x, w and b, so the central difference with step 1 on integers is its derivative:

    dE/dx[k] = (E(x + e_k) - E(x - e_k)) / 2,   E = 1/2 * sum (t - forward(x, w, b))^2,   dy = forward(x, w, b) - t

This needs no specification: it says whether backward belongs to forward, whatever forward computes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from backproof.cases.data import Array, Example, example
from backproof.cases.designs import tiny
from backproof.cases.levels import Case
from backproof.checks.bench import Bench, Check, rounded
from backproof.checks.symbolic import report_gradients
from backproof.targets.calls import Results


def run(bench: Bench) -> None:
    """Differences by every entry at the tiny geometries that the target accepts."""
    bias = bench.space.factors["bias"][-1]
    shapes = [replace(g, bias=bias) for g in tiny(bench.orientations[0])[1::2]]
    geometries = [g for g in shapes if bench.accepts(g)] if bench.binding.function("forward") else []
    failed: set[tuple[str, str]] = set()
    for number, geometry in enumerate(geometries):
        drawn = _differences(bench, Case(geometry, bench.space.factors["dtype"][0], "small", seed=bench.seed + number))
        if drawn is None:  # forward failed; the exact check says how
            return
        for route in bench.routes():
            bench.tally.examples += 1
            report_gradients(
                bench, drawn, route, failed, "differs from the finite differences of the target's own forward"
            )
        bench.progress(number + 1, len(geometries))


def _differences(bench: Bench, case: Case) -> Example | None:
    drawn = example(case)
    target = drawn.arrays["dy"]
    operands = {role: array for role, array in drawn.arrays.items() if role != "dy"}
    y = _forward(bench, case, operands)
    if y is None or y.shape != target.shape:
        return None
    expected: dict[str, Array] = {}
    for role in operands:
        quotients = []
        for up, down in _neighbours(operands, role):
            above, below = _forward(bench, case, up), _forward(bench, case, down)
            if above is None or below is None:
                return None
            quotients.append((_twice_error(target, above) - _twice_error(target, below)) / 4)
        expected[f"d{role}"] = np.array(quotients, dtype=case.dtype).reshape(operands[role].shape)
    evidence = {quantity: bool(value.any()) for quantity, value in expected.items()}
    return Example(case, {**operands, "dy": y - target}, expected, evidence)


def _forward(bench: Bench, case: Case, operands: dict[str, Array]) -> Array | None:
    reply = bench.call(case.geometry, operands, ["forward"])
    y = reply.values.get("y") if isinstance(reply, Results) else None
    return None if y is None else rounded(bench.binding, y)


def _twice_error(target: Array, y: Array) -> float:
    return float(((target - y).astype(np.float64) ** 2).sum())


def _neighbours(operands: dict[str, Array], role: str) -> Iterator[tuple[dict[str, Array], dict[str, Array]]]:
    """For each entry of an operand: the operands with 1 added to it, and with 1 taken away."""
    for index in np.ndindex(operands[role].shape):
        pair = []
        for step in (1, -1):
            moved = operands[role].copy()
            moved[index] += step
            pair.append({**operands, role: moved})
        yield pair[0], pair[1]


CHECK = Check(
    "finite-differences",
    "Gradients against the target's own forward",
    ("error", "deltas", "weight-gradient", "bias-gradient"),
    run,
)
