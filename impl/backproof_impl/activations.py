"""Activation functions `a(c)` and their derivatives `a'(c)`, both of the pre-activation `c`.

`ACTIVATIONS` holds them by name, as pairs `(a, a')`.  Each takes one float32 or float64 array of any
shape and returns a new C-contiguous array of the same shape and dtype; anything else is a TypeError.
NaN gives NaN, and nothing overflows.  At its kink, ReLU'(0) = 0, and leaky ReLU'(0) = LEAKY_SLOPE.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from .arrays import Array, check_dtypes

Activation: TypeAlias = Callable[[Array], Array]

#: Slope of the leaky ReLU for c <= 0.
LEAKY_SLOPE = 0.01


def identity(c: Array) -> Array:
    """Return a copy of `c`."""
    return _checked_copy(c)


def identity_derivative(c: Array) -> Array:
    """Return 1, or NaN where `c` is NaN."""
    return _step(_checked_copy(c), 1.0)


def relu(c: Array) -> Array:
    """Return `max(c, 0)`."""
    c = _checked_copy(c)
    return np.maximum(c, 0, out=c)


def relu_derivative(c: Array) -> Array:
    """Return 1 for c > 0, else 0; NaN where `c` is NaN."""
    return _step(_checked_copy(c), 0.0)


def leaky_relu(c: Array) -> Array:
    """Return `c` for c > 0, else `LEAKY_SLOPE * c`."""
    c = _checked_copy(c)
    with np.errstate(under="ignore"):
        return np.where(c > 0, c, LEAKY_SLOPE * c)


def leaky_relu_derivative(c: Array) -> Array:
    """Return 1 for c > 0, else `LEAKY_SLOPE`; NaN where `c` is NaN."""
    return _step(_checked_copy(c), LEAKY_SLOPE)


def tanh(c: Array) -> Array:
    """Return the hyperbolic tangent of `c`."""
    c = _checked_copy(c)
    with np.errstate(under="ignore"):
        return np.tanh(c, out=c)


def tanh_derivative(c: Array) -> Array:
    """Return `1 / cosh(c)**2`, which keeps its relative accuracy where `1 - tanh(c)**2` has none left."""
    with np.errstate(under="ignore"):
        e = _decay(_checked_copy(c)) ** 2
        return np.asarray(4 * e / (1 + e) ** 2)


def sigmoid(c: Array) -> Array:
    """Return `1 / (1 + exp(-c))`."""
    c = _checked_copy(c)
    with np.errstate(under="ignore"):
        e = _decay(c)
        return np.where(c > 0, 1 / (1 + e), e / (1 + e))


def sigmoid_derivative(c: Array) -> Array:
    """Return `s * (1 - s)` for `s = sigmoid(c)`, without the cancellation in `1 - s`."""
    with np.errstate(under="ignore"):
        e = _decay(_checked_copy(c))
        return np.asarray(e / (1 + e) ** 2)


ACTIVATIONS: dict[str, tuple[Activation, Activation]] = {
    "identity": (identity, identity_derivative),
    "relu": (relu, relu_derivative),
    "leaky_relu": (leaky_relu, leaky_relu_derivative),
    "tanh": (tanh, tanh_derivative),
    "sigmoid": (sigmoid, sigmoid_derivative),
}


def _checked_copy(c: Array) -> Array:
    check_dtypes(c=c)
    return np.array(c, order="C")


def _step(c: Array, below: float) -> Array:
    """Return 1 for c > 0, `below` for c <= 0, and NaN for NaN."""
    step = np.full(c.shape, below, c.dtype)
    step[c > 0] = 1
    step[np.isnan(c)] = np.nan
    return step


def _decay(c: Array) -> Array:
    """Return `exp(-abs(c))`, which is at most 1 and so cannot overflow."""
    decay: Array = np.exp(-np.abs(c))
    return decay
