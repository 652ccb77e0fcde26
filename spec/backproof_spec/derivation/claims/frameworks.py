"""What frameworks compute: cross-correlation in NCHW and OIHW with stride, dilation, padding, groups, batch."""

from __future__ import annotations

from functools import cache

import sympy as sp

from backproof_spec.derivation.layers import ONE_LAYER, E, ranges
from backproof_spec.derivation.statement import Line, Statement, Worked
from backproof_spec.equations import general
from backproof_spec.equations.general import (
    CG,
    DH,
    DW,
    FLIP,
    FORWARD,
    KH,
    KW,
    OG,
    OH,
    OW,
    PB,
    PL,
    PR,
    PT,
    SH,
    SW,
    WRAP,
    G,
    H,
    N,
    W,
    b,
    c,
    i,
    j,
    n,
    o,
    u,
    v,
    w,
    x,
    y,
)
from backproof_spec.equations.symbols import L0, L1, NW, a, m, over_taps, slope, tensors, xs, ys
from backproof_spec.equations.symbols import x as row
from backproof_spec.equations.symbols import y as column
from backproof_spec.model import VALID_S, Axis, Frame, Source, Tensor, instance
from backproof_spec.proof.language import Partial, Setting
from backproof_spec.proof.prove import Domain, Fact, Identity

SECTION = "As the frameworks compute it"
SIZES = dict.fromkeys((N, G, CG, OG, H, W, KH, KW, SH, SW, DH, DW), 1)
GENERAL = Domain({**SIZES, **dict.fromkeys((PT, PB, PL, PR), 0)})
CORRELATION = {FLIP: 0, WRAP: 0}
STRIDE_ONE = {SH: 1, SW: 1}

g, r, h, k = sp.symbols("g r h k", integer=True)
DY = sp.IndexedBase("dy")


def _without(domain: Domain, fixed: dict[sp.Symbol, int]) -> Domain:
    return Domain({s: low for s, low in domain.lowest.items() if s not in fixed}, domain.assumptions)


@cache
def layer(*fixed: tuple[sp.Symbol, int]) -> Setting:
    """y = general-forward with some parameters fixed; E is an arbitrary function of y, and dy = dE/dy."""
    values = dict(fixed)
    result, *inputs = (
        Tensor(t.name, tuple(Axis(instance(axis.size, values)) for axis in t.axes)) for t in (y, x, w, b)
    )
    dy, error = Tensor("dy", result.axes), Tensor("E", (Axis(sp.S.One),))
    base = Setting({t.name: t for t in (*inputs, dy, error)}, {}, ("E", "y", "dy"))
    return base.define(result, (n, o, i, j), instance(FORWARD.rhs, values))


def _setting(fixed: dict[sp.Symbol, int]) -> Setting:
    return layer(*sorted(fixed.items(), key=str))


def _claim(by: sp.Indexed, right: sp.Expr, box: dict[sp.Symbol, Axis], fixed: dict[sp.Symbol, int]) -> Identity:
    return Identity(Partial(E, by), right, _setting(fixed), box, _without(GENERAL, fixed))


def _pixels(fixed: dict[sp.Symbol, int]) -> tuple[tuple[sp.Symbol, sp.Expr, sp.Expr], ...]:
    return ((i, 0, instance(OH, fixed) - 1), (j, 0, instance(OW, fixed) - 1))


# --- sizes ---


def _last_window() -> Fact:
    """The last window ends inside the padded image, one more would not."""
    end = SH * (OH - 1) + DH * (KH - 1)
    return Fact(sp.And(end <= H + PT + PB - 1, end + SH > H + PT + PB - 1), Domain({**_one_axis()}))


def _one_axis() -> dict[sp.Symbol, int]:
    return {H: 1, KH: 1, SH: 1, DH: 1, PT: 0, PB: 0}


def _sizes_of_one_result() -> Fact:
    """Which input sizes give `r` rows: stride many; a transposed convolution has to be told which."""
    first = SH * (r - 1) + DH * (KH - 1) + 1 - PT - PB
    same = sp.Equivalent(sp.Eq(OH, r, evaluate=False), sp.And(first <= H, first + SH - 1 >= H), evaluate=False)
    return Fact(same, Domain(_one_axis()), (r,))


# --- the post's convolution is an instance ---


