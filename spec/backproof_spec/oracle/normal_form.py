"""Sums of products: the form of every equation from which code is generated.

A right-hand side is a sum of `Term`s; a term is `coefficient * read * read * ...`, summed over (or, for a `Maximum`,
maximised over) its bounds.  Nothing is simplified: indices stay as the equation has them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import sympy as sp

from backproof_spec.model import Equation, Maximum

Bound = tuple[sp.Symbol, sp.Expr, sp.Expr]

#: Any polynomial serves to exercise a' exactly; this one has a slope that no mistake leaves unchanged.
SQUARE = sp.Lambda(sp.Symbol("z"), sp.Symbol("z") ** 2)


@dataclass(frozen=True, slots=True)
class Term:
    """`coefficient * product(reads)`, over `bounds`; inclusive limits, as in SymPy."""

    coefficient: sp.Expr
    reads: tuple[sp.Indexed, ...]
    bounds: tuple[Bound, ...] = ()
    maximum: bool = False


def normal_form(equation: Equation) -> tuple[Term, ...]:
    """The terms of an equation whose activation, if it has one, is polynomial.

    Raises:
        TypeError: The right-hand side is no polynomial in its reads.
    """
    return _terms(equation.rhs)


def _terms(expr: sp.Expr) -> tuple[Term, ...]:
    if isinstance(expr, sp.Indexed):
        return (Term(sp.S.One, (expr,)),)
    if isinstance(expr, sp.Sum):
        return tuple(replace(t, bounds=(*expr.limits, *t.bounds)) for t in _terms(expr.function))
    if isinstance(expr, Maximum):
        return tuple(replace(t, bounds=tuple(expr.limits), maximum=True) for t in _terms(expr.function))
    if isinstance(expr, sp.Add):
        return tuple(term for part in expr.args for term in _terms(part))
    if isinstance(expr, sp.Mul):
        return tuple(_multiply(combination) for combination in product(*map(_terms, expr.args)))
    if isinstance(expr, sp.Pow) and expr.exp.is_Integer and expr.exp.is_positive:
        return tuple(_multiply(combination) for combination in product(*[_terms(expr.base)] * int(expr.exp)))
    if not expr.has(sp.Indexed):
        return (Term(expr, ()),)
    raise TypeError(f"{expr} is no sum of products of tensor entries")


def _multiply(terms: tuple[Term, ...]) -> Term:
    bounds = tuple(bound for term in terms for bound in term.bounds)
    if len({symbol for symbol, *_ in bounds}) < len(bounds) or (len(terms) > 1 and any(t.maximum for t in terms)):
        raise TypeError("a product of two sums over the same index, or with a maximum, has no normal form")
    coefficient = sp.Mul(*(term.coefficient for term in terms))
    reads = tuple(read for term in terms for read in term.reads)
    return Term(coefficient, reads, bounds, any(term.maximum for term in terms))
