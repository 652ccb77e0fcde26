r"""Formulas as ordered trees: what a display prints, in the order in which it prints it, and nothing else.

Nothing is simplified, reordered or looked up.  A tree knows that `o_n^{l-1}(x-x', y-y')` is a name with a subscript, a
superscript and two arguments; that it reads a tensor is for others to say.  Parentheses and the sign of a product are
not kept: the nesting says the first, and nothing depends on the second.

Every tree can be printed so that it is read back as it was, so what would print like another tree is refused here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeAlias

#: Letters that denote a function when they stand before one argument in parentheses, without sub- or superscripts.
FUNCTIONS = frozenset({"a"})


@dataclass(frozen=True, slots=True)
class Number:
    """An integer as printed, so without a sign."""

    value: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError(f"a number is printed without a sign, not {self.value}: use Minus(Number({-self.value}))")


@dataclass(frozen=True, slots=True)
class Name:
    r"""A letter with what is attached to it: `x''`, `N_w`, `b_m^l`; `text` is the letter's LaTeX, `x` or `\delta`."""

    text: str
    subscripts: tuple[Node, ...] = ()
    superscript: Node | None = None
    primes: int = 0

    def __post_init__(self) -> None:
        if len(self.text) != 1 and not self.text.startswith("\\"):
            raise ValueError(f"a name is one letter or a command, not {self.text!r}")
        if isinstance(self.superscript, Number):
            raise ValueError(f"{self.superscript.value} above {self.text} would be an exponent: use Power")


@dataclass(frozen=True, slots=True)
class Read:
    """A name applied to arguments: `w_{n,m}^l(x, y)`."""

    name: Name
    arguments: tuple[Node, ...]

    def __post_init__(self) -> None:
        if not self.arguments:
            raise ValueError(f"a reading of {self.name.text} has arguments: without any, use the Name")
        bare = not self.name.subscripts and self.name.superscript is None
        if bare and self.name.text in FUNCTIONS:
            raise ValueError(f"{self.name.text} with arguments is a function: use Call")


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one argument: `a(...)`, and with `function` = `a'` its derivative."""

    function: str
    argument: Node

    def __post_init__(self) -> None:
        if self.function.rstrip("'") not in FUNCTIONS:
            raise ValueError(f"{self.function} is no function, as {', '.join(sorted(FUNCTIONS))} is: use Read")


@dataclass(frozen=True, slots=True)
class Index:
    """A bound index and the limits that are printed for it, if any."""

    name: Name
    lower: Node | None = None
    upper: Node | None = None


@dataclass(frozen=True, slots=True)
class _Bound:
    indices: tuple[Index, ...]
    body: Node

    def __post_init__(self) -> None:
        if not self.indices:
            raise ValueError("nothing to sum over: give at least one Index")
        if len({index.upper is None for index in self.indices}) > 1:
            raise ValueError("upper limits are printed for every index of a sum or for none: nest two sums")


@dataclass(frozen=True, slots=True)
class Sum(_Bound):
    """A sum over indices; the body is the product that follows."""


@dataclass(frozen=True, slots=True)
class Max(_Bound):
    """A maximum over indices, printed like a sum."""


@dataclass(frozen=True, slots=True)
class Product:
    """Two or more factors."""

    factors: tuple[Node, ...]

    def __post_init__(self) -> None:
        _at_least_two("factors", self.factors)


@dataclass(frozen=True, slots=True)
class Plus:
    """Two or more terms; one that is subtracted is a `Minus`."""

    terms: tuple[Node, ...]

    def __post_init__(self) -> None:
        _at_least_two("terms", self.terms)


@dataclass(frozen=True, slots=True)
class Minus:
    """A term with a minus sign before it."""

    body: Node


@dataclass(frozen=True, slots=True)
class Fraction:
    """One expression over another."""

    numerator: Node
    denominator: Node


@dataclass(frozen=True, slots=True)
class Floor:
    """The integer part of a quotient."""

    numerator: Node
    denominator: Node


@dataclass(frozen=True, slots=True)
class Power:
    """A power."""

    base: Node
    exponent: Node


@dataclass(frozen=True, slots=True)
class PartialDerivative:
    """A partial derivative, whether `of` stands in the numerator or, in parentheses, after the operator."""

    of: Node
    by: Name | Read


@dataclass(frozen=True, slots=True)
class Brace:
    """An expression with a brace below it; the label is another way to write it, or words."""

    body: Node
    label: Node | str

    def __post_init__(self) -> None:
        if isinstance(self.label, str) and set(self.label) & set("{}\\"):
            raise ValueError(f"a label in words has no braces or backslashes, as {self.label!r} has")


@dataclass(frozen=True, slots=True)
class Rotation:
    """What is turned by 180 degrees."""

    body: Node


@dataclass(frozen=True, slots=True)
class Dots:
    """An ellipsis."""


Node: TypeAlias = (
    Number
    | Name
    | Read
    | Call
    | Sum
    | Max
    | Product
    | Plus
    | Minus
    | Fraction
    | Floor
    | Power
    | PartialDerivative
    | Brace
    | Rotation
    | Dots
)


@dataclass(frozen=True, slots=True)
class Display:
    """`left = ... = ...`: the right-hand sides line by line, in the order of the chain."""

    left: Node
    lines: tuple[tuple[Node, ...], ...]

    @property
    def sides(self) -> tuple[Node, ...]:
        """All right-hand sides, whatever line they stand on."""
        return tuple(side for line in self.lines for side in line)


def children(node: Node | Index) -> tuple[Node, ...]:
    """The nodes directly inside a node, in the order of its fields."""
    found: list[Node] = []
    for field in fields(node):
        value = getattr(node, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Index):
                found.extend(children(item))
            elif isinstance(item, Node):
                found.append(item)
    return tuple(found)


def _at_least_two(what: str, nodes: tuple[Node, ...]) -> None:
    if len(nodes) < 2:
        raise ValueError(f"two or more {what}, not {len(nodes)}")
