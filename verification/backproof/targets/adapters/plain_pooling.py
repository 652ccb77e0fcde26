"""Pooling for `plain_numpy`: padding takes no part in a maximum, and counts as zeros in a sum.

`x (N, C, H, W)`, `y` and `dy (N, C, OH, OW)`, floating; without a `stride`, windows lie side by side.  With `ceil_mode`
a last window may overhang the padded image, for which it is extended: what is added counts nowhere.  An average divides
by kh*kw, less what overhangs, and with `count_include_pad=False` by the pixels in the image (0 where there are none).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backproof.targets.adapters.plain_windows import (
    NO_PADDING,
    Array,
    Padding,
    Pair,
    Shape,
    Window,
    extend,
    fold,
    overhang,
    windows,
)


def max_pool(
    x: Array,
    *,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    ceil_mode: bool = False,
) -> Array:
    """`y (N, C, OH, OW)`; NaN wins, and a window wholly in the padding gives -inf."""
    return _maximum(x, _Windows.of(x.shape, kernel_size, stride, padding, dilation, ceil_mode))[0]


def max_pool_gradient(
    dy: Array,
    x: Array,
    *,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    ceil_mode: bool = False,
) -> Array:
    """`dx`: each cotangent goes to the first maximum of its window, row by row."""
    w = _Windows.of(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    winner = _maximum(x, w)[1]
    extended = extend(np.zeros_like(x, order="C"), w.extended)
    for number, (_, _, window) in enumerate(w):
        extended[window] += np.where(winner == number, dy, np.zeros_like(dy))
    return fold(extended, w.extended)


def average_pool(
    x: Array,
    *,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """`y (N, C, OH, OW)`."""
    w = _Windows.of(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    y: Array = _sums(x, w) / w.counted(count_include_pad).astype(x.dtype)
    return y


def average_pool_gradient(
    dy: Array,
    x: Array,
    *,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """`dx`, shaped like `x`."""
    w = _Windows.of(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    return _spread(dy / w.counted(count_include_pad).astype(dy.dtype), x, w)


def sum_pool(
    x: Array,
    *,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    ceil_mode: bool = False,
) -> Array:
    """`y (N, C, OH, OW)`."""
    return _sums(x, _Windows.of(x.shape, kernel_size, stride, padding, dilation, ceil_mode))


def sum_pool_gradient(
    dy: Array,
    x: Array,
    *,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    ceil_mode: bool = False,
) -> Array:
    """`dx`, shaped like `x`."""
    return _spread(dy, x, _Windows.of(x.shape, kernel_size, stride, padding, dilation, ceil_mode))


@dataclass(frozen=True, slots=True)
class _Windows:
    """The windows of a pooling in the image as it is `extended`: by its padding, and by what the last one overhangs."""

    size: Pair
    kernel: Pair
    outputs: Pair
    stride: Pair
    dilation: Pair
    padding: Padding
    extended: Padding

    @classmethod
    def of(
        cls, shape: Shape, kernel: Pair, stride: Pair | None, padding: Padding, dilation: Pair, ceil_mode: bool
    ) -> _Windows:
        stride, size = stride or kernel, (shape[2], shape[3])
        outputs, beyond = overhang(size, kernel, stride, padding, dilation, ceil_mode)
        (top, bottom), (left, right) = padding
        extended = ((top, bottom + beyond[0]), (left, right + beyond[1]))
        return cls(size, kernel, outputs, stride, dilation, padding, extended)

    def __iter__(self) -> Iterator[tuple[int, int, Window]]:
        return windows(self.kernel, self.outputs, self.stride, self.dilation)

    def counted(self, padding: bool) -> Array:
        """By how many taps an average divides, with or without those in the padding."""
        ones = extend(np.ones((1, 1, *self.size)), self.extended)
        if padding:
            height, width = (n + sum(sides) for n, sides in zip(self.size, self.padding, strict=True))
            ones[:, :, :height, :width] = 1
        counts = np.zeros((1, 1, *self.outputs))
        for _, _, window in self:
            counts += ones[window]
        return np.maximum(counts, 1)


def _sums(x: Array, w: _Windows) -> Array:
    extended = extend(x, w.extended)
    y = np.zeros((*x.shape[:2], *w.outputs), x.dtype)
    for _, _, window in w:
        y += extended[window]
    return y


def _spread(dy: Array, x: Array, w: _Windows) -> Array:
    """Each cotangent added at all pixels of its window."""
    extended = extend(np.zeros_like(x, order="C"), w.extended)
    for _, _, window in w:
        extended[window] += dy
    return fold(extended, w.extended)


def _maximum(x: Array, w: _Windows) -> tuple[Array, Array]:
    """The maxima, and which tap of its window, counted row by row, each was found at; -1: none."""
    extended, inside = extend(x, w.extended), extend(np.ones(x.shape, bool), w.extended)
    y = np.full((*x.shape[:2], *w.outputs), -np.inf, x.dtype)
    winner = np.full(y.shape, -1)
    for number, (_, _, window) in enumerate(w):
        tap = extended[window]
        better = inside[window] & ((winner < 0) | (tap > y) | (np.isnan(tap) & ~np.isnan(y)))
        y, winner = np.where(better, tap, y), np.where(better, number, winner)
    return y, winner
