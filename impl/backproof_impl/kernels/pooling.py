"""The loops of pooling, tap by tap through a row of windows, so that the innermost loops become vectors.

Tap `(u, v)` of window `(i, j)` reads pixel `(rows[u, i], j*stride + offset)`; `rows` is -1 in the padding. For each
`v`, `columns` has the first and the end of the windows `j` that read a pixel of the image, and the offset.  Images are
flat: pixel `(h, k)` of image m is entry `(m*H + h)*W + k`.  Indices are unsigned, because Numba asks of all others
whether they are negative; LLVM makes vectors of loops whose stride it knows, so that strides of 1 and 2 have kernels of
their own (`fixed`; 0 stands for any other).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from ..arrays import Array, IntArray
from .compilation import compiled


@cache
def maximum(fixed: int) -> Callable[..., None]:
    """The kernel that writes the maximum of every window to `y`; minus infinity where it lies in the padding.

    The first NaN wins, else the first maximum, in row-major order of taps: a pixel takes the place of the best so far
    if it is larger, or the first NaN.
    """

    @compiled
    def write_maxima(
        x: Array, rows: IntArray, columns: IntArray, stride: int, sizes: tuple[int, ...], y: Array
    ) -> None:
        M, H, W, OH, OW = sizes
        step = fixed or stride
        for m in range(M):
            for i in range(OH):
                to = (m * OH + i) * OW
                for j in range(OW):
                    y[np.uintp(to + j)] = -np.inf
                for u in range(rows.shape[0]):
                    if rows[u, i] < 0:
                        continue
                    for v in range(columns.shape[0]):
                        source = (m * H + rows[u, i]) * W + columns[v, 2]
                        for j in range(columns[v, 0], columns[v, 1]):
                            pixel, best = x[np.uintp(source + step * j)], y[np.uintp(to + j)]
                            y[np.uintp(to + j)] = pixel if (not pixel <= best) & (best == best) else best

    return write_maxima


@cache
def add_to_maximum(fixed: int) -> Callable[..., None]:
    """The kernel that adds every cotangent in `dy` to the pixel of `dx` that its window selects, as in `maximum`."""

    @compiled
    def add_to_maxima(
        dy: Array, x: Array, rows: IntArray, columns: IntArray, stride: int, sizes: tuple[int, ...], dx: Array
    ) -> None:
        M, H, W, OH, OW = sizes
        step = fixed or stride
        best, place = np.empty(OW, x.dtype), np.empty(OW, np.int32)
        for m in range(M):
            for i in range(OH):
                for j in range(OW):
                    best[np.uintp(j)] = -np.inf
                    place[np.uintp(j)] = -1
                for u in range(rows.shape[0]):
                    if rows[u, i] < 0:
                        continue
                    for v in range(columns.shape[0]):
                        pixel_at = rows[u, i] * W + columns[v, 2]
                        for j in range(columns[v, 0], columns[v, 1]):
                            at = np.uintp(j)
                            pixel, so_far = x[np.uintp(m * H * W + pixel_at + step * j)], best[at]
                            larger = (not pixel <= so_far) & (so_far == so_far)
                            best[at] = pixel if larger else so_far
                            # the first pixel is selected in any case; in products, as a choice may become a branch
                            selects = np.int32(larger) | np.int32(place[at] < 0)
                            place[at] += selects * (np.int32(pixel_at + step * j) - place[at])
                for j in range(OW):
                    selected = np.intp(place[np.uintp(j)])
                    if selected >= 0:
                        dx[np.uintp(m * H * W + selected)] += dy[np.uintp((m * OH + i) * OW + j)]

    return add_to_maxima


@cache
def add_windows(fixed: int) -> Callable[..., None]:
    """The kernel that writes the sum of every window to `y`, over its entry of `divisors (OH, OW)` if there are any."""

    @compiled
    def write_sums(
        x: Array, rows: IntArray, columns: IntArray, stride: int, sizes: tuple[int, ...], divisors: Array, y: Array
    ) -> None:
        M, H, W, OH, OW = sizes
        step = fixed or stride
        for m in range(M):
            for i in range(OH):
                to = (m * OH + i) * OW
                for j in range(OW):
                    y[np.uintp(to + j)] = 0
                for u in range(rows.shape[0]):
                    if rows[u, i] < 0:
                        continue
                    for v in range(columns.shape[0]):
                        source = (m * H + rows[u, i]) * W + columns[v, 2]
                        for j in range(columns[v, 0], columns[v, 1]):
                            y[np.uintp(to + j)] += x[np.uintp(source + step * j)]
                if divisors.size:
                    for j in range(OW):
                        y[np.uintp(to + j)] /= divisors[np.uintp(i * OW + j)]

    return write_sums


@cache
def add_to_windows(fixed: int) -> Callable[..., None]:
    """The kernel that adds every cotangent in `dy`, over its divisor if there are any, to the pixels of its window."""

    @compiled
    def spread(
        dy: Array, rows: IntArray, columns: IntArray, stride: int, sizes: tuple[int, ...], divisors: Array, dx: Array
    ) -> None:
        M, H, W, OH, OW = sizes
        step = fixed or stride
        share = np.empty(OW, dy.dtype)
        for m in range(M):
            for i in range(OH):
                for j in range(OW):
                    share[np.uintp(j)] = dy[np.uintp((m * OH + i) * OW + j)]
                if divisors.size:
                    for j in range(OW):
                        share[np.uintp(j)] /= divisors[np.uintp(i * OW + j)]
                for u in range(rows.shape[0]):
                    if rows[u, i] < 0:
                        continue
                    for v in range(columns.shape[0]):
                        to = (m * H + rows[u, i]) * W + columns[v, 2]
                        for j in range(columns[v, 0], columns[v, 1]):
                            dx[np.uintp(to + step * j)] += share[np.uintp(j)]

    return spread
