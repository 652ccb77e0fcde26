"""The loop in which the time goes: a tile of sums that stay in registers, for vectors of any width.

Both forms add, for `k = 0 ... count - 1`, an outer product to `rows x vectors` accumulators::

    channels in lanes     sums[i, o] += image[origin[i] + term[k]] * packed[k, o]
    pixels in lanes       sums[o, p] += packed[k, o] * image[p + term[k]]

`term[k]` is where the k-th factor of a sum lies, relative to where its pixel's window begins, `origin[i]`.  So one
table has the channels and taps of a convolution, whatever its stride, dilation and orientation; and with the
roles of the two tables exchanged (a row for each tap, a term for each pixel) the first form is the weight gradient.

In LLVM, each row loads one number, broadcasts it, and makes `vectors` fused multiply-adds.  LLVM's scheduler would
hoist all loads of an iteration to its top and spill the accumulators; after each row, an empty `asm` that says that
it may touch memory keeps it from that.  It emits no instruction.  Sums start at zero, are made in the order of `k`, by
fused multiply-adds, without `fastmath`: the same bits for every partition of the work.  At the end they are added to
`base`, a bias or the sums of other terms, whose rows and vectors are `base_row` and `base_vector`
apart, and stored.  Both are given by their addresses: a variable that names now one array, now another, would
count their references in each turn of a loop, atomically.  The arrays must live until after the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from ..arrays import Array, IntArray

#: Of the k-th product and its term: the addresses of the number for row i, and of the vector v.
Factors: TypeAlias = Callable[[Any, Any], tuple[Callable[[int], Any], Callable[[int], Any]]]


class Vectors:
    """Loads, stores, broadcasts and multiply-adds of `lanes` numbers of one Numba dtype."""

    def __init__(self, context: Any, builder: Any, dtype: Any, lanes: int) -> None:
        scalar = context.get_value_type(dtype)
        self.builder, self.lanes, self.bytes = builder, lanes, dtype.bitwidth // 8
        self.type = ir.VectorType(scalar, lanes)
        self.zero = ir.Constant(self.type, [0.0] * lanes)
        self._undefined = ir.Constant(self.type, ir.Undefined)
        self._fma = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(self.type, [self.type] * 3), f"llvm.fma.v{lanes}f{dtype.bitwidth}"
        )

    def load(self, pointer: Any) -> Any:
        """The vector at `pointer`, which need only be aligned as a number is."""
        loaded = self.builder.load(self.builder.bitcast(pointer, self.type.as_pointer()))
        loaded.align = self.bytes
        return loaded

    def joined(self, pointers: list[Any], lanes: int) -> Any:
        """The vector of so many numbers from each of `pointers`."""
        part = ir.VectorType(self.type.element, lanes)
        loaded = []
        for pointer in pointers:
            loaded.append(self.builder.load(self.builder.bitcast(pointer, part.as_pointer())))
            loaded[-1].align = self.bytes
        while len(loaded) > 1:
            lanes *= 2
            every = ir.Constant(ir.VectorType(ir.IntType(32), lanes), list(range(lanes)))
            loaded = [self.builder.shuffle_vector(a, b, every) for a, b in zip(loaded[::2], loaded[1::2], strict=True)]
        return loaded[0]

    def store(self, value: Any, pointer: Any) -> None:
        """Write a vector to `pointer`, which need only be aligned as a number is."""
        self.builder.store(value, self.builder.bitcast(pointer, self.type.as_pointer())).align = self.bytes

    def shuffle(self, first: Any, second: Any, lanes: list[int]) -> Any:
        """The lanes of `first` followed by `second` that `lanes` names."""
        return self.builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), lanes))

    def broadcast(self, pointer: Any) -> Any:
        """The number at `pointer` in every lane."""
        first = self.builder.insert_element(self._undefined, self.builder.load(pointer), ir.Constant(ir.IntType(32), 0))
        return self.shuffle(first, self._undefined, [0] * self.lanes)

    def accumulate(self, sums: Any, a: Any, b: Any) -> None:
        """Replace the vector in the variable `sums` by `a * b + sums`, rounded once."""
        self.builder.store(self.multiply_add(a, b, self.builder.load(sums)), sums)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """`a * b + c`, rounded once."""
        return self.builder.call(self._fma, [a, b, c])

    def keep_order(self) -> None:
        """Keep LLVM from moving loads across this place."""
        self.builder.asm(ir.FunctionType(ir.VoidType(), []), "", "~{memory}", [], True)


def pointer_to(context: Any, builder: Any, array_type: Any, array: Any, at: Any) -> Any:
    """The address of entry `at` of a contiguous array."""
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [at])


def _channels_in_lanes(
    _: Any, version: Any, lanes: Any, rows: Any, vectors: Any, sums: Any, sums_at: Any, sums_row: Any, base: Any,
    base_at: Any, base_row: Any, base_vector: Any, image: Any, image_at: Any, terms: Any, terms_at: Any, count: Any,
    packed: Any, packed_at: Any, origins: Any, origins_at: Any,
) -> Any:  # fmt: skip
    """`sums (rows, vectors*lanes) = base + image[origins + terms] @ packed (count, vectors*lanes)`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        tile = TileLoop(context, builder, signature.args, args)
        origins_ = pointer_to(context, builder, origins, *args[-2:])
        windows = [builder.gep(tile.image, [builder.load(tile.moved(origins_, i))]) for i in range(tile.rows)]

        def factors(k: Any, term: Any) -> tuple[Callable[[int], Any], Callable[[int], Any]]:
            column = tile.moved(tile.packed, k, tile.vectors * tile.lanes)
            return lambda i: builder.gep(windows[i], [term]), lambda v: tile.moved(column, v * tile.lanes)

        tile.add_up(factors)
        return context.get_dummy_value()

    at = types.intp
    return types.void(
        version, lanes, rows, vectors, at, at, at, at, at, at, at, image, at, terms, at, at, packed, at, origins, at
    ), codegen  # fmt: skip


