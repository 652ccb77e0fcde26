"""Sequences of pooling calls, as `cases.sequences` has them of convolutions.

forward and gradient     the same again; other data of the same geometry; after calls on NaN alone
the gradient alone       twice after one forward; after another forward
what may be mistaken     other options, kinds, dtypes and memory layouts of an image with as many entries
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from backproof.cases.pooling import PoolCase
from backproof.cases.sequences import CallSequence, Step
from backproof.contract import PoolGeometry

Accepts = Callable[[PoolGeometry], bool]
Functions = Mapping[str, Mapping[str, str]]


def fixed_pool_sequences(
    pools: Functions, accepts: Accepts, *, dtypes: Sequence[str], layouts: Sequence[str], ties: str, seed: int
) -> list[list[CallSequence]]:
    """For each kind of pooling (`pools`: by kind, `quantity -> function`), those around each of two geometries."""
    return [
        [*_again(case, pools[case.geometry.kind]), *_mistaken(case, pools, accepts, dtypes, layouts)]
        for case in pool_bases(pools, accepts, dtypes=dtypes, ties=ties, seed=seed)
    ]


def pool_bases(
    kinds: Iterable[str], accepts: Accepts, *, dtypes: Sequence[str], ties: str, seed: int
) -> Iterator[PoolCase]:
    """Two geometries of each kind, in alternating dtypes."""
    for number, kind in enumerate(kinds):
        for k, geometry in enumerate(_bases(kind, accepts)):
            yield PoolCase(geometry, dtypes[(number + k) % len(dtypes)], seed=seed + 100 * number + 10 * k, ties=ties)


def _bases(kind: str, accepts: Accepts) -> list[PoolGeometry]:
    wanted = (
        PoolGeometry(channels=2, size=(4, 6), kernel_size=(2, 2), stride=(2, 2)),
        PoolGeometry(batch=2, channels=3, size=(4, 5), kernel_size=(2, 3), stride=(1, 2), padding=((1, 0), (0, 2))),
    )
    held = (replace(g, kind=kind, count_include_pad=c) for g in wanted for c in (True, False))  # type: ignore[arg-type]
    accepted = {(g.size, g.kernel_size): g for g in held if accepts(g)}
    return list(accepted.values())


def _again(case: PoolCase, functions: Mapping[str, str]) -> Iterator[CallSequence]:
    every = tuple(functions.values())
    first, again = Step(case, every), Step(replace(case, seed=case.seed + 1), every)
    foul = replace(first, poisoned=True)
    yield CallSequence((first, again))
    yield CallSequence((foul, foul, first))  # a process keeps the last result alive: the one before is freed
    if len(every) > 1:
        forward, gradient = replace(first, functions=every[:1]), replace(first, functions=every[1:])
        yield CallSequence((first, gradient, gradient))
        yield CallSequence((forward, replace(again, functions=every[:1]), gradient))


def _mistaken(
    case: PoolCase, pools: Functions, accepts: Accepts, dtypes: Sequence[str], layouts: Sequence[str]
) -> Iterator[CallSequence]:
    """Something that a cache with too coarse a key would take for the case, then the case on other numbers."""
    others = [replace(case, layouts=(("x", layout), ("dy", layout))) for layout in ("nhwc", "F") if layout in layouts]
    others += [replace(case, dtype=dtype) for dtype in dtypes]
    others += [replace(case, geometry=replace(case.geometry, kind=kind)) for kind in pools]  # type: ignore[arg-type]
    others += [replace(case, geometry=g) for g in like(case.geometry, accepts)]
    for number, other in enumerate(others):
        if other != case and accepts(other.geometry):
            steps = [
                Step(replace(c, seed=case.seed + 2 + k), tuple(pools[c.geometry.kind].values()))
                for k, c in enumerate((other, case))
            ]
            yield CallSequence(tuple(steps if number % 2 else [*steps, steps[0]]))


def like(geometry: PoolGeometry, accepts: Accepts) -> list[PoolGeometry]:
    """Geometries that are taken for this one where a cache's key is too coarse, of those that are accepted."""
    return [g for g in _like(geometry) if g != geometry and min(g.output_size) >= 1 and accepts(g)]


def _like(g: PoolGeometry) -> Iterator[PoolGeometry]:
    (top, bottom), (left, right) = g.padding
    yield replace(g, count_include_pad=not g.count_include_pad)
    yield replace(g, ceil_mode=not g.ceil_mode)
    yield replace(g, stride=(g.stride[0] + 1, g.stride[1]))
    yield replace(g, dilation=(g.dilation[0], g.dilation[1] + 1))
    yield replace(g, padding=((top + 1, bottom), (left, right + 1)))
    yield replace(g, padding=((bottom, top), (right, left)))
    yield replace(g, kernel_size=g.kernel_size[::-1])
    yield replace(g, batch=g.channels, channels=g.batch)
    yield replace(g, size=g.size[::-1])
    yield replace(g, batch=g.batch + 1)
