"""Section "Backpropagation", and the three formulas that the post leaves out: output delta, bias gradient, update.

No single frame makes all of the post's displays true: the weight gradient as displayed and the deltas count pixels
from where they are (FULL, VALID_U), the rot180 form from the top left corner of the valid part (VALID_S).
"""

from __future__ import annotations

import sympy as sp

from backproof_spec.displays import DISPLAYS
from backproof_spec.equations.symbols import (
    L2,
    NW,
    a,
    equation,
    m,
    n,
    over_taps,
    p,
    slope,
    tensors,
    tensors_below,
    x,
    xs,
    y,
    ys,
)
from backproof_spec.model import FULL, VALID_S, Equation, Frame, Source, Tensor

LEFT_OUT = "What the post leaves out"


def _over_pixels(summand: sp.Expr, image: Tensor) -> sp.Sum:
    """The sum over every pixel (x', y') in the box of `image`."""
    bounds = (
        (index, axis.lower, axis.lower + axis.size - 1) for index, axis in zip((xs, ys), image.axes[1:], strict=True)
    )
    return sp.Sum(summand, *bounds)


def weight_gradient(frame: Frame = FULL) -> Equation:
    """The weight update's gradient as the post first displays it."""
    t = tensors(frame)
    return equation(
        "weight-gradient",
        "Weight gradient",
        DISPLAYS["weight-gradient"],
        t["dw"][n, m, x, y],
        _over_pixels(t["o_prev"][n, xs - x, ys - y] * t["delta"][m, xs, ys], t["delta"]),
        t,
        frame,
    )


def weight_gradient_rot180(frame: Frame = VALID_S) -> Equation:
    """The rot180 form: a cross-correlation read at `(N_w - 1 - x, N_w - 1 - y)`, which is what rot180 means."""
    t = tensors(frame)
    return equation(
        "weight-gradient-rot180",
        "Weight gradient, rot180 form",
        DISPLAYS["weight-gradient-rot180"],
        t["dw"][n, m, x, y],
        _over_pixels(t["o_prev"][n, NW - 1 - x + xs, NW - 1 - y + ys] * t["delta"][m, xs, ys], t["delta"]),
        t,
        frame,
    )


def bias_gradient(frame: Frame = FULL) -> Equation:
    """The bias is added to every pixel, so its gradient is the sum of the deltas."""
    t = tensors(frame)
    return equation(
        "bias-gradient",
        "Bias gradient",
        Source(LEFT_OUT, r"\frac{\partial E}{\partial b_m^l} = \sum_{x',y'} \delta_m^l(x',y')"),
        t["db"][m],
        _over_pixels(t["delta"][m, xs, ys], t["delta"]),
        t,
        frame,
    )


def output_delta(frame: Frame = FULL) -> Equation:
    """Where the recursion for delta begins."""
    t = tensors(frame)
    return equation(
        "output-delta",
        "Output delta",
        Source(LEFT_OUT, r"\delta_m^L(x,y) = (o_m^L(x,y) - t_m(x,y)) \cdot a'(c_m^L(x,y))"),
        t["delta"][m, x, y],
        (a(t["c"][m, x, y]) - t["t"][m, x, y]) * slope(t["c"][m, x, y]),
        t,
        frame,
    )


def deltas(frame: Frame = FULL) -> Equation:
    """delta^l from delta^{l+1}: a full cross-correlation with the weights of layer l+1, times a'(c^l)."""
    t = tensors_below(frame)
    return equation(
        "deltas",
        "Deltas",
        DISPLAYS["deltas"],
        t["delta"][m, x, y],
        over_taps(t["delta_next"][p, x + xs, y + ys] * t["w_next"][m, p, xs, ys], (p, 0, L2 - 1))
        * slope(t["c"][m, x, y]),
        t,
        frame,
        "the sums run over 0 .. N_w - 1, N_w being the kernel size of layer l+1",
    )
