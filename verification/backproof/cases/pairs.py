"""Two calls at the same time: what the other is asked must not matter to either.

Both ask for the same on different numbers, or for something for which memory kept between calls would be shared: the
shapes that `sequences.mistakable` knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from backproof.cases.levels import Case, Space
from backproof.cases.pool_sequences import Accepts, Functions, like
from backproof.cases.pooling import PoolCase
from backproof.cases.sequences import Step, mistakable
from backproof.cases.shrink import simpler_cases
from backproof.contract import Geometry

#: Of the shapes for which memory may be shared, so many are tried on each geometry.
_OTHERS = 2


@dataclass(frozen=True, slots=True)
class Pair:
    """A call, of one function, and the one `beside` it."""

    step: Step
    beside: Step

    @property
    def steps(self) -> tuple[Step, Step]:
        """Both."""
        return self.step, self.beside

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for events: the case of the call that came to grief, and the other."""
        return {**self.step.as_dict(), "beside": [self.beside.as_dict()]}


def pairs(space: Space, functions: Sequence[str], seed: int) -> list[Pair]:
    """For each function and geometry: itself on other numbers, then something mistakable."""
    found: list[Pair] = []
    for number, geometry in enumerate(_bases(space)):
        dtypes = space.factors["dtype"]
        case = Case(
            geometry, dtypes[number % len(dtypes)], "distinct", seed=seed + 10 * number, headroom=space.headroom
        )
        mistaken = (other for other in mistakable(space, case) if other.geometry.padding_mode == "zeros")
        others = [replace(other, seed=case.seed + 1) for other in (case, *islice(mistaken, number, None, 3))]
        for function in functions:
            step = Step(case, (function,))
            found += [Pair(step, Step(other, (function,))) for other in others[: 1 + _OTHERS]]
    return found


def pool_pairs(bases: Mapping[str, PoolCase], pools: Functions, accepts: Accepts) -> list[Pair]:
    """For each function of a kind of pooling: itself on other numbers, then with something mistakable."""
    found: list[Pair] = []
    for kind, case in bases.items():
        others = [case, *(replace(case, geometry=g) for g in like(case.geometry, accepts)[:1])]
        for function in pools[kind].values():
            step = Step(case, (function,))
            found += [Pair(step, Step(replace(other, seed=case.seed + 1), (function,))) for other in others]
    return found


def _bases(space: Space) -> list[Geometry]:
    """Arrays on which NumPy lets other threads run, and small ones on which it does not."""
    orientation, bias = space.factors["orientation"][0], space.factors["bias"][-1]
    wanted = (
        Geometry(4, 4, 4, (12, 10), (3, 2), padding=((1, 1), (1, 0))),
        Geometry(2, 1, 2, (4, 5), (2, 2)),
    )
    held = [replace(geometry, orientation=orientation, bias=bias) for geometry in wanted]
    return [g for g in held if space.accepts(g)] or [space.case([0] * len(space.sizes), 0).geometry]


def simpler_pairs(pair: Pair) -> Iterator[Pair]:
    """Pairs of the same on different numbers; then with simpler shapes, both alike."""
    step, beside = pair.steps
    if step.case.geometry != beside.case.geometry or step.case.dtype != beside.case.dtype:
        yield Pair(step, replace(beside, case=replace(step.case, seed=beside.case.seed)))
        return
    for case in () if isinstance(step.case, PoolCase) else simpler_cases(step.case):
        yield Pair(replace(step, case=case), replace(beside, case=replace(case, seed=beside.case.seed)))
