"""Plain right max, average and sum pooling, in the steps of `reference`.

A window's winner is the *number of a tap*, row by row, or -1 where a window holds no pixel: its maximum is -inf then,
and its cotangent goes nowhere.  Padding takes no part in a maximum, and counts as zeros in a sum.

In ceil mode, what the last window overhangs is more padding (`PoolOptions.overhang`), by which no average divides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backproof.contract import Padding, Pair, output_size, overhangs
from backproof.museum.reference import (
    NO_PADDING,
    Array,
    Convolution,
    Options,
    crop,
    frame_size,
    gather,
    merge,
    outputs_of,
    pad,
    scatter,
)


@dataclass(frozen=True, slots=True)
class PoolOptions(Options):
    """The keyword arguments of a call; `padding` has the `overhang` in it, below and to the right."""

    ceil_mode: bool = False
    count_include_pad: bool = True
    overhang: Pair = (0, 0)


def collected(
    x: Array,
    kernel: Pair,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    ceil_mode: bool,
    count_include_pad: bool = True,
) -> PoolOptions:
    """The options of a call, as the steps take them."""
    sides, overhang = [], []
    for size, taps, step, (before, after), spread in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True):
        axis = (size, taps, step, before, after, spread)
        beyond = 0
        if ceil_mode and overhangs(*axis):
            beyond = output_size(*axis) * step + spread * (taps - 1) + 1 - size - before - after
        sides.append((before, after + beyond))
        overhang.append(beyond)
    wide, beyond_both = (sides[0], sides[1]), (overhang[0], overhang[1])
    return PoolOptions(
        stride,
        wide,
        dilation,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        overhang=beyond_both,
    )


def counts(x: Array, kernel: Pair, o: PoolOptions, padding: bool) -> Array:
    """How many taps of each window lie in the image, or in the image and its padding: `(1, 1, OH, OW)`, at least 1."""
    inside = pad(np.ones((1, 1, *x.shape[2:])), o)
    if padding:
        height, width = (size - beyond for size, beyond in zip(inside.shape[2:], o.overhang, strict=True))
        inside[:, :, :height, :width] = 1
    taps = gather(inside, kernel, outputs_of(x.shape[2:], kernel, o), o).sum((2, 3))
    at_least_one: Array = np.maximum(taps, 1).astype(x.dtype)
    return at_least_one


def patches_of(x: Array, kernel: Pair, o: PoolOptions, fill: float = 0.0) -> Array:
    """`(N, C, kh, kw, OH, OW)`."""
    return gather(pad(x, o, fill), kernel, outputs_of(x.shape[2:], kernel, o), o)


def real(x: Array, kernel: Pair, o: PoolOptions) -> Array:
    """Which taps of which windows lie in the image: `(1, 1, kh, kw, OH, OW)`."""
    return patches_of(np.ones((1, 1, *x.shape[2:])), kernel, o) > 0


def pixels(winners: Array, width: int, kernel: Pair, o: PoolOptions) -> Array:
    """Tap numbers as positions in a plane of the image, row by row; of no meaning where a winner is -1."""
    i, j = np.ogrid[: winners.shape[2], : winners.shape[3]]
    rows = i * o.stride[0] + winners // kernel[1] * o.dilation[0] - o.padding[0][0]
    columns = j * o.stride[1] + winners % kernel[1] * o.dilation[1] - o.padding[1][0]
    positions: Array = rows * width + columns
    return positions


def folded(patches: Array, size: Pair, o: PoolOptions) -> Array:
    """The gradient of the image from that of its patches."""
    return crop(scatter(patches, frame_size(size, o), o), size, o)


def repeated(dy: Array, kernel: Pair) -> Array:
    """Each cotangent at every tap of its window."""
    return np.broadcast_to(dy[:, :, None, None], (*dy.shape[:2], *kernel, *dy.shape[2:]))


class Pooling(Convolution):
    """Pooling besides convolution; each canonical function only collects its options, and calls a step."""

    def _winners(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        """The first tap of each window that holds its maximum (NaN wins); -1 where none lies in the image."""
        values = patches_of(x, kernel, o, -np.inf)
        wins = ((values == values.max((2, 3), keepdims=True)) | np.isnan(values)) & real(x, kernel, o)
        wins = merge(wins, 2)
        return np.where(wins.any(2), wins.argmax(2), -1)

    def _max_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        """The maxima."""
        y: Array = patches_of(x, kernel, o, -np.inf).max((2, 3))
        return y

    def _max_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        """The cotangents at the winners."""
        numbers = np.arange(kernel[0] * kernel[1]).reshape(1, 1, *kernel, 1, 1)
        won = self._winners(x, kernel, o)[:, :, None, None] == numbers
        return folded(np.where(won, dy[:, :, None, None], dy.dtype.type(0)), x.shape[2:], o)

    def _sum_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        """The sums."""
        y: Array = patches_of(x, kernel, o).sum((2, 3))
        return y

    def _sum_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        """Every pixel gets the cotangents of the windows that it is in."""
        return folded(repeated(dy, kernel), x.shape[2:], o)

    def _average_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        """The sums over the number of taps that count."""
        y: Array = self._sum_y(x, kernel, o) / counts(x, kernel, o, o.count_include_pad)
        return y

    def _average_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        """As for sums, over the number of taps that count."""
        return self._sum_dx(dy / counts(x, kernel, o, o.count_include_pad), x, kernel, o)

    def max_pool(
        self,
        x: Array,
        *,
        kernel_size: Pair,
        stride: Pair = (1, 1),
        padding: Padding = NO_PADDING,
        dilation: Pair = (1, 1),
        ceil_mode: bool = False,
    ) -> Array:
        """`y (N, C, OH, OW)`."""
        return self._max_y(x, kernel_size, collected(x, kernel_size, stride, padding, dilation, ceil_mode))

    def max_pool_gradient(
        self,
        dy: Array,
        x: Array,
        *,
        kernel_size: Pair,
        stride: Pair = (1, 1),
        padding: Padding = NO_PADDING,
        dilation: Pair = (1, 1),
        ceil_mode: bool = False,
    ) -> Array:
        """`dx`, shaped like `x`."""
        return self._max_dx(dy, x, kernel_size, collected(x, kernel_size, stride, padding, dilation, ceil_mode))

    def average_pool(
        self,
        x: Array,
        *,
        kernel_size: Pair,
        stride: Pair = (1, 1),
        padding: Padding = NO_PADDING,
        dilation: Pair = (1, 1),
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> Array:
        """`y (N, C, OH, OW)`."""
        o = collected(x, kernel_size, stride, padding, dilation, ceil_mode, count_include_pad)
        return self._average_y(x, kernel_size, o)

    def average_pool_gradient(
        self,
        dy: Array,
        x: Array,
        *,
        kernel_size: Pair,
        stride: Pair = (1, 1),
        padding: Padding = NO_PADDING,
        dilation: Pair = (1, 1),
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> Array:
        """`dx`, shaped like `x`."""
        o = collected(x, kernel_size, stride, padding, dilation, ceil_mode, count_include_pad)
        return self._average_dx(dy, x, kernel_size, o)

    def sum_pool(
        self,
        x: Array,
        *,
        kernel_size: Pair,
        stride: Pair = (1, 1),
        padding: Padding = NO_PADDING,
        dilation: Pair = (1, 1),
        ceil_mode: bool = False,
    ) -> Array:
        """`y (N, C, OH, OW)`."""
        return self._sum_y(x, kernel_size, collected(x, kernel_size, stride, padding, dilation, ceil_mode))

    def sum_pool_gradient(
        self,
        dy: Array,
        x: Array,
        *,
        kernel_size: Pair,
        stride: Pair = (1, 1),
        padding: Padding = NO_PADDING,
        dilation: Pair = (1, 1),
        ceil_mode: bool = False,
    ) -> Array:
        """`dx`, shaped like `x`."""
        return self._sum_dx(dy, x, kernel_size, collected(x, kernel_size, stride, padding, dilation, ceil_mode))
