"""Section "Backpropagation: Weight Update": from the chain rule to the rot180 form."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from backproof_spec.derivation.layers import ONE_LAYER, E, one_layer, ranges
from backproof_spec.derivation.statement import Line, Statement, Worked, chain, lines_of
from backproof_spec.displays import DISPLAYS, WEIGHT_UPDATE
from backproof_spec.equations import backpropagation
from backproof_spec.equations.symbols import L0, NW, H, W, m, n, x, xs, y, ys
from backproof_spec.model import Axis, Frame, Source, Tensor
from backproof_spec.proof.language import Partial, Setting
from backproof_spec.proof.prove import Domain, Fact, Identity

u, v = sp.symbols("x'' y''", integer=True)


def _pixels(s: Setting) -> tuple[tuple[sp.Symbol, sp.Expr, sp.Expr], ...]:
    """x', y' over the box of c."""
    axes = s.tensors["c"].axes[1:]
    return tuple((i, axis.lower, axis.lower + axis.size - 1) for i, axis in zip((xs, ys), axes, strict=True))


def _gradient(frame: Frame) -> tuple[Setting, sp.Expr, dict[sp.Symbol, Axis]]:
    """The setting, dE/dw[n, m, x, y] and the ranges of its indices."""
    s = one_layer(frame)
    return s, Partial(E, s.tensors["w"][n, m, x, y]), dict(ranges(s, "w", n, m, x, y))


def _equals_gradient(frame: Frame, right: sp.Expr) -> Identity:
    s, left, box = _gradient(frame)
    return Identity(left, right, s, box, ONE_LAYER)


# --- the displays ---


def weight_update(frame: Frame) -> tuple[Identity, ...]:
    """The chain rule with a sum over the pixels of unit m alone; the left side sums over all units."""
    s = one_layer(frame)
    t = s.tensors
    change = Partial(t["c"][m, xs, ys], t["w"][n, m, x, y])
    return chain(_equals_gradient(frame, sp.Sum(t["delta"][m, xs, ys] * change, *_pixels(s))))


def _written_out(s: Setting) -> sp.Expr:
    """c at (x', y') as the display writes it, without the shift that a frame may ask for."""
    t = s.tensors
    product = t["o_prev"][n, xs - u, ys - v] * t["w"][n, m, u, v]
    return sp.Sum(product, (n, 0, L0 - 1), (u, 0, NW - 1), (v, 0, NW - 1)) + t["b"][m]


def expansion(frame: Frame) -> tuple[Identity, ...]:
    """dc/dw, its definition substituted, and its value; the ellipsis between them is judged term by term."""
    s = one_layer(frame)
    t = s.tensors
    weight = t["w"][n, m, x, y]
    everywhere = {**ranges(s, "w", n, m, x, y), **dict(zip((xs, ys), t["c"].axes[1:], strict=True))}
    first = Identity(Partial(t["c"][m, xs, ys], weight), Partial(_written_out(s), weight), s, everywhere, ONE_LAYER)
    return chain(first, t["o_prev"][n, xs - x, ys - y])


def _shown(term: Callable[[Setting], sp.Expr]) -> Callable[[Frame], Identity]:
    """A term shown beside an ellipsis: it must be one of the sum's."""

    def obligation(frame: Frame) -> Identity:
        first = expansion(frame)[0]
        s = first.setting
        return Identity(term(s), _written_out(s), s, first.ranges, ONE_LAYER, among=True)

    return obligation


def _first(s: Setting) -> sp.Expr:
    return s.tensors["o_prev"][0, xs, ys] * s.tensors["w"][0, m, 0, 0]


def _general(s: Setting) -> sp.Expr:
    return s.tensors["o_prev"][n, xs - x, ys - y] * s.tensors["w"][n, m, x, y]


def _bias(s: Setting) -> sp.Expr:
    return s.tensors["b"][m]


