"""What is printed for a line, and whether it says what is judged: the LaTeX against its encoding, in one frame.

Lines of a display are parts of it; other lines bring LaTeX of their own, which is read where they name a vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import sympy as sp

from backproof_spec.derivation import tree
from backproof_spec.derivation.latex import LatexError, read_display, read_formula
from backproof_spec.derivation.reading import VOCABULARIES, Reader, ReadingError
from backproof_spec.derivation.statement import Line, Statement
from backproof_spec.proof.prove import Identity, prove
from backproof_spec.proof.verdict import Status, Verdict


@dataclass(frozen=True, slots=True)
class Printed:
    """One side of an equation as a tree, with the left side of the equation where one is printed."""

    side: tree.Node
    left: tree.Node | None
    vocabulary: str
    first: bool  # whether the left side is the line's own: the side that the line should equal

    def reader(self, claim: Identity, labels: bool = False) -> Reader:
        """Reads this formula in the setting of a claim."""
        return Reader(VOCABULARIES[self.vocabulary], claim.setting, self.left, labels)


def printed(statement: Statement, line: Line) -> Printed | None:
    """The formula of a line; None where nothing is printed that can be read."""
    if line.at and statement.vocabulary:
        display = read_display(statement.tex)
        return Printed(_part(display, line.at), display.left, statement.vocabulary, line.at == (0,))
    if not line.vocabulary:
        return None
    try:
        return Printed(read_formula(line.tex), None, line.vocabulary, first=False)
    except LatexError:
        display = read_display(line.tex)  # an equation
    return Printed(display.sides[0], display.left, line.vocabulary, first=True)


def _part(display: tree.Display, at: tuple[int, ...]) -> tree.Node:
    """A side of the chain, or a term of a side."""
    side = display.sides[at[0]]
    if len(at) == 1:
        return side
    body = side.of if isinstance(side, tree.PartialDerivative) else side
    assert isinstance(body, tree.Plus), "only a sum has terms"
    return body.terms[at[1]]


def agreement(formula: Printed, claim: Identity) -> Verdict:
    """Whether the LaTeX says what the encoding says: this side, below its braces too, and the left side."""
    verdict = Verdict(Status.PROVED, 0.0)
    try:
        for encoded, read in _pairs(formula, claim):
            if read == encoded:
                continue
            verdict = prove(replace(claim, left=encoded, right=read, among=False))
            if verdict.status is not Status.PROVED:
                return verdict
    except ReadingError as reason:
        return Verdict(Status.OPEN, 0.0, reason=str(reason))
    return verdict


def _pairs(formula: Printed, claim: Identity) -> Iterator[tuple[sp.Expr, sp.Expr]]:
    """Each encoded side with what is printed for it."""
    encoded = claim.left if claim.among else claim.right
    yield encoded, formula.reader(claim).side(formula.side)
    if _labelled(formula.side):
        yield encoded, formula.reader(claim, labels=True).side(formula.side)
    if formula.first and formula.left is not None:
        yield claim.left, formula.reader(claim).side(formula.left)


def _labelled(node: tree.Node) -> bool:
    """Whether something stands above a brace that has another way to write it below."""
    if isinstance(node, tree.Brace) and not isinstance(node.label, str):
        return True
    return any(map(_labelled, tree.children(node)))
