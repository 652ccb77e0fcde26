"""The general equation in a fraction of its products: both sides folded with random vectors, in the ring Z/2**64.

    y[n, o, i, j] = sum_{c, u, v} x[n, q, R(i, u), S(j, v)] * w[o, c, u, v] + b[o],     q = floor(o/Og)*Cg + c

R and S are the equation's own index maps, evaluated (`index_table`).  They separate, so that for vectors a, r, s

    sum_{n, i, j} a[n] r[i] s[j] y[n, o, i, j] = sum_{c, u, v} w[o, c, u, v] * T[q, u, v] + b[o] * sum(a) sum(r) sum(s)
    T[q, u, v] = sum_{n, i, j} a[n] r[i] s[j] x[n, q, R(i, u), S(j, v)]

and the two sides of the gradients fold in the same way.  One axis is left as it is: o of y, dw, db, and the channels of
dx; so the folds are vectors, and a difference in one names the channel.  The work is O(|y| + |w| + (kh + kw)|x|), no
convolution among it.

Let e != 0 be the difference of what was computed and what is right, in a channel with an entry of 2-adic valuation v.
Folding an axis with uniform numbers puts a uniform multiple of 2**v in the place of the entry of least valuation: v
grows by g or more with probability 2**-g at most.  So after three folds the sum is 0 modulo 2**64 with probability at
most P(G1 + G2 + G3 >= 64 - v), G geometric (`chance`).  This needs vectors that are independent of e: they are drawn
when the results are in.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backproof_spec.equations import general
from backproof_spec.oracle.emit import code, name
from backproof_spec.oracle.layers import convolution_sizes

Array = NDArray[Any]

_ROWS = (general.row, general.i, general.u, "H", "kh", general.OH)
_COLUMNS = (general.column, general.j, general.v, "W", "kw", general.OW)


class Projection:
    """The equation at given shapes and `options` (as for `convolution_sizes`), folded with vectors drawn from `rng`.

    Every method returns a pair of vectors modulo 2**64, the results' fold and the specification's; arrays are int64.
    """

    def __init__(
        self, x_shape: tuple[int, ...], w_shape: tuple[int, ...], rng: np.random.Generator, **options: Any
    ) -> None:
        self.sizes = convolution_sizes(x_shape, w_shape, **options)
        self.rows, self.columns = index_table(0, **self.sizes), index_table(1, **self.sizes)
        self._rng = rng

    def y(self, y: Array, x: Array, w: Array, b: Array | None) -> tuple[Array, Array]:
        """Per output channel, `(O,)`."""
        a, r, s = (self._vector(size) for size in (y.shape[0], *y.shape[2:]))
        taps = _gathered(_gathered(_fold(a, x), self.rows, r), self.columns, s)  # (C, kh, kw)
        right = _contract(self._grouped(w), taps.reshape(self.sizes["G"], 1, -1))
        if b is not None:
            right += b * (a.sum(keepdims=True) * r.sum(keepdims=True) * s.sum(keepdims=True))  # arrays: they wrap
        return _fold(a, y) @ s @ r, right

    def dx(self, dx: Array, dy: Array, w: Array) -> tuple[Array, Array]:
        """Per input channel, `(C,)`."""
        a, r, s = (self._vector(size) for size in (dx.shape[0], *dx.shape[2:]))
        inner = _fold(a, dy)  # (O, OH, OW)
        taps = np.stack([inner @ at for at in self._at(self.columns, s)], axis=-1)  # (O, OH, kw)
        taps = np.stack([np.einsum("oiv,i->ov", taps, at) for at in self._at(self.rows, r)], axis=1)  # (O, kh, kw)
        size = self.sizes
        blocks = w.reshape(size["G"], size["Og"], size["Cg"], -1)
        right = np.einsum("gock,gok->gc", blocks, taps.reshape(size["G"], size["Og"], -1))
        return _fold(a, dx) @ s @ r, right.ravel()

    def dw(self, dw: Array, dy: Array, x: Array) -> tuple[Array, Array]:
        """Per output channel, `(O,)`."""
        c, r, s = (self._vector(size) for size in dw.shape[1:])
        size = self.sizes
        folded = np.einsum("c,ngchw->nghw", c, x.reshape(len(x), size["G"], size["Cg"], *x.shape[2:]))
        seen = _spread(_spread(folded, self.rows, r, axis=2), self.columns, s, axis=3)  # (N, G, OH, OW)
        blocks = dy.reshape(len(dy), size["G"], size["Og"], *dy.shape[2:])
        right = np.einsum("ngoij,ngij->go", blocks, seen)
        return np.einsum("ocuv,c->ouv", dw, c) @ s @ r, right.ravel()

    def db(self, db: Array, dy: Array) -> tuple[Array, Array]:
        """Per output channel, `(O,)`; nothing is folded, for this is a sum as it stands."""
        return db, dy.sum((0, 2, 3))

    def _vector(self, size: int) -> Array:
        return self._rng.integers(-(2**63), 2**63 - 1, size, dtype=np.int64, endpoint=True)

    def _grouped(self, w: Array) -> Array:
        return w.reshape(self.sizes["G"], self.sizes["Og"], -1)

    def _at(self, table: Array, vector: Array) -> Array:
        """The vector's entries where each tap reads, 0 outside: `(k, O)`."""
        return np.append(vector, 0)[table]


