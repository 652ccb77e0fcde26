"""Tables and calls of the vector kernels, for one geometry: sums over windows, and the weight gradient.

`Correlation` and `WeightGradient` are made once for a geometry, batch and dtype, and called with arrays.  What they
take are windows (see `windows`), channels *per group*, and contiguous arrays.  They return None where only the plain
loops are right: where windows leave the image, its padding is multiplied as zeros, which is exact if all factors are
finite.
"""

from __future__ import annotations

import math

import numpy as np

from .arrays import Array, IntArray, for_kernel
from .kernels import correlation, dots, weight_gradient
from .kernels.choice import choose, dots_are_faster, exchange
from .kernels.compilation import array_type, for_types
from .kernels.layout import exact, take_taps
from .kernels.processor import Processor
from .kernels.threads import run, threads_for
from .tables import (
    BAND,
    band_of,
    in_phases_of,
    kernel_types,
    make_table,
    outer,
    padded,
    pitch_of,
    starts_of,
    terms_of,
)
from .windows import Windows

#: Products that are added up before their sum is added to others, at most.
CHUNK = 512
#: Bytes that the tiles of a chunk share, packed weights or pixels: they should fit the first-level cache with others.
FIRST_LEVEL = 24 * 2**10
#: How much longer a tile takes whose vectors of pixels begin anywhere, and straddle cache lines.
STRADDLING = 1.08
#: Bytes of the sums of a strip of tiles that are made for one chunk of channels after the other.
STRIP = 2**16
#: Sums for each of a tile's output channels that should fit the second-level cache, with images (see `tables.BAND`).
PIXELS = 1024


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
            band, HB = band_of(rows, channels * columns.extent * item, PIXELS // columns.outputs)
            step, pitch, at = pitch_of(rows, columns, HB)
            some = max(1, min(PIXELS // pixels, BAND // (channels * step * item))) if band == rows.outputs else 1
            if self._inside:  # tiles that reach beyond the last image of some would read beyond x
                some = max(divisor for divisor in range(1, some + 1) if N % divisor == 0)
            image = channels * step * (groups if self._inside else 1)
            starts = np.add.outer(np.arange(some) * image, outer(pitch, starts_of(rows)[:band], starts_of(columns)))
            terms_ = terms_of(chunk, step, pitch, rows.offsets, columns.offsets)
            tables = [terms_, padded(starts.reshape(-1), tile.rows)]
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
                band, HB = band_of(Windows(OH, OH, 1, 0, (0,), (0,)), channels * across * item, OH)
            else:
                OH, OW, sw, WQ = rows.outputs, columns.outputs, columns.stride, -(-columns.extent // columns.stride)
                limit = max(1, STRIP // (WQ * -(-O // width) * width * item)) if long else OH
                band, HB = band_of(rows, channels * sw * WQ * item, limit)
                HB, WQ, sh, sw, in_rows, in_columns = in_phases_of(rows, columns, HB)
                step = sh * sw * HB * WQ
            tables = [terms_of(chunk, step, 1, in_rows, in_columns)]
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
            *phased, in_rows, in_columns = in_phases_of(rows, columns, rows.extent)
            origins = padded(terms_of(1, 0, 1, in_rows, in_columns), dots.TAPS)
            self._table = make_table(checked, [origins], *sizes, *phased, rows.outputs, columns.outputs, taps)
            return
        self._kernel = for_types(
            weight_gradient.channel_lanes(lanes, tile.rows, tile.vectors), *kernel_types(dtype, 4, 4)
        )
        items = groups * -(-outputs // (tile.vectors * lanes))
        if items % self._threads and items < 4 * self._threads and channels % self._threads == 0:
            parts = self._threads
        self._items = items * parts
        band, HB = band_of(rows, channels * columns.extent * dtype.itemsize, rows.outputs)
        step, pitch, at = pitch_of(rows, columns, HB)
        # rows of the last tile that have no tap read what tap 0 reads, not another part's channel
        tables = [
            outer(pitch, starts_of(rows)[:band], starts_of(columns)),
            padded(terms_of(channels // parts, step, pitch, rows.offsets, columns.offsets), tile.rows),
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


def _read(windows: Windows) -> slice:
    """The pixels that a single tap reads."""
    first = windows.offsets[0] - windows.before
    return slice(first, first + (windows.outputs - 1) * windows.stride + 1, windows.stride)
