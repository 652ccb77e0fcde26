"""From the options of a convolution to its sums: each by the vector kernels where there are any, or by the plain loops.

    forward, weight gradient    the windows on x
    input gradient              windows on dy, in the phases of the stride

Circular padding is a copy of `x` that repeats it, and then no padding; the gradients of the copies of a pixel add up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numba.core.errors import NumbaError

from .arrays import Array, IntArray, for_kernel, require_plain
from .batch import Batch, Tile, tile_for
from .batch_gradient import BatchWeightGradient, gradient_tile_for
from .depthwise import Depthwise, DepthwiseWeightGradient, Part, lanes_for
from .geometry import Algorithm, Axis
from .kernels.convolution import add_forward, add_input_gradient, add_weight_gradient
from .kernels.processor import Processor, give_up
from .passes import Kinds
from .strided import Strided, two_rows_are_faster
from .sums import Correlation, WeightGradient
from .windows import Windows, forward_windows, phases
from .winograd import Winograd, applies

Made = TypeVar("Made")
InputGradient: TypeAlias = Correlation | Winograd | Batch | Depthwise | Strided


@dataclass(frozen=True)
class Plan:
    """The sums of a convolution of given shapes and options.  `options` are what the user passed for them.

    Arrays must have these shapes and be `arrays.plain`; where they are not, the methods raise TypeError.
    """

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
    options: tuple[Any, ...] = ()
    algorithm: Algorithm = "direct"

    @cached_property
    def y_shape(self) -> tuple[int, int, int, int]:
        """The shape of `y`, and of `dy`."""
        return self.N, self.groups * self.outputs, self.rows.outputs, self.columns.outputs

    @cached_property
    def b_shape(self) -> tuple[int]:
        """The shape of `b`."""
        return (self.groups * self.outputs,)

    def forward(self, x: Array, w: Array, b: Array | None) -> Array:
        """Return `y` for `x (N, groups * channels, H, W)`, `w (groups * outputs, channels, kh, kw)`."""
        y = None if self._forward is None else self._forward(self._wrapped(x) if self.wrap else x, w, b)
        if y is None:
            require_plain(x, w, *([] if b is None else [b]))
            y = np.zeros(self.y_shape, self.dtype)
            if b is not None:
                y += b[:, np.newaxis, np.newaxis]
            add_forward(x, w, *self._sources, self.outputs, y)
        return y

    def input_gradient(self, dy: Array, w: Array) -> Array:
        """Return `dx` for `dy` shaped like `y`."""
        dx = None if self._input_gradient is None else self._input_gradient(dy, w, None)
        if dx is not None:
            return self._folded(dx) if self.wrap else dx
        require_plain(dy, w)
        dx = np.zeros((self.N, self.groups * self.channels, self.rows.size, self.columns.size), self.dtype)
        add_input_gradient(dy, w, *self._sources, self.outputs, dx)
        return dx

    def weight_gradient(self, dy: Array, x: Array) -> Array:
        """Return `dw` for `dy` shaped like `y`."""
        dw = None
        if self._weight_gradient is not None:
            dw = self._weight_gradient(dy, self._wrapped(x) if self.wrap else x)
        if dw is None:
            require_plain(dy, x)
            dw = np.zeros((self.groups * self.outputs, self.channels, *self._kernel), self.dtype)
            add_weight_gradient(dy, x, *self._sources, self.outputs, dw)
        return dw

    def _vectorised(self, make: Callable[[], Made]) -> Made | None:
        """What `make` makes, or None where the plain loops must do."""
        if self.processor.bits == 0 or 0 in (self.N, self.channels, self.outputs, self.rows.size, self.columns.size):
            return None
        try:
            return make()
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
    def _windows(self) -> tuple[Windows, Windows]:
        """The windows of the forward pass, on rows and columns."""
        rows, columns = (forward_windows(axis, self.flip) for axis in self._axes)
        return rows, columns

    @cached_property
    def _depthwise_lanes(self) -> int:
        """How many channels lie side by side where their groups have no others; 0 where that is not done."""
        if self.channels * self.outputs > 1:
            return 0
        pixels = math.prod(axis.extent for axis in self._windows) + math.prod(self.y_shape[2:])
        return lanes_for(self.processor, self.dtype, self.groups, pixels)

    @property
    def _winograd(self) -> bool:
        """Whether the forward pass and the input gradient have Winograd tiles."""
        return self.algorithm != "direct" and applies(self.rows, self.columns)

    @cached_property
    def _forward(self) -> Correlation | Winograd | Batch | Depthwise | None:
        taps = math.prod(self._kernel)
        steps = (self.outputs * self.channels * taps, self.channels * taps, taps)
        rows, columns = self._windows
        if self._depthwise_lanes and not self._winograd:
            return self._vectorised(lambda: self._depthwise([Part(rows, columns)], self.y_shape[2:]))
        return self._vectorised(lambda: self._correlation(rows, columns, self.channels, self.outputs, steps))

    @cached_property
    def _weight_gradient(self) -> WeightGradient | BatchWeightGradient | DepthwiseWeightGradient | None:
        rows, columns = self._windows
        lanes, sizes = self._depthwise_lanes, (self.groups, self.channels, self.outputs)
        if lanes:
            return self._vectorised(
                lambda: DepthwiseWeightGradient(self.N, self.groups, rows, columns, self.dtype, lanes)
            )
        return self._vectorised(lambda: self._gradient_of_weights(rows, columns, sizes))

    @cached_property
    def _input_gradient(self) -> InputGradient | None:
        taps = math.prod(self._kernel)
        steps = (self.outputs * self.channels * taps, taps, self.channels * taps)
        rows, columns = (list(phases(axis, self.flip)) for axis in self._axes)
        size = self._axes[0].size, self._axes[1].size
        if not any(rows) or not any(columns):  # no tap reads any pixel
            return None
        if self._depthwise_lanes and not self._winograd:
            parts = [
                Part(down, across, h, k, self.rows.stride, self.columns.stride)
                for h, down in enumerate(rows)
                for k, across in enumerate(columns)
                if down is not None and across is not None
            ]
            return self._vectorised(lambda: self._depthwise(parts, size))
        down, across = rows[0], columns[0]
        if (self.rows.stride, self.columns.stride) != (1, 1) or self._two_rows(rows, columns, size):
            sizes = (self.N, self.groups, self.channels, self.outputs)
            return self._vectorised(
                lambda: Strided(*sizes, rows, columns, self._kernel, size, self.dtype, self.processor)
            )
        assert down is not None
        assert across is not None
        return self._vectorised(lambda: self._correlation(down, across, self.outputs, self.channels, steps))

    def _two_rows(self, rows: Kinds, columns: Kinds, size: tuple[int, int]) -> bool:
        """Whether two rows of `dx` are to share tiles, with stride 1."""
        down, across = rows[0], columns[0]
        if down is None or across is None or self._winograd or self.processor.bits == 0:
            return False
        if self._batch_tile(down, across, self.outputs, self.channels) is not None:
            return False
        work = self.groups * self.channels * self.outputs * math.prod(self.y_shape[2:]) * math.prod(self._kernel)
        sizes = (self.channels, work, down, across, self._kernel, size)
        return two_rows_are_faster(self.processor, self.dtype, *sizes)

    def _depthwise(self, parts: list[Part], size: tuple[int, int]) -> Depthwise:
        return Depthwise(self.N, self.groups, parts, size, self._kernel, self.dtype, self._depthwise_lanes)

    def _correlation(
        self, rows: Windows, columns: Windows, channels: int, outputs: int, steps: tuple[int, int, int]
    ) -> Correlation | Winograd | Batch:
        geometry = self.N, rows, columns, self.groups, channels, outputs, steps
        if self._winograd:
            return Winograd(*geometry, self.dtype, self.processor, self.algorithm)
        tile = self._batch_tile(rows, columns, channels, outputs)
        if tile is not None:
            return Batch(*geometry, self._kernel, self.dtype, tile)
        return Correlation(*geometry, self._kernel, self.dtype, self.processor)

    def _batch_tile(self, rows: Windows, columns: Windows, channels: int, outputs: int) -> Tile | None:
        """The tile for images in the lanes, where that is fastest."""
        if self._winograd:
            return None
        return tile_for(self.processor, self.dtype, self.N, rows, columns, self.groups, channels, outputs)

    def _gradient_of_weights(
        self, rows: Windows, columns: Windows, sizes: tuple[int, int, int]
    ) -> WeightGradient | BatchWeightGradient:
        tile = gradient_tile_for(self.processor, self.dtype, self.N, rows, columns, *sizes)
        if tile is not None:
            return BatchWeightGradient(self.N, rows, columns, *sizes, self.dtype, tile)
        return WeightGradient(self.N, rows, columns, *sizes, self.dtype, self.processor)

    def _wrapped(self, x: Array) -> Array:
        rows, columns = self._repeated
        return for_kernel(x[:, :, rows[:, np.newaxis], columns])

    def _folded(self, dx: Array) -> Array:
        """The sums of the gradients of all copies of every pixel."""
        for axis, pixels in zip((2, 3), self._repeated, strict=True):
            size = (self.rows, self.columns)[axis - 2].size
            folded = np.zeros((*dx.shape[:axis], size, *dx.shape[axis + 1 :]), dx.dtype)
            by_pixel, by_copy = np.moveaxis(folded, axis, 0), np.moveaxis(dx, axis, 0)
            with np.errstate(over="ignore", invalid="ignore"):  # NaN and infinity are results
                for copy, pixel in enumerate(pixels):
                    by_pixel[pixel] += by_copy[copy]
            dx = folded
        return dx

    @cached_property
    def _repeated(self) -> tuple[IntArray, IntArray]:
        """The pixel that each row and column of the repeated image shows."""
        return self.rows.repeated(), self.columns.repeated()
