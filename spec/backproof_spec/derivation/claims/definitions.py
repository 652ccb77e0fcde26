"""Section "Convolution & (Cross-) Correlation": the two definitions, and what is said about pixels at the edge."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from backproof_spec.derivation.layers import definitions, ranges
from backproof_spec.derivation.statement import Line, Statement, Worked, chain, lines_of
from backproof_spec.displays import CONVOLUTION_AND_CORRELATION as SECTION
from backproof_spec.displays import DISPLAYS
from backproof_spec.equations.symbols import NW, H, W, over_taps, x, xs, y, ys
from backproof_spec.model import Axis, Frame, Source, Tensor
from backproof_spec.proof.language import Setting
from backproof_spec.proof.prove import Domain, Fact, Identity
from backproof_spec.proof.quantifier import Exists

IMAGE = Domain({H: 1, W: 1, NW: 1})
FITTING = Domain({H: 1, W: 1, NW: 1}, (sp.Le(NW, H), sp.Le(NW, W)))
TAPS = ((xs, 0, NW - 1), (ys, 0, NW - 1))


def _outside(row: sp.Expr, column: sp.Expr) -> sp.Basic:
    return sp.Or(row < 0, row >= H, column < 0, column >= W)


def _undefined(sign: int) -> sp.Basic:
    """Whether some tap of pixel (x, y) reads outside the image."""
    return Exists(_outside(x + sign * xs, y + sign * ys), *TAPS)


def _inside() -> tuple[sp.Basic, ...]:
    return (x >= 0, x < H, y >= 0, y < W)


def _about_pixels(region: sp.Basic, sign: int = -1) -> Fact:
    return Fact(sp.Equivalent(_undefined(sign), region, evaluate=False), FITTING, (x, y), _inside())


def _regions(_: Frame) -> Iterator[tuple[str, Fact]]:
    """Blocks and bands, with the last row and column or without."""
    for edge in (NW - 1, NW - 2):
        for join, sign in ((sp.And, r"\wedge"), (sp.Or, r"\vee")):
            tex = rf"x \le {sp.latex(edge)} {sign} y \le {sp.latex(edge)}".replace("N_{w}", "N_k")
            yield tex, _about_pixels(join(x <= edge, y <= edge))


# --- the displays ---


def convolution(frame: Frame) -> tuple[Identity, ...]:
    """v(x, y), which the frame defines, against the display."""
    s = definitions(frame)
    t = s.tensors
    printed = over_taps(t["i"][x - xs, y - ys] * t["k"][xs, ys])
    return chain(Identity(t["v"][x, y], printed, s, ranges(s, "v", x, y), IMAGE))


def cross_correlation(frame: Frame) -> tuple[Identity, ...]:
    """l(x, y); its first valid pixel is (0, 0) in every frame."""
    s = definitions(frame)
    t = s.tensors
    printed = over_taps(t["i"][x + xs, y + ys] * t["k"][xs, ys])
    return chain(Identity(t["l"][x, y], printed, s, ranges(s, "l", x, y), IMAGE))


def _flipped(frame: Frame) -> Identity:
    """The valid convolution, moved to the top left, is the correlation with the kernel rotated by 180 degrees."""
    s = definitions(frame)
    t = s.tensors
    rotated = over_taps(t["i"][x + xs, y + ys] * t["k"][NW - 1 - xs, NW - 1 - ys])
    return Identity(t["v"][x, y], rotated, s, ranges(s, "v", x, y), IMAGE)


def _commuted(frame: Frame) -> Identity:
    """Convolution does not know which of its two operands is the kernel."""
    s = definitions(frame)
    t = s.tensors
    swapped = sp.Sum(t["i"][xs, ys] * t["k"][x - xs, y - ys], (xs, 0, H - 1), (ys, 0, W - 1))
    return Identity(t["v"][x, y], swapped, s, ranges(s, "v", x, y), IMAGE)


def _moved(frame: Frame) -> Identity:
    """The frame's pixel (x, y) is the unshifted pixel (x + N_k - 1, y + N_k - 1)."""
    s = definitions(frame)
    t = s.tensors
    unshifted = over_taps(t["i"][x + NW - 1 - xs, y + NW - 1 - ys] * t["k"][xs, ys])
    return Identity(t["v"][x, y], unshifted, s, ranges(s, "v", x, y), IMAGE)


