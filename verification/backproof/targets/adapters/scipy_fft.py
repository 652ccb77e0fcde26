"""SciPy's `signal.convolve` and `signal.correlate` by FFT (`method="fft"`): the target `scipy-fft`.

FFTs round, so that the algorithm is declared indirect: results are compared as integers.  `method="auto"` makes the
same calls for large arrays.  No circular padding, no dilation, no channels: see `scipy_planes`.

Arrays as in the canonical form, all of one dtype.  Padding wider than the kernel less one raises NotImplementedError.
"""

from __future__ import annotations

from functools import partial

import scipy
from scipy import signal

from backproof.targets.adapters import scipy_planes
from backproof.targets.adapters.plain_windows import NO_PADDING, Array, Padding, Pair

ALGORITHM = "indirect"
DTYPES = ("float32", "float64")
VERSION = scipy.__version__


def forward(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    groups: int = 1,
    orientation: str = "convolution",
) -> Array:
    """`y (N, O, OH, OW)`; ValueError where no window fits."""
    plane = _plane(w, stride, padding, orientation)
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
    orientation: str = "convolution",
) -> tuple[Array, Array, Array | None]:
    """`dx, dw, db`; `db` is None where `b` is."""
    return scipy_planes.backward(dy, x, w, b, _plane(w, stride, padding, orientation), groups)


def _plane(w: Array, stride: Pair, padding: Padding, orientation: str) -> scipy_planes.FullPlane:
    scipy_planes.refuse_wide_padding(padding, w.shape[2:])
    convolve, correlate = (partial(function, method="fft") for function in (signal.convolve, signal.correlate))
    return scipy_planes.FullPlane(convolve, correlate, stride, padding, orientation)
