"""The geometries on which the peers are compared: what people test, and what Backproof's fixed set asks."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from backproof.cases.designs import fixed_set
from backproof.cases.levels import space
from backproof.contract import ORIENTATIONS, Geometry
from parts.layers import Signature

#: A geometry of the strong list has at most so many entries in x, w and b: gradcheck's time is their number squared.
ENTRIES = 72
STRONG = 48


def naive() -> list[Geometry]:
    """Square images, 3 x 3 kernels, stride 1 or 2, padding 0 or 1, few channels."""
    kernel = (3, 3)
    return [
        Geometry(1, 1, 1, (5, 5), kernel),
        Geometry(2, 3, 4, (6, 6), kernel, padding=((1, 1), (1, 1))),
        Geometry(2, 2, 3, (7, 7), kernel, stride=(2, 2), padding=((1, 1), (1, 1))),
        Geometry(1, 3, 2, (8, 8), kernel, stride=(2, 2)),
        Geometry(2, 3, 2, (5, 5), kernel),
        Geometry(1, 2, 2, (6, 6), kernel, stride=(2, 2), padding=((1, 1), (1, 1))),
    ]


@cache
def strong(signature: Signature) -> tuple[Geometry, ...]:
    """From the fixed set of a layer with these options: an even choice of those small enough, all with a bias."""
    levels = space(
        lambda g: signature.takes(replace(g, bias=True)),
        orientations=ORIENTATIONS if signature.orientation is None else (signature.orientation,),
        dtypes=("float64",),
        layouts=("C",),
    )
    cases = (replace(case.geometry, bias=True) for case in fixed_set(levels, levels.accepts, 0))
    small = [g for g in dict.fromkeys(cases) if entries(g) <= ENTRIES]
    chosen = np.linspace(0, len(small) - 1, min(STRONG, len(small))).round().astype(int)
    return tuple(small[k] for k in dict.fromkeys(chosen.tolist()))


def entries(g: Geometry) -> int:
    """Numbers to differentiate by."""
    return int(sum(np.prod(g.shape_of(role)) for role in ("x", "w", "b")))
