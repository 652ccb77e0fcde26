"""Two layers of convolutions over a ring of polynomials, and E differentiated directly, for every activation at once.

    c1 = o0 * w1 + b1    o1 = a(c1)    c2 = o1 * w2 + b2    o2 = a(c2)    E = 1/2 sum (t - o2)^2

The entries of o0, w, b and t are generators of the ring, and so are the values a(c_p) and slopes a'(c_p) at each pixel
p (*jets*).  With the derivation `D(a(c)) = a'(c) D(c)` it is a differential ring, and what is an identity in it is one
for every differentiable a.  The convolution is written as loops, and no delta enters the derivatives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backproof_spec.proof.ring import Polynomial

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """An H x W image, kernels of one size, and the units of o0, o1 and o2."""

    H: int
    W: int
    N_w: int
    units: tuple[int, int, int]

    def __str__(self) -> str:
        units = ", ".join(map(str, self.units))
        return f"{self.H} x {self.W} image, {self.N_w} x {self.N_w} kernels, {units} units"


def convolve(image: Array, kernel: Array, bias: Array, full: bool) -> Array:
    """Images (units, H, W) with kernels (units, units above, N, N): every pixel that a tap reaches, or the valid ones.

    The pixel numbered x is `sum image[x - u] * kernel[u]`, whatever is kept; the arrays hold what is kept.
    """
    _, height, width = image.shape
    below, above, size, _ = kernel.shape
    first = 0 if full else size - 1
    grow = size - 1 if full else 1 - size
    result = np.empty((above, max(0, height + grow), max(0, width + grow)), dtype=object)
    for m, x, y in np.ndindex(result.shape):
        pixels = (
            (n, u, v, x + first - u, y + first - v) for n in range(below) for u in range(size) for v in range(size)
        )
        result[m, x, y] = bias[m] + Polynomial.combination(
            (image[n, row, column], kernel[n, m, u, v])
            for n, u, v, row, column in pixels
            if 0 <= row < height and 0 <= column < width
        )
    return result


@dataclass(frozen=True)
class Layer:
    """One convolution and its activation; the entries of `o` and `slope` are generators, one per pixel of `c`."""

    image: Array
    w: Array
    b: Array
    c: Array
    o: Array
    slope: Array

    @property
    def sizes(self) -> dict[str, int]:
        """The parameters of the equations that speak of this layer."""
        before, units, size, _ = self.w.shape
        _, height, width = self.image.shape
        return {"H": height, "W": width, "N_w": size, "units_prev": before, "units": units, "units_next": 1}


class Jet(NamedTuple):
    """The generator a(c_p): its slope, c_p, and the generators on which c_p depends."""

    slope: Polynomial
    c: Polynomial
    depends_on: frozenset[int]


class Net:
    """Two layers over generators, and the derivatives of E."""

    def __init__(self, shape: Shape, full: bool) -> None:
        self.shape, self.full = shape, full
        self._numbers = count()
        self._jets: dict[int, Jet] = {}
        self._dependents: dict[int, list[int]] = defaultdict(list)  # the jets that depend on a generator, in order
        image = self._generators(shape.units[0], shape.H, shape.W)
        lower = self._layer(image, shape.units[1])
        self.layers = (lower, self._layer(lower.o, shape.units[2]))
        self.t = self._generators(*self.layers[1].o.shape)
        distances = self.t - self.layers[1].o
        self.error = Polynomial.of(sum(d * d for d in distances.flat)) / 2

    def _generators(self, *shape: int) -> Array:
        array = np.empty(shape, dtype=object)
        for index in np.ndindex(shape):
            array[index] = Polynomial.generator(next(self._numbers))
        return array

    def _layer(self, image: Array, units: int) -> Layer:
        w = self._generators(image.shape[0], units, self.shape.N_w, self.shape.N_w)
        b = self._generators(units)
        c = convolve(image, w, b, self.full)
        o, slope = self._generators(*c.shape), self._generators(*c.shape)
        for index in np.ndindex(c.shape):
            self._register(_number(o[index]), slope[index], c[index])
        return Layer(image, w, b, c, o, slope)

    def _register(self, jet: int, slope: Any, c: Any) -> None:
        """`a(c)` as a generator with its slope; `Any`, as NumPy does not know what its arrays hold."""
        known = (self._jets[g].depends_on for g in c.partials if g in self._jets)
        self._jets[jet] = Jet(slope, c, frozenset(c.partials).union(*known))
        for generator in self._jets[jet].depends_on:
            self._dependents[generator].append(jet)

    def derivatives(self, variables: Array) -> Array:
        """The derivatives of E by generators; a(c_p) stands for c_p."""
        found = np.empty(variables.shape, dtype=object)
        for index in np.ndindex(variables.shape):
            found[index] = self._derivative(_number(variables[index]))
        return found

    def _derivative(self, variable: int) -> Polynomial:
        """Generators change in the order in which they were made: none depends on a later one."""
        changes = {variable: self._jets[variable].slope if variable in self._jets else Polynomial.of(1)}
        for number in self._dependents[variable]:
            jet = self._jets[number]
            changes[number] = jet.slope * jet.c.derivative(changes)
        return self.error.derivative(changes)

    @cached_property
    def deltas(self) -> tuple[Array, Array]:
        """dE/dc of both layers."""
        return self.derivatives(self.layers[0].o), self.derivatives(self.layers[1].o)

    @cached_property
    def gradients(self) -> tuple[tuple[Array, Array], ...]:
        """dE/dw and dE/db of both layers."""
        return tuple((self.derivatives(layer.w), self.derivatives(layer.b)) for layer in self.layers)

    def cases(self, identifier: str) -> Iterator[tuple[dict[str, int], dict[str, Array], Array]]:
        """Sizes, the tensors read, and the true left-hand side, for each place where an equation applies."""
        lower, upper = self.layers
        if identifier == "error":
            yield upper.sizes, {"t": self.t, "o": upper.o}, np.array([self.error], dtype=object)
        elif identifier == "output-delta":
            yield upper.sizes, {"t": self.t, "a_c": upper.o, "da_c": upper.slope}, self.deltas[1]
        elif identifier == "deltas":
            sizes = {**upper.sizes, "units": upper.sizes["units_prev"], "units_next": upper.sizes["units"]}
            yield sizes, {"delta_next": self.deltas[1], "w_next": upper.w, "da_c": lower.slope}, self.deltas[0]
        else:
            for k, layer in enumerate(self.layers):
                yield layer.sizes, *self._of_layer(identifier, k, layer)

    def _of_layer(self, identifier: str, k: int, layer: Layer) -> tuple[dict[str, Array], Array]:
        match identifier:
            case "single-input":
                return {"o_prev": layer.image, "w": layer.w}, self._single_inputs(layer)
            case "complete-input":
                return {"o_prev": layer.image, "w": layer.w, "b": layer.b}, layer.c
            case "output":
                return {"a_c": layer.o}, layer.o
            case "weight-gradient" | "weight-gradient-rot180":
                return {"o_prev": layer.image, "delta": self.deltas[k]}, self.gradients[k][0]
            case "bias-gradient":
                return {"delta": self.deltas[k]}, self.gradients[k][1]
        raise ValueError(f"no equation {identifier!r} can be swept; no value of a net is its left-hand side")

    def _single_inputs(self, layer: Layer) -> Array:
        found = np.empty((*layer.w.shape[:2], *layer.c.shape[1:]), dtype=object)
        for n, m in np.ndindex(layer.w.shape[:2]):
            kernel = layer.w[n : n + 1, m : m + 1]
            found[n, m] = convolve(layer.image[n : n + 1], kernel, np.array([0], dtype=object), self.full)[0]
        return found


def _number(generator: Any) -> int:
    """The number of a generator."""
    ((monomial,),) = (tuple(generator.terms),)
    (number,) = monomial
    return int(number)
