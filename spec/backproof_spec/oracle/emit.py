"""Python source for an equation: its value (`forward`), and the gradients of `<dy, forward>` (`pullback`).

Both walk the same loops over the same index maps.  `forward` adds up the products of each term; `pullback` is the
product rule: wherever a product contributed to `y`, each of its factors receives the cotangent times the other factors.

Every read carries the guard of its tensor's box, placed as far out as its indices allow.  The text runs as it stands on
Python objects (int, Fraction, polynomials) and, compiled by Numba, on int64; `_divide` is exact or raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import sympy as sp

from backproof_spec.model import Axis, Equation, Tensor
from backproof_spec.oracle.normal_form import Term, normal_form

#: Which of several maxima of a window receives its cotangent; "split": equal shares; "every": all of it to each, which
#: is no gradient, but tells where one may be.
Ties = Literal["first", "last", "split", "every"]

#: Stands for minus infinity where no pixel lies in a window of max pooling.
LOWEST = -(2**63)


def name(symbol: sp.Symbol) -> str:
    """A Python identifier for a symbol: `x'` becomes `x_`."""
    return str(symbol.name).replace("'", "_")


def code(expr: sp.Expr) -> str:
    """Python source of an integer expression: sums, products, floors of quotients, minima and maxima.

    Raises:
        TypeError: The expression is not integer arithmetic.
    """
    if expr.is_Integer:
        return f"({expr})" if expr.is_negative else str(expr)
    if isinstance(expr, sp.Symbol):
        return name(expr)
    if isinstance(expr, sp.Add):
        return "(" + " + ".join(map(code, expr.args)) + ")"
    if isinstance(expr, sp.Mul):
        return " * ".join(map(code, expr.args))
    if isinstance(expr, sp.floor):
        numerator, denominator = _fraction(expr.args[0])
        return f"(({code(numerator)}) // ({code(denominator)}))"
    if isinstance(expr, sp.Min | sp.Max):
        return f"{'min' if isinstance(expr, sp.Min) else 'max'}({', '.join(map(code, expr.args))})"
    raise TypeError(f"{expr} is not integer arithmetic")


def _fraction(expr: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Numerator and denominator; a quotient that is written as one stays as it is."""
    numerator, denominator = sp.fraction(expr if expr.is_Mul or expr.is_Pow else sp.together(expr))
    return numerator, denominator


class _Writer:
    """Lines of source at a depth of indentation."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.depth = 0

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    def open(self, text: str) -> None:
        self.line(text)
        self.depth += 1

    def loop(self, symbol: sp.Symbol, first: sp.Expr, last: sp.Expr) -> None:
        self.open(f"for {name(symbol)} in range({code(first)}, {code(last + 1)}):")


def _last(axis: Axis) -> sp.Expr:
    return axis.lower + axis.size - 1


def _entry(tensor: Tensor, indices: Iterator[str]) -> str:
    positions = ", ".join(
        index if axis.lower == 0 else f"{index} - ({code(axis.lower)})"
        for index, axis in zip(indices, tensor.axes, strict=True)
    )
    return f"{tensor.name}[{positions}]"


class _Nest:
    """The loops and guards of one term inside the loops over the result's indices."""

    def __init__(self, writer: _Writer, equation: Equation, term: Term, number: int) -> None:
        self.writer, self.equation, self.term = writer, equation, term
        self.variables = {
            (r, axis): f"_{number}_{r}_{axis}" for r, read in enumerate(term.reads) for axis in range(len(read.indices))
        }
        self.known = set(equation.indices) | set(equation.parameters)

    def _guard_known_reads(self) -> None:
        """Compute and test every index whose symbols are all bound by now."""
        for (r, axis), variable in list(self.variables.items()):
            index = self.term.reads[r].indices[axis]
            if not index.free_symbols <= self.known or (r, axis) in self._guarded:
                continue
            box = self.equation.tensor(str(self.term.reads[r].base)).axes[axis]
            self.writer.line(f"{variable} = {code(index)}")
            self.writer.open(f"if {code(box.lower)} <= {variable} < {code(box.lower + box.size)}:")
            self._guarded.add((r, axis))

    def open(self) -> None:
        self._guarded: set[tuple[int, int]] = set()
        self._guard_known_reads()
        for symbol, first, last in self.term.bounds:
            self.writer.loop(symbol, first, last)
            self.known.add(symbol)
            self._guard_known_reads()

    def read(self, r: int, prefix: str = "") -> str:
        """The entry that read number `r` names; with a prefix, the entry of the gradient array."""
        tensor = self.equation.tensor(str(self.term.reads[r].base))
        indices = (self.variables[r, axis] for axis in range(len(tensor.axes)))
        return prefix + _entry(tensor, indices)


def _scaled(text: str, coefficient: sp.Expr) -> str:
    numerator, denominator = _fraction(coefficient)
    scaled = text if numerator == 1 else f"{code(numerator)} * {text}"
    return scaled if denominator == 1 else f"_divide({scaled}, {code(denominator)})"


def _product(factors: list[str]) -> str:
    return " * ".join(factors) if factors else "1"


def _signature(equation: Equation, arrays: list[str]) -> str:
    return ", ".join([*arrays, *(name(parameter) for parameter in equation.parameters)])


