"""What the post leaves out, in its own form: where the deltas begin, the bias, the update, pooling, dense layers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import sympy as sp

from backproof_spec.derivation.claims.feedforward import with_error
from backproof_spec.derivation.claims.networks import CHOSEN, K, gradient_of_pooling
from backproof_spec.derivation.claims.weights import after_moving
from backproof_spec.derivation.layers import ONE_LAYER, SIZES, E, one_layer, ranges
from backproof_spec.derivation.statement import Line, Statement, Worked, chain, lines_of
from backproof_spec.equations import backpropagation, general, pooling
from backproof_spec.equations.backpropagation import LEFT_OUT
from backproof_spec.equations.general import DH, DW, KH, KW, PB, PL, PR, PT, SH, SW, H, N, W, c, i, j
from backproof_spec.equations.pooling import h, k
from backproof_spec.equations.symbols import L0, L1, L2, NW, a, m, n, only, over_taps, p, slope, x, xs, y, ys
from backproof_spec.model import Axis, Frame, Source, Tensor, instance
from backproof_spec.proof.language import Partial, Setting
from backproof_spec.proof.prove import Domain, Identity


def output_delta(frame: Frame) -> tuple[Identity, ...]:
    """dE/dc of the last layer, E being half the squared error."""
    s = with_error(frame)
    left = s.tensors["delta"][m, x, y]
    return chain(Identity(left, backpropagation.output_delta(frame).rhs, s, ranges(s, "c", m, x, y), ONE_LAYER))


def bias_gradient(frame: Frame) -> tuple[Identity, ...]:
    """dE/db for an arbitrary E."""
    s = one_layer(frame)
    left = Partial(E, s.tensors["b"][m])
    return chain(Identity(left, backpropagation.bias_gradient(frame).rhs, s, {m: Axis(L1)}, ONE_LAYER))


# --- two layers at once: no chain rule over c is assumed ---


@cache
def two_layers(frame: Frame) -> Setting:
    """c1, c2 and E written out; delta2 and delta1 as the output delta and the recursion give them."""
    kernel, shift = (Axis(NW), Axis(NW)), frame.shift(NW)
    inner = (frame.axis(H, NW), frame.axis(W, NW))
    outer = tuple(Axis(frame.axis(axis.size, NW).size, 2 * axis.lower) for axis in inner)
    names = {
        "o_prev": (Axis(L0), Axis(H), Axis(W)),
        "w": (Axis(L0), Axis(L1), *kernel),
        "b": (Axis(L1),),
        "w_next": (Axis(L1), Axis(L2), *kernel),
        "b_next": (Axis(L2),),
        "t": (Axis(L2), *outer),
    }
    t = {name: Tensor(name, axes) for name, axes in names.items()}
    c1, c2 = Tensor("c", (Axis(L1), *inner)), Tensor("c_next", (Axis(L2), *outer))
    first = over_taps(t["o_prev"][n, x + shift - xs, y + shift - ys] * t["w"][n, m, xs, ys], (n, 0, L0 - 1))
    second = over_taps(a(c1[m, x + shift - xs, y + shift - ys]) * t["w_next"][m, p, xs, ys], (m, 0, L1 - 1))
    error = sp.Sum((t["t"][p, x, y] - a(c2[p, x, y])) ** 2, (p, 0, L2 - 1), *_over(outer, x, y)) / 2
    back = over_taps(
        sp.IndexedBase("delta_next")[p, x + xs - shift, y + ys - shift] * t["w_next"][m, p, xs, ys], (p, 0, L2 - 1)
    )
    return (
        Setting(t)
        .define(c1, (m, x, y), first + t["b"][m])
        .define(c2, (p, x, y), second + t["b_next"][p])
        .define(Tensor("E", (Axis(sp.S.One),)), (only,), error)
        .define(Tensor("delta_next", c2.axes), (p, x, y), (a(c2[p, x, y]) - t["t"][p, x, y]) * slope(c2[p, x, y]))
        .define(Tensor("delta", c1.axes), (m, x, y), back * slope(c1[m, x, y]))
    )


def _over(axes: tuple[Axis, ...], *indices: sp.Symbol) -> tuple[tuple[sp.Symbol, sp.Expr, sp.Expr], ...]:
    return tuple((s, axis.lower, axis.lower + axis.size - 1) for s, axis in zip(indices, axes, strict=True))


def first_of_two(frame: Frame) -> Identity:
    """dE/dw of the lower layer."""
    s, shift = two_layers(frame), frame.shift(NW)
    t = s.tensors
    product = t["o_prev"][n, xs + shift - x, ys + shift - y] * t["delta"][m, xs, ys]
    right = sp.Sum(product, *_over(t["delta"].axes[1:], xs, ys))
    return Identity(Partial(E, t["w"][n, m, x, y]), right, s, ranges(s, "w", n, m, x, y), SIZES)


def second_of_two(frame: Frame) -> Identity:
    """dE/dw of the upper layer."""
    s, shift = two_layers(frame), frame.shift(NW)
    t = s.tensors
    product = a(t["c"][m, xs + shift - x, ys + shift - y]) * t["delta_next"][p, xs, ys]
    right = sp.Sum(product, *_over(t["delta_next"].axes[1:], xs, ys))
    return Identity(Partial(E, t["w_next"][m, p, x, y]), right, s, ranges(s, "w_next", m, p, x, y), SIZES)


# --- pooling with any windows ---

WINDOWS = {N: 1, pooling.CHANNELS: 1, H: 1, W: 1, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1}
PADDED = Domain({**WINDOWS, PT: 0, PB: 0, PL: 0, PR: 0})
BLOCKWISE = {SH: KH, SW: KW, DH: 1, DW: 1, PT: 0, PB: 0, PL: 0, PR: 0, pooling.CEIL: 0}


def _boxes(fixed: Mapping[sp.Symbol, Any]) -> tuple[Axis, ...]:
    """Those of the pooled image, parameters fixed."""
    return tuple(Axis(instance(axis.size, fixed)) for axis in pooling.y.axes)


def upscaling(frame: Frame) -> tuple[Identity, ...]:
    """The equation `sum-pooling-gradient`, for the instance of sum pooling in which windows do not overlap."""
    result = _boxes(BLOCKWISE)
    dy, result_y = Tensor("dy", result), Tensor("y", result)
    base = Setting({"x": pooling.x, "dy": dy, "E": Tensor("E", (Axis(sp.S.One),))}, {}, ("E", "y", "dy"))
    s = base.define(result_y, (n, c, i, j), instance(pooling.SUM.rhs, BLOCKWISE))
    whole = {n: Axis(N), c: Axis(pooling.CHANNELS), h: Axis(KH * result[2].size), k: Axis(KW * result[3].size)}
    sizes = dict.fromkeys((N, pooling.CHANNELS, H, W, KH, KW), 1)
    return chain(Identity(Partial(E, pooling.x[n, c, h, k]), pooling.UPSCALING.rhs, s, whole, Domain(sizes)))


def _windows(weight: sp.Expr) -> Identity:
    """Any pooling that weighs the pixels of its windows, with stride, dilation, padding and overlaps."""
    u, v = general.u, general.v
    image = pooling.x[n, c, i * SH + u * DH - PT, j * SW + v * DW - PL]
    taps = ((u, 0, KH - 1), (v, 0, KW - 1))
    result = _boxes({pooling.CEIL: 0})
    y, dy, chosen = Tensor("y", result), Tensor("dy", result), Tensor("s", (*result, Axis(KH), Axis(KW)), "s")
    base = {"x": pooling.x, "dy": dy, "s": chosen, "E": Tensor("E", (Axis(sp.S.One),))}
    s = Setting(base, {}, ("E", "y", "dy")).define(y, (n, c, i, j), sp.Sum(weight * image, *taps))
    meets = sp.KroneckerDelta(h, i * SH + u * DH - PT) * sp.KroneckerDelta(k, j * SW + v * DW - PL)
    pixels = _over(result[2:], i, j)
    right = sp.Sum(weight * meets * dy[n, c, i, j], *pixels, *taps)
    box = dict(zip((n, c, h, k), pooling.x.axes, strict=True))
    return Identity(Partial(E, pooling.x[n, c, h, k]), right, s, box, PADDED)


_maximal = sp.IndexedBase("s")[n, c, i, j, general.u, general.v]
_block = sp.IndexedBase("delta")[sp.floor(x / K), sp.floor(y / K)]
_at_block = sp.IndexedBase("s")[sp.floor(x / K), sp.floor(y / K), sp.Mod(x, K), sp.Mod(y, K)]

# --- flatten, dense ---

F = sp.Symbol("f", integer=True)


def _flattened() -> Identity:
    """dE/do for an arbitrary E of the flattened image."""
    image, size = Tensor("o", (Axis(L1), Axis(H), Axis(W))), L1 * H * W
    flat, delta = Tensor("v", (Axis(size),), "v"), Tensor("delta", (Axis(size),), r"\delta")
    line = sp.floor(F / W)
    entry = image[sp.floor(F / (H * W)), line - H * sp.floor(F / (H * W)), F - W * line]
    base = {"o": image, "delta": delta, "E": Tensor("E", (Axis(sp.S.One),))}
    s = Setting(base, {}, ("E", "v", "delta")).define(flat, (F,), entry)
    right = delta[(m * H + x) * W + y]
    return Identity(Partial(E, image[m, x, y]), right, s, ranges(s, "o", m, x, y), Domain({H: 1, W: 1, L1: 1}))


@cache
def dense() -> Setting:
    """A dense layer between two: c = w o + b, o = a(c), and the layer above it."""
    names = {"o_prev": (L0,), "w": (L0, L1), "b": (L1,), "w_next": (L1, L2), "b_next": (L2,), "delta_next": (L2,)}
    t = {name: Tensor(name, tuple(map(Axis, sizes))) for name, sizes in names.items()}
    c1, c2 = Tensor("c", (Axis(L1),)), Tensor("c_next", (Axis(L2),))
    return (
        Setting({**t, "E": Tensor("E", (Axis(sp.S.One),))}, {}, ("E", "c_next", "delta_next"))
        .define(c1, (m,), sp.Sum(t["o_prev"][n] * t["w"][n, m], (n, 0, L0 - 1)) + t["b"][m])
        .define(c2, (p,), sp.Sum(a(c1[m]) * t["w_next"][m, p], (m, 0, L1 - 1)) + t["b_next"][p])
        .define(Tensor("delta", c1.axes), (m,), _dense_delta())
    )


def _dense_delta() -> sp.Expr:
    above = sp.Sum(sp.IndexedBase("delta_next")[p] * sp.IndexedBase("w_next")[m, p], (p, 0, L2 - 1))
    return above * slope(sp.IndexedBase("c")[m])


DENSE = Domain({L0: 1, L1: 1, L2: 1})


def _dense(by: sp.Indexed, right: sp.Expr, *indices: tuple[sp.Symbol, sp.Expr]) -> Identity:
    return Identity(Partial(E, by), right, dense(), {s: Axis(size) for s, size in indices}, DENSE)


def _dense_weights() -> Identity:
    t = dense().tensors
    return _dense(t["w"][n, m], t["o_prev"][n] * t["delta"][m], (n, L0), (m, L1))


def _dense_bias() -> Identity:
    t = dense().tensors
    return _dense(t["b"][m], t["delta"][m], (m, L1))


def _dense_recursion() -> Identity:
    t = dense().tensors
    return _dense(t["c"][m], _dense_delta(), (m, L1))


def _text(tex: str) -> Source:
    return Source(LEFT_OUT, tex)


IN_BLOCKS = ("blocks of k x k pixels that do not overlap", "pixels beyond the last whole block are left out")

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        "output-delta",
        "Output delta",
        backpropagation.output_delta().source,
        "Where the recursion begins: the last layer, with half the squared error.",
        lines_of(output_delta, "E differentiated through the activation of one pixel"),
        vocabulary="layer",
        ranges=(r"(x, y) \text{ a pixel of } c_m^L", r"0 \le m < M^L"),
        equation="output-delta",
        in_post=False,
        worked=Worked(),
    ),
    Statement(
        "bias-gradient",
        "Bias gradient",
        backpropagation.bias_gradient().source,
        "The bias is added to every pixel of its unit.",
        lines_of(bias_gradient, "the chain rule over all pixels, each of which contains the bias once"),
        vocabulary="layer",
        ranges=(r"0 \le m < M^l",),
        equation="bias-gradient",
        in_post=False,
        worked=Worked(),
    ),
    Statement(
        "update-rule",
        "Update rule: gradient descent",
        _text(r"w_{n,m}^l(x, y) - \eta \cdot \frac{\partial E}{\partial w_{n,m}^l(x, y)}"),
        "A small step against the gradient reduces the error: at eta = 0 its slope is minus the gradient squared.",
        (
            Line(
                "with E at w - eta * gradient: its slope at eta = 0",
                after_moving(-1),
                tex=r"\frac{\partial E(w - \eta g)}{\partial \eta} = - \sum_{n, m, x, y} g_{n,m}(x, y)^2",
            ),
        ),
        assumptions=("g is the weight gradient at the starting point",),
        in_post=False,
    ),
    Statement(
        "two-layers",
        "Two layers at once",
        _text(r"E = \frac{1}{2} \sum_{o, x, y} (t_o(x, y) - a(c_o^{l+1}(x, y)))^2"),
        "Two convolution layers and the error written out and differentiated as one formula, for all sizes and without "
        "assuming a chain rule over c: output delta, recursion and weight gradient together give the same.",
        (
            Line(
                "weights of the upper layer",
                second_of_two,
                tex=r"\frac{\partial E}{\partial w_{m,o}^{l+1}(x, y)} = "
                r"\sum_{x', y'} o_m^l(x'-x, y'-y) \cdot \delta_o^{l+1}(x', y')",
            ),
            Line(
                "weights of the lower layer, through the recursion",
                first_of_two,
                tex=r"\frac{\partial E}{\partial w_{n,m}^l(x, y)} = "
                r"\sum_{x', y'} o_n^{l-1}(x'-x, y'-y) \cdot \delta_m^l(x', y')",
            ),
        ),
        assumptions=("in the moved frame the offset N_w - 1 is written out in both formulas and in the recursion",),
        in_post=False,
    ),
    Statement(
        "sum-pooling-gradient",
        "Gradient of sum pooling",
        pooling.UPSCALING.source,
        "The error upscaled, for rectangular blocks, channels and batches.",
        lines_of(upscaling, "every pixel belongs to one block"),
        framed=False,
        assumptions=pooling.UPSCALING.assumptions,
        equation="sum-pooling-gradient",
        in_post=False,
        worked=Worked(sizes={"H": 4, "W": 4, "kh": 2, "kw": 2}),
    ),
    Statement(
        "average-pooling-gradient",
        "Gradient of average pooling",
        _text(r"\frac{\partial E}{\partial o(x, y)} = \frac{1}{k^2} \delta(\lfloor x/k \rfloor, \lfloor y/k \rfloor)"),
        "The error is shared among the pixels of the block.",
        (
            Line(
                "sum pooling divided by the number of pixels",
                lambda _: gradient_of_pooling(1 / (K * K), _block / (K * K)),
                tex=r"\frac{1}{k^2} \delta(\lfloor x/k \rfloor, \lfloor y/k \rfloor)",
            ),
        ),
        framed=False,
        assumptions=IN_BLOCKS,
        equation="average-pooling",
        in_post=False,
        worked=Worked(sizes={"H": 4, "W": 4, "k": 2}),
    ),
    Statement(
        "max-pooling-gradient",
        "Gradient of max pooling",
        _text(
            r"\frac{\partial E}{\partial o(x, y)} = s(\lfloor x/k \rfloor, \lfloor y/k \rfloor, x \bmod k, y \bmod k)"
            r" \cdot \delta(\lfloor x/k \rfloor, \lfloor y/k \rfloor)"
        ),
        "Only the pixel that is the maximum receives the error. Near an image without ties, the choice s of that pixel "
        "does not change, and the maximum is the sum over the block of s times the image.",
        (
            Line(
                "the maximum as a sum with a choice that is constant nearby",
                lambda _: gradient_of_pooling(CHOSEN, _at_block * _block),
                tex=r"s(\lfloor x/k \rfloor, \lfloor y/k \rfloor, x \bmod k, y \bmod k)"
                r" \cdot \delta(\lfloor x/k \rfloor, \lfloor y/k \rfloor)",
            ),
        ),
        framed=False,
        assumptions=(*IN_BLOCKS, "no ties: s is 1 for the one pixel of a block that is its maximum, else 0"),
        equation="max-pooling",
        in_post=False,
    ),
    Statement(
        "pooling-windows",
        "Pooling with any windows",
        _text(
            r"\frac{\partial E}{\partial x_c(h, k)} = \sum_{i, j, u, v} s_c(i, j, u, v) \cdot"
            r" [h = i s + u d - p] \cdot \delta_c(i, j)"
        ),
        "With stride, dilation, padding and overlaps a pixel collects the errors of all windows in which it stands, "
        "each times the weight s that it has there.",
        (
            Line(
                "sum pooling: s = 1",
                lambda _: _windows(sp.S.One),
                tex=r"\sum_{i, j, u, v} [h = i s + u d - p] \cdot \delta_c(i, j)",
            ),
            Line(
                "average pooling: s = 1 / (k_h k_w), padding counts",
                lambda _: _windows(1 / (KH * KW)),
                tex=r"\frac{1}{k_h k_w} \sum_{i, j, u, v} [h = i s + u d - p] \cdot \delta_c(i, j)",
            ),
            Line(
                "max pooling: s = 1 where the window has its maximum",
                lambda _: _windows(_maximal),
                tex=r"\sum_{i, j, u, v} s_c(i, j, u, v) \cdot [h = i s + u d - p] \cdot \delta_c(i, j)",
            ),
        ),
        framed=False,
        assumptions=("columns as rows", "no ties for the maximum"),
        in_post=False,
        worked=Worked(sizes={"H": 3, "W": 3, "kh": 2, "kw": 2}),
    ),
    Statement(
        "flatten",
        "Flattening",
        _text(r"\frac{\partial E}{\partial o_m(x, y)} = \delta((m H + x) W + y)"),
        "Between the convolutional part and the dense part, pixels are renumbered; the errors go back the same way.",
        (
            Line(
                "entry f of the vector is pixel (floor(f / W) mod H, f mod W) of unit floor(f / (H W))",
                lambda _: _flattened(),
                tex=r"\delta((m H + x) W + y)",
            ),
        ),
        framed=False,
        in_post=False,
    ),
    Statement(
        "dense-layer",
        "Dense layers",
        _text(r"c_m = \sum_n o_n w_{n,m} + b_m"),
        "The flat part of the network, in the same letters.",
        (
            Line(
                "weight gradient",
                lambda _: _dense_weights(),
                tex=r"\frac{\partial E}{\partial w_{n,m}} = o_n \cdot \delta_m",
            ),
            Line("bias gradient", lambda _: _dense_bias(), tex=r"\frac{\partial E}{\partial b_m} = \delta_m"),
            Line(
                "recursion",
                lambda _: _dense_recursion(),
                tex=r"\delta_m = \sum_o \delta_o^{l+1} \cdot w_{m,o}^{l+1} \cdot a'(c_m)",
            ),
        ),
        framed=False,
        in_post=False,
    ),
)
