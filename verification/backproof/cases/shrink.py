"""The smallest case that still fails: greedy, over the fields of a case, simplest values first.

Works on raw integers, so it goes below what the levels can express; used for failures of the fixed set and of the
search alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from backproof.cases.levels import Case
from backproof.contract import Geometry, Pair

C = TypeVar("C")


def shrink(case: C, simpler: Callable[[C], Iterator[C]], fails: Callable[[C], bool], tries: int = 200) -> C:
    """Follow `simpler` as long as something simpler fails too, for at most `tries` attempts."""
    seen = {case}
    while True:
        for candidate in simpler(case):
            if candidate in seen:
                continue
            seen.add(candidate)
            tries -= 1
            if tries < 0:
                return case
            if fails(candidate):
                case = candidate
                break
        else:
            return case


def simpler_cases(case: Case) -> Iterator[Case]:
    """Cases with one thing simpler than in `case`; large steps first."""
    if case.layouts:
        yield replace(case, layouts=())
        for dropped in case.layouts:
            yield replace(case, layouts=tuple(item for item in case.layouts if item != dropped))
    if case.dtype != "float64":
        yield replace(case, dtype="float64")
    if case.profile != "distinct":
        yield replace(case, profile="distinct")
    for changed in simpler_geometries(case.geometry):
        if min(changed.output_size) >= 1:
            yield replace(case, geometry=changed)


def simpler_geometries(g: Geometry) -> Iterator[Geometry]:
    """Geometries with one field simpler; some may have no output."""
    if g.batch > 1:
        yield replace(g, batch=1)
        yield replace(g, batch=g.batch - 1)
    yield from _fewer_channels(g)
    if g.bias:
        yield replace(g, bias=False)
    if g.padding_mode != "zeros":
        yield replace(g, padding_mode="zeros")
    for axis in (0, 1):
        yield from _simpler_axis(g, axis)


def _fewer_channels(g: Geometry) -> Iterator[Geometry]:
    group_in, group_out = g.in_channels // g.groups, g.out_channels // g.groups
    if g.groups > 1:
        yield replace(g, groups=1, in_channels=group_in, out_channels=group_out)
        fewer = g.groups - 1
        yield replace(g, groups=fewer, in_channels=group_in * fewer, out_channels=group_out * fewer)
    for smaller in below(group_in):
        yield replace(g, in_channels=smaller * g.groups)
    for smaller in below(group_out):
        yield replace(g, out_channels=smaller * g.groups)


def below(value: int) -> Iterator[int]:
    """Smaller positive integers: the smallest, half, one less; 5 is the least that is beyond a block of 4."""
    yield from sorted({n for n in (1, 2, 3, 5, value // 2, value - 1) if 1 <= n < value})


def _simpler_axis(g: Geometry, axis: int) -> Iterator[Geometry]:
    def changed(field: str, value: int) -> Geometry:
        pair = list(getattr(g, field))
        pair[axis] = value
        smaller: dict[str, Any] = {field: (pair[0], pair[1])}
        return replace(g, **smaller)

    sides = g.padding[axis]
    for fewer in ((0, 0), (sides[0], 0), (0, sides[1]), (max(sides[0] - 1, 0), max(sides[1] - 1, 0))):
        if fewer != sides:
            yield _with_sides(g, axis, fewer)
            # an image that is larger by what the padding loses is easier to read than padding
            yield _with_sides(changed("size", g.size[axis] + sum(sides) - sum(fewer)), axis, fewer)
    for field in ("stride", "dilation", "kernel_size", "size"):
        for smaller in below(getattr(g, field)[axis]):
            yield changed(field, smaller)


def _with_sides(g: Geometry, axis: int, sides: Pair) -> Geometry:
    padding = (sides, g.padding[1]) if axis == 0 else (g.padding[0], sides)
    return replace(g, padding=padding)
