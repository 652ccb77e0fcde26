"""Pooling for `plain_numpy`: padding takes no part in a maximum, and counts as zeros in an average.

`x (N, C, H, W)`, `y` and `dy (N, C, OH, OW)`, floating; without a `stride`, windows lie side by side.
"""

from __future__ import annotations

import numpy as np

from backproof.targets.adapters.plain_windows import (
    NO_PADDING,
    Array,
    Padding,
    Pair,
    extend,
    fold,
    output_size,
    windows,
)


def max_pool(
    x: Array, *, kernel_size: Pair, stride: Pair | None = None, padding: Padding = NO_PADDING, dilation: Pair = (1, 1)
) -> Array:
    """`y (N, C, OH, OW)`; NaN wins, and a window wholly in the padding gives -inf."""
    return _maximum(x, kernel_size, stride, padding, dilation)[0]


def max_pool_gradient(
    dy: Array,
    x: Array,
    *,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
) -> Array:
    """`dx`: each cotangent goes to the first maximum of its window, row by row."""
    winner = _maximum(x, kernel_size, stride, padding, dilation)[1]
    extended = extend(np.zeros_like(x, order="C"), padding)
    met = windows(kernel_size, dy.shape[2:], stride or kernel_size, dilation)
    for number, (_, _, window) in enumerate(met):
        extended[window] += np.where(winner == number, dy, np.zeros_like(dy))
    return fold(extended, padding)


def average_pool(
    x: Array, *, kernel_size: Pair, stride: Pair | None = None, padding: Padding = NO_PADDING, dilation: Pair = (1, 1)
) -> Array:
    """`y (N, C, OH, OW)`: sums divided by kh*kw, at the border, too."""
    total = sum_pool(x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
    y: Array = total / x.dtype.type(kernel_size[0] * kernel_size[1])
    return y


def average_pool_gradient(
    dy: Array,
    x: Array,
    *,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
) -> Array:
    """`dx`, shaped like `x`."""
    share = dy / dy.dtype.type(kernel_size[0] * kernel_size[1])
    return sum_pool_gradient(share, x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)


def sum_pool(
    x: Array, *, kernel_size: Pair, stride: Pair | None = None, padding: Padding = NO_PADDING, dilation: Pair = (1, 1)
) -> Array:
    """`y (N, C, OH, OW)`."""
    stride = stride or kernel_size
    extended = extend(x, padding)
    outputs = output_size(x.shape[2:], kernel_size, stride, padding, dilation)
    y = np.zeros((*x.shape[:2], *outputs), x.dtype)
    for _, _, window in windows(kernel_size, outputs, stride, dilation):
        y += extended[window]
    return y


def sum_pool_gradient(
    dy: Array,
    x: Array,
    *,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
) -> Array:
    """`dx`, shaped like `x`."""
    extended = extend(np.zeros_like(x, order="C"), padding)
    for _, _, window in windows(kernel_size, dy.shape[2:], stride or kernel_size, dilation):
        extended[window] += dy
    return fold(extended, padding)


def _maximum(x: Array, kernel_size: Pair, stride: Pair | None, padding: Padding, dilation: Pair) -> tuple[Array, Array]:
    """The maxima, and which tap of its window, counted row by row, each was found at; -1: none."""
    stride = stride or kernel_size
    extended, inside = extend(x, padding), extend(np.ones(x.shape, bool), padding)
    outputs = output_size(x.shape[2:], kernel_size, stride, padding, dilation)
    y = np.full((*x.shape[:2], *outputs), -np.inf, x.dtype)
    winner = np.full(y.shape, -1)
    for number, (_, _, window) in enumerate(windows(kernel_size, outputs, stride, dilation)):
        tap = extended[window]
        better = inside[window] & ((winner < 0) | (tap > y) | (np.isnan(tap) & ~np.isnan(y)))
        y, winner = np.where(better, tap, y), np.where(better, number, winner)
    return y, winner
