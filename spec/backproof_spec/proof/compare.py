"""Whether two coefficient functions differ somewhere: first condition by condition, then as a whole.

Most are 1 under one set of conditions each.  These are equal if each condition of one side follows from those of the
other, and to show that takes only the conditions that share symbols with it, directly or through others: rows without
columns, pixels without units.  Small questions stay quick where sizes are multiplied (strides, dilations).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sympy as sp
import z3

from backproof_spec.proof.coefficients import Coefficient, Summand, eliminate, expanded
from backproof_spec.proof.integers import Translation, UndecidedError, unsatisfiable
from backproof_spec.proof.terms import Condition, Term


class Comparison:
    """Coefficient functions under given conditions, in one z3 context."""

    def __init__(self, given: Sequence[sp.Basic], positive: frozenset[sp.Symbol], among: bool = False) -> None:
        self.translation = Translation(positive)
        self.positive = positive
        self.among = among  # only monomials that occur on the left
        self._given = [(frozenset(c.free_symbols), self.translation(c)) for c in given]

    @property
    def given(self) -> list[Any]:
        """The given conditions for z3."""
        return [condition for _, condition in self._given]

    def different(self, f: Coefficient) -> Any:
        """The condition, for z3, that the two sides differ."""
        left, right = self.value(f.left), self.value(f.right)
        return z3.And(left != 0, left != right) if self.among else left != right

    def value(self, summands: Iterable[Summand]) -> Any:
        """The sum, for z3."""
        total = self.translation.integer(0)
        for s in summands:
            amount = self.translation(s.coefficient * s.count)
            conditions = [self._condition(c) for c in s.where]
            total = total + (z3.If(z3.And(*conditions), amount, 0) if conditions else amount)
        return total

    def equal_by_parts(self, f: Coefficient) -> bool:
        """Whether both sides are seen to be equal condition by condition; False says nothing."""
        if len(f.left) != 1 or len(f.right) != 1:
            return False
        (left,), (right,) = f.left, f.right
        if (left.coefficient, left.count) != (right.coefficient, right.count):
            return False
        return self._implies(left, right, f.symbols) and (self.among or self._implies(right, left, f.symbols))

    def _implies(self, first: Summand, second: Summand, symbols: tuple[sp.Symbol, ...]) -> bool:
        """Whether the conditions of one follow from those of the other, which fix most of X."""
        rest, values = eliminate(Term(sp.S.One, (), symbols, first.where), self.positive)
        conclusions = [expanded(Condition(c.expr.xreplace(values), c.equality)) for c in second.where]
        return all(self._follows(c, rest.where) for c in conclusions)

    def _follows(self, conclusion: Condition, premises: Sequence[Condition]) -> bool:
        """Whether a condition follows from those that share symbols with it."""
        if conclusion in premises or (conclusion.equality and conclusion.expr == 0):
            return True
        negated = z3.Not(self._condition(conclusion))
        known = [(frozenset(c.expr.free_symbols), self._condition(c)) for c in premises]
        pool = [*known, *self._given, *self.translation.axioms]
        relevant = _connected(frozenset(conclusion.expr.free_symbols), pool)
        try:
            return unsatisfiable(self.translation, [*relevant, negated])
        except UndecidedError:
            return False

    def _condition(self, condition: Condition) -> Any:
        value = self.translation(condition.expr)
        return value == 0 if condition.equality else value >= 0


def _connected(symbols: frozenset[sp.Symbol], pool: Sequence[tuple[frozenset[sp.Symbol], Any]]) -> list[Any]:
    """The conditions that share symbols with some, or with conditions that do."""
    found: list[Any] = []
    remaining = list(pool)
    while near := [item for item in remaining if item[0] & symbols]:
        found += [condition for _, condition in near]
        symbols = symbols.union(*(own for own, _ in near))
        remaining = [item for item in remaining if not any(item is other for other in near)]
    return found
