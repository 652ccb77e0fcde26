"""The weight gradient with images in the lanes: each vector holds one pixel of as many images as it has lanes::

    sums[o, t, image] += sum over p of dy[o, p, image] * x[origin[t] + term[p], image]

Images lie side by side as in `batch`.  A tile is some output channels times some taps, and both factors of its products
are vectors.  In the end, `dw[o, c, t]` is the sum of the lanes.  Where the images that are left do not fill the lanes,
some are there for a second time, first in their vectors; of those sums, only the last lanes count.

An item is a group and a part of its output channels, for all images.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, cast

from numba import types
from numba.extending import intrinsic

from ..arrays import Array, IntArray
from .compilation import VERSION, compiled
from .layout import exact, read_lanes, workspace
from .moves import clear
from .tile import TileLoop, address, first_numbers, flat, pointer_to

#: Products that are added up before their sum is added to others, at most.
CHUNK = 64


def _taps_of_images(
    _: Any, version: Any, lanes: Any, rows: Any, vectors: Any, sums: Any, sums_at: Any, sums_row: Any, base: Any,
    base_at: Any, base_row: Any, base_vector: Any, images: Any, images_at: Any, terms: Any, terms_at: Any, count: Any,
    cotangents: Any, cotangents_at: Any, cotangents_row: Any, origins_at: Any,
) -> Any:  # fmt: skip
    """`sums (rows, vectors) = base +` the products of cotangents, `rows` channels, with images at `origins + terms`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        tile = TileLoop(context, builder, signature.args, args)
        cotangents_row_, origins_at_ = args[-2:]
        origins = pointer_to(context, builder, terms, args[13], origins_at_)
        windows = [builder.gep(tile.image, [builder.load(tile.moved(origins, v))]) for v in range(tile.vectors)]
        channels = [tile.moved(tile.packed, cotangents_row_, i) for i in range(tile.rows)]

        def factors(k: Any, term: Any) -> tuple[Callable[[int], Any], Callable[[int], Any]]:
            return lambda i: tile.moved(channels[i], k, tile.lanes), lambda v: builder.gep(windows[v], [term])

        totals = tile.zeros()
        tile.add_to(totals, factors, broadcast=False)
        tile.finish(totals)
        return context.get_dummy_value()

    at = types.intp
    return types.void(
        version, lanes, rows, vectors, at, at, at, at, at, at, at, images, at, terms, at, at, cotangents, at, at, at
    ), codegen  # fmt: skip


taps_of_images = cast("Callable[..., None]", intrinsic(prefer_literal=True)(_taps_of_images))


@compiled
def add_lanes(
    sums: Array, at: int, lanes: int, first: int, C: int, rows: int, step: int, outputs: int, T: int, dw: Array, to: int
) -> None:
    """Add the lanes from `first` on of `sums (blocks, C, rows, step)` to `dw (outputs, C, T)`."""
    for o in range(outputs):
        for c in range(C):
            source = at + ((o // rows * C + c) * rows + o % rows) * step * lanes
            for t in range(T):
                total = sums[source + t * lanes + first]
                for lane in range(first + 1, lanes):
                    total += sums[source + t * lanes + lane]
                dw[to + (o * C + c) * T + t] += total


@cache
def image_lanes(lanes: int, rows: int, vectors: int) -> Callable[..., bool]:
    """The kernel whose tile has `rows` output channels and `vectors` taps."""
    version, chunk = VERSION, CHUNK

    @compiled
    def weight_gradient_image_lanes(x: Array, dy: Array, table: IntArray, dw: Array, start: int, stop: int) -> bool:
        (
            checked, terms_at, origins_at, N, G, C, O, H, W, row, column, HP, WP, OH, OW, T, parts,  # noqa: E741
        ) = first_numbers(table, 17)  # fmt: skip
        x_, dy_, dw_, P, step = flat(x), flat(dy), flat(dw), OH * OW, -(-T // vectors) * vectors
        most = -(-O // (rows * parts)) * rows  # channels of a part
        pixels, sums_size = (P + lanes) * lanes, most * C * step * lanes
        work, sums_at = workspace(lanes, sums_size + most * pixels + (HP * WP + lanes) * lanes, x_)
        cotangents_at = sums_at + sums_size
        image_at = cotangents_at + most * pixels
        work_, zero = address(work), 0 * P  # no literal, for which another read_lanes is compiled
        for item in range(start, stop):
            g, o0 = item // parts, item % parts * most
            outputs = min(most, O - o0)
            blocks, dw_at = -(-outputs // rows), (g * O + o0) * C * T
            clear(work, cotangents_at, most * pixels)
            clear(work, sums_at, sums_size)
            for i in range(outputs * C * T):
                dw_[dw_at + i] = 0
            for n0 in range(0, N, lanes):
                n = min(n0, N - lanes)
                if n < n0:
                    add_lanes(work, sums_at, lanes, zero, C, rows, step, outputs, T, dw_, dw_at)
                    clear(work, sums_at, sums_size)
                for o in range(outputs):
                    dy_at = ((n * G + g) * O + o0 + o) * P
                    read_lanes(
                        version, lanes, dy_, dy_at, G * O * P, OH, OW, zero, zero, OH, OW, work,
                        cotangents_at + o * pixels,
                    )  # fmt: skip
                for c in range(C):
                    x_at = ((n * G + g) * C + c) * H * W
                    read_lanes(version, lanes, x_, x_at, G * C * H * W, H, W, row, column, HP, WP, work, image_at)
                    for p in range(0, P, chunk):
                        for block in range(blocks):
                            for t in range(0, step, vectors):
                                at = sums_at + ((block * C + c) * rows * step + t) * lanes
                                taps_of_images(
                                    version, lanes, rows, vectors, work_, at, step * lanes, work_, at, step * lanes,
                                    lanes, work, image_at, table, terms_at + p, min(chunk, P - p), work,
                                    cotangents_at + block * rows * pixels + p * lanes, pixels, origins_at + t,
                                )  # fmt: skip
            add_lanes(work, sums_at, lanes, -N % lanes, C, rows, step, outputs, T, dw_, dw_at)
        return checked == 0 or exact(dy, dw)

    return weight_gradient_image_lanes
