"""Options that are swapped, taken for one another, or accepted and ignored."""

# ruff: noqa: D102 - the methods are described by the base; the class says what is wrong with them.
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from backproof.contract import Geometry, Orientation, Padding, PaddingMode, Pair
from backproof.museum.foreign.bases import UNPADDED, Columns, Loops
from backproof.museum.foreign.entry import Array, wrong
from backproof.museum.foreign.windows import Indexed, Shifted, Sliding

UNEVEN = Geometry(size=(4, 5), kernel_size=(2, 3), padding=((1, 0), (0, 2)))
DILATED = Geometry(size=(6, 7), kernel_size=(3, 2), dilation=(2, 3))
STRIDED = Geometry(size=(5, 8), kernel_size=(3, 2), stride=(2, 3))
CIRCULAR = Geometry(size=(4, 5), kernel_size=(2, 3), padding=((1, 0), (1, 2)), padding_mode="circular")


@wrong("columns move by the stride of the rows", "option", "y", STRIDED)
class RowStrideForColumns(Loops):
    """Passes `stride[0]` for both axes to the function that finds the pixels, not to that which counts outputs."""

    def visits(
        self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair
    ) -> Iterator[tuple[int, int, int, int, int, int]]:
        (H, W), (kh, kw) = x.shape[2:], w.shape[2:]
        for i in range(self.size(H, kh, stride[0], padding[0], dilation[0])):
            for j in range(self.size(W, kw, stride[1], padding[1], dilation[1])):
                for u, p in self.reach(i, H, kh, stride[0], padding[0][0], dilation[0]):
                    for v, q in self.reach(j, W, kw, stride[0], padding[1][0], dilation[1]):
                        yield i, j, u, v, p, q


@wrong("dilation of rows and columns is swapped", "option", "y", DILATED)
class DilationSwapped(Loops):
    """Unpacks `dilation` as (horizontal, vertical) where pixels are found, not where outputs are counted."""

    def visits(
        self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair
    ) -> Iterator[tuple[int, int, int, int, int, int]]:
        (H, W), (kh, kw) = x.shape[2:], w.shape[2:]
        for i in range(self.size(H, kh, stride[0], padding[0], dilation[0])):
            for j in range(self.size(W, kw, stride[1], padding[1], dilation[1])):
                for u, p in self.reach(i, H, kh, stride[0], padding[0][0], dilation[1]):
                    for v, q in self.reach(j, W, kw, stride[1], padding[1][0], dilation[0]):
                        yield i, j, u, v, p, q


@wrong("top and bottom padding are swapped", "option", "y", UNEVEN)
class BottomFirst(Columns):
    """Pads (after, before); the output has the right size."""

    def pad(self, x: Array, padding: Padding) -> Array:
        return np.pad(x, ((0, 0), (0, 0), padding[0][::-1], padding[1][::-1]))


@wrong("dx is cropped from the wrong side", "option", "dx", UNEVEN)
class CropsByBottom(Columns):
    """Cuts `bottom` and `right` from the front of the padded gradient."""

    def image(self, columns: Array, x: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        return super().image(columns, x, stride, (padding[0][::-1], padding[1][::-1]), dilation)


@wrong(
    "circular padding wraps once",
    "option",
    "y",
    Geometry(size=(2, 2), kernel_size=(2, 2), padding=((3, 0), (0, 0)), padding_mode="circular"),
)
class WrapsOnce(Indexed):
    """Adds or subtracts the image size once; padding that is larger than the image ends in zeros."""

    def inside(self, index: Array, size: int, mode: PaddingMode) -> tuple[Array, Array]:
        if mode == "circular":
            index = np.where(index < 0, index + size, np.where(index >= size, index - size, index))
        return super().inside(index, size, "zeros")


@wrong("only rows are circular", "option", "y", CIRCULAR)
class CircularRowsOnly(Indexed):
    """Wraps the rows, and pads the columns with zeros."""

    def places(
        self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair, mode: PaddingMode
    ) -> tuple[Array, Array, Array]:
        rows, _, row_counts = super().places(x, w, stride, (padding[0], (x.shape[3], 0)), dilation, mode)
        _, columns, counts = super().places(x, w, stride, padding, dilation, "zeros")
        return rows, columns, row_counts[:, :, :1, :1] & counts.any((0, 1), keepdims=True)


@wrong("circular padding mirrors", "option", "y", CIRCULAR)
class CircularMirrors(Indexed):
    """Takes the padding mode "circular" for "symmetric"."""

    def inside(self, index: Array, size: int, mode: PaddingMode) -> tuple[Array, Array]:
        if mode == "circular":
            folded = index % (2 * size)
            index = np.where(folded < size, folded, 2 * size - 1 - folded)
        return super().inside(index, size, mode)


@wrong("dx forgets what was wrapped around", "option", "dx", CIRCULAR)
class WrappedGradientDropped(Indexed):
    """Cuts off the gradient of the padding, which is right for zeros only."""

    def backward(
        self,
        dy: Array,
        x: Array,
        w: Array,
        b: Array | None = None,
        *,
        stride: Pair = (1, 1),
        padding: Padding = UNPADDED,
        dilation: Pair = (1, 1),
        padding_mode: PaddingMode = "zeros",
        orientation: Orientation = "convolution",
    ) -> tuple[Array, Array, Array]:
        _, dw, db = super().backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation,
                                     padding_mode=padding_mode, orientation=orientation)  # fmt: skip
        dx, _, _ = super().backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation,
                                    padding_mode="zeros", orientation=orientation)  # fmt: skip
        return dx, dw, db