# --- padding ---


def _padded(rows: sp.Expr, columns: sp.Expr, entry: sp.Expr) -> Setting:
    """The image i inside a larger one, p, and the kernel k."""
    i, k = Tensor("i", (Axis(H), Axis(W))), Tensor("k", (Axis(NW), Axis(NW)))
    p = Tensor("p", (Axis(rows), Axis(columns)), "p")
    return Setting({"i": i, "k": k}).define(p, (x, y), entry)


_i = sp.IndexedBase("i")
_p, _k = sp.IndexedBase("p"), sp.IndexedBase("k")
EDGE = NW - 1
PAD = sp.Symbol("p", integer=True)
SAME = {x: Axis(H), y: Axis(W)}


def _pad_left_zero(frame: Frame) -> Identity:
    """Pad N_k - 1 zeros at the left and the top, convolve, keep the valid pixels: the zero-extended convolution."""
    s = _padded(H + EDGE, W + EDGE, _i[x - EDGE, y - EDGE])
    valid = over_taps(_p[x + EDGE - xs, y + EDGE - ys] * _k[xs, ys])
    return Identity(valid, over_taps(_i[x - xs, y - ys] * _k[xs, ys]), s, SAME, IMAGE)


def _pad_left_wrap(frame: Frame) -> Identity:
    """The same with the image wrapped around: the circular convolution."""
    s = _padded(H + EDGE, W + EDGE, _i[sp.Mod(x - EDGE, H), sp.Mod(y - EDGE, W)])
    valid = over_taps(_p[x + EDGE - xs, y + EDGE - ys] * _k[xs, ys])
    return Identity(valid, over_taps(_i[sp.Mod(x - xs, H), sp.Mod(y - ys, W)] * _k[xs, ys]), s, SAME, IMAGE)


def _pad_for_correlation(before: sp.Expr) -> Identity:
    """Pad `before` zeros at the left and the top and the rest of N_k - 1 at the other sides; correlate."""
    s = _padded(H + EDGE, W + EDGE, _i[x - before, y - before])
    valid = over_taps(_p[x + xs, y + ys] * _k[xs, ys])
    return Identity(valid, over_taps(_i[x + xs, y + ys] * _k[xs, ys]), s, SAME, IMAGE)


def _sides(_: Frame) -> Iterator[tuple[str, Identity]]:
    """All at the left and the top, all at the other sides, or one pixel of it there."""
    for before, index in ((NW - 1, "x - (N_k-1), y - (N_k-1)"), (sp.S.One, "x - 1, y - 1"), (sp.S.Zero, "x, y")):
        yield f"p(x, y) = i({index})", _pad_for_correlation(before)


NOT_SAID = "What the post leaves out"


def _text(tex: str = "") -> Source:
    return Source(SECTION, tex)


