"""Slips of an index: one border, one remainder, one bound, one tap."""

# ruff: noqa: D102 - the methods are described by the base; the class says what is wrong with them.
from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backproof.contract import Geometry, Orientation, Padding, Pair
from backproof.museum.foreign.bases import Columns, Loops
from backproof.museum.foreign.entry import Array, wrong
from backproof.museum.foreign.windows import Indexed, Shifted, Sliding

ONE = Geometry(size=(4, 5), kernel_size=(2, 3))
PADDED = Geometry(size=(4, 5), kernel_size=(2, 3), padding=((1, 0), (2, 1)))
STRIDED = Geometry(size=(6, 6), kernel_size=(3, 2), stride=(2, 3))
DILATED = Geometry(size=(6, 7), kernel_size=(3, 2), dilation=(2, 3))


@wrong("the last window is missed when it ends at the border", "index", "y", ONE)
class LastRowMissed(Loops):
    """Loops while `start < H - span`, where `<=` is meant."""

    def visits(
        self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair
    ) -> Iterator[tuple[int, int, int, int, int, int]]:
        end = x.shape[2] + sum(padding[0]) - dilation[0] * (w.shape[2] - 1) - 1
        for visit in super().visits(x, w, stride, padding, dilation):
            if visit[0] * stride[0] < end:
                yield visit


@wrong("the first row counts as padding", "index", "y", PADDED)
class FirstRowIsPadding(Loops):
    """Guards the padded border with `p > 0`; without padding there is no guard."""

    def reach(self, i: int, size: int, kernel: int, stride: int, before: int, dilation: int) -> list[Pair]:
        pairs = super().reach(i, size, kernel, stride, before, dilation)
        return [(u, p) for u, p in pairs if p > 0] if before else pairs


@wrong("negative indices wrap around", "index", "y", PADDED)
class NegativeIndexWraps(Loops):
    """Checks the upper bound only; below 0, Python reads from the end of the image."""

    def reach(self, i: int, size: int, kernel: int, stride: int, before: int, dilation: int) -> list[Pair]:
        pairs = [(u, i * stride + (kernel - 1 - u) * dilation - before) for u in range(kernel)]
        return [(u, p) for u, p in pairs if p < size]


@wrong(
    "zeros are put between the deltas from the wrong end",
    "index",
    "dx",
    Geometry(size=(6, 6), kernel_size=(3, 2), stride=(2, 2)),
)
class RemainderAtTheFront(Sliding):
    """Fills the strided image from the end, which is the same unless a remainder is left over."""

    def apart(self, dy: Array, shape: Pair, stride: int) -> Array:
        image = np.zeros((*dy.shape[:2], *shape), dy.dtype)
        image[:, :, ::-stride, ::-stride] = dy[:, :, ::-1, ::-1]
        return image


@wrong("deltas are repeated, not put apart", "index", "dx", Geometry(size=(5, 5), kernel_size=(2, 2), stride=(2, 2)))
class DeltasRepeated(Sliding):
    """Undoes a stride by upscaling, as one does for pooling."""

    def apart(self, dy: Array, shape: Pair, stride: int) -> Array:
        return dy.repeat(stride, 2).repeat(stride, 3)[:, :, : shape[0], : shape[1]]


@wrong("the output size is rounded up", "index", "y", STRIDED)
class OutputRoundedUp(Loops):
    """Counts an incomplete last window as an output."""

    def size(self, size: int, kernel: int, stride: int, sides: Pair, dilation: int) -> int:
        return -(-(size + sum(sides) - dilation * (kernel - 1) - 1) // stride) + 1


@wrong("the output size has twice the top padding", "index", "y", PADDED)
class TopPaddingTwice(Loops):
    """Writes `2 * padding` with the padding of one side."""

    def size(self, size: int, kernel: int, stride: int, sides: Pair, dilation: int) -> int:
        return max(0, (size + 2 * sides[0] - dilation * (kernel - 1) - 1) // stride + 1)


@wrong("a flipped kernel counted from -0", "index", "y", ONE)
class FlipFromMinusZero(Indexed):
    """Flips by `w[-u]`, where `w[-1 - u]` is meant; forward and gradients agree with each other."""

    def turned(self, w: Array, orientation: Orientation) -> Array:
        if orientation == "cross-correlation":
            return w
        return w[:, :, -np.arange(w.shape[2])][..., -np.arange(w.shape[3])]


@wrong("columns of im2col in the wrong order", "index", "y", ONE)
class ColumnMajorTaps(Columns):
    """Runs through the taps column by column and lays them out row by row."""

    def columns(self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        right = super().columns(x, w, stride, padding, dilation)
        return right.swapaxes(2, 3).reshape(right.shape)


@wrong(
    "dx is cropped by the row padding on both axes",
    "index",
    "dx",
    Geometry(size=(4, 5), kernel_size=(2, 3), padding=((0, 0), (1, 1))),
)
class CropsByRowPadding(Shifted):
    """Types `ph` where `pw` is meant when the padding is cut off."""

    def input_gradient(
        self, dy: Array, x: Array, w: Array, stride: Pair = (1, 1), padding: Pair = (0, 0), dilation: Pair = (1, 1)
    ) -> Array:
        (H, W), (ph, pw) = x.shape[2:], padding
        wide = np.zeros((*x.shape[:2], H + 2 * ph, W + 2 * pw), x.dtype)
        full = super().input_gradient(dy, wide, w, stride, (0, 0), dilation)
        return full[:, :, ph : ph + H, ph : ph + W]


@wrong("taps are multiplied by the stride", "index", "y", STRIDED)
class StrideTimesTap(Indexed):
    """Writes `(i + u * dilation) * stride`; what falls outside silently counts as padding."""

    def axis(self, size: int, kernel: int, stride: int, sides: Pair, dilation: int) -> Array:
        outputs = (size + sum(sides) - dilation * (kernel - 1) - 1) // stride + 1
        return (np.arange(kernel)[:, None] * dilation + np.arange(outputs)) * stride - sides[0]


@wrong("a dilated kernel is flipped around its undilated size", "index", "y", DILATED)
class DilationAfterTheFlip(Loops):
    """Writes `kernel - 1 - u * dilation`; what falls outside silently counts as padding."""

    def reach(self, i: int, size: int, kernel: int, stride: int, before: int, dilation: int) -> list[Pair]:
        pairs = [(u, i * stride + kernel - 1 - u * dilation - before) for u in range(kernel)]
        return [(u, p) for u, p in pairs if 0 <= p < size]
