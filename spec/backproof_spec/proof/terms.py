"""Expressions to sums of products with every condition written out.

A `Term` is `coefficient * T1[I1] * T2[I2] * ...`, summed over all integers for each symbol in `bound`, wherever the
conditions in `where` hold.  Limits of sums and the boxes of tensors become conditions, definitions are unfolded with
fresh bound symbols (so nothing is captured), and derivatives are taken by the product rule, term by term.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

import sympy as sp

from backproof_spec.model import Tensor
from backproof_spec.proof.language import Partial, Setting
from backproof_spec.proof.quantifier import outermost


@dataclass(frozen=True, slots=True)
class Factor:
    """One entry: `T[index]`; the names `a(T)` and `a'(T)` are the activation and its slope at that entry."""

    name: str
    index: tuple[sp.Expr, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """`expr = 0` or, without `equality`, `expr >= 0`; over the integers."""

    expr: sp.Expr
    equality: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """`coefficient * product(factors)`, summed over `bound` where the conditions hold."""

    coefficient: sp.Expr
    factors: tuple[Factor, ...] = ()
    bound: tuple[sp.Symbol, ...] = ()
    where: tuple[Condition, ...] = ()

    def substituted(self, values: Mapping[sp.Symbol, sp.Expr]) -> Term:
        """The term with symbols replaced in every index and condition."""
        return Term(
            self.coefficient.xreplace(values),
            tuple(Factor(f.name, tuple(e.xreplace(values) for e in f.index)) for f in self.factors),
            tuple(s for s in self.bound if s not in values),
            tuple(Condition(c.expr.xreplace(values), c.equality) for c in self.where),
        )


Terms = tuple[Term, ...]

_a = sp.Function("a")


def terms(expr: sp.Expr, setting: Setting) -> Terms:
    """The terms of an expression of `proof.language`.

    Raises:
        TypeError: The expression is no sum of products, or applies `a` to something other than one entry.
    """
    return tuple(_terms(sp.sympify(expr), setting))


def _terms(expr: sp.Expr, setting: Setting) -> Iterator[Term]:
    if isinstance(expr, sp.Indexed):
        yield from _read(setting, str(expr.base), expr.indices)
    elif isinstance(expr, sp.Sum):
        yield from _summed(expr, setting)
    elif isinstance(expr, sp.Add):
        for part in expr.args:
            yield from _terms(part, setting)
    elif isinstance(expr, sp.Mul) and expr.has(sp.Indexed, sp.KroneckerDelta):
        for combination in product(*(tuple(_terms(part, setting)) for part in expr.args)):
            yield multiply(*combination)
    elif isinstance(expr, sp.Pow) and expr.has(sp.Indexed) and expr.exp.is_Integer and expr.exp.is_positive:
        copies = [tuple(_terms(expr.base, setting)) for _ in range(int(expr.exp))]
        yield from (multiply(*combination) for combination in product(*copies))
    elif isinstance(expr, sp.KroneckerDelta):
        yield Term(sp.S.One, (), (), equal(expr.args[:1], expr.args[1:]))
    elif isinstance(expr, Partial):
        yield from _partial(expr, setting)
    elif expr.has(sp.Indexed):
        yield from _activation(expr, setting)
    else:
        yield Term(expr)


def multiply(*factors: Term) -> Term:
    """The product of terms whose bound symbols are distinct (all of them are made fresh)."""
    return Term(
        sp.Mul(*(t.coefficient for t in factors)),
        tuple(f for t in factors for f in t.factors),
        tuple(s for t in factors for s in t.bound),
        tuple(c for t in factors for c in t.where),
    )


def in_box(tensor: Tensor, index: tuple[sp.Expr, ...]) -> tuple[Condition, ...]:
    """The conditions under which an entry lies in a tensor's box."""
    if len(index) != len(tensor.axes):
        raise TypeError(f"tensor {tensor.name} has {len(tensor.axes)} axes, but is read with {len(index)} indices")
    pairs = zip(tensor.axes, index, strict=True)
    return tuple(c for axis, i in pairs for c in between(i, axis.lower, axis.lower + axis.size - 1))


