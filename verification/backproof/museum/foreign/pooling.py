"""Poolings and their gradients: what is shared, who wins, and where it is put back."""

# ruff: noqa: D102 - the methods are described by the base; the class says what is wrong with them.
from __future__ import annotations

import numpy as np

from backproof.contract import Padding, Pair, PoolGeometry
from backproof.museum.foreign.entry import Array, wrong
from backproof.museum.foreign.pools import Pools

MAX = PoolGeometry("max", size=(4, 6), kernel_size=(2, 3), stride=(2, 3))
AVERAGE = PoolGeometry("average", size=(4, 6), kernel_size=(2, 2), stride=(2, 2))
SUM = PoolGeometry("sum", size=(5, 7), kernel_size=(2, 3), stride=(2, 3))
OVERLAPPING = PoolGeometry("max", size=(5, 5), kernel_size=(3, 3))


@wrong("the gradient of the mean is upscaled only", "pooling", "average_pool_gradient", AVERAGE)
class MeanNotShared(Pools):
    """Upscales the error as the post says, and does not divide it among the pixels."""

    def average_pool_gradient(
        self, dy: Array, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair
    ) -> Array:
        return super().sum_pool_gradient(
            dy, x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation
        )


@wrong("the mean is over one side of the window", "pooling", "average_pool", AVERAGE)
class MeanOfOneSide(Pools):
    """Divides by N_k, where N_k squared is meant."""

    def share(self, kernel_size: Pair) -> int:
        return kernel_size[0]


@wrong("the error of a maximum goes to all pixels", "pooling", "max_pool_gradient", MAX)
class MaximumUpscaled(Pools):
    """Upscales the error of max pooling as that of mean pooling."""

    def winners(self, stack: Array) -> Array:
        return np.ones(stack.shape, bool)


