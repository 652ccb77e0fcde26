"""Cases of pooling: levels, geometries picked by hand, and simpler cases; `cases.pool_data` has their data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, zip_longest
from typing import Any

from backproof.cases.designs import pairwise
from backproof.cases.levels import FACTORS, derived_size, padding_sides
from backproof.cases.shrink import below
from backproof.contract import PoolGeometry

#: name -> levels, ordered from simple to complex; the fixed set pairs the first `PAIRED` of each
POOL_FACTORS: dict[str, tuple[Any, ...]] = {
    "kernel": ((2, 2), (1, 1), (3, 2), (2, 3), (3, 3), (1, 2), (2, 1), (4, 1)),
    "stride": ((1, 1), (2, 2), (1, 2), (2, 1), (3, 3), (3, 1)),
    "dilation": ((1, 1), (2, 2), (1, 2), (2, 1)),
    "padding": ("none", "one", "top-left", "bottom-right", "beyond", "half"),
    "output": ((1, 1), (2, 2), (1, 2), (2, 1), (3, 3), (2, 5), (9, 1), (1, 17), (4, 1), (2, 33)),
    "remainder": ((0, 0), (1, 1), (1, 0), (0, 1), (2, 2)),
    "ceil_mode": (False, True),
    "count_include_pad": (True, False),
    "channels": (1, 2, 3, 5, 9, 4, 17, 33),
    "batch": (1, 2, 3),
    "dtype": FACTORS["dtype"],
    "profile": ("distinct", "wide", "scaled"),
    "x_layout": FACTORS["x_layout"],
    "dy_layout": FACTORS["dy_layout"],
}
PAIRED = 5

#: Data by kind: see `cases.pool_data`.
PROFILES = {"max": ("distinct", "negative", "ties", "constant", "infinite", "wide", "scaled")}


@dataclass(frozen=True, slots=True)
class PoolCase:
    """One example of pooling; `ties` is the target's rule for them."""

    geometry: PoolGeometry
    dtype: str = "float64"
    profile: str = "distinct"
    layouts: tuple[tuple[str, str], ...] = ()
    seed: int = 0
    ties: str = "first"

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for events."""
        return {
            "geometry": self.geometry.as_dict(),
            "dtype": self.dtype,
            "profile": self.profile,
            "layouts": dict(self.layouts),
            "seed": self.seed,
            **({"ties": self.ties} if self.ties != "first" else {}),
        }


@dataclass(frozen=True, slots=True)
class PoolSpace:
    """The levels that a target supports for one kind of pooling."""

    kind: str
    factors: dict[str, tuple[Any, ...]]
    accepts: Callable[[PoolGeometry], bool]
    ties: str = "first"

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many levels each factor has."""
        return tuple(len(levels) for levels in self.factors.values())

    def case(self, row: Sequence[int], seed: int) -> PoolCase:
        """The case that a row of level numbers stands for; they count on from the last level to the first."""
        levels = {name: known[k % len(known)] for (name, known), k in zip(self.factors.items(), row, strict=True)}
        layouts = {role: levels[f"{role}_layout"] for role in ("x", "dy")}
        paddings = (levels["padding"], "one", self.factors["padding"][0])
        tried = (_geometry(self.kind, {**levels, "padding": padding}) for padding in paddings)
        return PoolCase(
            next(g for g in tried if self.accepts(g)),
            levels["dtype"],
            levels["profile"],
            tuple((role, layout) for role, layout in layouts.items() if layout != "C"),
            seed,
            self.ties,
        )

    def picked(self, seed: int) -> Iterator[PoolCase]:
        """The geometries picked by hand that the target accepts, every other one in another memory layout."""
        geometries = dict.fromkeys(g for g in map(self.held, PICKED) if g is not None)
        dtypes, profiles = cycle(self.factors["dtype"]), cycle(self.factors["profile"])
        times = 2 if self.kind == "max" else 1  # what a maximum sees depends on the data
        x_layouts, dy_layouts = (cycle(self.factors[f"{role}_layout"]) for role in ("x", "dy"))
        for number, geometry in enumerate(g for g in geometries for _ in range(times)):
            chosen = (("x", next(x_layouts)), ("dy", next(dy_layouts))) if number % 2 else ()
            layouts = tuple((role, layout) for role, layout in chosen if layout != "C")
            yield PoolCase(geometry, next(dtypes), next(profiles), layouts, seed + number, self.ties)

    def held(self, geometry: PoolGeometry) -> PoolGeometry | None:
        """A geometry of this kind, without switches that the target has not; None where it does not take it."""
        held: dict[str, Any] = {"kind": self.kind}
        for switch in ("ceil_mode", "count_include_pad"):
            value, known = getattr(geometry, switch), self.factors[switch]
            held[switch] = value if value in known else known[0]
        g = replace(geometry, **held)
        return g if min(g.output_size) >= 1 and self.accepts(g) else None


