"""Sequences of calls of one target: what it was asked before must not matter to what it answers now.

A fixed sequence calls something, then what a cache with too coarse a key would take for the same (other options on
the same arrays, shapes with as many entries, another dtype), then the first thing again on other numbers.  A *poisoned*
step calls on NaN alone: whatever it leaves behind in buffers cannot be mistaken for a result.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backproof.cases.data import Example, example
from backproof.cases.levels import Case, Space
from backproof.cases.pool_data import pool_example
from backproof.cases.pooling import PoolCase, simpler_pool_cases
from backproof.cases.shrink import simpler_cases
from backproof.contract import Geometry

Accepts = Callable[[Geometry], bool]


@dataclass(frozen=True, slots=True)
class Step:
    """One call of `functions` on the data of a case; `poisoned`, on as many NaN, and whatever comes back is right."""

    case: Case | PoolCase
    functions: tuple[str, ...]
    poisoned: bool = False

    def drawn(self) -> Example:
        """The case with its data; poisoned, with NaN for them, and nothing is expected."""
        drawn = pool_example(self.case) if isinstance(self.case, PoolCase) else example(self.case)
        if not self.poisoned:
            return drawn
        return Example(drawn.case, {r: np.full_like(a, np.nan) for r, a in drawn.arrays.items()}, {}, {})

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for events."""
        return {"functions": list(self.functions), "poisoned": self.poisoned, **self.case.as_dict()}


@dataclass(frozen=True, slots=True)
class CallSequence:
    """Steps in their order, in one process; the last is the one that matters."""

    steps: tuple[Step, ...]

    @property
    def last(self) -> Step:
        """The step to which the others must not matter."""
        return self.steps[-1]

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for events: the last step's case, and the steps `before` it."""
        return {
            **self.last.case.as_dict(),
            "functions": list(self.last.functions),
            "before": [step.as_dict() for step in self.steps[:-1]],
        }


def fixed_sequences(space: Space, functions: Sequence[str], gradients: Sequence[str]) -> list[CallSequence]:
    """Around each of a few geometries, the simplest first; `gradients` are functions that need no forward before."""
    every, alone = tuple(functions), tuple(gradients)
    sequences: list[CallSequence] = []
    for number, geometry in enumerate(_bases(space)):
        dtypes = space.factors["dtype"]
        case = Case(geometry, dtypes[number % len(dtypes)], "distinct", seed=100 * number, headroom=space.headroom)
        first, again = Step(case, every), Step(replace(case, seed=case.seed + 1), every)
        foul = replace(first, poisoned=True)
        crowd = replace(foul, case=replace(case, geometry=replace(geometry, batch=geometry.batch + 2)))
        sequences += [
            CallSequence((first, first)),
            CallSequence((first, again)),
            CallSequence((foul, foul, first)),  # a process keeps the last result alive: the one before is freed
            CallSequence((crowd, crowd, first)),
        ]
        if alone and "forward" in every:
            between = [replace(step, functions=("forward",)) for step in (first, again)]
            sequences.append(CallSequence((*between, replace(first, functions=alone))))
        if len(alone) > 1:  # whatever one of them leaves for another to return, or takes from it
            sequences += [CallSequence((foul, replace(first, functions=(function,)))) for function in alone]
            sequences.append(CallSequence((again, replace(first, functions=alone[::-1]))))
        # What comes before `other` in the run, on the geometry that it is mistaken for, is part of what is tried.
        for k, other in enumerate(mistakable(space, case)):
            sequences.append(CallSequence((Step(replace(other, seed=case.seed + 2 + k), every), (again, first)[k % 2])))
    return sequences


def random_sequence(space: Space, functions: Sequence[str], rng: random.Random) -> CallSequence:
    """Any case, then one in which one or two factors have another level, then the first on other numbers."""
    row = [rng.randrange(size) for size in space.sizes]
    other = list(row)
    for factor in rng.sample([k for k, size in enumerate(space.sizes) if size > 1] or [0], k=1):
        other[factor] = rng.randrange(space.sizes[factor])
    cases = [space.case(levels, rng.randrange(2**32)) for levels in (row, other, row)]
    return CallSequence(tuple(Step(case, tuple(functions)) for case in cases))


def _bases(space: Space) -> list[Geometry]:
    """Small geometries whose rows and columns differ; the simplest that there is where none of them is accepted."""
    orientation, bias = space.factors["orientation"][0], space.factors["bias"][-1]
    wanted = (
        Geometry(1, 1, 1, (2, 3), (1, 2)),
        Geometry(2, 2, 4, (5, 4), (2, 3), padding=((1, 0), (0, 2))),
        # stride and remainder leave the output size alone where dilation or padding changes
        Geometry(1, 2, 2, (5, 5), (2, 2), stride=(2, 2)),
        Geometry(1, 4, 4, (5, 6), (3, 2), stride=(2, 2), padding=((1, 1), (1, 1)), groups=2),
    )
    held = [replace(geometry, orientation=orientation, bias=bias) for geometry in wanted]
    return [g for g in held if space.accepts(g)] or [space.case([0] * len(space.sizes), 0).geometry]


