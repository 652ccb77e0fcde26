"""From the options of a convolution to its sums: each by the vector kernels where there are any, or by the plain loops.

    forward, weight gradient    the windows on x
    input gradient              windows on dy, one correlation for each phase of the stride

Circular padding is a copy of `x` that repeats it, and then no padding; the gradients of the copies of a pixel add up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba.core.errors import NumbaError

from .arrays import Array, IntArray, for_kernel
from .geometry import Axis
from .kernels.convolution import add_forward, add_input_gradient, add_weight_gradient
from .kernels.processor import Processor, give_up
from .sums import Correlation, WeightGradient
from .windows import forward_windows, phases


@dataclass(frozen=True)
class Plan:
    """The sums of a convolution of given shapes and options; arrays must be contiguous."""

    N: int
    rows: Axis
    columns: Axis
    channels: int
    outputs: int
    groups: int
    wrap: bool
    flip: bool
    dtype: np.dtype[np.floating]
    processor: Processor

    @cached_property
    def y_shape(self) -> tuple[int, int, int, int]:
        """The shape of `y`, and of `dy`."""
        return self.N, self.groups * self.outputs, self.rows.outputs, self.columns.outputs

    def forward(self, x: Array, w: Array, b: Array | None) -> Array:
        """Return `y` for `x (N, groups * channels, H, W)`, `w (groups * outputs, channels, kh, kw)`."""
        try:
            y = self._forward(self._wrapped(x) if self.wrap else x, w, b) if self._vectorised else None
        except NumbaError as error:
            y = self._give_up(error)
        if y is None:
            y = np.zeros(self.y_shape, self.dtype)
            if b is not None:
                y += b[:, np.newaxis, np.newaxis]
            add_forward(x, w, *self._sources, self.outputs, y)
        return y

    def input_gradient(self, dy: Array, w: Array) -> Array:
        """Return `dx` for `dy` shaped like `y`."""
        try:
            dx = self._phases(dy, w) if self._vectorised else None
        except NumbaError as error:
            dx = self._give_up(error)
        if dx is None:
            dx = np.zeros((self.N, self.groups * self.channels, self.rows.size, self.columns.size), self.dtype)
            add_input_gradient(dy, w, *self._sources, self.outputs, dx)
        return dx

    def weight_gradient(self, dy: Array, x: Array) -> Array:
        """Return `dw` for `dy` shaped like `y`."""
        try:
            dw = self._weight_gradient(dy, self._wrapped(x) if self.wrap else x) if self._vectorised else None
        except NumbaError as error:
            dw = self._give_up(error)
        if dw is None:
            dw = np.zeros((self.groups * self.outputs, self.channels, *self._kernel), self.dtype)
            add_weight_gradient(dy, x, *self._sources, self.outputs, dw)
        return dw

    @cached_property
    def _vectorised(self) -> bool:
        """Whether there are vector kernels, and numbers for them."""
        sizes = (self.N, self.channels, self.outputs, self.rows.size, self.columns.size)
        return self.processor.bits > 0 and 0 not in sizes

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
    def _forward(self) -> Correlation:
        taps = math.prod(self._kernel)
        steps = (self.outputs * self.channels * taps, self.channels * taps, taps)
        rows, columns = (forward_windows(axis, self.flip) for axis in self._axes)
        return Correlation(
            self.N,
            rows,
            columns,
            self.groups,
            self.channels,
            self.outputs,
            steps,
            self._kernel,
            self.dtype,
            self.processor,
        )

    @cached_property
    def _weight_gradient(self) -> WeightGradient:
        rows, columns = (forward_windows(axis, self.flip) for axis in self._axes)
        return WeightGradient(
            self.N, rows, columns, self.groups, self.channels, self.outputs, self.dtype, self.processor
        )

    @cached_property
    def _input_gradient(self) -> list[tuple[int, int, Correlation | None]]:
        """The first row and column of each phase, and its sums; None where no tap reads its pixels."""
        taps = math.prod(self._kernel)
        steps = (self.outputs * self.channels * taps, taps, self.channels * taps)
        rows, columns = (list(phases(axis, self.flip)) for axis in self._axes)
        return [
            (h, k, None if across is None or down is None else Correlation(
                self.N, down, across, self.groups, self.outputs, self.channels, steps, self._kernel, self.dtype,
                self.processor,
            ))
            for h, down in rows
            for k, across in columns
        ]  # fmt: skip

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

    def _give_up(self, error: NumbaError) -> None:
        """From now on the plain loops must do, because the vector kernels cannot be compiled."""
        vars(self)["_vectorised"] = False
        give_up(f"the vector kernels do not compile: {type(error).__name__}")