STATEMENTS: tuple[Statement, ...] = (
    Statement(
        "convolution",
        "Convolution",
        DISPLAYS["convolution"],
        "Every tap of the kernel meets the pixel that lies as far to the left and above. Which pixels of v exist, and "
        "how they are numbered, is what a frame says; the display fits the frames that leave the numbers alone.",
        lines_of(convolution, "the definition, with the pixels numbered by the frame"),
        vocabulary="definitions",
        equation="convolution",
        claimed=("FULL", "VALID_U"),
        worked=Worked(),
    ),
    Statement(
        "undefined-pixels",
        "Pixels for which the kernel leaves the image",
        _text(r"(x, y) \in \{(0, 0) \ldots (N_k-1, N_k-1)\}"),
        "The formula reads outside the image for pixels near two edges. The set given has one row and column too many, "
        "and the true set is no square: it is a band along the whole left and the whole upper edge.",
        (
            Line(
                "some tap leaves the image exactly for these pixels",
                lambda _: _about_pixels(sp.And(x <= NW - 1, y <= NW - 1)),
                tex=r"x \le N_k-1 \wedge y \le N_k-1",
                candidates=_regions,
            ),
        ),
        framed=False,
        ranges=(r"0 \le x < H", r"0 \le y < W"),
        assumptions=("1 <= N_k <= H, W",),
    ),
    Statement(
        "result-size",
        "The valid result is N_k - 1 smaller",
        _text(r"H - (N_k - 1)"),
        "The pixels for which no tap leaves the image are N_k - 1 fewer in each direction.",
        (
            Line(
                "the valid rows are those from N_k - 1 to H - 1, and there are H - (N_k - 1) of them",
                lambda _: Fact(
                    sp.And(
                        sp.Equivalent(sp.Not(_undefined(-1)), sp.And(x >= EDGE, y >= EDGE), evaluate=False),
                        sp.Eq((H - 1) - EDGE + 1, H - (NW - 1), evaluate=False),
                        evaluate=False,
                    ),
                    FITTING,
                    (x, y),
                    _inside(),
                ),
                tex=r"\#\{x\} = H - (N_k - 1)",
            ),
            Line(
                "the image loses (N_k - 1)(H + W - N_k + 1) pixels in all",
                lambda _: Fact(sp.Eq(H * W - (H - EDGE) * (W - EDGE), EDGE * (H + W - EDGE), evaluate=False), FITTING),
                tex=r"H W - (H-N_k+1)(W-N_k+1) = (N_k-1)(H+W-N_k+1)",
            ),
        ),
        framed=False,
        assumptions=("1 <= N_k <= H, W",),
    ),
    Statement(
        "result-start",
        "The first valid pixel",
        _text(r"(N_k-1, N_k-1)"),
        "This contradicts the set of undefined pixels above, which contains the same pixel; this one is right.",
        (
            Line(
                "(N_k - 1, N_k - 1) is valid, and no valid pixel comes before it",
                lambda _: Fact(
                    sp.And(
                        sp.Not(_undefined(-1).xreplace({x: EDGE, y: EDGE})),
                        sp.Implies(sp.Not(_undefined(-1)), sp.And(x >= EDGE, y >= EDGE), evaluate=False),
                        evaluate=False,
                    ),
                    FITTING,
                    (x, y),
                    _inside(),
                ),
                tex=r"\min \{(x, y) \text{ valid}\} = (N_k-1, N_k-1)",
            ),
        ),
        framed=False,
        assumptions=("1 <= N_k <= H, W",),
    ),
    Statement(
        "top-left-shift",
        "Moving the result to the top left",
        _text(r"v(x, y) = \sum_{x', y'} i(x + N_k-1 - x', y + N_k-1 - y') k(x', y')"),
        "Leaving out the undefined pixels renumbers the others. This is a choice of frame, not a property of "
        "convolution: later displays hold in the frame that is moved, or in those that are not, and none in all three.",
        (
            Line(
                "pixel (x, y) of the moved result is pixel (x + N_k - 1, y + N_k - 1) of the unmoved one",
                _moved,
                tex=r"v(x, y) = \sum_{x', y'} i(x + N_k-1 - x', y + N_k-1 - y') \cdot k(x', y')",
                vocabulary="definitions",
                stated=False,
            ),
        ),
    ),
    Statement(
        "padding-amount",
        "Padding that keeps the size",
        _text(r"H + p - (N_k - 1) = H"),
        "How much to pad is left unsaid. There is one answer.",
        (
            Line(
                "the size is kept exactly when p = N_k - 1",
                lambda _: Fact(
                    sp.Equivalent(sp.Eq(H + PAD - (NW - 1), H, evaluate=False), sp.Eq(PAD, NW - 1), evaluate=False),
                    Domain({H: 1, NW: 1}),
                    (PAD,),
                    (PAD >= 0,),
                ),
                tex=r"H + p - (N_k-1) = H \iff p = N_k-1",
            ),
        ),
        framed=False,
    ),
    Statement(
        "zero-padding",
        "Padding with zeros",
        _text(r"p(x, y) = i(x - (N_k-1), y - (N_k-1))"),
        "With N_k - 1 zeros at the left and the top, the valid part of the result is the convolution in which every "
        "pixel outside the image counts as 0. This zero extension is what every tensor of this edition has.",
        (
            Line(
                "pad, convolve, keep the valid pixels",
                _pad_left_zero,
                tex=r"\sum_{x', y'} p(x+N_k-1-x', y+N_k-1-y') k(x', y') = \sum_{x', y'} i(x-x', y-y') k(x', y')",
                vocabulary="definitions",
            ),
        ),
        framed=False,
        worked=Worked(shows="v(x, y)"),
    ),
    Statement(
        "wrap-padding",
        "Wrapping the image around",
        _text(r"p(x, y) = i((x - (N_k-1)) \bmod H, (y - (N_k-1)) \bmod W)"),
        "The valid part is then the circular convolution, for kernels of any size, larger than the image included.",
        (
            Line(
                "pad, convolve, keep the valid pixels",
                _pad_left_wrap,
                tex=r"\sum_{x', y'} p(x+N_k-1-x', y+N_k-1-y') k(x', y') = "
                r"\sum_{x', y'} i((x-x') \bmod H, (y-y') \bmod W) k(x', y')",
            ),
        ),
        framed=False,
        worked=Worked(shows="v(x, y)"),
    ),
    Statement(
        "cross-correlation",
        "Cross-correlation",
        DISPLAYS["cross-correlation"],
        "The kernel is laid on the image as it stands. Its first valid pixel is (0, 0), so that no frame moves it.",
        lines_of(cross_correlation, "the definition"),
        vocabulary="definitions",
        equation="cross-correlation",
        worked=Worked(),
    ),
    Statement(
        "correlation-undefined-pixels",
        "Correlation: undefined pixels at the bottom right",
        _text(r"\{x > H-N_k\} \cup \{y > W-N_k\}"),
        "Again these are two bands along the lower and the right edge, not a block in the corner.",
        (
            Line(
                "some tap leaves the image exactly in the two bands",
                lambda _: _about_pixels(sp.Or(x > H - NW, y > W - NW), sign=+1),
                tex=r"x > H-N_k \vee y > W-N_k",
            ),
            Line(
                "read as a block in the corner",
                lambda _: _about_pixels(sp.And(x > H - NW, y > W - NW), sign=+1),
                tex=r"x > H-N_k \wedge y > W-N_k",
                stated=False,
            ),
        ),
        framed=False,
        ranges=(r"0 \le x < H", r"0 \le y < W"),
        assumptions=("1 <= N_k <= H, W",),
    ),
    Statement(
        "correlation-padding",
        "Padding for correlation",
        _text(r"p(x, y) = i(x - (N_k-1), y - (N_k-1))"),
        "The same padding is said to do. The amount is the same, the sides are not: what convolution needs at the left "
        "and the top, correlation needs at the right and the bottom.",
        (
            Line(
                "pad the same sides as for convolution, correlate, keep the valid pixels",
                lambda _: _pad_for_correlation(NW - 1),
                tex=r"p(x, y) = i(x - (N_k-1), y - (N_k-1))",
                candidates=_sides,
            ),
        ),
        framed=False,
    ),
)

