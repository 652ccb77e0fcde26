"""Section "Feed-Forward": single input, complete input, output, error."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy as sp

from backproof_spec.derivation.layers import ONE_LAYER, E, one_layer, ranges
from backproof_spec.derivation.statement import Line, Statement, Worked, chain, lines_of
from backproof_spec.displays import DISPLAYS
from backproof_spec.equations import feedforward
from backproof_spec.equations.symbols import L0, L1, NW, m, n, only, over_taps, x, xs, y, ys
from backproof_spec.model import Axis, Frame, Source
from backproof_spec.proof.language import Partial, Setting
from backproof_spec.proof.prove import Identity


def single_input(frame: Frame) -> tuple[Identity, ...]:
    """i, which the frame defines, against the display."""
    s = one_layer(frame)
    printed = feedforward.single_input(frame).rhs
    return chain(Identity(s.tensors["i"][n, m, x, y], printed, s, ranges(s, "i", n, m, x, y), ONE_LAYER))


def complete_input(frame: Frame) -> tuple[Identity, ...]:
    """c, the sum of the single inputs with the bias, and that sum with the single inputs written out."""
    s = one_layer(frame)
    t = s.tensors
    summed = sp.Sum(t["i"][n, m, x, y], (n, 0, L0 - 1)) + t["b"][m]
    first = Identity(t["c"][m, x, y], summed, s, ranges(s, "c", m, x, y), ONE_LAYER)
    return chain(first, feedforward.complete_input(frame).rhs)


def _bias_inside(frame: Frame) -> Identity:
    """The other way to read the display: the sum extends over the bias as well."""
    s = one_layer(frame)
    t = s.tensors
    product = t["o_prev"][n, x - xs, y - ys] * t["w"][n, m, xs, ys]
    inside = over_taps(product + t["b"][m], (n, 0, L0 - 1))
    return Identity(t["c"][m, x, y], inside, s, ranges(s, "c", m, x, y), ONE_LAYER)


def output(frame: Frame) -> tuple[Identity, ...]:
    """o = a(c), pixel by pixel."""
    s = one_layer(frame)
    return chain(
        Identity(s.tensors["o"][m, x, y], feedforward.output(frame).rhs, s, ranges(s, "o", m, x, y), ONE_LAYER)
    )


def with_error(frame: Frame) -> Setting:
    """The layer as the last one: E is no longer arbitrary, but half the squared error; delta = dE/dc."""
    s = one_layer(frame)
    t = s.tensors
    last = s.define(t["E"], (only,), feedforward.error(frame).rhs)
    return last.define(t["delta"], (m, x, y), Partial(E, t["c"][m, x, y]))


def error(frame: Frame) -> tuple[Identity, ...]:
    """E as the sum over all outputs, which the display abbreviates."""
    s = with_error(frame)
    return chain(Identity(E, feedforward.error(frame).rhs, s, {}, ONE_LAYER))


def _outputs(frame: Frame) -> sp.Expr:
    """The number of outputs."""
    return sp.Mul(*(axis.size for axis in one_layer(frame).tensors["o"].axes))


def _mean_squared(frame: Frame, factor: sp.Expr = sp.S.One) -> Identity:
    """The mean over all outputs of the squared error."""
    mean = 2 * feedforward.error(frame).rhs / _outputs(frame)
    return Identity(E, factor * mean, with_error(frame), {}, ONE_LAYER, _nonempty(frame))


def _multiples(frame: Frame) -> Iterator[tuple[str, Identity]]:
    """The mean squared error times small factors."""
    n = _outputs(frame)
    for tex, factor in ((r"\frac{1}{2}", sp.S.Half), ("2", 2), ("n", n), (r"\frac{n}{2}", n / 2), ("2 n", 2 * n)):
        yield rf"{tex} \cdot {MEAN_SQUARED}", _mean_squared(frame, factor)


def _nonempty(frame: Frame) -> tuple[sp.Basic, ...]:
    axes: tuple[Axis, ...] = one_layer(frame).tensors["o"].axes
    return tuple(sp.Ge(axis.size, 1) for axis in axes[1:])


MEAN_SQUARED = r"\frac{1}{n} \sum_{m, x, y} (t_m(x, y) - o_m^L(x, y))^2"


def _sum_over(units: sp.Expr) -> Callable[[Frame], Identity]:
    """The complete input with n running over so many units."""

    def obligation(frame: Frame) -> Identity:
        s, shift = one_layer(frame), frame.shift(NW)
        t = s.tensors
        product = t["o_prev"][n, x + shift - xs, y + shift - ys] * t["w"][n, m, xs, ys]
        summed = over_taps(product, (n, 0, units - 1)) + t["b"][m]
        return Identity(t["c"][m, x, y], summed, s, ranges(s, "c", m, x, y), ONE_LAYER)

    return obligation


def _layers_of_n(frame: Frame) -> Iterator[tuple[str, Identity]]:
    """The layers of which n may be a unit."""
    for layer, units in (("l", L1), ("l-1", L0)):
        yield rf"n \text{{ is a unit of layer }} {layer}", _sum_over(units)(frame)


UNITS = (r"0 \le n < M^{l-1}", r"0 \le m < M^l")

NAMING: tuple[Statement, ...] = (
    Statement(
        "naming",
        "The letters m and n",
        Source("Naming", r"w_{m,n}^l(x, y)"),
        "The table gives the letter n to units of layer l; all displays that follow give it to units of layer l-1, and "
        "m to those of layer l. The places of the subscripts agree, source first; the letters are swapped.",
        (
            Line(
                "the complete input with the letters of the table: n is a unit of layer l",
                _sum_over(L1),
                tex=r"c_m^l(x, y) = \sum_n \ldots, \quad n \text{ is a unit of layer } l",
                candidates=_layers_of_n,
            ),
        ),
    ),
)

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        "single-input",
        "Single input",
        DISPLAYS["single-input"],
        "One image convolved with one kernel. The display leaves out the range of its sum, the pixels of the kernel, "
        "and reads the image where the unmoved frames do.",
        lines_of(single_input, "convolution of the image of unit n with the kernel from n to m"),
        vocabulary="layer",
        ranges=UNITS,
        assumptions=("x', y' run over the kernel: 0 .. N_w - 1",),
        equation="single-input",
        worked=Worked(),
    ),
    Statement(
        "complete-input",
        "Complete input",
        DISPLAYS["complete-input"],
        "The single inputs of all units below, summed, and one bias per unit.",
        (
            *lines_of(complete_input, "definition of the complete input", "the single inputs written out"),
            Line(
                "the other way to read it: the bias inside the sum, counted once per tap and unit",
                _bias_inside,
                tex=r"\sum_{n, x', y'} \left( o_n^{l-1}(x-x', y-y') \cdot w_{n,m}^l(x', y') + b_m^l \right)",
                vocabulary="layer",
                stated=False,
            ),
        ),
        vocabulary="layer",
        ranges=UNITS,
        assumptions=("the sum ends before the bias",),
        equation="complete-input",
        worked=Worked(1),
    ),
    Statement(
        "output",
        "Output",
        DISPLAYS["output"],
        "The activation is applied to every pixel. Outside the image there is no pixel: the output is 0 there, which "
        "a(0) need not be.",
        lines_of(output, "definition"),
        vocabulary="layer",
        ranges=(r"0 \le m < M^l",),
        equation="output",
    ),
    Statement(
        "error",
        "Error",
        DISPLAYS["error"],
        "Target and output are images of several units, E is a number: the sum over units and pixels goes without "
        "saying. Half the sum of squares is not the mean over the n outputs either, unless n = 2.",
        (
            *lines_of(error, "the sum over all units and pixels"),
            Line(
                "called the mean squared error",
                _mean_squared,
                tex=MEAN_SQUARED,
                candidates=_multiples,
            ),
        ),
        vocabulary="layer",
        equation="error",
    ),
)