def pool_space(
    kind: str,
    accepts: Callable[[PoolGeometry], bool],
    *,
    dtypes: Sequence[str],
    layouts: Sequence[str],
    ties: str = "first",
) -> PoolSpace:
    """The levels that a target accepts while every other factor is neutral."""
    factors = POOL_FACTORS | {"profile": PROFILES.get(kind, POOL_FACTORS["profile"])}
    neutral = {name: levels[0] for name, levels in factors.items()} | {"kernel": (3, 3)}
    if kind == "average" and not accepts(_geometry(kind, neutral)):
        neutral["count_include_pad"] = False  # as declared

    def accepted(name: str, level: Any) -> bool:
        if name == "dtype":
            return level in dtypes
        if name.endswith("_layout"):
            return level in layouts
        if name == "count_include_pad" and kind != "average":
            return bool(level)
        return name == "profile" or accepts(_geometry(kind, {**neutral, name: level}))

    kept = {name: tuple(level for level in levels if accepted(name, level)) for name, levels in factors.items()}
    return PoolSpace(kind, kept, accepts, ties)


def fixed_pools(spaces: Sequence[PoolSpace], sizes: Sequence[int], seed: int) -> list[PoolCase]:
    """The cases that every run tries, a kind after the other: those picked by hand, then pairs of the first levels."""
    rows = pairwise(tuple(min(size, PAIRED) for size in sizes))
    paired = [[space.case(row, seed + 100 + k) for k, row in enumerate(rows)] for space in spaces]
    turns = [*zip_longest(*(space.picked(seed) for space in spaces)), *zip(*paired, strict=True)]
    return [case for turn in turns for case in turn if case is not None]


def _geometry(kind: str, levels: dict[str, Any]) -> PoolGeometry:
    kernel, stride, dilation = levels["kernel"], levels["stride"], levels["dilation"]
    padding = [padding_sides(levels["padding"], d * (k - 1) + 1) for k, d in zip(kernel, dilation, strict=True)]
    height, width = (
        derived_size(levels["output"][a], kernel[a], stride[a], dilation[a], padding[a], levels["remainder"][a])
        for a in (0, 1)
    )
    return PoolGeometry(
        kind=kind,  # type: ignore[arg-type]
        batch=levels["batch"],
        channels=levels["channels"],
        size=(height, width),
        kernel_size=kernel,
        stride=stride,
        padding=(padding[0], padding[1]),
        dilation=dilation,
        ceil_mode=levels["ceil_mode"],
        count_include_pad=levels["count_include_pad"],
    )


_ONE = ((1, 1), (1, 1))

