"""Section "Backpropagation: Deltas": from the chain rule to the recursion, and what kind of correlation it is."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from backproof_spec.derivation.layers import SIZES, E, below, one_layer, ranges
from backproof_spec.derivation.statement import Line, Statement, Worked, chain, lines_of
from backproof_spec.displays import DELTAS, DISPLAYS
from backproof_spec.equations import backpropagation
from backproof_spec.equations.symbols import L0, L1, L2, NW, H, W, a, m, n, p, slope, x, xs, y, ys
from backproof_spec.model import Axis, Frame, Source
from backproof_spec.proof.language import Definition, Partial, Setting
from backproof_spec.proof.prove import Domain, Fact, Identity

u, v = sp.symbols("x'' y''", integer=True)
q = sp.Symbol("m'", integer=True)
K = sp.Symbol("N_w^l", integer=True)

#: The displays give upper limits alone; a sum that runs from 0 to N_w reads one row of weights too many, all of them 0.
PRINTED = ((xs, 0, NW), (ys, 0, NW))


def recursion(frame: Frame) -> Setting:
    """Layer l below layer l+1, with delta^l defined as dE/dc^l."""
    s = below(frame)
    return Setting(
        s.tensors,
        {**s.definitions, "delta": Definition((m, x, y), Partial(E, s.tensors["c"][m, x, y]))},
        s.error,
    )


def _delta(frame: Frame) -> tuple[Setting, sp.Expr]:
    s = recursion(frame)
    return s, s.tensors["delta"][m, x, y]


def _equals_delta(frame: Frame, right: sp.Expr) -> Identity:
    s, left = _delta(frame)
    return Identity(left, right, s, ranges(s, "delta", m, x, y), SIZES)


# --- the displays ---


def _restricted(s: Setting, *limits: tuple[sp.Symbol, sp.Expr, sp.Expr]) -> sp.Expr:
    """The chain rule over the pixels (x + x', y + y') of layer l+1."""
    t = s.tensors
    change = Partial(t["c_next"][p, x + xs, y + ys], t["c"][m, x, y])
    return sp.Sum(t["delta_next"][p, x + xs, y + ys] * change, (p, 0, L2 - 1), *limits)


def deltas_chain(frame: Frame) -> tuple[Identity, ...]:
    """delta as dE/dc, and the chain rule through the pixels of layer l+1 that this pixel reaches."""
    s = recursion(frame)
    return chain(_equals_delta(frame, Partial(E, s.tensors["c"][m, x, y])), _restricted(s, *PRINTED))


def _from_one(frame: Frame) -> Identity:
    """The limits read as 1 .. N_w."""
    s, _ = _delta(frame)
    return _equals_delta(frame, _restricted(s, (xs, 1, NW), (ys, 1, NW)))


def _own_kernel_size(frame: Frame) -> Identity:
    """The limits read as the kernel size of layer l, not l+1."""
    s, left = _delta(frame)
    right = _restricted(s, (xs, 0, K - 1), (ys, 0, K - 1))
    return Identity(left, right, s, ranges(s, "delta", m, x, y), Domain({**SIZES.lowest, K: 1}))


def _sum_of_outputs(s: Setting) -> sp.Expr:
    t = s.tensors
    product = t["o"][q, x + xs - u, y + ys - v] * t["w_next"][q, p, u, v]
    return sp.Sum(product, (q, 0, L1 - 1), (u, 0, NW), (v, 0, NW))


def _sum_of_activations(s: Setting) -> sp.Expr:
    t = s.tensors
    product = a(t["c"][q, x + xs - u, y + ys - v]) * t["w_next"][q, p, u, v]
    return sp.Sum(product, (q, 0, L1 - 1), (u, 0, NW), (v, 0, NW))


def _everywhere(s: Setting) -> tuple[dict[sp.Symbol, Axis], tuple[sp.Basic, ...]]:
    """Every pixel of c^l and every (x', y') for which c^{l+1} has a pixel (x + x', y + y')."""
    box = {**ranges(s, "c", m, x, y), p: Axis(L2), xs: Axis(NW), ys: Axis(NW)}
    axes = s.tensors["c_next"].axes[1:]
    pixels = zip((x + xs, y + ys), axes, strict=True)
    return box, tuple(r for i, axis in pixels for r in (i >= axis.lower, i <= axis.lower + axis.size - 1))


def expansion(frame: Frame) -> tuple[Identity, ...]:
    """dc^{l+1}/dc^l: the definition substituted twice, and the value; the ellipsis is judged term by term."""
    s = below(frame)
    t = s.tensors
    pixel = t["c"][m, x, y]
    box, given = _everywhere(s)
    first = Identity(
        Partial(t["c_next"][p, x + xs, y + ys], pixel), Partial(_sum_of_outputs(s), pixel), s, box, SIZES, given
    )
    value = t["w_next"][m, p, x + xs, y + ys] * slope(pixel)
    return chain(first, Partial(_sum_of_activations(s), pixel), value)


def _without_bias(frame: Frame) -> Identity:
    """The sum itself, before it is differentiated, as c^{l+1}."""
    first = expansion(frame)[0]
    s = first.setting
    return Identity(s.tensors["c_next"][p, x + xs, y + ys], _sum_of_outputs(s), s, first.ranges, SIZES, first.given)


def _shown(term: Callable[[Setting], sp.Expr], *escaped: sp.Symbol) -> Callable[[Frame], Identity]:
    """A term shown beside an ellipsis: it must be one of the sum's, for all values of indices that escape the sum."""

    def obligation(frame: Frame) -> Identity:
        first = expansion(frame)[0]
        s = first.setting
        box = {**first.ranges, **{symbol: Axis(NW) for symbol in escaped}}
        return Identity(term(s), _sum_of_activations(s), s, box, SIZES, first.given, among=True)

    return obligation


