"""Activation functions `a(c)` and their derivatives `a'(c)`, both of the pre-activation `c`.

`ACTIVATIONS` holds them by name, as pairs `(a, a')`.  Each takes one float32 or float64 array of any
shape and returns a new C-contiguous array of the same shape and dtype; anything else is a TypeError.
NaN gives NaN, and nothing overflows.  At its kink, ReLU'(0) = 0, and leaky ReLU'(0) = LEAKY_SLOPE.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from .arrays import Array, check_dtypes, for_kernel
from .kernels.activations import decay_to_sigmoid, write_step

Activation: TypeAlias = Callable[[Array], Array]

#: Slope of the leaky ReLU for c <= 0.
LEAKY_SLOPE = 0.01


def identity(c: Array) -> Array:
    """Return a copy of `c`."""
    check_dtypes(c=c)
    return np.array(c, order="C")


def identity_derivative(c: Array) -> Array:
    """Return 1, or NaN where `c` is NaN."""
    return _step(c, 1.0)


def relu(c: Array) -> Array:
    """Return `max(c, 0)`."""
    return np.maximum(c, 0, out=_like(c))


def relu_derivative(c: Array) -> Array:
    """Return 1 for c > 0, else 0; NaN where `c` is NaN."""
    return _step(c, 0.0)


def leaky_relu(c: Array) -> Array:
    """Return `c` for c > 0, else `LEAKY_SLOPE * c`."""
    a = _like(c)
    with np.errstate(under="ignore"):
        np.multiply(c, LEAKY_SLOPE, out=a)
    return np.maximum(c, a, out=a)


def leaky_relu_derivative(c: Array) -> Array:
    """Return 1 for c > 0, else `LEAKY_SLOPE`; NaN where `c` is NaN."""
    return _step(c, LEAKY_SLOPE)


def tanh(c: Array) -> Array:
    """Return the hyperbolic tangent of `c`."""
    with np.errstate(under="ignore"):
        return np.tanh(c, out=_like(c))


def tanh_derivative(c: Array) -> Array:
    """Return `1 / cosh(c)**2`, which keeps its relative accuracy where `1 - tanh(c)**2` has none left."""
    with np.errstate(under="ignore"):
        e = _decay(c)
        e *= e
        return _over_square(4, e)


def sigmoid(c: Array) -> Array:
    """Return `1 / (1 + exp(-c))`."""
    with np.errstate(under="ignore"):
        e = _decay(c)
    decay_to_sigmoid(for_kernel(c).reshape(-1), e.reshape(-1))
    return e


def sigmoid_derivative(c: Array) -> Array:
    """Return `s * (1 - s)` for `s = sigmoid(c)`, without the cancellation in `1 - s`."""
    with np.errstate(under="ignore"):
        return _over_square(1, _decay(c))


ACTIVATIONS: dict[str, tuple[Activation, Activation]] = {
    "identity": (identity, identity_derivative),
    "relu": (relu, relu_derivative),
    "leaky_relu": (leaky_relu, leaky_relu_derivative),
    "tanh": (tanh, tanh_derivative),
    "sigmoid": (sigmoid, sigmoid_derivative),
}


def _like(c: Array) -> Array:
    """Room for a result."""
    check_dtypes(c=c)
    return np.empty(c.shape, c.dtype)


def _step(c: Array, below: float) -> Array:
    """Return 1 for c > 0, `below` for c <= 0, and NaN for NaN."""
    step = _like(c)
    write_step(for_kernel(c).reshape(-1), below, step.reshape(-1))
    return step


def _decay(c: Array) -> Array:
    """Return `exp(-abs(c))`, which is at most 1 and so cannot overflow."""
    decay = np.abs(c, out=_like(c))
    np.negative(decay, out=decay)
    return np.exp(decay, out=decay)


def _over_square(factor: int, e: Array) -> Array:
    """Return `factor * e / (1 + e)**2`, in the place of `e`."""
    divisor = np.add(e, 1, out=np.empty_like(e))
    divisor *= divisor
    e *= factor
    e /= divisor
    return e
