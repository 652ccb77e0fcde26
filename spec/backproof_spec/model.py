"""The data model: tensors that are zero outside their box, frames, and equations between them.

An `Equation` states `lhs = rhs` for every index in the box of its left tensor.  Both sides are SymPy objects; `Indexed`
entries are reads of tensors.  A read outside a tensor's box is 0: this *zero extension* is what gives the post's
"undefined pixels" a value, and it is the only convention that SymPy does not see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits


class Maximum(ExprWithLimits):  # type: ignore[misc]  # SymPy is untyped
    """`Maximum(f, (a, 0, n), ...)`: the largest value of `f` over the reads that fall inside their tensor's box."""


@dataclass(frozen=True, slots=True)
class Source:
    """The section of the post to which a formula belongs, its LaTeX, and which display of the post it is.

    `number` counts the post's displays from 1; None: the post has no such display.
    """

    section: str
    tex: str
    number: int | None = None

    @property
    def in_post(self) -> bool:
        """Whether the post displays it."""
        return self.number is not None


@dataclass(frozen=True, slots=True)
class Axis:
    """Indices `lower, ..., lower + size - 1`."""

    size: sp.Expr
    lower: sp.Expr = sp.S.Zero


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named array with one `Axis` per index; 0 outside that box."""

    name: str
    axes: tuple[Axis, ...]
    latex: str = ""

    def __getitem__(self, index: Any) -> sp.Indexed:
        return sp.IndexedBase(self.name)[index]


@dataclass(frozen=True, slots=True)
class Frame:
    """Which pixels of a convolution's result are kept, and how they are numbered.

    A `size` image convolved with a `kernel` gives pixels `lower, ..., lower + extent - 1`; the pixel numbered x is the
    unshifted result's pixel x + shift.
    """

    name: str
    meaning: str

    def axis(self, size: sp.Expr, kernel: sp.Expr) -> Axis:
        """The box of the result along one axis."""
        if self.name == "FULL":
            return Axis(size + kernel - 1)
        if self.name == "VALID_U":
            return Axis(size - kernel + 1, lower=kernel - 1)
        return Axis(size - kernel + 1)

    def shift(self, kernel: sp.Expr) -> sp.Expr:
        """How far the numbering is moved: the pixel numbered x is the unshifted result's pixel x + shift."""
        return kernel - 1 if self.name == "VALID_S" else sp.S.Zero


FULL = Frame("FULL", "every pixel that one tap reaches: 0 .. H + N - 2")
VALID_U = Frame("VALID_U", "valid pixels under their own numbers: N - 1 .. H - 1")
VALID_S = Frame("VALID_S", "valid pixels moved to the top left by N - 1: 0 .. H - N")
FRAMES = (FULL, VALID_U, VALID_S)


@dataclass(frozen=True, slots=True)
class Equation:
    """`lhs = rhs` over the box of `tensors[0]`, the tensor on the left; `tensors[1:]` are read on the right.

    `parameters` are the integer symbols (sizes and options) that the boxes and the right-hand side may use.
    """

    id: str
    title: str
    source: Source
    tensors: tuple[Tensor, ...]
    lhs: sp.Indexed
    rhs: sp.Expr
    parameters: tuple[sp.Symbol, ...]
    frame: Frame | None = None
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = {tensor.name for tensor in self.tensors}
        unknown = {str(read.base) for read in self.rhs.atoms(sp.Indexed)} - names
        if unknown or str(self.lhs.base) != self.tensors[0].name:
            raise ValueError(f"equation {self.id!r} reads tensors {sorted(unknown)} that it does not declare")
        free = {s for s in self.rhs.free_symbols if isinstance(s, sp.Symbol)} - set(self.parameters) - set(self.indices)
        loose = {s.name for s in free} - names
        if loose:
            raise ValueError(f"equation {self.id!r} uses {sorted(loose)}, neither an index nor a parameter")

    @property
    def indices(self) -> tuple[sp.Symbol, ...]:
        """The free indices: those of the left-hand side, in order."""
        return tuple(self.lhs.indices)

    def tensor(self, name: str) -> Tensor:
        """The declared tensor called `name`."""
        return next(tensor for tensor in self.tensors if tensor.name == name)

    def with_rhs(self, rhs: sp.Expr) -> Equation:
        """The same equation with another right-hand side."""
        return replace(self, rhs=rhs)

    def with_activation(self, activation: sp.Lambda) -> Equation:
        """The equation with the undefined activation `a` replaced; SymPy differentiates it where `a'` stands."""
        filled = self.rhs.replace(sp.Function("a"), activation)
        return self.with_rhs(filled.replace(lambda e: isinstance(e, sp.Subs), lambda e: e.doit()))


def integers(names: str) -> Any:
    """Integer symbols, as `sympy.symbols`."""
    return sp.symbols(names, integer=True)


def instance(rhs: sp.Expr, values: Mapping[sp.Symbol, Any]) -> sp.Expr:
    """`rhs` with parameters fixed: how an equation of the post arises from the general one."""
    return rhs.subs(dict(values), simultaneous=True)
