"""The verdict about an equation or a condition: for all sizes, or with the smallest counterexample.

    prove(Identity(left, right, setting, ranges, domain))     two expressions of `proof.language`
    prove(Fact(condition, domain))                            integer arithmetic

A refutation counts only once the interpreter, which shares no code with the decision procedure, has evaluated both
sides at the counterexample and found them different.  A proof counts only if the sides are not zero everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

import sympy as sp
import z3

from backproof_spec.model import Axis
from backproof_spec.proof.coefficients import Coefficient, CountingError, coefficients
from backproof_spec.proof.compare import Comparison
from backproof_spec.proof.integers import Translation, UndecidedError, satisfiable, smallest
from backproof_spec.proof.interpret import evaluate, holds
from backproof_spec.proof.language import Setting
from backproof_spec.proof.terms import terms
from backproof_spec.proof.verdict import Counterexample, Entry, Status, Verdict


@dataclass(frozen=True, slots=True)
class Domain:
    """The parameters (sizes, strides, ...) with the least value of each, and further assumptions about them."""

    lowest: Mapping[sp.Symbol, int]
    assumptions: tuple[sp.Basic, ...] = ()

    @property
    def positive(self) -> frozenset[sp.Symbol]:
        """The parameters that are at least 1."""
        return frozenset(symbol for symbol, least in self.lowest.items() if least >= 1)

    @property
    def conditions(self) -> list[sp.Basic]:
        """All of it as relations."""
        return [*(sp.Ge(s, low, evaluate=False) for s, low in self.lowest.items()), *self.assumptions]


@dataclass(frozen=True, slots=True)
class Identity:
    """`left = right` for every parameter in `domain`, every index in its range and every value of every tensor."""

    left: sp.Expr
    right: sp.Expr
    setting: Setting
    ranges: Mapping[sp.Symbol, Axis]
    domain: Domain
    given: tuple[sp.Basic, ...] = ()  # further relations between indices and parameters
    #: Only the monomials that occur on the left: "... + left + ..." stands in the sum on the right.
    among: bool = False

    @property
    def conditions(self) -> list[sp.Basic]:
        """Assumptions and ranges as relations."""
        inside = list(self.given)
        for symbol, axis in self.ranges.items():
            inside += [sp.Ge(symbol, axis.lower), sp.Le(symbol, axis.lower + axis.size - 1)]
        return [*self.domain.conditions, *inside]


@dataclass(frozen=True, slots=True)
class Fact:
    """`condition` for every parameter in `domain` and all integers `free` that its own premises allow."""

    condition: sp.Basic
    domain: Domain
    free: tuple[sp.Symbol, ...] = ()
    given: tuple[sp.Basic, ...] = ()


def prove(obligation: Identity | Fact) -> Verdict:
    """Proved, refuted or open."""
    started = time.perf_counter()
    try:
        verdict = _identity(obligation) if isinstance(obligation, Identity) else _fact(obligation)
    except (CountingError, UndecidedError) as reason:
        verdict = Verdict(Status.OPEN, 0.0, reason=str(reason))
    return replace(verdict, seconds=time.perf_counter() - started)


# --- equations ---


def _identity(claim: Identity) -> Verdict:
    _closed(claim)
    left, right = terms(claim.left, claim.setting), terms(claim.right, claim.setting)
    functions = list(coefficients(left, right, claim.domain.positive))
    compared = Comparison(claim.conditions, claim.domain.positive, claim.among)
    wrong = [f for f in functions if not compared.equal_by_parts(f) and _satisfiable(compared, compared.different(f))]
    if wrong:
        return _refuted([_counterexample(claim, f, compared) for f in wrong])
    return _proved(claim, functions, compared)


def _closed(claim: Identity) -> None:
    """Every symbol has a range or is a parameter; definitions know their own indices and parameters alone.

    Raises:
        ValueError: Another symbol; in a definition it would mean something else in each place that reads it.
    """
    parameters, setting = set(claim.domain.lowest), claim.setting
    known: list[tuple[str, sp.Expr, Mapping[sp.Symbol, Any]]] = [
        ("the left side", claim.left, claim.ranges),
        ("the right side", claim.right, claim.ranges),
    ]
    for name in _reached(claim):
        for axis in setting.tensors[name].axes:
            known += [(f"the box of {name}", axis.lower, {}), (f"the box of {name}", axis.size, {})]
        if name in setting.definitions:
            definition = setting.definitions[name]
            known.append((f"the definition of {name}", definition.rhs, dict.fromkeys(definition.indices)))
    for where, expr, own in known:
        free = sp.sympify(expr).free_symbols & sp.sympify(expr).atoms(sp.Symbol)
        if loose := {s.name for s in free - set(own) - parameters} - set(setting.tensors):
            raise ValueError(f"{where} uses {', '.join(sorted(loose))}, which has no range and is no parameter")


def _reached(claim: Identity) -> set[str]:
    """The tensors that are read, by the sides or by definitions."""
    found: set[str] = set()
    exprs = [sp.sympify(claim.left), sp.sympify(claim.right)]
    while exprs:
        for read in exprs.pop().atoms(sp.Indexed):
            name = str(read.base)
            if name not in found:
                found.add(name)
                exprs += [claim.setting.definitions[name].rhs] if name in claim.setting.definitions else []
    return found & set(claim.setting.tensors)


def _satisfiable(compared: Comparison, condition: Any) -> bool:
    return satisfiable(compared.translation, [*compared.given, condition])


def _proved(claim: Identity, functions: Sequence[Coefficient], compared: Comparison) -> Verdict:
    """An equation between zeros, or about no case at all, proves nothing (unless zero is what is claimed)."""
    if not satisfiable(compared.translation, compared.given):
        return Verdict(Status.OPEN, 0.0, reason="vacuous: no sizes and indices satisfy the assumptions")
    if claim.right != 0 and not any(_satisfiable(compared, compared.value(f.left) != 0) for f in functions):
        return Verdict(Status.OPEN, 0.0, reason="vacuous: both sides are zero everywhere")
    return Verdict(Status.PROVED, 0.0)


def _counterexample(claim: Identity, function: Coefficient, compared: Comparison) -> Counterexample:
    order = (tuple(claim.domain.lowest), tuple(claim.ranges), function.symbols)
    found = smallest(compared.translation, [*compared.given, compared.different(function)], order)
    assert found is not None, "it was satisfiable"
    entries = [(name, tuple(found[s.name] for s in index)) for name, index in function.factors]
    return _replayed(claim, found, entries)


def _replayed(claim: Identity, found: Mapping[str, int], entries: Sequence[Entry]) -> Counterexample:
    """Both sides at the counterexample, by the interpreter: entries 1, or the least numbers that tell them apart."""
    sizes = {s.name: found[s.name] for s in claim.domain.lowest}
    indices = {s.name: found[s.name] for s in claim.ranges}
    for condition in claim.conditions:
        assert holds(condition, {**sizes, **indices}), f"{condition} does not hold at {sizes}, {indices}"
    distinct = list(dict.fromkeys(entries))
    for values in _numbers(len(distinct)):
        given = dict(zip(distinct, values, strict=True))
        left, right = (evaluate(side, claim.setting, sizes, indices, given) for side in (claim.left, claim.right))
        if left != right:
            return Counterexample(
                sizes, indices, given, Fraction(left), Fraction(right), _boxes(claim, sizes, distinct)
            )
    raise AssertionError(f"the interpreter finds no difference at {sizes}, {indices}, {entries}")


def _numbers(count: int) -> Iterator[tuple[int, ...]]:
    """Tuples of small numbers, all ones first: a difference of low degree shows at one of them."""
    for largest in range(1, 9):
        yield from (values for values in product(range(1, largest + 1), repeat=count) if largest in values or not count)


def _boxes(
    claim: Identity, sizes: Mapping[str, int], entries: Sequence[Entry]
) -> dict[str, tuple[tuple[int, int], ...]]:
    """The boxes of the tensors with entries that are not 0."""
    names = dict.fromkeys(name for name, _ in entries)
    axes = {name: claim.setting.tensors[name.partition("(")[2].rstrip(")") or name].axes for name in names}
    return {name: tuple((size(a.lower, sizes), size(a.size, sizes)) for a in box) for name, box in axes.items()}


def size(expr: sp.Expr, sizes: Mapping[str, int]) -> int:
    """A size or bound in numbers."""
    return int(expr.subs({s: sizes[s.name] for s in expr.free_symbols}))


def _refuted(found: Sequence[Counterexample]) -> Verdict:
    def weight(c: Counterexample) -> tuple[Any, ...]:
        groups = (tuple(c.sizes.values()), tuple(c.indices.values()))
        return (*((sum(map(abs, g)), g) for g in groups), len(c.entries), sorted(c.entries))

    return Verdict(Status.REFUTED, 0.0, min(found, key=weight))


# --- arithmetic ---


def _fact(claim: Fact) -> Verdict:
    translation = Translation(claim.domain.positive)
    given = [translation(c) for c in (*claim.domain.conditions, *claim.given)]
    condition = translation(claim.condition)
    order = (tuple(claim.domain.lowest), claim.free)
    found = smallest(translation, [*given, z3.Not(condition)], order)
    if found is not None:
        values = {s.name: found[s.name] for s in (*claim.domain.lowest, *claim.free)}
        if holds(claim.condition, values):
            raise AssertionError(f"the interpreter finds {claim.condition} true at {values}")
        sizes = {s.name: values[s.name] for s in claim.domain.lowest}
        indices = {s.name: values[s.name] for s in claim.free}
        return Verdict(Status.REFUTED, 0.0, Counterexample(sizes, indices, {}, None, None))
    if not satisfiable(translation, [*given, condition]):
        return Verdict(Status.OPEN, 0.0, reason="vacuous: no sizes satisfy the assumptions")
    return Verdict(Status.PROVED, 0.0)
