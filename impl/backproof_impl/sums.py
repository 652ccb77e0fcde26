"""Tables and calls of the vector kernels, for one geometry: sums over windows, and the weight gradient.

`Correlation` and `WeightGradient` are made once for a geometry, batch and dtype, and called with arrays.  What they
take are windows (see `windows`), channels *per group*, and contiguous arrays.  They return None where only the plain
loops are right: where windows leave the image, its padding is multiplied as zeros, which is exact if all factors are
finite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import from_dtype

from .arrays import Array, IntArray, for_kernel
from .kernels import correlation, dots, weight_gradient
from .kernels.choice import choose, dots_are_faster, exchange
from .kernels.compilation import array_type, for_types
from .kernels.layout import exact, take_taps
from .kernels.processor import Processor
from .kernels.threads import run, threads_for
from .windows import Windows

#: Products that are added up before their sum is added to others, at most.
CHUNK = 512
#: Bytes that the tiles of a chunk share, packed weights or pixels: they should fit the first-level cache with others.
FIRST_LEVEL = 24 * 2**10
#: How much longer a tile takes whose vectors of pixels begin anywhere, and straddle cache lines.
STRADDLING = 1.08
#: Bytes of the sums of a strip of tiles that are made for one chunk of channels after the other.
STRIP = 2**16
#: Bytes of images that are copied at a time: they should fit the second-level cache, with
BAND = 2**19
#: so many sums for each of a tile's output channels.
PIXELS = 1024


def kernel_types(dtype: np.dtype[np.floating], *axes: int) -> tuple[Any, ...]:
    """The types of a kernel's arguments: arrays that it reads, the table, the array that it writes, start and stop."""
    table, result, number = array_type(np.dtype(np.intp), 1), array_type(dtype, 4), from_dtype(np.dtype(np.intp))
    return (*(array_type(dtype, axis) for axis in axes), table, result, number, number)


def make_table(checked: bool, tables: list[IntArray], *sizes: int) -> IntArray:
    """What a kernel reads: whether it checks for exactness, where its tables begin, its sizes; then the tables."""
    starts = np.cumsum([1 + len(tables) + len(sizes), *(table.size for table in tables[:-1])])
    return np.concatenate([np.array([checked, *starts, *sizes], np.intp), *tables])