TURNED = r"\sum_{x'=0}^{N_k-1} \sum_{y'=0}^{N_k-1} i(x+x', y+y') k(N_k-1-x', N_k-1-y')"

LEFT_OUT: tuple[Statement, ...] = (
    Statement(
        "correlation-and-convolution",
        "Correlation is convolution with the kernel turned by 180 degrees",
        Source(NOT_SAID, rf"v(x, y) = {TURNED}"),
        "Why frameworks may call a cross-correlation a convolution: learned kernels do not mind being turned. It holds "
        "in the frame that moves the result to the top left, as frameworks do.",
        (Line("read the kernel from its end", _flipped, tex=TURNED, vocabulary="definitions"),),
        in_post=False,
        claimed=("VALID_S",),
    ),
    Statement(
        "convolution-commutes",
        "Image and kernel may change places",
        Source(NOT_SAID, r"v(x, y) = \sum_{x', y'} i(x', y') k(x-x', y-y')"),
        "A convolution does not know which of its operands is the kernel; a correlation does.",
        (
            Line(
                "sum over the image instead of the kernel",
                _commuted,
                tex=r"\sum_{x', y'} i(x', y') k(x-x', y-y')",
                vocabulary="definitions",
            ),
        ),
        in_post=False,
        claimed=("FULL", "VALID_U"),
    ),
)
