"""Tables and calls of the kernel with images of the batch in the lanes, for one geometry, and when it is the fastest.

`Batch` are the sums of `sums.Correlation`, for windows whose columns have stride 1.  Copying images into the lanes and
back takes as long as some products of each pixel; it pays for small images, whose rows fill no vectors, for few
channels, and for much padding, as in the input gradient of a layer without any.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import Array, IntArray
from .kernels import batch
from .kernels.choice import IMAGES, SMALL, Lanes, choose, cost
from .kernels.compilation import for_types
from .kernels.layout import exact
from .kernels.processor import Processor
from .kernels.threads import run, threads_for
from .sums import CHUNK, STRADDLING
from .tables import band_of, kernel_types, make_table, outer, starts_of
from .windows import Windows

#: What copying a vector of pixels into the lanes or back takes, in multiply-adds of vectors, and what each tile does.
MOVING, TILE = 20, 60
#: Bytes of pixels and weights of a tile that stay in the first-level cache, and how much longer others' products take.
FIRST_LEVEL, FARTHER = 2**15, 1.15
#: What an image takes with channels or pixels in the lanes: storing a vector of sums, copying one, and the rest.
STORING: dict[Lanes, int] = {"channels": 50, "pixels": 16}
COPYING, REST = 9, 1000
#: Multiply-adds of a batch below which it is not worth compiling another kernel.
SMALLEST = 4 * SMALL
#: Bytes of a copy, at most.
LARGEST = 2**20
#: Bytes of the sums of a band, for each tile of output channels.
SUMS = 2**19


@dataclass(frozen=True, slots=True)
class Tile:
    """How many images lie side by side; the output channels and the pixels, or taps, of a tile."""

    lanes: int
    rows: int
    pixels: int


def lanes_for(processor: Processor, dtype: np.dtype[np.floating], N: int) -> int:
    """How many of `N` images to put side by side: as many as a vector has lanes, or half of that, and so on."""
    lanes = processor.lanes(dtype)
    while lanes > N:
        lanes //= 2
    return lanes


def tile_for(
    processor: Processor, dtype: np.dtype[np.floating], N: int, rows: Windows, columns: Windows, groups: int,
    channels: int, outputs: int,
) -> Tile | None:  # fmt: skip
    """The fastest tile for images in the lanes; None where those sums are better made otherwise, or not to be had."""
    lanes, taps = lanes_for(processor, dtype, N), len(rows.taps) * len(columns.taps)
    work = groups * channels * outputs * rows.outputs * columns.outputs * taps
    if lanes < 2 or taps == 1 or columns.stride > 1 or N * work < SMALLEST:
        return None
    in_rows = sum(count for _, count in _taps_inside(rows))

    def time(tile: Tile) -> float:
        """Of an image and group, in multiply-adds of vectors."""
        tiles, across, down = _tiles(columns, tile.pixels), -(-outputs // tile.rows), rows.outputs
        in_columns = sum(count for *_, count in tiles) * tile.pixels
        products: float = channels * in_rows * in_columns * across * tile.rows
        pixels = len(rows.taps) * (tile.pixels + columns.extent - columns.outputs) * tile.lanes
        if channels * (pixels + taps * tile.rows) * dtype.itemsize > FIRST_LEVEL:
            products *= FARTHER
        read = [last - first for *_, first, last in _bands(rows, columns, channels, tile, dtype)]
        if channels * max(read) * columns.extent * tile.lanes * dtype.itemsize > LARGEST:
            return math.inf
        moved = channels * sum(read) * columns.size + outputs * down * columns.outputs
        speed = IMAGES[processor.registers][tile.rows, tile.pixels]
        return (products / speed + MOVING * moved + TILE * down * len(tiles) * across) * -(-N // tile.lanes) / N

    sizes = [size for size in IMAGES[processor.registers] if size[1] <= columns.outputs]
    tile = min((Tile(lanes, *size) for size in sizes), key=time, default=None)
    others = _time_of_correlation(processor, dtype, rows, columns, channels, outputs, work)
    return tile if tile is not None and time(tile) < 0.95 * others else None


def _time_of_correlation(
    processor: Processor, dtype: np.dtype[np.floating], rows: Windows, columns: Windows, channels: int, outputs: int,
    work: int,
) -> float:  # fmt: skip
    """What an image and group takes with channels or pixels in the lanes, in multiply-adds of vectors."""
    width, terms = processor.lanes(dtype), channels * len(rows.taps) * len(columns.taps)
    pixels = rows.outputs * columns.outputs
    stretched = STRADDLING * ((rows.outputs - 1) * -(-columns.extent // columns.stride) + columns.outputs)
    tile = choose(processor.registers, width, outputs, pixels, work, stretched, terms)
    sums = pixels if tile.lanes == "channels" else stretched
    copied = channels * rows.size * columns.size / width
    storing = STORING[tile.lanes] * outputs * sums / width
    return terms * cost(tile, processor.registers, width, outputs, sums) + storing + COPYING * copied + REST


class Batch:
    """`y[n, o, p] = b[o] + sum over c, u, v of x[n, c, window p's pixel for tap (u, v)] * w[o, c, u, v]`, in `groups`.

    `steps` are the distances in `w` of two groups, outputs and summed channels, `kernel` its rows and columns.
    """

    def __init__(
        self, N: int, rows: Windows, columns: Windows, groups: int, channels: int, outputs: int,
        steps: tuple[int, int, int], kernel: tuple[int, int], dtype: np.dtype[np.floating], tile: Tile,
    ) -> None:  # fmt: skip
        self._inside, self._dtype, self._no_bias = columns.inside, dtype, np.empty(0, dtype)
        self._shape = (N, groups * outputs, rows.outputs, columns.outputs)
        H, W, OH, OW = rows.size, columns.size, rows.outputs, columns.outputs
        lanes, WP = tile.lanes, columns.extent
        (row_taps, down), (column_taps, across) = (_in_order(axis) for axis in (rows, columns))
        taps = outer(kernel[1], row_taps, column_taps)
        self._threads = threads_for(math.prod(self._shape) * channels * taps.size, dtype)
        items = groups * -(-N // lanes)
        parts = self._threads if items % self._threads and items < 4 * self._threads else 1
        bands = _bands(rows, columns, channels, tile, dtype, -(-OH // parts))
        # channels begin in different ones of the 64 sets of the first-level cache: 9 apart was measured to be best
        step = max(last - first for *_, first, last in bands) * WP
        step += (9 - step) % 64
        chunk = math.ceil(channels / math.ceil(channels / max(1, CHUNK // taps.size)))
        table = make_table(
            not self._inside and self._threads == 1,
            [
                *(outer(lanes, across, range(0, n * step * lanes, step * lanes)) for n in (chunk, channels % chunk)),
                np.array(down) * WP * lanes,
                taps,
                np.column_stack([_starts(rows), _taps_inside(rows)]).reshape(-1),
                np.array(_tiles(columns, tile.pixels)).reshape(-1),
                np.array(bands).reshape(-1),
            ],
            N, groups, channels, outputs, H, W, columns.before, WP, step, OH, OW, bands[0][1], len(bands),
            -(-OW // tile.pixels), chunk, len(down), len(across), *steps,
        )  # fmt: skip
        self._table, self._items = table, items * len(bands)
        kernel_ = batch.image_lanes(lanes, tile.rows, tile.pixels)
        self._kernel = for_types(kernel_, *kernel_types(dtype, 4, 4, 1))

    def __call__(self, x: Array, w: Array, b: Array | None) -> Array | None:
        """Return `y (N, groups * outputs, OH, OW)` for `x (N, groups * channels, H, W)`."""
        y = np.empty(self._shape, self._dtype)
        if b is None:
            b = self._no_bias
        if self._threads == 1:
            return y if self._kernel(x, w, b, self._table, y, 0, self._items) else None
        run(self._kernel, (x, w, b, self._table, y), self._items, self._threads)
        return y if self._inside or exact(w, y) else None


def _in_order(windows: Windows) -> tuple[list[int], list[int]]:
    """Taps and offsets by the order of their pixels."""
    order = sorted(range(len(windows.offsets)), key=windows.offsets.__getitem__)
    return [windows.taps[k] for k in order], [windows.offsets[k] for k in order]


def _starts(windows: Windows) -> IntArray:
    """The pixels, or places before the first, at which windows begin."""
    return np.array(starts_of(windows)) - windows.before


def _bands(
    rows: Windows, columns: Windows, channels: int, tile: Tile, dtype: np.dtype[np.floating], limit: int | None = None
) -> list[tuple[int, int, int, int]]:
    """The rows of the result that are made from one copy, at most `limit`, and those of the image that they read.

    The copy, and the sums of a tile of channels, should fit the second-level cache.
    """
    row_bytes = tile.lanes * dtype.itemsize
    most = max(1, SUMS // (tile.rows * columns.outputs * row_bytes))
    band, _ = band_of(rows, channels * columns.extent * row_bytes, min(most, limit or rows.outputs))
    bands, starts = [], _starts(rows).tolist()
    for i in range(0, rows.outputs, band):
        end = min(i + band, rows.outputs)
        first = max(0, starts[i] + min(rows.offsets))
        bands.append((i, end, first, max(first, min(rows.size, starts[end - 1] + max(rows.offsets) + 1))))
    return bands


def _taps_inside(windows: Windows) -> list[tuple[int, int]]:
    """For each window, the first of the taps in order whose pixels are in the image, and how many there are."""
    pixels = np.add.outer(_starts(windows), _in_order(windows)[1])
    inside = (pixels >= 0) & (pixels < windows.size)
    return list(zip(inside.argmax(axis=1).tolist(), inside.sum(axis=1).tolist(), strict=True))


def _tiles(windows: Windows, pixels: int) -> list[tuple[int, int, int]]:
    """Where each tile of so many windows begins, the first tap that one of them has inside, and how many to the last.

    The last tile overlaps the one before.
    """
    taps, tiles = _taps_inside(windows), []
    for start in range(0, windows.outputs, pixels):
        begin = min(start, windows.outputs - pixels)
        some = [(first, first + count) for first, count in taps[begin : begin + pixels] if count]
        first = min((first for first, _ in some), default=0)
        tiles.append((begin, first, max((last for _, last in some), default=0) - first))
    return tiles
