"""Sums of kernels with one tap: `y[n, o, p] = bias[o] + sum over c of x[n, c, p] * w[o, c]`, pixels in the lanes.

The pixels of all images are one row, cut into pieces of the width of a tile, so that none is left over but at its end.
Of each piece the channels are put side by side, as a *panel*, which serves all tiles of output channels::

    panel[c, q] = x[n, c, p]        where  n*P + p = first pixel of the piece + q

Tiles write to `y` where their piece lies within an image, and what comes next is fetched from memory meanwhile.

An item is a strip of pieces and a group, and a part of the output channels; channels are added up in chunks, each for
all pieces of the strip before the next.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from ..arrays import Array, IntArray
from .ahead import panel_in_lanes
from .compilation import VERSION, compiled
from .layout import pack_weights, whole, workspace
from .moves import clear, copy_run
from .tile import address, first_numbers, flat


@cache
def pixel_lanes(lanes: int, rows: int, vectors: int) -> Callable[..., bool]:
    """The kernel whose tile has `rows` output channels and `vectors * lanes` pixels."""
    version, square_of = VERSION, rows & -rows  # blocks to transpose have a power of two
    width = vectors * lanes

    @compiled
    def correlate_pointwise(x: Array, w: Array, b: Array, table: IntArray, y: Array, start: int, stop: int) -> bool:
        (
            _, terms_at, pixels_at, places_at, N, G, C, O, P, chunk, strip, blocks, strips, parts, group_step,  # noqa: E741
            output_step, channel_step,
        ) = first_numbers(table, 17)  # fmt: skip
        x_, w_, y_ = flat(x), flat(w), flat(y)
        packed_size, row = whole(lanes, blocks * C * rows), strip * width
        work, packed_at = workspace(lanes, packed_size + blocks * rows * (row + lanes) + chunk * width, x_)
        sums_at = packed_at + packed_size
        bias_at = sums_at + blocks * rows * row
        panel = bias_at + blocks * rows * lanes
        work_, y__ = address(work), address(y_)
        runs, run = (1, C) if channel_step == 1 else (C, 1)
        pieces, packed_group = -(-N * P // width), -1
        for item in range(start, stop):
            part, first_piece, g = item % parts, item // parts % strips * strip, item // parts // strips
            first, last = part * blocks // parts, (part + 1) * blocks // parts
            last_piece = min(first_piece + strip, pieces)
            if g != packed_group or parts > 1:
                packed_group = g
                for block in range(first, last):
                    pack_weights(
                        version, square_of, w_, g * group_step + block * rows * output_step, output_step,
                        O - block * rows, channel_step, runs, run, rows, work, packed_at + block * C * rows,
                    )  # fmt: skip
                for r in range(first * rows, last * rows):
                    for lane in range(lanes):
                        work[bias_at + r * lanes + lane] = b[g * O + r] if r < O and b.size > 0 else 0
            for c in range(0, C, chunk):
                count = min(chunk, C - c)
                for piece in range(first_piece, last_piece):
                    n, p = piece * width // P, piece * width % P
                    x_at, y_at = ((n * G + g) * C + c) * P + p, (n * G + g) * O * P + p
                    in_image, piece_at = p + width <= P, sums_at + (piece - first_piece) * width
                    if not in_image:
                        copy_pieces(version, lanes, x_, n, p, N, G * C, g * C + c, count, P, width, work, panel)
                    for block in range(first, last):
                        place, place_at, place_row = work_, piece_at + block * rows * row, row
                        if in_image and (block + 1) * rows <= O:
                            place, place_at, place_row = y__, y_at + block * rows * P, P
                        base, base_at, base_row, base_vector = work_, bias_at + block * rows * lanes, lanes, 0
                        if c:
                            base, base_at, base_row, base_vector = place, place_at, place_row, lanes
                        packed = packed_at + (block * C + c) * rows
                        # What is fetched meanwhile: a vector of the next piece, and where the next tile writes.  Their
                        # last numbers tell the lines: that of the first number was needed for this piece.
                        vector = (block - first) % vectors * lanes + lanes - 1
                        next_x = x_at + vector + (width if piece + 1 < pieces else 0)
                        next_y = y_at + max(0, min((block + 1) * rows, O - rows)) * P
                        if in_image and block == first:
                            panel_in_lanes(
                                version, lanes, rows, vectors, place, place_at, place_row, base, base_at, base_row,
                                base_vector, x_, x_at, table, pixels_at, count, work, packed, x_, next_x, pixels_at,
                                y_, next_y, places_at, 1, work, panel,
                            )  # fmt: skip
                        else:
                            panel_in_lanes(
                                version, lanes, rows, vectors, place, place_at, place_row, base, base_at, base_row,
                                base_vector, work, panel, table, terms_at, count, work, packed, x_, next_x, pixels_at,
                                y_, next_y, places_at, 0, work, panel,
                            )  # fmt: skip
            for piece in range(first_piece, last_piece):
                n, p, piece_at = piece * width // P, piece * width % P, sums_at + (piece - first_piece) * width
                for r in range(O // rows * rows if p + width <= P else first * rows, min(last * rows, O)):
                    q, m, i = 0, n, p
                    while q < width and m < N:
                        taken = min(width - q, P - i)
                        copy_run(
                            version, lanes, work, piece_at + r * row + q, y_, ((m * G + g) * O + r) * P + i, taken
                        )  # fmt: skip
                        q, m, i = q + taken, m + 1, 0
        return True

    return correlate_pointwise


@compiled
def copy_pieces(
    version: int, lanes: int, x: Array, n: int, p: int, N: int, C: int, c: int, count: int, P: int, width: int,
    panel: Array, panel_at: int,
) -> None:  # fmt: skip
    """Write `count` channels, from `c` on, of a piece that begins with pixel `p` of image `n` and ends in another one.

    Images have `C` channels; beyond the last, the panel is 0.
    """
    clear(panel, panel_at, count * width)
    q = 0
    while q < width and n < N:
        taken = min(width - q, P - p)
        for k in range(count):
            copy_run(version, lanes, x, (n * C + c + k) * P + p, panel, panel_at + k * width + q, taken)
        q, n, p = q + taken, n + 1, 0
