"""Bugs that take the memory of an array for the array: strides are ignored, or misunderstood."""

from __future__ import annotations

from backproof.contract import Geometry, Pair, PoolGeometry
from backproof.museum.misread import packed
from backproof.museum.mutant import Quantity, Trigger, mutant
from backproof.museum.reference import Array, Convolution, Options
from backproof.museum.reference_pooling import Pooling, PoolOptions
from backproof.museum.witness import Call

_LAYER = Geometry(in_channels=2, out_channels=2, size=(3, 3), kernel_size=(2, 2))
_POOL = PoolGeometry(channels=2, size=(4, 4), kernel_size=(2, 2), stride=(2, 2))


@mutant(
    "pytorch/pytorch#180984",
    Quantity.Y,
    Trigger.LAYOUT,
    shows=Call("forward", _LAYER, layouts=(("x", "channel-slice"),)),
    hidden=Call("forward", _LAYER, layouts=(("x", "nhwc"),)),
)
class L001(Convolution):
    """A slice of the channels of NHWC memory is read as if it were all of them."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        batch, channel, row, column = x.strides
        if x.shape[1] > 1 and 0 < channel < column <= row <= batch:
            n, c, height, width = x.shape
            x = packed(x, (n, height, width, c)).transpose(0, 3, 1, 2)
        return super()._y(x, w, b, o)


@mutant(
    "pytorch/pytorch#192212",
    Quantity.Y,
    Trigger.LAYOUT,
    shows=Call("forward", _LAYER, layouts=(("w", "F"),)),
    hidden=Call("forward", _LAYER, layouts=(("w", "offset"),)),
)
class L002(Convolution):
    """The memory of weights that are a view is read in order."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        return super()._y(x, w if w.flags.c_contiguous else packed(w), b, o)


@mutant(
    "pytorch/pytorch#708",
    Quantity.DX,
    Trigger.LAYOUT,
    shows=Call("input_gradient", _LAYER, layouts=(("dy", "sliced"),)),
    hidden=Call("input_gradient", _LAYER, layouts=(("x", "sliced"),)),
)
class L047(Convolution):
    """The memory of a cotangent that is a view is read in order."""

    def _dx(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return super()._dx(dy if dy.flags.c_contiguous else packed(dy), x, w, o)


@mutant(
    "pytorch/pytorch#4500",
    Quantity.DX,
    Trigger.LAYOUT,
    shows=Call("input_gradient", _LAYER, layouts=(("dy", "broadcast"),)),
    hidden=Call("input_gradient", _LAYER, layouts=(("dy", "sliced"),)),
)
class L048(Convolution):
    """A cotangent that is one number, repeated by strides of 0, is read from memory where there is only one."""

    def _dx(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        repeated = any(size > 1 and step == 0 for size, step in zip(dy.shape, dy.strides, strict=True))
        return super()._dx(packed(dy) if repeated else dy, x, w, o)


@mutant(
    "pytorch/pytorch#170167",
    Quantity.DX,
    Trigger.LAYOUT,
    shows=Call("input_gradient", Geometry(size=(2, 3)), layouts=(("dy", "nhwc"),)),
    hidden=Call("input_gradient", Geometry(size=(2, 3))),
)
class L050(Convolution):
    """The stride of a single channel, which means nothing, is taken for that of channels last."""

    def _dx(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        n, channels, height, width = dy.shape
        if channels == 1 and min(height, width) > 1 and 0 < dy.strides[1] <= dy.strides[3]:
            dy = packed(dy, (n, 1, width, height)).swapaxes(2, 3)
        return super()._dx(dy, x, w, o)


@mutant(
    "torch/cunn#199",
    Quantity.POOL_GRADIENT,
    Trigger.LAYOUT,
    shows=Call("max_pool_gradient", _POOL, layouts=(("dy", "nhwc"),)),
    hidden=Call("max_pool_gradient", _POOL, layouts=(("x", "nhwc"),)),
)
class L071(Pooling):
    """The memory of a pool's cotangent that is a view is read in order."""

    def _max_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        return super()._max_dx(dy if dy.flags.c_contiguous else packed(dy), x, kernel, o)
