"""How a check looks for failures: fixed cases, then a search by Hypothesis; each failure shrunk.

A quantity that has failed is not tried again: its smallest failure is reported once, and a function that crashes or
hangs costs one worker, not hundreds.  Several families of cases take turns, so that the most useful cases of each are
tried early.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from backproof.cases.shrink import shrink
from backproof.checks.bench import Array, Bench, Found, Wrong

C = TypeVar("C")
T = TypeVar("T")
Row: TypeAlias = tuple[int, ...]  # a level of each factor, then a seed


@dataclass(frozen=True, slots=True)
class Family(Generic[C]):
    """What a hunt needs to know of its cases.

    Attributes:
        quantities: What can fail.
        fixed: Cases that every run tries, the most useful first.
        search: Number of random examples after them.
        sizes: Number of levels per factor, for the search.
        case: The case of a row of level numbers and a seed.
        attempt: What is wrong with the given quantities at a case.
        simpler: Simpler cases, for shrinking.
        arrays: The data of a case, for the finding.
    """

    quantities: tuple[str, ...]
    fixed: Sequence[C]
    search: int
    sizes: tuple[int, ...]
    case: Callable[[Sequence[int], int], C]
    attempt: Callable[[C, Iterable[str]], Iterable[Wrong]]
    simpler: Callable[[C], Iterator[C]]
    arrays: Callable[[C], dict[str, Array]]


def hunt(bench: Bench, *families: Family[Any]) -> None:
    """Try the fixed cases of the families in turn, then each one's search; report the smallest failures."""
    total = sum(len(family.fixed) + family.search for family in families)
    done = 0

    def tried(failed: bool) -> None:
        nonlocal done
        done += 1
        if failed and bench.hasty:
            for hunter in hunters:
                hunter.standing.clear()
        if done % 10 == 0 or failed:
            bench.progress(min(done, total), total)

    hunters = [_Hunter(bench, family, tried) for family in families]
    for hunter, case in in_turn([[(hunter, case) for case in hunter.family.fixed] for hunter in hunters]):
        hunter.attempt(case)
    for hunter in hunters:
        hunter.search()
    bench.progress(total, total)
    for hunter in hunters:
        hunter.report()


def in_turn(lists: Sequence[Sequence[T]]) -> list[T]:
    """All entries, each list in its order and spread over the whole: of a list twice as long, two at a time."""
    placed = [((place + 0.5) / len(entries), entry) for entries in lists for place, entry in enumerate(entries)]
    return [entry for _, entry in sorted(placed, key=lambda pair: pair[0])]


class _Hunter(Generic[C]):
    """One family: the quantities that still stand, and the failures of the others."""

    def __init__(self, bench: Bench, family: Family[C], tried: Callable[[bool], None]) -> None:
        self.bench, self.family, self.tried = bench, family, tried
        self.standing = set(family.quantities)
        self.failures: list[tuple[Wrong, C, int]] = []

    def attempt(self, case: C) -> bool:
        """Try a case for what still stands; whether something failed."""
        if not self.standing:
            return False
        wanted = [q for q in self.family.quantities if q in self.standing]
        failed = [w for w in self.family.attempt(case, wanted) if self.standing & set(w.quantity.split("+"))]
        for wrong in failed:
            self.failures.append((wrong, case, self.bench.tally.examples))
            self.standing.difference_update(wrong.quantity.split("+"))
        self.tried(bool(failed))
        return bool(failed)

    def search(self) -> None:
        """What failed in earlier runs, then random rows."""
        kept = _Kept(self.bench.database, self.family)
        for row in kept.rows():
            if self.standing and not self.attempt(self.family.case(row[:-1], row[-1])):
                kept.forget(row)
        if self.family.search and self.standing:
            _search(self, kept)

    def report(self) -> None:
        """Each failure at its smallest, in the order of the quantities."""
        order = self.family.quantities
        for wrong, case, after in sorted(self.failures, key=lambda f: order.index(f[0].quantity.split("+")[0])):
            _report(self.bench, self.family, wrong, case, after)


class _Kept:
    """Rows of levels, each with its seed, that failed in earlier runs of this target."""

    def __init__(self, folder: str | None, family: Family[Any]) -> None:
        from hypothesis.database import DirectoryBasedExampleDatabase

        self.database = DirectoryBasedExampleDatabase(folder) if folder else None
        self.sizes = family.sizes
        self.key = f"{family.quantities} {family.sizes}".encode()

    def rows(self) -> list[Row]:
        """Those that still are rows of these levels."""
        saved = [tuple(json.loads(value)) for value in self.database.fetch(self.key)] if self.database else []
        return sorted(row for row in saved if len(row) == len(self.sizes) + 1)

    def keep(self, row: Row) -> None:
        """For the next run."""
        if self.database:
            self.database.save(self.key, json.dumps(row).encode())

    def forget(self, row: Row) -> None:
        """It fails no longer."""
        if self.database:
            self.database.delete(self.key, json.dumps(row).encode())


def _search(hunter: _Hunter[Any], kept: _Kept) -> None:
    """Random rows of levels, drawn by Hypothesis; stops at a failure and goes on while some quantity stands."""
    from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
    from hypothesis import strategies as st

    bench, family = hunter.bench, hunter.family
    rows = st.tuples(*(st.integers(0, size - 1) for size in family.sizes), st.integers(0, 2**32 - 1))
    left = family.search
    failed: set[Row] = set()

    class FailedError(Exception):
        pass

    while left > 0 and hunter.standing:
        before = bench.tally.examples
        failed.clear()

        @seed(bench.seed + left)
        @settings(
            max_examples=left,
            deadline=None,
            database=None,  # a seed makes Hypothesis leave its database alone; see _Kept
            phases=(Phase.generate,),  # `shrink` goes below the levels; see backproof.cases.shrink
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
            report_multiple_bugs=False,
        )
        @given(rows)
        def falsify(row: Row) -> None:
            # Hypothesis runs a failure once more, when the quantity no longer stands.
            if row in failed or hunter.attempt(family.case(row[:-1], row[-1])):
                failed.add(row)
                kept.keep(row)
                raise FailedError

        try:
            falsify()
            return
        except FailedError:
            left -= max(1, bench.tally.examples - before)


def _report(bench: Bench, family: Family[C], wrong: Wrong, case: C, after: int) -> None:
    """Shrink a failure and hand it on; the same quantity must fail in the same way at every step."""
    if bench.hasty:
        bench.report(Found(wrong, case, family.arrays(case), after))
        return
    quantities = set(wrong.quantity.split("+"))
    latest = {case: wrong}

    def fails(candidate: C) -> bool:
        for found in family.attempt(candidate, [q for q in family.quantities if q in quantities]):
            if found.kind == wrong.kind and quantities & set(found.quantity.split("+")):
                latest[candidate] = found
                return True
        return False

    # seeing a crash or a hang again costs a worker
    tries = {"timed out": 0, "crashed": 12}.get(wrong.kind, 250)
    examples, tally = bench.tally.examples, bench.tally
    comparisons = tally.comparisons.copy()
    smallest = shrink(case, family.simpler, fails, tries)
    tally.examples, tally.comparisons = examples, comparisons  # shrinking is no evidence
    bench.report(Found(latest[smallest], smallest, family.arrays(smallest), after))