def _first(s: Setting) -> sp.Expr:
    return s.tensors["w_next"][0, p, 0, 0] * a(s.tensors["c"][0, xs, ys])


def _general(s: Setting) -> sp.Expr:
    return s.tensors["w_next"][m, p, u, v] * a(s.tensors["c"][m, x, y])


def deltas(frame: Frame) -> tuple[Identity, ...]:
    """The recursion."""
    return chain(_equals_delta(frame, backpropagation.deltas(frame).rhs))


# --- what kind of correlation it is ---

EXTENDED = sp.Symbol("P", integer=True)


def _size_of_correlation(padding: sp.Expr) -> Fact:
    """The valid correlation of delta^{l+1}, padded on both sides, with w, in the valid frames."""
    result = (H - NW + 1) + 2 * padding - NW + 1
    return Fact(sp.Eq(result, H, evaluate=False), Domain({H: 1, NW: 1}, (sp.Le(NW, H),)))


def _reads_inside(frame: Frame) -> Identity:
    """Whether delta^{l+1} is read only inside its box: with other pixels counted as absent nothing may change."""
    s = below(frame)
    t = s.tensors
    axes = t["delta_next"].axes[1:]
    edges = [(i, axis.lower, axis.lower + axis.size - 1) for i, axis in zip((u, v), axes, strict=True)]
    inside = sp.Sum(sp.KroneckerDelta(x + xs, u) * sp.KroneckerDelta(y + ys, v), *edges)
    counted = sp.Sum(inside * t["w_next"][m, p, xs, ys], (xs, 0, NW - 1), (ys, 0, NW - 1))
    every = sp.Sum(t["w_next"][m, p, xs, ys], (xs, 0, NW - 1), (ys, 0, NW - 1))
    return Identity(every, counted, s, {**ranges(s, "c", m, x, y), p: Axis(L2)}, SIZES)


def _limits_inside(first: int = 0, last: sp.Expr = NW) -> Fact:
    """Whether a sum from `first` to `last` reads the weights inside their box, and all of them."""
    summed = sp.And(xs >= first, xs <= last)
    return Fact(sp.Equivalent(summed, sp.And(xs >= 0, xs < NW), evaluate=False), Domain({NW: 1}), (xs,))


# --- "basically as usual" ---

ONE_PIXEL = tuple(sp.Eq(s, 1) for s in (H, W, NW))
WHOLE_IMAGE = (sp.Eq(H, NW), sp.Eq(W, NW))


