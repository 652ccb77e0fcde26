"""Cases from which the fixed set is chosen: random levels, pairs of levels, twins, layers of known networks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from backproof.cases.designs import pairwise, presets, tiny, twins
from backproof.cases.levels import FACTORS, Case, Space, space
from backproof.contract import DTYPES, ORIENTATIONS, Geometry, Pair
from backproof.targets.layouts import LAYOUTS

#: Products of a forward pass that a case of the fixed set may have at most.
LARGEST = 40_000


def everything() -> Space:
    """All levels."""
    return space(lambda geometry: True, orientations=ORIENTATIONS, dtypes=DTYPES, layouts=LAYOUTS)


def products(g: Geometry) -> int:
    """Multiplications of a forward pass."""
    rows, columns = g.output_size
    kh, kw = g.kernel_size
    return g.batch * g.out_channels * rows * columns * g.in_channels // g.groups * kh * kw


def random_rows(seed: int, count: int, whole: Space | None = None) -> list[Case]:
    """Cases of random levels, as the search of a check draws them."""
    rng, whole = random.Random(f"rows {seed}"), whole or everything()
    return [whole.case([rng.randrange(size) for size in whole.sizes], rng.randrange(2**32)) for _ in range(count)]


def candidates(seed: int, count: int, *, pairs: bool = True) -> list[Case]:
    """Cases to choose from, none too large; `count` of random levels, as many of small numbers, `pairs` of levels."""
    rng, whole = random.Random(f"candidates {seed}"), everything()
    known = [g for o in ORIENTATIONS for g in (*twins(o), *tiny(o), *presets(o))]
    paired = [whole.case(row, 0) for row in pairwise(whole.sizes)] if pairs else []
    small = [_dressed(_small(rng), rng) for _ in range(count)]
    found = [*(_dressed(g, rng) for g in known for _ in range(2)), *paired, *random_rows(seed, count, whole), *small]
    return [replace(case, seed=k) for k, case in enumerate(found) if products(case.geometry) <= LARGEST]


def _dressed(g: Geometry, rng: random.Random) -> Case:
    """A geometry with data and memory of random kinds."""
    levels = {name: rng.choice(FACTORS[name]) for name in ("dtype", "profile", "x_layout", "w_layout", "dy_layout")}
    layouts = tuple((role, levels[f"{role}_layout"]) for role in ("x", "w", "dy") if levels[f"{role}_layout"] != "C")
    bias = replace(g, bias=rng.random() < 0.7)
    return Case(bias, levels["dtype"], levels["profile"], layouts)


def _small(rng: random.Random) -> Geometry:
    """Small numbers, each drawn apart, or twice alike: so small that many confusions are legal."""
    return next(g for g in _drawn(rng) if min(g.output_size) >= 1)


def _drawn(rng: random.Random) -> Iterator[Geometry]:
    while True:
        alike = rng.random() < 0.5

        def pair(*levels: Any, alike: bool = alike) -> Pair:
            first = rng.choice(levels)
            return first, first if alike and rng.random() < 0.8 else rng.choice(levels)

        groups, (each_in, each_out) = rng.choice((1, 1, 2, 3)), pair(1, 2, 3, 5, 9)
        rows, columns = pair(0, 1, 2, 3), pair(0, 0, 1, 3)
        yield Geometry(
            rng.choice((1, 2, 3)),
            each_in * groups,
            each_out * groups,
            pair(1, 2, 3, 4, 5, 6, 7, 8, 9, 17),
            pair(1, 2, 2, 3, 3, 4, 5),
            pair(1, 1, 2, 3, 4),
            rng.choice((((0, 0), (0, 0)), (rows, columns), ((rows[0], columns[0]), (rows[0], columns[0])))),
            pair(1, 1, 2, 3),
            groups,
            rng.choice(("zeros", "circular")),
            rng.choice(ORIENTATIONS),
        )
