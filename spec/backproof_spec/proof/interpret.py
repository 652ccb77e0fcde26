"""What an expression of `proof.language` is worth at given sizes, indices and entries: the language's second reader.

It is written to be compared with the decision procedure, with which it shares no code: it walks the expression as it
stands, simplifies nothing and solves nothing.  The same walk over polynomials instead of numbers gives the smallest
case in which two expressions differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import combinations_with_replacement, count, islice, product
from typing import Any

import sympy as sp

from backproof_spec.model import Axis
from backproof_spec.proof.arithmetic import Scope, box, holds, name_of
from backproof_spec.proof.language import Setting
from backproof_spec.proof.ring import Monomial, Polynomial
from backproof_spec.proof.verdict import Counterexample, Entry
from backproof_spec.proof.walk import Walk

__all__ = ["evaluate", "holds", "polynomial", "smallest_difference"]


def evaluate(
    expr: sp.Expr, setting: Setting, sizes: Scope, indices: Scope, entries: Mapping[Entry, int | Fraction]
) -> Fraction:
    """The value of an expression; entries that are not given are 0.

    Raises:
        TypeError: The expression is none of `proof.language`, nests derivatives, or has an index that is no integer.
        KeyError: A symbol without a value, or a tensor that the setting does not declare.
    """
    return Fraction(Walk(setting, sizes, lambda entry: entries.get(entry, 0)).value(expr, {**sizes, **indices}))


def polynomial(expr: sp.Expr, setting: Setting, sizes: Scope, indices: Scope) -> Polynomial:
    """The value of an expression as a polynomial in the entries; raises as `evaluate` does."""
    return Polynomial.of(Walk(setting, sizes, Polynomial.generator).value(expr, {**sizes, **indices}))


def smallest_difference(
    left: sp.Expr,
    right: sp.Expr,
    setting: Setting,
    parameters: Iterable[sp.Symbol] | Mapping[sp.Symbol, int],
    free: Mapping[sp.Symbol, Axis],
    assumptions: Iterable[Any] = (),
    limit: int = 200,
) -> Counterexample | None:
    """The first case in which two expressions differ: sizes by increasing sum, then indices, then the monomial.

    Args:
        left: One side.
        right: The other.
        setting: What the tensors mean.
        parameters: The sizes, each at least 1 or at least the number given for it.
        free: The range of every index that both sides leave free.
        assumptions: Conditions on the sizes.
        limit: How many assignments of sizes to try.

    Returns:
        The case with the values of both sides, or None where none of those tried is one.
    """
    lowest = dict(parameters) if isinstance(parameters, Mapping) else dict.fromkeys(parameters, 1)
    given = sp.And(*assumptions)
    for sizes in islice(_by_sum({name_of(symbol): low for symbol, low in lowest.items()}), limit):
        if not holds(given, sizes):
            continue
        for index in product(*box(free.values(), sizes)):
            indices = dict(zip((name_of(symbol) for symbol in free), index, strict=True))
            difference = polynomial(left, setting, sizes, indices) - polynomial(right, setting, sizes, indices)
            if difference:
                smallest = min(difference.terms, key=lambda monomial: (len(monomial), monomial))
                return _at(smallest, difference, (left, right), setting, sizes, indices)
    return None


def _by_sum(lowest: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Every assignment of values that are at least `lowest`, by increasing sum."""
    for excess in count():
        for chosen in sorted(combinations_with_replacement(range(len(lowest)), excess), reverse=True):
            yield {name: low + chosen.count(k) for k, (name, low) in enumerate(lowest.items())}
        if not lowest:
            return


def _at(
    monomial: Monomial,
    difference: Polynomial,
    sides: tuple[sp.Expr, sp.Expr],
    setting: Setting,
    sizes: Mapping[str, int],
    indices: Mapping[str, int],
) -> Counterexample:
    """Both sides with the monomial's entries at 1, or at the first values from which one sees the difference.

    A polynomial that is not 0 and of degree d in each entry differs from 0 somewhere among the values 1 ... d + 1.
    """
    names = sorted(set(monomial))
    degree = max(len(term) for term in difference.terms)
    for values in product(range(1, degree + 2), repeat=len(names)):
        entries = dict(zip(names, values, strict=True))
        left, right = (evaluate(side, setting, sizes, indices, entries) for side in sides)
        if left != right:
            return Counterexample(sizes, indices, entries, left, right)
    raise RuntimeError(f"{sides[0]} and {sides[1]} differ as polynomials at {sizes}, {indices}, but not in value")
