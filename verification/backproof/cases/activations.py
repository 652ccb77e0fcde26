"""Points at which activations are looked at, and how far off a value there may be.

special   zeros of both signs, the smallest numbers, around 1, around where exp overflows, the largest, inf, NaN
grid      a linear part between -10 and 10, and a logarithmic one
drawn     floats of all sizes, moderate ones, small ones, and around 0 and the bounds of exp
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backproof.cases.references import Bound, Reference, truth
from backproof.contract import Points

Array = NDArray[Any]

#: name -> levels, ordered from simple to complex
REGIONS = ("moderate", "small", "any", "large", "near")
COUNT = 8


@dataclass(frozen=True, slots=True)
class ActivationCase:
    """One activation at points, which are all numbers of the dtype; `shape` has as many entries."""

    name: str
    points: tuple[float, ...]
    dtype: str = "float64"
    shape: tuple[int, ...] = ()
    layout: str = "C"

    @property
    def geometry(self) -> Points:
        """The array's shape."""
        return Points(self.shape)

    @property
    def layouts(self) -> tuple[tuple[str, str], ...]:
        """By role."""
        return () if self.layout == "C" else (("c", self.layout),)

    def array(self) -> Array:
        """The points as an array."""
        return np.array(self.points, dtype=self.dtype).reshape(self.shape)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for events; numbers as text, since JSON has no NaN."""
        return {
            "activation": self.name,
            "points": [repr(point) for point in self.points[:50]],
            "shape": list(self.shape),
            "dtype": self.dtype,
            "layouts": dict(self.layouts),
        }


def at(name: str, points: Array, layout: str = "C", shape: tuple[int, ...] | None = None) -> ActivationCase:
    """The case of an array of points, of its shape unless another is given."""
    values = tuple(math.nan if math.isnan(p) else p for p in points.ravel().tolist())
    return ActivationCase(name, values, points.dtype.name, points.shape if shape is None else shape, layout)


def special(dtype: str) -> Array:
    """Special points of both signs."""
    info = np.finfo(dtype)
    eps, largest = float(info.eps), float(info.max)
    overflow = math.log(largest)
    underflow = -math.log(float(info.smallest_subnormal))
    positive = [
        *(0.0, float(info.smallest_subnormal), float(info.tiny), float(info.tiny) * (1 - eps), eps, math.sqrt(eps)),
        *(0.5, 1 - eps, 1.0, 1 + eps, 2.0, 20.0, 20.5, 37.0, 100.0, 1000.0, 1e4, largest / 2, largest, math.inf),
        *(bound * factor for bound in (overflow, overflow / 2, underflow) for factor in (1 - 1e-3, 1 - eps, 1 + 1e-3)),
    ]
    with np.errstate(over="ignore"):
        values = np.array(positive, dtype)
    return np.concatenate([values, -values, np.array([np.nan], dtype)])


def grid(dtype: str) -> Array:
    """Points of float32, so that both dtypes have the same."""
    linear = np.linspace(-10, 10, 45) + 0.0137
    logarithmic = np.logspace(-8, 1.9, 18)
    return np.concatenate([linear, logarithmic, -logarithmic]).astype(np.float32).astype(dtype)


def drawn(region: str, dtype: str, seed: int) -> Array:
    """`COUNT` points of a region."""
    rng = np.random.default_rng(seed)
    signs = rng.choice((-1.0, 1.0), COUNT)
    info = np.finfo(dtype)
    with np.errstate(over="ignore", under="ignore"):
        match region:
            case "moderate":
                values = rng.normal(0, 3, COUNT)
            case "small":
                values = signs * 2.0 ** rng.uniform(-60, 0, COUNT)
            case "any":
                lowest, highest = int(info.minexp), int(info.maxexp) - 1
                values = signs * np.ldexp(rng.uniform(1, 2, COUNT), rng.integers(lowest, highest, COUNT))
            case "large":
                values = signs * rng.uniform(10, 1.2 * math.log(float(info.max)), COUNT)
            case _:
                near = rng.choice((0.0, 1.0, math.log(float(info.max)), math.log(float(info.max)) / 2), COUNT)
                values = signs * (near + rng.normal(0, 1e-3, COUNT))
        return values.astype(dtype)


def bound_at(bound: Bound, dtype: str, c: float, exact: float, parameter: float, flushes: bool) -> float:
    """The largest error that is right."""
    info = np.finfo(dtype)
    floor = float(info.tiny if bound.smooth or flushes else info.smallest_subnormal) if bound.ulps or flushes else 0.0
    scale = bound.scale(c) * max(1.0, abs(parameter))
    return bound.ulps * float(info.eps) * max(abs(exact), scale) + floor


def expected(reference: Reference, derivative: bool, c: float, parameter: float, kink: str) -> tuple[float, float]:
    """`f(c)` as two floats; at an infinity, its limit."""
    if math.isinf(c) and reference.limits is not None:
        return float(reference.limits[2 * derivative + (c > 0)]), 0.0
    return truth(reference.names[0], derivative, c, parameter, kink)


def judged(reference: Reference, derivative: bool, c: float) -> bool:
    """Whether anything is expected there: not of an infinity in a formula with inf * 0, nor of a' of NaN on pieces."""
    if math.isnan(c):
        return reference.nan or not derivative
    return math.isfinite(c) or reference.limits is not None


def is_right(
    value: float, reference: Reference, derivative: bool, case: ActivationCase, c: float, parameter: float,
    kink: str, flushes: bool,
) -> bool:  # fmt: skip
    """Whether a value of f(c) is as near as it must be."""
    if math.isnan(c):
        return math.isnan(value)
    high, low = expected(reference, derivative, c, parameter, kink)
    largest = float(np.finfo(case.dtype).max)
    room = bound_at(reference.bounds[derivative], case.dtype, c, high, parameter, flushes)
    if math.isinf(value) or math.isinf(high):
        reached = abs(high) + (0.0 if math.isinf(high) else room) >= largest
        return reached and (math.copysign(1, value) == math.copysign(1, high)) and abs(value) >= largest * (1 - 1e-3)
    if abs(high) > largest:  # a number of float64, beyond float32
        return abs(abs(value) - largest) <= room
    return abs((value - high) - low) <= room


def simpler_activations(case: ActivationCase) -> Iterator[ActivationCase]:
    """Fewer points, then plainer ones."""
    if case.layout != "C" or len(case.shape) != 1:
        yield replace(case, layout="C", shape=(len(case.points),))
    count = len(case.points)
    if len(case.shape) == 1 and count > 1:
        for part in (case.points[: count // 2], case.points[count // 2 :]):
            yield replace(case, points=part, shape=(len(part),))
    if case.dtype != "float64":
        yield replace(case, dtype="float64")
    if count == 1 and math.isfinite(case.points[0]):
        point = case.points[0]
        plainer = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, float(round(point)) if abs(point) < 1e15 else point)
        seen = plainer.index(point) if point in plainer else len(plainer)
        for other in plainer[:seen]:
            yield replace(case, points=(other,))
