"""The weight gradient of few output channels, as sums over the rows of images `n`::

    dw[o, c, t] = sum over n, i, j of dy[n, o, i, j] * image[n, c, origin[t] + i*step + j]

With few channels of `dy`, as in depthwise layers, lanes that hold them would be empty.  Here they hold neighbouring
pixels of a row, of `dy` and of the image; each tap has one vector of sums, whose lanes are added up, in their order,
at the end.  In the last vector of a row, lanes beyond it are 0 in both factors, so that what lies there is not
multiplied.

An item is a channel of `x`; it adds up all images, in their order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..arrays import Array, IntArray
from .compilation import VERSION, compiled
from .layout import copy_image, exact, whole, workspace
from .moves import clear, copy_run
from .tile import Vectors, first_numbers, flat, pointer_to

#: Taps whose sums are made together, in a register each.
TAPS = 9


def _add_dots(
    _: Any, version: Any, lanes: Any, taps: Any, work: Any, sums_at: Any, image_at: Any, step: Any, origins: Any,
    origins_at: Any, cotangents_at: Any, pitch: Any, rows: Any, columns: Any,
) -> Any:  # fmt: skip
    """Add the products of `rows` of cotangents and of the image from `origins[t]` on to `sums[t, lane]`."""
    L, T = lanes.literal_value, taps.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, _, _, work_, sums_at_, image_at_, step_, origins_, origins_at_, cotangents_at_, pitch_, rows_, columns_ = (
            args
        )
        vector, index = Vectors(context, builder, work.dtype, L), columns_.type
        sums_, image_, cotangents_ = (
            pointer_to(context, builder, work, work_, at) for at in (sums_at_, image_at_, cotangents_at_)
        )
        origins_ = pointer_to(context, builder, origins, origins_, origins_at_)
        windows = [builder.gep(image_, [builder.load(builder.gep(origins_, [index(t)]))]) for t in range(T)]
        totals = [cgutils.alloca_once(builder, vector.type) for _ in range(T)]
        for total in totals:
            builder.store(vector.zero, total)
        with (
            cgutils.for_range(builder, rows_) as row,
            cgutils.for_range_slice(builder, index(0), columns_, index(L)) as (column, _),
        ):
            inside = _first_lanes(builder, L, builder.sub(columns_, column))
            at = builder.add(builder.mul(row.index, pitch_), column)
            cotangent = vector.load(builder.gep(cotangents_, [at]))
            at = builder.add(builder.mul(row.index, step_), column)
            for window, total in zip(windows, totals, strict=True):
                pixels = builder.select(inside, vector.load(builder.gep(window, [at])), vector.zero)
                vector.accumulate(total, pixels, cotangent)
        for t, total in enumerate(totals):
            to = builder.gep(sums_, [index(t * L)])
            vector.store(builder.fadd(vector.load(to), builder.load(total)), to)
        return context.get_dummy_value()

    at = types.intp
    return types.void(version, lanes, taps, work, at, at, at, origins, at, at, at, at, at), codegen


def _first_lanes(builder: Any, lanes: int, count: Any) -> Any:
    """A mask of the lanes whose number is below `count`, which is at least 1."""
    numbers = ir.VectorType(ir.IntType(32), lanes)
    one = builder.insert_element(
        ir.Constant(numbers, ir.Undefined), builder.trunc(count, ir.IntType(32)), ir.IntType(32)(0)
    )
    every = builder.shuffle_vector(one, ir.Constant(numbers, ir.Undefined), ir.Constant(numbers, [0] * lanes))
    return builder.icmp_unsigned("<", ir.Constant(numbers, list(range(lanes))), every)


add_dots = cast("Callable[..., None]", intrinsic(prefer_literal=True)(_add_dots))


@cache
def pixel_lanes(lanes: int) -> Callable[..., bool]:
    """The kernel with `lanes` pixels of a row in a vector."""
    version, taps = VERSION, TAPS

    @compiled
    def weight_gradient_pixel_lanes(x: Array, dy: Array, table: IntArray, dw: Array, start: int, stop: int) -> bool:
        checked, origins_at, N, G, C, O, H, W, row, column, HB, WP, sh, sw, OH, OW, T = first_numbers(table, 17)  # noqa: E741
        x_, dy_, dw_ = flat(x), flat(dy), flat(dw)
        pitch, tiles = whole(lanes, OW), -(-T // taps)
        sums_size, dy_size, image_size = O * tiles * taps * lanes, OH * pitch, sh * sw * HB * WP + lanes
        work, sums_at = workspace(lanes, sums_size + dy_size + image_size, x_)
        cotangents_at = sums_at + sums_size
        image_at = cotangents_at + dy_size
        clear(work, cotangents_at, dy_size + image_size)
        one: Any = np.int64(1)  # no literal, for which another copy_image is compiled
        for item in range(start, stop):
            g, c = item // C, item % C
            clear(work, sums_at, sums_size)
            for n in range(N):
                x_at = ((n * G + g) * C + c) * H * W
                copy_image(version, lanes, x_, x_at, one, H, W, row, column, HB, WP, sh, sw, image_at, work)
                for o in range(O):
                    dy_at = ((n * G + g) * O + o) * OH * OW
                    for i in range(OH):
                        copy_run(version, lanes, dy_, dy_at + i * OW, work, cotangents_at + i * pitch, OW)
                    for t in range(tiles):
                        add_dots(
                            version, lanes, taps, work, sums_at + (o * tiles + t) * taps * lanes, image_at, WP, table,
                            origins_at + t * taps, cotangents_at, pitch, OH, OW,
                        )  # fmt: skip
            for o in range(O):
                for t in range(T):
                    at = sums_at + (o * tiles * taps + t) * lanes
                    total = work[at]
                    for lane in range(1, lanes):
                        total += work[at + lane]
                    dw_[((g * O + o) * C + c) * T + t] = total
        return checked == 0 or exact(dy, dw)

    return weight_gradient_pixel_lanes
