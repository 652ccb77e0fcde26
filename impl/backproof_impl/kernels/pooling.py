"""The loops of pooling: one window per output pixel, in the index map of `geometry.Axis.source`.

`rows[u, i]` and `columns[v, j]` are the pixel that tap `(u, v)` of window `(i, j)` reads, or -1 in the
padding.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array, IntArray
from .compilation import compiled


@compiled
def first_maximum(image: Array, rows: IntArray, columns: IntArray, i: int, j: int) -> tuple[int, int]:
    """Pixel `(h, k)` that window `(i, j)` selects, in row-major order of taps; `(-1, -1)` in the padding.

    The first NaN wins, else the first maximum.
    """
    best_h, best_k = -1, -1
    for u in range(rows.shape[0]):
        for v in range(columns.shape[0]):
            h, k = rows[u, i], columns[v, j]
            if h < 0 or k < 0:
                continue
            if best_h < 0:
                best_h, best_k = h, k
                continue
            value, best = image[h, k], image[best_h, best_k]
            # a NaN compares false with everything, and so stays once it is the best
            if value > best or (np.isnan(value) and not np.isnan(best)):
                best_h, best_k = h, k
    return best_h, best_k


@compiled
def maximum(x: Array, rows: IntArray, columns: IntArray, y: Array) -> None:
    """Write the maximum of every window to `y`; minus infinity where the window lies in the padding."""
    N, C, OH, OW = y.shape
    for n in range(N):
        for c in range(C):
            for i in range(OH):
                for j in range(OW):
                    h, k = first_maximum(x[n, c], rows, columns, i, j)
                    y[n, c, i, j] = x[n, c, h, k] if h >= 0 else -np.inf


@compiled
def add_to_maximum(dy: Array, x: Array, rows: IntArray, columns: IntArray, dx: Array) -> None:
    """Add every cotangent in `dy` to the pixel of `dx` that its window selects."""
    N, C, OH, OW = dy.shape
    for n in range(N):
        for c in range(C):
            for i in range(OH):
                for j in range(OW):
                    h, k = first_maximum(x[n, c], rows, columns, i, j)
                    if h >= 0:
                        dx[n, c, h, k] += dy[n, c, i, j]


@compiled
def add_windows(x: Array, rows: IntArray, columns: IntArray, y: Array) -> None:
    """Add the pixels of every window to `y`."""
    N, C, OH, OW = y.shape
    for n in range(N):
        for c in range(C):
            for i in range(OH):
                for j in range(OW):
                    for u in range(rows.shape[0]):
                        for v in range(columns.shape[0]):
                            h, k = rows[u, i], columns[v, j]
                            if h >= 0 and k >= 0:
                                y[n, c, i, j] += x[n, c, h, k]


@compiled
def add_to_windows(dy: Array, rows: IntArray, columns: IntArray, dx: Array) -> None:
    """Add every cotangent in `dy` to all pixels of its window in `dx`."""
    N, C, OH, OW = dy.shape
    for n in range(N):
        for c in range(C):
            for i in range(OH):
                for j in range(OW):
                    for u in range(rows.shape[0]):
                        for v in range(columns.shape[0]):
                            h, k = rows[u, i], columns[v, j]
                            if h >= 0 and k >= 0:
                                dx[n, c, h, k] += dy[n, c, i, j]