def _instance(frame: Frame) -> Identity:
    """The complete input of the post, in each frame, by the general equation."""
    t = tensors(frame)
    s, shift = Setting(t), frame.shift(NW)
    start = {"FULL": NW - 1, "VALID_U": 0, "VALID_S": 0}[frame.name]
    lower = t["c"].axes[1].lower
    values = {FLIP: 1, WRAP: 0, SH: 1, SW: 1, DH: 1, DW: 1, G: 1, KH: NW, KW: NW, PT: start, PL: start}
    sizes = {CG: L0, OG: L1, o: m, i: row - lower, j: column - lower}
    tap = {"x": lambda e: t["o_prev"][e.indices[1:]], "w": lambda e: t["w"][(e.indices[1], m, *e.indices[2:])]}
    rhs = instance(FORWARD.rhs, values).subs(sizes, simultaneous=True)
    rhs = rhs.replace(lambda e: isinstance(e, sp.Indexed) and str(e.base) == "b", lambda e: t["b"][m])
    for name, read in tap.items():
        rhs = rhs.replace(lambda e, name=name: isinstance(e, sp.Indexed) and str(e.base) == name, read)
    product = t["o_prev"][n, row + shift - xs, column + shift - ys]
    left = over_taps(product * t["w"][n, m, xs, ys], (n, 0, L0 - 1))
    return Identity(left + t["b"][m], rhs, s, ranges(s, "c", m, row, column), ONE_LAYER)


# --- gradients ---


def _weight_gradient(fixed: dict[sp.Symbol, int]) -> Identity:
    read = general.x[n, sp.floor(o / OG) * CG + c, i * SH + u * DH - PT, j * SW + v * DW - PL]
    right = sp.Sum(DY[n, o, i, j] * read, (n, 0, N - 1), *_pixels(fixed))
    return _claim(w[o, c, u, v], right, dict(zip((o, c, u, v), w.axes, strict=True)), fixed)


def _bias_gradient(fixed: dict[sp.Symbol, int]) -> Identity:
    right = sp.Sum(DY[n, o, i, j], (n, 0, N - 1), *_pixels(fixed))
    return _claim(b[o], right, {o: Axis(G * OG)}, fixed)


BLOCK = {n: Axis(N), g: Axis(G), c: Axis(CG), h: Axis(H), k: Axis(W)}
TAPS = ((r, 0, OG - 1), (u, 0, KH - 1), (v, 0, KW - 1))


def _input_gradient_stride_one() -> Identity:
    fixed = {**CORRELATION, **STRIDE_ONE}
    right = sp.Sum(DY[n, g * OG + r, h + PT - u * DH, k + PL - v * DW] * w[g * OG + r, c, u, v], *TAPS)
    return _claim(general.x[n, g * CG + c, h, k], right, BLOCK, fixed)


def _input_gradient() -> Identity:
    """With a stride: between the errors, stride - 1 zeros."""
    s = _setting(CORRELATION)
    rows, columns = (SH * (OH - 1) + 1, SW * (OW - 1) + 1)
    spread = Tensor("z", (Axis(N), Axis(G * OG), Axis(rows), Axis(columns)), "z")
    at = sp.KroneckerDelta(h, i * SH) * sp.KroneckerDelta(k, j * SW)
    s = s.define(spread, (n, o, h, k), sp.Sum(DY[n, o, i, j] * at, *_pixels(CORRELATION)))
    right = sp.Sum(spread[n, g * OG + r, h + PT - u * DH, k + PL - v * DW] * w[g * OG + r, c, u, v], *TAPS)
    return Identity(Partial(E, general.x[n, g * CG + c, h, k]), right, s, BLOCK, GENERAL)


def _circular_gradient() -> Identity:
    """Circular padding: every place at which the pixel was read, H apart."""
    fixed = {FLIP: 0, WRAP: 1}
    s = _setting(fixed)
    meets = sp.KroneckerDelta(h, sp.Mod(i * SH + u * DH - PT, H)) * sp.KroneckerDelta(
        k, sp.Mod(j * SW + v * DW - PL, W)
    )
    product = DY[n, g * OG + r, i, j] * w[g * OG + r, c, u, v] * meets
    right = sp.Sum(product, *_pixels(fixed), *TAPS)
    return Identity(Partial(E, general.x[n, g * CG + c, h, k]), right, s, BLOCK, _without(GENERAL, fixed))


# --- the transposed convolution ---