def shapes_source(equation: Equation) -> str:
    """`shapes(parameters...)`: the shape of every tensor's box, by name; an empty box has size 0."""
    writer = _Writer()
    writer.open(f"def shapes({_signature(equation, [])}):")
    writer.open("return {")
    for tensor in equation.tensors:
        sizes = "".join(f"max(0, {code(sp.sympify(axis.size))}), " for axis in tensor.axes)
        writer.line(f"{tensor.name!r}: ({sizes}),")
    writer.line("}")
    return "\n".join(writer.lines) + "\n"


def _open_result_loops(writer: _Writer, equation: Equation) -> str:
    for index, axis in zip(equation.indices, equation.tensors[0].axes, strict=True):
        writer.loop(index, axis.lower, _last(axis))
    return _entry(equation.tensors[0], (name(index) for index in equation.indices))


def forward_source(equation: Equation) -> str:
    """`forward(result, operands..., parameters...)`: write the left-hand side into `result`."""
    writer = _Writer()
    writer.open(f"def forward({_signature(equation, [tensor.name for tensor in equation.tensors])}):")
    target = _open_result_loops(writer, equation)
    depth = writer.depth
    writer.line("_value = 0")
    for number, term in enumerate(normal_form(equation)):
        writer.line("_sum, _found = 0, False")
        nest = _Nest(writer, equation, term, number)
        nest.open()
        value = _product([nest.read(r) for r in range(len(term.reads))])
        if term.maximum:
            writer.open(f"if not _found or {value} > _sum:")
            writer.line(f"_sum, _found = {value}, True")
        else:
            writer.line(f"_sum += {value}")
        writer.depth = depth
        writer.line(
            f"_value += {_scaled('_sum' if not term.maximum else f'(_sum if _found else {LOWEST})', term.coefficient)}"
        )
    writer.line(f"{target} = _value")
    return "\n".join(writer.lines) + "\n"


def pullback_source(equation: Equation, ties: Ties = "first") -> str:
    """`pullback(grad_result, operands..., grad_operands..., parameters...)`: add to each gradient (product rule)."""
    writer = _Writer()
    operands = [tensor.name for tensor in equation.tensors[1:]]
    result = equation.tensors[0].name
    arrays = ["grad_" + result, *operands, *("grad_" + operand for operand in operands)]
    writer.open(f"def pullback({_signature(equation, arrays)}):")
    target = _open_result_loops(writer, equation)
    depth = writer.depth
    writer.line(f"_cotangent = grad_{target}")
    for number, term in enumerate(normal_form(equation)):
        writer.line(f"_scaled = {_scaled('_cotangent', term.coefficient)}")
        nest = _Nest(writer, equation, term, number)
        if term.maximum:
            if ties in ("first", "last"):
                _emit_one_maximum(writer, nest, depth, ">" if ties == "first" else ">=")
            else:
                _emit_every_maximum(writer, equation, term, number, divided=ties == "split")
            continue
        nest.open()
        for r in range(len(term.reads)):
            others = [nest.read(other) for other in range(len(term.reads)) if other != r]
            writer.line(f"{nest.read(r, 'grad_')} += {_product(['_scaled', *others])}")
        writer.depth = depth
    return "\n".join(writer.lines) + "\n"


def _emit_one_maximum(writer: _Writer, nest: _Nest, depth: int, beats: str) -> None:
    """The whole cotangent goes to one entry that attains the maximum: the last that `beats` those before it.

    Entries come in the order of the bounds: ">" gives the first maximum, ">=" the last.
    """
    axes = range(len(nest.term.reads[0].indices))
    winners = [f"_winner_{axis}" for axis in axes]
    writer.line("_best, _found = 0, False")
    writer.line(f"{', '.join(winners)} = {', '.join('0' for _ in axes)}")
    nest.open()
    writer.open(f"if not _found or {nest.read(0)} {beats} _best:")
    writer.line(f"_best, _found = {nest.read(0)}, True")
    writer.line(f"{', '.join(winners)} = {', '.join(nest.variables[0, axis] for axis in axes)}")
    writer.depth = depth
    writer.open("if _found:")
    tensor = nest.equation.tensor(str(nest.term.reads[0].base))
    writer.line(f"grad_{_entry(tensor, iter(winners))} += _scaled")
    writer.depth = depth


def _emit_every_maximum(writer: _Writer, equation: Equation, term: Term, number: int, divided: bool) -> None:
    """Each entry that attains the maximum receives the cotangent, or an equal share of it."""
    depth = writer.depth
    writer.line("_best, _count, _found = 0, 0, False")
    nest = _Nest(writer, equation, term, number)
    nest.open()
    writer.line(f"_entry = {nest.read(0)}")
    writer.open("if not _found or _entry > _best:")
    writer.line("_best, _count, _found = _entry, 0, True")
    writer.depth -= 1
    writer.open("if _entry == _best:")
    writer.line("_count += 1")
    writer.depth = depth
    if divided:
        writer.open("if _found:")
        writer.line("_scaled = _divide(_scaled, _count)")
        writer.depth = depth
    nest = _Nest(writer, equation, term, number)
    nest.open()
    writer.open(f"if {nest.read(0)} == _best:")
    writer.line(f"{nest.read(0, 'grad_')} += _scaled")
    writer.depth = depth