def weight_gradient(frame: Frame) -> tuple[Identity, ...]:
    """The weight gradient as it is first displayed."""
    return chain(_equals_gradient(frame, backpropagation.weight_gradient(frame).rhs))


def weight_gradient_rot180(frame: Frame) -> tuple[Identity, ...]:
    """The same as a correlation read from its end."""
    return chain(_equals_gradient(frame, backpropagation.weight_gradient_rot180(frame).rhs))


# --- the remarks between them ---


def _true_gradient(frame: Frame) -> sp.Expr:
    """The weight gradient in the frame's own numbering."""
    s, shift = one_layer(frame), frame.shift(NW)
    t = s.tensors
    return sp.Sum(t["o_prev"][n, xs + shift - x, ys + shift - y] * t["delta"][m, xs, ys], *_pixels(s))


def after_moving(sign: int) -> Callable[[Frame], Identity]:
    """How E changes when the weights begin to move along `sign` times the gradient; it should fall by its square."""

    def obligation(frame: Frame) -> Identity:
        s = one_layer(frame)
        t = s.tensors
        start, eta = Tensor("w_0", t["w"].axes, "w_0"), Tensor("eta", (Axis(sp.S.One),), r"\eta")
        g = Tensor("g", t["w"].axes, "g")
        moving = (
            Setting({**t, "eta": eta, "w_0": start}, s.definitions, s.error)
            .define(g, (n, m, x, y), _true_gradient(frame))
            .define(t["w"], (n, m, x, y), start[n, m, x, y] + sign * eta[0] * g[n, m, x, y])
        )
        every = ((i, axis.lower, axis.lower + axis.size - 1) for i, axis in zip((n, m, x, y), g.axes, strict=True))
        return Identity(Partial(E, eta[0]), -sp.Sum(g[n, m, x, y] ** 2, *every), moving, {}, ONE_LAYER)

    return obligation


def _as_correlation(frame: Frame) -> Identity:
    """The image delta correlated with the kernel o: no rotation, but reads beyond the image delta."""
    s = one_layer(frame)
    t = s.tensors
    product = t["delta"][m, x + xs, y + ys] * t["o_prev"][n, xs, ys]
    return _equals_gradient(frame, sp.Sum(product, (xs, 0, H - 1), (ys, 0, W - 1)))


def _negative_offset(frame: Frame) -> Identity:
    """The displayed sum is the correlation of o with delta, read at (-x, -y)."""
    s = one_layer(frame)
    t = s.tensors
    around = (Axis(2 * NW - 1, 1 - NW),) * 2
    entry = sp.Sum(t["o_prev"][n, x + xs, y + ys] * t["delta"][m, xs, ys], *_pixels(s))
    whole = s.define(Tensor("r", (*t["w"].axes[:2], *around), "r"), (n, m, x, y), entry)
    printed = backpropagation.weight_gradient(frame).rhs
    read = sp.IndexedBase("r")[n, m, -x, -y]
    return Identity(printed, read, whole, ranges(s, "w", n, m, x, y), ONE_LAYER)


def _explicit_offset(frame: Frame) -> Identity:
    """dc/dw with the offset of the moved result written out."""
    first = expansion(frame)[0]
    read = first.setting.tensors["o_prev"][n, xs + NW - 1 - x, ys + NW - 1 - y]
    return Identity(first.left, read, first.setting, first.ranges, ONE_LAYER)


def _turned(columns: bool) -> Callable[[Frame], Identity]:
    """The correlation read at (N_w - 1 - x, ...): rot180 turns both axes, a vertical flip only one."""

    def obligation(frame: Frame) -> Identity:
        s = one_layer(frame)
        t = s.tensors
        column = NW - 1 - y if columns else y
        product = t["o_prev"][n, NW - 1 - x + xs, column + ys] * t["delta"][m, xs, ys]
        return _equals_gradient(frame, sp.Sum(product, *_pixels(s)))

    return obligation