def _adjoint() -> Identity:
    """<dy, conv(x)> = <transposed(dy), x>, without bias, for one group and stride s."""
    fixed = {**CORRELATION, G: 1}
    s = _setting(fixed)
    forward = instance(FORWARD.rhs, fixed) - b[o]
    units = ((n, 0, N - 1), (o, 0, OG - 1))
    left = sp.Sum(DY[n, o, i, j] * forward, *units, *_pixels(fixed))
    meets = sp.KroneckerDelta(h, i * SH + u * DH - PT) * sp.KroneckerDelta(k, j * SW + v * DW - PL)
    taps = ((c, 0, CG - 1), (u, 0, KH - 1), (v, 0, KW - 1), (h, 0, H - 1), (k, 0, W - 1))
    product = general.x[n, c, h, k] * DY[n, o, i, j] * w[o, c, u, v] * meets
    right = sp.Sum(product, *units, *_pixels(fixed), *taps)
    return Identity(left, right, s, {}, _without(GENERAL, fixed))


# --- the post's formulas in the correlation convention, in its letters ---


@cache
def correlating() -> Setting:
    """Layer l as a framework computes it: c is the valid cross-correlation of o = a(c^{l-1}) with w, plus the bias."""
    t = tensors(VALID_S)
    below = Tensor("c_prev", t["o_prev"].axes, "c^{l-1}")
    product = a(below[n, row + xs, column + ys]) * t["w"][n, m, xs, ys]
    complete = over_taps(product, (n, 0, L0 - 1)) + t["b"][m]
    base = Setting(
        {"w": t["w"], "b": t["b"], "c_prev": below, "delta": t["delta"], "E": t["E"]}, {}, ("E", "c", "delta")
    )
    return base.define(t["c"], (m, row, column), complete)


def _correlating_weights() -> Identity:
    s = correlating()
    t = s.tensors
    product = a(t["c_prev"][n, row + xs, column + ys]) * t["delta"][m, xs, ys]
    right = sp.Sum(product, (xs, 0, H - NW), (ys, 0, W - NW))
    return Identity(Partial(E, t["w"][n, m, row, column]), right, s, ranges(s, "w", n, m, row, column), ONE_LAYER)


def _correlating_deltas() -> Identity:
    s = correlating()
    t = s.tensors
    above = over_taps(t["delta"][m, row - xs, column - ys] * t["w"][n, m, xs, ys], (m, 0, L1 - 1))
    pixel = t["c_prev"][n, row, column]
    box = ranges(s, "c_prev", n, row, column)
    return Identity(Partial(E, pixel), above * slope(pixel), s, box, ONE_LAYER)


def _text(tex: str) -> Source:
    return Source(SECTION, tex)


