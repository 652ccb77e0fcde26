"""Layers whose groups have one channel each way, with channels in the lanes of all that is read and written::

    sums[place[i], channel] += sum over k of image[origin[i] + term[k], channel] * factors[k, channel]

Here a channel's sums need no other channel, so that there is nothing to broadcast: image, factors and sums lie with as
many channels side by side as a vector has lanes, each pixel a whole vector, and no lane or load is wasted at the end of
a row or for a stride.  That is worth transposing what comes in and goes out.

    forward, input gradient     origins are output pixels, terms and factors the taps; the phases of a strided input
                                gradient are parts of one table, and write to every second pixel
    weight gradient             origins are taps, terms and factors the output pixels

An item is a block of channels of an image, or in the weight gradient of all images.  The last block begins early enough
to be whole, and what two blocks have in common they both compute.
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
from .layout import exact, pack_weights, read_lanes, workspace, write_lanes
from .moves import clear, copy_run
from .tile import Vectors, first_numbers, flat, pointer_to

#: Sums that are made together, in a register each; a multiply-add takes about as many half cycles.
ROWS = 9
#: Products that are added up before their sum is added to others, at most.
CHUNK = 64


def _add_products(
    _: Any, version: Any, lanes: Any, rows: Any, work: Any, sums_at: Any, base_at: Any, base_step: Any, image_at: Any,
    factors_at: Any, count: Any, table: Any, places_at: Any, origins_at: Any, terms_at: Any,
) -> Any:  # fmt: skip
    """`sums[place] = base[place * base_step] +` its `count` products, for `rows` places; all tables are in `table`."""
    L, R = lanes.literal_value, rows.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        work_, sums_at_, base_at_, base_step_, image_at_, factors_at_, count_, table_ = args[3:11]
        places_at_, origins_at_, terms_at_ = args[11:]
        vector, index = Vectors(context, builder, work.dtype, L), count_.type
        sums_, base_, image_, factors_ = (
            pointer_to(context, builder, work, work_, at) for at in (sums_at_, base_at_, image_at_, factors_at_)
        )
        places_, origins_, terms_ = (
            pointer_to(context, builder, table, table_, at) for at in (places_at_, origins_at_, terms_at_)
        )
        windows = [builder.gep(image_, [builder.load(builder.gep(origins_, [index(i)]))]) for i in range(R)]
        totals = [cgutils.alloca_once(builder, vector.type) for _ in range(R)]
        for total in totals:
            builder.store(vector.zero, total)
        with cgutils.for_range(builder, count_) as loop:
            term = builder.load(builder.gep(terms_, [loop.index]))
            factor = vector.load(builder.gep(factors_, [builder.mul(loop.index, index(L))]))
            for window, total in zip(windows, totals, strict=True):
                vector.accumulate(total, vector.load(builder.gep(window, [term])), factor)
                vector.keep_order()
        for i, total in enumerate(totals):
            place = builder.load(builder.gep(places_, [index(i)]))
            base = vector.load(builder.gep(base_, [builder.mul(place, base_step_)]))
            vector.store(builder.fadd(base, builder.load(total)), builder.gep(sums_, [place]))
        return context.get_dummy_value()

    at = types.intp
    return types.void(version, lanes, rows, work, at, at, at, at, at, at, table, at, at, at), codegen


add_products = cast("Callable[..., None]", intrinsic(prefer_literal=True)(_add_products))


@cache
def correlation(lanes: int) -> Callable[..., bool]:
    """The kernel for the forward pass, and for the input gradient, whose parts are the phases of the stride."""
    version, rows = VERSION, ROWS

    @compiled
    def correlate_depthwise(x: Array, w: Array, b: Array, table: IntArray, y: Array, start: int, stop: int) -> bool:
        (
            checked, places_at, origins_at, terms_at, taps_at, parts_at, N, C, H, W, row, column, HP, WP, P, T, parts,
            covered,
        ) = first_numbers(table, 18)  # fmt: skip
        x_, w_, y_ = flat(x), flat(w), flat(y)
        sums_size = (P + lanes) * lanes  # whole blocks to transpose, in which is a place for sums without a pixel
        work, sums_at = workspace(lanes, sums_size + (HP * WP + 2 * T + 2 + 2 * lanes) * lanes, x_)
        image_at = sums_at + sums_size
        packed_at = image_at + (HP * WP + lanes) * lanes
        bias_at = packed_at + 2 * T * lanes
        square_at = bias_at + 2 * lanes
        packed_c = -1
        for item in range(start, stop):
            n, c = item % N, min(item // N * lanes, C - lanes)
            if c != packed_c:
                packed_c = c
                pack_weights(version, lanes, w_, c * T, T, lanes, T, 1, T, lanes, work, packed_at)
                for k in range(T):
                    to = packed_at + (T + k) * lanes
                    copy_run(version, lanes, work, packed_at + table[taps_at + k] * lanes, work, to, lanes)
                for lane in range(lanes):
                    work[bias_at + lane] = b[c + lane] if b.size > 0 else 0
            read_lanes(version, lanes, x_, (n * C + c) * H * W, H * W, H, W, row, column, HP, WP, work, image_at)
            if covered < P:
                clear(work, sums_at, P * lanes)
            first, k = 0, 0
            for part in range(parts):
                last, count = table[parts_at + 2 * part], table[parts_at + 2 * part + 1]
                for i in range(first, last, rows):
                    add_products(
                        version, lanes, rows, work, sums_at, bias_at, 0 * k, image_at, packed_at + (T + k) * lanes,
                        count, table, places_at + i, origins_at + i, terms_at + k,
                    )  # fmt: skip
                first, k = last, k + count
            write_lanes(version, lanes, work, sums_at, P, y_, (n * C + c) * P, P, square_at)
        return checked == 0 or exact(w, y)

    return correlate_depthwise


@cache
def weight_gradient(lanes: int) -> Callable[..., bool]:
    """The kernel for the weight gradient."""
    version, rows, chunk = VERSION, ROWS, CHUNK

    @compiled
    def weight_gradient_depthwise(x: Array, dy: Array, table: IntArray, dw: Array, start: int, stop: int) -> bool:
        (
            checked, places_at, origins_at, terms_at, N, C, H, W, row, column, HP, WP, OH, OW, T,
        ) = first_numbers(table, 15)  # fmt: skip
        x_, dy_, dw_ = flat(x), flat(dy), flat(dw)
        P, sums_size = OH * OW, (T + rows + lanes) * lanes
        work, sums_at = workspace(lanes, sums_size + (HP * WP + P + 3 * lanes) * lanes, x_)
        image_at = sums_at + sums_size
        cotangents_at = image_at + (HP * WP + lanes) * lanes
        square_at = cotangents_at + (P + lanes) * lanes
        zero, one = 0 * P, 1 + 0 * P  # no literals, for which another read_lanes is compiled
        for item in range(start, stop):
            c = min(item * lanes, C - lanes)
            clear(work, sums_at, sums_size)
            for n in range(N):
                x_at, dy_at = (n * C + c) * H * W, (n * C + c) * P
                read_lanes(version, lanes, x_, x_at, H * W, H, W, row, column, HP, WP, work, image_at)
                read_lanes(version, lanes, dy_, dy_at, P, OH, OW, zero, zero, OH, OW, work, cotangents_at)
                for p in range(0, P, chunk):
                    for t in range(0, T, rows):
                        add_products(
                            version, lanes, rows, work, sums_at, sums_at, one, image_at, cotangents_at + p * lanes,
                            min(chunk, P - p), table, places_at + t, origins_at + t, terms_at + p,
                        )  # fmt: skip
            write_lanes(version, lanes, work, sums_at, T, dw_, c * T, T, square_at)
        return checked == 0 or exact(dy, dw)

    return weight_gradient_depthwise
