"""The fixed set of cases that every run tries, and small sets for checks that try fewer.

*Twins* have dimensions so equal that confusing two of them leaves every shape legal; only values tell.  In the pairwise
design dimensions differ, so that the same confusion changes a shape.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import combinations, islice, product

from backproof.cases.data import STRUCTURED
from backproof.cases.distilled import TABLE
from backproof.cases.levels import Case, Space
from backproof.cases.rows import Values, fitted, read_rows
from backproof.contract import Geometry, Orientation

#: Cases of the fixed set that every run tries, and how many of them come before layers of known networks.
LEAST, BEFORE_KNOWN = 80, 12


@lru_cache(maxsize=64)
def pairwise(sizes: tuple[int, ...], seed: int = 0) -> tuple[tuple[int, ...], ...]:
    """Rows of level numbers in which every pair of levels of every two factors occurs (greedy, deterministic)."""
    rng = random.Random(seed)
    factors = range(len(sizes))
    missing = {pair: set(product(range(sizes[pair[0]]), range(sizes[pair[1]]))) for pair in combinations(factors, 2)}
    rows: list[tuple[int, ...]] = [tuple(0 for _ in sizes)]
    _cover(missing, rows[0])
    while any(missing.values()):
        candidates = [_grow(sizes, missing, rng) for _ in range(6)]
        best = max(candidates, key=lambda row: _gain(missing, row))
        _cover(missing, best)
        rows.append(best)
    return tuple(rows)


Missing = dict[tuple[int, int], set[tuple[int, int]]]


def _grow(sizes: tuple[int, ...], missing: Missing, rng: random.Random) -> tuple[int, ...]:
    """A row grown from one missing pair, each further factor taking the level that covers most."""
    left = [pair for pair, levels in missing.items() if levels]
    first = rng.choice(left)
    row = dict(zip(first, rng.choice(sorted(missing[first])), strict=True))
    order = [f for f in range(len(sizes)) if f not in row]
    rng.shuffle(order)
    for factor in order:
        levels = list(range(sizes[factor]))
        rng.shuffle(levels)
        row[factor] = max(levels, key=lambda level: sum(_is_missing(missing, factor, level, f, row[f]) for f in row))
    return tuple(row[f] for f in range(len(sizes)))


def _is_missing(missing: Missing, f: int, level: int, g: int, other: int) -> bool:
    return (level, other) in missing[f, g] if f < g else (other, level) in missing[g, f]


def _gain(missing: Missing, row: tuple[int, ...]) -> int:
    return sum((row[f], row[g]) in levels for (f, g), levels in missing.items())


def _cover(missing: Missing, row: tuple[int, ...]) -> None:
    for (f, g), levels in missing.items():
        levels.discard((row[f], row[g]))


def twins(orientation: Orientation) -> list[Geometry]:
    """Geometries with equal dimensions, and pairs in which two options can be exchanged without changing a shape."""
    cubes = [
        Geometry(n, n, n, (n, n), (k, k), padding=((p, p), (p, p)), orientation=orientation)
        for n, k, p in ((2, 2, 1), (3, 3, 1), (3, 1, 0), (2, 1, 0), (4, 3, 1), (5, 5, 2))
    ]
    exchanged = [
        # stride and dilation exchanged, per axis and between the axes: the output size stays
        Geometry(2, 2, 2, (7, 7), (2, 2), stride=(2, 3), dilation=(3, 2), orientation=orientation),
        Geometry(
            1, 2, 2, (9, 9), (3, 3), stride=(2, 1), dilation=(1, 2), padding=((0, 0), (0, 0)), orientation=orientation
        ),
        Geometry(2, 1, 2, (5, 5), (2, 2), stride=(1, 2), padding=((1, 0), (0, 1)), orientation=orientation),
        Geometry(2, 1, 2, (4, 4), (3, 3), padding=((2, 0), (0, 2)), orientation=orientation),
        Geometry(1, 2, 1, (4, 4), (2, 2), padding=((0, 1), (1, 0)), orientation=orientation),
        # the two strides, or the two dilations, exchanged: the output size stays, thanks to the remainder
        Geometry(2, 2, 2, (5, 5), (2, 2), stride=(2, 3), orientation=orientation),
        Geometry(1, 2, 2, (5, 5), (2, 2), stride=(2, 2), dilation=(1, 2), orientation=orientation),
        # the remainder at the bottom, where only the stride decides what is left over
        Geometry(2, 2, 1, (6, 6), (3, 3), stride=(2, 2), orientation=orientation),
        Geometry(2, 2, 2, (8, 8), (3, 3), stride=(3, 3), padding=((1, 1), (1, 1)), orientation=orientation),
        # wide padding before, none after: the gradient's own padding is negative on one side
        Geometry(1, 1, 8, (4, 3), (1, 2), padding=((0, 0), (2, 0)), orientation=orientation),
        # groups whose blocks could be interleaved
        Geometry(2, 4, 4, (3, 3), (2, 2), groups=2, orientation=orientation),
        Geometry(1, 4, 4, (4, 4), (3, 3), stride=(2, 2), padding=((1, 1), (1, 1)), groups=2, orientation=orientation),
        Geometry(2, 4, 4, (4, 4), (3, 3), padding=((1, 1), (1, 1)), groups=4, orientation=orientation),
        # a wide batch, channels beyond one vector register
        Geometry(65, 1, 1, (2, 2), (2, 2), padding=((1, 1), (1, 1)), orientation=orientation),
        Geometry(1, 6, 6, (4, 4), (3, 3), padding=((1, 1), (1, 1)), orientation=orientation),
    ]
    return cubes + exchanged


def fixed_set(space: Space, accepts: Callable[[Geometry], bool], seed: int, most: int | None = None) -> list[Case]:
    """The distilled rows, most useful first, each fitted to what the target takes; with `most`, so many cases in all.

    After the first `BEFORE_KNOWN` come layers of known networks.
    """
    known = list(_known(space, accepts, seed + len(distilled())))
    rows = (fitted(space, values, seed + k) for k, values in enumerate(distilled()))
    cases = list(islice(_once(rows), None if most is None else max(most - len(known), BEFORE_KNOWN)))
    return [*cases[:BEFORE_KNOWN], *known, *cases[BEFORE_KNOWN:]]


def _once(cases: Iterable[Case]) -> Iterator[Case]:
    """Each the first time; two that differ in their seeds alone are the same."""
    met: set[Case] = set()
    for case in cases:
        if (alike := replace(case, seed=0)) not in met:
            met.add(alike)
            yield case


def structured(space: Space, accepts: Callable[[Geometry], bool], seed: int) -> list[Case]:
    """Data with a structure that an implementation may look for: constant, symmetric, summing to 0, nothing at first.

    An algorithm that rounds is left out: its data are of the simplest profiles.
    """
    if space.headroom:
        return []
    bias, dtypes = space.factors["bias"][-1], space.factors["dtype"]
    cases: list[Case] = []
    for profile, orientation in product(STRUCTURED, space.factors["orientation"]):
        for batch, kernel in ((1, 2), (2, 3)):
            shape = Geometry(batch, 2, 2, (4, 4), (kernel, kernel), orientation=orientation, bias=bias)
            padded = replace(shape, padding=((1, 1), (1, 1)))
            taken = next((g for g in (padded, shape) if accepts(g)), None)
            if taken is not None:
                cases.append(Case(taken, dtypes[len(cases) % len(dtypes)], profile, seed=seed + len(cases)))
    return cases


@lru_cache(maxsize=1)
def distilled() -> tuple[Values, ...]:
    """The rows of `distilled.TABLE`."""
    return tuple(read_rows(TABLE))


def _known(space: Space, accepts: Callable[[Geometry], bool], seed: int) -> Iterator[Case]:
    bias, dtypes, orientations = (space.factors[name] for name in ("bias", "dtype", "orientation"))
    known = ((*presets(orientation), *uneven_presets(orientation)) for orientation in orientations)
    for k, layers in enumerate(zip(*known, strict=True)):
        layer = replace(layers[k % len(layers)], bias=bias[-1])
        if accepts(layer):
            yield Case(layer, dtypes[k % len(dtypes)], "distinct", seed=seed + k, headroom=space.headroom)


def tiny(orientation: Orientation) -> list[Geometry]:
    """Geometries small enough to differentiate symbolically, entry by entry."""
    return [
        Geometry(1, 1, 1, (2, 2), (2, 1), orientation=orientation),
        Geometry(1, 2, 1, (2, 3), (2, 2), orientation=orientation),
        Geometry(2, 1, 2, (2, 2), (1, 2), padding=((0, 0), (1, 0)), orientation=orientation),
        Geometry(1, 1, 2, (3, 2), (2, 2), stride=(2, 1), padding=((1, 0), (0, 1)), orientation=orientation),
        Geometry(1, 1, 1, (4, 3), (2, 2), dilation=(2, 1), orientation=orientation),
        Geometry(1, 2, 2, (2, 2), (1, 2), groups=2, orientation=orientation),
        Geometry(1, 1, 1, (2, 3), (2, 2), padding=((1, 0), (1, 1)), padding_mode="circular", orientation=orientation),
    ]


def presets(orientation: Orientation) -> list[Geometry]:
    """Layers of known networks with fewer channels and pixels, and sizes at which libraries change their algorithm."""
    return [
        Geometry(1, 1, 6, (14, 14), (5, 5), padding=((2, 2), (2, 2)), orientation=orientation),  # LeNet-5, C1
        Geometry(1, 6, 16, (7, 7), (5, 5), orientation=orientation),  # LeNet-5, C3
        Geometry(
            1, 3, 8, (23, 23), (11, 11), stride=(4, 4), padding=((2, 2), (2, 2)), orientation=orientation
        ),  # AlexNet
        Geometry(1, 8, 8, (7, 7), (3, 3), padding=((1, 1), (1, 1)), orientation=orientation),  # VGG
        Geometry(1, 3, 8, (15, 15), (7, 7), stride=(2, 2), padding=((3, 3), (3, 3)), orientation=orientation),  # ResNet
        Geometry(2, 8, 8, (8, 8), (3, 3), stride=(2, 2), padding=((1, 1), (1, 1)), orientation=orientation),  # ResNet
        Geometry(2, 8, 16, (8, 8), (1, 1), stride=(2, 2), orientation=orientation),  # ResNet, shortcut
        Geometry(1, 16, 16, (4, 4), (3, 3), padding=((1, 1), (1, 1)), groups=4, orientation=orientation),  # ResNeXt
        Geometry(1, 8, 8, (9, 9), (3, 3), padding=((1, 1), (1, 1)), groups=8, orientation=orientation),  # MobileNet
        Geometry(1, 8, 8, (9, 9), (3, 3), (2, 2), ((0, 1), (0, 1)), groups=8, orientation=orientation),  # EfficientNet
        Geometry(1, 4, 8, (9, 9), (1, 1), orientation=orientation),  # pointwise: no multiple of 8 pixels, over 64
        Geometry(1, 6, 6, (10, 10), (7, 7), padding=((3, 3), (3, 3)), groups=6, orientation=orientation),  # ConvNeXt
        Geometry(1, 3, 8, (12, 12), (4, 4), stride=(4, 4), orientation=orientation),  # ConvNeXt, vision transformers
        Geometry(1, 4, 4, (9, 9), (3, 3), (1, 1), ((4, 4), (4, 4)), (4, 4), orientation=orientation),  # DeepLab
        Geometry(1, 4, 4, (9, 5), (1, 7), padding=((0, 0), (3, 3)), orientation=orientation),  # Inception
        Geometry(65, 1, 1, (2, 2), (2, 2), padding=((1, 1), (1, 1)), orientation=orientation),  # many samples
        Geometry(1, 2, 2, (3, 40), (1, 9), padding=((0, 0), (8, 0)), orientation=orientation),  # WaveNet, causal
    ]


def uneven_presets(orientation: Orientation) -> list[Geometry]:
    """The same with sizes that networks do not have: what fast paths for those layers may forget."""
    return [
        Geometry(1, 3, 4, (13, 14), (4, 4), stride=(4, 4), orientation=orientation),  # patches, and pixels left over
        Geometry(1, 4, 8, (5, 4), (1, 1), padding=((1, 1), (1, 1)), orientation=orientation),  # pointwise, padded
        Geometry(1, 4, 8, (6, 5), (1, 1), stride=(2, 2), padding=((1, 0), (0, 1)), orientation=orientation),
    ]
