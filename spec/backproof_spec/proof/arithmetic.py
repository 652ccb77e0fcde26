"""Numbers and conditions without tensors: indices, limits, boxes, and claims about sizes, by plain recursion.

Nothing is simplified and nothing is solved: a sum and a quantifier are loops over the values of their symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor, prod
from typing import Any

import sympy as sp

from backproof_spec.model import Axis
from backproof_spec.proof.quantifier import Exists, ForAll

#: Values of symbols, by name.
Scope = Mapping[str, int]
#: An int, a Fraction, a Polynomial, or a Dual of these: `+` and `*` are all that is asked of it.
Number = Any


def holds(condition: Any, values: Scope) -> bool:
    """Whether a condition on integers is true: relations, And, Or, Not, Implies, Equivalent, Exists, ForAll.

    Raises:
        TypeError: The condition has another form.
        KeyError: A symbol without a value.
    """
    match sp.sympify(condition):
        case sp.logic.boolalg.BooleanTrue() | sp.logic.boolalg.BooleanFalse() as constant:
            return bool(constant)
        case sp.And(args=parts):
            return all(holds(part, values) for part in parts)
        case sp.Or(args=parts):
            return any(holds(part, values) for part in parts)
        case sp.Not(args=(part,)):
            return not holds(part, values)
        case sp.Implies(args=(premise, conclusion)):
            return not holds(premise, values) or holds(conclusion, values)
        case sp.Equivalent(args=parts):
            return len({holds(part, values) for part in parts}) == 1
        case Exists() as claim:
            return any(holds(claim.condition, scope) for scope in points(claim.limits, values))
        case ForAll() as claim:
            return all(holds(claim.condition, scope) for scope in points(claim.limits, values))
        case sp.core.relational.Relational(lhs=left, rhs=right, rel_op=relation) if relation in _RELATIONS:
            return _RELATIONS[relation](arithmetic(left, values), arithmetic(right, values))
        case other:
            raise TypeError(f"{other} is no condition on integers")


_RELATIONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


def arithmetic(expr: sp.Expr, scope: Scope) -> int | Fraction:
    """The value of an expression without tensors; raises as `holds` does."""
    value: int | Fraction = combined(expr, scope, arithmetic)
    return value


def combined(expr: sp.Expr, scope: Scope, value: Callable[[sp.Expr, Scope], Number]) -> Number:
    """The nodes that mean the same with and without tensors; `value` evaluates what they are made of."""
    match expr:
        case sp.Integer():
            return int(expr)
        case sp.Rational():
            return Fraction(int(expr.p), int(expr.q))
        case sp.Symbol():
            if (name := name_of(expr)) not in scope:
                raise KeyError(f"no value for {name}; those given are {', '.join(scope) or 'none'}")
            return scope[name]
        case sp.Add(args=parts):
            return sum((value(part, scope) for part in parts), 0)
        case sp.Mul(args=parts):
            return prod((value(part, scope) for part in parts), start=1)
        case sp.Pow(base=base, exp=exponent):
            power = integer(exponent, scope)
            if power < 0:  # of numbers only: no entry is divided by
                return Fraction(1) / arithmetic(base, scope) ** -power
            return prod([value(base, scope)] * power, start=1)
        case sp.Sum(function=summand, limits=limits):
            return sum((value(summand, point) for point in points(limits, scope)), 0)
        case sp.floor(args=(part,)):
            return floor(arithmetic(part, scope))
        case sp.Mod(args=(part, divisor)):
            return arithmetic(part, scope) % arithmetic(divisor, scope)
        case sp.Max(args=parts):
            return max(arithmetic(part, scope) for part in parts)
        case sp.Min(args=parts):
            return min(arithmetic(part, scope) for part in parts)
        case sp.KroneckerDelta(args=(left, right)):
            return int(arithmetic(left, scope) == arithmetic(right, scope))
        case _:
            raise TypeError(f"{expr} ({type(expr).__name__}) has no meaning in proof.language here")


def name_of(symbol: sp.Symbol) -> str:
    """The key of a symbol in a scope; two dummies of one name are two symbols."""
    return f"{symbol.name}.{symbol.dummy_index}" if isinstance(symbol, sp.Dummy) else str(symbol.name)


def integer(expr: sp.Expr, scope: Scope) -> int:
    """The value of an expression that has to be an integer, as indices and sizes have to be."""
    value = arithmetic(sp.sympify(expr), scope)
    if value != int(value):
        raise TypeError(f"{expr} is {value}, but has to be an integer")
    return int(value)


def points(limits: Sequence[Any], scope: Scope) -> Iterator[Scope]:
    """The scope at every point of a range; none where it is empty. The last limit is the outermost."""
    if not limits:
        yield scope
        return
    *inner, (symbol, first, last) = limits
    for i in range(ceil(arithmetic(first, scope)), floor(arithmetic(last, scope)) + 1):
        yield from points(inner, {**scope, name_of(symbol): i})


def box(axes: Iterable[Axis], sizes: Scope) -> list[range]:
    """The indices along each axis."""
    ends = ((integer(axis.lower, sizes), integer(axis.size, sizes)) for axis in axes)
    return [range(lower, lower + size) for lower, size in ends]
