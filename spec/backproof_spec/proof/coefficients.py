"""Two sums of products are equal for all sizes exactly when their coefficient functions are.

The coefficient of a monomial `T1[X1] * T2[X2] * ...` in a sum of terms is

    sum over terms of  coefficient * (number of values of the bound symbols with  conditions  and  index = X)

and a polynomial is zero where every coefficient is.  Equating indices with X determines most bound symbols:
`eliminate` solves for those that occur with coefficient 1 or -1, or times a positive size (a stride), and counts those
that only range over an interval.  What is left is arithmetic over the sizes, the free indices and X.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import permutations

import sympy as sp

from backproof_spec.proof.terms import Condition, Term, Terms, equal

#: What identifies the kind of a monomial: the tensors' names and ranks, in order.
Signature = tuple[tuple[str, int], ...]


class CountingError(Exception):
    """A bound symbol that the monomial does not determine: its values would have to be counted."""


@dataclass(frozen=True, slots=True)
class Summand:
    """`coefficient * count` where all conditions hold, else 0."""

    coefficient: sp.Expr
    count: sp.Expr
    where: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Coefficient:
    """The coefficients of every monomial of one signature in two sums, over the sizes, the free indices and X."""

    factors: tuple[tuple[str, tuple[sp.Symbol, ...]], ...]  # tensor name and the symbols X of its index
    left: tuple[Summand, ...]
    right: tuple[Summand, ...]

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """All X, in order."""
        return tuple(s for _, index in self.factors for s in index)


def coefficients(left: Terms, right: Terms, positive: frozenset[sp.Symbol]) -> Iterator[Coefficient]:
    """The coefficient functions of two sums, one pair per signature, times a positive number that makes them integers.

    `positive` are the parameters that are at least 1: by them alone may an index be divided.

    Raises:
        CountingError: A sum over values that have to be counted, other than those of an interval.
    """
    groups: dict[Signature, tuple[list[Term], list[Term]]] = defaultdict(lambda: ([], []))
    for side, total in enumerate((left, right)):
        for term in total:
            ordered = replace(term, factors=tuple(sorted(term.factors, key=lambda f: f.name)))
            groups[tuple((f.name, len(f.index)) for f in ordered.factors)][side].append(ordered)
    for names, sides in groups.items():
        slots = tuple((name, _slots(f"{name}.{k}", rank)) for k, (name, rank) in enumerate(names))
        denominator = sp.lcm_list([sp.denom(sp.together(t.coefficient)) for side in sides for t in side])
        summands = (tuple(s for term in side for s in _summands(term, slots, denominator, positive)) for side in sides)
        yield Coefficient(slots, *summands)


def _slots(name: str, rank: int) -> tuple[sp.Symbol, ...]:
    return tuple(sp.Symbol(f"{name}.{axis}", integer=True) for axis in range(rank))


def _summands(
    term: Term,
    slots: tuple[tuple[str, tuple[sp.Symbol, ...]], ...],
    denominator: sp.Expr,
    positive: frozenset[sp.Symbol],
) -> Iterator[Summand]:
    """How many values of the bound symbols make the term's factors the entries at X, in each order of the slots."""
    for arrangement in _arrangements(slots):
        pairs = zip(term.factors, arrangement, strict=True)
        matched = (*(c for f, index in pairs for c in equal(f.index, index)), *term.where)
        solved, _ = eliminate(replace(term, where=matched), positive)
        count, where = _intervals(solved)
        coefficient = sp.expand(sp.cancel(solved.coefficient * denominator))
        if coefficient.free_symbols & set(solved.bound):
            raise CountingError(f"a sum of {coefficient} would have to be evaluated")
        yield Summand(coefficient, count, where)


def _arrangements(
    slots: tuple[tuple[str, tuple[sp.Symbol, ...]], ...],
) -> Iterator[tuple[tuple[sp.Symbol, ...], ...]]:
    """The slots in every order of those with the same name: a product does not know which factor came first."""
    names = [name for name, _ in slots]
    for order in permutations(range(len(slots))):
        if [names[k] for k in order] == names:
            yield tuple(slots[k][1] for k in order)


def eliminate(term: Term, positive: frozenset[sp.Symbol]) -> tuple[Term, dict[sp.Symbol, sp.Expr]]:
    """Remove every bound symbol that an equation determines; also the values that they have.

    `u = e` is exact.  `s*u = e` with a positive size s becomes `u = floor(e/s)` under the condition `s*u = e`.
    """
    values: dict[sp.Symbol, sp.Expr] = {}
    while (solution := next(_solutions(term, positive), None)) is not None:
        symbol, value, remaining = solution
        values = {s: e.xreplace({symbol: value}) for s, e in values.items()} | {symbol: value}
        term = replace(term, where=remaining).substituted({symbol: value})
        term = replace(term, where=tuple(map(expanded, term.where)))
    return term, values


def expanded(condition: Condition) -> Condition:
    """The condition as a polynomial."""
    return Condition(sp.expand(condition.expr), condition.equality)


def _solutions(
    term: Term, positive: frozenset[sp.Symbol]
) -> Iterator[tuple[sp.Symbol, sp.Expr, tuple[Condition, ...]]]:
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
        slope, rest = (-signed, -signed_rest) if _negative(signed, positive) else (signed, signed_rest)
        if (slope in positive or (slope.is_Integer and slope > 1)) and not (rest.free_symbols & set(term.bound)):
            quotient = sp.floor(-rest / slope, evaluate=False)
            yield symbol, quotient, (*others, Condition(slope * quotient + rest, equality=True))


def _negative(slope: sp.Expr, positive: frozenset[sp.Symbol]) -> bool:
    return bool(-slope in positive or (slope.is_Integer and slope < 0))


def _coefficient(expr: sp.Expr, symbol: sp.Symbol) -> tuple[sp.Expr, sp.Expr] | None:
    """`(slope, rest)` with `expr = slope*symbol + rest` and neither depending on the symbol."""
    if symbol not in expr.free_symbols:
        return None
    slope = expr.coeff(symbol, 1)
    rest = sp.expand(expr - slope * symbol)
    return (slope, rest) if slope != 0 and symbol not in rest.free_symbols | slope.free_symbols else None


def _intervals(term: Term) -> tuple[sp.Expr, tuple[Condition, ...]]:
    """The number of values of the symbols that nothing but their own limits constrains, and the other conditions."""
    count, where = sp.S.One, term.where
    for symbol in term.bound:
        own = [c for c in where if symbol in c.expr.free_symbols]
        where = tuple(c for c in where if symbol not in c.expr.free_symbols)
        limits = [_coefficient(sp.expand(c.expr), symbol) for c in own]
        lower = [-limit[1] for limit in limits if limit and limit[0] == 1]
        upper = [limit[1] for limit in limits if limit and limit[0] == -1]
        alone = all(not (c.expr.free_symbols - {symbol}) & set(term.bound) for c in own)
        if not alone or len(lower) + len(upper) < len(own) or any(c.equality for c in own):
            raise CountingError(f"the values of {symbol.name} would have to be counted")
        count = count * sp.Max(0, sp.Min(*upper) - sp.Max(*lower) + 1)
    return count, where
