"""SciPy's `ndimage.convolve` and `ndimage.correlate`: the target `scipy-ndimage`.

The library gives one output per pixel of the image; `origin` says where its window lies.  Zero and circular padding are
the modes `constant` and `wrap`.  It has no dilation and no channels: see `scipy_planes`; strides are slices.

Arrays as in the canonical form, all of one dtype.  NotImplementedError where `origin` cannot reach: more windows than
pixels; in backward also a kernel, or padding, larger than the image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from scipy import ndimage

from backproof.targets.adapters import scipy_planes
from backproof.targets.adapters.plain_windows import NO_PADDING, Array, Padding, Pair, Shape
from backproof.targets.adapters.scipy_defects import KNOWN_DEFECTS, refuse_small_weights

__all__ = ["KNOWN_DEFECTS"]

DTYPES = ("float32", "float64")
VERSION = scipy.__version__
EXPECTED_FAILURES = {"locality": "ndimage leaves out weights that are zero, or NaN, and with them NaN in the image"}


def forward(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    groups: int = 1,
    padding_mode: str = "zeros",
    orientation: str = "convolution",
) -> Array:
    """`y (N, O, OH, OW)`; ValueError where no window fits."""
    plane = _plane(w, stride, padding, padding_mode, orientation)
    return scipy_planes.forward(x, w, b, plane, stride, padding, groups)


def backward(
    dy: Array,
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    groups: int = 1,
    padding_mode: str = "zeros",
    orientation: str = "convolution",
) -> tuple[Array, Array, Array | None]:
    """`dx, dw, db`; `db` is None where `b` is."""
    for size, taps, (before, _) in zip(x.shape[2:], w.shape[2:], padding, strict=True):
        if max(taps, before + 1) > size:
            raise NotImplementedError("a kernel or padding larger than the image, where outputs are too few for dw")
    plane = _plane(w, stride, padding, padding_mode, orientation)
    return scipy_planes.backward(dy, x, w, b, plane, groups)


@dataclass(frozen=True, slots=True)
class OriginPlane:
    """A plane whose window i begins at pixel `i - before`; `flipped` for a convolution."""

    stride: Pair
    before: Pair
    after: Pair
    mode: str
    flipped: bool

    def forward(self, x: Array, w: Array) -> Array:
        """`y`: the first of as many windows as pixels."""
        function = self._convolve if self.flipped else self._correlate
        rows, columns = self._outputs(x.shape, w.shape)
        return function(x, w, self.before)[: rows : self.stride[0], : columns : self.stride[1]]

    def input_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        """Pixel p meets the windows `p + before - u`, so that its own window begins `k - 1 - before` earlier."""
        function = self._correlate if self.flipped else self._convolve
        rows, columns = (taps - 1 - before for taps, before in zip(w.shape, self.before, strict=True))
        return function(self._spread(dy, x.shape, w.shape), w, (rows, columns))

    def weight_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        """Tap u has the cotangent lie `u - before` pixels further on in the image."""
        taps = self._correlate(x, self._spread(dy, x.shape, w.shape), self.before)[: w.shape[0], : w.shape[1]]
        return taps[::-1, ::-1] if self.flipped else taps

    def _correlate(self, image: Array, kernel: Array, before: Pair) -> Array:
        rows, columns = (b - taps // 2 for b, taps in zip(before, kernel.shape, strict=True))
        refuse_small_weights(kernel)
        y: Array = ndimage.correlate(image, kernel, mode=self.mode, origin=(rows, columns))
        return y

    def _convolve(self, image: Array, kernel: Array, before: Pair) -> Array:
        # its origin counts the other way, from (k - 1) // 2
        rows, columns = ((taps - 1) // 2 - b for b, taps in zip(before, kernel.shape, strict=True))
        refuse_small_weights(kernel)
        y: Array = ndimage.convolve(image, kernel, mode=self.mode, origin=(rows, columns))
        return y

    def _outputs(self, image: Shape, kernel: Shape) -> Pair:
        """How many windows there are with stride 1."""
        sides = zip(image, kernel, self.before, self.after, strict=True)
        rows, columns = (size + before + after - taps + 1 for size, taps, before, after in sides)
        return rows, columns

    def _spread(self, dy: Array, image: Shape, kernel: Shape) -> Array:
        """The cotangent of one output per pixel."""
        spread = np.zeros(image, dy.dtype)
        rows, columns = self._outputs(image, kernel)
        spread[: rows : self.stride[0], : columns : self.stride[1]] = dy
        return spread


def _plane(w: Array, stride: Pair, padding: Padding, padding_mode: str, orientation: str) -> OriginPlane:
    for sides, taps in zip(padding, w.shape[2:], strict=True):
        if sum(sides) > taps - 1:
            raise NotImplementedError("more windows than pixels, of which the library's output has one each")
    (top, bottom), (left, right) = padding
    mode = "wrap" if padding_mode == "circular" else "constant"
    return OriginPlane(stride, (top, left), (bottom, right), mode, orientation == "convolution")
