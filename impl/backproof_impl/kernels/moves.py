"""Numbers moved by vectors: runs of them copied, and square blocks transposed in registers.

A run is copied a vector at a time; the last vector overlaps the one before it, and a run shorter than a vector is two
overlapping halves of one, or quarters, and so on.  (Numba's own loops ask of every index whether it is negative, which
keeps LLVM from using vectors.)

To transpose, `to[j, i] = source[i, j]`, vectors are put together from blocks of 128 bits, loaded from every fourth row
(of float32), so that each block of lanes of four such vectors has a square to transpose: two shuffles for each row,
within blocks, which processors do faster than shuffles across.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .tile import Vectors, pointer_to

#: Columns of a narrow block.
COLUMNS = 4


def _transpose(
    _: Any, version: Any, lanes: Any, source: Any, source_at: Any, source_row: Any, to: Any, to_at: Any, to_row: Any
) -> Any:
    """Transpose the block at `source_at`, whose rows are `source_row` numbers apart, to the one at `to_at`."""
    return _of_columns(version, lanes, source, to, lanes.literal_value)


def _transpose_columns(
    _: Any, version: Any, lanes: Any, source: Any, source_at: Any, source_row: Any, to: Any, to_at: Any, to_row: Any
) -> Any:
    """Transpose the `lanes` x `COLUMNS` block at `source_at`, of which no more is read, to the one at `to_at`."""
    return _of_columns(version, lanes, source, to, min(lanes.literal_value, COLUMNS))


def _of_columns(version: Any, lanes: Any, source: Any, to: Any, columns: int) -> Any:
    """Signature and code of the transposition of a block of so many columns."""
    L = lanes.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, _, source_, source_at_, source_row_, to_, to_at_, to_row_ = args
        vector = Vectors(context, builder, source.dtype, L)

        def row(array_type: Any, array: Any, at: Any, step: Any, i: int) -> Any:
            return pointer_to(context, builder, array_type, array, builder.add(at, builder.mul(step, step.type(i))))

        rows = [row(source, source_, source_at_, source_row_, i) for i in range(L)]
        for column in range(0, columns, small_block(vector)):
            for i, value in enumerate(_columns_transposed(vector, rows, source_at_.type(column))):
                vector.store(value, row(to, to_, to_at_, to_row_, column + i))
        return context.get_dummy_value()

    index = types.intp
    return types.void(version, lanes, source, index, index, to, index, index), codegen


def small_block(vector: Vectors) -> int:
    """How many numbers are 128 bits, or a vector if that has fewer."""
    return min(int(vector.lanes), 16 // int(vector.bytes))


def _columns_transposed(vector: Vectors, rows: list[Any], column: Any) -> list[Any]:
    """As many vectors as a small block has numbers, the columns from `column` on of all rows, which are addresses."""
    size, builder = small_block(vector), vector.builder
    return _small_blocks_transposed(
        vector, [vector.joined([builder.gep(row, [column]) for row in rows[r::size]], size) for r in range(size)]
    )


def _small_blocks_transposed(vector: Vectors, rows: list[Any]) -> list[Any]:
    """Transpose each square block that `rows` have in the same lanes."""
    S, L = len(rows), vector.lanes

    def interleaved(first: Any, second: Any, half: int, size: int) -> Any:
        """Of each block, the low or high half of both, in turns of `size` lanes."""
        chosen: list[int] = []
        for block in range(0, L, S):
            for lane in range(half * S // 2, (half + 1) * S // 2, size):
                chosen += [block + lane + i for i in range(size)] + [L + block + lane + i for i in range(size)]
        return vector.shuffle(first, second, chosen)

    if S < 4:
        return rows if S == 1 else [interleaved(rows[0], rows[1], half, 1) for half in (0, 1)]
    pairs = [[interleaved(rows[i], rows[i + 1], half, 1) for i in (0, 2)] for half in (0, 1)]
    return [interleaved(first, second, half, 2) for first, second in pairs for half in (0, 1)]


def _copy_run(_: Any, version: Any, lanes: Any, source: Any, source_at: Any, to: Any, to_at: Any, count: Any) -> Any:
    """Copy `count` numbers that follow each other."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        first, last = args[6].type(0), args[6]
        source_ = pointer_to(context, builder, source, *args[2:4])
        to_ = pointer_to(context, builder, to, *args[4:6])

        def copy(vector: Vectors, at: Any) -> None:
            vector.store(vector.load(builder.gep(source_, [at])), builder.gep(to_, [at]))

        def copy_with(lanes: int) -> None:
            vector = Vectors(context, builder, source.dtype, lanes)
            size = last.type(lanes)
            with builder.if_else(builder.icmp_signed(">=", last, size)) as (enough, fewer):
                with enough:
                    if lanes == largest:
                        with cgutils.for_range_slice(builder, first, builder.sub(last, size), size) as (at, _):
                            copy(vector, at)
                    else:
                        copy(vector, first)
                    copy(vector, builder.sub(last, size))
                with fewer:
                    if lanes > 1:
                        copy_with(lanes // 2)

        largest = lanes.literal_value
        copy_with(largest)
        return context.get_dummy_value()

    at = types.intp
    return types.void(version, lanes, source, at, to, at, at), codegen


def _copy_every(_: Any, source: Any, source_at: Any, step: Any, to: Any, to_at: Any, count: Any) -> Any:
    """Copy `count` numbers that are `step` apart to neighbouring places."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source_ = pointer_to(context, builder, source, *args[0:2])
        to_ = pointer_to(context, builder, to, *args[3:5])
        with cgutils.for_range(builder, args[5]) as loop:
            value = builder.load(builder.gep(source_, [builder.mul(loop.index, args[2])]))
            builder.store(value, builder.gep(to_, [loop.index]))
        return context.get_dummy_value()

    at = types.intp
    return types.void(source, at, at, to, at, at), codegen


def _copy_apart(_: Any, source: Any, source_at: Any, to: Any, to_at: Any, step: Any, count: Any) -> Any:
    """Copy `count` numbers that follow each other to places that are `step` apart."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source_ = pointer_to(context, builder, source, *args[0:2])
        to_ = pointer_to(context, builder, to, *args[2:4])
        with cgutils.for_range(builder, args[5]) as loop:
            value = builder.load(builder.gep(source_, [loop.index]))
            builder.store(value, builder.gep(to_, [builder.mul(loop.index, args[4])]))
        return context.get_dummy_value()

    at = types.intp
    return types.void(source, at, to, at, at, at), codegen


def _interleave(
    _: Any, version: Any, lanes: Any, source: Any, even_at: Any, odd_at: Any, to: Any, to_at: Any, count: Any
) -> Any:
    """Write `count` numbers, in turn from two runs, at `even_at` and at `odd_at`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        last = args[7]
        number = last.type
        even, odd = (pointer_to(context, builder, source, args[2], at) for at in args[3:5])
        to_ = pointer_to(context, builder, to, *args[5:7])

        def write(vector: Vectors, first: Any, second: Any, pair: Any, at: Any) -> None:
            """Write a vector of each run, the numbers from `pair` on, to `at`."""
            ones, others = (vector.load(builder.gep(run, [pair])) for run in (first, second))
            turns = [half * vector.lanes + lane for lane in range(vector.lanes) for half in (0, 1)]
            for half in (turns[: vector.lanes], turns[vector.lanes :]):
                vector.store(vector.shuffle(ones, others, half), builder.gep(to_, [at]))
                at = builder.add(at, number(vector.lanes))

        def interleave_with(lanes: int) -> None:
            if lanes == 0:  # a single number
                builder.store(builder.load(even), to_)
                return
            vector, size = Vectors(context, builder, source.dtype, lanes), number(2 * lanes)
            with builder.if_else(builder.icmp_signed(">=", last, size)) as (enough, fewer):
                with enough:
                    rest = builder.sub(last, size)
                    if lanes == largest:
                        with cgutils.for_range_slice(builder, number(0), rest, size) as (at, _):
                            write(vector, even, odd, builder.lshr(at, number(1)), at)
                    else:
                        write(vector, even, odd, number(0), number(0))
                    # the last vectors overlap those before, and may begin with a number of the odd run
                    pair, begins_odd = builder.lshr(rest, number(1)), builder.trunc(rest, ir.IntType(1))
                    first = builder.select(begins_odd, odd, even)
                    second = builder.select(begins_odd, builder.gep(even, [number(1)]), odd)
                    write(vector, first, second, pair, rest)
                with fewer:
                    interleave_with(lanes // 2)

        largest = lanes.literal_value
        interleave_with(largest)
        return context.get_dummy_value()

    at = types.intp
    return types.void(version, lanes, source, at, at, to, at, at), codegen


def _clear(_: Any, memory: Any, at: Any, count: Any) -> Any:
    """Set `count` numbers to 0."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        first = pointer_to(context, builder, memory, *args[:2])
        cgutils.memset(builder, first, builder.mul(args[2], args[2].type(memory.dtype.bitwidth // 8)), 0)
        return context.get_dummy_value()

    return types.void(memory, types.intp, types.intp), codegen


clear = cast("Callable[..., None]", intrinsic(_clear))
copy_run = cast("Callable[..., None]", intrinsic(prefer_literal=True)(_copy_run))
copy_every = cast("Callable[..., None]", intrinsic(_copy_every))
copy_apart = cast("Callable[..., None]", intrinsic(_copy_apart))
interleave = cast("Callable[..., None]", intrinsic(prefer_literal=True)(_interleave))
transpose_columns = cast("Callable[..., None]", intrinsic(prefer_literal=True)(_transpose_columns))
transpose = cast("Callable[..., None]", intrinsic(prefer_literal=True)(_transpose))
