"""Maximum, average and sum pooling, and their gradients.

A window of `kernel_size` pixels, `dilation` apart, starts every `stride` pixels of every channel.
Pixels in the padding count as minus infinity for the maximum and as zero for the average and the sum.

Conventions, the frameworks': the maximum of a window is its first NaN, else its first maximum in
row-major order, and that pixel alone receives the cotangent.  A window wholly in the padding gives
minus infinity, and its cotangent reaches no pixel.  The average divides by all `kh * kw` pixels, or,
with `count_include_pad=False`, by those inside the image (0 where there are none).  Where windows
overlap, cotangents add up.

With `ceil_mode`, what the stride leaves over gets one window more along each axis, unless that would
start after the image.  It may overhang the padded image; what lies out there is no pixel, and the
average does not divide by it.

Shapes: `x, dx (N, C, H, W)`, `y, dy (N, C, OH, OW)` with
`OH = floor((H + top + bottom - dh*(kh - 1) - 1) / sh) + 1`, with `ceil_mode` rounded up; the batch may
be empty.  Arrays are float32 or float64, of any memory layout; they are not modified.  Results are new
C-contiguous arrays of that dtype.

Options: `kernel_size`, `stride` (default: `kernel_size`) and `dilation` are an int or a pair (rows, columns);
`padding` is an int, (ph, pw) or ((top, bottom), (left, right)).

Every function raises TypeError for dtypes and types that it does not take, and ValueError for shapes
and values.
"""

from __future__ import annotations

import numpy as np

from .arrays import Array, IntArray, check_axes, check_dtypes, check_shape, for_kernel
from .geometry import Axis, IntOrPair, Padding, check_flag, make_axes, parse_pair
from .kernels.pooling import add_to_maximum, add_to_windows, add_windows, maximum


def max_pool(
    x: Array,
    *,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: Padding = ((0, 0), (0, 0)),
    dilation: IntOrPair = (1, 1),
    ceil_mode: bool = False,
) -> Array:
    """Return `y (N, C, OH, OW)`, the maximum of every window."""
    check_dtypes(x=x)
    axes = _axes(x, kernel_size, stride, padding, dilation, ceil_mode)
    y = np.empty(_y_shape(x, axes), x.dtype)
    maximum(for_kernel(x), *_index_map(axes), y)
    return y


def max_pool_gradient(
    dy: Array,
    x: Array,
    *,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: Padding = ((0, 0), (0, 0)),
    dilation: IntOrPair = (1, 1),
    ceil_mode: bool = False,
) -> Array:
    """Return `dx (N, C, H, W)`: every cotangent goes to the pixel that its window selects."""
    check_dtypes(dy=dy, x=x)
    axes = _axes(x, kernel_size, stride, padding, dilation, ceil_mode)
    _check_cotangent(dy, x, axes)
    dx = np.zeros(x.shape, x.dtype)
    add_to_maximum(for_kernel(dy), for_kernel(x), *_index_map(axes), dx)
    return dx


def sum_pool(
    x: Array,
    *,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: Padding = ((0, 0), (0, 0)),
    dilation: IntOrPair = (1, 1),
    ceil_mode: bool = False,
) -> Array:
    """Return `y (N, C, OH, OW)`, the sum of every window."""
    check_dtypes(x=x)
    axes = _axes(x, kernel_size, stride, padding, dilation, ceil_mode)
    return _sums(x, axes)


def sum_pool_gradient(
    dy: Array,
    x: Array,
    *,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: Padding = ((0, 0), (0, 0)),
    dilation: IntOrPair = (1, 1),
    ceil_mode: bool = False,
) -> Array:
    """Return `dx (N, C, H, W)`: every cotangent goes to all pixels of its window.

    Of `x`, only the shape matters.
    """
    check_dtypes(dy=dy, x=x)
    axes = _axes(x, kernel_size, stride, padding, dilation, ceil_mode)
    _check_cotangent(dy, x, axes)
    return _spread(dy, x, axes)


def average_pool(
    x: Array,
    *,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: Padding = ((0, 0), (0, 0)),
    dilation: IntOrPair = (1, 1),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return `y (N, C, OH, OW)`, the sum of every window divided by its number of pixels."""
    check_dtypes(x=x)
    axes = _axes(x, kernel_size, stride, padding, dilation, ceil_mode)
    y = _sums(x, axes)
    y /= _pixels_per_window(axes, count_include_pad).astype(y.dtype)
    return y


def average_pool_gradient(
    dy: Array,
    x: Array,
    *,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: Padding = ((0, 0), (0, 0)),
    dilation: IntOrPair = (1, 1),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return `dx (N, C, H, W)`: every pixel of a window gets its share of the cotangent.

    Of `x`, only the shape matters.
    """
    check_dtypes(dy=dy, x=x)
    axes = _axes(x, kernel_size, stride, padding, dilation, ceil_mode)
    _check_cotangent(dy, x, axes)
    share = dy / _pixels_per_window(axes, count_include_pad).astype(dy.dtype)
    return _spread(share, x, axes)


def _sums(x: Array, axes: tuple[Axis, Axis]) -> Array:
    y = np.zeros(_y_shape(x, axes), x.dtype)
    add_windows(for_kernel(x), *_index_map(axes), y)
    return y


def _spread(dy: Array, x: Array, axes: tuple[Axis, Axis]) -> Array:
    """Add every cotangent to all pixels of its window."""
    dx = np.zeros(x.shape, x.dtype)
    add_to_windows(for_kernel(dy), *_index_map(axes), dx)
    return dx


def _axes(
    x: Array,
    kernel_size: IntOrPair,
    stride: IntOrPair | None,
    padding: Padding,
    dilation: IntOrPair,
    ceil_mode: bool,
) -> tuple[Axis, Axis]:
    check_axes("x", x, "N, C, H, W")
    check_flag("ceil_mode", ceil_mode)
    kernel = parse_pair("kernel_size", kernel_size)
    return make_axes(x.shape[2:], kernel, kernel if stride is None else stride, padding, dilation, bool(ceil_mode))


def _index_map(axes: tuple[Axis, Axis]) -> tuple[IntArray, IntArray]:
    rows, columns = axes
    return rows.source(), columns.source()


def _y_shape(x: Array, axes: tuple[Axis, Axis]) -> tuple[int, ...]:
    return (*x.shape[:2], axes[0].outputs, axes[1].outputs)


def _check_cotangent(dy: Array, x: Array, axes: tuple[Axis, Axis]) -> None:
    check_shape("dy", dy, _y_shape(x, axes), "the shape of y")


def _pixels_per_window(axes: tuple[Axis, Axis], include_padding: bool) -> IntArray:
    """Divisors `(OH, OW)`; 1 for a window without pixels, whose sum is 0."""
    check_flag("count_include_pad", include_padding)
    rows, columns = (axis.taps_inside(padding=bool(include_padding)) for axis in axes)
    return np.maximum(np.outer(rows, columns), 1)
