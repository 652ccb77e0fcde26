"""The transforms of a Winograd tile, as an intrinsic: `to = matrix @ source @ matrix.T`, for vectors of channels.

Every entry of `source` and `to` is a vector; rows and columns are any distances apart, backwards too, so that
transforms gather the pixels of a tile, and scatter what is far apart, as they go.  The steps are those of
`toom_cook.product`: first down each column, then along each row.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .tile import Vectors, pointer_to
from .toom_cook import Matrix, product, transforms

#: The matrices, as numbers that can be literals of compiled code.
DATA, KERNEL, OUTPUT = range(3)


class _Registers:
    """The arithmetic of vectors in LLVM."""

    def __init__(self, vector: Vectors) -> None:
        self._vector = vector

    def add(self, x: Any, y: Any) -> Any:
        return self._vector.builder.fadd(x, y)

    def subtract(self, x: Any, y: Any) -> Any:
        return self._vector.builder.fsub(x, y)

    def multiply(self, c: Fraction, x: Any) -> Any:
        return self._vector.builder.fmul(self._constant(c), x)

    def multiply_add(self, c: Fraction, x: Any, y: Any) -> Any:
        return self._vector.multiply_add(self._constant(c), x, y)

    def _constant(self, c: Fraction) -> Any:
        return ir.Constant(self._vector.type, [float(c)] * self._vector.lanes)


def matrix_of(kind: int, outputs: int) -> Matrix:
    """The matrix that a literal names."""
    of = transforms(outputs)
    return (of.data, of.kernel, of.output)[kind]


def _transform(
    _: Any, version: Any, lanes: Any, kind: Any, outputs: Any, source: Any, source_at: Any, source_row: Any,
    source_column: Any, base: Any, base_at: Any, to: Any, to_at: Any, to_row: Any, to_column: Any,
) -> Any:  # fmt: skip
    """Transform the vectors at `source_at`; to each of an OUTPUT, the vector at `base_at` is added."""
    matrix, added = matrix_of(kind.literal_value, outputs.literal_value), kind.literal_value == OUTPUT

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = Vectors(context, builder, source.dtype, lanes.literal_value)
        registers = _Registers(vector)
        source_, base_, to_ = (
            pointer_to(context, builder, array, args[i], args[i + 1]) for array, i in ((source, 4), (base, 8), (to, 10))
        )

        def place(start: Any, row: Any, column: Any, i: int, j: int) -> Any:
            index = row.type
            distance = builder.add(builder.mul(row, index(i)), builder.mul(column, index(j)))
            return builder.gep(start, [distance])

        size = len(matrix[0])
        columns = []
        for j in range(size):
            entries = [vector.load(place(source_, args[6], args[7], i, j)) for i in range(size)]
            columns.append(product(matrix, entries, registers))
            vector.keep_order()
        start = vector.load(base_) if added else None
        for i, row in enumerate(zip(*columns, strict=True)):
            for j, value in enumerate(product(matrix, row, registers)):
                total = builder.fadd(start, value) if added else value
                vector.store(total, place(to_, args[12], args[13], i, j))
            vector.keep_order()
        return context.get_dummy_value()

    at = types.intp
    return types.void(
        version, lanes, kind, outputs, source, at, at, at, base, at, to, at, at, at
    ), codegen  # fmt: skip


transform = cast("Callable[..., None]", intrinsic(prefer_literal=True)(_transform))