ROWS = ("rows and columns alike", "x and dy are 0 outside their images")

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        "output-size",
        "Output size",
        _text(r"H' = \lfloor (H + p_t + p_b - d (k-1) - 1) / s \rfloor + 1"),
        "The largest number of windows, s apart, that fit into the padded image.",
        (
            Line(
                "the last window ends inside the image, one more would not",
                lambda _: _last_window(),
                tex=r"s(H'-1) + d(k-1) \le H+p_t+p_b-1 < s H' + d(k-1)",
            ),
            Line(
                "s sizes of the input give the same result; a transposed convolution has to be told which",
                lambda _: _sizes_of_one_result(),
                tex=r"H' = r \iff s(r-1) + d(k-1) + 1 \le H + p_t + p_b \le s r + d(k-1)",
            ),
        ),
        framed=False,
        in_post=False,
    ),
    Statement(
        "general-forward",
        "Forward",
        FORWARD.source,
        "One formula for stride, dilation, padding, groups, batches and both orientations. All numbers with which "
        "implementations are compared are generated from it; the post's complete input is an instance.",
        (
            Line(
                "the post's complete input: turned kernel, one group; padded by N_w - 1 for the full result",
                _instance,
                tex=r"c_m^l(x, y) = \sum_{n, x', y'} o_n^{l-1}(x-x', y-y') \cdot w_{n,m}^l(x', y') + b_m^l",
            ),
        ),
        equation="general-forward",
        in_post=False,
    ),
    Statement(
        "general-weight-gradient",
        "Weight gradient",
        _text(
            r"\frac{\partial E}{\partial w_{o,c}(u, v)} = \sum_{n, i, j} dy_{n,o}(i, j) \cdot"
            r" x_{n,q}(i s + u d - p, j s + v d - p)"
        ),
        "Stride and dilation change places: the weight gradient is a correlation with dilation s and stride d.",
        (
            Line(
                "cross-correlation, zero padding",
                lambda _: _weight_gradient(CORRELATION),
                tex=r"\sum_{n, i, j} dy_{n,o}(i, j) \cdot x_{n,q}(i s + u d - p, j s + v d - p)",
            ),
        ),
        framed=False,
        assumptions=(*ROWS, "q = floor(o / O_g) C_g + c: the input channel of the group"),
        in_post=False,
        worked=Worked(sizes={"H": 4, "W": 4, "kh": 2, "kw": 2, "sh": 2, "sw": 2}),
    ),
    Statement(
        "general-bias-gradient",
        "Bias gradient",
        _text(r"\frac{\partial E}{\partial b_o} = \sum_{n, i, j} dy_{n,o}(i, j)"),
        "Summed over the batch and all pixels; divided by nothing.",
        (
            Line(
                "whatever the geometry",
                lambda _: _bias_gradient(CORRELATION),
                tex=r"\sum_{n, i, j} dy_{n,o}(i, j)",
            ),
        ),
        framed=False,
        in_post=False,
    ),
    Statement(
        "general-input-gradient",
        "Input gradient",
        _text(
            r"\frac{\partial E}{\partial x_{n,q}(h, k)} = \sum_{o, u, v} z_{n,o}(h + p - u d, k + p - v d) \cdot"
            r" w_{o,c}(u, v)"
        ),
        "Between the errors stand s - 1 zeros; then it is a convolution (a cross-correlation forwards becomes a "
        "convolution backwards) over the output channels of the group. Pixels that no window reaches get 0.",
        (
            Line(
                "stride 1",
                lambda _: _input_gradient_stride_one(),
                tex=r"\sum_{o, u, v} dy_{n,o}(h + p - u d, k + p - v d) \cdot w_{o,c}(u, v)",
            ),
            Line(
                "any stride: z(i s, j s) = dy(i, j), and 0 elsewhere",
                lambda _: _input_gradient(),
                tex=r"\sum_{o, u, v} z_{n,o}(h + p - u d, k + p - v d) \cdot w_{o,c}(u, v)",
            ),
            Line(
                "circular padding: every place where the pixel was read",
                lambda _: _circular_gradient(),
                tex=r"\sum_{o, u, v, i, j} dy_{n,o}(i, j) \cdot w_{o,c}(u, v) \cdot [h = (i s + u d - p) \bmod H]",
            ),
        ),
        framed=False,
        assumptions=(*ROWS, "q = g C_g + c, and o runs over the output channels of group g"),
        in_post=False,
        worked=Worked(1, sizes={"H": 4, "W": 4, "kh": 2, "kw": 2, "sh": 2, "sw": 2}),
    ),
    Statement(
        "transposed-convolution",
        "The transposed convolution is the adjoint",
        _text(r"\langle dy, x * w \rangle = \langle dy *^T w, x \rangle"),
        "What frameworks call a transposed convolution is the input gradient used forwards: the adjoint of the "
        "convolution as a linear map of the image.",
        (
            Line(
                "for every image and every error, with stride, dilation and padding",
                lambda _: _adjoint(),
                tex=r"\sum_{n, o, i, j} dy_{n,o}(i, j) \cdot y_{n,o}(i, j) = \sum_{n, c, h, k} x_{n,c}(h, k) \cdot"
                r" (dy *^T w)_{n,c}(h, k)",
            ),
        ),
        framed=False,
        assumptions=("without bias", "one group"),
        in_post=False,
    ),
    Statement(
        "correlating-layer",
        "The post's formulas for layers that correlate",
        _text(r"c_m^l(x, y) = \sum_{n, x', y'} o_n^{l-1}(x+x', y+y') \cdot w_{n,m}^l(x', y') + b_m^l"),
        "A framework's layer correlates where the post's convolves. Its weight gradient is the valid correlation "
        "without rot180, its deltas are the full convolution; no frame has to be chosen.",
        (
            Line(
                "weight gradient",
                lambda _: _correlating_weights(),
                tex=r"\frac{\partial E}{\partial w_{n,m}^l(x, y)} = \sum_{x', y'} o_n^{l-1}(x+x', y+y') \cdot"
                r" \delta_m^l(x', y')",
            ),
            Line(
                "deltas",
                lambda _: _correlating_deltas(),
                tex=r"\delta_n^{l-1}(x, y) = \sum_m \sum_{x', y'} \delta_m^l(x-x', y-y') \cdot w_{n,m}^l(x', y')"
                r" \cdot a'(c_n^{l-1}(x, y))",
            ),
        ),
        framed=False,
        in_post=False,
        worked=Worked(1, r"\delta_n^{l-1}(x, y)"),
    ),
)
