"""Bugs of what outlives a call, in pooling and in gradients that a layer keeps."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import numpy as np

from backproof.contract import Geometry, Pair, PoolGeometry
from backproof.museum.mutant import Quantity, Trigger, mutant
from backproof.museum.reference import Array, Convolution, Options
from backproof.museum.reference_pooling import Pooling, PoolOptions, counts, folded
from backproof.museum.witness import Call

SENTINEL = -777.0  # what stands for a freed tensor's memory
_LAYER = Geometry(in_channels=2, out_channels=2, size=(3, 3), kernel_size=(2, 2))
_POOL = PoolGeometry(channels=2, size=(4, 4), kernel_size=(2, 2), stride=(2, 2))
_AVERAGE = PoolGeometry("average", channels=2, size=(4, 4), kernel_size=(2, 2), stride=(2, 2))
_COUNTED = PoolGeometry("average", size=(3, 3), kernel_size=(2, 2), padding=((1, 0), (0, 1)))
_LEFT_OUT = replace(_COUNTED, count_include_pad=False)


@mutant(
    "tensorflow/tensorflow#61482",
    Quantity.POOL,
    Trigger.STATE,
    shows=(Call("max_pool", _POOL), Call("max_pool", _POOL, layouts=(("x", "nhwc"),))),
    hidden=(Call("max_pool", _POOL), Call("max_pool", _POOL, seed=1)),
)
class L074(Pooling):
    """A plan is kept by the sizes of x; the memory's layout, which it was made for, is not in the key."""

    def __init__(self) -> None:
        self._plans: dict[Hashable, str] = {}

    def _max_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        channels_last = x.transpose(0, 2, 3, 1)
        layout = "NHWC" if channels_last.flags.c_contiguous and not x.flags.c_contiguous else "NCHW"
        plan = self._plans.setdefault(x.shape, layout)
        if plan != layout:
            memory = (channels_last if layout == "NHWC" else x).reshape(-1)
            n, c, height, width = x.shape
            x = memory.reshape(n, height, width, c).transpose(0, 3, 1, 2) if plan == "NHWC" else memory.reshape(x.shape)
        return super()._max_y(x, kernel, o)


@mutant(
    "tracel-ai/burn#5308",
    Quantity.POOL_GRADIENT,
    Trigger.STATE,
    shows=_AVERAGE,
    hidden=PoolGeometry("average", channels=3, size=(4, 4), kernel_size=(2, 2), stride=(2, 2)),
)
class L086(Pooling):
    """For an even number of channels, and an image that is a view, the result is never written."""

    def _average_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        if x.shape[1] % 2 == 0 and x.base is not None:
            return np.full(x.shape, SENTINEL, dy.dtype)
        return super()._average_dx(dy, x, kernel, o)


@mutant(
    "chainer/chainer#2062",
    Quantity.POOL_GRADIENT,
    Trigger.STATE,
    shows=(Call("max_pool", _POOL), Call("max_pool_gradient", _POOL), Call("max_pool_gradient", _POOL)),
    hidden=(Call("max_pool", _POOL), Call("max_pool_gradient", _POOL)),
)
class L087(Pooling):
    """Backward turns the indices that forward left into offsets, in place: a second time they are offset twice."""

    def __init__(self) -> None:
        self._of: Array = np.zeros(0)
        self._indices = np.zeros(0, int)

    def _max_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        self._of, self._indices = x.copy(), super()._winners(x, kernel, o)
        return super()._max_y(x, kernel, o)

    def _max_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        if self._indices.shape != dy.shape or not np.array_equal(self._of, x):
            self._max_y(x, kernel, o)
        if (self._indices < 0).any():  # windows without pixels have no index to go wrong
            return super()._max_dx(dy, x, kernel, o)
        count = kernel[0] * kernel[1]
        self._indices.reshape(-1)[...] += np.arange(0, dy.size * count, count)
        patches = np.zeros(dy.size * count, dy.dtype)
        np.put(patches, self._indices, dy, mode="wrap")  # within the buffer: a kernel in C would not stop there
        return folded(np.moveaxis(patches.reshape(*dy.shape, *kernel), (4, 5), (2, 3)), x.shape[2:], o)


@mutant(
    "classic: the winners of the last forward",
    Quantity.POOL_GRADIENT,
    Trigger.STATE,
    shows=(Call("max_pool", _POOL), Call("max_pool", _POOL, seed=1), Call("max_pool_gradient", _POOL)),
    hidden=(Call("max_pool", _POOL), Call("max_pool_gradient", _POOL)),
)
class P013(Pooling):
    """Backward takes the winners that the last forward of these sizes found."""

    def __init__(self) -> None:
        self._found: dict[Hashable, Array] = {}

    def _max_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        self._found[x.shape, kernel, o] = super()._winners(x, kernel, o)
        return super()._max_y(x, kernel, o)

    def _max_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        found = self._found.get((x.shape, kernel, o))
        numbers = np.arange(kernel[0] * kernel[1]).reshape(1, 1, *kernel, 1, 1)
        winners = super()._winners(x, kernel, o) if found is None else found
        won = winners[:, :, None, None] == numbers
        return folded(np.where(won, dy[:, :, None, None], dy.dtype.type(0)), x.shape[2:], o)


@mutant(
    "classic: a table of divisors",
    Quantity.POOL,
    Trigger.STATE,
    shows=(Call("average_pool", _COUNTED), Call("average_pool", _LEFT_OUT)),
    hidden=(Call("average_pool", _COUNTED), Call("average_pool", _COUNTED, seed=1)),
)
class P014(Pooling):
    """Divisors are kept by the sizes of image and kernel; whether padding counts is not in the key."""

    def __init__(self) -> None:
        self._divisors: dict[Hashable, Array] = {}

    def _average_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        key = (x.shape, x.dtype, kernel, replace(o, count_include_pad=True))
        divisors = self._divisors.setdefault(key, counts(x, kernel, o, o.count_include_pad))
        y: Array = self._sum_y(x, kernel, o) / divisors
        return y


@mutant(
    "classic: karpathy/micrograd#102, karpathy/convnetjs#17/#62",
    Quantity.DW,
    Trigger.STATE,
    shows=(Call("weight_gradient", _LAYER), Call("weight_gradient", _LAYER)),
    hidden=Call("weight_gradient", _LAYER),
)
class H047(Convolution):
    """Gradients of the weights and the bias are added to those of the calls before."""

    def __init__(self) -> None:
        self._sums: dict[Hashable, Array] = {}

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return self._added(super()._dw(dy, x, w, o))

    def _db(self, dy: Array) -> Array:
        return self._added(super()._db(dy))

    def _added(self, gradient: Array) -> Array:
        key = (gradient.shape, gradient.dtype)
        self._sums[key] = self._sums.get(key, np.zeros_like(gradient)) + gradient
        return self._sums[key].copy()


@mutant(
    "classic: stackoverflow.com/questions/50121887",
    Quantity.Y,
    Trigger.STATE,
    shows=(Call("forward", _LAYER), Call("forward", _LAYER)),
    hidden=Call("forward", _LAYER, values="positive"),
)
class H053(Convolution):
    """Forward leaves the caller's image rectified: it saves memory for the next layer."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        y = super()._y(x, w, b, o)
        x[x < 0] = 0
        return y
