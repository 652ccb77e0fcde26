"""Tables and calls of the Winograd kernel for one geometry: what `sums.Correlation` computes, with fewer products.

    tile        products for its outputs        direct        rounding errors, beside those of a direct sum
    2 x 2            4 * 4                        36            about the same
    4 x 4            6 * 6                       144            some four times as large

For windows of 3 x 3 neighbouring pixels, one pixel apart.  NaN and infinity spread over tiles.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from .arrays import Array, require_plain
from .geometry import Algorithm, Axis
from .kernels import winograd
from .kernels.processor import Processor
from .kernels.threads import run, threads_for
from .windows import Windows

#: Input channels whose products are added up before their sum is added to others.
CHUNK = 64
#: Bytes of the transformed images of an item, about the second-level cache; but at least
BLOCK = 2**21
#: so many tiles, for each of which the transformed weights are used once.
FEWEST = 32
#: Rows and vectors of a tile of registers, and its relative speed, for processors with 32 and with 16 of them.
REGISTERS: dict[int, dict[tuple[int, int], float]] = {32: {(8, 2): 0.85, (6, 4): 0.75}, 16: {(6, 2): 0.85}}


def applies(rows: Axis, columns: Axis) -> bool:
    """Whether there are Winograd tiles: for kernels of 3 x 3, stride 1 and dilation 1."""
    return all((axis.kernel, axis.stride, axis.dilation) == (3, 1, 1) for axis in (rows, columns))


def tile_size(algorithm: Algorithm, rows: int, columns: int) -> int:
    """Rows and columns of the tiles for an image of so many outputs: 4, but 2 where that takes no more products."""
    products = {m: (m + 2) ** 2 * -(-rows // m) * -(-columns // m) for m in (2, 4)}
    return 2 if algorithm == "winograd-2x2" or products[2] <= products[4] else 4


class Winograd:
    """`y[n, o, p] = b[o] + sum over c, u, v of x[n, c, window p's pixel for tap (u, v)] * w[o, c, u, v]`, in `groups`.

    `steps` are the distances in `w` of two groups, outputs and summed channels.
    """

    def __init__(
        self,
        rows: Windows,
        columns: Windows,
        groups: int,
        channels: int,
        outputs: int,
        steps: tuple[int, int, int],
        dtype: np.dtype[np.floating],
        processor: Processor,
        algorithm: Algorithm,
    ) -> None:
        self._groups, self._channels, self._outputs, self._steps = groups, channels, outputs, steps
        self._schedule, self._shape = lru_cache(16)(self._schedule_of), (rows.outputs, columns.outputs)
        m = tile_size(algorithm, *self._shape)
        TH, TW = (-(-count // m) for count in self._shape)
        self._lanes, self._registers, self._m = processor.lanes(dtype), processor.registers, m
        padded = -(-channels // self._lanes) * self._lanes
        most = max(FEWEST, BLOCK // ((m + 2) ** 2 * padded * dtype.itemsize))
        self._some = max(1, most // (TH * TW))
        band = math.ceil(TH / math.ceil(TH * TW / most)) if self._some == 1 else TH
        self._bands, self._tiles, chunk = -(-TH // band), self._some * band * TW, min(CHUNK, padded)
        k, t = np.arange(chunk, dtype=np.intp), np.arange(self._tiles + 8, dtype=np.intp)  # 8: for the last rows
        self._tables = (
            k // self._lanes * self._tiles * self._lanes + k % self._lanes,
            np.where(t < self._tiles, t, 0) * self._lanes,
        )
        # taps in the order of the pixels that they read
        (first_row, row), (first_column, column) = ((0, 1) if w.offsets[0] == 0 else (2, -1) for w in (rows, columns))
        self._taps = 3 * first_row + first_column, 3 * row, column
        self._sizes = (
            rows.size, columns.size, rows.before, columns.before, *self._shape, TH, TW, self._some, band, chunk,
        )  # fmt: skip

    def __call__(self, x: Array, w: Array, b: Array | None) -> Array:
        """Return `y (N, groups * outputs, OH, OW)` for `x (N, groups * channels, H, W)`."""
        require_plain(x, w, *([] if b is None else [b]))
        G, O = self._groups, self._outputs  # noqa: E741
        kernel, width, sizes, items, threads = self._schedule(len(x))
        bias = np.zeros((G, -(-O // width) * width), x.dtype)
        if b is not None:
            bias[:, :O] = b.reshape(G, O)
        y = np.empty((len(x), G * O, *self._shape), x.dtype)
        run(kernel, (*(a.reshape(-1) for a in (x, w, bias)), *self._tables, sizes, y.reshape(-1)), items, threads)
        return y

    def _schedule_of(self, N: int) -> tuple[Callable[..., None], int, tuple[int, ...], int, int]:
        """For `N` images: the kernel, its output channels, the integers that it takes, its items and threads."""
        G, C, O = self._groups, self._channels, self._outputs  # noqa: E741
        threads = threads_for(N * G * O * math.prod(self._shape) * C * 9)
        TH, TW = self._sizes[6:8]
        rows, vectors = _register_tile(self._registers, self._lanes, O, min(self._tiles, N * TH * TW))
        width = vectors * self._lanes
        items = -(-N // self._some) * G * self._bands
        parts = 1 if items % threads == 0 or items >= 4 * threads else min(-(-O // width), threads)
        sizes = tuple(map(int, (N, G, C, O, *self._sizes, parts, *self._steps, *self._taps)))
        return winograd.channel_lanes(self._lanes, rows, vectors, self._m), width, sizes, items * parts, threads


def _register_tile(registers: int, lanes: int, outputs: int, tiles: int) -> tuple[int, int]:
    """Rows and vectors that take the least time, empty ones included."""

    def time(tile: tuple[int, int]) -> float:
        rows, vectors = tile
        blocks = math.ceil(tiles / rows) * math.ceil(outputs / (vectors * lanes))
        return blocks * rows * vectors / REGISTERS[registers][tile]

    return min(REGISTERS[registers], key=time)
