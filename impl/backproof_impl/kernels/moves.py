"""Numbers moved by vectors: runs of them copied, and square blocks transposed in registers.

A run is copied a vector at a time; the last vector overlaps the one before it, and a run shorter than a vector is two
overlapping halves of one, or quarters, and so on.  (Numba's own loops ask of every index whether it is negative, which
keeps LLVM from using vectors.)

To transpose, `to[j, i] = source[i, j]`, rows `i` and `i + s` exchange, for `s = lanes/2, ..., 2, 1`, the halves of
their blocks of `2*s` lanes that lie on the wrong side of the diagonal; each exchange is one shuffle for each row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .tile import Vectors, pointer_to


def _transpose(
    _: Any, version: Any, lanes: Any, source: Any, source_at: Any, source_row: Any, to: Any, to_at: Any, to_row: Any
) -> Any:
    """Transpose the block at `source_at`, whose rows are `source_row` numbers apart, to the one at `to_at`."""
    L = lanes.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, _, source_, source_at_, source_row_, to_, to_at_, to_row_ = args
        vector = Vectors(context, builder, source.dtype, L)

        def row(array_type: Any, array: Any, at: Any, step: Any, i: int) -> Any:
            return pointer_to(context, builder, array_type, array, builder.add(at, builder.mul(step, step.type(i))))

        rows = [vector.load(row(source, source_, source_at_, source_row_, i)) for i in range(L)]
        for i, value in enumerate(_exchanged(vector, rows)):
            vector.store(value, row(to, to_, to_at_, to_row_, i))
        return context.get_dummy_value()

    index = types.intp
    return types.void(version, lanes, source, index, index, to, index, index), codegen


def _exchanged(vector: Vectors, rows: list[Any]) -> list[Any]:
    L = len(rows)
    s = L // 2
    while s:
        upper = [lane if not lane & s else L + lane - s for lane in range(L)]
        lower = [lane + s if not lane & s else L + lane for lane in range(L)]
        rows = list(rows)
        for i in range(L):
            if not i & s:
                first, second = rows[i], rows[i + s]
                rows[i], rows[i + s] = (vector.shuffle(first, second, lanes) for lanes in (upper, lower))
        s //= 2
    return rows


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
transpose = cast("Callable[..., None]", intrinsic(prefer_literal=True)(_transpose))
