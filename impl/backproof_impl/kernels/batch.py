"""Sums over windows with images in the lanes: each vector holds one pixel of as many images as it has lanes::

    sums[o, p, image] = bias[o] + sum over k of packed[k, o] * images[p + term[k], image]

The images of a batch lie side by side, as channels do in `depthwise`: neighbouring pixels are neighbouring vectors, so
that no lane is wasted at the end of a short row, no vector straddles two cache lines, and taps that fall on padding can
be skipped.  Terms are ordered by the rows of taps, then their columns, then channels; a tile is some output channels
times some neighbouring pixels of a row, and has of the terms::

    rows        those inside the image, which are the same for all of its pixels
    columns     from the first to the last that one of its pixels needs; for the others, the copy has zeros

An item is a band of rows of the result, for the images in the lanes and a group.  The last images begin early enough to
fill the lanes, and what two items have in common they both compute.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, cast

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..arrays import Array, IntArray
from .compilation import VERSION, compiled
from .layout import exact, read_lanes, whole, workspace, write_lanes
from .tile import TileLoop, address, first_numbers, flat, numbers_at, pointer_to


def _images_in_lanes(
    _: Any, version: Any, lanes: Any, rows: Any, vectors: Any, sums: Any, sums_at: Any, sums_row: Any, base: Any,
    base_at: Any, base_row: Any, base_vector: Any, images: Any, images_at: Any, terms: Any, terms_at: Any, count: Any,
    packed: Any, packed_at: Any, packed_run: Any, runs_at: Any, runs: Any,
) -> Any:  # fmt: skip
    """`sums = base +` the products of some `runs` of `count` terms, the pixels of each run `terms[runs_at + run]` on.

    The other arguments are those of `tile.pixels_in_lanes`, each pixel a vector.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        tile = TileLoop(context, builder, signature.args, args)
        images_, packed_, (packed_run_, runs_at_, runs_) = tile.image, tile.packed, args[-3:]
        run_terms = pointer_to(context, builder, terms, args[13], runs_at_)

        def factors(k: Any, term: Any) -> tuple[Callable[[int], Any], Callable[[int], Any]]:
            column, pixels = tile.moved(tile.packed, k, tile.rows), builder.gep(tile.image, [term])
            return lambda i: tile.moved(column, i), lambda v: tile.moved(pixels, v * tile.lanes)

        totals = tile.zeros()
        with cgutils.for_range(builder, runs_) as loop:
            tile.image = builder.gep(images_, [builder.load(builder.gep(run_terms, [loop.index]))])
            tile.packed = builder.gep(packed_, [builder.mul(loop.index, packed_run_)])
            tile.add_to(totals, factors)
        tile.finish(totals)
        return context.get_dummy_value()

    at = types.intp
    return types.void(
        version, lanes, rows, vectors, at, at, at, at, at, at, at, images, at, terms, at, at, packed, at, at, at, at
    ), codegen  # fmt: skip


images_in_lanes = cast("Callable[..., None]", intrinsic(prefer_literal=True)(_images_in_lanes))


@compiled
def pack_taps(
    w: Array, at: int, output_step: int, outputs: int, channel_step: int, C: int, table: IntArray, taps_at: int,
    taps: int, rows: int, packed: Array, packed_at: int,
) -> None:  # fmt: skip
    """Write `packed[t, c, o] = w[at + o*output_step + c*channel_step + tap t]`; rows from `outputs` on are 0."""
    for t in range(taps):
        for c in range(C):
            source, to = at + c * channel_step + table[taps_at + t], packed_at + (t * C + c) * rows
            for o in range(rows):
                packed[to + o] = w[source + o * output_step] if o < outputs else 0


