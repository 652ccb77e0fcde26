"""Tables and calls of the vector kernels, for one geometry: sums over windows, and the weight gradient.

`Correlation` and `WeightGradient` are made once for a geometry, batch and dtype, and called with arrays.  What they
take are windows (see `windows`), channels *per group*, and contiguous arrays.  They return None where only the plain
loops are right: where windows leave the image, its padding is multiplied as zeros, which is exact if all factors are
finite.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from .arrays import LINE, Array, IntArray, for_kernel, results
from .kernels import correlation, dots, pointwise, weight_gradient
from .kernels.choice import FEW, Tile, choose, dots_are_faster, exchange
from .kernels.compilation import array_type, for_types
from .kernels.layout import exact, take_taps
from .kernels.processor import Processor, second_level_cache
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
#: Channels of a panel of pixels (see `kernels.pointwise`), at most.
PANEL = 256
#: Pieces of pixels, at most, that a chunk of packed weights serves before the next chunk, where not all fit the cache.
PIECES = 64


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
        self._inside, self._dtype, self._no_bias = rows.inside and columns.inside, dtype, np.empty(0, dtype)
        shape = (N, groups * outputs, rows.outputs, columns.outputs)
        self._result = results(shape, dtype)
        self._taps: IntArray | None = np.array([u * kernel[1] + v for u in rows.taps for v in columns.taps])
        taps, all_taps = self._taps.size, math.prod(kernel)
        if taps == all_taps:
            self._taps = None
        self._pixels_read: tuple[slice, ...] | None = None
        flat = self._inside and taps == 1
        if flat and (rows.size, columns.size) != shape[2:]:
            # a kernel of one tap reads some of the pixels, and no others
            self._pixels_read = (slice(None), slice(None), *(_read(windows) for windows in (rows, columns)))
            rows, columns = (
                Windows(windows.outputs, windows.outputs, 1, 0, windows.taps, (0,)) for windows in (rows, columns)
            )
        lanes, pixels, terms = processor.lanes(dtype), rows.outputs * columns.outputs, channels * taps
        work = groups * outputs * pixels * terms
        if flat:  # the pixels of all images are one row
            few = N * work < FEW
            tile = choose(processor.registers, lanes, outputs, N * pixels, work, N * pixels, terms, few)
        else:
            stretched = (rows.outputs - 1) * -(-columns.extent // columns.stride) + columns.outputs
            tile = choose(processor.registers, lanes, outputs, pixels, work, stretched * STRADDLING, terms)
        layout = _channels if tile.lanes == "channels" else _pointwise if flat else _pixels
        steps = (steps[0] // all_taps * taps, steps[1] // all_taps * taps, steps[2] // all_taps * taps)
        compute, tables, sizes, items, bands, blocks = layout(
            _Sums(N, rows, columns, groups, channels, outputs, steps, taps, dtype.itemsize, lanes, tile)
        )
        self._threads = threads_for(N * work, dtype)
        parts = 1 if items % self._threads == 0 or items >= 4 * self._threads else min(blocks, self._threads)
        if self._taps is not None:
            for_types(take_taps, array_type(dtype, 4), array_type(np.dtype(np.intp), 1), array_type(dtype, 4))
        self._kernel, self._items = for_types(compute, *kernel_types(dtype, 4, 4, 1)), items * parts
        checked = not self._inside and self._threads == 1
        self._table = make_table(checked, tables, *sizes, blocks, bands, parts, *steps)

    def __call__(self, x: Array, w: Array, b: Array | None) -> Array | None:
        """Return `y (N, groups * outputs, OH, OW)` for `x (N, groups * channels, H, W)`."""
        if self._pixels_read is not None:
            x = for_kernel(x[self._pixels_read])
        if self._taps is not None:
            some = np.empty((*w.shape[:2], 1, self._taps.size), self._dtype)
            take_taps(w, self._taps, some)
            w = some
        y = self._result()
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
        few = taps == 1 and N * work < FEW
        tile = choose(processor.registers, lanes, outputs, channels * taps, work, few=few)
        self._threads, parts = threads_for(work * N, dtype), 1
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
        some = 1
        if band == rows.outputs:
            some = max(1, min(N, weight_gradient.BLOCK // pixels, BAND // (channels * step * dtype.itemsize)))
        image = channels // parts * HB * columns.extent if not self._inside else groups * channels * step
        starts = outer(pitch, starts_of(rows)[:band], starts_of(columns))
        # rows of the last tile that have no tap read what tap 0 reads, not another part's channel
        tables = [
            np.add.outer(np.arange(some) * image, starts).reshape(-1),
            padded(terms_of(channels // parts, step, pitch, rows.offsets, columns.offsets), tile.rows),
        ]
        self._table = make_table(
            checked, tables, *sizes, HB, pitch, rows.stride, not self._inside, at, rows.outputs, columns.outputs, band,
            some, taps, parts,
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


class _Sums(NamedTuple):
    """Those of a `Correlation`, the size of a number in bytes, and the tile that makes them."""

    N: int
    rows: Windows
    columns: Windows
    G: int
    C: int
    O: int  # noqa: E741
    steps: tuple[int, int, int]
    taps: int
    item: int
    lanes: int
    tile: Tile

    @property
    def inside(self) -> bool:
        return self.rows.inside and self.columns.inside

    @property
    def pixels(self) -> int:
        return self.rows.outputs * self.columns.outputs

    def chunk(self, most: int) -> int:
        """How many channels are added up at a time, if `most` fit."""
        return math.ceil(self.C / math.ceil(self.C / max(1, min(CHUNK // self.taps, most))))


#: A kernel, its tables and its sizes; how many items there are, bands of an image, and blocks of output channels.
_Layout: TypeAlias = tuple[Callable[..., bool], list[IntArray], tuple[int, ...], int, int, int]


def _channels(sums: _Sums) -> _Layout:
    """For `correlation.channel_lanes`."""
    N, rows, columns, G, C, O, _, taps, item, lanes, tile = sums  # noqa: E741
    width = tile.vectors * lanes
    # a tile's weights, and its pixels
    of_channel = taps * width * item + len(rows.offsets) * (tile.rows * columns.stride * item + LINE)
    chunk = sums.chunk(FIRST_LEVEL // of_channel)
    images = second_level_cache() // 2
    band, HB = band_of(rows, C * columns.extent * item, PIXELS // columns.outputs, images)
    step, pitch, at = pitch_of(rows, columns, HB)
    some = max(1, min(PIXELS // sums.pixels, images // (C * step * item))) if band == rows.outputs else 1
    if sums.inside:  # tiles that reach beyond the last image of some would read beyond x
        some = max(divisor for divisor in range(1, some + 1) if N % divisor == 0)
    image = C * step * (G if sums.inside else 1)
    starts = np.add.outer(np.arange(some) * image, outer(pitch, starts_of(rows)[:band], starts_of(columns)))
    weights, next_step, next_tiles = _weights_ahead(sums, chunk, width)
    tables = [
        terms_of(chunk, step, pitch, rows.offsets, columns.offsets), padded(starts.reshape(-1), tile.rows), weights
    ]  # fmt: skip
    bands = -(-rows.outputs // band)
    sizes = (
        N, G, C, O, rows.size, columns.size, rows.before, columns.before, HB, pitch, rows.stride, not sums.inside, at,
        rows.outputs, columns.outputs, band, some, chunk, taps, next_step, next_tiles,
    )  # fmt: skip
    return (
        correlation.channel_lanes(lanes, tile.rows, tile.vectors),
        tables,
        sizes,
        -(-N // some) * G * bands,
        bands,
        -(-O // width),
    )


def _weights_ahead(sums: _Sums, chunk: int, width: int) -> tuple[IntArray, int, int]:
    """Where lines of the next weights lie, one for each term of a tile, how far on the next tile's, and of how many."""
    (_, output_step, channel_step), taps = sums.steps, sums.taps
    runs, run, step = width, chunk * taps, output_step
    if channel_step != taps:  # those of a channel follow each other
        runs, run, step = chunk, width * output_step, channel_step
    line, k = LINE // sums.item, np.arange(chunk * taps)
    lines = run // line + 2
    of_tile = max(1, k.size // lines)
    return np.minimum(k // lines, of_tile - 1) * step + k % lines * line, of_tile * step, -(-runs // of_tile)


def _pixels(sums: _Sums) -> _Layout:
    """For `correlation.pixel_lanes`."""
    N, rows, columns, G, C, O, _, taps, item, lanes, tile = sums  # noqa: E741
    across, OH, sw = tile.vectors * lanes, rows.outputs, columns.stride
    WQ = -(-columns.extent // sw)
    # the rows of pixels that a tile reads, in all phases
    in_phases = len(rows.offsets) * len({v % sw for v in columns.offsets})
    of_channel = in_phases * (across * item + LINE)
    blocks = -(-O // tile.rows)
    long = blocks <= 2 and of_channel * C > FIRST_LEVEL
    if long:  # or those that a row of tiles reads
        of_channel = in_phases * WQ * item
    chunk = sums.chunk(FIRST_LEVEL // of_channel)
    limit = max(1, STRIP // (WQ * blocks * tile.rows * item)) if long else OH
    band, HB = band_of(rows, C * sw * WQ * item, limit)
    HB, WQ, sh, sw, in_rows, in_columns = in_phases_of(rows, columns, HB)
    bands = -(-OH // band)
    strip = -(-((band - 1) * WQ + columns.outputs) // across) * across if long else across
    sizes = (
        G, C, O, rows.size, columns.size, rows.before, columns.before, HB, WQ, sh, sw, OH, columns.outputs, band, chunk,
        taps, strip,
    )  # fmt: skip
    tables = [terms_of(chunk, sh * sw * HB * WQ, 1, in_rows, in_columns)]
    return correlation.pixel_lanes(lanes, tile.rows, tile.vectors), tables, sizes, N * G * bands, bands, blocks


def _pointwise(sums: _Sums) -> _Layout:
    """For `pointwise.pixel_lanes`."""
    N, _, _, G, C, O, _, _, item, lanes, tile = sums  # noqa: E741
    across, chunk = tile.vectors * lanes, sums.chunk(PANEL)
    pieces, k = -(-N * sums.pixels // across), np.arange(chunk)
    # the lines of the rows that a tile writes
    r, v = np.minimum(k % tile.rows, O - 1), k // tile.rows
    places = np.where(v < tile.vectors, r * sums.pixels + v * lanes + lanes - 1, 0)
    tables = [terms_of(chunk, step, 1, [0], [0]) for step in (across, sums.pixels)]
    strip = 1 if O * C * item <= BAND else min(pieces, PIECES)
    strips = -(-pieces // strip)
    sizes = (N, G, C, O, sums.pixels, chunk, strip)
    compute = pointwise.pixel_lanes(lanes, tile.rows, tile.vectors)
    return compute, [*tables, places], sizes, G * strips, strips, -(-O // tile.rows)


def _read(windows: Windows) -> slice:
    """The pixels that a single tap reads."""
    first = windows.offsets[0] - windows.before
    return slice(first, first + (windows.outputs - 1) * windows.stride + 1, windows.stride)
