"""Real-valued data whose sums are known exactly: numbers on a grid, integers times one power of two per array.

The integers have up to 62 bits, their sums of products more than int64 holds.  All three sums are bilinear, so that
they are computed limb by limb, where int64 is exact, and put together as Python's integers:

    x = sum_i 2**(L*i) * x_i      y = sum_ij 2**(L*(i + j)) * specified(x_i, w_j)      K * 2**(2*L) < 2**63

Beside each sum stand the sum of the absolute values of its products, and their number: the specification on absolute
values and on ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from backproof.cases.data import SMALLEST, Array, specified
from backproof.cases.levels import Case
from backproof.contract import Geometry, Shape

#: Bits of a dtype's significand: the unit roundoff is 2**-PRECISION.
PRECISION = {"float32": 24, "float64": 53}
#: Of the data: the largest spread of exponents, and the bits of a significand that is spread so far.
_SPREAD, _SPREAD_BITS = 20, 42
#: Units of the grid are 2**-POWERS to 1; products are then normal numbers, and so is whatever is added up of them.
_POWERS = {"float32": 40, "float64": 400}
#: With these units, the products of two gaussian numbers lie about the smallest subnormal one.
_TINY = {"float32": -90, "float64": -582}


@dataclass(frozen=True, slots=True)
class Sums:
    """One quantity: integers in units of `2**power`, entry by entry.

    `exact`: the only right sums; `absolute`: those of the absolute values of their terms (both of Python's integers);
    `terms`: how many terms each has.
    """

    exact: Array
    absolute: Array
    terms: Array
    power: int


@dataclass(frozen=True, slots=True)
class RealExample:
    """A case with its data, as handed to the implementation, and the sums by quantity.

    `largest`: of each quantity, the largest product that any two entries make, and the largest bias, in its unit.
    """

    case: Case
    arrays: dict[str, Array]
    sums: dict[str, Sums]
    largest: dict[str, tuple[int, int]]


def _gaussian(rng: np.random.Generator, shape: Shape, bits: int) -> Array:
    most = 2 ** (bits - 1)
    return np.clip(np.rint(rng.standard_normal(shape) * 2.0 ** (bits - 4)), -most, most).astype(np.int64)


def _positive(rng: np.random.Generator, shape: Shape, bits: int) -> Array:
    return rng.integers(1, 2**bits, size=shape)


def _spread(rng: np.random.Generator, shape: Shape, bits: int) -> Array:
    bits = min(bits, _SPREAD_BITS)
    significands = rng.integers(2 ** (bits - 1), 2**bits, size=shape) * rng.choice((-1, 1), size=shape)
    spread: Array = significands << rng.integers(0, _SPREAD, size=shape, endpoint=True)
    return spread


def _cancelling(rng: np.random.Generator, shape: Shape, bits: int) -> Array:
    """Almost equal, with alternating signs: almost nothing is left of a sum with as many of either."""
    signs = 1 - 2 * (np.indices(shape)[-1] % 2)
    values: Array = signs * (2 ** (bits - 1) + rng.integers(0, 2 ** (bits - 8), size=shape, endpoint=True))
    return values


#: How integers of so many bits are drawn, by profile; "tiny" data are gaussian, in a unit near the smallest number.
PROFILES: dict[str, Callable[[np.random.Generator, Shape, int], Array]] = {
    "positive": _positive,
    "gaussian": _gaussian,
    "spread": _spread,
    "cancelling": _cancelling,
    "tiny": _gaussian,
}


def real_example(case: Case) -> RealExample:
    """Draw a case's data (the same for the same case), and add them up exactly."""
    geometry, rng = case.geometry, np.random.default_rng(case.seed)
    bits = PRECISION[case.dtype]
    integers = {role: _drawn(rng, case, role, bits) for role in ("x", "w", "dy")}
    units = {role: _unit(rng, case) for role in integers}
    arrays = {role: np.ldexp(integers[role].astype(np.float64), units[role]) for role in integers}
    powers = {
        "y": units["x"] + units["w"],
        "dx": units["dy"] + units["w"],
        "dw": units["dy"] + units["x"],
        "db": units["dy"],
    }
    if geometry.bias:  # about as large as a product
        significands = _gaussian(rng, geometry.b_shape, bits)
        shift = max(bits, SMALLEST[case.dtype] - powers["y"])
        integers["b"] = significands.astype(object) << shift
        arrays["b"] = np.ldexp(significands.astype(np.float64), powers["y"] + shift)
    else:
        powers.pop("db")
    exact = added_up(geometry, integers)
    absolute = added_up(geometry, {role: abs(values) for role, values in integers.items()})
    terms = _terms(geometry)
    return RealExample(
        case,
        {role: array.astype(case.dtype) for role, array in arrays.items()},
        {q: Sums(exact[q], absolute[q], terms[q], power) for q, power in powers.items()},
        _largest({role: int(abs(values).max(initial=0)) for role, values in integers.items()}),
    )


def _largest(of: dict[str, int]) -> dict[str, tuple[int, int]]:
    x, w, dy = of["x"], of["w"], of["dy"]
    return {"y": (x * w, of.get("b", 0)), "dx": (dy * w, 0), "dw": (dy * x, 0), "db": (dy, 0)}


def _drawn(rng: np.random.Generator, case: Case, role: str, bits: int) -> Array:
    shape = case.geometry.shape_of(role)
    if case.layout(role) == "broadcast":
        return np.broadcast_to(PROFILES[case.profile](rng, (1,) * len(shape), bits), shape)
    return PROFILES[case.profile](rng, shape, bits)


def _unit(rng: np.random.Generator, case: Case) -> int:
    if case.profile == "tiny":
        return _TINY[case.dtype]
    return int(rng.integers(-_POWERS[case.dtype], 0, endpoint=True))


@lru_cache(maxsize=1024)
def _terms(geometry: Geometry) -> dict[str, Array]:
    """K of every entry: its products, and the bias."""
    roles = ("x", "w", "dy", "b") if geometry.bias else ("x", "w", "dy")
    return specified(geometry, {role: np.ones(geometry.shape_of(role), np.int64) for role in roles})


def added_up(geometry: Geometry, integers: Mapping[str, Array]) -> dict[str, Array]:
    """`y, dx, dw, db` by the specification, as Python's integers, for integers of any length.

    The parts of x, w and dy are combined as in a Latin square: every pair of parts of every two arrays comes once.
    """
    most = max(int(count.max(initial=1)) for count in _terms(geometry).values())
    length = (62 - most.bit_length()) // 2
    largest = max(int(abs(integers[role]).max(initial=1)) for role in ("x", "w", "dy"))
    count = -(-largest.bit_length() // length)
    x, w, dy = (_limbs(integers[role], length, count) for role in ("x", "w", "dy"))
    sums = {q: np.full(geometry.shape_of(q), 0, dtype=object) for q in ("y", "dx", "dw", "db")}
    for i, j in product(range(count), repeat=2):
        k = (i + j) % count
        part = specified(geometry, {"x": x[i], "w": w[j], "dy": dy[k]})
        for q, shift in (("y", i + j), ("dx", k + j), ("dw", k + i), ("db", k)):
            if q != "db" or i == 0:
                sums[q] += part[q].astype(object) << shift * length
    if "b" in integers:
        sums["y"] += integers["b"][:, None, None]
    return sums


def _limbs(integers: Array, length: int, count: int) -> list[Array]:
    """`count` arrays of less than `2**length` in size, of which the first is the least."""
    size: Array = abs(integers)
    sign: Array = np.sign(integers)
    return [sign * (size >> length * k & (1 << length) - 1) for k in range(count)]
