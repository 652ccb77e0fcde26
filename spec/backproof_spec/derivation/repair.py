"""A formula near a refuted one that is proved.

The search changes the display's tree, not the encoding: one pair of pixel indices, wherever it occurs, is replaced by
`+-x +- x' +- x'' + offset` (columns alike), nearest to the printed indices first, and the result is read and proved.
Every counterexample met on the way is tried on the next candidates before they are proved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import product
from typing import Any

import sympy as sp

from backproof_spec.derivation import tree
from backproof_spec.derivation.latex import read_formula
from backproof_spec.derivation.reading import ReadingError
from backproof_spec.derivation.writer import write
from backproof_spec.proof.interpret import evaluate
from backproof_spec.proof.prove import Fact, Identity, prove
from backproof_spec.proof.verdict import Counterexample, Status, Verdict

Pair = tuple[tree.Node, tree.Node]

#: Letters of rows and columns go together.
PIXELS = (("x", "y"), ("x'", "y'"), ("x''", "y''"), ("x_k", "y_k"))
OFFSETS = ("", "N_w - 1", "- (N_w - 1)", "1", "- 1", "N_w", "- N_w")

Letters = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A changed formula and what it would have to satisfy."""

    tex: str
    obligation: Identity | Fact


@dataclass(frozen=True, slots=True)
class Found:
    """The first candidate that is proved, and how many were tried."""

    tex: str
    tried: int
    verdict: Verdict


def search(candidates: Iterable[Candidate], refuting: Counterexample | None) -> Found | None:
    """The first candidate that is proved."""
    known = [] if refuting is None else [refuting]
    for tried, candidate in enumerate(candidates, start=1):
        if isinstance(candidate.obligation, Identity) and any(_differs(candidate.obligation, c) for c in known):
            continue
        verdict = prove(candidate.obligation)
        if verdict.status is Status.PROVED and _beyond_the_smallest(candidate.obligation):
            return Found(candidate.tex, tried, verdict)
        if verdict.counterexample is not None:
            known.append(verdict.counterexample)
    return None


def _beyond_the_smallest(claim: Identity | Fact) -> bool:
    """Whether it is proved with all sizes larger by one, too: it must not be about one-pixel images alone."""
    larger = replace(claim.domain, lowest={symbol: least + 1 for symbol, least in claim.domain.lowest.items()})
    return prove(replace(claim, domain=larger)).status is Status.PROVED


def _differs(claim: Identity, case: Counterexample) -> bool:
    """Whether the two sides differ in a case that refuted another candidate."""
    sides = (claim.left, claim.right)
    left, right = (evaluate(e, claim.setting, case.sizes, case.indices, case.entries) for e in sides)
    return bool(left != right and (left != 0 or not claim.among))


# --- other pixel indices ---


def changed_indices(
    node: tree.Node, fixed: tree.Node, read: Callable[[tree.Node], sp.Expr], claim: Identity
) -> Iterator[Candidate]:
    """The formula with one pair of pixel indices replaced; entries that stand in `fixed` are left alone."""
    kept = frozenset(_entries(fixed))
    free = [(entry.arguments[0], entry.arguments[1]) for entry in _entries(node) if entry not in kept]
    pairs = [pair for pair in dict.fromkeys(free) if not all(isinstance(index, tree.Number) for index in pair)]
    used = {write(name) for name in (*_names(node), *_names(fixed))}
    letters = tuple(names for names in PIXELS if names[0] in used)
    for _, pair, other in sorted(_replacements(pairs, letters), key=lambda found: found[0]):
        changed = _with(node, pair, other, kept)
        try:
            expr = read(changed)
        except ReadingError:  # an index that lost its place has no limits any more
            continue
        if not _closed(expr, claim):
            continue
        sides = {"left": expr} if claim.among else {"right": expr}
        yield Candidate(write(changed), replace(claim, **sides))


def _closed(expr: sp.Expr, claim: Identity) -> bool:
    """Whether every index in a changed formula is bound or has a range."""
    known = {*claim.ranges, *claim.domain.lowest}
    return all(s in known or s.name in claim.setting.tensors for s in expr.atoms(sp.Symbol) & expr.free_symbols)


def _replacements(pairs: list[Pair], letters: Letters) -> Iterator[tuple[tuple[int, int, int], Pair, Pair]]:
    """`(distance, printed pair, other pair)` for every pair and every affine index; an offset counts as two letters."""
    for number, printed in enumerate(pairs):
        shape, offset = _shape(printed[0], letters)
        for k, (signs, other) in enumerate(product(product((0, 1, -1), repeat=len(letters)), OFFSETS)):
            distance = sum(a != b for a, b in zip(signs, shape, strict=True)) + 2 * (other != offset)
            if distance:
                rows, columns = (_affine(signs, other, letters, axis) for axis in (0, 1))
                yield (distance, number, k), printed, (rows, columns)


def _affine(signs: tuple[int, ...], offset: str, letters: Letters, axis: int) -> tree.Node:
    """`x + x' - x'' + offset` for the rows (axis 0) or the columns; positive terms first."""
    terms = [(sign, names[axis]) for sign, names in zip(signs, letters, strict=True) if sign]
    ordered = [name for sign, name in terms if sign > 0] + [f"- {name}" for sign, name in terms if sign < 0]
    text = " + ".join([*ordered, offset] if offset else ordered) or "0"
    return read_formula(text.replace("+ -", "-"))


def _shape(index: tree.Node, letters: Letters) -> tuple[tuple[int, ...], str]:
    """The signs of the letters in a printed index, and its offset: what a replacement is measured against."""
    terms = index.terms if isinstance(index, tree.Plus) else (index,)
    printed = [write(term) for term in terms]
    signs = tuple(1 if row in printed else -1 if f"-{row}" in printed else 0 for row, _ in letters)
    known = {sign + row for row, _ in letters for sign in ("", "-")} | {"0", "-0"}
    return signs, " + ".join(term for term in printed if term not in known)


def _entries(node: tree.Node) -> Iterator[tree.Read]:
    """The entries with a row and a column."""
    if isinstance(node, tree.Read) and len(node.arguments) == 2:
        yield node
    for child in tree.children(node):
        yield from _entries(child)


def _names(node: tree.Node) -> Iterator[tree.Name]:
    """All letters with what is attached to them."""
    if isinstance(node, tree.Name):
        yield node
    for child in tree.children(node):
        yield from _names(child)


def _with(node: Any, pair: Pair, other: Pair, kept: frozenset[tree.Read]) -> Any:
    """The tree with a pair of arguments replaced wherever it occurs, except in the entries that are kept."""
    if isinstance(node, tuple):
        return other if node == pair else tuple(_with(item, pair, other, kept) for item in node)
    if not is_dataclass(node) or node in kept:
        return node
    return replace(node, **{f.name: _with(getattr(node, f.name), pair, other, kept) for f in fields(node)})  # type: ignore[type-var]
