"""Activations that are exact on integers, on integers: what a chain of layers must make of them.

A value is `integers * 2**power`.  With a in {c, max(c, 0), leaky ReLU of slope 1/4, c^2, c^3}, a chain of convolutions,
its error and all its gradients are such values, so that a missing a', a'(o) for a'(c), a sign or a factor of 2 shows
without any tolerance.  At the kink of the last two the slope is the one from the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: From the simple to the complex.
POLYNOMIALS = ("identity", "relu", "leaky_relu", "square", "cube")
#: Of the leaky ReLU, as a power of two.
_LEAK = -2


@dataclass(frozen=True, slots=True)
class Scaled:
    """`integers * 2**power`, with int64 integers."""

    integers: Array
    power: int = 0

    def floats(self, dtype: str = "float64") -> Array:
        """The values in a dtype that holds them."""
        return np.ldexp(self.integers.astype(np.float64), self.power).astype(dtype)

    def times(self, other: Scaled) -> Scaled:
        """The product, entry by entry."""
        return Scaled(self.integers * other.integers, self.power + other.power)

    def minus(self, other: Scaled) -> Scaled:
        """The difference of values that have one power."""
        if self.power != other.power:
            raise ValueError(f"powers {self.power} and {other.power} differ")
        return Scaled(self.integers - other.integers, self.power)


def activated(name: str, c: Scaled) -> Scaled:
    """`a(c)`."""
    n = c.integers
    match name:
        case "identity":
            return c
        case "relu":
            return Scaled(np.maximum(n, 0), c.power)
        case "leaky_relu":
            return Scaled(np.where(n > 0, n << -_LEAK, n), c.power + _LEAK)
        case "square":
            return Scaled(n * n, 2 * c.power)
        case "cube":
            return Scaled(n * n * n, 3 * c.power)
    raise ValueError(f"no polynomial activation {name!r}; there are {', '.join(POLYNOMIALS)}")


def slope(name: str, c: Scaled) -> Scaled:
    """`a'(c)`."""
    n = c.integers
    match name:
        case "identity":
            return Scaled(np.ones_like(n))
        case "relu":
            return Scaled((n > 0).astype(np.int64))
        case "leaky_relu":
            return Scaled(np.where(n > 0, 1 << -_LEAK, 1), _LEAK)
        case "square":
            return Scaled(2 * n, c.power)
        case "cube":
            return Scaled(3 * n * n, 2 * c.power)
    raise ValueError(f"no polynomial activation {name!r}; there are {', '.join(POLYNOMIALS)}")


def degree(name: str) -> int:
    """Of the polynomial."""
    return {"square": 2, "cube": 3}.get(name, 1)
