"""Activations and their derivatives to 120 bits, each with the error that a right implementation may have.

A value v of f(c) is right if

    |v - f(c)| <= K * eps * max(|f(c)|, S(c)) + floor

K counts the roundings of the textbook formula: 4 for a call of exp, tanh, erf, log (what NumPy promises of its vector
loops), 1/2 for an operation, times how much the formula multiplies each.  S is the largest term that the formula
subtracts or adds where the result is smaller: 1 - tanh(c)^2 is right to eps, and not to eps * tanh'(c), and so are
s * (1 - s) and c * Phi(c).  Where no sum can cancel, S is 0, and the result is right to K ulp: tanh next to 0, where
it is c.  The floor is the smallest normal number for what comes of exp, since exp(-c) overflows before its inverse
underflows; the smallest number at all for the others, which are exact but for the last rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import mpmath

Number: TypeAlias = Any  # mpmath.mpf

mp = mpmath.MPContext()
mp.prec = 120

#: Beyond, a factor 1 - s or s is 0 in either dtype.
_FLAT = 40.0
_FAR = 200


@dataclass(frozen=True, slots=True)
class Bound:
    """K, S as a function of c, and whether the floor is the smallest normal number; `why` is K's account."""

    ulps: float
    scale: Callable[[float], float]
    smooth: bool
    why: str


@dataclass(frozen=True, slots=True)
class Reference:
    """An activation, with its parameter p (a slope, an alpha) where it has one, and its derivative.

    Attributes:
        names: As people call it, in lower case without `_` and `-`.
        a: `a(c, p)`.
        da: `a'(c, p)`; at 0, from the left.
        bounds: Of a and of a'.
        limits: `a(-inf), a(inf), a'(-inf), a'(inf)`; None where the formula makes inf * 0 or inf / inf of it.
        right: The slope from the right at 0, where that is a kink.
        parameter: What p is, or nothing.
        nan: Whether the formula of a' has c in it everywhere, so that NaN must come through.
    """

    names: tuple[str, ...]
    a: Callable[[Number, Number], Number]
    da: Callable[[Number, Number], Number]
    bounds: tuple[Bound, Bound]
    limits: tuple[float, float, float, float] | None = None
    right: float | None = None
    parameter: str = ""
    nan: bool = True


def _none(c: float) -> float:
    return 0.0


def _one(c: float) -> float:
    return 1.0


def _flat(c: float) -> float:
    return min(abs(c), _FLAT)


def _one_and_flat(c: float) -> float:
    return 1 + _flat(c)


def _quotient(c: float) -> float:
    return 1 / (1 + abs(c))


def _sigmoid(c: Number) -> Number:
    return 1 / (1 + mp.exp(-c))


def _normal(c: Number) -> Number:
    """The normal distribution function; beyond, it is 0 or 1 to more digits than any dtype has."""
    return mp.erfc(-c / mp.sqrt(2)) / 2 if abs(c) < _FAR else mp.mpf(c > 0)


def _below_zero(value: Number, c: Number, otherwise: Number) -> Number:
    return value if c <= 0 else otherwise


_EXACT = Bound(0, _none, False, "there is nothing to round")
_inf = float("inf")

