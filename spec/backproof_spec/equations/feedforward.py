"""Section "Feed-Forward": single input, complete input, output and error of layer l."""

from __future__ import annotations

import sympy as sp

from backproof_spec.displays import DISPLAYS
from backproof_spec.equations.symbols import L0, a, equation, m, n, only, over_taps, tensors, x, xs, y, ys
from backproof_spec.model import FULL, Equation, Frame


def single_input(frame: Frame = FULL) -> Equation:
    """`i_{n,m}`: one image convolved with one kernel."""
    t = tensors(frame)
    return equation(
        "single-input",
        "Single input",
        DISPLAYS["single-input"],
        t["i"][n, m, x, y],
        over_taps(t["o_prev"][n, x - xs, y - ys] * t["w"][n, m, xs, ys]),
        t,
        frame,
    )


def complete_input(frame: Frame = FULL) -> Equation:
    """`c_m`: the sum of the single inputs, plus the bias."""
    t = tensors(frame)
    return equation(
        "complete-input",
        "Complete input",
        DISPLAYS["complete-input"],
        t["c"][m, x, y],
        over_taps(t["o_prev"][n, x - xs, y - ys] * t["w"][n, m, xs, ys], (n, 0, L0 - 1)) + t["b"][m],
        t,
        frame,
        "the bias stands outside the sum",
    )


def output(frame: Frame = FULL) -> Equation:
    """`o_m`: the activation of the complete input, pixel by pixel."""
    t = tensors(frame)
    return equation(
        "output",
        "Output",
        DISPLAYS["output"],
        t["o"][m, x, y],
        a(t["c"][m, x, y]),
        t,
        frame,
    )


def error(frame: Frame = FULL) -> Equation:
    """`E`: half the squared distance between target and output."""
    t = tensors(frame)
    box = ((index, axis.lower, axis.lower + axis.size - 1) for index, axis in zip((m, x, y), t["o"].axes, strict=True))
    return equation(
        "error",
        "Error",
        DISPLAYS["error"],
        t["E"][only],
        sp.S.Half * sp.Sum((t["t"][m, x, y] - t["o"][m, x, y]) ** 2, *box),
        t,
        frame,
        "summed over the units and pixels of layer L, which the display leaves out",
    )
