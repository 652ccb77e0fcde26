"""`Exists` and `ForAll` over ranges of integers: what SymPy's logic lacks to state claims about sizes.

The limits are written as those of a `Sum`: `(index, first, last)`, both inclusive; the first limit is the innermost.
SymPy keeps a quantifier as it is written; only its parts are simplified when they are made.
"""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.logic.boolalg import Boolean


class Quantifier(Boolean):  # type: ignore[misc]  # SymPy is untyped
    """A condition over ranges of its bound symbols."""

    def __new__(cls, condition: Any, *limits: Any) -> Quantifier:  # noqa: D102
        ranges = tuple(sp.Tuple(*limit) for limit in limits)
        if not ranges or any(len(limit) != 3 or not isinstance(limit[0], sp.Symbol) for limit in ranges):
            raise TypeError(f"{cls.__name__} needs limits (index, first, last); it was given {limits}")
        return super().__new__(cls, sp.sympify(condition), *ranges)  # type: ignore[no-any-return]

    @property
    def condition(self) -> Any:
        """What is said of the bound symbols."""
        return self.args[0]

    @property
    def limits(self) -> tuple[Any, ...]:
        """`(index, first, last)` for each bound symbol, the innermost first."""
        return tuple(self.args[1:])

    @property
    def bound_symbols(self) -> list[Any]:
        """The symbols that the limits bind."""
        return [symbol for symbol, *_ in self.limits]

    @property
    def free_symbols(self) -> set[Any]:
        """The symbols that need a value from outside; a limit may use the symbols of the limits after it."""
        free: set[Any] = set(self.condition.free_symbols)
        for symbol, first, last in self.limits:
            free = (free - {symbol}) | first.free_symbols | last.free_symbols
        return free


def outermost(body: Any, limits: tuple[Any, ...]) -> tuple[Any, Any, Any, Any, tuple[Any, ...]]:
    """Take off the last of the limits, which is the outermost: `(fresh symbol, first, last, body, other limits)`.

    Its symbol is replaced by a fresh one wherever this limit binds it: not in its own bounds, which belong to what is
    outside, and not below an inner limit of the same name.
    """
    *inner, (symbol, first, last) = limits
    fresh = {symbol: sp.Dummy(symbol.name, integer=True)}
    renamed: list[Any] = []
    hidden = False
    for own, low, high in reversed(inner):
        renamed.insert(0, sp.Tuple(own, *((e if hidden else e.xreplace(fresh)) for e in (low, high))))
        hidden = hidden or own == symbol
    return fresh[symbol], first, last, body if hidden else body.xreplace(fresh), tuple(renamed)


class Exists(Quantifier):
    """`Exists(condition, (v, first, last), ...)`: some values within the limits satisfy the condition."""


class ForAll(Quantifier):
    """`ForAll(condition, (v, first, last), ...)`: all values within the limits satisfy the condition."""