def _dense_forward(frame: Frame) -> Identity:
    """A layer of 1 x 1 images is a dense layer."""
    s = one_layer(frame)
    t = s.tensors
    dense = sp.Sum(t["o_prev"][n, 0, 0] * t["w"][n, m, 0, 0], (n, 0, L0 - 1)) + t["b"][m]
    domain = Domain(dict.fromkeys((H, W, NW, L0, L1), 1), ONE_PIXEL)
    return Identity(t["c"][m, 0, 0], dense, s, {m: Axis(L1)}, domain)


def _dense_deltas(frame: Frame) -> Identity:
    """Its deltas are those of a multilayer perceptron."""
    s, _ = _delta(frame)
    t = s.tensors
    dense = sp.Sum(t["delta_next"][p, 0, 0] * t["w_next"][m, p, 0, 0], (p, 0, L2 - 1)) * slope(t["c"][m, 0, 0])
    return Identity(t["delta"][m, 0, 0], dense, s, {m: Axis(L1)}, Domain(SIZES.lowest, ONE_PIXEL))


def _dense_image(frame: Frame) -> Identity:
    """With a kernel as large as the image, the one valid pixel is a dense layer with the kernels turned."""
    s = one_layer(frame)
    t = s.tensors
    corner = NW - 1 - frame.shift(NW)
    weights = t["w"][n, m, NW - 1 - xs, NW - 1 - ys]
    dense = sp.Sum(t["o_prev"][n, xs, ys] * weights, (n, 0, L0 - 1), (xs, 0, NW - 1), (ys, 0, NW - 1)) + t["b"][m]
    domain = Domain(dict.fromkeys((H, W, NW, L0, L1), 1), WHOLE_IMAGE)
    return Identity(t["c"][m, corner, corner], dense, s, {m: Axis(L1)}, domain)


def _text(tex: str = "") -> Source:
    return Source(DELTAS, tex)


