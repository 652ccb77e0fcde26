"""Activations, each wrong in its own way, with names of their own; `relu` and `cubic` are right."""

import numpy as np


def relu(c):
    return np.maximum(c, 0)


def sigmoid(c):
    with np.errstate(all="ignore"):
        return np.exp(c) / (1 + np.exp(c))  # NaN at 1000


def relu_in_place(c):
    c[c < 0] = 0
    return c


ACTIVATIONS = {
    "relu": (relu, lambda c: (c > 0).astype(c.dtype)),
    "Sigmoid": (sigmoid, lambda c: np.exp(-np.abs(c)) / (1 + np.exp(-np.abs(c))) ** 2),
    "tanh": (np.tanh, lambda c: 1 - c**2),
    "leaky_relu": (relu_in_place, lambda c: (c > 0) * 1.0),
    "elu": (lambda c: np.where(c > 0, c, np.expm1(np.minimum(c, 0))).ravel(), lambda c: [1.0]),
    "cubic_spline": (lambda c: np.where(c > 1, c, c**3), lambda c: np.where(c > 1, 1, 3 * c**2)),
    "bent": (lambda c: np.where(c > 1, c, c**2), lambda c: np.where(c > 1, 1, c)),
    "sigmoyd": (lambda c: np.sin(c), lambda c: np.cos(c)),
    "short": (lambda c: 2 * c, lambda c: 2 * c[:1] ** 0),
    "broken": (lambda c: 1 / 0, lambda c: c),
}