def _pixels_in_lanes(
    _: Any, version: Any, lanes: Any, rows: Any, vectors: Any, sums: Any, sums_at: Any, sums_row: Any, base: Any,
    base_at: Any, base_row: Any, base_vector: Any, image: Any, image_at: Any, terms: Any, terms_at: Any, count: Any,
    packed: Any, packed_at: Any,
) -> Any:  # fmt: skip
    """`sums (rows, vectors*lanes) = base + packed (count, rows).T @ image[terms + pixels]`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        tile = TileLoop(context, builder, signature.args, args)

        def factors(k: Any, term: Any) -> tuple[Callable[[int], Any], Callable[[int], Any]]:
            column, pixels = tile.moved(tile.packed, k, tile.rows), builder.gep(tile.image, [term])
            return lambda i: tile.moved(column, i), lambda v: tile.moved(pixels, v * tile.lanes)

        tile.add_up(factors)
        return context.get_dummy_value()

    at = types.intp
    return types.void(
        version, lanes, rows, vectors, at, at, at, at, at, at, at, image, at, terms, at, at, packed, at
    ), codegen  # fmt: skip


class TileLoop:
    """What the forms share: their first arguments as addresses, the loop, and where its sums go."""

    def __init__(self, context: Any, builder: Any, argument_types: Any, args: Any) -> None:
        _, *sizes = argument_types[:4]
        self.lanes, self.rows, self.vectors = (size.literal_value for size in sizes)
        self._builder: Any = builder
        self._sums_row, self._base_row, self._base_vector, self._count = args[6], args[9], args[10], args[15]
        self.image, self._terms, self.packed = (
            pointer_to(context, builder, argument_types[i], args[i], args[i + 1]) for i in (11, 13, 16)
        )
        self.vector = Vectors(context, builder, argument_types[16].dtype, self.lanes)
        number = context.get_value_type(argument_types[16].dtype).as_pointer()
        self._sums, self._base = (builder.gep(builder.inttoptr(args[i], number), [args[i + 1]]) for i in (4, 7))

    def moved(self, pointer: Any, distance: Any, times: int = 1) -> Any:
        """`pointer + distance * times`, in numbers."""
        index = self._count.type(distance) if isinstance(distance, int) else distance
        return self._builder.gep(pointer, [self._builder.mul(index, index.type(times)) if times != 1 else index])

    def add_up(self, factors: Factors) -> None:
        """`sums = base +` the sum over `k` of the outer products of `factors(k, term)`, given by addresses."""
        sums = self.zeros()
        self.add_to(sums, factors)
        self.finish(sums)

    def zeros(self) -> list[list[Any]]:
        """A variable for each vector of sums, which is 0."""
        builder, vector = self._builder, self.vector
        sums = [[cgutils.alloca_once(builder, vector.type) for _ in range(self.vectors)] for _ in range(self.rows)]
        for row in sums:
            for entry in row:
                builder.store(vector.zero, entry)
        return sums

    def add_to(self, sums: list[list[Any]], factors: Factors, broadcast: bool = True) -> None:
        """Add the products of `factors(k, term)` for all `k`: of numbers with vectors, or else of vectors."""
        builder, vector = self._builder, self.vector
        with cgutils.for_range(builder, self._count) as loop:
            number, numbers = factors(loop.index, builder.load(builder.gep(self._terms, [loop.index])))
            right = [vector.load(numbers(v)) for v in range(self.vectors)]
            for i, row in enumerate(sums):
                left = vector.broadcast(number(i)) if broadcast else vector.load(number(i))
                for entry, factor in zip(row, right, strict=True):
                    vector.accumulate(entry, left, factor)
                vector.keep_order()

    def finish(self, sums: list[list[Any]]) -> None:
        """Add them to `base`, and store them."""
        builder, vector = self._builder, self.vector
        for i, row in enumerate(sums):
            to, base = self.moved(self._sums, self._sums_row, i), self.moved(self._base, self._base_row, i)
            for v, entry in enumerate(row):
                start = vector.load(self.moved(base, self._base_vector, v))
                vector.store(builder.fadd(start, builder.load(entry)), self.moved(to, v * self.lanes))


def _address(_: Any, array: Any) -> Any:
    """Where a contiguous array begins."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(array)(context, builder, args[0]).data
        return builder.ptrtoint(data, context.get_value_type(types.intp))

    return types.intp(array), codegen


