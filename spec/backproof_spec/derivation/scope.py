r"""What a strict reader objects to in a display, found by following its indices through its sums.

The left-hand side says which indices are free on the right.  Any other index must be bound by a sum around it, and only
once.  Sizes (`N_w`, `H`: names with a capital) and layers (what stands above a name) are never bound.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

from backproof_spec.derivation.latex import read_formula, write
from backproof_spec.derivation.tree import (
    Call,
    Display,
    Index,
    Max,
    Name,
    Node,
    PartialDerivative,
    Read,
    Rotation,
    Sum,
    children,
)

Kind = Literal["captured", "escapes", "clash", "lower limit", "limits", "array"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_Names: TypeAlias = frozenset[Name]


@dataclass(frozen=True, slots=True)
class Note:
    """One objection, in a sentence."""

    kind: Kind
    text: str
    #: The right-hand side that it is about, counted from 0; None: the left-hand side.
    side: int | None = None


def scope_notes(display: Display, parameters: Collection[str] = ()) -> tuple[Note, ...]:
    """All objections to a display, in the order of its sides.

    Args:
        display: What to read.
        parameters: Names that stand for given numbers, in LaTeX: a stride `s`, the height `k_h` of a window.

    Raises:
        ValueError: A parameter is no name.
    """
    given = frozenset(map(_parameter, parameters))
    left = _Walk(given, None)
    left.value(display.left, frozenset())
    notes = [*left.notes, *_clashes(left.heads, left.indices, None)]
    known = {note.text for note in notes}
    for number, side in enumerate(display.sides):
        walk = _Walk(given, number)
        walk.value(side, frozenset(left.loose))
        clashes = _clashes(left.heads | walk.heads, left.indices | walk.indices, number)
        notes += walk.notes + [_escape(name, number) for name in walk.loose]
        notes += [clash for clash in clashes if clash.text not in known]
    return tuple(dict.fromkeys(notes))


class _Walk:
    """A walk through one side, from the outside in.

    `value` walks through what is a number, `index` through what counts (arguments, subscripts, limits); `bound` holds
    the indices that have a meaning there.

    Attributes:
        loose: The indices that have none.
        heads: The letters of what is read or called, and what each is.
        indices: The letters of what counts.
    """

    def __init__(self, given: _Names, side: int | None) -> None:
        self.given = given
        self.side = side
        self.notes: list[Note] = []
        self.loose: dict[Name, None] = {}
        self.heads: dict[str, str] = {}
        self.indices: set[str] = set()

    def value(self, node: Node, bound: _Names) -> None:
        match node:
            case Name():
                if _plain(node) in bound | self.given or (_is_size(node) and node.superscript is None):
                    self.use(node, bound)
                else:
                    self.head(node, bound)
            case Read():
                self.read(node, bound)
            case Call(function, argument):
                self.heads[function] = "a function"
                self.value(argument, bound)
            case Sum() | Max():
                self.value(node.body, self.bind(node, bound))
            case PartialDerivative(of, by):
                self.derivative(of, by, bound)
            case Rotation(body):
                if _has_entry(body):
                    self.object("array", r"$\operatorname{rot}_{180}$ turns an array, but is applied to one entry.")
                self.value(body, bound)
            case _:
                for child in children(node):
                    self.value(child, bound)

    def index(self, node: Node, bound: _Names) -> None:
        match node:
            case Name():
                self.use(node, bound)
            case Read():
                self.read(node, bound)
            case Sum() | Max():
                self.index(node.body, self.bind(node, bound))
            case _:
                for child in children(node):
                    self.index(child, bound)

    def read(self, node: Read, bound: _Names) -> None:
        self.head(node.name, bound)
        for argument in node.arguments:
            self.index(argument, bound)

    def head(self, name: Name, bound: _Names) -> None:
        """A tensor, with its units below and its layer above."""
        self.heads[_letter(name)] = "a tensor"
        for subscript in name.subscripts:
            self.index(subscript, bound)
        self.layer(name)

    def layer(self, name: Name) -> None:
        if name.superscript is not None:
            self.indices |= {_letter(found) for found in _names(name.superscript)}

    def use(self, name: Name, bound: _Names) -> None:
        self.layer(name)
        if _is_size(name) or _plain(name) in self.given:
            return
        if not name.subscripts:
            self.indices.add(_letter(name))
        if _plain(name) not in bound:
            self.loose[_plain(name)] = None

    def derivative(self, of: Node, by: Name | Read, bound: _Names) -> None:
        """What is differentiated must not bind anew an index of the entry by which it is."""
        entry = _Walk(self.given, self.side)
        for walk in (self, entry):
            if isinstance(by, Read):
                walk.read(by, bound)
            else:
                walk.head(by, bound)
        inside = bound | frozenset(entry.loose)
        if isinstance(of, Name):
            self.head(of, inside)
        else:
            self.value(of, inside)

    def bind(self, node: Sum | Max, bound: _Names) -> _Names:
        """The limits, what is wrong with them, and the indices that have a meaning in the body."""
        what = f"The {'sum' if isinstance(node, Sum) else 'maximum'} over"
        inside = bound
        for index in node.indices:
            for limit in (index.lower, index.upper):
                if limit is not None:
                    self.index(limit, bound)
            name = _plain(index.name)
            if name in inside:
                tex = write(name)
                self.object("captured", f"{what} ${tex}$ captures the index ${tex}$, which has a meaning outside it.")
            inside |= {name}
            self.use(name, inside)
        for kind, fault in _faults(node.indices):
            self.object(kind, f"{what} {fault}.")
        return inside

    def object(self, kind: Kind, text: str) -> None:
        self.notes.append(Note(kind, text, self.side))


def _faults(indices: tuple[Index, ...]) -> Iterator[tuple[Kind, str]]:
    """Which limits are missing, of which indices of a sum."""
    neither = [index.name for index in indices if index.lower is None and index.upper is None]
    only_upper = [index.name for index in indices if index.lower is None and index.upper is not None]
    only_lower = [index.name for index in indices if index.lower is not None and index.upper is None]
    if neither:
        yield "limits", f"{_listed(neither)} states no limits"
    if only_upper:
        yield "lower limit", f"{_listed(only_upper)} has an upper limit, but no lower limit"
    if only_lower:
        yield "limits", f"{_listed(only_lower)} has a lower limit, but no upper limit"


def _escape(name: Name, side: int) -> Note:
    tex = write(name)
    return Note("escapes", f"${tex}$ is bound by no sum around it, and is no index of the left-hand side.", side)


def _clashes(heads: Mapping[str, str], indices: set[str], side: int | None) -> list[Note]:
    return [
        Note("clash", f"${letter}$ is the name of {what} and of an index.", side)
        for letter, what in heads.items()
        if letter in indices
    ]


def _parameter(tex: str) -> Name:
    name = read_formula(tex)
    if not isinstance(name, Name):
        raise ValueError(f"a parameter is a name such as s or k_h, not {tex!r}")
    return _plain(name)


def _plain(name: Name) -> Name:
    """The name without its layer."""
    return replace(name, superscript=None)


def _letter(name: Name) -> str:
    return name.text + "'" * name.primes


def _is_size(name: Name) -> bool:
    return name.text[0].isupper()


def _names(node: Node) -> list[Name]:
    inside = [found for child in children(node) for found in _names(child)]
    return [node, *inside] if isinstance(node, Name) else inside


def _has_entry(node: Node) -> bool:
    return isinstance(node, Read) or any(map(_has_entry, children(node)))


def _listed(names: list[Name]) -> str:
    return f"${', '.join(map(write, names))}$"