@wrong("dw ignores the orientation", "option", "dw", UNEVEN)
class OrientationIgnoredInDw(Indexed):
    """Turns the kernel in forward and for dx, and leaves dw as a framework has it."""

    def backward(
        self,
        dy: Array,
        x: Array,
        w: Array,
        b: Array | None = None,
        *,
        stride: Pair = (1, 1),
        padding: Padding = UNPADDED,
        dilation: Pair = (1, 1),
        padding_mode: PaddingMode = "zeros",
        orientation: Orientation = "convolution",
    ) -> tuple[Array, Array, Array]:
        dx, dw, db = super().backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation,
                                      padding_mode=padding_mode, orientation=orientation)  # fmt: skip
        return dx, self.turned(dw, orientation), db


@wrong(
    "the orientation is compared with a misspelt word",
    "option",
    "y",
    Geometry(size=(4, 5), kernel_size=(2, 3), orientation="cross-correlation"),
)
class OrientationMisspelt(Indexed):
    """Asks for "correlation" and so always flips."""

    def turned(self, w: Array, orientation: str) -> Array:
        return w if orientation == "correlation" else w[:, :, ::-1, ::-1]


@wrong("dw ignores the dilation", "option", "dw", DILATED)
class DilationIgnoredInDw(Shifted):
    """Accepts `dilation` in the weight gradient and never reads it."""

    def weight_gradient(
        self, dy: Array, x: Array, w: Array, stride: Pair = (1, 1), padding: Pair = (0, 0), dilation: Pair = (1, 1)
    ) -> Array:
        return super().weight_gradient(dy, x, w, stride, padding)


@wrong("dw ignores the stride", "option", "dw", STRIDED)
class StrideIgnoredInDw(Shifted):
    """Correlates with adjacent pixels; the slices are long enough, so that nothing complains."""

    def weight_gradient(
        self, dy: Array, x: Array, w: Array, stride: Pair = (1, 1), padding: Pair = (0, 0), dilation: Pair = (1, 1)
    ) -> Array:
        return super().weight_gradient(dy, x, w, (1, 1), padding, dilation)


@wrong(
    "padding beyond the kernel shifts dx",
    "option",
    "dx",
    Geometry(size=(3, 3), kernel_size=(2, 2), padding=((2, 2), (2, 2))),
)
class NegativePaddingClipped(Sliding):
    """Widens the deltas by `kernel - 1 - padding`, and by 0 where that is negative, where it should crop."""

    def backward(
        self, dy: Array, x: Array, w: Array, b: Array | None = None, stride: int = 1, padding: int = 0
    ) -> tuple[Array, Array, Array]:
        _, dw, db = super().backward(dy, x, w, b, stride, padding)
        (H, W), (kh, kw) = x.shape[2:], w.shape[2:]
        d = self.apart(dy, (H + 2 * padding - kh + 1, W + 2 * padding - kw + 1), stride)
        sides = [(max(0, k - 1 - padding),) * 2 for k in (kh, kw)]
        windows = sliding_window_view(np.pad(d, ((0, 0), (0, 0), *sides)), (kh, kw), axis=(2, 3))
        dx = np.tensordot(windows, w[:, :, ::-1, ::-1], ((1, 4, 5), (0, 2, 3))).transpose(0, 3, 1, 2)
        return dx[:, :, :H, :W], dw, db


@wrong("the bias misses the padded border", "option", "y", UNEVEN)
class BiasAsChannel(Columns):
    """Takes the bias as the first weight of a channel of ones, and then pads that channel too."""

    def forward(
        self,
        x: Array,
        w: Array,
        b: Array | None = None,
        *,
        stride: Pair = (1, 1),
        padding: Padding = UNPADDED,
        dilation: Pair = (1, 1),
        groups: int = 1,
    ) -> Array:
        y = super().forward(x, w, stride=stride, padding=padding, dilation=dilation, groups=groups)
        ones = self.columns(np.ones_like(x[:, :1]), w, stride, padding, dilation)[:, :, 0, 0]
        return y if b is None else y + ones * b[:, None, None]
