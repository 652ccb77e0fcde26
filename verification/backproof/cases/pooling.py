"""Cases of pooling: levels, and data with ties, all-negative windows and windows that lie wholly in the padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backproof.cases.data import Example
from backproof.cases.levels import FACTORS, derived_size, padding_sides
from backproof.cases.shrink import below
from backproof.contract import PoolGeometry
from backproof_spec import oracle

Array = NDArray[Any]

#: name -> levels, ordered from simple to complex
POOL_FACTORS: dict[str, tuple[Any, ...]] = {
    "kernel": ((2, 2), (1, 1), (1, 2), (2, 1), (3, 3), (3, 2), (2, 3), (4, 1)),
    "stride": ((1, 1), (2, 2), (1, 2), (2, 1), (3, 3), (3, 1)),
    "dilation": ((1, 1), (2, 2), (1, 2), (2, 1)),
    "padding": ("none", "one", "half", "top-left", "bottom-right", "beyond"),
    "output": ((1, 1), (2, 2), (1, 2), (2, 1), (3, 3), (2, 5), (4, 1)),
    "remainder": ((0, 0), (1, 1), (1, 0), (0, 1)),
    "channels": (1, 2, 3, 5),
    "batch": (1, 2, 3),
    "dtype": FACTORS["dtype"],
    "profile": ("distinct", "ties", "negative", "constant"),
    "x_layout": FACTORS["x_layout"],
    "dy_layout": FACTORS["dy_layout"],
}


@dataclass(frozen=True, slots=True)
class PoolCase:
    """One example of pooling."""

    geometry: PoolGeometry
    dtype: str = "float64"
    profile: str = "distinct"
    layouts: tuple[tuple[str, str], ...] = ()
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for events."""
        return {
            "geometry": self.geometry.as_dict(),
            "dtype": self.dtype,
            "profile": self.profile,
            "layouts": dict(self.layouts),
            "seed": self.seed,
        }


@dataclass(frozen=True, slots=True)
class PoolSpace:
    """The levels that a target supports for one kind of pooling."""

    kind: str
    factors: dict[str, tuple[Any, ...]]
    accepts: Callable[[PoolGeometry], bool]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many levels each factor has."""
        return tuple(len(levels) for levels in self.factors.values())

    def case(self, row: Sequence[int], seed: int) -> PoolCase:
        """The case that a row of level numbers stands for."""
        levels = {name: self.factors[name][k] for name, k in zip(self.factors, row, strict=True)}
        layouts = {role: levels[f"{role}_layout"] for role in ("x", "dy")}
        paddings = (levels["padding"], "one", self.factors["padding"][0])
        tried = (_geometry(self.kind, {**levels, "padding": padding}) for padding in paddings)
        return PoolCase(
            next(g for g in tried if self.accepts(g)),
            levels["dtype"],
            levels["profile"],
            tuple((role, layout) for role, layout in layouts.items() if layout != "C"),
            seed,
        )


def pool_space(
    kind: str, accepts: Callable[[PoolGeometry], bool], *, dtypes: Sequence[str], layouts: Sequence[str]
) -> PoolSpace:
    """The levels that a target accepts while every other factor is neutral."""
    neutral = {name: levels[0] for name, levels in POOL_FACTORS.items()} | {"kernel": (3, 3)}

    def accepted(name: str, level: Any) -> bool:
        if name == "dtype":
            return level in dtypes
        if name.endswith("_layout"):
            return level in layouts
        return accepts(_geometry(kind, {**neutral, name: level}))

    kept = {name: tuple(level for level in levels if accepted(name, level)) for name, levels in POOL_FACTORS.items()}
    return PoolSpace(kind, kept, accepts)


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
    )


def pool_example(case: PoolCase) -> Example:
    """Data for a case and what the specification makes of them.

    Averages are taken of multiples of the window's area, so that they are integers.
    """
    g, rng = case.geometry, np.random.default_rng(case.seed)
    unit = g.kernel_size[0] * g.kernel_size[1] if g.kind == "average" else 1
    x = _values(rng, case.profile, g.x_shape) * unit
    dy = _values(rng, "distinct", g.y_shape) * unit
    if dict(case.layouts).get("dy") == "broadcast":
        dy = np.full(g.y_shape, 7 * unit)
    y = oracle.pooling(g.kind, x, **g.options())
    dx = oracle.pooling_gradient(g.kind, dy, x, **g.options())
    expected = {"y": np.where(y == oracle.LOWEST, -np.inf, y).astype(case.dtype), "dx": dx.astype(case.dtype)}
    evidence = {q: array.size == 1 or bool(np.ptp(array) > 0) for q, array in (("y", y), ("dx", dx))}
    return Example(case, {"x": x.astype(case.dtype), "dy": dy.astype(case.dtype)}, expected, evidence)  # type: ignore[arg-type]


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


def _values(rng: np.random.Generator, profile: str, shape: tuple[int, ...]) -> Array:
    count = int(np.prod(shape))
    distinct: Array = rng.permutation(np.arange(1, count + 1)).reshape(shape)
    match profile:
        case "ties":
            return rng.integers(-1, 1, size=shape, endpoint=True)
        case "negative":
            return -distinct
        case "constant":
            return np.full(shape, -3)
        case _:
            signed: Array = distinct * rng.choice((-1, 1), size=shape)
            return signed
