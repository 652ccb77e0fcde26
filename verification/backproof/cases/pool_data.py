"""Data of poolings on which every right implementation must agree exactly.

sum       integers that no sum exceeds
average   multiples of the lcm of all divisors that occur, so that every quotient is an integer
max       ties, negative and constant images, infinities; where -inf is the maximum of a window that reaches into the
          padding, its cotangent is 0, because libraries differ in whether padding may tie; and by the rule for ties
          split   a share is exact however it is computed: cotangents are 0 where the maxima are not 1, 2, 4, 8, ...
          any     cotangents of windows with a common pixel are different powers of two, so that the digits of dx
                  tell which window gave what: see `settled`
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import lcm
from typing import Any

import numpy as np

from backproof.cases.data import MANTISSA, Array, Example
from backproof.cases.pooling import PoolCase
from backproof.contract import PoolGeometry
from backproof_spec import oracle

#: Stands for infinity in the oracle's integers: beyond any other value, and only ever compared.
INFINITY = 2**60
_TIED = ("ties", "constant", "infinite")
_SHARES = 16  # no window of ours has as many maxima


@lru_cache(maxsize=256)
def pool_example(case: PoolCase) -> Example:
    """Draw a case's data (the same for the same case) and compute what the specification makes of them."""
    g, rng = case.geometry, np.random.default_rng(case.seed)
    layouts, taps = dict(case.layouts), g.kernel_size[0] * g.kernel_size[1]
    broadcast, profile = layouts.get("dy") == "broadcast", case.profile
    if broadcast and profile == "infinite":  # which needs cotangents that are 0
        profile = "ties"
    if case.ties in ("split", "any") and profile in _TIED and (broadcast or not _digits(g, case.dtype)):
        profile = "distinct"
    unit = _unit(g) * (_SHARES if case.ties == "split" else 1)
    room = MANTISSA[case.dtype] // (unit * taps)
    x = _values(rng, profile, g.x_shape, room)
    dy = np.full(g.y_shape, 7) if broadcast else _values(rng, "wide" if profile == "wide" else "", g.y_shape, room)
    if g.kind == "max" and profile in _TIED:
        dy = _cotangents(case, x, dy)
    x, dy = x * (unit if g.kind == "average" else 1), dy * unit
    ex, edy = rng.integers(-14, 1, size=2) if profile == "scaled" else (0, 0)
    y = oracle.pooling(g.kind, x, **g.options())
    dx = oracle.pooling_gradient(g.kind, dy, x, ties=_rule(case), **g.options())
    return Example(
        case,  # type: ignore[arg-type]
        {"x": _scaled(x, ex, case.dtype), "dy": _scaled(dy, edy, case.dtype)},
        {"y": _scaled(y, ex, case.dtype), "dx": _scaled(dx, edy, case.dtype)},
        {q: bool(array.size) and (array.size == 1 or bool(np.ptp(array) > 0)) for q, array in (("y", y), ("dx", dx))},
    )


def settled(case: PoolCase, drawn: Example, quantity: str, actual: Array) -> Array:
    """What is held against the expected values: these, where a target that declares ties="any" may return `actual`.

    A digit of dx is the cotangent of one window.  Each must be at a maximum of its window, and each window's at one.
    """
    if quantity != "dx" or case.ties != "any" or case.geometry.kind != "max" or case.profile not in _TIED:
        return actual
    g, dy = case.geometry, drawn.arrays["dy"].astype(np.int64)
    if actual.shape != g.x_shape or not (np.isfinite(actual) & (actual >= 0) & (actual == np.rint(actual))).all():
        return actual
    if (dy & (dy - 1)).any():  # no ties here, and no digits
        return actual
    digits, options = actual.astype(np.int64), g.options()
    allowed = oracle.pooling_gradient("max", dy, _integers(drawn.arrays["x"]), ties="every", **options)
    given = np.zeros_like(dy)
    for digit in np.unique(dy[dy > 0]):
        given += np.where(dy == digit, oracle.pooling("sum", digits // digit % 2, **options), 0)
    gives = (dy > 0) & (_pixels(g) > 0)
    right = not (digits & ~allowed).any() and (given == gives).all()
    return drawn.expected["dx"] if right else actual


def _pixels(g: PoolGeometry) -> Array:
    """How many pixels each window has."""
    return oracle.pooling("sum", np.ones(g.x_shape, np.int64), **g.options())


def _rule(case: PoolCase) -> Any:
    return "first" if case.ties == "any" else case.ties


def _unit(g: PoolGeometry) -> int:
    """The lcm of all numbers by which an average may divide."""
    if g.kind != "average":
        return 1
    kh, kw = g.kernel_size
    if g.count_include_pad and not g.ceil_mode:
        return kh * kw
    return lcm(*(a * b for a, b in product(range(1, kh + 1), range(1, kw + 1))))


def _digits(g: PoolGeometry, dtype: str) -> bool:
    """Whether as many windows as may have a common pixel have digits of their own."""
    rows, columns = _common(g)
    return rows * columns < MANTISSA[dtype].bit_length()


def _common(g: PoolGeometry) -> tuple[int, int]:
    """How many windows, one after the other along an axis, may have a common pixel."""
    rows, columns = (d * (k - 1) // s + 1 for k, d, s in zip(g.kernel_size, g.dilation, g.stride, strict=True))
    return rows, columns


def _cotangents(case: PoolCase, x: Array, dy: Array) -> Array:
    """Those of an image with ties."""
    g = case.geometry
    if case.ties == "any":
        rows, columns = _common(g)
        i, j = np.ogrid[: dy.shape[2], : dy.shape[3]]
        dy = np.broadcast_to(2 ** (i % rows * columns + j % columns), dy.shape).copy()
    y = oracle.pooling("max", x, **g.options())
    if case.ties == "split":
        maxima = sum(oracle.pooling("sum", (x == v).astype(np.int64), **g.options()) * (y == v) for v in np.unique(x))
        dy = np.where(maxima & (maxima - 1) == 0, dy, 0)
    if (y == -INFINITY).any():
        reaches_out = _pixels(g) < g.kernel_size[0] * g.kernel_size[1]
        dy = np.where((y == -INFINITY) & reaches_out, 0, dy)
    return dy


def _values(rng: np.random.Generator, profile: str, shape: tuple[int, ...], room: int) -> Array:
    count = int(np.prod(shape))
    distinct: Array = rng.permutation(np.arange(1, count + 1)).reshape(shape)
    match profile:
        case "ties":
            return rng.integers(-1, 1, size=shape, endpoint=True)
        case "negative":
            return -distinct
        case "constant":
            return np.full(shape, -3)
        case "infinite":
            return rng.choice((-INFINITY, INFINITY, 2, -1), size=shape, p=(0.6, 0.1, 0.1, 0.2))
        case "wide":
            return rng.integers(-room, room, size=shape, endpoint=True)
        case _:
            signed: Array = distinct * rng.choice((-1, 1), size=shape)
            return signed


def _integers(array: Array) -> Array:
    """Back to what the oracle takes."""
    return np.nan_to_num(array, posinf=INFINITY, neginf=-INFINITY).astype(np.int64)


def _scaled(integers: Array, power: int, dtype: str) -> Array:
    """Times a power of two; what stands for infinity is infinite."""
    values = np.ldexp(integers.astype(np.float64), power)
    infinite = np.abs(integers.astype(np.float64)) >= INFINITY
    return np.where(infinite, np.copysign(np.inf, values), values).astype(dtype)
