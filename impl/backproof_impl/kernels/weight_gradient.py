"""The weight gradient in register tiles: `dw[o, k] = sum over n, p of dy[n, o, p] * image_n[origin[k] + term[p]]`.

It is the sum of `correlation` with taps and pixels exchanged: a row of the tile is a tap of a channel, a term a pixel
of `dy`, and what is packed is `dy`, a block of pixels at a time.

An item is a group, a block of output channels, and a part of the channels of `x`; it adds up all images, in their
order.  Small images are taken some at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..arrays import LINE, Array, IntArray
from .ahead import fetch_rows
from .compilation import VERSION, compiled
from .layout import copy_image, exact, workspace, write_block
from .moves import clear, transpose
from .tile import address, channels_in_lanes, first_numbers, flat

#: Pixels of `dy` that are packed at a time; also how many products are added up before their sum is.
BLOCK = 256


@cache
def channel_lanes(lanes: int, rows: int, vectors: int) -> Callable[..., bool]:
    """The kernel whose tile has `rows` taps and `vectors * lanes` output channels."""
    version, most = VERSION, BLOCK
    width = vectors * lanes

    @compiled
    def weight_gradient_channel_lanes(x: Array, dy: Array, table: IntArray, dw: Array, start: int, stop: int) -> bool:
        (
            checked, terms_at, origins_at, N, G, C, O, H, W, row, column, HB, WP, sh, copied, at, OH, OW, band,  # noqa: E741
            some, taps, parts,
        ) = first_numbers(table, 22)  # fmt: skip
        x_, dy_, dw_ = flat(x), flat(dy), flat(dw)
        blocks, some_of_C, P = -(-O // width), C // parts, OH * OW
        K = some_of_C * taps
        tiles = -(-K // rows)
        sums_size = (tiles * rows + lanes) * width  # whole tiles, and whole blocks to transpose
        zeros_at = sums_size + most * width
        square_at = zeros_at + width
        copy_at = square_at + lanes * lanes
        copy_size = some_of_C * HB * WP if copied else 0
        work, sums_at = workspace(lanes, copy_at + some * copy_size, x_)
        packed_at, square_at, copy_at = sums_at + sums_size, sums_at + square_at, sums_at + copy_at
        zeros_at += sums_at
        clear(work, packed_at, most * width + width)
        clear(work, copy_at, some * copy_size)
        source, work_ = work if copied else x_, address(work)
        channel_step, whole_line = (HB * WP if copied else H * W), LINE // x_.itemsize
        one: Any = np.int64(1)  # no literal, for which another copy_image is compiled
        for item in range(start, stop):
            g, block, c = item // parts // blocks, item // parts % blocks, item % parts * some_of_C
            o0 = block * width
            base_at, base_row = zeros_at, 0
            for n0 in range(0, N, some):
                images, image_at = min(some, N - n0), copy_at
                for i0 in range(0, OH, band):
                    for n in range(images):
                        x_at = (((n0 + n) * G + g) * C + c) * H * W
                        if copied:
                            copy_image(
                                version, lanes, x_, x_at, some_of_C, H, W, row - i0 * sh, column, HB, WP, one, one,
                                copy_at + n * copy_size, work,
                            )  # fmt: skip
                        elif n == 0:
                            image_at = x_at + at + i0 * sh * W
                    band_pixels = min(band, OH - i0) * OW
                    for p in range(0, band_pixels, most):
                        pixels = min(most, band_pixels - p)
                        for n in range(images):
                            dy_at = ((n0 + n) * G + g) * O * P + i0 * OW + p
                            for o in range(o0, min(O, o0 + width), lanes):
                                to = packed_at + n * P * width + o - o0
                                pack_cotangents(version, lanes, dy_, dy_at + o * P, P, O - o, pixels, work, to, width)
                        for i in range(0, tiles * rows, rows):
                            if taps == 1 and i + 2 * rows <= K:
                                # each row of the next tile is another channel, which no processor foresees
                                next_at = image_at + table[terms_at + p] + table[origins_at + i + rows]
                                for line in range(next_at, next_at + 4 * whole_line, whole_line):
                                    fetch_rows(rows, source, line, channel_step)
                            at_i = sums_at + i * width
                            channels_in_lanes(
                                version, lanes, rows, vectors, work_, at_i, width, work_, base_at + i * base_row,
                                base_row, lanes, source, image_at, table, terms_at + p, images * pixels, work,
                                packed_at, table, origins_at + i,
                            )  # fmt: skip
                        base_at, base_row = sums_at, width
            for o in range(o0, min(O, o0 + width), lanes):
                for k in range(0, K, lanes):
                    write_block(
                        version, lanes, work, sums_at + k * width + o - o0, width, dw_,
                        ((g * O + o) * C + c) * taps + k, C * taps, min(lanes, K - k), min(lanes, O - o), work,
                        square_at,
                    )  # fmt: skip
        return checked == 0 or exact(dy, dw)

    return weight_gradient_channel_lanes


@compiled
def pack_cotangents(
    version: int, lanes: int, dy: Array, at: int, P: int, channels: int, pixels: int, packed: Array, packed_at: int,
    width: int,
) -> None:  # fmt: skip
    """Write `packed[q, o] = dy[at + o*P + q]` for at most `lanes` channels."""
    for i in range(0, pixels, lanes):
        to = packed_at + i * width
        if channels >= lanes and pixels - i >= lanes:
            # the block after the next: no processor follows so many channels
            fetch_rows(lanes, dy, at + i + 2 * lanes, P)
            transpose(version, lanes, dy, at + i, P, packed, to, width)
            continue
        for j in range(min(lanes, channels)):
            for q in range(min(lanes, pixels - i)):
                packed[to + q * width + j] = dy[at + i + j * P + q]
