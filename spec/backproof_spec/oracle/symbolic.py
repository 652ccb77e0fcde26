"""The error E of one layer as a polynomial in its inputs and weights, differentiated by SymPy.

    E = 1/2 * sum (t - y)^2,   y = general-forward(x, w, b)

`ErrorPolynomial.gradients` is what backpropagation must give for `dy = y - t`, with no chain rule written by anyone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from sympy.polys.rings import PolyElement, ring

from backproof_spec.equations import EQUATIONS
from backproof_spec.oracle.build import build
from backproof_spec.oracle.layers import convolution

Array = NDArray[Any]


def generators(shapes: dict[str, tuple[int, ...]]) -> dict[str, Array]:
    """Arrays whose entries are the generators of one polynomial ring over the rationals, by name."""
    names = [f"{name}_{k}" for name, shape in shapes.items() for k in range(int(np.prod(shape)))]
    entries = list(ring(names, sp.QQ)[1:])
    arrays = {}
    for name, shape in shapes.items():
        count = int(np.prod(shape))
        array = np.empty(count, dtype=object)
        array[:] = entries[:count]
        arrays[name], entries = array.reshape(shape), entries[count:]
    return arrays


def differentiate(polynomial: PolyElement | int, array: Array) -> Array:
    """The partial derivatives of a polynomial by each entry of an array of generators (of a constant: 0)."""
    derivatives = np.zeros(array.size, dtype=object)
    if isinstance(polynomial, PolyElement):
        derivatives[:] = [polynomial.diff(entry) for entry in array.flat]
    return derivatives.reshape(array.shape)


@dataclass(frozen=True, slots=True)
class ErrorPolynomial:
    """E of one convolution with symbolic entries, and its derivatives by `x`, `w` and `b`."""

    error: PolyElement
    output: Array
    derivatives: dict[str, Array]
    _order: tuple[str, ...]

    def gradients(self, values: dict[str, Array]) -> dict[str, Array]:
        """`dE/dx`, `dE/dw`, `dE/db` at integer `x`, `w`, `b`, `t` (int64 arrays)."""
        point = [int(v) for name in self._order for v in values[name].flat]
        return {f"d{name}": _evaluate(array, point) for name, array in self.derivatives.items()}


@lru_cache(maxsize=64)
def error_polynomial(x_shape: tuple[int, ...], w_shape: tuple[int, ...], **options: Any) -> ErrorPolynomial:
    """E for `x (N, C, H, W)` and `w (O, C/groups, kh, kw)`; `options` as for `convolution_sizes`."""
    zeros = np.zeros(x_shape, dtype=np.int64), np.zeros(w_shape, dtype=np.int64)
    y_shape = convolution(*zeros, **options).shape
    symbols = generators({"x": x_shape, "w": w_shape, "b": w_shape[:1], "t": y_shape})
    x, w, b, t = symbols.values()
    y = convolution(x, w, b, numbers="object", **options)
    error = _half_squared_error(t, y)
    derivatives = {name: differentiate(error, symbols[name]) for name in ("x", "w", "b")}
    return ErrorPolynomial(error, y, derivatives, tuple(symbols))


def _half_squared_error(t: Array, y: Array) -> PolyElement:
    """The post's E; its units are here the units of every image of the batch."""
    batch, units, height, width = y.shape
    sizes = {"H": height, "W": width, "N_w": 1, "units_prev": 1, "units": batch * units, "units_next": 1}
    flat = {"t": t.reshape(-1, height, width), "o": y.reshape(-1, height, width)}
    return build(EQUATIONS["error"], "object").forward(flat, sizes)[0]


def _evaluate(array: Array, point: list[int]) -> Array:
    out = np.empty(array.size, dtype=np.int64)
    for k, polynomial in enumerate(array.flat):
        total = sum(c * _monomial(exponents, point) for exponents, c in polynomial.terms())
        if total.denominator != 1:
            raise ValueError("a derivative of E at integers is no integer")
        out[k] = int(total)
    return out.reshape(array.shape)


def _monomial(exponents: tuple[int, ...], point: list[int]) -> int:
    product = 1
    for exponent, value in zip(exponents, point, strict=True):
        if exponent:
            product *= value**exponent
    return product
