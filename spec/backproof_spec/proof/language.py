"""What a claim may say, and what it means.

An expression is built from integers, parameters (sizes, strides, ...) and indices, reads `T[i, j, ...]` of tensors,
`+`, `*`, integer powers, `Sum`, `floor`, `Mod`, and

    KroneckerDelta(i, j)     1 where the integers i and j are equal, else 0
    a(T[I])                  the activation at one entry
    slope(T[I])              a'(T[I]): `Subs(Derivative(a(z), z), z, T[I])`
    Partial(f, T[J])         the partial derivative of f by one entry

Meaning, given a `Setting` and a value for every entry of every tensor that the setting does not define:

    T[I]                     0 outside T's box; the definition's value where T has one; otherwise the entry
    a(T[I]), a'(T[I])        0 outside T's box; otherwise values of their own, one per entry: `a` is arbitrary
    Sum(f, (v, lo, hi))      lo <= v <= hi, both inclusive; empty where hi < lo
    Partial(f, T[J])         by the rules of sum and product, and
        Partial(T[I], T[J])      1 where I = J and I is in the box, else 0
        Partial(a(T[I]), r)      a'(T[I]) * Partial(T[I], r)
        Partial(S[I], r)         the derivative of S's definition, for a defined S that is not r's own tensor
        Partial(E[...], r)       sum over the box of c of delta[I] * Partial(c[I], r), where E is an arbitrary function
                                 of c and `error = ("E", "c", "delta")`: the chain rule, which is assumed

A defined tensor that an expression differentiates by is for that derivative a variable of its own; tensors without a
definition, delta among them, are constants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import sympy as sp

from backproof_spec.model import Tensor


class Partial(sp.Expr):  # type: ignore[misc]  # SymPy is untyped
    """`Partial(f, T[J])`: the partial derivative of `f` by one entry of a tensor."""

    @property
    def of(self) -> sp.Expr:
        """What is differentiated."""
        return self.args[0]

    @property
    def by(self) -> sp.Indexed:
        """The entry by which."""
        return self.args[1]


@dataclass(frozen=True, slots=True)
class Definition:
    """`tensor[indices] = rhs` inside the tensor's box."""

    indices: tuple[sp.Symbol, ...]
    rhs: sp.Expr


@dataclass(frozen=True, slots=True)
class Setting:
    """The tensors of a claim, what defines some of them, and through which of them E is reached."""

    tensors: Mapping[str, Tensor]
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    #: (name of E, name of c, name of delta = dE/dc): E is an arbitrary differentiable function of c.
    error: tuple[str, str, str] | None = None

    def tensor(self, read: sp.Indexed) -> Tensor:
        """The tensor that is read.

        Raises:
            KeyError: No tensor of that name is declared.
        """
        return self.tensors[str(read.base)]

    def define(self, tensor: Tensor, indices: tuple[sp.Symbol, ...], rhs: sp.Expr) -> Setting:
        """This setting with one more definition."""
        return replace(
            self,
            tensors={**self.tensors, tensor.name: tensor},
            definitions={**self.definitions, tensor.name: Definition(indices, rhs)},
        )
