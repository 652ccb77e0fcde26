"""Integer arithmetic decided by z3, and smallest solutions that do not depend on z3's choices.

The conditions are SymPy objects over integer symbols: `+`, `*`, `floor(e/k)`, `Mod`, relations, `And`, `Or`, `Not`,
`Implies`, `Equivalent`, `Exists`, `ForAll`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import sympy as sp
import z3

from backproof_spec.proof.quantifier import Exists, ForAll, outermost

#: How much z3 may spend on one question, in its own units (some millions a second): not time, so that the verdict
#: does not depend on what else the machine is doing.  The hardest question of the claims takes about a million.
RESOURCES = 50_000_000

#: A z3 expression; z3 ships no types.
Z3 = Any


class Translation:
    """SymPy to z3.  `floor(e/k)` becomes a number q of its own with `k*q <= e < k*q + k`, collected in `axioms`.

    Each translation has a z3 context of its own: z3's search, and its time, would otherwise depend on what it has been
    asked before.  Divisors are products of `positive` parameters: for others the axioms would be a contradiction.
    """

    def __init__(self, positive: frozenset[sp.Symbol]) -> None:
        self.context = z3.Context()
        self._positive = positive
        self.axioms: list[tuple[frozenset[sp.Symbol], Z3]] = []  # with the symbols that each is about
        self._known: dict[sp.Basic, Z3] = {}
        self._floors: dict[tuple[sp.Expr, sp.Expr], Z3] = {}

    def __call__(self, expr: Any) -> Z3:
        """The z3 expression.

        Raises:
            TypeError: Something that is no integer arithmetic.
        """
        if expr not in self._known:
            self._known[expr] = self._translate(expr)
        return self._known[expr]

    def integer(self, value: int) -> Z3:
        """A constant."""
        return z3.IntVal(value, self.context)

    def _translate(self, expr: Any) -> Z3:
        if expr.is_Integer:
            return self.integer(int(expr))
        if expr.is_Symbol:
            return z3.Int(_name(expr), self.context)
        if isinstance(expr, sp.floor):
            return self._floor(*_quotient(expr.args[0]))
        if isinstance(expr, sp.Mod):
            value, modulus = expr.args
            return self(value) - self(modulus) * self._floor(value, modulus)
        if isinstance(expr, (Exists, ForAll)):
            return self._quantified(type(expr), expr.condition, expr.limits)
        if expr in (sp.true, sp.false):
            return z3.BoolVal(bool(expr), self.context)
        if isinstance(expr, sp.Pow) and not (expr.exp.is_Integer and expr.exp.is_positive):
            raise TypeError(f"{expr} is no integer arithmetic: give a positive integer as exponent")
        for kind, build in _OPERATIONS.items():
            if isinstance(expr, kind):
                return build(*[self(part) for part in expr.args])
        raise TypeError(f"{expr} ({type(expr).__name__}) is no integer arithmetic")

    def _floor(self, value: sp.Expr, divisor: sp.Expr) -> Z3:
        if not all(factor.is_positive or factor in self._positive for factor in sp.Mul.make_args(divisor)):
            raise TypeError(f"{value} is divided by {divisor}, which is not known to be at least 1")
        whole, rest = _multiples(sp.expand(value), divisor)
        return self(whole) + self._floor_of_rest(rest, divisor) if whole != 0 else self._floor_of_rest(rest, divisor)

    def _floor_of_rest(self, value: sp.Expr, divisor: sp.Expr) -> Z3:
        key = (value, divisor)
        if key not in self._floors:
            quotient = self._floors[key] = z3.Int(f"floor{len(self._floors)}", self.context)
            e, k = self(key[0]), self(divisor)
            symbols = frozenset(key[0].free_symbols | divisor.free_symbols)
            self.axioms.append((symbols, z3.And(k * quotient <= e, e < k * quotient + k)))
        return self._floors[key]

    def _quantified(self, kind: type, condition: Any, limits: tuple[Any, ...]) -> Z3:
        """One quantifier per limit; the floors of its symbol are quantified with it."""
        if not limits:
            return self(condition)
        symbol, low, high, body, inner = outermost(condition, limits)
        bounds, variable = (self(low), self(high)), self(symbol)
        claim = self._quantified(kind, body, inner)
        local = [axiom for axiom in self.axioms if symbol in axiom[0]]
        self.axioms = [axiom for axiom in self.axioms if symbol not in axiom[0]]
        quotients = [quotient for (value, _), quotient in self._floors.items() if symbol in value.free_symbols]
        given = [bounds[0] <= variable, variable <= bounds[1], *(axiom for _, axiom in local)]
        if kind is Exists:
            return z3.Exists([variable, *quotients], z3.And(*given, claim))
        return z3.ForAll([variable, *quotients], z3.Implies(z3.And(*given), claim))


_OPERATIONS: dict[Any, Any] = {
    sp.Add: lambda *args: reduce(lambda a, b: a + b, args),
    sp.Mul: lambda *args: reduce(lambda a, b: a * b, args),
    sp.Pow: lambda base, exponent: reduce(lambda a, b: a * b, [base] * exponent.as_long()),
    sp.Max: lambda first, *rest: reduce(lambda a, b: z3.If(a < b, b, a), rest, first),
    sp.Min: lambda first, *rest: reduce(lambda a, b: z3.If(b < a, b, a), rest, first),
    sp.Eq: lambda a, b: a == b,
    sp.Ne: lambda a, b: a != b,
    sp.Ge: lambda a, b: a >= b,
    sp.Gt: lambda a, b: a > b,
    sp.Le: lambda a, b: a <= b,
    sp.Lt: lambda a, b: a < b,
    sp.And: lambda *args: z3.And(*args),
    sp.Or: lambda *args: z3.Or(*args),
    sp.Not: lambda a: z3.Not(a),
    sp.Implies: lambda a, b: z3.Implies(a, b),
    sp.Equivalent: lambda a, *rest: z3.And(*(a == b for b in rest)),
}


def _name(symbol: sp.Symbol) -> str:
    """A dummy's own number belongs to its name; other symbols of one name are one symbol."""
    return f"{symbol.name}#{symbol.dummy_index}" if isinstance(symbol, sp.Dummy) else str(symbol.name)


