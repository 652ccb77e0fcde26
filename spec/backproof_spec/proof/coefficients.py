"""Two sums of products are equal for all sizes exactly when their coefficient functions are.

The coefficient of a monomial `T1[X1] * T2[X2] * ...` in a sum of terms is

    sum over terms of  coefficient * (number of values of the bound symbols with  conditions  and  index = X)

and a polynomial is zero where every coefficient is.  Equating indices with X determines most bound symbols:
`eliminate` solves for those that occur with coefficient 1 or -1, or times a positive size (a stride), and counts those
that only range over an interval.  What is left is arithmetic over the sizes, the free indices and X.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import sympy as sp
import z3

from backproof_spec.proof.integers import Translation
from backproof_spec.proof.terms import Condition, Term, Terms, equal

#: What identifies the kind of a monomial: the tensors' names and ranks, in order.
Signature = tuple[tuple[str, int], ...]


class Uncountable(Exception):
    """A bound symbol that the monomial does not determine: its values would have to be counted."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """The coefficient of every monomial of one signature, as an integer expression for z3."""

    factors: tuple[tuple[str, tuple[sp.Symbol, ...]], ...]  # tensor name and the symbols X of its index
    value: Any

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """All X, in order."""
        return tuple(s for _, index in self.factors for s in index)


def coefficients(total: Terms, translation: Translation) -> Iterator[Coefficient]:
    """The coefficient functions of a sum, one per signature, times a positive number that makes them integers.

    Raises:
        Uncountable: A sum over values that have to be counted, other than those of an interval.
    """
    groups: dict[Signature, list[Term]] = defaultdict(list)
    for term in total:
        ordered = replace(term, factors=tuple(sorted(term.factors, key=lambda f: f.name)))
        groups[tuple((f.name, len(f.index)) for f in ordered.factors)].append(ordered)
    for names, members in groups.items():
        slots = tuple((name, tuple(_slot(name, k, axis) for axis in range(rank))) for k, (name, rank) in enumerate(names))
        denominator = sp.lcm_list([sp.denom(sp.together(term.coefficient)) for term in members])
        value = z3.IntVal(0)
        for term in members:
            factor = translation(sp.expand(sp.cancel(term.coefficient * denominator)))
            for arrangement in _arrangements(slots):
                value = value + factor * _count(term, arrangement, translation)
        yield Coefficient(slots, value)


def _slot(name: str, k: int, axis: int) -> sp.Symbol:
    return sp.Symbol(f"{name}.{k}.{axis}", integer=True)


def _arrangements(
    slots: tuple[tuple[str, tuple[sp.Symbol, ...]], ...],
) -> Iterator[tuple[tuple[sp.Symbol, ...], ...]]:
    """The slots in every order of those with the same name: a product does not know which factor came first."""
    names = [name for name, _ in slots]
    for order in permutations(range(len(slots))):
        if [names[k] for k in order] == names:
            yield tuple(slots[k][1] for k in order)


def _count(term: Term, arrangement: Sequence[tuple[sp.Symbol, ...]], translation: Translation) -> Any:
    """How many values of the bound symbols make the term's factors the entries at X."""
    pairs = zip(term.factors, arrangement, strict=True)
    matched = replace(term, where=(*(c for f, index in pairs for c in equal(f.index, index)), *term.where))
    solved = eliminate(matched)
    multiplicity, where = _intervals(solved, translation)
    conditions = [_translated(c, translation) for c in where]
    return z3.If(z3.And(*conditions), multiplicity, z3.IntVal(0)) if conditions else multiplicity


def _translated(condition: Condition, translation: Translation) -> Any:
    value = translation(condition.expr)
    return value == 0 if condition.equality else value >= 0


def eliminate(term: Term) -> Term:
    """Remove every bound symbol that an equation determines.

    `u = e` is exact.  `s*u = e` with a positive size s becomes `u = floor(e/s)` under the condition `s*u = e`.
    """
    while (solution := next(_solutions(term), None)) is not None:
        symbol, value, remaining = solution
        term = replace(term, where=remaining).substituted({symbol: value})
        term = replace(term, where=tuple(Condition(sp.expand(c.expr), c.equality) for c in term.where))
    return term


def _solutions(term: Term) -> Iterator[tuple[sp.Symbol, sp.Expr, tuple[Condition, ...]]]:
    """Ways to remove one bound symbol, the exact ones first: the symbol, its value, the conditions that remain."""
    linear = []
    for k, condition in enumerate(term.where):
        if condition.equality:
            expr = sp.expand(condition.expr)
            others = term.where[:k] + term.where[k + 1 :]
            linear += [(s, *found, others) for s in term.bound if (found := _coefficient(expr, s)) is not None]
    for symbol, slope, rest, others in linear:
        if slope in (1, -1):
            yield symbol, -rest * slope, others
    for symbol, signed, signed_rest, others in linear:
        slope, rest = (-signed, -signed_rest) if (-signed).is_Symbol else (signed, signed_rest)
        if slope.is_Symbol and not (rest.free_symbols & set(term.bound)):
            quotient = sp.floor(-rest / slope, evaluate=False)
            yield symbol, quotient, (*others, Condition(slope * quotient + rest, equality=True))


def _coefficient(expr: sp.Expr, symbol: sp.Symbol) -> tuple[sp.Expr, sp.Expr] | None:
    """`(slope, rest)` with `expr = slope*symbol + rest` and neither depending on the symbol."""
    if symbol not in expr.free_symbols:
        return None
    slope = expr.coeff(symbol, 1)
    rest = sp.expand(expr - slope * symbol)
    return (slope, rest) if slope != 0 and symbol not in rest.free_symbols | slope.free_symbols else None


def _intervals(term: Term, translation: Translation) -> tuple[Any, tuple[Condition, ...]]:
    """The number of values of the symbols that nothing but their own limits constrains, and the other conditions."""
    multiplicity, where = z3.IntVal(1), term.where
    for symbol in term.bound:
        own = [c for c in where if symbol in c.expr.free_symbols]
        where = tuple(c for c in where if symbol not in c.expr.free_symbols)
        limits = [_coefficient(sp.expand(c.expr), symbol) for c in own]
        lower = [-limit[1] for limit in limits if limit and limit[0] == 1]
        upper = [limit[1] for limit in limits if limit and limit[0] == -1]
        alone = all(not (c.expr.free_symbols - {symbol}) & set(term.bound) for c in own)
        if not alone or len(lower) + len(upper) < len(own) or any(c.equality for c in own):
            raise Uncountable(f"the values of {symbol.name} would have to be counted")
        size = _least(upper, translation) + _least([-e for e in lower], translation) + 1
        multiplicity = multiplicity * z3.If(size > 0, size, z3.IntVal(0))
    return multiplicity, where


def _least(values: Sequence[sp.Expr], translation: Translation) -> Any:
    first, *rest = map(translation, values)
    for value in rest:
        first = z3.If(value < first, value, first)
    return first