PIXELS = (r"(x, y) \text{ a pixel of } c_m^l", r"0 \le m < M^l")

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        "deltas-chain",
        "Deltas: the chain rule",
        DISPLAYS["deltas-chain"],
        "A pixel of layer l reaches layer l+1 only through the pixels that lie up to N_w - 1 further on, so that the "
        "chain rule may leave out the others. N_w is the kernel size of layer l+1; the letter o is a unit here.",
        (
            *lines_of(deltas_chain, "what delta abbreviates", "chain rule, restricted to the pixels in reach"),
            Line(
                "the limits read as 1 .. N_w",
                _from_one,
                tex=r"\sum_o \sum_{x'=1}^{N_w} \sum_{y'=1}^{N_w} \ldots",
                stated=False,
            ),
            Line(
                "the limits read with the kernel size of layer l",
                _own_kernel_size,
                tex=r"\sum_o \sum_{x'=0}^{N_w^l-1} \sum_{y'=0}^{N_w^l-1} \ldots",
                stated=False,
            ),
        ),
        vocabulary="below",
        ranges=PIXELS,
        assumptions=("E is any differentiable function of c^{l+1}, and depends on c^l only through it",),
    ),
    Statement(
        "deltas-limits",
        "The limits of the sums",
        _text(r"\sum_{x', y'}^{N_w, N_w}"),
        "Only upper limits are given. If the sums start at 0, as everywhere else, they end one too late: harmless on "
        "paper, where the weights outside the kernel are 0, and a read out of bounds in a program.",
        (
            Line(
                "the sum runs over the kernel's pixels",
                lambda _: _limits_inside(),
                tex=r"0 \le x' \le N_w \iff 0 \le x' < N_w",
                candidates=lambda _: [
                    (rf"\sum_{{x'={low}}}^{{{upper}}}", _limits_inside(low, last))
                    for low in (0, 1)
                    for upper, last in (("N_w", NW), ("N_w-1", NW - 1))
                ],
            ),
        ),
        framed=False,
    ),
    Statement(
        "deltas-expansion",
        "Deltas: the derivative of the next layer's input",
        DISPLAYS["deltas-expansion"],
        "Differentiating the next layer's complete input. The bias is left out, which does no harm to a derivative. Of "
        "the two terms that are shown beside the ellipsis neither is one of the sum's, and the result reads the weight "
        "at the wrong place, which the next display silently mends.",
        (
            Line("the definition of c of layer l+1 substituted", lambda f: expansion(f)[0], at=(0,)),
            Line(
                "the sum itself, as the complete input",
                _without_bias,
                tex=r"c_o^{l+1}(x+x', y+y') = \sum_{m', x'', y''} o_{m'}^l(x+x'-x'', y+y'-y'') \cdot "
                r"w_{m',o}^{l+1}(x'', y'')",
                vocabulary="below",
                stated=False,
            ),
            Line("the outputs are activations", lambda f: expansion(f)[1], at=(1,)),
            Line("the first product of the sum", _shown(_first), at=(2, 0)),
            Line("the product with the pixel in question", _shown(_general, u, v), at=(2, 2)),
            Line("only the product with this pixel depends on it", lambda f: expansion(f)[2], at=(3,)),
        ),
        vocabulary="below",
        ranges=(*PIXELS, r"0 \le x', y' < N_w", r"(x+x', y+y') \text{ a pixel of } c_o^{l+1}"),
    ),
    Statement(
        "deltas",
        "Deltas",
        DISPLAYS["deltas"],
        "The recursion, with the weight read where it belongs. It holds where pixels keep their numbers.",
        lines_of(deltas, "both results put together"),
        vocabulary="below",
        ranges=PIXELS,
        assumptions=("delta^{l+1} is 0 outside its image",),
        equation="deltas",
        worked=Worked(),
    ),
    Statement(
        "deltas-cross-correlation",
        "Which cross-correlation it is",
        _text(r"\text{Cross-Correlation}"),
        "Correlation was defined with its valid pixels only. That result would be too small: here the correlation has "
        "to be the full one, with N_w - 1 zeros around delta.",
        (
            Line(
                "the valid correlation of delta with w has the size of layer l",
                lambda _: _size_of_correlation(sp.S.Zero),
                tex=r"(H-N_w+1) - N_w + 1 = H",
                candidates=lambda _: [
                    (rf"(H-N_w+1) + 2({tex}) - N_w + 1 = H", _size_of_correlation(padding))
                    for tex, padding in (("1", sp.S.One), ("N_w", NW), ("N_w-1", NW - 1))
                ],
            ),
        ),
        framed=False,
    ),
    Statement(
        "deltas-bounds",
        "Reads outside of delta",
        _text(r"\delta_o^{l+1}(x+x', y+y')"),
        "In the frames that keep only valid pixels, the recursion reads delta beyond its edge: a program pads it.",
        (
            Line(
                "all of w meets pixels of delta that exist",
                _reads_inside,
                tex=r"\sum_{x', y'} [(x+x', y+y') \in \delta_o^{l+1}] \cdot w_{m,o}^{l+1}(x', y') = "
                r"\sum_{x', y'} w_{m,o}^{l+1}(x', y')",
                stated=False,
            ),
        ),
        ranges=PIXELS,
    ),
    Statement(
        "as-usual",
        "Basically backpropagation as usual",
        _text(r"H = W = N_w = 1"),
        "A fully connected layer is the special case of images with one pixel; or of a kernel as large as the image, "
        "turned by 180 degrees.",
        (
            Line(
                "images of one pixel, forward",
                _dense_forward,
                tex=r"c_m^l = \sum_n o_n^{l-1} \cdot w_{n,m}^l + b_m^l",
            ),
            Line(
                "images of one pixel, deltas",
                _dense_deltas,
                tex=r"\delta_m^l = \sum_o \delta_o^{l+1} \cdot w_{m,o}^{l+1} \cdot a'(c_m^l)",
            ),
            Line(
                "a kernel as large as the image, at the pixel where they coincide",
                _dense_image,
                tex=r"c_m^l = \sum_{n, x', y'} o_n^{l-1}(x', y') \cdot w_{n,m}^l(N_w-1-x', N_w-1-y') + b_m^l",
                stated=False,
            ),
        ),
    ),
)
