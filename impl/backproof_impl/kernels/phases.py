"""Sums over windows of images in all phases of a stride, from one copy of each image, written side by side.

The pixels of the result that have the same remainders by the strides form a phase, see `windows`.  Its sums are those
of `correlation.pixel_lanes`; here the sums of all phases, and of some rows, are made before any is written::

    dx[n, o, a*R + r, b*K + k] = sum over j of copy[p(a, b) + term[r, k][j]] * w[o, tap[r, k][j]]

for `R` kinds of rows and `K` kinds of columns, so that the copy is made once, and whole rows of `dx` are written.

A tile has `rows` output channels; with few of them, `halves`: its upper half are those of one kind of rows, the lower
half those of the next.  What both kinds read is loaded once for both, by a whole tile; what only one of them reads is
added by half a tile.  So a table has *passes*, for whole tiles and then for halves of them, and for each its taps; a
block of output channels goes through all passes.

An item is some rows of an image and group, and a part of its output channels.  See `correlation` for the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..arrays import Array, IntArray
from .compilation import VERSION, compiled
from .layout import copy_image, exact, whole, workspace
from .moves import clear, copy_apart, copy_every, copy_run, interleave
from .tile import address, first_numbers, flat, pixels_in_lanes

#: Integers that describe a pass: its rows in the sums, whether they begin with it, how many taps it has, where their
#: terms, their places in `w` and their packed weights begin.
PASS = 6


@compiled
def _pack(
    w: Array, at: int, output_step: int, outputs: int, channel_step: int, C: int, table: IntArray, taps_at: int,
    taps: int, kinds: int, rows: int, packed: Array, packed_at: int,
) -> None:  # fmt: skip
    """Write `packed[c, j, kind, o] = w[at + o*output_step + c*channel_step + tap[kind, j]]`, 0 beyond `outputs`."""
    to, used = packed_at, min(rows, outputs)
    for c in range(C):
        for j in range(taps):
            for kind in range(kinds):
                source = at + c * channel_step + table[taps_at + kind * taps + j]
                copy_every(w, source, output_step, packed, to, used)
                if used < rows:
                    clear(packed, to + used, rows - used)
                to += rows


@compiled
def _write_rows(
    version: int, lanes: int, sums: Array, at: int, strip: int, pitch: int, count: int, table: IntArray, kinds_at: int,
    R: int, K: int, y: Array, y_at: int, outputs: int, rows: int, columns: int, first: int,
) -> None:  # fmt: skip
    """Write `outputs` channels of `count` rows of each kind, from the `first` on, whose sums are `pitch` apart."""
    for i in range(count):
        for r in range(min(R, rows - (first + i) * R)):
            kinds, to = kinds_at + r * K, y_at + ((first + i) * R + r) * columns
            for source in range(at + i * pitch, at + i * pitch + outputs * strip, strip):
                if K == 1:
                    copy_run(version, lanes, sums, source + table[kinds] * strip, y, to, columns)
                elif K == 2:
                    even, odd = source + table[kinds] * strip, source + table[kinds + 1] * strip
                    interleave(version, lanes, sums, even, odd, y, to, columns)
                else:
                    for k in range(K):
                        copy_apart(sums, source + table[kinds + k] * strip, y, to + k, K, (columns - k + K - 1) // K)
                to += rows * columns


@cache
def pixel_lanes(lanes: int, rows: int, vectors: int, halves: bool) -> Callable[..., bool]:
    """The kernel whose tile has `rows` output channels, or half as many of two kinds, and `vectors * lanes` pixels."""
    version, half = VERSION, rows // 2
    width = vectors * lanes
    outputs = half if halves else rows

    @compiled
    def phases_pixel_lanes(x: Array, w: Array, table: IntArray, y: Array, start: int, stop: int) -> bool:
        (
            checked, passes_at, sums_rows_at, taps_at, terms_at, G, C, O, H, W, row, column, HB, WP, sh, YH, YW,  # noqa: E741
            R, K, OH, OW, band, chunk, wholes, passes, block_rows, block_packed, blocks, bands, parts, group_step,
            output_step, channel_step,
        ) = first_numbers(table, 33)  # fmt: skip
        x_, w_, y_ = flat(x), flat(w), flat(y)
        step = sh * HB * WP
        strip = ((band - 1) * WP + OW + width - 1) // width * width
        packed_size, sums_size = whole(lanes, blocks * block_packed), block_rows * strip
        # the last vector may read beyond the last pixel
        image_size = whole(lanes, C * step + width)
        work, packed_at = workspace(lanes, packed_size + sums_size + lanes + image_size, x_)
        sums_at = packed_at + packed_size
        zero_at = sums_at + sums_size
        image_at = zero_at + lanes
        clear(work, sums_at, sums_size + lanes + image_size)
        work_ = address(work)
        packed_group = -1
        one: Any = np.int64(1)  # no literal, for which another copy_image is compiled
        for item in range(start, stop):
            n_g, i0, part = item // parts // bands, item // parts % bands * band, item % parts
            g, i1 = n_g % G, min(i0 + band, OH)
            first, last = part * blocks // parts, (part + 1) * blocks // parts
            if g != packed_group or parts > 1:
                packed_group = g
                for block in range(first, last):
                    for at in range(passes_at, passes_at + passes * PASS, PASS):
                        _pack(
                            w_, g * group_step + block * outputs * output_step, output_step, O - block * outputs,
                            channel_step, C, table, taps_at + table[at + 4], table[at + 2],
                            2 if halves and at < passes_at + wholes * PASS else 1, outputs, work,
                            packed_at + block * block_packed + table[at + 5],
                        )  # fmt: skip
            copy_image(
                version, lanes, x_, n_g * C * H * W, C, H, W, row - i0 * sh, column, HB, WP, sh, one, image_at, work
            )
            pixels = (i1 - i0 - 1) * WP + OW
            for block in range(first, last):
                block_at = packed_at + block * block_packed
                for p in range(0, pixels, width):
                    for c in range(0, C, chunk):
                        for at in range(passes_at, passes_at + passes * PASS, PASS):
                            place, taps, some = sums_at + table[at] * strip + p, table[at + 2], min(chunk, C - c)
                            base, base_row, base_vector = place, strip, lanes
                            if table[at + 1] and c == 0:
                                base, base_row, base_vector = zero_at, 0, 0
                            if halves and at >= passes_at + wholes * PASS:
                                pixels_in_lanes(
                                    version, lanes, half, vectors, work_, place, strip, work_, base, base_row,
                                    base_vector, work, image_at + c * step + p, table, terms_at + table[at + 3],
                                    some * taps, work, block_at + table[at + 5] + c * taps * half,
                                )  # fmt: skip
                            else:
                                pixels_in_lanes(
                                    version, lanes, rows, vectors, work_, place, strip, work_, base, base_row,
                                    base_vector, work, image_at + c * step + p, table, terms_at + table[at + 3],
                                    some * taps, work, block_at + table[at + 5] + c * taps * rows,
                                )  # fmt: skip
                _write_rows(
                    version, lanes, work, sums_at, strip, WP, i1 - i0, table, sums_rows_at, R, K, y_,
                    (n_g * O + block * outputs) * YH * YW, min(outputs, O - block * outputs), YH, YW, i0,
                )  # fmt: skip
        return checked == 0 or exact(w, y)

    return phases_pixel_lanes
