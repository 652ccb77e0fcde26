"""Sparse polynomials with exact coefficients: a dictionary from monomials, as sorted tuples of generators.

Generators are whatever sorts and hashes: entries of tensors here, numbers in the sweep.  A tuple of the few generators
that occur is far shorter than the exponents of the hundreds that a small net has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cached_property
from typing import Any

Scalar = int | Fraction
#: The generators of a monomial, sorted, each as often as its exponent says.
Monomial = tuple[Any, ...]


class Polynomial:
    """A polynomial over the rationals; unchanging, and equal to another exactly when their terms are."""

    def __init__(self, terms: dict[Monomial, Scalar]) -> None:
        self.terms: Mapping[Monomial, Scalar] = terms if all(terms.values()) else {m: c for m, c in terms.items() if c}

    @classmethod
    def generator(cls, name: Any) -> Polynomial:
        """The polynomial that is one generator."""
        return cls({(name,): 1})

    @classmethod
    def of(cls, number: Polynomial | Scalar) -> Polynomial:
        """A number as a constant polynomial."""
        if isinstance(number, Polynomial):
            return number
        if not isinstance(number, int | Fraction):
            raise TypeError(f"{number!r} is neither a polynomial nor an exact number: give an int or a Fraction")
        return cls({(): number})

    @classmethod
    def combination(cls, pairs: Iterable[tuple[Polynomial, Polynomial | Scalar]]) -> Polynomial:
        """The sum of products of two."""
        total: dict[Monomial, Scalar] = {}
        for left, right in pairs:
            for m, a in cls.of(right).terms.items():
                for n, b in left.terms.items():
                    monomial = tuple(sorted(m + n))
                    total[monomial] = total.get(monomial, 0) + a * b
        return cls(total)

    def __add__(self, other: Polynomial | Scalar) -> Polynomial:
        total = dict(self.terms)
        for monomial, coefficient in Polynomial.of(other).terms.items():
            total[monomial] = total.get(monomial, 0) + coefficient
        return Polynomial(total)

    def __mul__(self, other: Polynomial | Scalar) -> Polynomial:
        return Polynomial.combination([(self, other)])

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Polynomial:
        return self * -1

    def __sub__(self, other: Polynomial | Scalar) -> Polynomial:
        return self + Polynomial.of(other) * -1

    def __rsub__(self, other: Scalar) -> Polynomial:
        return Polynomial.of(other) - self

    def __truediv__(self, number: int) -> Polynomial:
        return Polynomial({m: _lean(Fraction(c, number)) for m, c in self.terms.items()})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Polynomial | int | Fraction):
            return NotImplemented
        return self.terms == Polynomial.of(other).terms

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __repr__(self) -> str:
        return f"Polynomial({self.terms!r})"

    @cached_property
    def partials(self) -> Mapping[Any, Polynomial]:
        """The derivatives by every generator that occurs."""
        found: dict[Any, dict[Monomial, Scalar]] = {}
        for monomial, coefficient in self.terms.items():
            for name in set(monomial):
                k = monomial.index(name)
                rest = monomial[:k] + monomial[k + 1 :]  # which no other monomial leaves
                found.setdefault(name, {})[rest] = _lean(coefficient * monomial.count(name))
        return {name: Polynomial(terms) for name, terms in found.items()}

    def derivative(self, changes: Mapping[Any, Polynomial]) -> Polynomial:
        """The derivation that takes a generator to its change; generators without one do not change."""
        partials = self.partials
        return Polynomial.combination((partials[name], changes[name]) for name in partials.keys() & changes.keys())


def _lean(number: Scalar) -> Scalar:
    """An int where a fraction is one: they are far faster."""
    return int(number) if number == int(number) else number