def _not_turned(frame: Frame) -> Identity:
    """The correlation without rot180."""
    s = one_layer(frame)
    t = s.tensors
    product = t["o_prev"][n, x + xs, y + ys] * t["delta"][m, xs, ys]
    return _equals_gradient(frame, sp.Sum(product, *_pixels(s)))


def _every_tap_inside() -> Fact:
    """Every weight meets every pixel of the moved valid result, and no read leaves the image."""
    row, column = xs + NW - 1 - x, ys + NW - 1 - y
    inside = sp.And(row >= 0, row < H, column >= 0, column < W)
    given = (x >= 0, x < NW, y >= 0, y < NW, xs >= 0, xs <= H - NW, ys >= 0, ys <= W - NW)
    return Fact(inside, Domain({H: 1, W: 1, NW: 1}), (x, y, xs, ys), given)


def _text(tex: str) -> Source:
    return Source(WEIGHT_UPDATE, tex)


KERNEL = (r"0 \le x, y < N_w", r"0 \le n < M^{l-1}", r"0 \le m < M^l")
CORRELATION = r"\sum_{x', y'} o_n^{l-1}(%s, %s) \cdot \delta_m^l(x', y')"

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        "weight-update",
        "Weight update: the chain rule",
        DISPLAYS["weight-update"],
        "E depends on a weight through every complete input. The sum over the pixels of unit m alone loses nothing: "
        "the other units do not use this weight.",
        lines_of(weight_update, "chain rule, restricted to the unit and the pixels on which the weight acts"),
        vocabulary="layer",
        ranges=KERNEL,
        assumptions=("E is any differentiable function of c^l", "x', y' run over all pixels of c_m^l in the frame"),
    ),
    Statement(
        "weight-update-expansion",
        "Weight update: the derivative of c",
        DISPLAYS["weight-update-expansion"],
        "The definition is substituted, written out with an ellipsis, and differentiated: of all products only the one "
        "with this weight remains. The letter n is used twice: once for the weight's unit, once for the sum.",
        (
            Line("the definition of c substituted", lambda f: expansion(f)[0], at=(0,)),
            Line("the first product of the sum", _shown(_first), at=(1, 0)),
            Line("the product with the weight in question", _shown(_general), at=(1, 2)),
            Line("the bias, last of all", _shown(_bias), at=(1, 4)),
            Line("only the product with this weight depends on it", lambda f: expansion(f)[1], at=(2,)),
        ),
        vocabulary="layer",
        ranges=(*KERNEL, "(x', y') \\text{ a pixel of } c_m^l"),
        assumptions=("the bound n of the sum is another n than the weight's",),
    ),
    Statement(
        "weight-gradient",
        "Weight gradient",
        DISPLAYS["weight-gradient"],
        "Both results put together. It holds where pixels keep their numbers.",
        lines_of(weight_gradient, "the derivative of c put into the chain rule"),
        vocabulary="layer",
        ranges=KERNEL,
        assumptions=("x', y' run over all pixels of delta_m^l in the frame",),
        equation="weight-gradient",
        worked=Worked(),
    ),
    Statement(
        "weight-change",
        "Changing a weight to reduce the error",
        _text(r"w_{n,m}^l(x, y) + \frac{\partial E}{\partial w_{n,m}^l(x, y)}"),
        "The gradient is called the weight's update. Adding it makes E grow; a small step against it reduces E.",
        (
            Line(
                "with E at w + eta * gradient: its slope at eta = 0 should be minus the gradient squared",
                after_moving(+1),
                tex=r"\frac{\partial E(w + \eta g)}{\partial \eta} = - \sum_{n, m, x, y} g_{n,m}(x, y)^2",
                candidates=lambda frame: [
                    (
                        rf"w_{{n,m}}^l(x, y) {sign} \eta \frac{{\partial E}}{{\partial w_{{n,m}}^l(x, y)}}",
                        after_moving(step)(frame),
                    )
                    for sign, step in (("+", 1), ("-", -1))
                ],
            ),
        ),
        assumptions=("g is the weight gradient at the starting point",),
    ),
    Statement(
        "involved-pixels",
        "All pixels with which a weight is involved",
        _text(r"o_n^{l-1}(x' + N_w - 1 - x, y' + N_w - 1 - y)"),
        "In the valid result every weight meets exactly (H - N_w + 1)(W - N_w + 1) pixels, and none outside the image.",
        (
            Line(
                "no weight leaves the image at any pixel of the valid result",
                lambda _: _every_tap_inside(),
                tex=r"0 \le x'+N_w-1-x < H \wedge 0 \le y'+N_w-1-y < W",
            ),
        ),
        framed=False,
        ranges=(r"0 \le x, y < N_w", r"0 \le x' \le H-N_w", r"0 \le y' \le W-N_w"),
    ),
    Statement(
        "negative-offset",
        "A correlation with a negative offset",
        _text(r"\sum_{x', y'} o_n^{l-1}(x'-x, y'-y) \cdot \delta_m^l(x', y') = r_{n,m}(-x, -y)"),
        "The displayed sum is the correlation of o with delta at negative places. Seen the other way round it is a "
        "correlation without any offset: delta is the image and o the kernel.",
        (
            Line(
                "r is the correlation of o with delta",
                _negative_offset,
                tex=r"r_{n,m}(-x, -y), \quad r_{n,m}(x, y) = " + CORRELATION % ("x+x'", "y+y'"),
            ),
            Line(
                "the image delta correlated with the kernel o",
                _as_correlation,
                tex=r"\sum_{x', y'} \delta_m^l(x+x', y+y') \cdot o_n^{l-1}(x', y')",
                vocabulary="layer",
                stated=False,
            ),
        ),
        ranges=KERNEL,
    ),
    Statement(
        "explicit-offset",
        "The implicit offset made explicit",
        _text(r"o_n^{l-1}(x' + N_w - 1 - x, y' + N_w - 1 - y)"),
        "In the frame that is moved to the top left, pixel x' of c belongs to pixel x' + N_w - 1 of the image.",
        (
            Line(
                "the derivative of c in the moved frame",
                _explicit_offset,
                tex=r"\frac{\partial c_m^l(x', y')}{\partial w_{n,m}^l(x, y)} = o_n^{l-1}(x'+N_w-1-x, y'+N_w-1-y)",
                vocabulary="layer",
            ),
        ),
        ranges=KERNEL,
        claimed=("VALID_S",),
    ),
    Statement(
        "upside-down",
        "Upside down means turned by 180 degrees",
        _text(r"(N_w-1-x, N_w-1-y)"),
        "Both indices run backwards: a turn by 180 degrees. Turning only the rows (a vertical flip) is wrong.",
        (
            Line(
                "both axes reversed",
                _turned(columns=True),
                tex=CORRELATION % ("N_w-1-x+x'", "N_w-1-y+y'"),
                vocabulary="layer",
            ),
            Line(
                "read as a vertical flip",
                _turned(columns=False),
                tex=CORRELATION % ("N_w-1-x+x'", "y+y'"),
                vocabulary="layer",
                stated=False,
            ),
            Line("without turning", _not_turned, tex=CORRELATION % ("x+x'", "y+y'"), vocabulary="layer", stated=False),
        ),
        ranges=KERNEL,
        claimed=("VALID_S",),
    ),
    Statement(
        "weight-gradient-rot180",
        "Weight gradient, rot180 form",
        DISPLAYS["weight-gradient-rot180"],
        "The same gradient in the moved frame: correlate, then turn the result by 180 degrees. Both displays of this "
        "gradient are right, but never in the same frame unless the kernel has one pixel.",
        lines_of(weight_gradient_rot180, "the correlation, read at (N_w - 1 - x, N_w - 1 - y)"),
        vocabulary="layer",
        ranges=KERNEL,
        assumptions=("x', y' run over all pixels of delta_m^l in the frame",),
        equation="weight-gradient-rot180",
        claimed=("VALID_S",),
        worked=Worked(),
    ),
)
