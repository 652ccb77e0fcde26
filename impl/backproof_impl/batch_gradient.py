"""Tables and calls of the weight gradient with images in the lanes, for one geometry, and when it is the fastest.

Where a layer has few channels, its weights do not fill vectors, and rows of small images do not either; images of a
batch do.  The calls and their results are those of `sums.WeightGradient`.
"""

from __future__ import annotations

import math

import numpy as np

from .arrays import Array
from .batch import LARGEST, SMALLEST, Tile, lanes_for
from .kernels import batch_gradient
from .kernels.choice import TAPS_OF_IMAGES, Lanes, choose, cost
from .kernels.compilation import for_types
from .kernels.layout import exact
from .kernels.processor import Processor
from .kernels.threads import run, threads_for
from .tables import kernel_types, make_table, outer, padded, starts_of
from .windows import Windows

#: In multiply-adds of vectors: what copying a vector of pixels into the lanes takes, and adding up a vector of sums.
MOVING, ADDING = 16, 10
#: What other kernels take for small images: copying a vector of an image with pixels or channels in the lanes, packing
#: a vector of cotangents; and the speed of `dots`.
COPYING: dict[Lanes, int] = {"pixels": 35, "channels": 5}
PACKING, DOTS = 12, 0.3


def gradient_tile_for(
    processor: Processor, dtype: np.dtype[np.floating], N: int, rows: Windows, columns: Windows, groups: int,
    channels: int, outputs: int,
) -> Tile | None:  # fmt: skip
    """The fastest tile for images in the lanes, its pixels being taps; None where other kernels are faster."""
    width, taps, pixels = processor.lanes(dtype), len(rows.taps) * len(columns.taps), rows.outputs * columns.outputs
    lanes = lanes_for(processor, dtype, N)
    work = groups * channels * outputs * pixels * taps
    copied = max(outputs * pixels, rows.extent * columns.extent, outputs * channels * taps)
    if lanes < 2 or taps == 1 or N * work < SMALLEST or copied * lanes * dtype.itemsize > LARGEST:
        return None
    speeds = TAPS_OF_IMAGES[processor.registers]

    def time(tile: Tile) -> float:
        """Of an image and group, in multiply-adds of vectors."""
        across, down = -(-outputs // tile.rows) * tile.rows, -(-taps // tile.pixels) * tile.pixels
        products = across * down * channels * pixels / speeds[tile.rows, tile.pixels]
        moved = MOVING * (channels * rows.size * columns.size + outputs * pixels)
        return (products + moved + ADDING * outputs * channels * taps) * -(-N // lanes) / N

    tile = min((Tile(lanes, *size) for size in speeds), key=time)
    other = choose(processor.registers, width, outputs, channels * taps, work)
    image, dots = channels * rows.size * columns.size / width, outputs * channels * taps * rows.outputs / DOTS
    others = min(
        dots * -(-columns.outputs // width) + COPYING["pixels"] * image,
        pixels * cost(other, processor.registers, width, outputs, channels * taps, True)
        + pixels * PACKING * -(-outputs // width)
        + COPYING["channels"] * image,
    )
    return tile if time(tile) < 0.87 * others else None


class BatchWeightGradient:
    """`dw[o, c, u, v] = sum over n, p of dy[n, o, p] * x[n, c, window p's pixel for tap (u, v)]`, in `groups`."""

    def __init__(
        self, N: int, rows: Windows, columns: Windows, groups: int, channels: int, outputs: int,
        dtype: np.dtype[np.floating], tile: Tile,
    ) -> None:  # fmt: skip
        self._inside, self._dtype = rows.inside and columns.inside, dtype
        self._shape = (groups * outputs, channels, len(rows.taps), len(columns.taps))
        WP, T, pixels = columns.extent, math.prod(self._shape[2:]), rows.outputs * columns.outputs
        self._threads, blocks = threads_for(N * math.prod(self._shape) * pixels, dtype), -(-outputs // tile.rows)
        parts = 1 if groups >= self._threads else min(blocks, self._threads)
        self._items = groups * parts
        self._table = make_table(
            not self._inside and self._threads == 1,
            [
                outer(WP, starts_of(rows), starts_of(columns)) * tile.lanes,
                padded(outer(WP, rows.offsets, columns.offsets) * tile.lanes, tile.pixels),
            ],
            N, groups, channels, outputs, rows.size, columns.size, rows.before, columns.before, rows.extent, WP,
            rows.outputs, columns.outputs, T, parts,
        )  # fmt: skip
        kernel = batch_gradient.image_lanes(tile.lanes, tile.rows, tile.pixels)
        self._kernel = for_types(kernel, *kernel_types(dtype, 4, 4))

    def __call__(self, dy: Array, x: Array) -> Array | None:
        """Return `dw (groups * outputs, channels, kh, kw)` for `dy` and `x`."""
        dw = np.empty(self._shape, self._dtype)
        if self._threads == 1:
            return dw if self._kernel(x, dy, self._table, dw, 0, self._items) else None
        run(self._kernel, (x, dy, self._table, dw), self._items, self._threads)
        return dw if self._inside or exact(dy, dw) else None
