"""The first two sections, the naming table, and the remark on pooling: what is said about networks in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import sympy as sp

from backproof_spec.derivation.statement import Line, Statement
from backproof_spec.equations.symbols import NW, H, W, x, xs, y, ys
from backproof_spec.model import Axis, Frame, Source, Tensor
from backproof_spec.proof.language import Partial, Setting
from backproof_spec.proof.prove import Domain, Fact, Identity

IDEA = "The idea of CNNs, in short"
MATH = "Let's talk Math"

a, b = sp.symbols("a b", integer=True)
K = sp.Symbol("k", integer=True)
FITTING = Domain({H: 1, W: 1, NW: 1}, (sp.Le(NW, H), sp.Le(NW, W)))


def _fewer_weights() -> Fact:
    """N_w^2 weights against one per pair of pixels; the rest of the image, H - N_w and W - N_w, is called a and b."""
    dense = (NW + a) * (NW + b) * (a + 1) * (b + 1)
    return Fact(sp.Le(NW * NW, dense, evaluate=False), Domain({NW: 1, a: 0, b: 0}))


def _equally_many() -> Fact:
    dense = (NW + a) * (NW + b) * (a + 1) * (b + 1)
    same = sp.Equivalent(sp.Eq(NW * NW, dense, evaluate=False), sp.And(sp.Eq(a, 0), sp.Eq(b, 0)), evaluate=False)
    return Fact(same, Domain({NW: 1, a: 0, b: 0}))


def _convolution_reduces(least: int) -> Fact:
    return Fact(sp.Lt(H - NW + 1, H, evaluate=False), Domain({H: 1, NW: least}, (sp.Le(NW, H),)))


def _pooling_reduces(least: int) -> Fact:
    return Fact(sp.Lt(sp.floor(H / K), H, evaluate=False), Domain({H: 1, K: least}, (sp.Le(K, H),)))


# --- pooling: blocks of k x k pixels ---


def pooled(weight: sp.Expr) -> Setting:
    """p = weight * the sum over a block of the image o; delta = dE/dp for an arbitrary E(p)."""
    result = (Axis(sp.floor(H / K)), Axis(sp.floor(W / K)))
    image, chosen = Tensor("o", (Axis(H), Axis(W))), Tensor("s", (*result, Axis(K), Axis(K)), "s")
    pooling, delta = Tensor("p", result), Tensor("delta", result, r"\delta")
    block = (xs, 0, K - 1), (ys, 0, K - 1)
    summed = sp.Sum(weight * image[K * x + xs, K * y + ys], *block)
    base = {"o": image, "s": chosen, "delta": delta, "E": Tensor("E", (Axis(sp.S.One),), "E")}
    return Setting(base, {}, ("E", "p", "delta")).define(pooling, (x, y), summed)


CHOSEN = sp.IndexedBase("s")[x, y, xs, ys]
U, V = sp.symbols("u v", integer=True)
_blockwise = sp.IndexedBase("delta")[sp.floor(x / K), sp.floor(y / K)]
BLOCKS = Domain({H: 1, W: 1, K: 1})


def gradient_of_pooling(weight: sp.Expr, right: sp.Expr) -> Identity:
    """dE/do against a formula, for a pooling with the given weight of each pixel in its block."""
    s = pooled(weight)
    whole = {x: Axis(K * sp.floor(H / K)), y: Axis(K * sp.floor(W / K))}
    return Identity(Partial(sp.IndexedBase("E")[0], s.tensors["o"][x, y]), right, s, whole, BLOCKS)


def _gradient_of_max(right: sp.Expr) -> Identity:
    """The same for the maximum, when it stands at place (u, v) of every block."""
    at = sp.KroneckerDelta(xs, U) * sp.KroneckerDelta(ys, V)
    claim = gradient_of_pooling(CHOSEN, right)
    setting = claim.setting.define(claim.setting.tensors["s"], (x, y, xs, ys), at)
    return replace(claim, setting=setting, domain=Domain({H: 1, W: 1, K: 1, U: 0, V: 0}, (U < K, V < K)))


def _factors(claim: Callable[[sp.Expr], Identity]) -> Callable[[Frame], Iterator[tuple[str, Identity]]]:
    """The upscaled error times what a block has to offer: its size, its area, the place of its maximum."""

    def candidates(_: Frame) -> Iterator[tuple[str, Identity]]:
        chosen = sp.KroneckerDelta(sp.Mod(x, K), U) * sp.KroneckerDelta(sp.Mod(y, K), V)
        for tex, factor in (
            ("k", K),
            (r"\frac{1}{k}", 1 / K),
            ("k^2", K**2),
            (r"\frac{1}{k^2}", 1 / K**2),
            (r"[x \bmod k = u \wedge y \bmod k = v]", chosen),
        ):
            yield rf"{tex} \cdot \delta(\lfloor x/k \rfloor, \lfloor y/k \rfloor)", claim(factor)

    return candidates


IDEAS: tuple[Statement, ...] = (
    Statement(
        "fewer-weights",
        "A convolution has fewer weights than a dense layer",
        Source(IDEA, r"N_w^2 \le H W \cdot H' W'"),
        "Between the same images, of H x W pixels and of H' x W' = (H - N_w + 1)(W - N_w + 1), a dense layer has one "
        "weight per pair of pixels.",
        (
            Line(
                "never more",
                lambda _: _fewer_weights(),
                tex=r"N_w^2 \le H W (H-N_w+1)(W-N_w+1)",
            ),
            Line(
                "equally many only if the kernel is as large as the image",
                lambda _: _equally_many(),
                tex=r"N_w^2 = H W (H-N_w+1)(W-N_w+1) \iff H = W = N_w",
                stated=False,
            ),
        ),
        framed=False,
        assumptions=("1 <= N_w <= H, W", "no padding, stride 1"),
    ),
    Statement(
        "layers-reduce",
        "Every convolution and pooling layer makes the image smaller",
        Source(IDEA, r"H' < H"),
        "Not every one: a kernel or a block of one pixel keeps the size, and so does padding.",
        (
            Line(
                "a valid convolution",
                lambda _: _convolution_reduces(1),
                tex=r"H - N_w + 1 < H",
                candidates=lambda _: [
                    (rf"N_w \ge {least} \implies H - N_w + 1 < H", _convolution_reduces(least)) for least in (1, 2, 3)
                ],
            ),
            Line(
                "pooling",
                lambda _: _pooling_reduces(1),
                tex=r"\lfloor H / k \rfloor < H",
                candidates=lambda _: [
                    (rf"k \ge {least} \implies \lfloor H / k \rfloor < H", _pooling_reduces(least))
                    for least in (1, 2, 3)
                ],
            ),
        ),
        framed=False,
        assumptions=("the kernel or block fits into the image",),
    ),
)

POOLING: tuple[Statement, ...] = (
    Statement(
        "pooling-upscaling",
        "Pooling: the error is upscaled",
        Source(MATH, r"\frac{\partial E}{\partial o(x, y)} = \delta(\lfloor x/k \rfloor, \lfloor y/k \rfloor)"),
        "Copying each error to its whole block is right for the sum over a block, and for that alone. An average "
        "spreads the error, the maximum hands it to one pixel.",
        (
            Line(
                "sum pooling: every pixel of the block receives the error",
                lambda _: gradient_of_pooling(sp.S.One, _blockwise),
                tex=r"\delta(\lfloor x/k \rfloor, \lfloor y/k \rfloor)",
            ),
            Line(
                "average pooling, upscaled in the same way",
                lambda _: gradient_of_pooling(1 / (K * K), _blockwise),
                tex=r"\delta(\lfloor x/k \rfloor, \lfloor y/k \rfloor)",
                candidates=_factors(lambda factor: gradient_of_pooling(1 / (K * K), factor * _blockwise)),
            ),
            Line(
                "max pooling, upscaled in the same way; the maximum is at place (u, v) of every block",
                lambda _: _gradient_of_max(_blockwise),
                tex=r"\delta(\lfloor x/k \rfloor, \lfloor y/k \rfloor)",
                candidates=_factors(lambda factor: _gradient_of_max(factor * _blockwise)),
            ),
        ),
        framed=False,
        assumptions=("blocks of k x k pixels that do not overlap", "pixels beyond the last whole block are left out"),
    ),
)
