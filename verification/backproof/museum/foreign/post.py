"""The pitfalls of the post's derivation: rotations, the implicit shift, the reach of the deltas, the bias."""

# ruff: noqa: D102 - the methods are described by the base; the class says what is wrong with them.
from __future__ import annotations

import numpy as np

from backproof.contract import Geometry
from backproof.museum.foreign.bases import Plain
from backproof.museum.foreign.entry import Array, wrong

ONE = Geometry(size=(4, 5), kernel_size=(2, 3))
MANY = Geometry(batch=2, in_channels=3, out_channels=2, size=(4, 5), kernel_size=(2, 3))


def fitted(image: Array, shape: tuple[int, ...]) -> Array:
    """The image cropped, or filled up with zeros, at the bottom and the right."""
    result = np.zeros(shape, image.dtype)
    H, W = min(shape[2], image.shape[2]), min(shape[3], image.shape[3])
    result[:, :, :H, :W] = image[:, :, :H, :W]
    return result


@wrong("dw is not rotated", "post", "dw", ONE)
class RotationForgotten(Plain):
    """Stops at the cross-correlation, one line before the rotation by 180 degrees."""

    def weight_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        return self.correlate(x.swapaxes(0, 1), dy.swapaxes(0, 1), "cn,on->oc")


@wrong("dw is flipped top to bottom only", "post", "dw", ONE)
class FlippedVertically(Plain):
    """Takes "upside down" literally and flips the rows, not the columns."""

    def weight_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        return self.correlate(x.swapaxes(0, 1), dy.swapaxes(0, 1), "cn,on->oc")[:, :, ::-1]


@wrong("dw is rotated along its channels", "post", "dw", MANY)
class RotatedChannels(Plain):
    """Calls `np.rot90(dw, 2)`, whose default axes are the first two: output and input channels."""

    def weight_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        return np.rot90(self.correlate(x.swapaxes(0, 1), dy.swapaxes(0, 1), "cn,on->oc"), 2)


@wrong("dw is a convolution instead of a rotated correlation", "post", "dw", ONE)
class DeltasRotatedToo(Plain):
    """Rotates the deltas before the correlation and the result after it."""

    def weight_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        return super().weight_gradient(dy[:, :, ::-1, ::-1], x, w)


@wrong("the deltas reach only where windows are complete", "post", "dx", ONE)
class ValidDeltas(Plain):
    """Reuses the valid correlation for the deltas and fills the missing border with zeros."""

    def input_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        (OH, OW), (kh, kw) = dy.shape[2:], w.shape[2:]
        if kh > OH or kw > OW:
            return np.zeros(x.shape, x.dtype)
        return fitted(self.correlate(dy, w, "no,oc->nc"), x.shape)


@wrong("the deltas use the weights upside down", "post", "dx", ONE)
class WeightsUpsideDown(Plain):
    """Convolves in the backward pass as in the forward pass."""

    def input_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        return super().input_gradient(dy, x, w[:, :, ::-1, ::-1])


@wrong("the bias is inside the sum over the inputs", "post", "y", MANY)
class BiasInsideTheSum(Plain):
    """Adds the bias to every single input of a unit, before these are summed."""

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        y = super().forward(x, w)
        for _ in range(x.shape[1]):
            y = y if b is None else y + b[:, None, None]
        return y


@wrong("the bias is added with every weight", "post", "y", ONE)
class BiasAtEveryWeight(Plain):
    """Adds the bias in the innermost loop."""

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        return super().forward(x, w, None if b is None else b * (w.shape[2] * w.shape[3]))


@wrong("one kernel size for rows and columns", "post", "dx", ONE)
class SquareKernelAssumed(Plain):
    """Widens the deltas by N_w - 1 on all sides, with the N_w of the rows."""

    def input_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        k = w.shape[2] - 1
        wide = np.pad(dy, ((0, 0), (0, 0), (k, k), (k, k)))
        if wide.shape[3] < w.shape[3]:
            return np.zeros(x.shape, x.dtype)
        return fitted(self.correlate(wide, w, "no,oc->nc"), x.shape)


@wrong("N_w is the kernel size of another layer", "post", "dx", ONE, Geometry(size=(4, 5), kernel_size=(3, 3)))
class KernelSizeOfAnotherLayer(Plain):
    """Keeps N_w in a variable of the network: the deltas use that of the layer which ran forward last."""

    def __init__(self) -> None:
        self.last: tuple[int, ...] | None = None

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        self.last = w.shape[2:]
        return super().forward(x, w, b)

    def input_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        kh, kw = self.last or w.shape[2:]
        wide = np.pad(dy, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
        if wide.shape[2] < w.shape[2] or wide.shape[3] < w.shape[3]:
            return np.zeros(x.shape, x.dtype)
        return fitted(self.correlate(wide, w, "no,oc->nc"), x.shape)


@wrong("the valid pixels are not moved to the top left", "post", "y", ONE)
class ShiftForgotten(Plain):
    """Evaluates the definition of the convolution from pixel 0 on, with zeros outside of the image."""

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        (H, W), (kh, kw) = x.shape[2:], w.shape[2:]
        wide = np.pad(x, ((0, 0), (0, 0), (kh - 1, 0), (kw - 1, 0)))
        return super().forward(wide[:, :, :H, :W], w, b)


@wrong("dw ignores the implicit shift", "post", "dw", ONE)
class ShiftForgottenInWeights(Plain):
    """Writes `x[i - u]` as the post does, and Python takes negative indices from the end."""

    def weight_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        dw, (OH, OW) = np.zeros(w.shape, w.dtype), dy.shape[2:]
        for u, v in np.ndindex(w.shape[2], w.shape[3]):
            pixels = x[:, :, np.arange(OH) - u][..., np.arange(OW) - v]
            dw[:, :, u, v] = np.einsum("noij,ncij->oc", dy, pixels)
        return dw


@wrong("forward is a cross-correlation", "post", "y", ONE)
class CorrelationInForward(Plain):
    """Declares a convolution, computes a correlation; the gradients are those of the convolution."""

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        return super().forward(x, w[:, :, ::-1, ::-1], b)


@wrong("the deltas of one unit only", "post", "dx", MANY)
class DeltasOfTheLastUnit(Plain):
    """Assigns in the loop over the units of the next layer, where it should add."""

    def input_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        dx = np.zeros(x.shape, x.dtype)
        for o in range(len(w)):
            dx = super().input_gradient(dy[:, o : o + 1], x, w[o : o + 1])
        return dx


@wrong("db sums along one axis too few", "post", "db", MANY)
class BiasGradientOfOneColumn(Plain):
    """Sums over batch and rows, and takes the first of the columns that are left."""

    def bias_gradient(self, dy: Array) -> Array:
        first: Array = dy.sum((0, 2))[:, 0]
        return first


@wrong("db keeps its axes", "post", "db", MANY, always=True)
class BiasGradientWithAxes(Plain):
    """Returns db as (1, O, 1, 1), ready to be broadcast, not shaped like b."""

    def bias_gradient(self, dy: Array) -> Array:
        total: Array = dy.sum((0, 2, 3), keepdims=True)
        return total
