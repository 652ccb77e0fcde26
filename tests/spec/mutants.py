"""Claims with one thing wrong, and a check of proved ones that uses the interpreter alone.

A mutant of an equation changes one node of one side, or of one definition that the sides read: an index by 1, a limit
of a sum by 1, a sign, a factor, a term, two pixel indices, a unit, a kernel's size.  Some mutants are still true: to
read one row further than a tensor reaches adds nothing.  So a mutant is expected to be judged rightly, not refuted.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp
from sympy.core.relational import Relational

from backproof_spec.equations.symbols import NW
from backproof_spec.proof.interpret import evaluate, holds, polynomial
from backproof_spec.proof.language import Definition
from backproof_spec.proof.prove import Fact, Identity
from backproof_spec.proof.quantifier import Exists, ForAll
from backproof_spec.proof.verdict import Counterexample, Entry

Path = tuple[int, ...]
Values = dict[str, int]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A claim and what was done to it."""

    what: str
    obligation: Identity | Fact


def mutants(claim: Identity | Fact) -> list[Mutant]:
    """All mutants of a claim's formula, each of them once."""
    if isinstance(claim, Fact):
        return [Mutant(str(e), replace(claim, condition=e)) for e in _changed(claim.condition, _condition_changes)]
    side = "left" if claim.among else "right"
    units = tuple(symbol for symbol in claim.ranges if symbol.name in "nmp")
    whole = getattr(claim, side)
    changed = [*_changed(whole, lambda node: _changes(node, units)), 2 * whole, -whole]
    return [Mutant(f"{side}: {e}", replace(claim, **{side: e})) for e in changed if e != 0]


def mutants_of_meaning(claim: Identity) -> list[Mutant]:
    """All mutants of the definitions with which a claim is read; its formula stays."""
    found = []
    for name in _read_names(claim):
        definition = claim.setting.definitions[name]
        for rhs in _changed(definition.rhs, lambda node: _changes(node, ())):
            definitions = {**claim.setting.definitions, name: Definition(definition.indices, rhs)}
            setting = replace(claim.setting, definitions=definitions)
            found.append(Mutant(f"{name} := {rhs}", replace(claim, setting=setting)))
    return found


def _read_names(claim: Identity) -> list[str]:
    """The defined tensors that the sides read, directly or through others."""
    names: dict[str, None] = {}
    found = [claim.left, claim.right]
    while found:
        for name in {str(read.base) for read in found.pop().atoms(sp.Indexed)}:
            if claim.setting.error and name == claim.setting.error[0]:
                name = claim.setting.error[1]  # E is read through what it is a function of
            if name in claim.setting.definitions and name not in names:
                names[name] = None
                found.append(claim.setting.definitions[name].rhs)
    return list(names)


# --- one change ---


def _changed(expr: Any, changes: Any) -> list[Any]:
    """The expression with one node changed, in every way and at every place."""
    found = dict.fromkeys(_with(expr, path, other) for path, node in _places(expr) for other in changes(node))
    return [other for other in found if other != expr]


