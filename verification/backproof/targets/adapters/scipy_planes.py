"""Convolution layers as people build them on SciPy's 2-D functions: plane by plane, summed over channels.

A `Plane` convolves one channel with one kernel.  With the full result (every window that meets the image at all) come

    y     every stride-th pixel of the full result, without the windows that the padding leaves out
    dx    the convolution of the cotangent, put back in its place in the full result, with the kernel
    dw    the correlation of the image with that cotangent, where the two lie over each other in k ways

For a cross-correlation; for a convolution, convolve and correlate change places and dw is turned by 180 degrees.
Padding wider than the kernel less one has windows that no mode of SciPy's computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from backproof.targets.adapters.plain_windows import Array, Padding, Pair, Shape, output_size

Convolve = Callable[..., Array]


class Plane(Protocol):
    """One channel and one kernel: `x (H, W)`, `w (kh, kw)`, `y` and `dy (OH, OW)`."""

    def forward(self, x: Array, w: Array) -> Array:
        """`y`."""

    def input_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        """`dx`."""

    def weight_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        """`dw`."""


@dataclass(frozen=True, slots=True)
class FullPlane:
    """A plane by `convolve(a, b, mode=...)` and `correlate`, which have the modes full, same and valid.

    With an even kernel, mode same can have its centre at either side; `late`: where correlate has it, as `correlate2d`
    documents, one pixel later than convolve.
    """

    convolve: Convolve
    correlate: Convolve
    stride: Pair
    padding: Padding
    orientation: str
    circular: bool = False
    late: bool = False

    def forward(self, x: Array, w: Array) -> Array:
        """By the mode that the padding amounts to, else as a part of the full result."""
        function = self.correlate if self.orientation == "cross-correlation" else self.convolve
        mode = self._mode(w.shape)
        y = function(x, w, mode=mode)
        if mode == "full":
            y = y[tuple(slice(*bounds) for bounds in self._kept(y.shape, w.shape))]
        return y[:: self.stride[0], :: self.stride[1]]

    def input_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        """In circles, what lies one image further on in the full result belongs to the same pixel."""
        function = self.convolve if self.orientation == "cross-correlation" else self.correlate
        full = self._full(dy, x.shape, w.shape)
        if not self.circular:
            return function(full, w, mode="valid")
        folded = np.zeros(x.shape, dy.dtype)
        rows, columns = (np.arange(count) % size for count, size in zip(full.shape, x.shape, strict=True))
        np.add.at(folded, (rows[:, None], columns), full)
        return self._part(function(folded, w, mode="full"), w.shape, x.shape)

    def weight_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        """The cotangent may be larger than the image, which in circles then repeats."""
        dw = self._part(self.correlate(x, self._full(dy, x.shape, w.shape), mode="full"), x.shape, w.shape)
        return dw if self.orientation == "cross-correlation" else dw[::-1, ::-1]

    def _mode(self, kernel: Shape) -> str:
        if self.padding == ((0, 0), (0, 0)):
            return "valid"
        shift = int(self.late and self.orientation == "cross-correlation")
        after = [(taps - 1 + shift) // 2 for taps in kernel]
        same = tuple((taps - 1 - end, end) for taps, end in zip(kernel, after, strict=True))
        return "same" if self.padding == same else "full"

    def _kept(self, full: Shape, kernel: Shape) -> list[Pair]:
        """Which rows and columns of the full result there are windows for."""
        return [
            (taps - 1 - before, count - (taps - 1 - after))
            for count, taps, (before, after) in zip(full, kernel, self.padding, strict=True)
        ]

    def _full(self, dy: Array, image: Shape, kernel: Shape) -> Array:
        """The cotangent of the full result."""
        full = np.zeros([size + taps - 1 for size, taps in zip(image, kernel, strict=True)], dy.dtype)
        kept = self._kept(full.shape, kernel)
        full[tuple(slice(*bounds, step) for bounds, step in zip(kept, self.stride, strict=True))] = dy
        return full

    @staticmethod
    def _part(full: Array, before: Shape, count: Shape) -> Array:
        """`count` rows and columns, from the last but one of `before` on."""
        return full[before[0] - 1 : before[0] - 1 + count[0], before[1] - 1 : before[1] - 1 + count[1]]


def refuse_wide_padding(padding: Padding, kernel: Shape) -> None:
    """NotImplementedError where windows lie wholly in the padding."""
    for sides, taps in zip(padding, kernel, strict=True):
        if max(sides) > taps - 1:
            raise NotImplementedError("padding wider than the kernel less one, which no mode of SciPy's has")


# ---- layers


def forward(x: Array, w: Array, b: Array | None, plane: Plane, stride: Pair, padding: Padding, groups: int) -> Array:
    """`y (N, O, OH, OW)`.

    Raises:
        ValueError: no window fits, where mode "valid" would exchange image and kernel.
    """
    outputs = output_size((x.shape[2], x.shape[3]), (w.shape[2], w.shape[3]), stride, padding, (1, 1))
    y = np.zeros((x.shape[0], w.shape[0], *outputs), x.dtype)
    for n, o, q, c in _pairs(x, w, groups):
        y[n, o] += plane.forward(x[n, q], w[o, c])
    return y if b is None else y + b[:, None, None]


def backward(
    dy: Array, x: Array, w: Array, b: Array | None, plane: Plane, groups: int
) -> tuple[Array, Array, Array | None]:
    """`dx, dw, db`."""
    dx, dw = np.zeros(x.shape, x.dtype), np.zeros(w.shape, w.dtype)
    for n, o, q, c in _pairs(x, w, groups):
        dx[n, q] += plane.input_gradient(dy[n, o], x[n, q], w[o, c])
        dw[o, c] += plane.weight_gradient(dy[n, o], x[n, q], w[o, c])
    return dx, dw, None if b is None else dy.sum((0, 2, 3))


def _pairs(x: Array, w: Array, groups: int) -> Iterator[tuple[int, int, int, int]]:
    """`(n, o, q, c)`: output channel o sees channel q of x through `w[o, c]`."""
    inner, outer = w.shape[1], w.shape[0] // groups
    for n, o, c in np.ndindex(x.shape[0], w.shape[0], inner):
        yield n, o, o // outer * inner + c, c
