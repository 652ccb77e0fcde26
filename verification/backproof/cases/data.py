"""Data on which every right implementation must agree exactly: integers times powers of two.

Let K be the largest number of products in any entry of `y`, `dx`, `dw`, `db` (counted on the equation's index maps).
If `K * |x| * |w|` stays at most 2**24 (float32) or 2**53 (float64), every partial sum, in any order, fused or not,
is an integer that the dtype holds: the result has no rounding, and any difference is a mistake.  The integers use
the whole range that K leaves, so that a wrong coefficient is missed with a probability of the order of 1/amplitude;
`chances` has the exact bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from math import isqrt, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backproof.cases.chances import KEPT, missed
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

    `evidence[q]` is False where all expected values of a quantity are alike, which a stub could return; `chances[q]`
    bounds the probability with which an error of q shows nowhere (see `chances`), where the data were drawn as there.
    """

    case: Case
    arrays: dict[str, Array]
    expected: dict[str, Array]
    evidence: dict[str, bool]
    chances: dict[str, float] = field(default_factory=dict)


@lru_cache(maxsize=4096)
def products(geometry: Geometry) -> dict[str, int]:
    """K per quantity: the number of products, the bias included, in the entry that has most of them; at least 1."""
    counts = oracle.term_counts(geometry.x_shape, geometry.w_shape, **geometry.options())
    return {quantity: max(1, count) for quantity, count in counts.items()}


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


@dataclass(frozen=True, slots=True)
class Draw:
    """A case's data before they are scaled: `integers`, `exponents` of 2, and the `largest` integers there can be."""

    case: Case
    integers: dict[str, Array]
    exponents: dict[str, int]
    largest: dict[str, int]

    def powers(self) -> dict[str, int]:
        """The exponents of the results."""
        x, w, dy = (self.exponents[role] for role in ("x", "w", "dy"))
        return {"y": x + w, "dx": dy + w, "dw": dy + x, "db": dy}

    def arrays(self) -> dict[str, Array]:
        """What an implementation is handed."""
        exponents = {**self.exponents, "b": self.powers()["y"]}
        return {role: _scaled(array, exponents[role], self.case.dtype) for role, array in self.integers.items()}


def draw(case: Case) -> Draw:
    """Draw a case's data: the same for the same case."""
    geometry, rng = case.geometry, np.random.default_rng(case.seed)
    largest = amplitudes(case.profile, case.dtype, products(geometry), case.headroom)
    integers = {role: _integers(rng, case, role, geometry.shape_of(role), largest[role]) for role in ("x", "w", "dy")}
    exponents = _exponents(rng, case)
    if geometry.bias:
        largest = {**largest, "b": largest["x"] * largest["w"]}
        integers["b"] = _integers(rng, case, "b", geometry.b_shape, largest["b"])
    return Draw(case, integers, exponents, largest)


@lru_cache(maxsize=4096)  # checks, routes and sequences come back to their cases
def example(case: Case) -> Example:
    """Draw a case's data (the same for the same case, read-only) and compute what the specification makes of them."""
    drawn = draw(case)
    results, powers = specified(case.geometry, drawn.integers), drawn.powers()
    quantities = [q for q in QUANTITIES if q != "db" or case.geometry.bias]
    return Example(
        case,
        drawn.arrays(),
        {q: _scaled(results[q], powers[q], case.dtype) for q in quantities},
        {q: bool(results[q].size) and (results[q].size == 1 or np.ptp(results[q]) > 0) for q in quantities},
        {} if case.profile in STRUCTURED else missed(case, drawn.largest),  # those entries are not independent
    )


def _integers(rng: np.random.Generator, case: Case, role: str, shape: tuple[int, ...], largest: int) -> Array:
    count = prod(shape)
    if case.layout(role) == "broadcast":
        return np.full(shape, rng.integers(1, largest, endpoint=True), dtype=np.int64)
    if case.profile == "distinct" and count <= largest:
        return _distinct(rng, count, largest).reshape(shape)
    values = rng.integers(-largest, largest, size=shape, endpoint=True)
    if case.profile == "sparse" and role != "b":  # the fewer zeros in a bias, the more a sum says of it
        values *= rng.random(shape) < KEPT
    if count and not values.any():  # all zeros would be evidence of nothing
        values.flat[rng.integers(count)] = largest
    structure = STRUCTURED.get(case.profile, {}).get(role)
    return structure(values) if structure and count else values


def _constant(values: Array) -> Array:
    return np.full_like(values, values.flat[0] or 1)


def _symmetric(values: Array) -> Array:
    """Equal to the transpose of rows and columns, where there are as many."""
    square = values.ndim == 4 and values.shape[2] == values.shape[3]
    return np.tril(values) + np.tril(values, -1).swapaxes(2, 3) if square else values


def _cancelling(values: Array) -> Array:
    """The sum is 0."""
    half = values.size // 2
    flat = values.ravel().copy()
    flat[values.size - half :] = -flat[:half]
    flat[half : values.size - half] = 0
    return flat.reshape(values.shape)


def _late(values: Array) -> Array:
    """Nothing in the first sample, or output channel, where there is another."""
    later = values.copy()
    later[: len(values) > 1] = 0
    return later


#: Profiles in which some arrays have a structure that an implementation may look for, to be quick about it.
STRUCTURED: dict[str, dict[str, Callable[[Array], Array]]] = {
    "constant image": {"x": _constant},
    "constant cotangent": {"dy": _constant},
    "symmetric": {"x": _symmetric, "w": _symmetric, "dy": _symmetric},
    "cancelling": {"x": _cancelling, "w": _cancelling, "dy": _cancelling},
    "late": {"x": _late, "w": _late, "dy": _late},
}


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
    values: Array = np.ldexp(integers.astype(np.float64), power).astype(dtype)
    values.setflags(write=False)
    return values
