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
from .layout import pack_weights, whole, workspace, write_block
from .moves import transpose
from .tile import address, channels_in_lanes, first_numbers, flat
from .transforms import DATA, KERNEL, OUTPUT, transform


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
def room(lanes: int, size: int, like: Array) -> Array:
    """Memory for `size` numbers, from the beginning of a vector on."""
    memory, at = workspace(lanes, size, like)
    return memory[at : at + size]


@compiled
def transform_image(
    version: int, lanes: int, m: int, x: Array, at: int, C: int, H: int, W: int, before_row: int, before_column: int,
    last_row: int, last_column: int, TH: int, TW: int, image: Array, V: Array, V_at: int, channel_step: int,
    point_step: int,
) -> None:  # fmt: skip
    """Write to V the `TH` x `TW` tiles of the image at `x[at]`, as `copy_channels` has it, for all channels."""
    columns = TW * m + 2
    zero: Any = np.int64(0)  # no literal, for which another transform is compiled
    for c in range(0, C, lanes):
        copy_channels(
            version, lanes, x, at + c * H * W, C - c, H, W, before_row, before_column, last_row, last_column,
            TH * m + 2, columns, image,
        )  # fmt: skip
        for a in range(TH):
            for b in range(TW):
                transform(
                    version, lanes, DATA, m, image, (a * m * columns + b * m) * lanes, columns * lanes, lanes, image,
                    zero, V, V_at + c * channel_step + (a * TW + b) * lanes, (m + 2) * point_step, point_step,
                )  # fmt: skip


@compiled
def transform_weights(
    version: int, lanes: int, m: int, w: Array, at: int, C: int, O: int, channel_step: int, output_step: int,  # noqa: E741
    first: int, row: int, column: int, packed: Array, U: Array, U_at: int, width: int, point_step: int,
) -> None:  # fmt: skip
    """Write to U the weights from `w[at]` on of `C` input channels and `lanes` outputs, of which `O` are there.

    `first` is the place, among its nine, of the weight at the upper left corner of a window; from there they are `row`
    and `column` apart, forwards or backwards.  Weights of 16 channels are packed at a time: they are then still in the
    first-level cache.
    """
    zero: Any = np.int64(0)
    for c in range(0, C, 16):
        count, w_at = min(16, C - c), at + c * channel_step
        runs, run = (1, count * 9) if channel_step == 9 else (count, 9)
        if lanes <= O and w_at + (lanes - 1) * output_step + (runs - 1) * channel_step + run + lanes <= w.size:
            for i in range(runs):
                for k in range(0, run, lanes):  # what is beyond a run is written again
                    source, to = w_at + i * channel_step + k, (i * run + k) * lanes
                    transpose(version, lanes, w, source, output_step, packed, to, lanes)
        else:
            pack_weights(version, lanes, w, w_at, output_step, O, channel_step, runs, run, lanes, packed, zero)
        for k in range(count):
            transform(
                version, lanes, KERNEL, m, packed, (k * 9 + first) * lanes, row * lanes, column * lanes, packed, zero,
                U, U_at + (c + k) * width, (m + 2) * point_step, point_step,
            )  # fmt: skip


@compiled
def write_image(
    version: int, lanes: int, m: int, M: Array, M_at: int, point_step: int, O: int, width: int, bias: Array,  # noqa: E741
    TH: int, TW: int, OH: int, OW: int, first_row: int, result: Array, square: Array, y: Array, at: int,
) -> None:  # fmt: skip
    """Write rows from `first_row` on of the image at `y[at]`: `TH` x `TW` tiles, `O` of `width` channels."""
    zero: Any = np.int64(0)
    for a in range(TH):
        # from right to left: what a tile has beyond the image lies where the first one of the next row goes
        for b in range(TW - 1, -1, -1):
            for o in range(0, width, lanes):
                transform(
                    version, lanes, OUTPUT, m, M, M_at + (a * TW + b) * width + o, (m + 2) * point_step, point_step,
                    bias, o, result, b * m * width + o, OW * width, width,
                )  # fmt: skip
        row = first_row + a * m
        pixels = min(m, OH - row) * OW
        for o in range(0, min(O, width), lanes):
            for p in range(0, pixels, lanes):
                to = at + o * OH * OW + row * OW + p
                if o + lanes <= O and p + lanes <= pixels:  # here, as a call costs more than the block
                    transpose(version, lanes, result, p * width + o, width, y, to, OH * OW)
                else:
                    write_block(
                        version, lanes, result, p * width + o, width, y, to, OH * OW, min(lanes, pixels - p),
                        min(lanes, O - o), square, zero,
                    )  # fmt: skip


