"""A claim as it is written down: a formula, what it should mean, and the obligations that follow from it.

A `Statement` brings no verdict.  Its `lines` say, for a frame, what has to be proved; `judge` finds out whether it can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

import sympy as sp

from backproof_spec.model import Frame, Source
from backproof_spec.proof.prove import Fact, Identity

Obligation = Identity | Fact


class Chain(Protocol):
    """The encoding of `left = line 1 = line 2 = ...` in one frame."""

    def __call__(self, frame: Frame) -> tuple[Identity, ...]:
        """One identity per line: its left side is the line before."""


@dataclass(frozen=True, slots=True)
class Line:
    """One step of a claim.

    `at` is the place in the display that states it: `(k,)` for the k-th right-hand side, `(k, j)` for the j-th term
    shown there before or after an ellipsis.  Steps that no display states bring their own `tex`.
    """

    reason: str
    obligation: Callable[[Frame], Obligation]
    at: tuple[int, ...] = ()
    tex: str = ""
    #: How to read `tex` (a key of `reading.VOCABULARIES`); empty: it is not compared with what is judged.
    vocabulary: str = ""
    #: False: a way to read the post that the post does not state; refuting it is no erratum.
    stated: bool = True
    #: Where to look for a repair, nearest first, as (LaTeX, obligation); None: among the display's pixel indices.
    candidates: Callable[[Frame], Iterable[tuple[str, Obligation]]] | None = None


@dataclass(frozen=True, slots=True)
class Worked:
    """Which line to show with numbers, and the sizes that are not the usual ones."""

    line: int = 0
    shows: str = ""  # LaTeX of the result; the left side of the statement's formula unless given
    sizes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Statement:
    """An equation or a remark: where it stands, its formula, what it leaves unsaid, and its steps."""

    id: str
    title: str
    source: Source
    explanation: str
    lines: tuple[Line, ...]
    vocabulary: str = ""  # how to read the display, as for a line
    framed: bool = True  # whether the verdict can depend on how pixels are numbered
    ranges: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    equation: str = ""  # the equation from which code is generated
    in_post: bool = True  # whether the post says it, in words or in a display
    worked: Worked | None = None
    claimed: tuple[str, ...] = ()  # the frames for which the post says it; empty: it names none

    @property
    def tex(self) -> str:
        """The formula as printed."""
        return self.source.tex


def lines_of(build: Chain, *reasons: str) -> tuple[Line, ...]:
    """One line per right-hand side of a display."""
    return tuple(Line(reason, _nth(build, k), at=(k,)) for k, reason in enumerate(reasons))


def _nth(build: Chain, k: int) -> Callable[[Frame], Obligation]:
    return lambda frame: build(frame)[k]


def chain(first: Identity, *more: sp.Expr) -> tuple[Identity, ...]:
    """`first.left = first.right = more[0] = more[1] = ...` as one identity per equality sign."""
    sides: Sequence[sp.Expr] = (first.left, first.right, *more)
    return tuple(
        Identity(before, after, first.setting, first.ranges, first.domain, first.given)
        for before, after in pairwise(sides)
    )
