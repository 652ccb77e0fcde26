"""Entries of y, dx and dw without any rounding but a last one to float64: what errors are measured against.

An entry is a sum of products `a[i] * b[i]`.  Of float32, products are exact in float64.  Of float64, Dekker's product
gives `a*b = p + e` exactly, from the halves of the factors' digits::

    s = (2^27 + 1) a,  high = s - (s - a),  low = a - high
    e = low(a) low(b) - (((p - high(a) high(b)) - low(a) high(b)) - high(a) low(b))

and `math.fsum` adds up all `p` and `e` without an error.  That is slow, so that a sample of the entries is compared; no
library judges another, and none has an error of 0 by construction.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .layers import Array, Arrays, Layer, Quantity

MOST, LEAST, PRODUCTS = 1024, 32, 1_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """`values` at the positions `at` of a result in row-major order.

    `bounds`: how far a sum in any order may be off, `terms * eps * sum(abs(products))`.
    """

    at: list[int]
    values: list[float]
    bounds: list[float]

    def error(self, found: list[float]) -> tuple[float, bool]:
        """The largest difference, and whether all are within their bounds (NaN is not)."""
        differences = [abs(a - b) for a, b in zip(found, self.values, strict=True)]
        within = all(d <= bound for d, bound in zip(differences, self.bounds, strict=True))
        return max(differences), within


def sample(layer: Layer, data: Arrays, quantity: Quantity) -> Sample:
    """Up to 1024 entries, chosen at random; fewer, though 32 if there are so many, where they have many terms."""
    shape, terms, factors = _factors(layer, data, quantity)
    size = math.prod(shape)
    count = min(size, MOST, max(LEAST, PRODUCTS // terms))
    at = np.sort(np.random.default_rng(1).choice(size, count, replace=False))
    eps = float(np.finfo(data.x.dtype).eps)
    values, bounds = [], []
    for index in zip(*np.unravel_index(at, shape), strict=True):
        a, b, start = factors(*map(int, index))
        products = exact_products(a, b)
        values.append(math.fsum([start, *products]))
        bounds.append((a.size + 1) * eps * (abs(start) + math.fsum(map(abs, products))))
    return Sample(at.tolist(), values, bounds)


def exact_products(a: Array, b: Array) -> list[float]:
    """Numbers that add up to the sum of the products of `a` and `b`, exactly."""
    x, y = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    product = x * y
    numbers: list[float] = product.tolist()
    if a.dtype == np.float64:
        (x_high, x_low), (y_high, y_low) = _halves(x), _halves(y)
        rest = x_low * y_low - (((product - x_high * y_high) - x_low * y_high) - x_high * y_low)
        numbers += rest.tolist()
    return numbers


def _halves(x: Array) -> tuple[Array, Array]:
    scaled = x * (2.0**27 + 1)
    high = scaled - (scaled - x)
    return high, x - high


Factors = Callable[[int, int, int, int], tuple[Array, Array, float]]


def _factors(layer: Layer, data: Arrays, quantity: Quantity) -> tuple[tuple[int, ...], int, Factors]:
    """The shape of a result, the terms of an entry, and for each entry its two factors and what they are added to."""
    k, s, p, size = layer.k, layer.stride, layer.padding, layer.out
    inner, outer = layer.C // layer.groups, layer.O // layer.groups
    padded = np.pad(data.x, ((0, 0), (0, 0), (p, p), (p, p)))

    def y(n: int, o: int, i: int, j: int) -> tuple[Array, Array, float]:
        first = o // outer * inner
        return padded[n, first : first + inner, i * s : i * s + k, j * s : j * s + k], data.w[o], float(data.b[o])

    def dw(o: int, c: int, u: int, v: int) -> tuple[Array, Array, float]:
        window = padded[:, o // outer * inner + c, u : u + s * (size - 1) + 1 : s, v : v + s * (size - 1) + 1 : s]
        return window, data.dy[:, o], 0.0

    # dy, s pixels apart, with k - 1 zeros all around: every window of it is a pixel of the padded image's gradient
    spread = np.zeros((layer.N, layer.O, *[layer.H + 2 * p + k - 1] * 2), data.dy.dtype)
    until = k - 1 + s * (size - 1) + 1
    spread[:, :, k - 1 : until : s, k - 1 : until : s] = data.dy

    def dx(n: int, c: int, i: int, j: int) -> tuple[Array, Array, float]:
        first = c // inner * outer
        window = spread[n, first : first + outer, i + p : i + p + k, j + p : j + p + k]
        return window, data.w[first : first + outer, c % inner, ::-1, ::-1], 0.0

    made: dict[Quantity, tuple[tuple[int, ...], int, Factors]] = {
        "y": (data.dy.shape, layer.terms, y),
        "dx": (data.x.shape, outer * k**2, dx),
        "dw": (data.w.shape, layer.N * size**2, dw),
    }
    return made[quantity]
