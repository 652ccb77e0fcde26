"""Activations for `plain_numpy`, each with its derivative, both of the pre-activation c, in NumPy's own functions.

Where exp could overflow, its argument is kept below 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from backproof.targets.adapters.plain_windows import Array


def leaky_relu(c: Array) -> Array:
    """`c` for c > 0, else `c / 8`."""
    return np.where(c > 0, c, c / 8)


def elu(c: Array) -> Array:
    """`c` for c > 0, else `exp(c) - 1`."""
    return np.where(c > 0, c, np.expm1(np.minimum(c, 0)))


def sigmoid(c: Array) -> Array:
    """`1 / (1 + exp(-c))`, by the tangent, which does not overflow."""
    return (1 + np.tanh(c / 2)) / 2


def sigmoid_derivative(c: Array) -> Array:
    """`s * (1 - s)`."""
    s = sigmoid(c)
    slope: Array = s * (1 - s)
    return slope


def softplus(c: Array) -> Array:
    """`log(1 + exp(c))`."""
    o: Array = np.maximum(c, 0) + np.log1p(np.exp(-np.abs(c)))
    return o


def silu(c: Array) -> Array:
    """`c * sigmoid(c)`."""
    o: Array = c * sigmoid(c)
    return o


def silu_derivative(c: Array) -> Array:
    """`s + c * s * (1 - s)`."""
    slope: Array = sigmoid(c) + c * sigmoid_derivative(c)
    return slope


ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "identity": (np.copy, np.ones_like),
    "relu": (lambda c: np.maximum(c, 0), lambda c: (c > 0).astype(c.dtype)),
    "leaky_relu": (leaky_relu, lambda c: np.where(c > 0, 1, 1 / 8).astype(c.dtype)),
    "elu": (elu, lambda c: np.exp(np.minimum(c, 0))),
    "square": (np.square, lambda c: 2 * c),
    "tanh": (np.tanh, lambda c: 1 - np.tanh(c) ** 2),
    "sigmoid": (sigmoid, sigmoid_derivative),
    "softplus": (softplus, sigmoid),
    "silu": (silu, silu_derivative),
    "softsign": (lambda c: c / (1 + np.abs(c)), lambda c: 1 / (1 + np.abs(c)) ** 2),
}
