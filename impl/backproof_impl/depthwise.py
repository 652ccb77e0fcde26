"""Tables and calls of the kernels for layers whose groups have one channel each way, for one geometry.

`Depthwise` are sums over windows as the forward pass has, or for the input gradient several: one for each phase of the
stride, whose sums go to every `step`-th pixel.  The calls and their results are those of `sums`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import Array, IntArray
from .kernels import depthwise
from .kernels.compilation import for_types
from .kernels.layout import exact
from .kernels.processor import Processor
from .kernels.threads import run, threads_for
from .tables import kernel_types, make_table
from .windows import Windows

#: Bytes of an image and its sums, as they lie in the lanes of vectors: they should fit the second-level cache.
LARGEST = 2**21
#: How many times as long a multiply-add takes as in other layers, where it needs fewer copies: measured, about.
SLOWER = 6


@dataclass(frozen=True)
class Part:
    """The windows that make pixels `(row + i*row_step, column + j*column_step)` of the result."""

    rows: Windows
    columns: Windows
    row: int = 0
    column: int = 0
    row_step: int = 1
    column_step: int = 1


def lanes_for(processor: Processor, dtype: np.dtype[np.floating], channels: int, pixels: int) -> int:
    """How many channels to put side by side; 0 where they are too few, or their images too large."""
    lanes = processor.lanes(dtype)
    lanes = lanes if channels >= lanes else lanes // 2
    return lanes if 1 < lanes <= channels and pixels * lanes * dtype.itemsize <= LARGEST else 0


class Depthwise:
    """`y[n, g, p] = b[g] + sum over u, v of x[n, g, window p's pixel for tap (u, v)] * w[g, 0, u, v]`."""

    def __init__(
        self, N: int, groups: int, parts: list[Part], size: tuple[int, int], kernel: tuple[int, int],
        dtype: np.dtype[np.floating], lanes: int,
    ) -> None:  # fmt: skip
        self._inside = all(axis.inside for part in parts for axis in (part.rows, part.columns))
        self._shape, self._dtype, self._no_bias = (N, groups, *size), dtype, np.empty(0, dtype)
        H, W, T = parts[0].rows.size, parts[0].columns.size, math.prod(kernel)
        before = max(part.rows.before for part in parts), max(part.columns.before for part in parts)
        HP, WP = (
            max(before[i] - axis.before + axis.extent for axis in axes)
            for i, axes in enumerate(([part.rows for part in parts], [part.columns for part in parts]))
        )
        places, origins, terms, taps, ends = [], [], [], [], []
        for part in parts:
            rows, columns = part.rows, part.columns
            i, j = np.arange(rows.outputs), np.arange(columns.outputs)
            at = np.add.outer((part.row + i * part.row_step) * size[1], part.column + j * part.column_step).reshape(-1)
            starts = _starts(rows, before[0]) * WP, _starts(columns, before[1])
            spare = -at.size % depthwise.ROWS  # sums without a pixel go behind those with one
            places.append(np.concatenate([at, np.full(spare, math.prod(size))]) * lanes)
            origins.append(np.concatenate([np.add.outer(*starts).reshape(-1), np.zeros(spare, np.intp)]) * lanes)
            terms.append(np.add.outer(np.array(rows.offsets) * WP, columns.offsets).reshape(-1) * lanes)
            taps.append(np.add.outer(np.array(rows.taps) * kernel[1], columns.taps).reshape(-1))
            ends += [sum(table.size for table in origins), terms[-1].size]
        taps.append(np.zeros(T - sum(table.size for table in taps), np.intp))  # those that no window has
        work = N * groups * math.prod(size) * T // len(parts)
        self._threads, self._items = threads_for(SLOWER * work, dtype), N * -(-groups // lanes)
        self._kernel = for_types(depthwise.correlation(lanes), *kernel_types(dtype, 4, 4, 1))
        tables = [np.concatenate(table) for table in (places, origins, terms, taps)]
        self._table = make_table(
            not self._inside and self._threads == 1, [*tables, np.array(ends)], N, groups, H, W, *before, HP, WP,
            math.prod(size), T, len(parts), sum(part.rows.outputs * part.columns.outputs for part in parts),
        )  # fmt: skip

    def __call__(self, x: Array, w: Array, b: Array | None) -> Array | None:
        """Return `y (N, groups, OH, OW)` for `x (N, groups, H, W)`."""
        y = np.empty(self._shape, self._dtype)
        if b is None:
            b = self._no_bias
        if self._threads == 1:
            return y if self._kernel(x, w, b, self._table, y, 0, self._items) else None
        run(self._kernel, (x, w, b, self._table, y), self._items, self._threads)
        return y if self._inside or exact(w, y) else None


class DepthwiseWeightGradient:
    """`dw[g, 0, u, v] = sum over n, p of dy[n, g, p] * x[n, g, window p's pixel for tap (u, v)]`."""

    def __init__(
        self, N: int, groups: int, rows: Windows, columns: Windows, dtype: np.dtype[np.floating], lanes: int
    ) -> None:
        self._inside, self._dtype = rows.inside and columns.inside, dtype
        self._shape = (groups, 1, len(rows.taps), len(columns.taps))
        HP, WP, T = rows.extent, columns.extent, math.prod(self._shape)
        T //= groups
        spare = -T % depthwise.ROWS
        origins = np.add.outer(np.array(rows.offsets) * WP, columns.offsets).reshape(-1)
        terms = np.add.outer(_starts(rows, rows.before) * WP, _starts(columns, columns.before)).reshape(-1)
        tables: list[IntArray] = [
            np.arange(T + spare) * lanes, np.concatenate([origins, np.zeros(spare, np.intp)]) * lanes, terms * lanes
        ]  # fmt: skip
        self._threads, self._items = threads_for(SLOWER * N * groups * T * terms.size, dtype), -(-groups // lanes)
        self._kernel = for_types(depthwise.weight_gradient(lanes), *kernel_types(dtype, 4, 4))
        self._table = make_table(
            not self._inside and self._threads == 1, tables, N, groups, rows.size, columns.size, rows.before,
            columns.before, HP, WP, rows.outputs, columns.outputs, T,
        )  # fmt: skip

    def __call__(self, dy: Array, x: Array) -> Array | None:
        """Return `dw (groups, 1, kh, kw)` for `dy` and `x`."""
        dw = np.empty(self._shape, self._dtype)
        if self._threads == 1:
            return dw if self._kernel(x, dy, self._table, dw, 0, self._items) else None
        run(self._kernel, (x, dy, self._table, dw), self._items, self._threads)
        return dw if self._inside or exact(dy, dw) else None


def _starts(windows: Windows, before: int) -> IntArray:
    """Where each window begins in the image with so much padding in front."""
    return np.arange(windows.outputs) * windows.stride + before - windows.before
