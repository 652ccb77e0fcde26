"""Hold the library of mistakes against a failing quantity, on fresh data at several shapes.

A mistake is named if its formula agrees with the target in every fresh case, in cases where the specification does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from backproof.cases.data import Example, example
from backproof.cases.deltas import DeltaCase, PointCase
from backproof.cases.designs import tiny, twins
from backproof.cases.levels import Case
from backproof.cases.reals import PROFILES
from backproof.checks.adjoint import belong
from backproof.checks.bench import Array, Bench, Found, Wrong
from backproof.contract import ORIENTATIONS
from backproof.diagnosis import chain
from backproof.diagnosis.library import MISTAKES, Mistake
from backproof.targets.calls import Request, Results

#: Fresh cases that a mistake must explain.
CASES = 20


@dataclass(frozen=True, slots=True)
class Observed:
    """A fresh case, what the target gave, and what the specification says."""

    drawn: Example
    actual: Array
    expected: Array

    @property
    def wrong(self) -> bool:
        """Whether the specification disagrees here."""
        return self.actual.shape != self.expected.shape or not np.array_equal(self.actual, self.expected)


def diagnose(bench: Bench, found: Found) -> tuple[str, ...]:
    """Sentences that explain a wrong value of `y`, `dx`, `dw`, `db`, `delta`, `output delta` or `E`.

    None where no single mistake explains it.
    """
    wrong, case = found.wrong, found.case
    if isinstance(case, DeltaCase | PointCase):
        return chain.explained(bench, found, _fresh) if wrong.kind == "value" else ()
    if wrong.kind != "value" or wrong.quantity not in ("y", "dx", "dw", "db") or not isinstance(case, Case):
        return ()
    if bench.binding.specification == "none":
        return ()
    own = belong(bench, case) if wrong.quantity == "y" and case.profile not in PROFILES else ()
    consistent = (f"{', '.join(own)} belong to this forward, whose adjoints they are",) if own else ()
    return (*_mistake(bench, case, wrong), *consistent)


def _mistake(bench: Bench, case: Case, wrong: Wrong) -> tuple[str, ...]:
    observed = list(_observe(bench, case, wrong.quantity, wrong.function))
    failing = [item for item in observed if item.wrong]
    if case.layouts and not failing:
        laid = " and ".join(f"{role} is laid out {layout!r}" for role, layout in case.layouts)
        return (f"{wrong.quantity} is right in C order, and wrong where {laid}: memory order is not index order",)
    if len(failing) < 2:
        return ()
    if all(_nearly(item) for item in failing):
        return (f"{wrong.quantity} is right up to rounding: declare ALGORITHM = 'indirect' for an FFT or Winograd",)
    for mistake in MISTAKES:
        if wrong.quantity in mistake.quantities and all(_explains(mistake, wrong.quantity, item) for item in observed):
            sentence = mistake.sentence.format(q=wrong.quantity, **_names(case.geometry.orientation))
            return (f"{sentence} (exactly so in {len(observed)} of {len(observed)} fresh cases)",)
    return ()


def _names(orientation: str) -> dict[str, str]:
    other = next(o for o in ORIENTATIONS if o != orientation)
    return {"this": orientation, "other": other}


def _nearly(item: Observed) -> bool:
    """Whether rounding to integers makes every difference vanish (the data are integers)."""
    if item.actual.shape != item.expected.shape:
        return False
    return bool(np.all(np.abs(item.actual - item.expected) < 1e-3))


def _observe(bench: Bench, case: Case, quantity: str, function: str) -> Iterator[Observed]:
    for fresh in _fresh(bench, case):
        drawn = example(fresh)
        reply = bench.target.call(Request(fresh.geometry, drawn.arrays, {}, (function,)))
        if not isinstance(reply, Results) or quantity not in reply.values:
            return  # a target that crashes or hangs here has other mistakes first
        yield Observed(drawn, reply.values[quantity], drawn.expected[quantity])


def _fresh(bench: Bench, case: Case) -> list[Case]:
    """The failing shape, and shapes around it, with data of their own: small integers, plain memory."""
    orientation, bias = case.geometry.orientation, case.geometry.bias
    around = [*[case.geometry] * 4, *tiny(orientation), *twins(orientation)]
    options = [replace(g, bias=bias) for g in around]
    accepted = [g for g in options if bench.accepts(g)][:CASES]
    return [
        Case(g, "float64", "distinct", seed=bench.seed + 7919 * (k + 1), headroom=case.headroom)
        for k, g in enumerate(accepted)
    ]


def _explains(mistake: Mistake, quantity: str, item: Observed) -> bool:
    """Whether the mistaken formula gives what the target gave; where it has no meaning, the target must be right."""
    arrays = {role: array.astype(np.int64) for role, array in item.drawn.arrays.items()}
    try:
        result = mistake.result(quantity, item.drawn.case.geometry, arrays)
    except ValueError:
        return not item.wrong
    return result.shape == item.actual.shape and bool(np.array_equal(result.astype(item.actual.dtype), item.actual))
