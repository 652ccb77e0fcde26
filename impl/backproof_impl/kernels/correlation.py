"""Sums over windows of images: `y[n, o, p] = bias[o] + sum over k of image[origin[p] + term[k]] * w[o, k]`.

Both kernels read packed weights, and copies of images with their padding.  They differ in what a vector holds (see
`tile`): `channel_lanes` output channels, `pixel_lanes` neighbouring pixels.

The work is cut into items: some rows of the output of an image and group, and a part of its output channels.  An
item computes all of its sums, in an order that does not depend on the cut: channels in chunks, and the chunks one
after the other, which also keeps the rounding error of long sums small.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..arrays import Array, IntArray
from .compilation import VERSION, compiled
from .layout import copy_image, copy_panels, pack_weights, write_block
from .moves import copy_run
from .tile import address, channels_in_lanes, pixels_in_lanes


@cache
def channel_lanes(lanes: int, rows: int, vectors: int) -> Callable[..., None]:
    """The kernel whose tile has `rows` pixels and `vectors * lanes` output channels.

    Where no window leaves the image, it is not copied.  Small images are taken some at a time.
    """
    version = VERSION
    width = vectors * lanes

    @compiled
    def correlate_channel_lanes(
        x: Array, w: Array, bias: Array, terms: IntArray, origins: IntArray, sizes: tuple[int, ...], y: Array,
        start: int, stop: int,
    ) -> None:  # fmt: skip
        (
            N, G, C, O, H, W, row, column, HB, WP, sh, copied, at, OH, OW, band, some, chunk, parts, group_step,  # noqa: E741
            output_step, channel_step,
        ) = sizes  # fmt: skip
        blocks, taps, bands = -(-O // width), terms.size // chunk, -(-OH // band)
        image = np.zeros(some * C * HB * WP if copied else 1, x.dtype)
        packed, square = np.empty(chunk * taps * width, x.dtype), np.empty(lanes * lanes, x.dtype)
        sums = np.empty((some * band * OW + rows + lanes) * width, x.dtype)
        source, step = (image, HB * WP) if copied else (x, H * W)
        sums_, bias_ = address(sums), address(bias)
        one: Any = np.int64(1)  # no literal, for which another copy_image is compiled
        for item in range(start, stop):
            part, i0, g = item % parts, item // parts % bands * band, item // parts // bands % G
            first = item // parts // bands // G * some
            images, P, image_at = min(some, N - first), min(band, OH - i0) * OW, 0
            if copied:
                for n in range(images):
                    x_at = ((first + n) * G + g) * C * H * W
                    copy_image(
                        version, lanes, x, x_at, C, H, W, row - i0 * sh, column, HB, WP, one, one, n * C * HB * WP,
                        image,
                    )  # fmt: skip
            else:
                image_at = (first * G + g) * C * H * W + at + i0 * sh * W
            for b in range(part * blocks // parts, (part + 1) * blocks // parts):
                for c in range(0, C, chunk):
                    count = min(chunk, C - c) * taps
                    runs, run = (1, count) if channel_step == taps else (count // taps, taps)
                    pack_weights(
                        version, lanes, w, g * group_step + b * width * output_step + c * channel_step, output_step,
                        O - b * width, channel_step, runs, run, width, packed, 0 * one, square,
                    )  # fmt: skip
                    # the first chunk begins with the bias, the others with the sums so far
                    base, base_at, base_row = (sums_, 0, width) if c else (bias_, (g * blocks + b) * width, 0)
                    for p in range(0, images * P, rows):
                        channels_in_lanes(
                            version, lanes, rows, vectors, sums_, p * width, width, base, base_at + p * base_row,
                            base_row, lanes, source, image_at + c * step, terms, 0, count, packed, 0, origins, p,
                        )  # fmt: skip
                for n in range(images):
                    for o in range(b * width, min(O, (b + 1) * width), lanes):
                        y_at = ((((first + n) * G + g) * O + o) * OH + i0) * OW
                        for p in range(0, P, lanes):
                            write_block(
                                version, lanes, sums, (n * P + p) * width + o - b * width, width, y, y_at + p, OH * OW,
                                min(lanes, P - p), min(lanes, O - o), square,
                            )  # fmt: skip

    return correlate_channel_lanes


@cache
def pixel_lanes(lanes: int, rows: int, vectors: int) -> Callable[..., None]:
    """The kernel whose tile has `rows` output channels and `vectors * lanes` pixels.

    Pixels are numbered through the rows of the copy, so that a vector may go on in the next row; the sums for the
    columns between two rows of `y` are made and dropped.  With `panels`, the image has one tap and rows of the
    width of a tile.
    """
    version, square_of = VERSION, rows & -rows  # blocks to transpose have a power of two
    width = vectors * lanes

    @compiled
    def correlate_pixel_lanes(
        x: Array, w: Array, bias: Array, terms: IntArray, sizes: tuple[int, ...], y: Array, start: int, stop: int
    ) -> None:
        (
            _, G, C, O, H, W, row, column, HB, WP, sh, sw, panels, P, OH, OW, band, chunk, parts, group_step,  # noqa: E741
            output_step, channel_step,
        ) = sizes  # fmt: skip
        blocks, taps, bands = -(-O // rows), terms.size // chunk, -(-OH // band)
        step, tile_step = (width, C * width) if panels else (sh * sw * HB * WP, width)
        # the last vector may read beyond the last pixel
        image = np.zeros(C * sh * sw * HB * WP + width, x.dtype)
        packed, square = np.empty(blocks * C * taps * rows, x.dtype), np.empty(square_of * square_of, x.dtype)
        sums, biases = np.empty(blocks * rows * width, x.dtype), np.empty(blocks * rows * lanes, x.dtype)
        sums_, biases_, y_ = address(sums), address(biases), address(y)
        zero: Any = np.int64(0)
        runs, run = (1, C * taps) if channel_step == taps else (C, taps)
        packed_group = -1
        for item in range(start, stop):
            n_g, i0, part = item // parts // bands, item // parts % bands * band, item % parts
            g, x_at, i1 = n_g % G, n_g * C * H * W, min(i0 + band, OH)
            first, last = part * blocks // parts, (part + 1) * blocks // parts
            if g != packed_group or parts > 1:
                packed_group = g
                for b in range(first, last):
                    pack_weights(
                        version, square_of, w, g * group_step + b * rows * output_step, output_step, O - b * rows,
                        channel_step, runs, run, rows, packed, b * C * taps * rows, square,
                    )  # fmt: skip
                for r in range(first * rows, last * rows):
                    for lane in range(lanes):
                        biases[r * lanes + lane] = bias[g * blocks * rows + r]
            if panels:
                copy_panels(version, lanes, x, x_at, C, P, i0 * OW, min(P, i1 * OW), width, image)
            else:
                copy_image(version, lanes, x, x_at, C, H, W, row - i0 * sh, column, HB, WP, sh, sw, zero, image)
            for p in range(0, (i1 - i0 - 1) * WP + OW, width):
                y_at = n_g * O * P + i0 * OW + p
                # a panel of pixels that are all in y is made in it
                in_y = panels and i0 * OW + p + width <= P
                for c in range(0, C, chunk):
                    for b in range(first, last):
                        place, place_at, place_row = sums_, b * rows * width, width
                        if in_y and (b + 1) * rows <= O:
                            place, place_at, place_row = y_, y_at + b * rows * P, P
                        base, base_at, base_row, base_vector = biases_, b * rows * lanes, lanes, 0
                        if c:
                            base, base_at, base_row, base_vector = place, place_at, place_row, lanes
                        pixels_in_lanes(
                            version, lanes, rows, vectors, place, place_at, place_row, base, base_at, base_row,
                            base_vector, image, c * step + p // width * tile_step, terms, 0, min(chunk, C - c) * taps,
                            packed, (b * C + c) * taps * rows,
                        )  # fmt: skip
                for r in range(max(first, O // rows) * rows if in_y else first * rows, min(last * rows, O)):
                    for i in range(p // WP, min((p + width - 1) // WP + 1, i1 - i0)):
                        # the columns of row i that this tile has
                        j0, j1 = max(0, p - i * WP), min(OW, p + width - i * WP, P - (i0 + i) * OW)
                        y_row = (n_g * O + r) * P + (i0 + i) * OW
                        copy_run(version, lanes, sums, r * width + i * WP - p + j0, y, y_row + j0, j1 - j0)

    return correlate_pixel_lanes
