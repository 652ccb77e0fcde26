"""The post's symbols: pixels, units, sizes, the activation, and the tensors of one layer and the layer above it.

Units are numbered n (layer l-1), m (layer l) and p (layer l+1; the post calls this one o as well).
`x'` and `y'` are bound pixels.
"""

from __future__ import annotations

import sympy as sp

from backproof_spec.model import Axis, Equation, Frame, Source, Tensor, integers

x, y, n, m, p = integers("x y n m p")
xs, ys = integers("x' y'")
only = integers("e")
H, W, NW, L0, L1, L2 = PARAMETERS = integers("H W N_w units_prev units units_next")
a = sp.Function("a")
_z = sp.Symbol("z")


def slope(argument: sp.Expr) -> sp.Expr:
    """`a'(argument)`, left for SymPy to evaluate once `a` is known."""
    return sp.Subs(sp.Derivative(a(_z), _z), _z, argument)


def over_taps(summand: sp.Expr, *units: tuple[sp.Symbol, int, sp.Expr]) -> sp.Sum:
    """The sum over a kernel's pixels, and over `units`."""
    return sp.Sum(summand, *units, (xs, 0, NW - 1), (ys, 0, NW - 1))


def tensors(frame: Frame) -> dict[str, Tensor]:
    """The tensors of layer l, whose complete input `c` lives in `frame`."""
    pixels, result = (Axis(H), Axis(W)), (frame.axis(H, NW), frame.axis(W, NW))
    kernel = (Axis(NW), Axis(NW))
    return {
        tensor.name: tensor
        for tensor in (
            Tensor("o_prev", (Axis(L0), *pixels), "o^{l-1}"),
            Tensor("w", (Axis(L0), Axis(L1), *kernel), "w^{l}"),
            Tensor("b", (Axis(L1),), "b^{l}"),
            Tensor("i", (Axis(L0), Axis(L1), *result), "i^{l}"),
            Tensor("c", (Axis(L1), *result), "c^{l}"),
            Tensor("o", (Axis(L1), *result), "o^{l}"),
            Tensor("t", (Axis(L1), *result), "t"),
            Tensor("delta", (Axis(L1), *result), r"\delta^{l}"),
            Tensor("E", (Axis(sp.S.One),), "E"),
            Tensor("dw", (Axis(L0), Axis(L1), *kernel), r"\partial E / \partial w^{l}"),
            Tensor("db", (Axis(L1),), r"\partial E / \partial b^{l}"),
        )
    }


def tensors_below(frame: Frame) -> dict[str, Tensor]:
    """The tensors of the recursion for delta^l: layer l is the H x W image that layer l+1 convolves into `frame`."""
    pixels, result = (Axis(H), Axis(W)), (frame.axis(H, NW), frame.axis(W, NW))
    return {
        "delta": Tensor("delta", (Axis(L1), *pixels), r"\delta^{l}"),
        "c": Tensor("c", (Axis(L1), *pixels), "c^{l}"),
        "w_next": Tensor("w_next", (Axis(L1), Axis(L2), Axis(NW), Axis(NW)), "w^{l+1}"),
        "delta_next": Tensor("delta_next", (Axis(L2), *result), r"\delta^{l+1}"),
    }


def equation(
    identifier: str,
    title: str,
    source: Source,
    lhs: sp.Indexed,
    rhs: sp.Expr,
    declared: dict[str, Tensor],
    frame: Frame | None,
    *assumptions: str,
) -> Equation:
    """An equation of the post; its tensors are those of `declared` that it mentions, the left one first."""
    names = [str(lhs.base), *sorted({str(read.base) for read in rhs.atoms(sp.Indexed)} - {str(lhs.base)})]
    used = tuple(declared[name] for name in names)
    return Equation(identifier, title, source, used, lhs, rhs, PARAMETERS, frame, assumptions)
