"""Pooling: sum, average and maximum over windows, and the post's remark on the gradient ("upscale the error").

pixel(i, u) = i*stride + u*dilation - padding        along each axis
room        = H + top + bottom - dilation*(kh - 1) - 1
OH          = floor(room/stride) + 1                 ceil = 1: and one more, which overhangs, where a remainder is
                                                     left and it starts in the image or in the padding before it
divisor     = taps in the image and its padding      include = 1: all kh, unless the window overhangs
            | taps in the image                      include = 0
"""

from __future__ import annotations

import sympy as sp

from backproof_spec.equations.general import (
    DH,
    DW,
    KH,
    KW,
    PB,
    PL,
    PR,
    PT,
    SH,
    SW,
    H,
    N,
    W,
    c,
    i,
    j,
    n,
    output_size,
    u,
    v,
)
from backproof_spec.model import Axis, Equation, Maximum, Source, Tensor, integers

CHANNELS = integers("C")
h, k = integers("h k")
CEIL, INCLUDE = integers("ceil include")
PARAMETERS = (N, CHANNELS, H, W, KH, KW, SH, SW, DH, DW, PT, PB, PL, PR, CEIL)


def outputs(
    size: sp.Expr, kernel: sp.Expr, stride: sp.Expr, before: sp.Expr, after: sp.Expr, dilation: sp.Expr
) -> sp.Expr:
    """Number of windows along one axis: those that fit and, with `ceil`, one that overhangs what is left over."""
    room = size + before + after - dilation * (kernel - 1) - 1
    overhanging = sp.Min(sp.floor((room + stride - 1) / stride), sp.floor((size + before - 1) / stride))
    fitting = output_size(size, kernel, stride, before + after, dilation)
    return fitting + CEIL * sp.Max(0, overhanging + 1 - fitting)


def _taps_before(first: sp.Expr, end: sp.Expr, kernel: sp.Expr, dilation: sp.Expr) -> sp.Expr:
    """How many of the taps at `first`, `first + dilation`, ... lie before `end`."""
    return sp.Max(0, sp.Min(kernel, sp.floor((end - 1 - first) / dilation) + 1))


def _divisor(first: sp.Expr, size: sp.Expr, after: sp.Expr, kernel: sp.Expr, dilation: sp.Expr) -> sp.Expr:
    """Taps of one axis that count, of a window whose first tap is at pixel `first`."""
    inside = _taps_before(first, size, kernel, dilation) - _taps_before(first, sp.S.Zero, kernel, dilation)
    return INCLUDE * _taps_before(first, size + after, kernel, dilation) + (1 - INCLUDE) * inside


OH = outputs(H, KH, SH, PT, PB, DH)
OW = outputs(W, KW, SW, PL, PR, DW)

y = Tensor("y", (Axis(N), Axis(CHANNELS), Axis(OH), Axis(OW)))
x = Tensor("x", (Axis(N), Axis(CHANNELS), Axis(H), Axis(W)))
dy = Tensor("dy", y.axes)
dx = Tensor("dx", x.axes)
_read = x[n, c, i * SH + u * DH - PT, j * SW + v * DW - PL]
_window = ((u, 0, KH - 1), (v, 0, KW - 1))


#: How many taps of the window of y[n, c, i, j] its average divides by.
DIVISOR = _divisor(i * SH - PT, H, PB, KH, DH) * _divisor(j * SW - PL, W, PR, KW, DW)


def _pooling(identifier: str, title: str, tex: str, rhs: sp.Expr, *assumptions: str) -> Equation:
    source = Source("What the post leaves out", tex)
    parameters = (*PARAMETERS, INCLUDE) if rhs.has(INCLUDE) else PARAMETERS
    return Equation(identifier, title, source, (y, x), y[n, c, i, j], rhs, parameters, None, assumptions)


SUM = _pooling(
    "sum-pooling",
    "Sum pooling",
    r"y_c(i,j) = \sum_{u,v} x_c(i s + u d - p, \ldots)",
    sp.Sum(_read, *_window),
)
AVERAGE = _pooling(
    "average-pooling",
    "Average pooling",
    r"y_c(i,j) = \frac{1}{k_h k_w} \sum_{u,v} x_c(i s + u d - p, \ldots)",
    sp.Sum(_read, *_window) / DIVISOR,
    "padding counts in the divisor where include = 1; what a window overhangs never does",
)
MAXIMUM = _pooling(
    "max-pooling",
    "Max pooling",
    r"y_c(i,j) = \max_{u,v} x_c(i s + u d - p, \ldots)",
    Maximum(_read, *_window),
    "padding is minus infinity",
    "the cotangent of a tie goes to its first maximum, row by row",
)

UPSCALING = Equation(
    "sum-pooling-gradient",
    "Gradient of sum pooling: the error upscaled",
    Source(
        "Let's talk Math",
        r"\frac{\partial E}{\partial x_c(h,k)} = \delta_c(\lfloor h/k_h \rfloor, \lfloor k/k_w \rfloor)",
    ),
    (dx, dy),
    dx[n, c, h, k],
    dy[n, c, sp.floor(h / KH), sp.floor(k / KW)],
    PARAMETERS,
    None,
    ("windows do not overlap: stride = kernel size, no padding, no dilation", "right for sum pooling only"),
)