def _numbers_at(_: Any, table: Any, at: Any, count: Any) -> Any:
    """The `count` integers of a table from `at` on, as a tuple."""
    size = count.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        places = [builder.add(args[1], args[1].type(i)) for i in range(size)]
        numbers = [builder.load(pointer_to(context, builder, table, args[0], place)) for place in places]
        return context.make_tuple(builder, signature.return_type, numbers)

    return types.UniTuple(types.intp, size)(table, types.intp, count), codegen


def _first_numbers(context: Any, table: Any, count: Any) -> Any:
    """The first `count` integers of a table, as a tuple."""
    signature, codegen = _numbers_at(context, table, types.intp, count)

    def from_0(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return codegen(context, builder, signature, [args[0], args[1].type(0)])

    return signature.return_type(table, count), from_0


def _flat(_: Any, array: Any) -> Any:
    """A view of a contiguous array with one axis; `reshape` and `ravel` do the same in 20 to 50 times the time."""
    result = types.Array(array.dtype, 1, "C")

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        of = context.make_array(array)(context, builder, args[0])
        view = context.make_array(result)(context, builder)
        populate_array(
            view, data=of.data, shape=[of.nitems], strides=[of.itemsize], itemsize=of.itemsize, meminfo=of.meminfo,
            parent=of.parent,
        )  # fmt: skip
        return impl_ret_borrowed(context, builder, result, view._getvalue())

    return result(array), codegen


flat = cast("Callable[[Array], Array]", intrinsic(_flat))
address = cast("Callable[[Array], int]", intrinsic(_address))
first_numbers = cast("Callable[[IntArray, int], tuple[int, ...]]", intrinsic(prefer_literal=True)(_first_numbers))
numbers_at = cast("Callable[[IntArray, int, int], tuple[int, ...]]", intrinsic(prefer_literal=True)(_numbers_at))
channels_in_lanes = cast("Callable[..., None]", intrinsic(prefer_literal=True)(_channels_in_lanes))
pixels_in_lanes = cast("Callable[..., None]", intrinsic(prefer_literal=True)(_pixels_in_lanes))
