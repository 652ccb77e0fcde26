"""The general forward equation, of which every convolution in the post and in the frameworks is an instance.

    y[n, o, i, j] = sum_{c, u, v} x[n, q, row, col] * w[o, c, u, v] + b[o]

    q    = floor(o / Og) * Cg + c                      blocked groups
    tap  = flip*(kh - 1 - u) + (1 - flip)*u            flip = 1: convolution, 0: cross-correlation
    row  = i*sh + tap*dh - pt                          stride, dilation, padding
    row -> row - wrap*H*floor(row / H)                 wrap = 1: circular padding, 0: zero padding

Everything numerical that Backproof believes is generated from this object (see `backproof_spec.oracle`).
"""

from __future__ import annotations

import sympy as sp

from backproof_spec.model import Axis, Equation, Source, Tensor, integers

n, o, i, j, c, u, v = integers("n o i j c u v")
N, G, CG, OG, H, W, KH, KW = SIZES = integers("N G Cg Og H W kh kw")
SH, SW, DH, DW, PT, PB, PL, PR = STEPS = integers("sh sw dh dw pt pb pl pr")
FLIP, WRAP = SWITCHES = integers("flip wrap")


def output_size(size: sp.Expr, kernel: sp.Expr, stride: sp.Expr, padding: sp.Expr, dilation: sp.Expr) -> sp.Expr:
    """`floor((size + padding - dilation*(kernel - 1) - 1) / stride) + 1`, `padding` being both sides together."""
    return sp.floor((size + padding - dilation * (kernel - 1) - 1) / stride) + 1


def source_index(
    out: sp.Expr,
    tap: sp.Expr,
    size: sp.Expr,
    kernel: sp.Expr,
    stride: sp.Expr,
    padding: sp.Expr,
    dilation: sp.Expr,
) -> sp.Expr:
    """The input pixel that output pixel `out` meets at `tap`, along one axis: the only index map there is."""
    unfolded = out * stride + (FLIP * (kernel - 1 - tap) + (1 - FLIP) * tap) * dilation - padding
    return unfolded - WRAP * size * sp.floor(unfolded / size)


OH = output_size(H, KH, SH, PT + PB, DH)
OW = output_size(W, KW, SW, PL + PR, DW)

y = Tensor("y", (Axis(N), Axis(G * OG), Axis(OH), Axis(OW)))
x = Tensor("x", (Axis(N), Axis(G * CG), Axis(H), Axis(W)))
w = Tensor("w", (Axis(G * OG), Axis(CG), Axis(KH), Axis(KW)))
b = Tensor("b", (Axis(G * OG),))

row = source_index(i, u, H, KH, SH, PT, DH)
column = source_index(j, v, W, KW, SW, PL, DW)
channel = sp.floor(o / OG) * CG + c

FORWARD = Equation(
    id="general-forward",
    title="Forward: stride, dilation, padding, groups, batch, both orientations",
    source=Source(
        section="As the frameworks compute it",
        tex=r"y_{n,o}(i,j) = \sum_{c,u,v} x_{n,q}(i s + t(u) d - p,\, \ldots)\, w_{o,c}(u,v) + b_o",
    ),
    tensors=(y, x, w, b),
    lhs=y[n, o, i, j],
    rhs=sp.Sum(x[n, channel, row, column] * w[o, c, u, v], (c, 0, CG - 1), (u, 0, KH - 1), (v, 0, KW - 1)) + b[o],
    parameters=(*SIZES, *STEPS, *SWITCHES),
    assumptions=("zero extension", "sizes, strides and dilations are at least 1"),
)