#: Something of everything, and what goes wrong, where it shows at its smallest.  Of all this the first find most: their
#: order was chosen on the museum.
PICKED: tuple[PoolGeometry, ...] = (
    PoolGeometry(
        channels=2, size=(5, 5), kernel_size=(2, 2), stride=(2, 1), dilation=(2, 3), padding=((1, 0), (1, 2)),
        ceil_mode=True,
    ),
    PoolGeometry(channels=2, size=(5, 7), kernel_size=(2, 3), stride=(2, 3)),  # side by side, with a remainder
    PoolGeometry(
        batch=2, channels=2, size=(4, 6), kernel_size=(3, 2), stride=(3, 3), padding=_ONE, ceil_mode=True,
        count_include_pad=False,
    ),
    PoolGeometry(size=(5, 5), kernel_size=(2, 2), stride=(2, 2), ceil_mode=True),  # the last window overhangs
    PoolGeometry(
        batch=2, channels=5, size=(5, 6), kernel_size=(2, 3), stride=(1, 2), padding=((1, 0), (0, 2))
    ),
    PoolGeometry(size=(2, 2), kernel_size=(2, 2), stride=(2, 2)),
    PoolGeometry(size=(3, 4), kernel_size=(2, 2), stride=(2, 2), padding=_ONE, ceil_mode=True),  # rows: it is dropped
    PoolGeometry(channels=5, size=(1, 1), kernel_size=(2, 2), dilation=(2, 2), padding=_ONE),  # no window has a pixel
    PoolGeometry(size=(3, 3), kernel_size=(2, 2)),  # overlaps
    PoolGeometry(size=(3, 3), kernel_size=(2, 2), padding=_ONE),
    PoolGeometry(size=(3, 3), kernel_size=(2, 2), padding=_ONE, count_include_pad=False),
    PoolGeometry(size=(4, 4), kernel_size=(3, 3), stride=(2, 2), padding=_ONE, ceil_mode=True),
    PoolGeometry(channels=2, size=(4, 4), kernel_size=(2, 2), dilation=(2, 2), padding=_ONE),
    PoolGeometry(size=(7, 8), kernel_size=(2, 2), stride=(3, 4)),  # pixels in no window
    PoolGeometry(batch=3, channels=3, size=(3, 3), kernel_size=(3, 3), padding=_ONE),  # dimensions alike
    PoolGeometry(channels=33, size=(2, 3), kernel_size=(2, 2)),
    PoolGeometry(size=(2, 35), kernel_size=(2, 3)),
)  # fmt: skip


def simpler_pool_cases(case: PoolCase) -> Iterator[PoolCase]:
    """Cases with one thing simpler; every one has an output."""
    if case.layouts:
        yield replace(case, layouts=())
    if case.dtype != "float64":
        yield replace(case, dtype="float64")
    if case.profile != "distinct":
        yield replace(case, profile="distinct")
    for changed in _simpler(case.geometry):
        if min(changed.output_size) >= 1:
            yield replace(case, geometry=changed)


def _simpler(g: PoolGeometry) -> Iterator[PoolGeometry]:
    if g.ceil_mode:
        yield replace(g, ceil_mode=False)
    if not g.count_include_pad:
        yield replace(g, count_include_pad=True)
    for name in ("batch", "channels"):
        for smaller in below(getattr(g, name)):
            yield _changed(g, name, smaller)
    for axis in (0, 1):
        for name in ("stride", "dilation", "kernel_size", "size"):
            for smaller in below(getattr(g, name)[axis]):
                yield _changed(g, name, _with(getattr(g, name), axis, smaller))
        if any(g.padding[axis]):
            fewer = tuple(max(side - 1, 0) for side in g.padding[axis])
            for sides in ((0, 0), fewer):
                yield _changed(g, "padding", _with(g.padding, axis, sides))


def _with(pair: tuple[Any, Any], axis: int, value: Any) -> tuple[Any, Any]:
    return (value, pair[1]) if axis == 0 else (pair[0], value)


def _changed(g: PoolGeometry, name: str, value: Any) -> PoolGeometry:
    changes: dict[str, Any] = {name: value}
    return replace(g, **changes)