def mistakable(space: Space, case: Case) -> Iterator[Case]:
    """Cases that a cache with too coarse a key would take for this one."""
    orientations = space.factors["orientation"]  # an undeclared one was inferred, and is not asked for by any option
    for geometry in _like(case.geometry):
        if min(geometry.output_size) >= 1 and geometry.orientation in orientations and space.accepts(geometry):
            yield replace(case, geometry=geometry)
    for dtype in space.factors["dtype"]:
        if dtype != case.dtype:
            yield replace(case, dtype=dtype)


def _like(g: Geometry) -> Iterator[Geometry]:
    (top, bottom), (left, right) = g.padding
    # the same x and w
    yield replace(g, stride=(g.stride[0] + 1, g.stride[1]))
    yield replace(g, stride=(g.stride[0], g.stride[1] + 1))
    yield replace(g, dilation=(g.dilation[0] + 1, g.dilation[1]))
    yield replace(g, dilation=(g.dilation[0], g.dilation[1] + 1))
    yield replace(g, padding=((top + 1, bottom + 1), (left + 1, right + 1)))
    yield replace(g, padding_mode="circular", padding=((top + 1, bottom + 1), (left + 1, right + 1)))
    yield replace(g, orientation="convolution" if g.orientation == "cross-correlation" else "cross-correlation")
    yield replace(g, bias=not g.bias)
    if top != bottom or left != right:  # even y stays as it was
        yield replace(g, padding=((bottom, top), (right, left)))
    if g.groups == 1 and g.in_channels % 2 == g.out_channels % 2 == 0:
        yield replace(g, groups=2)
    # as many entries in other shapes
    yield replace(g, size=g.size[::-1], kernel_size=g.kernel_size[::-1])
    yield replace(g, kernel_size=g.kernel_size[::-1])
    if g.groups == 1:
        yield replace(g, in_channels=g.out_channels, out_channels=g.in_channels)
        yield replace(g, batch=g.in_channels, in_channels=g.batch)
    # more of the same
    yield replace(g, batch=g.batch + 1)
    yield replace(g, size=(g.size[0] + 1, g.size[1]))
    yield replace(g, in_channels=g.in_channels + g.groups)


# ---- simpler ones


def simpler_sequences(sequence: CallSequence) -> Iterator[CallSequence]:
    """Sequences with fewer steps, the last few first; then with simpler steps.  None has less than two."""
    steps, last = sequence.steps, sequence.last
    for length in (2, 3):
        if length < len(steps):
            yield CallSequence(steps[-length:])
    alike = tuple(step for step in steps[:-1] if _pixels(step) == _pixels(last))  # what a cache may take for the last
    if 0 < len(alike) < len(steps) - 1:
        yield CallSequence((*alike, last))
    for length in (6, 12, 24, 48):
        if length < len(steps):
            yield CallSequence(steps[-length:])
    if len(steps) <= 12:
        for k in range(len(steps) - 1 if len(steps) > 2 else 0):
            yield CallSequence(steps[:k] + steps[k + 1 :])
        yield from _simpler_steps(steps)


def _pixels(step: Step) -> tuple[type, int]:
    return type(step.case), math.prod(step.case.geometry.x_shape)


def _simpler_steps(steps: tuple[Step, ...]) -> Iterator[CallSequence]:
    for k, step in enumerate(steps):
        for function in step.functions if len(step.functions) > 1 else ():
            yield CallSequence((*steps[:k], replace(step, functions=(function,)), *steps[k + 1 :]))
    for case in dict.fromkeys(step.case for step in steps):
        if case.layouts:
            yield _with(steps, case, replace(case, layouts=()))
    for geometry in dict.fromkeys(step.case.geometry for step in steps):  # all steps on a geometry alike
        first = next(step.case for step in steps if step.case.geometry == geometry)
        for simpler in simpler_pool_cases(first) if isinstance(first, PoolCase) else simpler_cases(first):
            if simpler.geometry != geometry:
                moved = (
                    replace(s, case=_moved(s.case, simpler.geometry)) if s.case.geometry == geometry else s
                    for s in steps
                )
                yield CallSequence(tuple(moved))


def _with(steps: tuple[Step, ...], case: Case | PoolCase, simpler: Case | PoolCase) -> CallSequence:
    return CallSequence(tuple(replace(step, case=simpler) if step.case == case else step for step in steps))


def _moved(case: Case | PoolCase, geometry: Any) -> Case | PoolCase:
    return replace(case, geometry=geometry)
