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

from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import DTYPES, Array, IntArray, check_axes, check_dtypes, check_shape, for_kernel
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
    windows = _windows(x, kernel_size, stride, padding, dilation, ceil_mode)
    y = np.empty(windows.y_shape(x), x.dtype)
    windows.run(maximum, (x,), (), y)
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
    windows = _windows(x, kernel_size, stride, padding, dilation, ceil_mode)
    windows.check_cotangent(dy, x)
    dx = np.zeros(x.shape, x.dtype)
    windows.run(add_to_maximum, (dy, x), (), dx)
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
    windows = _windows(x, kernel_size, stride, padding, dilation, ceil_mode)
    return _sums(x, windows, _NO_DIVISORS[x.dtype])


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
    windows = _windows(x, kernel_size, stride, padding, dilation, ceil_mode)
    windows.check_cotangent(dy, x)
    return _spread(dy, x, windows, _NO_DIVISORS[x.dtype])


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
    windows = _windows(x, kernel_size, stride, padding, dilation, ceil_mode)
    return _sums(x, windows, windows.pixels(count_include_pad, x.dtype))


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
    windows = _windows(x, kernel_size, stride, padding, dilation, ceil_mode)
    windows.check_cotangent(dy, x)
    return _spread(dy, x, windows, windows.pixels(count_include_pad, x.dtype))


_NO_DIVISORS = {dtype: np.empty(0, dtype) for dtype in DTYPES}


def _sums(x: Array, windows: _Windows, divisors: Array) -> Array:
    y = np.empty(windows.y_shape(x), x.dtype)
    windows.run(add_windows, (x,), (divisors,), y)
    return y


def _spread(dy: Array, x: Array, windows: _Windows, divisors: Array) -> Array:
    """Add every cotangent, over its divisor, to all pixels of its window."""
    dx = np.zeros(x.shape, x.dtype)
    windows.run(add_to_windows, (dy,), (divisors,), dx)
    return dx


class _Windows:
    """The windows on images of one size, as the kernels want them; made once for a geometry."""

    def __init__(self, axes: tuple[Axis, Axis]) -> None:
        self._axes = axes
        self._divisors: dict[tuple[bool, np.dtype[Any]], Array] = {}
        rows, columns = axes
        self._tables = rows.source(), _spans(columns)

    def y_shape(self, x: Array) -> tuple[int, ...]:
        """The shape of `y`, and of `dy`."""
        return (*x.shape[:2], *(axis.outputs for axis in self._axes))

    def check_cotangent(self, dy: Array, x: Array) -> None:
        """Require that `dy` is shaped like `y`; raises ValueError."""
        check_shape("dy", dy, self.y_shape(x), "the shape of y")

    def run(
        self, kernel: Callable[[int], Callable[..., None]], read: tuple[Array, ...], more: tuple[Array, ...], to: Array
    ) -> None:
        """Call the kernel for this stride with the arrays that it reads, and the new one that it writes `to`."""
        rows, columns = self._axes
        images = (len(to) * to.shape[1], rows.size, columns.size, rows.outputs, columns.outputs)
        flat = (for_kernel(array).reshape(-1) for array in read)
        fixed = columns.stride if columns.stride <= 2 else 0
        kernel(fixed)(*flat, *self._tables, columns.stride, images, *more, to.reshape(-1))

    def pixels(self, include_padding: bool, dtype: np.dtype[Any]) -> Array:
        """Divisors, one for each window; 1 for a window without pixels, whose sum is 0."""
        check_flag("count_include_pad", include_padding)
        key = (bool(include_padding), dtype)
        if key not in self._divisors:
            rows, columns = (axis.taps_inside(padding=key[0]) for axis in self._axes)
            self._divisors[key] = np.maximum(np.outer(rows, columns), 1).astype(dtype).reshape(-1)
        return self._divisors[key]


def _spans(columns: Axis) -> IntArray:
    """For each tap: the first and the end of the windows in which it lies in the image, and its pixel in window 0."""
    table = columns.source()
    inside = table >= 0
    first = np.argmax(inside, axis=1)
    offsets = np.arange(columns.kernel, dtype=np.intp) * columns.dilation - columns.before
    return np.stack([first, first + inside.sum(axis=1), offsets], axis=1)


_made: dict[tuple[object, ...], _Windows] = {}


def _windows(x: Array, *options: Any) -> _Windows:
    """The windows for these options, from those made before where there are any."""
    check_axes("x", x, "N, C, H, W")
    key = (x.shape[2:], repr(options))  # unlike their values, it tells 1 from True and 1.0, which are refused
    windows = _made.get(key)
    if windows is None:
        windows = _Windows(_axes(x, *options))
        if "<" not in key[1]:  # objects that do not say what they are
            if len(_made) >= 256:
                _made.clear()
            _made[key] = windows
    return windows


def _axes(
    x: Array,
    kernel_size: IntOrPair,
    stride: IntOrPair | None,
    padding: Padding,
    dilation: IntOrPair,
    ceil_mode: bool,
) -> tuple[Axis, Axis]:
    check_flag("ceil_mode", ceil_mode)
    kernel = parse_pair("kernel_size", kernel_size)
    return make_axes(x.shape[2:], kernel, kernel if stride is None else stride, padding, dilation, bool(ceil_mode))
