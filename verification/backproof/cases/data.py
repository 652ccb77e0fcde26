"""Data on which every right implementation must agree exactly: integers times powers of two.

Let K be the largest number of products in any entry of `y`, `dx`, `dw`, `db` (counted by the oracle on arrays of ones).
If `K * |x| * |w|` stays at most 2**24 (float32) or 2**53 (float64), every partial sum, in any order, fused or not,
is an integer that the dtype holds: the result has no rounding, and any difference is a mistake.  The integers use
the whole range that K leaves, so that a wrong coefficient is missed with probability of the order of 1/amplitude.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backproof.cases.levels import Case
from backproof.contract import QUANTITIES, Geometry
from backproof_spec import oracle

Array = NDArray[Any]

#: Integers up to here are exact in a dtype.
MANTISSA = {"float32": 2**24, "float64": 2**53}
#: The exponent of a dtype's smallest number, of which the profile "subnormal" takes multiples.
SMALLEST = {"float32": -149, "float64": -1074}
_NARROW = 3


@dataclass(frozen=True, slots=True)
class Example:
    """A case with its data: `arrays` as handed to the implementation, and the only right results.

    `evidence[q]` is False where all expected values of a quantity are alike, which a stub could return.
    """

    case: Case
    arrays: dict[str, Array]
    expected: dict[str, Array]
    evidence: dict[str, bool]


@lru_cache(maxsize=4096)
def products(geometry: Geometry) -> dict[str, int]:
    """K per quantity: the number of products, the bias included, in the entry that has most of them."""
    ones = {role: np.ones(geometry.shape_of(role), dtype=np.int64) for role in ("x", "w", "b", "dy")}
    results = specified(geometry, ones)
    return {quantity: int(array.max(initial=1)) for quantity, array in results.items()}


def specified(geometry: Geometry, arrays: dict[str, Array]) -> dict[str, Array]:
    """`y, dx, dw, db` by the specification, for int64 arrays."""
    options = geometry.options()
    x, w = arrays["x"], arrays["w"]
    y = oracle.convolution(x, w, arrays.get("b"), **options)
    return dict(zip(QUANTITIES, (y, *oracle.convolution_gradients(arrays["dy"], x, w, **options)), strict=True))


def amplitudes(profile: str, dtype: str, k: dict[str, int], headroom: int = 0) -> dict[str, int]:
    """The largest absolute integer of `x`, `w`, `dy` that keeps every sum exact, with `headroom` bits to spare.

    Raises:
        ValueError: A sum has so many products that only zeros would be exact.
    """
    limit = (MANTISSA[dtype] >> headroom) // max(k.values())
    if limit < (_NARROW**2 if headroom == 0 else 1):
        raise ValueError(f"sums of {max(k.values())} products leave no room for exact {dtype} data")
    even = isqrt(limit)
    wide, narrow = limit // _NARROW, _NARROW
    return {
        "wide-x": {"x": wide, "w": narrow, "dy": narrow},
        "wide-w": {"x": narrow, "w": wide, "dy": narrow},
        "wide-dy": {"x": narrow, "w": narrow, "dy": wide},
        "small": dict.fromkeys(("x", "w", "dy"), min(4, even)),
        "subnormal": dict.fromkeys(("x", "w", "dy"), min(4, even)),
    }.get(profile, dict.fromkeys(("x", "w", "dy"), even))


@lru_cache(maxsize=512)
def example(case: Case) -> Example:
    """Draw a case's data (the same for the same case) and compute what the specification makes of them.

    Kept, and read-only, for the next way in which a target computes the same.
    """
    geometry, rng = case.geometry, np.random.default_rng(case.seed)
    largest = amplitudes(case.profile, case.dtype, products(geometry), case.headroom)
    integers = {role: _integers(rng, case, role, geometry.shape_of(role), largest[role]) for role in ("x", "w", "dy")}
    exponents = _exponents(rng, case)
    if geometry.bias:
        integers["b"] = _integers(rng, case, "b", geometry.b_shape, largest["x"] * largest["w"])
    results = specified(geometry, integers)
    powers = {
        "y": exponents["x"] + exponents["w"],
        "dx": exponents["dy"] + exponents["w"],
        "dw": exponents["dy"] + exponents["x"],
        "db": exponents["dy"],
    }
    quantities = [q for q in QUANTITIES if q != "db" or geometry.bias]
    exponents["b"] = powers["y"]
    arrays = {role: _scaled(array, exponents[role], case.dtype) for role, array in integers.items()}
    expected = {q: _scaled(results[q], powers[q], case.dtype) for q in quantities}
    for array in (*arrays.values(), *expected.values()):
        array.setflags(write=False)
    return Example(
        case,
        arrays,
        expected,
        {q: bool(results[q].size) and (results[q].size == 1 or np.ptp(results[q]) > 0) for q in quantities},
    )


def _integers(rng: np.random.Generator, case: Case, role: str, shape: tuple[int, ...], largest: int) -> Array:
    count = int(np.prod(shape))
    if case.layout(role) == "broadcast":
        return np.full(shape, rng.integers(1, largest, endpoint=True), dtype=np.int64)
    if case.profile == "distinct" and count <= largest:
        return _distinct(rng, count, largest).reshape(shape)
    values = rng.integers(-largest, largest, size=shape, endpoint=True)
    if case.profile == "sparse":
        values *= rng.random(shape) < 0.3
    if count and not values.any():  # all zeros would be evidence of nothing
        values.flat[rng.integers(count)] = largest
    return values


def _distinct(rng: np.random.Generator, count: int, largest: int) -> Array:
    """1, ..., count in random order, signs at random: whoever reads the wrong entry gets another value."""
    values: Array = rng.permutation(np.arange(1, count + 1)) * rng.choice((-1, 1), size=count)
    return values


def _exponents(rng: np.random.Generator, case: Case) -> dict[str, int]:
    if case.profile == "subnormal":  # an operand, or the products of two
        smallest = SMALLEST[case.dtype]
        exponents = dict.fromkeys(("x", "w", "dy"), 0)
        chosen = ("x", "w", "dy", "products")[case.seed % 4]
        halves = {"x": -(-smallest // 2), "w": smallest // 2, "dy": -(-smallest // 2)}
        return halves if chosen == "products" else {**exponents, chosen: smallest}
    reach = {"float32": 30, "float64": 300}[case.dtype] if case.profile == "scaled" else 0
    return {role: int(rng.integers(-reach, reach, endpoint=True)) for role in ("x", "w", "dy")}


def _scaled(integers: Array, power: int, dtype: str) -> Array:
    return np.ldexp(integers.astype(np.float64), power).astype(dtype)
