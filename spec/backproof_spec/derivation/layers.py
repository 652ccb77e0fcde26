"""The settings in which the post's formulas are judged: what each letter means, in each frame.

The meaning of a convolution does not come from a display but from the frame: the pixel numbered x of a result is the
unshifted convolution's pixel x + shift.  The displays are then held to it, as are the gradients.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import sympy as sp

from backproof_spec.equations.symbols import (
    L0,
    L1,
    L2,
    NW,
    PARAMETERS,
    H,
    W,
    a,
    m,
    n,
    over_taps,
    p,
    tensors,
    tensors_below,
    x,
    xs,
    y,
    ys,
)
from backproof_spec.model import FULL, Axis, Frame, Tensor
from backproof_spec.proof.language import Setting
from backproof_spec.proof.prove import Domain

#: All sizes are at least 1; nothing is assumed about their order.
SIZES = Domain(dict.fromkeys(PARAMETERS, 1))
ONE_LAYER = Domain(dict.fromkeys((H, W, NW, L0, L1), 1))

E = sp.IndexedBase("E")[0]


def _sums_over(image: Tensor, kernel: Tensor, units: tuple[sp.Symbol, ...], shift: sp.Expr) -> sp.Expr:
    """The convolution's summand, read where the frame says that its pixel (x, y) comes from."""
    return image[units[0], x + shift - xs, y + shift - ys] * kernel[(*units, xs, ys)]


@cache
def one_layer(frame: Frame) -> Setting:
    """Layer l: i, c and o from the output of layer l-1; E is an arbitrary function of c, and delta = dE/dc."""
    t = tensors(frame)
    summand = _sums_over(t["o_prev"], t["w"], (n, m), frame.shift(NW))
    single = over_taps(summand)
    complete = over_taps(summand, (n, 0, L0 - 1)) + t["b"][m]
    return (
        Setting(t, {}, ("E", "c", "delta"))
        .define(t["i"], (n, m, x, y), single)
        .define(t["c"], (m, x, y), complete)
        .define(t["o"], (m, x, y), a(t["c"][m, x, y]))
    )


@cache
def below(frame: Frame) -> Setting:
    """Layer l, of which o = a(c) enters layer l+1; E is an arbitrary function of c^{l+1}, and delta^l = dE/dc^l."""
    t = tensors_below(frame)
    next_c = Tensor("c_next", t["delta_next"].axes, "c^{l+1}")
    next_b = Tensor("b_next", (Axis(L2),), "b^{l+1}")
    o = Tensor("o", t["c"].axes, "o^{l}")
    complete = over_taps(_sums_over(o, t["w_next"], (m, p), frame.shift(NW)), (m, 0, L1 - 1)) + next_b[p]
    error = Tensor("E", (Axis(sp.S.One),), "E")
    return (
        Setting({**t, "b_next": next_b, "E": error}, {}, ("E", "c_next", "delta_next"))
        .define(o, (m, x, y), a(t["c"][m, x, y]))
        .define(next_c, (p, x, y), complete)
    )


@cache
def definitions(frame: Frame = FULL) -> Setting:
    """One image i, one kernel k, their convolution v and correlation l."""
    i, k = Tensor("i", (Axis(H), Axis(W))), Tensor("k", (Axis(NW), Axis(NW)))
    box = (frame.axis(H, NW), frame.axis(W, NW))
    v, corner = Tensor("v", box), Tensor("l", (Axis(H - NW + 1), Axis(W - NW + 1)))
    s = frame.shift(NW)
    return (
        Setting({"i": i, "k": k})
        .define(v, (x, y), over_taps(i[x + s - xs, y + s - ys] * k[xs, ys]))
        .define(corner, (x, y), over_taps(i[x + xs, y + ys] * k[xs, ys]))
    )


def ranges(setting: Setting, name: str, *indices: sp.Symbol) -> Mapping[sp.Symbol, Axis]:
    """The given indices over the box of a tensor."""
    return dict(zip(indices, setting.tensors[name].axes, strict=True))
