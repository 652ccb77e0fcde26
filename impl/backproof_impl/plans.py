"""From the options of a convolution to its sums: each by the vector kernels where there are any, or by the plain loops.

    forward, weight gradient    the windows on x
    input gradient              windows on dy, one correlation for each phase of the stride

Circular padding is a copy of `x` that repeats it, and then no padding; the gradients of the copies of a pixel add up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba.core.errors import NumbaError

from .arrays import Array, IntArray, for_kernel
from .geometry import Algorithm, Axis
from .kernels.convolution import add_forward, add_input_gradient, add_weight_gradient
from .kernels.processor import Processor, give_up
from .sums import Correlation, WeightGradient
from .windows import Windows, forward_windows, phases
from .winograd import Winograd, applies


@dataclass(frozen=True)
class Plan:
    """The sums of a convolution of given shapes and options, for every batch; arrays must be contiguous."""

    rows: Axis
    columns: Axis
    channels: int
    outputs: int
    groups: int
    wrap: bool
    flip: bool
    dtype: np.dtype[np.floating]
    processor: Processor
    algorithm: Algorithm = "direct"

    def y_shape(self, x: Array) -> tuple[int, int, int, int]:
        """The shape of `y`, and of `dy`."""
        return len(x), self.groups * self.outputs, self.rows.outputs, self.columns.outputs

    def forward(self, x: Array, w: Array, b: Array | None) -> Array:
        """Return `y` for `x (N, groups * channels, H, W)`, `w (groups * outputs, channels, kh, kw)`."""
        y = self._vectorised(lambda: self._forward(self._wrapped(x), w, b), x, w)
        if y is None:
            y = np.zeros(self.y_shape(x), x.dtype)
            if b is not None:
                y += b[:, np.newaxis, np.newaxis]
            add_forward(x, w, *self._sources, self.outputs, y)
        return y

    def input_gradient(self, dy: Array, w: Array) -> Array:
        """Return `dx` for `dy` shaped like `y`."""
        dx = self._vectorised(lambda: self._phases(dy, w), dy, w)
        if dx is None:
            dx = np.zeros((len(dy), self.groups * self.channels, self.rows.size, self.columns.size), dy.dtype)
            add_input_gradient(dy, w, *self._sources, self.outputs, dx)
        return dx

    def weight_gradient(self, dy: Array, x: Array) -> Array:
        """Return `dw` for `dy` shaped like `y`."""
        dw = self._vectorised(lambda: self._weight_gradient(dy, self._wrapped(x)), dy, x)
        if dw is None:
            dw = np.zeros((self.groups * self.outputs, self.channels, *self._kernel), x.dtype)
            add_weight_gradient(dy, x, *self._sources, self.outputs, dw)
        return dw

    def _vectorised(self, call: Callable[[], Array | None], *arrays: Array) -> Array | None:
        """The result of `call`, or None where the plain loops must do."""
        if self.processor.bits == 0 or not all(array.size for array in arrays):
            return None
        try:
            return call()
        except NumbaError as error:
            give_up(f"the vector kernels do not compile: {type(error).__name__}")
            return None

    @property
    def _kernel(self) -> tuple[int, int]:
        return self.rows.kernel, self.columns.kernel

    @cached_property
    def _sources(self) -> tuple[IntArray, IntArray]:
        wrap, flip = self.wrap, self.flip
        return self.rows.source(wrap=wrap, flip=flip), self.columns.source(wrap=wrap, flip=flip)

    @cached_property
    def _axes(self) -> tuple[Axis, Axis]:
        """The axes of what the vector kernels read."""
        return (self.rows.unrolled(), self.columns.unrolled()) if self.wrap else (self.rows, self.columns)

    @cached_property
    def _forward(self) -> Correlation | Winograd:
        taps = math.prod(self._kernel)
        steps = (self.outputs * self.channels * taps, self.channels * taps, taps)
        rows, columns = (forward_windows(axis, self.flip) for axis in self._axes)
        return self._sums(rows, columns, self.channels, self.outputs, steps)

    def _sums(
        self, rows: Windows, columns: Windows, channels: int, outputs: int, steps: tuple[int, int, int]
    ) -> Correlation | Winograd:
        geometry = rows, columns, self.groups, channels, outputs, steps
        if self.algorithm != "direct" and applies(self.rows, self.columns):
            return Winograd(*geometry, self.dtype, self.processor, self.algorithm)
        return Correlation(*geometry, self._kernel, self.dtype, self.processor)

    @cached_property
    def _weight_gradient(self) -> WeightGradient:
        rows, columns = (forward_windows(axis, self.flip) for axis in self._axes)
        return WeightGradient(rows, columns, self.groups, self.channels, self.outputs, self.dtype, self.processor)

    @cached_property
    def _input_gradient(self) -> list[tuple[int, int, Correlation | Winograd | None]]:
        """The first row and column of each phase, and its sums; None where no tap reads its pixels."""
        taps = math.prod(self._kernel)
        steps = (self.outputs * self.channels * taps, taps, self.channels * taps)
        rows, columns = (list(phases(axis, self.flip)) for axis in self._axes)
        sizes = self.outputs, self.channels, steps
        return [
            (h, k, None if across is None or down is None else self._sums(down, across, *sizes))
            for h, down in rows
            for k, across in columns
        ]

    def _phases(self, dy: Array, w: Array) -> Array | None:
        if len(self._input_gradient) == 1 and self._input_gradient[0][2] is not None:
            dx = self._input_gradient[0][2](dy, w, None)
        else:
            dx = np.zeros((len(dy), self.groups * self.channels, *(axis.size for axis in self._axes)), dy.dtype)
            for h, k, correlation in self._input_gradient:
                if correlation is None:
                    continue
                part = correlation(dy, w, None)
                if part is None:
                    return None
                dx[:, :, h :: self.rows.stride, k :: self.columns.stride] = part
        return self._folded(dx) if self.wrap and dx is not None else dx

    def _wrapped(self, x: Array) -> Array:
        if not self.wrap:
            return x
        rows, columns = self._repeated
        return for_kernel(x[:, :, rows[:, np.newaxis], columns])

    def _folded(self, dx: Array) -> Array:
        """The sums of the gradients of all copies of every pixel."""
        for axis, pixels in zip((2, 3), self._repeated, strict=True):
            size = (self.rows, self.columns)[axis - 2].size
            folded = np.zeros((*dx.shape[:axis], size, *dx.shape[axis + 1 :]), dx.dtype)
            by_pixel, by_copy = np.moveaxis(folded, axis, 0), np.moveaxis(dx, axis, 0)
            for copy, pixel in enumerate(pixels):
                by_pixel[pixel] += by_copy[copy]
            dx = folded
        return dx

    @cached_property
    def _repeated(self) -> tuple[IntArray, IntArray]:
        """The pixel that each row and column of the repeated image shows."""
        return self.rows.repeated(), self.columns.repeated()