#: Every activation that is known.
REFERENCES: tuple[Reference, ...] = (
    Reference(("identity", "linear", "id", "none"), lambda c, p: c, lambda c, p: mp.mpf(1), (_EXACT, _EXACT),
              (-_inf, _inf, 1, 1), nan=False),
    Reference(("relu",), lambda c, p: max(c, mp.mpf(0)), lambda c, p: mp.mpf(c > 0), (_EXACT, _EXACT),
              (0, _inf, 0, 1), right=1, nan=False),
    Reference(
        ("leakyrelu", "lrelu", "leaky", "prelu"),
        lambda c, p: _below_zero(p * c, c, c),
        lambda c, p: _below_zero(p, c, mp.mpf(1)),
        (Bound(2, _none, False, "slope, *"), Bound(1, _none, False, "slope")),
        right=1, parameter="slope", nan=False,
    ),
    Reference(
        ("elu",),
        lambda c, p: _below_zero(p * mp.expm1(c), c, c),
        lambda c, p: _below_zero(p * mp.exp(c), c, mp.mpf(1)),
        (
            Bound(10, lambda c: float(c <= 0), True, "exp 4, - 1, * alpha; alpha, which is read off, the same"),
            Bound(10, lambda c: float(c <= 0), True, "exp 4, * alpha or + alpha, and alpha 5"),
        ),
        right=1, parameter="alpha", nan=False,
    ),
    Reference(
        ("sigmoid", "logistic", "expit"),
        lambda c, p: _sigmoid(c),
        lambda c, p: _sigmoid(c) * _sigmoid(-c),
        (Bound(6, _one, True, "exp 4, +, /; or tanh 4, +, *"), Bound(8, _one, True, "s 6, 1 - s, *")),
        (0, 1, 0, 0),
    ),
    Reference(
        ("tanh", "hyperbolictangent"),
        lambda c, p: mp.tanh(c),
        lambda c, p: mp.sech(c) ** 2,
        (
            Bound(4, _none, False, "tanh 4: its condition number is at most 1, so that no formula need lose more"),
            Bound(12, _one, True, "tanh 4, doubled by the square, *, 1 -; or exp 4, doubled, and four operations"),
        ),
        (-1, 1, 0, 0),
    ),
    Reference(
        ("softplus",),
        lambda c, p: mp.log1p(mp.exp(c)),
        lambda c, p: _sigmoid(c),
        (Bound(9, _one, True, "exp 4, log 4, +"), Bound(6, _one, True, "exp 4, +, /")),
        (0, _inf, 0, 1),
    ),
    Reference(
        ("silu", "swish", "swish1"),
        lambda c, p: c * _sigmoid(c),
        lambda c, p: _sigmoid(c) * (1 + c * _sigmoid(-c)),
        (
            Bound(7, _flat, True, "s 6, * c; s is right to eps"),
            Bound(12, _one_and_flat, True, "s 6, 1 - s, * c, +, * s"),
        ),
    ),
    Reference(
        ("gelu", "gelunone", "geluexact"),
        lambda c, p: c * _normal(c),
        lambda c, p: _normal(c) + (c * mp.npdf(c) if abs(c) < _FAR else 0),
        (
            Bound(8, _flat, True, "c / sqrt(2) 1, erf 4, 1 +, * c"),
            Bound(14, _one, True, "erf 4 and 1 +; exp 4, whose argument c^2/2 is rounded twice, * c, +"),
        ),
    ),
    Reference(
        ("softsign",),
        lambda c, p: c / (1 + abs(c)),
        lambda c, p: 1 / (1 + abs(c)) ** 2,
        (Bound(2, _none, False, "+, /"), Bound(4, _quotient, True, "+, doubled by the square, *, /; quotient rule: -")),
    ),
    Reference(("square", "quadratic"), lambda c, p: c**2, lambda c, p: 2 * c,
              (Bound(1, _none, True, "*"), _EXACT), (_inf, _inf, -_inf, _inf)),
    Reference(("cube", "cubic"), lambda c, p: c**3, lambda c, p: 3 * c**2,
              (Bound(2, _none, True, "* and *"), Bound(2, _none, True, "* and *")), (-_inf, _inf, _inf, _inf)),
)  # fmt: skip


def known_names() -> tuple[str, ...]:
    """One name of each."""
    return tuple(reference.names[0] for reference in REFERENCES)


def reference_of(name: str) -> Reference | None:
    """The activation of a name, however it is spelled."""
    plain = name.lower().replace("_", "").replace("-", "").replace(" ", "")
    return next((reference for reference in REFERENCES if plain in reference.names), None)


@lru_cache(maxsize=1 << 16)
def truth(name: str, derivative: bool, c: float, parameter: float, kink: str = "left") -> tuple[float, float]:
    """`f(c)` for a finite c, as the sum of a float64 and of what that leaves of it.

    `kink` says which slope at 0 is meant: the one from the "left", from the "right", or their "mean".

    Raises:
        ValueError: The name is not known.
    """
    reference = reference_of(name)
    if reference is None:
        raise ValueError(f"no activation {name!r}; the names are {', '.join(known_names())}")
    at, p = mp.mpf(c), mp.mpf(parameter)
    value = (reference.da if derivative else reference.a)(at, p)
    if derivative and c == 0 and reference.right is not None:
        right = mp.mpf(reference.right)
        value = {"left": value, "right": right, "mean": (value + right) / 2}[kink]
    high = float(value)
    return high, 0.0 if abs(high) == _inf else float(value - high)
