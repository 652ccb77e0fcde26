"""SciPy's `signal.convolve2d` and `signal.correlate2d`: the target `scipy-signal`.

Zero and circular padding are the boundaries `fill` and `wrap` of the library; strides are taken by slicing, as its
users do.  It has no dilation and no channels: see `scipy_planes` for how layers are built from it.

Arrays as in the canonical form, all of one dtype.  Padding wider than the kernel less one raises NotImplementedError.
"""

from __future__ import annotations

from functools import partial

import scipy
from scipy import signal

from backproof.targets.adapters import scipy_planes
from backproof.targets.adapters.plain_windows import NO_PADDING, Array, Padding, Pair

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
    plane = _plane(w, stride, padding, padding_mode, orientation)
    return scipy_planes.backward(dy, x, w, b, plane, groups)


def _plane(w: Array, stride: Pair, padding: Padding, padding_mode: str, orientation: str) -> scipy_planes.FullPlane:
    scipy_planes.refuse_wide_padding(padding, w.shape[2:])
    circular = padding_mode == "circular"
    convolve, correlate = (
        partial(function, boundary="wrap" if circular else "fill")
        for function in (signal.convolve2d, signal.correlate2d)
    )
    return scipy_planes.FullPlane(convolve, correlate, stride, padding, orientation, circular, late=True)