class Correlation:
    """`y[n, o, p] = b[o] + sum over c, u, v of x[n, c, window p's pixel for tap (u, v)] * w[o, c, u, v]`, in `groups`.

    `steps` are the distances in `w` of two groups, outputs and summed channels, `kernel` its rows and columns.
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
        kernel: tuple[int, int],
        dtype: np.dtype[np.floating],
        processor: Processor,
    ) -> None:
        G, C, O = groups, channels, outputs  # noqa: E741
        self._inside, self._dtype, self._no_bias = rows.inside and columns.inside, dtype, np.empty(0, dtype)
        self._shape = (N, G * O, rows.outputs, columns.outputs)
        self._taps: IntArray | None = np.array([u * kernel[1] + v for u in rows.taps for v in columns.taps])
        taps, all_taps = self._taps.size, math.prod(kernel)
        if taps == all_taps:
            self._taps = None
        self._pixels_read: tuple[slice, ...] | None = None
        if self._inside and taps == 1 and (rows.size, columns.size) != self._shape[2:]:
            # a kernel of one tap reads some of the pixels, and no others
            self._pixels_read = (slice(None), slice(None), *(_read(windows) for windows in (rows, columns)))
            rows, columns = (
                Windows(windows.outputs, windows.outputs, 1, 0, windows.taps, (0,)) for windows in (rows, columns)
            )
        lanes, item = processor.lanes(dtype), dtype.itemsize
        pixels = rows.outputs * columns.outputs
        flat = self._inside and taps == 1
        stretched = pixels if flat else (rows.outputs - 1) * -(-columns.extent // columns.stride) + columns.outputs
        terms = channels * taps
        work = groups * outputs * pixels * terms
        tile = choose(processor.registers, lanes, outputs, pixels, work, stretched * (1 if flat else STRADDLING), terms)
        width = tile.vectors * lanes if tile.lanes == "channels" else tile.rows
        if tile.lanes == "channels":
            # its weights, and the pixels of a tile
            bytes_of_channel = taps * width * item + len(rows.offsets) * (tile.rows * columns.stride * item + 64)
        else:  # the rows of pixels that a tile reads, in all phases
            in_phases = len(rows.offsets) * len({v % columns.stride for v in columns.offsets})
            bytes_of_channel = in_phases * (tile.vectors * lanes * item + 64)
            long = not flat and -(-O // width) <= 2 and bytes_of_channel * channels > FIRST_LEVEL
            if long:  # or those that a row of tiles reads
                bytes_of_channel = in_phases * -(-columns.extent // columns.stride) * item
        most = max(1, min(CHUNK // taps, FIRST_LEVEL // bytes_of_channel))
        chunk = math.ceil(channels / math.ceil(channels / most))
        before, some = (rows.before, columns.before), 1
        if tile.lanes == "channels":
            compute = correlation.channel_lanes(lanes, tile.rows, tile.vectors)
            band, HB = _band(rows, channels * columns.extent * item, PIXELS // columns.outputs)
            step, pitch, at = _pitch(rows, columns, HB)
            some = max(1, min(PIXELS // pixels, BAND // (channels * step * item))) if band == rows.outputs else 1
            image = channels * step * (groups if self._inside else 1)
            starts = np.add.outer(np.arange(some) * image, _outer(pitch, _starts(rows)[:band], _starts(columns)))
            terms_ = _terms(chunk, step, pitch, rows.offsets, columns.offsets)
            tables = [terms_, _padded(starts.reshape(-1), tile.rows)]
            bands = -(-rows.outputs // band)
            sizes: tuple[int, ...] = (
                N, G, C, O, rows.size, columns.size, *before, HB, pitch, rows.stride, not self._inside, at,
                *self._shape[2:], band, some, chunk, taps,
            )  # fmt: skip
        else:
            compute = correlation.pixel_lanes(lanes, tile.rows, tile.vectors)
            across = tile.vectors * lanes
            if flat:
                OH, OW, WQ, sh, sw = -(-pixels // across), across, across, 1, 1
                in_rows, in_columns, step = [0], [0], across
                band, HB = _band(Windows(OH, OH, 1, 0, (0,), (0,)), channels * across * item, OH)
            else:
                OH, OW, sw = rows.outputs, columns.outputs, columns.stride
                band, HB = _band(rows, channels * sw * -(-columns.extent // sw) * item, OH)
                HB, WQ, sh, sw, in_rows, in_columns = _phases(rows, columns, HB)
                step = sh * sw * HB * WQ
                if long:
                    band = min(band, max(1, STRIP // (WQ * -(-O // width) * width * item)))
            tables = [_terms(chunk, step, 1, in_rows, in_columns)]
            bands = -(-OH // band)
            strip = -(-((band - 1) * WQ + OW) // across) * across if long else across
            sizes = (
                G, C, O, rows.size, columns.size, *before, HB, WQ, sh, sw, flat, pixels, OH, OW, band, chunk, taps,
                strip,
            )  # fmt: skip
        self._threads, blocks = threads_for(N * G * O * pixels * terms), -(-O // width)
        items = -(-N // some) * G * bands
        parts = 1 if items % self._threads == 0 or items >= 4 * self._threads else min(blocks, self._threads)
        if self._taps is not None:
            for_types(take_taps, array_type(dtype, 4), array_type(np.dtype(np.intp), 1), array_type(dtype, 4))
        self._kernel, self._items = for_types(compute, *kernel_types(dtype, 4, 4, 1)), items * parts
        checked = not self._inside and self._threads == 1
        self._table = make_table(
            checked, tables, *sizes, blocks, bands, parts, *(step // all_taps * taps for step in steps)
        )

    def __call__(self, x: Array, w: Array, b: Array | None) -> Array | None:
        """Return `y (N, groups * outputs, OH, OW)` for `x (N, groups * channels, H, W)`."""
        if self._pixels_read is not None:
            x = for_kernel(x[self._pixels_read])
        if self._taps is not None:
            some = np.empty((*w.shape[:2], 1, self._taps.size), self._dtype)
            take_taps(w, self._taps, some)
            w = some
        y = np.empty(self._shape, self._dtype)
        if b is None:
            b = self._no_bias
        if self._threads == 1:
            return y if self._kernel(x, w, b, self._table, y, 0, self._items) else None
        run(self._kernel, (x, w, b, self._table, y), self._items, self._threads)
        return y if self._inside or exact(w, y) else None


class WeightGradient:
    """`dw[o, c, u, v] = sum over n, p of dy[n, o, p] * x[n, c, window p's pixel for tap (u, v)]`, in `groups`.

    With one tap and the same pixels, `x` and `dy` may be exchanged, so that the lanes, which have to be packed, hold
    the channels of `x`; what is made is then the transpose of `dw`.
    """

    def __init__(
        self, N: int, rows: Windows, columns: Windows, groups: int, channels: int, outputs: int,
        dtype: np.dtype[np.floating], processor: Processor,
    ) -> None:  # fmt: skip
        self._inside, self._dtype = rows.inside and columns.inside, dtype
        self._shape = (groups * outputs, channels, len(rows.taps), len(columns.taps))
        lanes, pixels, taps = processor.lanes(dtype), rows.outputs * columns.outputs, math.prod(self._shape[2:])
        whole = (rows.size, columns.size) == (rows.outputs, columns.outputs) and self._inside
        self._exchanged = groups if taps == 1 and whole and exchange(processor, lanes, outputs, channels) else 0
        if self._exchanged:
            channels, outputs = outputs, channels
            self._shape = (groups * outputs, channels, 1, 1)
        work = groups * outputs * channels * taps * pixels
        tile = choose(processor.registers, lanes, outputs, channels * taps, work)
        self._threads, parts = threads_for(work * N), 1
        checked = not self._inside and self._threads == 1
        sizes = (N, groups, channels, outputs, rows.size, columns.size, rows.before, columns.before)
        if dots_are_faster(
            tile, processor.registers, lanes, outputs, channels * taps, rows.outputs, columns.outputs, work
        ):
            self._kernel = for_types(dots.pixel_lanes(lanes), *kernel_types(dtype, 4, 4))
            self._items = groups * channels
            *phased, in_rows, in_columns = _phases(rows, columns, rows.extent)
            origins = _padded(_terms(1, 0, 1, in_rows, in_columns), dots.TAPS)
            self._table = make_table(checked, [origins], *sizes, *phased, rows.outputs, columns.outputs, taps)
            return
        self._kernel = for_types(
            weight_gradient.channel_lanes(lanes, tile.rows, tile.vectors), *kernel_types(dtype, 4, 4)
        )
        items = groups * -(-outputs // (tile.vectors * lanes))
        if items % self._threads and items < 4 * self._threads and channels % self._threads == 0:
            parts = self._threads
        self._items = items * parts
        band, HB = _band(rows, channels * columns.extent * dtype.itemsize, rows.outputs)
        step, pitch, at = _pitch(rows, columns, HB)
        # rows of the last tile that have no tap read what tap 0 reads, not another part's channel
        tables = [
            _outer(pitch, _starts(rows)[:band], _starts(columns)),
            _padded(_terms(channels // parts, step, pitch, rows.offsets, columns.offsets), tile.rows),
        ]
        self._table = make_table(
            checked, tables, *sizes, HB, pitch, rows.stride, not self._inside, at, rows.outputs, columns.outputs, band,
            taps, parts,
        )  # fmt: skip

    def __call__(self, dy: Array, x: Array) -> Array | None:
        """Return `dw (groups * outputs, channels, kh, kw)` for `dy` and `x`."""
        dw = np.empty(self._shape, self._dtype)
        if self._exchanged:
            run(self._kernel, (dy, x, self._table, dw), self._items, self._threads)
            dw = dw.reshape(self._exchanged, -1, self._shape[1])
            return for_kernel(dw.swapaxes(1, 2)).reshape(-1, dw.shape[1], 1, 1)
        if self._threads == 1:
            return dw if self._kernel(x, dy, self._table, dw, 0, self._items) else None
        run(self._kernel, (x, dy, self._table, dw), self._items, self._threads)
        return dw if self._inside or exact(dy, dw) else None


def _band(rows: Windows, row_bytes: int, limit: int) -> tuple[int, int]:
    """How many rows of the output, at most `limit`, are made from one copy of the image, and how many that has."""
    span = max(rows.offsets) + 1
    most = max(1, min(max((BAND // row_bytes - span) // rows.stride + 1, 4), limit))
    band = math.ceil(rows.outputs / math.ceil(rows.outputs / most))
    return band, (band - 1) * rows.stride + span


def _pitch(rows: Windows, columns: Windows, copied_rows: int) -> tuple[int, int, int]:
    """How far apart channels and rows are in the image that is read, and where its first window begins."""
    if rows.inside and columns.inside:
        return rows.size * columns.size, columns.size, -rows.before * columns.size - columns.before
    return copied_rows * columns.extent, columns.extent, 0


def _phases(rows: Windows, columns: Windows, copied_rows: int) -> tuple[int, int, int, int, list[int], list[int]]:
    """Rows and columns of a copy in phases, how many phases, and where the rows and columns of taps lie in it."""
    sh, sw = rows.stride, columns.stride
    HQ, WQ = -(-copied_rows // sh), -(-columns.extent // sw)
    in_rows = [(u % sh * sw * HQ + u // sh) * WQ for u in rows.offsets]
    return HQ, WQ, sh, sw, in_rows, [v % sw * HQ * WQ + v // sw for v in columns.offsets]


def _read(windows: Windows) -> slice:
    """The pixels that a single tap reads."""
    first = windows.offsets[0] - windows.before
    return slice(first, first + (windows.outputs - 1) * windows.stride + 1, windows.stride)


def _starts(windows: Windows) -> list[int]:
    return [i * windows.stride for i in range(windows.outputs)]


def _outer(pitch: int, rows: Sequence[int], columns: Sequence[int]) -> IntArray:
    return np.add.outer(np.array(rows, np.intp) * pitch, np.array(columns, np.intp)).reshape(-1)


def _terms(channels: int, step: int, pitch: int, rows: Sequence[int], columns: Sequence[int]) -> IntArray:
    """Where each tap of each channel lies, from the beginning of a window."""
    return np.add.outer(np.arange(channels, dtype=np.intp) * step, _outer(pitch, rows, columns)).reshape(-1)


def _padded(table: IntArray, rows: int) -> IntArray:
    """The table with zeros behind it, for the last tile."""
    return np.concatenate([table, np.zeros(rows, np.intp)])
