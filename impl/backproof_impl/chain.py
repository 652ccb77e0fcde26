"""What joins layers to a chain: the error's delta at the output, and the recursion for the deltas below it.

    E = 1/2 * sum((t - o)**2)                       o = a(c)
    delta^L = (o - t) * a'(c^L)                     output_delta
    delta^l = dx(delta^(l+1), w^(l+1)) * a'(c^l)    delta: `dx` is the input gradient of the layer above

`c` is the pre-activation, `activation_derivative` the function a' of it (as in `ACTIVATIONS`).  Arrays are float32 or
all float64, of any memory layout; they are not modified.  Nothing is divided by N.
"""

from __future__ import annotations

import numpy as np

from .activations import Activation
from .arrays import Array, check_dtypes, check_shape
from .convolution import input_gradient
from .geometry import IntOrPair, Orientation, Padding, PaddingMode
from .loss import half_squared_error as error
from .loss import half_squared_error_gradient

__all__ = ["delta", "error", "output_delta"]


def delta(
    delta_next: Array,
    w_next: Array,
    c: Array,
    *,
    activation_derivative: Activation,
    stride: IntOrPair = (1, 1),
    padding: Padding = ((0, 0), (0, 0)),
    dilation: IntOrPair = (1, 1),
    groups: int = 1,
    padding_mode: PaddingMode = "zeros",
    orientation: Orientation = "convolution",
) -> Array:
    """Return delta of the layer of `c (N, C, H, W)`, shaped like `c`.

    The layer above it has the options, the weights `w_next (O, C/groups, kh, kw)` and `delta_next (N, O, OH, OW)`.
    Raises as `input_gradient` does, and ValueError where `activation_derivative(c)` has another shape than `c`.
    """
    dx = input_gradient(
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
    return _times(dx, activation_derivative, c)


def output_delta(o: Array, t: Array, c: Array, *, activation_derivative: Activation) -> Array:
    """Return `(o - t) * a'(c)`, shaped like `o`.

    Raises TypeError unless all are float32 or all float64, ValueError unless they have one shape.
    """
    check_dtypes(o=o, t=t, c=c)
    check_shape("c", c, o.shape, "the shape of o")
    return _times(half_squared_error_gradient(o, t), activation_derivative, c)


def _times(gradient: Array, activation_derivative: Activation, c: Array) -> Array:
    """Multiply a gradient of our own by a'(c), in place."""
    slopes = activation_derivative(c)
    check_shape("activation_derivative(c)", slopes, c.shape, "the shape of c")
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # NaN and infinity are results
        return np.multiply(gradient, slopes, out=gradient)
