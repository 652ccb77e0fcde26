"""Tiles that have the cache fetch what comes next, a line or two with each term.

Between two calls a network's other layers fill the caches, so that results and weights lie in memory.  Processors fetch
ahead where addresses follow each other; tiles read and write short pieces far apart, of which each would wait for
memory.  Lines that are fetched many at once stop the processor as well: it can wait for some 16.  Spread over the
terms of a tile they cost little.  Fetching is a hint: it changes no number, and may look beyond an array, though the
processor searches for a page that is not there each time anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .tile import TileLoop, pointer_to


def _channels_in_lanes_ahead(
    _: Any, version: Any, lanes: Any, rows: Any, vectors: Any, sums: Any, sums_at: Any, sums_row: Any, base: Any,
    base_at: Any, base_row: Any, base_vector: Any, image: Any, image_at: Any, terms: Any, terms_at: Any, count: Any,
    packed: Any, packed_at: Any, origins: Any, origins_at: Any, reads: Any, reads_at: Any, reads_from: Any,
) -> Any:  # fmt: skip
    """`channels_in_lanes`, while the cache fetches what will be read: `reads[reads_at + terms[reads_from + k]]`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        tile = TileLoop(context, builder, signature.args, args)
        reads_ = pointer_to(context, builder, reads, *args[20:22])
        ahead = _Ahead(builder, (reads_, pointer_to(context, builder, terms, args[13], args[22]), False))
        origins_ = pointer_to(context, builder, origins, *args[18:20])
        windows = [builder.gep(tile.image, [builder.load(tile.moved(origins_, i))]) for i in range(tile.rows)]

        def factors(k: Any, term: Any) -> tuple[Callable[[int], Any], Callable[[int], Any]]:
            ahead.fetch(k)
            column = tile.moved(tile.packed, k, tile.vectors * tile.lanes)
            return lambda i: builder.gep(windows[i], [term]), lambda v: tile.moved(column, v * tile.lanes)

        tile.add_up(factors)
        return context.get_dummy_value()

    at = types.intp
    return types.void(
        version, lanes, rows, vectors, at, at, at, at, at, at, at, image, at, terms, at, at, packed, at, origins, at,
        reads, at, at,
    ), codegen  # fmt: skip


def _panel_in_lanes(
    _: Any, version: Any, lanes: Any, rows: Any, vectors: Any, sums: Any, sums_at: Any, sums_row: Any, base: Any,
    base_at: Any, base_row: Any, base_vector: Any, image: Any, image_at: Any, terms: Any, terms_at: Any, count: Any,
    packed: Any, packed_at: Any, reads: Any, reads_at: Any, reads_from: Any, writes: Any, writes_at: Any,
    writes_from: Any, keep: Any, panel: Any, panel_at: Any,
) -> Any:  # fmt: skip
    """`pixels_in_lanes`, while the cache fetches what will be read and written.

    That is `reads[reads_at + terms[reads_from + k]]`, and `writes[writes_at + terms[writes_from + k]]`.

    If `keep` is 1, the vectors of the image are put side by side, `panel (count, vectors*lanes)`.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        tile = TileLoop(context, builder, signature.args, args)
        lists = []
        for array, i, write in ((reads, 18, False), (writes, 21, True)):
            places = pointer_to(context, builder, terms, args[13], args[i + 2])
            lists.append((pointer_to(context, builder, array, *args[i : i + 2]), places, write))
        ahead = _Ahead(builder, *lists)
        panel_ = pointer_to(context, builder, panel, *args[25:27])

        def factors(k: Any, term: Any) -> tuple[Callable[[int], Any], Callable[[int], Any]]:
            ahead.fetch(k)
            column, pixels = tile.moved(tile.packed, k, tile.rows), builder.gep(tile.image, [term])
            if keep.literal_value:
                side_by_side = tile.moved(panel_, k, tile.vectors * tile.lanes)
                for v in range(tile.vectors):
                    value = tile.vector.load(tile.moved(pixels, v * tile.lanes))
                    tile.vector.store(value, tile.moved(side_by_side, v * tile.lanes))
            return lambda i: tile.moved(column, i), lambda v: tile.moved(pixels, v * tile.lanes)

        tile.add_up(factors)
        return context.get_dummy_value()

    at = types.intp
    return types.void(
        version, lanes, rows, vectors, at, at, at, at, at, at, at, image, at, terms, at, at, packed, at, reads, at, at,
        writes, at, at, keep, panel, at,
    ), codegen  # fmt: skip


class _Ahead:
    """The lines `array[table[k]]`, each given as addresses, of which one is fetched with each term k."""

    def __init__(self, builder: Any, *lists: tuple[Any, Any, bool]) -> None:
        self._builder: Any = builder
        self._lists = lists

    def fetch(self, k: Any) -> None:
        """A line of each list; those that will be written have a third entry that is true."""
        for array, table, write in self._lists:
            fetch(self._builder, self._builder.gep(array, [self._builder.load(self._builder.gep(table, [k]))]), write)


def fetch(builder: Any, address: Any, write: bool) -> None:
    """Have the cache fetch a line; one that is only read goes no nearer than the second level."""
    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
    hint = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    data = number(1)
    builder.call(hint, [builder.bitcast(address, byte), number(int(write)), number(3 if write else 2), data])


def _fetch_rows(_: Any, rows: Any, array: Any, at: Any, row: Any) -> Any:
    """Have the cache fetch the first lines of `rows` rows, `row` numbers apart."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        for r in range(rows.literal_value):
            start = builder.add(args[2], builder.mul(args[3], args[3].type(r)))
            fetch(builder, pointer_to(context, builder, array, args[1], start), write=False)
        return context.get_dummy_value()

    return types.void(rows, array, types.intp, types.intp), codegen


fetch_rows = cast("Callable[..., None]", intrinsic(prefer_literal=True)(_fetch_rows))
channels_in_lanes_ahead = cast("Callable[..., None]", intrinsic(prefer_literal=True)(_channels_in_lanes_ahead))
panel_in_lanes = cast("Callable[..., None]", intrinsic(prefer_literal=True)(_panel_in_lanes))
