"""Sums over windows of 3 x 3 pixels by fewer products: Winograd's F(m x m, 3 x 3), with `n = m + 2` (see `toom_cook`).

    V[s, t, c] = (B^T image_tc B)[s]           tile t of channel c, n x n pixels that overlap the next by 2
    U[s, c, o] = (G w_oc G^T)[s]
    M[s, t, o] = sum over c of V[s, t, c] * U[s, c, o]           n x n products for m x m outputs, not 9 * m * m
    y_to = A^T M_to A + bias[o]

The sums over channels are the tile of `tile` once more, for each `s`.  In all transforms the lanes are channels, so
that no size of an image leaves lanes empty: images are transposed in squares of lanes when they are copied with
their padding, and results when they are written.

The work is cut into items: some rows of tiles of an image (or some images) and a part of the output channels.  V of an
item should stay in the second-level cache; U is made for a block of output channels and some input channels at a
time, and used at once.  The arrays for different `s` are a cache line more than needed apart, as they would share sets
of the first-level cache.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..arrays import Array, IntArray
from .compilation import VERSION, compiled
from .layout import pack_weights, write_block
from .moves import transpose
from .tile import address, channels_in_lanes
from .transforms import DATA, KERNEL, OUTPUT, transform

#: Input channels whose weights are packed at a time, so that they are still in the first-level cache when transformed.
PACKED = 16


@compiled
def copy_channels(
    version: int, lanes: int, x: Array, at: int, C: int, H: int, W: int, before_row: int, before_column: int,
    last_row: int, last_column: int, rows: int, columns: int, copy: Array,
) -> None:  # fmt: skip
    """Write `copy[r, k, c] = x[c, r - before_row, k - before_column]` for `lanes` channels of the image at `x[at]`.

    It is 0 outside x and from `last_row` and `last_column` on; lanes from `C` on hold anything.  `copy` has room for
    `lanes` pixels more.
    """
    first, last = max(0, before_column), min(columns, W + before_column, last_column)
    for r in range(rows):
        h, start, end = r - before_row, r * columns * lanes, (r + 1) * columns * lanes
        if h < 0 or h >= H or r >= last_row:
            for i in range(start, end):
                copy[i] = 0
            continue
        for k in range(first, last, lanes):
            source, to = at + h * W + k - before_column, start + k * lanes
            if source + (lanes - 1) * H * W + lanes <= x.size:  # pixels from `last` on are written again
                transpose(version, lanes, x, source, H * W, copy, to, lanes)
            else:
                for c in range(min(lanes, C)):
                    for i in range(min(lanes, last - k)):
                        copy[to + i * lanes + c] = x[source + c * H * W + i]
        for i in range(start, start + first * lanes):
            copy[i] = 0
        for i in range(start + max(first, last) * lanes, end):
            copy[i] = 0


@compiled
def aligned(size: int, like: Array) -> Array:
    """Room for `size` numbers as those of `like`, at the beginning of a cache line: no vector then lies in two."""
    bytes_ = like.itemsize
    room = np.empty(size + 64 // bytes_, like.dtype)
    skip = -address(room) % 64 // bytes_
    return room[skip : skip + size]


@cache
def channel_lanes(lanes: int, rows: int, vectors: int, outputs: int) -> Callable[..., None]:
    """The kernel for F(outputs x outputs, 3 x 3); registers hold `rows` tiles and `vectors * lanes` output channels.

    `w_first` is the place, among its nine, of the weight at the upper left corner of windows; from there they are
    `w_row` and `w_column` apart, forwards or backwards.
    """
    version, m, width, points = VERSION, outputs, vectors * lanes, (outputs + 2) ** 2
    some_c, data, kernel, output = PACKED, DATA, KERNEL, OUTPUT

    @compiled
    def winograd(
        x: Array, w: Array, bias: Array, terms: IntArray, origins: IntArray, sizes: tuple[int, ...], y: Array,
        start: int, stop: int,
    ) -> None:  # fmt: skip
        (
            N, G, C, O, H, W, row, column, OH, OW, TH, TW, some, band, chunk, parts, group_step, output_step,  # noqa: E741
            channel_step, w_first, w_row, w_column,
        ) = sizes  # fmt: skip
        n, blocks, bands, T = m + 2, -(-O // width), -(-TH // band), some * band * TW
        HB, WB = band * m + 2, TW * m + 2
        v_step, u_step, m_step = -(-C // lanes) * T * lanes + 16, chunk * width + 16, (T + rows) * width + 16
        image, V = aligned((HB * WB + lanes) * lanes, x), aligned(points * v_step, x)
        packed, U = aligned((some_c * 9 + lanes) * lanes, x), aligned(points * u_step, x)
        M, result = aligned(points * m_step, x), aligned((m * OW + m + lanes) * width, x)
        square, zeros = aligned(lanes * lanes, x), np.zeros(width, x.dtype)
        M_, zeros_ = address(M), address(zeros)
        zero: Any = np.int64(0)
        for item in range(start, stop):
            part, a0, g = item % parts, item // parts % bands * band, item // parts // bands % G
            first = item // parts // bands // G * some
            images, down = min(some, N - first), min(band, TH - a0)
            for i in range(images):
                for c in range(0, C, lanes):
                    x_at = (((first + i) * G + g) * C + c) * H * W
                    copy_channels(
                        version, lanes, x, x_at, C - c, H, W, row - a0 * m, column, OH + 2 - a0 * m, OW + 2,
                        down * m + 2, WB, image,
                    )  # fmt: skip
                    v_at = c * T + i * down * TW * lanes
                    for a in range(down):
                        for b in range(TW):
                            transform(
                                version, lanes, data, m, image, (a * m * WB + b * m) * lanes, WB * lanes, lanes, zeros,
                                zero, V, v_at + (a * TW + b) * lanes, n * v_step, v_step,
                            )  # fmt: skip
            for block in range(part * blocks // parts, (part + 1) * blocks // parts):
                for c in range(0, C, chunk):
                    count = min(chunk, C - c)
                    for i in range(-(-count // some_c) * vectors):
                        k, o = i // vectors * some_c, i % vectors * lanes
                        channels = min(some_c, count - k)
                        w_at = g * group_step + (block * width + o) * output_step + (c + k) * channel_step
                        runs, run = (1, channels * 9) if channel_step == 9 else (channels, 9)
                        last = w_at + (lanes - 1) * output_step + (runs - 1) * channel_step + run + lanes
                        if block * width + o + lanes <= O and last <= w.size:
                            for r in range(runs):
                                for j in range(0, run, lanes):  # what is beyond a run is written again
                                    to = (r * run + j) * lanes
                                    transpose(
                                        version, lanes, w, w_at + r * channel_step + j, output_step, packed, to, lanes
                                    )
                        else:
                            pack_weights(
                                version, lanes, w, w_at, output_step, O - block * width - o, channel_step, runs, run,
                                lanes, packed, zero, square,
                            )  # fmt: skip
                        for j in range(channels):
                            transform(
                                version, lanes, kernel, m, packed, (j * 9 + w_first) * lanes, w_row * lanes,
                                w_column * lanes, zeros, zero, U, (k + j) * width + o, n * u_step, u_step,
                            )  # fmt: skip
                    # the first chunk begins with 0, the others with the sums so far
                    base, base_row = (M_, width) if c else (zeros_, 0)
                    for s in range(points):
                        for t in range(0, images * down * TW, rows):
                            at = s * m_step + t * width
                            channels_in_lanes(
                                version, lanes, rows, vectors, M_, at, width, base, at if c else 0, base_row, lanes, V,
                                s * v_step + c * T, terms, 0, count, U, s * u_step, origins, t,
                            )  # fmt: skip
                for i in range(images):
                    for a in range(down):
                        # from right to left: what a tile has beyond the image lies where the next row's first one goes
                        for b in range(TW - 1, -1, -1):
                            for o in range(0, width, lanes):
                                transform(
                                    version, lanes, output, m, M, ((i * down + a) * TW + b) * width + o, n * m_step,
                                    m_step, bias, (g * blocks + block) * width + o, result, b * m * width + o,
                                    OW * width, width,
                                )  # fmt: skip
                        pixels = min(m, OH - (a0 + a) * m) * OW
                        for o in range(0, min(O - block * width, width), lanes):
                            y_at = (((first + i) * G + g) * O + block * width + o) * OH * OW + (a0 + a) * m * OW
                            outputs_here = min(O - block * width - o, lanes)
                            for p in range(0, pixels, lanes):
                                if outputs_here == lanes and p + lanes <= pixels:  # a call costs more than the block
                                    transpose(version, lanes, result, p * width + o, width, y, y_at + p, OH * OW)
                                    continue
                                write_block(
                                    version, lanes, result, p * width + o, width, y, y_at + p, OH * OW,
                                    min(lanes, pixels - p), outputs_here, square,
                                )  # fmt: skip

    return winograd