def between(value: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> tuple[Condition, Condition]:
    """`lower <= value <= upper`."""
    return Condition(value - lower), Condition(upper - value)


def equal(left: tuple[sp.Expr, ...], right: tuple[sp.Expr, ...]) -> tuple[Condition, ...]:
    """`left = right`, index by index."""
    return tuple(Condition(a - b, equality=True) for a, b in zip(left, right, strict=True))


def _read(setting: Setting, name: str, index: tuple[sp.Expr, ...]) -> Iterator[Term]:
    guards = in_box(setting.tensors[name], tuple(index))
    if name not in setting.definitions:
        yield Term(sp.S.One, (Factor(name, tuple(index)),), (), guards)
        return
    definition = setting.definitions[name]
    values = dict(zip(definition.indices, index, strict=True))
    for term in _terms(definition.rhs, setting):
        unfolded = term.substituted(values)
        yield replace(unfolded, where=(*guards, *unfolded.where))


def _summed(expr: sp.Sum, setting: Setting) -> Iterator[Term]:
    body, limits = expr.function, tuple(expr.limits)
    bound: list[sp.Symbol] = []
    where: list[Condition] = []
    while limits:
        symbol, low, high, body, limits = outermost(body, limits)
        bound.append(symbol)
        where += between(symbol, low, high)
    for term in _terms(body, setting):
        yield replace(term, bound=(*bound, *term.bound), where=(*where, *term.where))


def _activation(expr: sp.Expr, setting: Setting) -> Iterator[Term]:
    """`a(T[I])` or `a'(T[I])`; both are 0 outside T's box, as T is."""
    if isinstance(expr, sp.Subs) and expr.expr == sp.Derivative(_a(expr.variables[0]), expr.variables[0]):
        prefix, argument = "a'", expr.point[0]
    elif expr.func == _a and len(expr.args) == 1:
        prefix, argument = "a", expr.args[0]
    else:
        raise TypeError(f"{expr} is no sum of products of tensor entries")
    if not isinstance(argument, sp.Indexed):
        raise TypeError(f"{expr}: give the activation one entry of a tensor, not {argument}")
    index = tuple(argument.indices)
    yield Term(sp.S.One, (Factor(f"{prefix}({argument.base})", index),), (), in_box(setting.tensor(argument), index))


# --- the derivative ---


def _partial(expr: Partial, setting: Setting) -> Iterator[Term]:
    """The derivative of every term; the tensor differentiated by is not unfolded."""
    variable = Factor(str(expr.by.base), tuple(expr.by.indices))
    opaque = replace(setting, definitions={k: v for k, v in setting.definitions.items() if k != variable.name})
    for term in _terms(expr.of, opaque):
        yield from derivative(term, variable, opaque)


def derivative(term: Term, by: Factor, setting: Setting) -> Iterator[Term]:
    """The product rule."""
    for k, factor in enumerate(term.factors):
        rest = replace(term, factors=term.factors[:k] + term.factors[k + 1 :])
        yield from (multiply(rest, change) for change in _change(factor, by, setting))


def _change(factor: Factor, by: Factor, setting: Setting) -> Iterator[Term]:
    """The derivative of one factor."""
    if factor.name == by.name:
        yield Term(sp.S.One, (), (), equal(factor.index, by.index))
    elif factor.name.startswith("a("):
        inner = factor.name[2:-1]
        slope = Term(sp.S.One, (Factor(f"a'({inner})", factor.index),))
        yield from (multiply(slope, change) for change in _entry_change(inner, factor.index, by, setting))
    elif factor.name.startswith("a'("):
        raise TypeError("second derivatives of the activation do not occur in backpropagation")
    elif setting.error and factor.name == setting.error[0]:
        yield from _through_complete_input(by, setting)


def _entry_change(name: str, index: tuple[sp.Expr, ...], by: Factor, setting: Setting) -> Iterator[Term]:
    """The derivative of one entry: of a variable, or of a defined tensor's definition."""
    if name == by.name:
        yield Term(sp.S.One, (), (), equal(index, by.index))
    elif name in setting.definitions:
        for term in _read(setting, name, index):
            yield from derivative(term, by, setting)


def _through_complete_input(by: Factor, setting: Setting) -> Iterator[Term]:
    """The chain rule for an arbitrary E(c): the sum over all of c of delta times the derivative of c."""
    assert setting.error is not None
    _, name, delta = setting.error
    tensor = setting.tensors[name]
    index = tuple(sp.Dummy(f"q{k}", integer=True) for k in range(len(tensor.axes)))
    outer = Term(sp.S.One, (Factor(delta, index),), index, in_box(tensor, index))
    yield from (multiply(outer, change) for change in _entry_change(name, index, by, setting))
