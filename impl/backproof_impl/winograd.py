"""The table and the call of the Winograd kernel for a geometry: what `sums.Correlation` computes, with fewer products.

    tile        products for its outputs        direct        rounding errors, beside those of a direct sum
    2 x 2            4 * 4                        36            about the same
    4 x 4            6 * 6                       144            some four times as large

For windows of 3 x 3 neighbouring pixels, one pixel apart.  NaN and infinity spread over tiles.
"""

from __future__ import annotations

import math

import numpy as np

from .arrays import Array
from .geometry import Algorithm, Axis
from .kernels import winograd
from .kernels.compilation import for_types
from .kernels.processor import Processor
from .kernels.threads import run, threads_for
from .tables import kernel_types, make_table
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
        N: int,
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
        G, C, O = groups, channels, outputs  # noqa: E741
        self._dtype, self._no_bias = dtype, np.empty(0, dtype)
        self._shape = (N, G * O, rows.outputs, columns.outputs)
        m, lanes = tile_size(algorithm, *self._shape[2:]), processor.lanes(dtype)
        TH, TW = (-(-count // m) for count in self._shape[2:])
        padded = -(-C // lanes) * lanes
        most = max(FEWEST, BLOCK // ((m + 2) ** 2 * padded * dtype.itemsize))
        some = max(1, min(N, most // (TH * TW)))
        band = math.ceil(TH / math.ceil(TH * TW / most)) if some == 1 else TH
        T, chunk = some * band * TW, min(CHUNK, padded)
        tile = _register_tile(processor.registers, lanes, O, T)
        self._threads = threads_for(N * G * O * math.prod(self._shape[2:]) * C * 9, dtype)
        bands, blocks = -(-TH // band), -(-O // (tile[1] * lanes))
        items = -(-N // some) * G * bands
        parts = 1 if items % self._threads == 0 or items >= 4 * self._threads else min(blocks, self._threads)
        k, t = np.arange(chunk, dtype=np.intp), np.arange(T + tile[0], dtype=np.intp)
        terms, origins = k // lanes * T * lanes + k % lanes, np.where(t < T, t, 0) * lanes
        # taps in the order of the pixels that they read
        (first_row, row), (first_column, column) = ((0, 1) if w.offsets[0] == 0 else (2, -1) for w in (rows, columns))
        self._kernel = for_types(winograd.channel_lanes(lanes, *tile, m), *kernel_types(dtype, 4, 4, 1))
        self._items = items * parts
        self._table = make_table(
            False, [terms, origins], N, G, C, O, rows.size, columns.size, rows.before, columns.before, *self._shape[2:],
            TH, TW, some, band, chunk, blocks, bands, parts, *steps, 3 * first_row + first_column, 3 * row, column,
        )  # fmt: skip

    def __call__(self, x: Array, w: Array, b: Array | None) -> Array:
        """Return `y (N, groups * outputs, OH, OW)` for `x (N, groups * channels, H, W)`."""
        y = np.empty(self._shape, self._dtype)
        run(self._kernel, (x, w, self._no_bias if b is None else b, self._table, y), self._items, self._threads)
        return y


def _register_tile(registers: int, lanes: int, outputs: int, tiles: int) -> tuple[int, int]:
    """Rows and vectors that take the least time, empty ones included."""

    def time(tile: tuple[int, int]) -> float:
        rows, vectors = tile
        blocks = math.ceil(tiles / rows) * math.ceil(outputs / (vectors * lanes))
        return blocks * rows * vectors / REGISTERS[registers][tile]

    return min(REGISTERS[registers], key=time)
