"""Sums over windows of images: `y[n, o, p] = bias[o] + sum over k of image[origin[p] + term[k]] * w[o, k]`.

Both kernels read packed weights, and copies of images with their padding.  They differ in what a vector holds (see
`tile`): `channel_lanes` output channels, `pixel_lanes` neighbouring pixels.

The work is cut into items: some rows of the output of an image and group, and a part of its output channels.  An
item computes all of its sums, in an order that does not depend on the cut: channels in chunks, and the chunks one
after the other, which also keeps the rounding error of long sums small.

What a geometry demands comes in one table of integers: sizes, then the terms, then for channels in lanes the origins.
A kernel returns False where only the plain loops are right (see `layout.exact`), if it was to find that out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..arrays import Array, IntArray
from .ahead import channels_in_lanes_ahead
from .compilation import VERSION, compiled
from .layout import copy_image, exact, pack_weights, whole, workspace, write_block
from .moves import clear, copy_run
from .tile import address, channels_in_lanes, first_numbers, flat, pixels_in_lanes


@cache
def channel_lanes(lanes: int, rows: int, vectors: int) -> Callable[..., bool]:
    """The kernel whose tile has `rows` pixels and `vectors * lanes` output channels.

    Where no window leaves the image, it is not copied.  Small images are taken some at a time.
    """
    version = VERSION
    width = vectors * lanes

    @compiled
    def correlate_channel_lanes(x: Array, w: Array, b: Array, table: IntArray, y: Array, start: int, stop: int) -> bool:
        (
            checked, terms_at, origins_at, weights_at, N, G, C, O, H, W, row, column, HB, WP, sh, copied, at, OH,  # noqa: E741
            OW, band, some, chunk, taps, next_step, next_tiles, blocks, bands, parts, group_step, output_step,
            channel_step,
        ) = first_numbers(table, 31)  # fmt: skip
        x_, w_, y_ = flat(x), flat(w), flat(y)
        sums_at = whole(lanes, chunk * taps * width)
        bias_at = sums_at + (some * band * OW + rows + lanes) * width
        square_at = bias_at + width
        work_at = square_at + lanes * lanes
        work, packed_at = workspace(lanes, work_at + (some * C * HB * WP if copied else 0), x_)
        sums_at, bias_at, square_at, work_at = (
            packed_at + sums_at, packed_at + bias_at, packed_at + square_at, packed_at + work_at,
        )  # fmt: skip
        if copied:
            clear(work, work_at, some * C * HB * WP)
        source, step = (work, HB * WP) if copied else (x_, H * W)
        work_ = address(work)
        one: Any = np.int64(1)  # no literal, for which another copy_image is compiled
        for item in range(start, stop):
            part, i0, g = item % parts, item // parts % bands * band, item // parts // bands % G
            first = item // parts // bands // G * some
            images, P, image_at = min(some, N - first), min(band, OH - i0) * OW, work_at
            if copied:
                for n in range(images):
                    x_at = ((first + n) * G + g) * C * H * W
                    copy_image(
                        version, lanes, x_, x_at, C, H, W, row - i0 * sh, column, HB, WP, one, one,
                        work_at + n * C * HB * WP, work,
                    )  # fmt: skip
            else:
                image_at = (first * G + g) * C * H * W + at + i0 * sh * W
            for block in range(part * blocks // parts, (part + 1) * blocks // parts):
                o0 = block * width
                for o in range(width):
                    work[bias_at + o] = b[g * O + o0 + o] if o0 + o < O and b.size > 0 else 0
                for c in range(0, C, chunk):
                    count = min(chunk, C - c) * taps
                    runs, run = (1, count) if channel_step == taps else (count // taps, taps)
                    pack_weights(
                        version, lanes, w_, g * group_step + o0 * output_step + c * channel_step, output_step,
                        O - o0, channel_step, runs, run, width, work, packed_at,
                    )  # fmt: skip
                    # the weights that are packed next
                    next_o, next_c = (o0, c + chunk) if c + chunk < C else (o0 + width if o0 + width < O else 0, 0)
                    next_at = g * group_step + next_o * output_step + next_c * channel_step
                    # the first chunk begins with the bias, the others with the sums so far
                    base_at, base_row = (sums_at, width) if c else (bias_at, 0)
                    for p in range(0, images * P, rows):
                        if p < next_tiles * rows:
                            channels_in_lanes_ahead(
                                version, lanes, rows, vectors, work_, sums_at + p * width, width, work_,
                                base_at + p * base_row, base_row, lanes, source, image_at + c * step, table, terms_at,
                                count, work, packed_at, table, origins_at + p, w_, next_at + p // rows * next_step,
                                weights_at,
                            )  # fmt: skip
                        else:
                            channels_in_lanes(
                                version, lanes, rows, vectors, work_, sums_at + p * width, width, work_,
                                base_at + p * base_row, base_row, lanes, source, image_at + c * step, table, terms_at,
                                count, work, packed_at, table, origins_at + p,
                            )  # fmt: skip
                for n in range(images):
                    for o in range(o0, min(O, o0 + width), lanes):
                        y_at = ((((first + n) * G + g) * O + o) * OH + i0) * OW
                        for p in range(0, P, lanes):
                            write_block(
                                version, lanes, work, sums_at + (n * P + p) * width + o - o0, width, y_, y_at + p,
                                OH * OW, min(lanes, P - p), min(lanes, O - o), work, square_at,
                            )  # fmt: skip
        return checked == 0 or exact(w, y)

    return correlate_channel_lanes


@cache
def pixel_lanes(lanes: int, rows: int, vectors: int) -> Callable[..., bool]:
    """The kernel whose tile has `rows` output channels and `vectors * lanes` pixels.

    Pixels are numbered through the rows of the copy, so that a vector may go on in the next row; the sums for the
    columns between two rows of `y` are made and dropped.  With `panels`, the image has one tap and rows of the
    width of a tile.  A `strip` of tiles is made for one chunk of channels after the other.
    """
    version, square_of = VERSION, rows & -rows  # blocks to transpose have a power of two
    width = vectors * lanes

    @compiled
    def correlate_pixel_lanes(x: Array, w: Array, b: Array, table: IntArray, y: Array, start: int, stop: int) -> bool:
        (
            checked, terms_at, G, C, O, H, W, row, column, HB, WP, sh, sw, OH, OW, band, chunk, taps,  # noqa: E741
            strip, blocks, bands, parts, group_step, output_step, channel_step,
        ) = first_numbers(table, 25)  # fmt: skip
        x_, w_, y_ = flat(x), flat(w), flat(y)
        step = sh * sw * HB * WP
        packed_size = whole(lanes, blocks * C * taps * rows)
        # the last vector may read beyond the last pixel
        image_size = whole(lanes, C * sh * sw * HB * WP + width)
        sums_size, bias_size = blocks * rows * strip, blocks * rows * lanes
        work, packed_at = workspace(
            lanes, packed_size + sums_size + bias_size + image_size, x_
        )  # fmt: skip
        sums_at = packed_at + packed_size
        bias_at = sums_at + sums_size
        image_at = bias_at + bias_size
        clear(work, image_at, image_size)
        work_, y__ = address(work), address(y_)
        runs, run = (1, C * taps) if channel_step == taps else (C, taps)
        packed_group = -1
        for item in range(start, stop):
            n_g, i0, part = item // parts // bands, item // parts % bands * band, item % parts
            g, x_at, i1 = n_g % G, n_g * C * H * W, min(i0 + band, OH)
            first, last = part * blocks // parts, (part + 1) * blocks // parts
            if g != packed_group or parts > 1:
                packed_group = g
                for block in range(first, last):
                    pack_weights(
                        version, square_of, w_, g * group_step + block * rows * output_step, output_step,
                        O - block * rows, channel_step, runs, run, rows, work, packed_at + block * C * taps * rows,
                    )  # fmt: skip
                for r in range(first * rows, last * rows):
                    for lane in range(lanes):
                        work[bias_at + r * lanes + lane] = b[g * O + r] if r < O and b.size > 0 else 0
            copy_image(version, lanes, x_, x_at, C, H, W, row - i0 * sh, column, HB, WP, sh, sw, image_at, work)
            pixels = (i1 - i0 - 1) * WP + OW
            for s in range(0, pixels, strip):
                end = min(s + strip, pixels)
                for c in range(0, C, chunk):
                    for p in range(s, end, width):
                        i, j = p // WP, p % WP
                        for block in range(first, last):
                            place, place_at, place_row = work_, sums_at + block * rows * strip + p - s, strip
                            if j + width <= OW and (block + 1) * rows <= O:  # all in a row of y
                                place, place_row = y__, OH * OW
                                place_at = ((n_g * O + block * rows) * OH + i0 + i) * OW + j
                            base, base_at, base_row, base_vector = work_, bias_at + block * rows * lanes, lanes, 0
                            if c:
                                base, base_at, base_row, base_vector = place, place_at, place_row, lanes
                            pixels_in_lanes(
                                version, lanes, rows, vectors, place, place_at, place_row, base, base_at, base_row,
                                base_vector, work, image_at + c * step + p, table, terms_at,
                                min(chunk, C - c) * taps, work, packed_at + (block * C + c) * taps * rows,
                            )  # fmt: skip
                for p in range(s, end, width):
                    for r in range(O // rows * rows if p % WP + width <= OW else first * rows, min(last * rows, O)):
                        for i in range(p // WP, min((p + width - 1) // WP + 1, i1 - i0)):
                            # the columns of row i that this tile has
                            j0, j1 = max(0, p - i * WP), min(OW, p + width - i * WP)
                            y_row, row_at = ((n_g * O + r) * OH + i0 + i) * OW, sums_at + r * strip + i * WP - s
                            copy_run(version, lanes, work, row_at + j0, y_, y_row + j0, j1 - j0)
        return checked == 0 or exact(w, y)

    return correlate_pixel_lanes
