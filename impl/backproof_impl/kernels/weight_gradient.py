"""The weight gradient in register tiles: `dw[o, k] = sum over n, p of dy[n, o, p] * image_n[origin[k] + term[p]]`.

It is the sum of `correlation` with taps and pixels exchanged: a row of the tile is a tap of a channel, a term a pixel
of `dy`, and what is packed is `dy`, a block of pixels at a time.

An item is a group, a block of output channels, and a part of the channels of `x`; it adds up all images, in their
order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..arrays import Array, IntArray
from .compilation import VERSION, compiled
from .layout import copy_image, write_block
from .moves import transpose
from .tile import address, channels_in_lanes

#: Pixels of `dy` that are packed at a time; also how many products are added up before their sum is.
BLOCK = 256


@cache
def channel_lanes(lanes: int, rows: int, vectors: int) -> Callable[..., None]:
    """The kernel whose tile has `rows` taps and `vectors * lanes` output channels."""
    version, block = VERSION, BLOCK
    width = vectors * lanes

    @compiled
    def weight_gradient_channel_lanes(
        x: Array, dy: Array, terms: IntArray, origins: IntArray, sizes: tuple[int, ...], dw: Array, start: int,
        stop: int,
    ) -> None:  # fmt: skip
        N, G, C, O, H, W, row, column, HB, WP, sh, copied, at, OH, OW, band, taps, parts = sizes  # noqa: E741
        blocks, some_of_C, P = -(-O // width), C // parts, OH * OW
        K = some_of_C * taps
        tiles = -(-K // rows)
        image = np.zeros(some_of_C * HB * WP if copied else 1, x.dtype)
        cotangents, square = np.zeros(block * width, x.dtype), np.empty(lanes * lanes, x.dtype)
        sums = np.empty((tiles * rows + lanes) * width, x.dtype)  # whole tiles, and whole blocks to transpose
        source, sums_ = image if copied else x, address(sums)
        one: Any = np.int64(1)  # no literal, for which another copy_image is compiled
        zero: Any = np.int64(0)
        for item in range(start, stop):
            g, b, c = item // parts // blocks, item // parts % blocks, item % parts * some_of_C
            for i in range(sums.size):
                sums[i] = 0
            for n in range(N):
                x_at = ((n * G + g) * C + c) * H * W
                for i0 in range(0, OH, band):
                    if copied:
                        copy_image(
                            version, lanes, x, x_at, some_of_C, H, W, row - i0 * sh, column, HB, WP, one, one, zero,
                            image,
                        )  # fmt: skip
                    image_at = 0 if copied else x_at + at + i0 * sh * W
                    band_pixels = min(band, OH - i0) * OW
                    for p in range(0, band_pixels, block):
                        pixels = min(block, band_pixels - p)
                        for o in range(b * width, min(O, (b + 1) * width), lanes):
                            for i in range(0, pixels, lanes):
                                dy_at, to = ((n * G + g) * O + o) * P + i0 * OW + p + i, i * width + o - b * width
                                if O - o >= lanes and pixels - i >= lanes:
                                    transpose(version, lanes, dy, dy_at, P, cotangents, to, width)
                                else:
                                    for j in range(min(lanes, O - o)):
                                        for q in range(min(lanes, pixels - i)):
                                            cotangents[to + q * width + j] = dy[dy_at + j * P + q]
                        for i in range(tiles):
                            sums_at = i * rows * width
                            channels_in_lanes(
                                version, lanes, rows, vectors, sums_, sums_at, width, sums_, sums_at, width, lanes,
                                source, image_at, terms, p, pixels, cotangents, 0, origins, i * rows,
                            )  # fmt: skip
            for o in range(b * width, min(O, (b + 1) * width), lanes):
                for k in range(0, K, lanes):
                    write_block(
                        version, lanes, sums, k * width + o - b * width, width, dw,
                        ((g * O + o) * C + c) * taps + k, C * taps, min(lanes, K - k), min(lanes, O - o), square,
                    )  # fmt: skip

    return weight_gradient_channel_lanes
