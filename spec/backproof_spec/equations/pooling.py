"""Pooling: sum, average and maximum over windows, and the post's remark on the gradient ("upscale the error").

pixel(i, u) = i*stride + u*dilation - padding        along each axis
"""

from __future__ import annotations

import sympy as sp

from backproof_spec.equations.general import (
    DH,
    DW,
    KH,
    KW,
    OH,
    OW,
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
    u,
    v,
)
from backproof_spec.model import Axis, Equation, Maximum, Source, Tensor, integers

CHANNELS = integers("C")
h, k = integers("h k")
PARAMETERS = (N, CHANNELS, H, W, KH, KW, SH, SW, DH, DW, PT, PB, PL, PR)

y = Tensor("y", (Axis(N), Axis(CHANNELS), Axis(OH), Axis(OW)))
x = Tensor("x", (Axis(N), Axis(CHANNELS), Axis(H), Axis(W)))
dy = Tensor("dy", y.axes)
dx = Tensor("dx", x.axes)
_read = x[n, c, i * SH + u * DH - PT, j * SW + v * DW - PL]
_window = ((u, 0, KH - 1), (v, 0, KW - 1))


def _pooling(identifier: str, title: str, tex: str, rhs: sp.Expr, *assumptions: str) -> Equation:
    source = Source("What the post leaves out", tex)
    return Equation(identifier, title, source, (y, x), y[n, c, i, j], rhs, PARAMETERS, None, assumptions)


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
    sp.Sum(_read, *_window) / (KH * KW),
    "padding counts in the divisor",
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
