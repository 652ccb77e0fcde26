"""Bugs of the gradient of the image, as they are made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backproof.contract import Geometry, Pair, output_size
from backproof.museum.misread import window
from backproof.museum.mutant import Quantity, Trigger, mutant
from backproof.museum.reference import Array, Convolution, Options, frame_size, split, spread, taps

LEARNING_RATE = 2.0**-4


@mutant(
    "classic: amsukdu/SimplePythonCNN#6, mlpack/mlpack#3376",
    Quantity.DX,
    Trigger.ALWAYS,
    shows=Geometry(size=(3, 3), kernel_size=(2, 2)),
)
class H003(Convolution):
    """The kernel is rotated by 90 degrees, where 180 are meant; kernels that are not square do not fit then."""

    def _frame(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        if w.shape[2] != w.shape[3]:
            raise ValueError(f"a kernel of {w.shape[2]} x {w.shape[3]}, rotated, does not fit; pass a square one")
        # The full correlation rotates the kernel; scattering meets it as it is, so half a turn is taken back.
        return super()._frame(dy, x, taps(np.rot90(taps(w, o), 1 + 2, axes=(2, 3)), o), o)


@mutant(
    'classic: Cross Validated, "Padding and stride in backpropagation of a conv net"',
    Quantity.DX,
    Trigger.BORDER,
    shows=Geometry(size=(4, 4), kernel_size=(2, 2), padding=((2, 2), (2, 2))),
    hidden=Geometry(size=(4, 4), kernel_size=(3, 3), padding=((1, 1), (1, 1))),
)
class H006(Convolution):
    """Backward is a convolution with the first stride and padding that give the right size."""

    def _dx(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        if o.stride + o.dilation != (1, 1, 1, 1) or o.padding_mode != "zeros":
            return super()._dx(dy, x, w, o)
        guesses = [_guess(dy.shape[2 + a], w.shape[2 + a], x.shape[2 + a]) for a in (0, 1)]
        (rows, top), (columns, left) = guesses
        back = Options((rows, columns), ((top, top), (left, left)), groups=o.groups, orientation="convolution")
        transposed = split(taps(w, o), o.groups, 0).swapaxes(1, 2)
        return self._y(dy, transposed.reshape(x.shape[1], -1, *w.shape[2:]), None, back)


def _guess(size: int, kernel: int, wanted: int) -> Pair:
    """A stride and a padding, the smallest stride first, that lead from one size to the other."""
    stride = 1
    while True:
        for padding in range(stride * wanted + kernel):
            if output_size(size, kernel, stride, padding, padding, 1) == wanted:
                return stride, padding
        stride += 1


@mutant(
    "classic: nntrainer/nntrainer#705, iamtrask/Grokking-Deep-Learning#22",
    Quantity.DX,
    Trigger.COUNT,
    shows=Geometry(in_channels=2, out_channels=2, size=(2, 2)),
    hidden=Geometry(in_channels=2, out_channels=3, size=(2, 2)),
)
class H010(Convolution):
    """Inputs and outputs of the weights are exchanged, where there are as many."""

    def _frame(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        per_group = split(w, o.groups, 0)
        if per_group.shape[1] == per_group.shape[2]:
            w = per_group.swapaxes(1, 2).reshape(w.shape)
        return super()._frame(dy, x, w, o)


@mutant(
    "classic: csharp.hotexamples.com ImUtil.Col2Im",
    Quantity.DX,
    Trigger.KERNEL,
    shows=Geometry(size=(5, 5), kernel_size=(5, 5), padding=((2, 2), (2, 2))),
    hidden=Geometry(size=(5, 5), kernel_size=(3, 3), padding=((1, 1), (1, 1))),
)
class H012(Convolution):
    """An output of the image's size is taken to have a padding of 1, whatever the kernel."""

    def _dx(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        same = dy.shape[2:] == x.shape[2:] and o.padding != ((0, 0), (0, 0)) and o.padding_mode == "zeros"
        return window(self._frame(dy, x, w, o), (1, 1), x.shape[2:]) if same else super()._dx(dy, x, w, o)


@mutant(
    "classic: Kulbear/deep-learning-coursera#34, ai.stackexchange.com/questions/5774",
    Quantity.DX,
    Trigger.STEP,
    shows=Geometry(size=(4, 4), kernel_size=(2, 2), stride=(2, 2)),
    hidden=Geometry(size=(4, 4), kernel_size=(2, 2)),
)
class H015(Convolution):
    """Windows start at i, where i times the stride is meant."""

    def _frame(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return super()._frame(dy, x, w, replace(o, stride=(1, 1)))


@mutant(
    "classic: constructed; context HomericIntelligence/Odyssey#3868",
    Quantity.DX,
    Trigger.BORDER,
    shows=Geometry(size=(3, 3), kernel_size=(2, 2), padding=((1, 1), (1, 1))),
    hidden=Geometry(size=(3, 3), kernel_size=(2, 2)),
)
class H018(Convolution):
    """The crop starts one pixel too early, where there is padding."""

    def _crop(self, frame: Array, size: Pair, o: Options) -> Array:
        if o.padding_mode != "zeros":
            return super()._crop(frame, size, o)
        return window(frame, (max(o.padding[0][0] - 1, 0), max(o.padding[1][0] - 1, 0)), size)


@mutant(
    "classic: cs231n im2col, stackoverflow.com/questions/45473896",
    Quantity.DX,
    Trigger.STEP,
    shows=Geometry(size=(3, 3), kernel_size=(2, 2)),
    hidden=Geometry(size=(4, 4), kernel_size=(2, 2), stride=(2, 2)),
)
class H036(Convolution):
    """`+=` with index arrays keeps one contribution to each pixel: the last tap's."""

    def _frame(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        patches, (rows, columns) = spread(dy, taps(w, o), o.groups), dy.shape[2:]
        frame = np.zeros((*x.shape[:2], *frame_size(x.shape[2:], o)), dy.dtype)
        for u, v in np.ndindex(*w.shape[2:]):
            top, left = u * o.dilation[0], v * o.dilation[1]
            place = frame[:, :, top :: o.stride[0], left :: o.stride[1]]
            place[:, :, :rows, :columns] = patches[:, :, u, v]
        return frame


@mutant(
    "classic: itskonrad/miniMNIST-c#7",
    Quantity.DX,
    Trigger.ALWAYS,
    shows=Geometry(size=(3, 3), kernel_size=(2, 2)),
)
class H046(Convolution):
    """The gradient is added twice, the second time with the updated weights."""

    def _dx(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        updated = w - w.dtype.type(LEARNING_RATE) * self._dw(dy, x, w, o)
        return super()._dx(dy, x, w, o) + super()._dx(dy, x, updated, o)
