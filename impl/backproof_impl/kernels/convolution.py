"""The sums of a convolution and of its gradients.

All three are one loop nest, over the terms of every output pixel; the product rule only changes which
two factors are multiplied and where their product is added::

    y[n, o, i, j]  += x[n, q, h, k]  * w[o, c, u, v]
    dx[n, q, h, k] += dy[n, o, i, j] * w[o, c, u, v]
    dw[o, c, u, v] += dy[n, o, i, j] * x[n, q, h, k]

`h = rows[u, i]` and `k = columns[v, j]` are the pixel that tap `(u, v)` reads; -1 stands for the
padding, whose terms are skipped, because 0 times NaN or infinity is not 0.  `q` is channel `c` of the
group of output channel `o`.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array, IntArray
from .compilation import compiled


@compiled
def add_forward(x: Array, w: Array, rows: IntArray, columns: IntArray, outputs_per_group: int, y: Array) -> None:
    """Add the convolution of `x` with `w` to `y`, which holds the bias."""
    N, O, OH, OW = y.shape  # noqa: E741
    _, C, kh, kw = w.shape
    for n in range(N):
        for o in range(O):
            for c in range(C):
                q = o // outputs_per_group * C + c
                for i in range(OH):
                    for u in range(kh):
                        h = rows[u, i]
                        if h < 0:
                            continue
                        for v in range(kw):
                            for j in range(OW):
                                k = columns[v, j]
                                if k >= 0:
                                    y[n, o, i, j] += x[n, q, h, k] * w[o, c, u, v]


@compiled
def add_input_gradient(
    dy: Array, w: Array, rows: IntArray, columns: IntArray, outputs_per_group: int, dx: Array
) -> None:
    """Add every cotangent in `dy`, times its weight, to the pixel of `dx` that it came from."""
    N, O, OH, OW = dy.shape  # noqa: E741
    _, C, kh, kw = w.shape
    for n in range(N):
        for o in range(O):
            for c in range(C):
                q = o // outputs_per_group * C + c
                for i in range(OH):
                    for u in range(kh):
                        h = rows[u, i]
                        if h < 0:
                            continue
                        for v in range(kw):
                            for j in range(OW):
                                k = columns[v, j]
                                if k >= 0:
                                    dx[n, q, h, k] += dy[n, o, i, j] * w[o, c, u, v]


@compiled
def add_weight_gradient(
    dy: Array, x: Array, rows: IntArray, columns: IntArray, outputs_per_group: int, dw: Array
) -> None:
    """Add every cotangent in `dy`, times the pixel that its tap read, to that tap's weight in `dw`."""
    N, O, OH, OW = dy.shape  # noqa: E741
    _, C, kh, kw = dw.shape
    for n in range(N):
        for o in range(O):
            for c in range(C):
                q = o // outputs_per_group * C + c
                for i in range(OH):
                    for u in range(kh):
                        h = rows[u, i]
                        if h < 0:
                            continue
                        for v in range(kw):
                            for j in range(OW):
                                k = columns[v, j]
                                if k >= 0:
                                    dw[o, c, u, v] += dy[n, o, i, j] * x[n, q, h, k]


#: Sums that are made side by side, whatever the width of a vector, so that the bits are the same for all.
SIDE_BY_SIDE = 32


@compiled
def add_bias_gradient(dy: Array, db: Array) -> None:
    """Add the cotangents of every output channel in `dy` to its entry in `db`."""
    N, O, OH, OW = dy.shape  # noqa: E741
    images, P, sums = dy.reshape(-1), OH * OW, np.empty(SIDE_BY_SIDE, dy.dtype)
    for o in range(O):
        sums[:] = 0
        for n in range(N):
            at = (n * O + o) * P
            for p in range(at, at + P, SIDE_BY_SIDE):
                for i in range(min(SIDE_BY_SIDE, at + P - p)):
                    sums[np.uintp(i)] += images[np.uintp(p + i)]
        for i in range(SIDE_BY_SIDE):
            db[o] += sums[i]
