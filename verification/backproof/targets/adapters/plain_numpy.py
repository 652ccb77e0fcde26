"""A plain, slow convolution and pooling in NumPy, independent of everything else: the target `numpy`.

The image is extended by its padding (zeros, or the image again), and each tap of the kernel takes its part of it:

    y = sum over taps (u, v) of  X[rows i*sh + u*dh, columns j*sw + v*dw] . W[u, v]

where W is w, with both axes reversed for a convolution.  The gradients are the transposes, tap by tap.

Arrays are `x (N, C, H, W)`, `w (O, C/groups, kh, kw)`, `b (O,)` or None, `dy` shaped like `y`, all of one floating
dtype, which the results have.  Geometries that fit no window raise ValueError.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backproof.targets.adapters.plain_activations import ACTIVATIONS
from backproof.targets.adapters.plain_pooling import (
    average_pool,
    average_pool_gradient,
    max_pool,
    max_pool_gradient,
    sum_pool,
    sum_pool_gradient,
)
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

__all__ = [
    "ACTIVATIONS",
    "average_pool",
    "average_pool_gradient",
    "backward",
    "bias_gradient",
    "delta",
    "error",
    "forward",
    "input_gradient",
    "max_pool",
    "max_pool_gradient",
    "output_delta",
    "sum_pool",
    "sum_pool_gradient",
    "weight_gradient",
]

DTYPES = ("float32", "float64")
THREAD_SAFE = True


def forward(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    padding_mode: str = "zeros",
    orientation: str = "convolution",
) -> Array:
    """`y (N, O, OH, OW)`."""
    extended = _split(extend(x, padding, padding_mode), groups)
    taps = _taps(w, groups, orientation)
    outputs = output_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    y = np.zeros((x.shape[0], groups, w.shape[0] // groups, *outputs), x.dtype)
    for u, v, window in windows(w.shape[2:], outputs, stride, dilation):
        y += np.einsum("ngchw,goc->ngohw", extended[window], taps[..., u, v])
    y = y.reshape(x.shape[0], w.shape[0], *outputs)
    return y if b is None else y + b[:, None, None]


def input_gradient(
    dy: Array,
    x: Array,
    w: Array,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    padding_mode: str = "zeros",
    orientation: str = "convolution",
) -> Array:
    """`dx`, shaped like `x`, whose values it does not use."""
    extended = _split(extend(np.zeros_like(x, order="C"), padding, padding_mode), groups)
    taps, cotangent = _taps(w, groups, orientation), _split(dy, groups)
    for u, v, window in windows(w.shape[2:], dy.shape[2:], stride, dilation):
        extended[window] += np.einsum("ngohw,goc->ngchw", cotangent, taps[..., u, v])
    return fold(extended.reshape(*x.shape[:2], *extended.shape[3:]), padding, padding_mode)


def weight_gradient(
    dy: Array,
    x: Array,
    w: Array,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    padding_mode: str = "zeros",
    orientation: str = "convolution",
) -> Array:
    """`dw`, shaped like `w`, whose values it does not use."""
    extended, cotangent = _split(extend(x, padding, padding_mode), groups), _split(dy, groups)
    dw = np.zeros(w.shape, w.dtype)
    taps = _taps(dw, groups, orientation)  # a view of dw
    for u, v, window in windows(w.shape[2:], dy.shape[2:], stride, dilation):
        taps[..., u, v] = np.einsum("ngohw,ngchw->goc", cotangent, extended[window])
    return dw


def bias_gradient(dy: Array) -> Array:
    """`db (O,)`."""
    db: Array = np.einsum("nohw->o", dy)
    return db


def backward(
    dy: Array,
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    padding_mode: str = "zeros",
    orientation: str = "convolution",
) -> tuple[Array, Array, Array | None]:
    """`dx, dw, db`; `db` is None where `b` is."""
    options: dict[str, Any] = {
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
        "padding_mode": padding_mode,
        "orientation": orientation,
    }
    dx, dw = input_gradient(dy, x, w, **options), weight_gradient(dy, x, w, **options)
    return dx, dw, None if b is None else bias_gradient(dy)


def delta(
    delta_next: Array,
    w_next: Array,
    c: Array,
    *,
    activation_derivative: Callable[[Array], Array],
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    padding_mode: str = "zeros",
    orientation: str = "convolution",
) -> Array:
    """`delta`, shaped like the pre-activation `c`; the options are those of the layer above."""
    spread = input_gradient(
        delta_next,
        c,
        w_next,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        padding_mode=padding_mode,
        orientation=orientation,
    )
    return spread * activation_derivative(c)


def output_delta(o: Array, t: Array, c: Array, *, activation_derivative: Callable[[Array], Array]) -> Array:
    """`(o - t) * a'(c)`."""
    return (o - t) * activation_derivative(c)


def error(o: Array, t: Array) -> float:
    """`1/2 * sum((t - o)**2)`, over the batch too."""
    return float(((t - o) ** 2).sum() / 2)


def _split(channels: Array, groups: int) -> Array:
    """`(N, C, H, W)` as `(N, groups, C/groups, H, W)`."""
    n, c, height, width = channels.shape
    return channels.reshape(n, groups, c // groups, height, width)


def _taps(w: Array, groups: int, orientation: str) -> Array:
    """`(groups, O/groups, C/groups, kh, kw)`, in the order in which taps meet the image."""
    split = w.reshape(groups, w.shape[0] // groups, *w.shape[1:])
    return split[..., ::-1, ::-1] if orientation == "convolution" else split
