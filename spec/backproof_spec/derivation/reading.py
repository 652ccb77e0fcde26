r"""A display read on its own: from the ordered tree of its LaTeX to an expression, without a look at the encoding.

The encoding of a display was written by hand in SymPy, the display in LaTeX; neither may drift away from the other.
This module reads the tree with a `Vocabulary` (which letter is which tensor), makes unstated limits explicit, and hands
over an expression that the decision procedure compares with the encoding in every frame.

Limits that are not printed: an index that stands alone in a place of a tensor runs over that axis; one with an upper
limit alone starts at 0.  A tensor without indices (`t`, `o^L`) means every entry, and the formula their sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import sympy as sp

from backproof_spec.derivation import tree
from backproof_spec.derivation.writer import write
from backproof_spec.equations.symbols import NW, a, p, slope
from backproof_spec.model import Axis
from backproof_spec.proof.language import Partial, Setting


class ReadingError(ValueError):
    """A formula that has no meaning in its setting; the message says which part."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which tensor of a setting a letter with its superscript is, and which symbol a letter without."""

    tensors: Mapping[tuple[str, str], str]
    symbols: Mapping[str, sp.Symbol] = field(default_factory=dict)


_SIZES = {"N_w": NW, "N_k": NW}

VOCABULARIES: dict[str, Vocabulary] = {
    "definitions": Vocabulary({(letter, ""): letter for letter in "ikvlp"}, _SIZES),
    "layer": Vocabulary(
        {
            ("o", "l-1"): "o_prev",
            **{(letter, "l"): letter for letter in "wbico"},
            **{(letter, "L"): letter for letter in "bco"},
            (r"\delta", "l"): "delta",
            (r"\delta", "L"): "delta",
            ("t", ""): "t",
            ("E", ""): "E",
        },
        _SIZES,
    ),
    "below": Vocabulary(
        {
            ("o", "l"): "o",
            ("c", "l"): "c",
            (r"\delta", "l"): "delta",
            ("w", "l+1"): "w_next",
            ("b", "l+1"): "b_next",
            ("c", "l+1"): "c_next",
            (r"\delta", "l+1"): "delta_next",
            ("E", ""): "E",
        },
        {**_SIZES, "o": p},
    ),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the sides of one display in one setting; `left` is the display's left side, which rot180 turns."""

    vocabulary: Vocabulary
    setting: Setting
    left: tree.Node | None
    labels: bool = False  # read the label below a brace instead of what stands above it

    def side(self, node: tree.Node) -> sp.Expr:
        """The meaning of one side of the display.

        Raises:
            ReadingError: A letter or construction without a meaning here.
        """
        expr = self._read(node)
        implied = sorted((s for s in expr.free_symbols if s.name.startswith("every ")), key=lambda s: s.name)
        if not implied:
            return expr
        axes = {s: axis for name in self._bare(node) for s, axis in zip(implied, self._axes(name), strict=True)}
        return sp.Sum(expr, *((s, *_limits(axis)) for s, axis in axes.items()))

    # --- one construction each ---

    def _read(self, node: tree.Node) -> sp.Expr:
        match node:
            case tree.Number(value):
                return sp.Integer(value)
            case tree.Name():
                return self._name(node)
            case tree.Read(name, arguments):
                return self._entry(name, arguments)
            case tree.Call("a", argument):
                return a(self._read(argument))
            case tree.Call("a'", argument):
                return slope(self._read(argument))
            case tree.Sum(indices, body):
                return sp.Sum(self._read(body), *(self._range(index, body) for index in indices))
            case tree.Product(factors):
                return sp.Mul(*map(self._read, factors))
            case tree.Plus(terms):
                return sp.Add(*map(self._read, terms))
            case tree.Minus(body):
                return -self._read(body)
            case tree.Fraction(numerator, denominator):
                return self._read(numerator) / self._read(denominator)
            case tree.Power(base, exponent):
                return self._read(base) ** self._read(exponent)
            case tree.PartialDerivative(of, by):
                return Partial(self._read(of), self._read(by))
            case tree.Brace(body, label):
                return self._read(label if self.labels and not isinstance(label, str) else body)
            case tree.Rotation(body):
                return self._turned(self._read(body))
        raise ReadingError(f"{write(node)} has no meaning in a formula of this kind")

    def _name(self, name: tree.Name) -> sp.Expr:
        if (tensor := self._tensor(name)) is None:
            return self._symbol(name)
        axes = self.setting.tensors[tensor].axes
        if not name.subscripts and axes != (Axis(sp.S.One),):
            every = [sp.Symbol(f"every {k}", integer=True) for k in range(len(axes))]
            return sp.IndexedBase(tensor)[tuple(every)]
        return sp.IndexedBase(tensor)[tuple(map(self._read, name.subscripts)) or (0,)]

    def _entry(self, name: tree.Name, arguments: tuple[tree.Node, ...]) -> sp.Expr:
        if (tensor := self._tensor(name)) is None:
            raise ReadingError(f"{write(name)} is no tensor here")
        index = tuple(map(self._read, (*name.subscripts, *arguments)))
        if len(index) != len(self.setting.tensors[tensor].axes):
            raise ReadingError(f"{write(name)} with {len(index)} indices; the tensor has another number of axes")
        return sp.IndexedBase(tensor)[index]

    def _tensor(self, name: tree.Name) -> str | None:
        above = "" if name.superscript is None else write(name.superscript).replace(" ", "")
        return self.vocabulary.tensors.get((name.text, above))

    def _symbol(self, name: tree.Name) -> sp.Symbol:
        printed = write(name)
        return self.vocabulary.symbols.get(printed, sp.Symbol(printed, integer=True))

    def _axes(self, name: tree.Name) -> tuple[Axis, ...]:
        tensor = self._tensor(name)
        assert tensor is not None, "only tensors are asked for"
        return self.setting.tensors[tensor].axes

    # --- limits ---

    def _range(self, index: tree.Index, body: tree.Node) -> tuple[sp.Symbol, sp.Expr, sp.Expr]:
        symbol = self._symbol(index.name)
        if index.upper is not None:
            lower = sp.S.Zero if index.lower is None else self._read(index.lower)
            return symbol, lower, self._read(index.upper)
        axis = next(self._places(index.name, body), None)
        if axis is None:
            raise ReadingError(f"{write(index.name)} has no limits, and stands alone in no place of a tensor")
        return symbol, *_limits(axis)

    def _places(self, index: tree.Name, node: tree.Node) -> Iterator[Axis]:
        """The axes of tensors in which the index stands alone."""
        name, arguments = (node.name, node.arguments) if isinstance(node, tree.Read) else (node, ())
        if isinstance(name, tree.Name) and self._tensor(name) is not None:
            places = (*name.subscripts, *arguments)
            yield from (axis for place, axis in zip(places, self._axes(name), strict=False) if place == index)
        for child in tree.children(node):
            yield from self._places(index, child)

    def _bare(self, node: tree.Node) -> Iterator[tree.Name]:
        """Tensors that are read without any index."""
        if isinstance(node, tree.Name) and self._tensor(node) is not None and not node.subscripts:
            if self._axes(node) != (Axis(sp.S.One),):
                yield node
        elif not isinstance(node, tree.Read):
            for child in tree.children(node):
                yield from self._bare(child)

    # --- rot180 ---

    def _turned(self, expr: sp.Expr) -> sp.Expr:
        """The array whose entry the formula shows, turned: entry (x, y) comes from (N - 1 - x, N - 1 - y)."""
        entry = self.left.by if isinstance(self.left, tree.PartialDerivative) else self.left
        if not isinstance(entry, tree.Read):
            raise ReadingError("rot180 needs an entry with two indices on the left")
        axes = self._axes(entry.name)[-2:]
        shown = [self._read(argument) for argument in entry.arguments[-2:]]
        return expr.xreplace({s: 2 * axis.lower + axis.size - 1 - s for s, axis in zip(shown, axes, strict=True)})


def _limits(axis: Axis) -> tuple[sp.Expr, sp.Expr]:
    return axis.lower, axis.lower + axis.size - 1