@wrong("maxima start at zero", "pooling", "max_pool", MAX, data="negative")
class BestStartsAtZero(Pools):
    """Initialises the largest pixel so far with 0, as after a rectifier."""

    def max_pool(self, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        best: Array = self.stack(x, -np.inf, kernel_size, stride, padding, dilation).max(0, initial=0)
        return best


@wrong(
    "padding wins a maximum",
    "pooling",
    "max_pool",
    PoolGeometry("max", size=(3, 3), kernel_size=(2, 2), padding=((1, 0), (1, 0))),
    data="negative",
)
class ZeroPaddedMaximum(Pools):
    """Pads with zeros for every pooling."""

    def max_pool(self, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        best: Array = self.stack(x, 0, kernel_size, stride, padding, dilation).max(0)
        return best


@wrong(
    "padding wins in the gradient only",
    "pooling",
    "max_pool_gradient",
    PoolGeometry("max", size=(3, 3), kernel_size=(2, 2), padding=((1, 0), (1, 0))),
    data="negative",
)
class PaddingTakesTheError(Pools):
    """Searches for the winner again in backward, in an image padded with zeros."""

    def max_pool_gradient(
        self, dy: Array, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair
    ) -> Array:
        won = self.winners(self.stack(x, 0, kernel_size, stride, padding, dilation))
        return self.unstack(np.where(won, dy, 0), x, kernel_size, stride, padding, dilation)


@wrong("every one of equal maxima gets the whole error", "pooling", "max_pool_gradient", MAX, data="constant")
class EveryTieWins(Pools):
    """Compares the window with its maximum, so that the error is multiplied where pixels are equal."""

    def winners(self, stack: Array) -> Array:
        equal: Array = stack == stack.max(0)
        return equal


@wrong("a winner of two windows keeps one error", "pooling", "max_pool_gradient", OVERLAPPING)
class OverlapOverwritten(Pools):
    """Assigns the error at the winner, where windows overlap and it should add."""

    def max_pool_gradient(
        self, dy: Array, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair
    ) -> Array:
        image = self.padded(np.zeros_like(x), padding, 0)
        won = self.winners(self.stack(x, -np.inf, kernel_size, stride, padding, dilation))
        for view, here in zip(self.views(image, kernel_size, stride, dilation), won, strict=True):
            np.copyto(view, dy, where=here)
        (top, _), (left, _) = padding
        return image[:, :, top : top + x.shape[2], left : left + x.shape[3]]


@wrong("the place of the winner is split by the rows", "pooling", "max_pool_gradient", MAX)
class PlaceSplitByRows(Pools):
    """Turns the place in the window into a row and a column by `divmod(place, kh)`, where `kw` is meant."""

    def winners(self, stack: Array) -> Array:
        return super().winners(stack)

    def max_pool_gradient(
        self, dy: Array, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair
    ) -> Array:
        kh, kw = kernel_size
        won = self.winners(self.stack(x, -np.inf, kernel_size, stride, padding, dilation))
        moved = np.zeros_like(won)
        for place, here in enumerate(won):
            u, v = divmod(place, kh)
            moved[(u * kw + v) % (kh * kw)] |= here
        return self.unstack(np.where(moved, dy, 0), x, kernel_size, stride, padding, dilation)


@wrong("windows never overlap", "pooling", "sum_pool", PoolGeometry("sum", size=(5, 7), kernel_size=(2, 3)))
class StrideIsTheKernel(Pools):
    """Moves by the size of the window and ignores the stride."""

    def sum_pool(self, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        return super().sum_pool(x, kernel_size=kernel_size, stride=kernel_size, padding=padding, dilation=dilation)


@wrong(
    "the gradient ignores the dilation",
    "pooling",
    "average_pool_gradient",
    PoolGeometry("average", size=(5, 7), kernel_size=(2, 3), dilation=(2, 3)),
)
class DilationIgnoredInGradient(Pools):
    """Puts the shares side by side where the window had gaps."""

    def average_pool_gradient(
        self, dy: Array, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair
    ) -> Array:
        (kh, kw), (OH, OW), (sh, sw) = kernel_size, dy.shape[2:], stride
        image = self.padded(np.zeros_like(x), padding, 0)
        for u, v in np.ndindex(kh, kw):
            image[:, :, u : u + (OH - 1) * sh + 1 : sh, v : v + (OW - 1) * sw + 1 : sw] += dy / (kh * kw)
        (top, _), (left, _) = padding
        return image[:, :, top : top + x.shape[2], left : left + x.shape[3]]


@wrong("shares are rounded down", "pooling", "average_pool_gradient", AVERAGE)
class WholeShares(Pools):
    """Shares with `//`, a relic of Python 2."""

    def average_pool_gradient(
        self, dy: Array, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair
    ) -> Array:
        count = kernel_size[0] * kernel_size[1]
        pieces = np.stack([dy // count] * count)
        return self.unstack(pieces, x, kernel_size, stride, padding, dilation)


@wrong("an integral image without its row of zeros", "pooling", "sum_pool", SUM)
class IntegralImage(Pools):
    """Takes differences of cumulative sums; before the first row, index -1 is the last one."""

    def sum_pool(self, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        if dilation != (1, 1):
            return super().sum_pool(x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
        total = self.padded(x, padding, 0).cumsum(2).cumsum(3)
        rows = np.arange(0, total.shape[2] - kernel_size[0] + 1, stride[0])
        columns = np.arange(0, total.shape[3] - kernel_size[1] + 1, stride[1])
        strips = total[:, :, rows + kernel_size[0] - 1] - total[:, :, rows - 1]
        sums: Array = strips[..., columns + kernel_size[1] - 1] - strips[..., columns - 1]
        return sums


@wrong("maxima of bit patterns", "pooling", "max_pool", MAX, data="negative")
class BitsCompared(Pools):
    """Compares floating-point numbers as integers, which turns the order of negative ones around."""

    def max_pool(self, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        stack = self.stack(x, -np.inf, kernel_size, stride, padding, dilation)
        bits = np.ascontiguousarray(stack).view(np.int64 if x.dtype == np.float64 else np.int32)
        if not np.isfinite(stack).all():
            return super().max_pool(x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
        best: Array = bits.max(0).view(x.dtype)
        return best


@wrong("the remainder moves the error", "pooling", "sum_pool_gradient", SUM)
class RemainderMovesTheError(Pools):
    """Upscales for windows side by side and fills up to the size of the image at the front, not at the end."""

    def sum_pool_gradient(
        self, dy: Array, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair
    ) -> Array:
        if stride != kernel_size or dilation != (1, 1) or np.any(padding):
            return super().sum_pool_gradient(
                dy, x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation
            )
        wide = dy.repeat(kernel_size[0], 2).repeat(kernel_size[1], 3)
        sides = [(x.shape[a] - wide.shape[a], 0) for a in (2, 3)]
        return np.pad(wide, ((0, 0), (0, 0), *sides))


@wrong(
    "the mean leaves out the padding",
    "pooling",
    "average_pool",
    PoolGeometry("average", size=(3, 3), kernel_size=(2, 2), padding=((1, 0), (0, 0))),
)
class MeanWithoutPadding(Pools):
    """Divides by the number of real pixels in forward, and by the size of the window in the gradient."""

    def average_pool(self, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        total = super().sum_pool(x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
        pixels = self.stack(np.ones_like(x), 0, kernel_size, stride, padding, dilation).sum(0)
        mean: Array = total / np.maximum(pixels, 1)
        return mean
