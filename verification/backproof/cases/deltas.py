"""Cases of single functions of the chain: `delta` on the geometries of convolutions, `output_delta` and `error`.

delta          dx(delta_next, w_next) * a'(c)        c: small integers, zeros among them
output_delta   (o - t) * a'(c),  o = a(c)
error          1/2 * sum((t - o)**2)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backproof.cases.data import Array, example
from backproof.cases.levels import FACTORS, Case
from backproof.cases.polynomials import POLYNOMIALS, Scaled, activated, slope
from backproof.cases.shrink import below, simpler_cases
from backproof.contract import Geometry, Points

#: The largest |c|: a'(c) takes up to 5 bits of the mantissa.
_LARGEST, _BITS = 3, {"identity": 0, "relu": 0, "leaky_relu": 0, "square": 3, "cube": 5}
#: The largest |t|, which is larger than any o.
_TARGET = 30

POINT_FACTORS: dict[str, tuple[Any, ...]] = {
    "shape": ((1, 1, 1, 1), (2, 1, 1, 1), (1, 1, 1, 2), (2, 2, 2, 2), (2, 3, 1, 2), (3, 1, 4, 5), (1, 5, 3, 1)),
    "activation": POLYNOMIALS,
    "dtype": FACTORS["dtype"],
    "layout": FACTORS["x_layout"],
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """Arrays by role, what is expected by quantity, and whether that is evidence."""

    arrays: dict[str, Array]
    expected: dict[str, Array]
    evidence: dict[str, bool]


@dataclass(frozen=True, slots=True)
class DeltaCase:
    """`delta` at the layer below a convolution: x, w and dy of that are c, w_next and delta_next here."""

    above: Case
    activation: str = "identity"

    @property
    def geometry(self) -> Geometry:
        """Of the layer above."""
        return self.above.geometry

    @property
    def dtype(self) -> str:
        """Of every array."""
        return self.above.dtype

    @property
    def layouts(self) -> tuple[tuple[str, str], ...]:
        """By role."""
        names = {"x": "c", "w": "w_next", "dy": "delta_next"}
        return tuple((names[role], layout) for role, layout in self.above.layouts if role in names)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for events."""
        return {**self.above.as_dict(), "layouts": dict(self.layouts), "activation": self.activation}


@dataclass(frozen=True, slots=True)
class PointCase:
    """`output_delta` and `error`, on arrays of one shape and layout."""

    shape: tuple[int, ...] = (1, 1, 1, 1)
    activation: str = "identity"
    dtype: str = "float64"
    layout: str = "C"
    seed: int = 0

    @property
    def geometry(self) -> Points:
        """That of every array."""
        return Points(self.shape)

    @property
    def layouts(self) -> tuple[tuple[str, str], ...]:
        """By role."""
        return () if self.layout == "C" else tuple((role, self.layout) for role in ("o", "t", "c", "da"))

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for events."""
        return {
            "shape": list(self.shape),
            "activation": self.activation,
            "dtype": self.dtype,
            "layouts": dict(self.layouts),
            "seed": self.seed,
        }


def delta_example(case: DeltaCase) -> Drawn:
    """Data for `delta`; the sums of dx leave room for the factor a'(c).

    Raises:
        ValueError: A sum has so many products that nothing is exact.
    """
    above = example(replace(case.above, headroom=case.above.headroom + _BITS[case.activation]))
    c = _small(np.random.default_rng(case.above.seed + 1), case.geometry.x_shape)
    da = slope(case.activation, c).floats()
    expected = (above.expected["dx"].astype(np.float64) * da).astype(case.dtype)
    arrays = {
        "delta_next": above.arrays["dy"],
        "w_next": above.arrays["w"],
        "c": c.floats(case.dtype),
        "da": da.astype(case.dtype),
    }
    if case.geometry.bias:
        arrays["b"] = above.arrays["b"]
    return Drawn(arrays, {"delta": expected}, {"delta": _varies(expected)})


def point_example(case: PointCase) -> Drawn:
    """Data for `output_delta` and `error`; o is a(c)."""
    rng = np.random.default_rng(case.seed)
    c = _small(rng, case.shape)
    o = activated(case.activation, c)
    t = Scaled(rng.integers(-_TARGET, _TARGET, size=case.shape, endpoint=True) << -o.power, o.power)
    difference, da = o.minus(t), slope(case.activation, c)
    delta = difference.times(da).floats(case.dtype)
    error = Scaled((difference.integers**2).sum(), 2 * difference.power - 1).floats(case.dtype)
    arrays = {"o": o, "t": t, "c": c, "da": da}
    return Drawn(
        {role: value.floats(case.dtype) for role, value in arrays.items()},
        {"output delta": delta, "E": np.asarray(error)},
        {"output delta": _varies(delta), "E": bool(error)},
    )


def _small(rng: np.random.Generator, shape: tuple[int, ...]) -> Scaled:
    return Scaled(rng.integers(-_LARGEST, _LARGEST, size=shape, endpoint=True))


def _varies(values: Array) -> bool:
    """Whether a stub could not have returned it: one entry that is not 0, or several that differ."""
    return bool(values.any()) if values.size < 2 else bool(np.ptp(values) > 0)


def point_case(factors: dict[str, tuple[Any, ...]], row: Sequence[int], seed: int) -> PointCase:
    """The case that a row of level numbers stands for."""
    levels = {name: factors[name][k] for name, k in zip(factors, row, strict=True)}
    return PointCase(**levels, seed=seed)


def simpler_deltas(case: DeltaCase) -> Iterator[DeltaCase]:
    """Cases with one thing simpler."""
    for above in simpler_cases(case.above):
        yield replace(case, above=above)
    for name in POLYNOMIALS[: POLYNOMIALS.index(case.activation)]:
        yield replace(case, activation=name)


def simpler_points(case: PointCase) -> Iterator[PointCase]:
    """Cases with one thing simpler."""
    if case.layout != "C":
        yield replace(case, layout="C")
    if case.dtype != "float64":
        yield replace(case, dtype="float64")
    for axis, size in enumerate(case.shape):
        for smaller in below(size):
            yield replace(case, shape=(*case.shape[:axis], smaller, *case.shape[axis + 1 :]))
    for name in POLYNOMIALS[: POLYNOMIALS.index(case.activation)]:
        yield replace(case, activation=name)