@cache
def channel_lanes(lanes: int, rows: int, vectors: int, outputs: int) -> Callable[..., None]:
    """The kernel for F(outputs x outputs, 3 x 3); registers hold `rows` tiles and `vectors * lanes` output channels."""
    version, m, width, points = VERSION, outputs, vectors * lanes, (outputs + 2) ** 2

    @compiled
    def winograd(x: Array, w: Array, b: Array, table: IntArray, y: Array, start: int, stop: int) -> None:
        (
            _, terms_at, origins_at, N, G, C, O, H, W, row, column, OH, OW, TH, TW, some, band, chunk, blocks,  # noqa: E741
            bands, parts, group_step, output_step, channel_step, w_first, w_row, w_column,
        ) = first_numbers(table, 27)  # fmt: skip
        x_, w_, y_, T = flat(x), flat(w), flat(y), some * band * TW
        V_step, U_step, M_step = whole(lanes, C) * T + 16, chunk * width + 16, (T + rows) * width + 16
        image = room(lanes, ((band * m + 2) * (TW * m + 2) + lanes) * lanes, x_)
        packed, square = room(lanes, (16 * 9 + lanes) * lanes, x_), room(lanes, lanes * lanes, x_)
        V, U, M = room(lanes, points * V_step, x_), room(lanes, points * U_step, x_), room(lanes, points * M_step, x_)
        result, bias = room(lanes, (m * OW + m + lanes) * width, x_), room(lanes, width, x_)
        zeros = np.zeros(width, x.dtype)
        M_, zeros_ = address(M), address(zeros)
        for item in range(start, stop):
            part, a, g = item % parts, item // parts % bands * band, item // parts // bands % G
            first = item // parts // bands // G * some
            images, down = min(some, N - first), min(band, TH - a)
            for i in range(images):
                transform_image(
                    version, lanes, m, x_, ((first + i) * G + g) * C * H * W, C, H, W, row - a * m, column,
                    OH + 2 - a * m, OW + 2, down, TW, image, V, i * down * TW * lanes, T, V_step,
                )  # fmt: skip
            for block in range(part * blocks // parts, (part + 1) * blocks // parts):
                O_here, w_at = O - block * width, g * group_step + block * width * output_step
                for o in range(width):
                    bias[o] = b[g * O + block * width + o] if o < O_here and b.size > 0 else 0
                for c in range(0, C, chunk):
                    count = min(chunk, C - c)
                    for o in range(0, width, lanes):
                        transform_weights(
                            version, lanes, m, w_, w_at + c * channel_step + o * output_step, count, O_here - o,
                            channel_step, output_step, w_first, w_row, w_column, packed, U, o, width, U_step,
                        )  # fmt: skip
                    # the first chunk begins with 0, the others with the sums so far
                    base, base_row = (M_, width) if c else (zeros_, 0)
                    for s in range(points):
                        for t in range(0, images * down * TW, rows):
                            at = s * M_step + t * width
                            channels_in_lanes(
                                version, lanes, rows, vectors, M_, at, width, base, at if c else 0, base_row, lanes, V,
                                s * V_step + c * T, table, terms_at, count, U, s * U_step, table, origins_at + t,
                            )  # fmt: skip
                for i in range(images):
                    write_image(
                        version, lanes, m, M, i * down * TW * width, M_step, O_here, width, bias, down, TW, OH, OW,
                        a * m, result, square, y_, (((first + i) * G + g) * O + block * width) * OH * OW,
                    )  # fmt: skip

    return winograd