@cache
def image_lanes(lanes: int, rows: int, vectors: int) -> Callable[..., bool]:
    """The kernel whose tile has `rows` output channels and `vectors` pixels, each of `lanes` images."""
    version = VERSION

    @compiled
    def correlate_batch(x: Array, w: Array, b: Array, table: IntArray, y: Array, start: int, stop: int) -> bool:
        (
            checked, terms_at, rest_at, runs_at, taps_at, rows_at, tiles_at, bands_at, N, G, C, O, H, W, column,  # noqa: E741
            WP, step, OH, OW, band, bands, tiles, chunk, down, across, group_step, output_step, channel_step,
        ) = first_numbers(table, 28)  # fmt: skip
        x_, w_, y_ = flat(x), flat(w), flat(y)
        batches, blocks, taps, sums_row, packed_g = -(-N // lanes), -(-O // rows), down * across, band * OW * lanes, -1
        packed_size, bias_size = whole(lanes, blocks * C * taps * rows), blocks * rows * lanes
        sums_size = rows * sums_row + lanes * lanes  # whole blocks to transpose
        images_size = (C * step + lanes) * lanes
        work, packed_at = workspace(lanes, packed_size + bias_size + sums_size + images_size + lanes * lanes, x_)
        bias_at = packed_at + packed_size
        sums_at = bias_at + bias_size
        images_at = sums_at + sums_size
        square_at = images_at + images_size
        work_ = address(work)
        for item in range(start, stop):
            n, g = min(item // bands % batches * lanes, N - lanes), item // bands // batches
            if g != packed_g:
                packed_g = g
                for block in range(blocks):
                    o = block * rows
                    for c in range(0, C, chunk):
                        w_at = g * group_step + o * output_step + c * channel_step
                        pack_taps(
                            w_, w_at, output_step, O - o, channel_step, min(chunk, C - c), table, taps_at, taps, rows,
                            work, packed_at + (block * C + c) * taps * rows,
                        )  # fmt: skip
                for o in range(blocks * rows):
                    for lane in range(lanes):
                        work[bias_at + o * lanes + lane] = b[g * O + o] if o < O and b.size > 0 else 0
            i0, i1, h0, h1 = numbers_at(table, bands_at + item % bands * 4, 4)
            for c in range(C):
                x_at, to = ((n * G + g) * C + c) * H * W, images_at + c * step * lanes
                read_lanes(
                    version, lanes, x_, x_at, G * C * H * W, H, W, -h0, column, h1 - h0, WP, work, to
                )  # fmt: skip
            for block in range(blocks):
                for t in range(tiles):
                    j, first_v, vs = numbers_at(table, tiles_at + 3 * t, 3)
                    for i in range(i0, i1):
                        row, first_u, us = numbers_at(table, rows_at + 3 * i, 3)
                        to, pixel = sums_at + ((i - i0) * OW + j) * lanes, images_at + ((row - h0) * WP + j) * lanes
                        base_at, base_row, base_vector = bias_at + block * rows * lanes, lanes, 0
                        for c in range(0, C, chunk):
                            count = min(chunk, C - c)
                            chunk_at = terms_at if count == chunk else rest_at
                            weights = packed_at + ((block * C + c) * taps + (first_u * across + first_v) * count) * rows
                            images_in_lanes(
                                version, lanes, rows, vectors, work_, to, sums_row, work_, base_at, base_row,
                                base_vector, work, pixel + c * step * lanes, table, chunk_at + first_v * count,
                                vs * count, work, weights, across * count * rows, runs_at + first_u, us,
                            )  # fmt: skip
                            base_at, base_row, base_vector = to, sums_row, lanes  # the sums so far
                for r in range(min(rows, O - block * rows)):
                    y_at = (((n * G + g) * O + block * rows + r) * OH + i0) * OW
                    write_lanes(
                        version, lanes, work, sums_at + r * sums_row, (i1 - i0) * OW, y_, y_at, G * O * OH * OW,
                        square_at,
                    )  # fmt: skip
        return checked == 0 or exact(w, y)

    return correlate_batch
