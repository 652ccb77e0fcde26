"""The meaning that `proof.language` gives to an expression, node by node, over numbers or polynomials.

Sums are loops, derivatives are dual numbers, and the reading of a definition is a call with its indices bound afresh.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import sympy as sp
from sympy.core.function import AppliedUndef

from backproof_spec.model import Maximum
from backproof_spec.proof.arithmetic import Number, Scope, box, combined, integer, name_of, points
from backproof_spec.proof.language import Partial, Setting
from backproof_spec.proof.verdict import Entry


@dataclass(frozen=True, slots=True)
class Dual:
    """A value with its derivative by one entry."""

    value: Number
    derivative: Number

    @classmethod
    def of(cls, number: Number) -> Dual:
        """A number as one that does not change."""
        return number if isinstance(number, Dual) else cls(number, 0)

    def __add__(self, other: Number) -> Dual:
        other = Dual.of(other)
        return Dual(self.value + other.value, self.derivative + other.derivative)

    def __mul__(self, other: Number) -> Dual:
        other = Dual.of(other)
        return Dual(self.value * other.value, self.derivative * other.value + self.value * other.derivative)

    __radd__, __rmul__ = __add__, __mul__


class Walk:
    """One evaluation: `entry` gives the value of an entry, and reads are differentiated by the entry `by`."""

    def __init__(
        self, setting: Setting, sizes: Scope, entry: Callable[[Entry], Number], by: Entry | None = None
    ) -> None:
        self.setting, self.sizes, self.entry, self.by = setting, sizes, entry, by
        self.boxes: dict[str, list[range]] = {}
        self.known: dict[Entry, Number] = {}

    def value(self, expr: sp.Expr, scope: Scope) -> Number:
        """An expression whose free symbols all have a value in the scope."""
        match sp.sympify(expr):
            case sp.Indexed() as read:
                return self.read(self.cell(read, scope))
            case Partial(of=inner, by=variable):
                if self.by is not None:
                    raise TypeError(f"{expr} stands inside another derivative")
                walk = Walk(self.setting, self.sizes, self.entry, self.cell(variable, scope))
                return Dual.of(walk.value(inner, scope)).derivative
            case AppliedUndef() | sp.Subs() as activation:
                return self.activation(*_activation(activation, scope, self.cell))
            case Maximum() as maximum:
                return self.maximum(maximum, scope)
            case other:
                return combined(other, scope, self.value)

    def cell(self, read: sp.Expr, scope: Scope) -> Entry:
        """The entry that a read names, inside its box or not."""
        if not isinstance(read, sp.Indexed):
            raise TypeError(f"{read} should be one entry of a tensor")
        rank = len(self.setting.tensor(read).axes)
        if len(read.indices) != rank:
            raise TypeError(f"{read} has {len(read.indices)} indices, but the tensor has {rank} axes")
        return str(read.base), tuple(integer(index, scope) for index in read.indices)

    def box(self, name: str) -> list[range]:
        """A tensor's box."""
        if name not in self.boxes:
            self.boxes[name] = box(self.setting.tensors[name].axes, self.sizes)
        return self.boxes[name]

    def inside(self, cell: Entry) -> bool:
        """Whether an entry lies in its tensor's box."""
        return all(i in axis for i, axis in zip(cell[1], self.box(cell[0]), strict=True))

    def read(self, cell: Entry) -> Number:
        """One entry, which is the same wherever it is read: definitions know sizes and their own indices only."""
        if cell not in self.known:
            self.known[cell] = self._read(cell) if self.inside(cell) else 0
        return self.known[cell]

    def _read(self, cell: Entry) -> Number:
        name, index = cell
        is_variable = self.by is not None and self.by[0] == name  # then it is no defined tensor, whatever the setting
        if name in self.setting.definitions and not is_variable:
            definition = self.setting.definitions[name]
            scope = dict(zip((name_of(symbol) for symbol in definition.indices), index, strict=True))
            return self.value(definition.rhs, {**self.sizes, **scope})
        if self.by is None:
            return self.entry(cell)
        if self.setting.error and name == self.setting.error[0]:
            return Dual(self.entry(cell), self.change_of_error(*self.setting.error[1:]))
        return Dual(self.entry(cell), int(cell == self.by))

    def change_of_error(self, c: str, delta: str) -> Number:
        """The chain rule for an arbitrary E(c)."""
        plain = Walk(self.setting, self.sizes, self.entry)
        cells = product(*self.box(c))
        return sum((plain.read((delta, i)) * Dual.of(self.read((c, i))).derivative for i in cells), 0)

    def activation(self, cell: Entry, slope: bool) -> Number:
        """`a` or `a'` at one entry."""
        name, index = cell
        if not self.inside(cell):
            return 0
        if self.by is None:
            return self.entry((f"a'({name})" if slope else f"a({name})", index))
        if slope:
            raise TypeError(f"a'({name}{list(index)}) stands inside a derivative; a'' has no meaning in proof.language")
        inner = Dual.of(self.read(cell)).derivative
        return Dual(self.entry((f"a({name})", index)), self.entry((f"a'({name})", index)) * inner)

    def maximum(self, expr: sp.Expr, scope: Scope) -> Number:
        """The largest value where every read falls inside its box."""
        if self.by is not None:
            raise TypeError(f"{expr} stands inside a derivative, but a maximum has none")
        reads = expr.function.atoms(sp.Indexed)
        values = [
            self.value(expr.function, point)
            for point in points(expr.limits, scope)
            if all(self.inside(self.cell(read, point)) for read in reads)
        ]
        if not values:
            raise ValueError(f"no read of {expr} falls inside its box; there is nothing to take the maximum of")
        return max(values)


def _activation(expr: sp.Expr, scope: Scope, cell: Callable[[sp.Expr, Scope], Entry]) -> tuple[Entry, bool]:
    """The entry to which an activation is applied, and whether it is the slope."""
    if isinstance(expr, sp.Subs):
        argument, z = expr.point[0], expr.variables[0]
        if len(expr.variables) == 1 and expr.expr == sp.Derivative(sp.Function("a")(z), z):
            return cell(argument, scope), True
    elif expr.func == sp.Function("a") and len(expr.args) == 1:
        return cell(expr.args[0], scope), False
    raise TypeError(f"{expr} is neither a(...) nor a'(...)")