def _places(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every node that may be changed, outermost first: not the names of tensors and bound symbols."""
    yield path, node
    if isinstance(node, sp.Subs):  # the slope: its point is an entry, the rest says that it is a slope
        yield from _places(node.point[0], (*path, 2, 0))
        return
    named = isinstance(node, sp.Indexed | sp.Tuple)
    for k in range(1 if named else 0, len(node.args)):
        yield from _places(node.args[k], (*path, k))


def _with(node: Any, path: Path, other: Any) -> Any:
    if not path:
        return other
    args = list(node.args)
    args[path[0]] = _with(args[path[0]], path[1:], other)
    if isinstance(node, Relational):
        return node.func(*args, evaluate=False)
    return node.func(*args)


def _changes(node: Any, units: tuple[sp.Symbol, ...]) -> Iterator[Any]:
    """What one node of an equation may become."""
    match node:
        case sp.Indexed():
            yield from _other_entries(node, units)
        case sp.Sum(function=body, limits=limits):
            for k, (symbol, low, high) in enumerate(limits):
                for first, last in ((low + 1, high), (low - 1, high), (low, high + 1), (low, high - 1)):
                    yield sp.Sum(body, *limits[:k], (symbol, first, last), *limits[k + 1 :])
        case sp.KroneckerDelta(args=(i, j)):
            yield from (sp.KroneckerDelta(i + by, j) for by in (1, -1))
        case sp.Mul():
            yield from (node.func(*node.args[:k], *node.args[k + 1 :]) for k in range(len(node.args)))
        case sp.Pow(base=base, exp=exponent) if exponent == 2:
            yield base
        case sp.Add():
            for k, term in enumerate(node.args):
                rest = node.func(*node.args[:k], *node.args[k + 1 :])
                yield from (rest - term, rest)
        case sp.floor(args=(quotient,)):
            numerator, divisor = sp.fraction(sp.together(quotient))
            yield from (sp.floor(e) for e in ((numerator + 1) / divisor, numerator / (2 * divisor)))
        case sp.Mod(args=(value, divisor)):
            yield from (sp.Mod(value + 1, divisor), sp.Mod(value, 2 * divisor))
        case sp.Symbol() if node == NW:
            yield NW - 1


def _other_entries(read: sp.Indexed, units: tuple[sp.Symbol, ...]) -> Iterator[sp.Indexed]:
    index = read.indices
    for k, i in enumerate(index):
        others = (0, *units) if k < len(index) - 2 else ()
        yield from (read.base[(*index[:k], other, *index[k + 1 :])] for other in (i + 1, i - 1, *others))
    if len(index) > 1:
        yield read.base[(*index[:-2], index[-1], index[-2])]


_STRICTER = {sp.Le: sp.Lt, sp.Lt: sp.Le, sp.Ge: sp.Gt, sp.Gt: sp.Ge, sp.Eq: sp.Le, sp.Ne: sp.Lt}


def _condition_changes(node: Any) -> Iterator[Any]:
    """What one node of a condition may become."""
    match node:
        case Relational(lhs=left, rhs=right):
            yield _STRICTER[node.func](left, right, evaluate=False)
            yield from (node.func(left, right + by, evaluate=False) for by in (1, -1))
        case sp.And():
            yield sp.Or(*node.args)
        case sp.Or():
            yield sp.And(*node.args)
        case Exists() | ForAll():
            (symbol, first, last), *outer = node.limits
            yield from (node.func(node.condition, (symbol, first, last + by), *outer) for by in (1, -1))


# --- what a proof or a refutation should look like to someone who does not know how it was found ---


def refutes(case: Counterexample, claim: Identity | Fact) -> bool:
    """Whether a counterexample satisfies every assumption and contradicts the claim, says the interpreter."""
    values = {**case.sizes, **case.indices}
    if isinstance(claim, Fact):
        given = (*claim.domain.conditions, *claim.given)
        return all(holds(c, values) for c in given) and not holds(claim.condition, values)
    sides = (claim.left, claim.right)
    left, right = (evaluate(e, claim.setting, case.sizes, case.indices, case.entries) for e in sides)
    return all(holds(c, values) for c in claim.conditions) and (left, right) == (case.left, case.right)


def holds_at(claim: Identity | Fact, values: Values, seed: int) -> bool:
    """Whether a claim is true at one instance, for random entries or, of a term of a sum, for all."""
    if isinstance(claim, Fact):
        return holds(claim.condition, values)
    sizes, indices = ({s.name: values[s.name] for s in names} for names in (claim.domain.lowest, claim.ranges))
    if claim.among:
        term, whole = (polynomial(e, claim.setting, sizes, indices).terms for e in (claim.left, claim.right))
        return all(whole.get(monomial) == coefficient for monomial, coefficient in term.items())
    entries = Noise(seed)
    left, right = (evaluate(e, claim.setting, sizes, indices, entries) for e in (claim.left, claim.right))
    return left == right


class Noise(dict[Entry, int]):
    """A number for every entry that is asked for."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)

    def get(self, entry: Entry, default: Any = None) -> int:
        """The entry's number, the same as before; 0 never, which would hide what it multiplies."""
        return self.setdefault(entry, self.random.choice((-3, -2, -1, 1, 2, 3)))


def instances(claim: Identity | Fact, wanted: int, seed: int, excess: int = 2) -> list[Values]:
    """Random small sizes and indices that satisfy a claim's assumptions, `wanted` of them if that many turn up."""
    draw = random.Random(seed)
    found: list[Values] = []
    for _ in range(1000 * wanted):
        values = {s.name: low + draw.randint(0, excess) for s, low in claim.domain.lowest.items()}
        if isinstance(claim, Fact):
            conditions = [*claim.domain.conditions, *claim.given]
            values |= {s.name: draw.randint(-1, 3) for s in claim.free}
        else:
            conditions = claim.conditions
            values |= {s.name: _index(draw, axis, values) for s, axis in claim.ranges.items()}
        if all(holds(c, values) for c in conditions):
            found.append(values)
        if len(found) == wanted:
            break
    return found


def _index(draw: random.Random, axis: Any, sizes: Mapping[str, int]) -> int:
    lower, size = (int(e.subs({s: sizes[s.name] for s in e.free_symbols})) for e in (axis.lower, axis.size))
    return lower + draw.randint(0, max(0, size - 1))
