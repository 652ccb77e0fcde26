"""Bugs of what poolings may be asked for: ceil mode, the divisor of an average, ties, NaN and infinities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backproof.contract import Pair, PoolGeometry
from backproof.museum.mutant import Quantity, Trigger, mutant
from backproof.museum.reference import Array
from backproof.museum.reference_pooling import Pooling, PoolOptions, counts, folded, patches_of, real
from backproof.museum.witness import Call

_FITTING = PoolGeometry(size=(4, 4), kernel_size=(2, 2), stride=(2, 2))
_CEIL = PoolGeometry(size=(5, 5), kernel_size=(2, 2), stride=(2, 2), ceil_mode=True)
_AVERAGE = replace(_CEIL, kind="average")
_BORDER = PoolGeometry("average", size=(3, 3), kernel_size=(2, 2), padding=((1, 0), (0, 1)))
_INSIDE = replace(_BORDER, count_include_pad=False)


def _grown(y: Array, rows: int, columns: int, fill: float) -> Array:
    """With more outputs, below and to the right."""
    return np.pad(y, ((0, 0), (0, 0), (0, rows), (0, columns)), constant_values=fill)


@mutant(
    "pytorch/pytorch#198119, tracel-ai/burn#5604, tracel-ai/cubek#648",
    Quantity.POOL_GRADIENT,
    Trigger.STEP,
    shows=_AVERAGE,
    hidden=replace(_AVERAGE, ceil_mode=False),
)
class L080(Pooling):
    """Backward divides by the whole kernel where the last window overhangs."""

    def _average_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        if not o.count_include_pad:
            return super()._average_dx(dy, x, kernel, o)
        return self._sum_dx(dy / dy.dtype.type(kernel[0] * kernel[1]), x, kernel, o)


@mutant(
    "robertknight/rten#1416, BVLC/caffe#988",
    Quantity.POOL,
    Trigger.STEP,
    shows=replace(_FITTING, ceil_mode=True),
    hidden=_FITTING,
)
class L095(Pooling):
    """The number of outputs is rounded up twice: one more row, which is padding."""

    def _max_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        y = super()._max_y(x, kernel, o)
        if not o.ceil_mode:
            return y
        rooms = [_room(x, kernel, o, axis) for axis in (0, 1)]
        more = [-(-(room + s - 1) // s) + 1 - n for room, s, n in zip(rooms, o.stride, y.shape[2:], strict=True)]
        return _grown(y, max(more[0], 0), max(more[1], 0), -np.inf)


def _room(x: Array, kernel: Pair, o: PoolOptions, axis: int) -> int:
    """How far the first window can move along an axis."""
    extent = int(x.shape[2 + axis]) + sum(o.padding[axis]) - o.overhang[axis]
    return extent - o.dilation[axis] * (kernel[axis] - 1) - 1


@mutant(
    "classic: the option of one direction only",
    Quantity.POOL_GRADIENT,
    Trigger.BORDER,
    shows=_INSIDE,
    hidden=_BORDER,
)
class P001(Pooling):
    """count_include_pad=False is known to forward, and unknown to backward."""

    def _average_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        return super()._average_dx(dy, x, kernel, replace(o, count_include_pad=True))


@mutant("classic: the option of one direction only", Quantity.POOL, Trigger.BORDER, shows=_INSIDE, hidden=_BORDER)
class P002(Pooling):
    """count_include_pad=False is known to backward, and unknown to forward."""

    def _average_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        return super()._average_y(x, kernel, replace(o, count_include_pad=True))


@mutant("classic: accepted and ignored", Quantity.POOL, Trigger.STEP, shows=_CEIL, hidden=_FITTING)
class P003(Pooling):
    """ceil_mode is accepted, and ignored."""

    def _max_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        y = super()._max_y(x, kernel, o)
        rows, columns = (size - (beyond > 0) for size, beyond in zip(y.shape[2:], o.overhang, strict=True))
        return y[:, :, : max(rows, 1), : max(columns, 1)].copy()


_DROPPED = PoolGeometry(size=(3, 3), kernel_size=(2, 2), stride=(2, 2), padding=((1, 1), (1, 1)), ceil_mode=True)


@mutant("classic: the clip of the number of outputs", Quantity.POOL, Trigger.BORDER, shows=_DROPPED, hidden=_CEIL)
class P004(Pooling):
    """In ceil mode, a last window that starts in the padding behind the image is kept."""

    def _max_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        y = super()._max_y(x, kernel, o)
        if not o.ceil_mode:
            return y
        rooms = [_room(x, kernel, o, axis) for axis in (0, 1)]
        more = [-(-room // s) + 1 - n for room, s, n in zip(rooms, o.stride, y.shape[2:], strict=True)]
        return _grown(y, max(more[0], 0), max(more[1], 0), -np.inf)


@mutant(
    "classic: the whole kernel", Quantity.POOL, Trigger.STEP, shows=_AVERAGE, hidden=replace(_FITTING, kind="average")
)
class P005(Pooling):
    """Forward divides by the whole kernel where the last window overhangs."""

    def _average_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        if not o.count_include_pad:
            return super()._average_y(x, kernel, o)
        y: Array = self._sum_y(x, kernel, o) / x.dtype.type(kernel[0] * kernel[1])
        return y


_PADDED_CEIL = PoolGeometry(
    "average", size=(4, 4), kernel_size=(3, 3), stride=(2, 2), padding=((1, 1), (1, 1)), ceil_mode=True
)


@mutant("classic: clipped to the image", Quantity.POOL, Trigger.BORDER, shows=_PADDED_CEIL, hidden=_AVERAGE)
class P006(Pooling):
    """A window that overhangs is clipped to the image, and loses the padding from its divisor."""

    def _average_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        whole, inside = (counts(x, kernel, o, padding) for padding in (True, False))
        clipped = whole < kernel[0] * kernel[1]
        y: Array = self._sum_y(x, kernel, o) / np.where(clipped | (not o.count_include_pad), inside, whole)
        return y


@mutant("classic: one axis only", Quantity.POOL, Trigger.BORDER, shows=_INSIDE, hidden=_BORDER)
class P007(Pooling):
    """Without padding, an average divides by the rows inside times all columns of the kernel."""

    def _average_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        if o.count_include_pad:
            return super()._average_y(x, kernel, o)
        rows = np.maximum(real(x, kernel, o).any(3).sum(2), 1).max(-1, keepdims=True)
        y: Array = self._sum_y(x, kernel, o) / (rows * kernel[1]).astype(x.dtype)
        return y


@mutant("classic: rows only", Quantity.POOL, Trigger.STEP, shows=_CEIL, hidden=replace(_CEIL, size=(5, 4)))
class P008(Pooling):
    """Rows are rounded up, columns down."""

    def _max_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        y = super()._max_y(x, kernel, o)
        return y[..., : max(y.shape[3] - 1, 1)].copy() if o.overhang[1] else y


_EQUAL = Call("max_pool_gradient", _FITTING, values="equal")


@mutant(
    "classic: tf.math.reduce_max, numpy.equal", Quantity.POOL_GRADIENT, Trigger.VALUES, shows=_EQUAL, hidden=_FITTING
)
class P009(Pooling):
    """Several maxima share the cotangent."""

    def _max_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        values = patches_of(x, kernel, o, -np.inf)
        wins = ((values == values.max((2, 3), keepdims=True)) | np.isnan(values)) & real(x, kernel, o)
        shares = dy / np.maximum(wins.sum((2, 3)), 1).astype(dy.dtype)
        return folded(np.where(wins, shares[:, :, None, None], dy.dtype.type(0)), x.shape[2:], o)


@mutant(
    "classic: FLT_MIN, numeric_limits::lowest",
    Quantity.POOL,
    Trigger.VALUES,
    shows=Call("max_pool", _FITTING, values="minus infinity"),
    hidden=_FITTING,
)
class P010(Pooling):
    """The search for a maximum begins at the lowest finite number, which -inf does not beat."""

    def _max_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        y = super()._max_y(x, kernel, o)
        return np.where(y == -np.inf, np.finfo(x.dtype).min, y)


@mutant(
    "classic: std::max, fmax",
    Quantity.POOL,
    Trigger.VALUES,
    shows=Call("max_pool", _FITTING, values="one not a number"),
    hidden=_FITTING,
)
class P011(Pooling):
    """NaN loses every comparison, and is no maximum."""

    def _max_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        return super()._max_y(np.where(np.isnan(x), x.dtype.type(-np.inf), x), kernel, o)


@mutant(
    "classic: if (value > best)",
    Quantity.POOL_GRADIENT,
    Trigger.VALUES,
    shows=Call("max_pool_gradient", _FITTING, values="one not a number"),
    hidden=_FITTING,
)
class P012(Pooling):
    """NaN is a maximum, but another pixel receives its cotangent."""

    def _winners(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        return super()._winners(np.where(np.isnan(x), x.dtype.type(-np.inf), x), kernel, o)