def _quotient(expr: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    numerator, denominator = sp.fraction(sp.together(expr))
    return numerator, denominator


def _multiples(value: sp.Expr, divisor: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """`value = whole*divisor + rest`, where the terms that contain the divisor as a factor are whole."""
    whole, rest = sp.S.Zero, sp.S.Zero
    for term in sp.Add.make_args(value):
        quotient = term / divisor
        if sp.denom(quotient) == 1:
            whole += quotient
        else:
            rest += term
    return whole, rest


class UndecidedError(Exception):
    """z3 gave up; the message says why."""


def satisfiable(translation: Translation, conditions: Sequence[Z3]) -> bool:
    """Whether integers exist for which all conditions and the translation's axioms hold.

    Raises:
        UndecidedError: z3 does not know.
    """
    return _check(_solver(translation, conditions))


def unsatisfiable(translation: Translation, conditions: Sequence[Z3]) -> bool:
    """Whether z3 soon finds that no integers satisfy the conditions; axioms have to be among them.

    Raises:
        UndecidedError: z3 does not know.
    """
    solver = z3.Solver(ctx=translation.context)
    solver.set("rlimit", RESOURCES // 10)
    solver.add(*conditions)
    return not _check(solver)


def smallest(
    translation: Translation, conditions: Sequence[Z3], order: Sequence[Sequence[sp.Symbol]]
) -> dict[str, int] | None:
    """The solution that is smallest in its sum of absolute values over the first group of symbols, then in each of
    them, then the same for the next group; None where there is no solution.

    The order makes it unique, so that it is the same whichever solver found it.
    """
    solver = _solver(translation, conditions)
    if not _check(solver):
        return None
    model = solver.model()
    found: dict[str, int] = {}
    for group in order:
        values = [translation(symbol) for symbol in group]
        total = translation.integer(0)
        for value in values:
            total = total + z3.If(value < 0, -value, value)
        model = _minimise(solver, model, total)
        for symbol, value in zip(group, values, strict=True):
            model = _minimise(solver, model, value)
            found[symbol.name] = model.eval(value, model_completion=True).as_long()
    return found


def _minimise(solver: Z3, model: Z3, value: Z3) -> Z3:
    """Fix `value` at its minimum, going down from a model; the solver keeps the constraint, the model satisfies it."""
    while True:
        best = model.eval(value, model_completion=True).as_long()
        solver.push()
        solver.add(value < best)
        lower = _check(solver)
        model = solver.model() if lower else model
        solver.pop()
        if not lower:
            solver.add(value == best)
            return model


def _solver(translation: Translation, conditions: Sequence[Z3]) -> Z3:
    solver = z3.Solver(ctx=translation.context)
    solver.set("rlimit", RESOURCES)
    solver.add(*conditions, *(axiom for _, axiom in translation.axioms))
    return solver


def _check(solver: Z3) -> bool:
    answer = solver.check()
    if answer == z3.unknown:
        raise UndecidedError(f"z3 does not decide it: {solver.reason_unknown()}")
    return bool(answer == z3.sat)
