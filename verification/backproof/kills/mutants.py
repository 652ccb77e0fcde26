"""Which mutants there are: those of the museum's registries, and as many of its grammar as one asks for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from backproof.museum import MUSEUM
from backproof.museum.foreign import FOREIGN

#: The families of mutants that are listed, and that of the grammar, which has no end.
LISTED = ("museum", "foreign")
SYNTHETIC = "synthetic"
FAMILIES = (*LISTED, SYNTHETIC)


class UnknownMutantError(ValueError):
    """There is no mutant of that id."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong layer: `target` is what `backproof check` takes, `trigger` says in a few words when it is wrong."""

    id: str
    family: str
    title: str
    quantity: str
    trigger: str
    target: str


def listed(families: Iterable[str] = LISTED) -> list[Mutant]:
    """All mutants of the registries of these families."""
    wanted = set(families)
    return [mutant for mutant in (*_museum(), *_foreign()) if mutant.family in wanted]


def named(ids: Sequence[str]) -> list[Mutant]:
    """The mutants of these ids: of any family, each once.

    Raises:
        UnknownMutantError: There is none of that id; the message has the nearest.
    """
    known = {mutant.id: mutant for mutant in listed()}
    return [known[name] if name in known else _drawn_by_name(name, list(known)) for name in dict.fromkeys(ids)]


def drawn(count: int, literals: int, seed: int) -> list[Mutant]:
    """The first `count` mutants that a seed of the grammar draws, with gates of so many literals.

    Raises:
        ValueError: The grammar does not have gates of so many literals.
    """
    grammar = importlib.import_module("backproof.museum.synthetic")
    return [_synthetic(grammar.draw(seed, literals, number)) for number in range(count)]


def _museum() -> Iterator[Mutant]:
    for item in MUSEUM.values():
        yield Mutant(item.id, "museum", item.title, str(item.quantity), str(item.trigger), item.target)


def _foreign() -> Iterator[Mutant]:
    for item in FOREIGN.values():
        target = f"backproof.museum.foreign:{type(item.target).__name__}"
        yield Mutant(item.id, "foreign", item.title, item.quantity, item.kind, target)


def _synthetic(item: object) -> Mutant:
    name, title, quantity, target = (getattr(item, key) for key in ("name", "title", "quantity", "target"))
    return Mutant(name, SYNTHETIC, title, quantity, f"{name.split('_')[1]} literals", target)


def _drawn_by_name(name: str, known: list[str]) -> Mutant:
    """`s7_3_17`: the mutant of the grammar with generator seed 7, 3 literals and number 17."""
    head, *numbers = name.split("_")
    if name.startswith("s") and len(numbers) == 2 and all(part.isdecimal() for part in (head[1:], *numbers)):
        grammar = importlib.import_module("backproof.museum.synthetic")
        try:
            return _synthetic(grammar.draw(int(head[1:]), *map(int, numbers)))
        except ValueError as error:
            raise UnknownMutantError(f"there is no mutant {name!r}: {error}") from error
    folded = {item.lower(): item for item in known}
    near = [folded[item] for item in difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.5)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"ids are such as {known[0]} and {known[-1]}"
    raise UnknownMutantError(f"there is no mutant {name!r}; {hint}")