def index_table(axis: int, **sizes: int) -> Array:
    """Which row (axis 0) or column (axis 1) of x output pixel i meets at tap u, `(k, O)`; -1 where none."""
    source, outputs, (pixel, tap, size, kernel) = _compiled(axis)
    count = eval(outputs, {}, dict(sizes))
    values = {pixel: np.arange(count)[None, :], tap: np.arange(sizes[kernel])[:, None]}
    found = eval(source, {}, {**sizes, **values}) + np.zeros((1, count), dtype=np.int64)
    return np.where((found >= 0) & (found < sizes[size]), found, -1)


def term_counts(x_shape: tuple[int, ...], w_shape: tuple[int, ...], **options: Any) -> dict[str, int]:
    """Per quantity the most products that one entry sums up, for y with the bias: rows times columns times channels."""
    sizes = convolution_sizes(x_shape, w_shape, **options)
    tables = [index_table(axis, **sizes) for axis in (0, 1)]
    inside = [table >= 0 for table in tables]
    per_output = [int(valid.sum(0).max(initial=0)) for valid in inside]
    per_tap = [int(valid.sum(1).max(initial=0)) for valid in inside]
    per_pixel = [int(np.bincount(t[v]).max(initial=0)) for t, v in zip(tables, inside, strict=True)]
    outputs = tables[0].shape[1] * tables[1].shape[1]
    return {
        "y": sizes["Cg"] * per_output[0] * per_output[1] + 1,
        "dx": sizes["Og"] * per_pixel[0] * per_pixel[1],
        "dw": sizes["N"] * per_tap[0] * per_tap[1],
        "db": sizes["N"] * outputs,
    }


@lru_cache(maxsize=2)
def _compiled(axis: int) -> tuple[Any, Any, tuple[str, str, str, str]]:
    """An axis of the equation as code: the index map, the number of outputs, and the names in it."""
    expression, pixel, tap, size, kernel, outputs = (_ROWS, _COLUMNS)[axis]
    source, count = (compile(code(part), f"<{general.FORWARD.id}>", "eval") for part in (expression, outputs))
    return source, count, (name(pixel), name(tap), size, kernel)


def chance(bits: int, folds: int = 3) -> float:
    """That an error goes unseen, at most, if `|error| < 2**bits`: `P(G1 + ... + G_folds >= 65 - bits)`.

    Such an error's valuation is below `bits`; fewer than `folds` heads in t + folds - 1 tosses have that probability.
    """
    t = 65 - bits
    return sum(comb(t + folds - 1, heads) for heads in range(folds)) * 2.0 ** -(t + folds - 1)


def _fold(vector: Array, array: Array) -> Array:
    folded: Array = np.einsum("n,n...->...", vector, array)
    return folded


def _contract(blocks: Array, taps: Array) -> Array:
    contracted: Array = np.einsum("gok,gik->go", blocks, taps).ravel()
    return contracted


def _gathered(array: Array, table: Array, vector: Array) -> Array:
    """`result[..., rest, u] = sum_i vector[i] * array[..., table[u, i], rest]`, over the axis after the first."""
    padded = np.concatenate([array, np.zeros_like(array[:, :1])], axis=1)
    return np.stack([np.einsum("ci...,i->c...", padded[:, row], vector) for row in table], axis=-1)


def _spread(array: Array, table: Array, vector: Array, axis: int) -> Array:
    """`result[i] = sum_u vector[u] * array[table[u, i]]`, along an axis."""
    shape = list(array.shape)
    shape[axis] = 1
    padded = np.concatenate([array, np.zeros(shape, dtype=np.int64)], axis=axis)
    terms = [padded.take(row, axis=axis) * tap for row, tap in zip(table, vector, strict=True)]
    spread: Array = np.sum(terms, axis=0)
    return spread
