"""What IEEE 754 promises: NaN and infinities reach what depends on them and nothing else; tiny numbers are numbers.

One entry of x, w, b or dy is NaN or infinite.  The results with a product of it are NaN, or infinite with the sign of
the other factor (0 * inf is NaN), and all others stay as they were; `cases.poison` says what the zeros of padding may
do.  Sums of products that are multiples of the smallest subnormal number are exact, and compared exactly.  The sign of
zero is not compared.

A function may refuse such data with ValueError or FloatingPointError: this is counted.  Not run are targets that
declare ALGORITHM = "indirect", whose transforms spread what they meet, and, with FLUSHES_SUBNORMALS, subnormal numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from backproof.cases.data import Array, Example, example
from backproof.cases.designs import tiny, twins
from backproof.cases.levels import Case
from backproof.cases.poison import (
    REACHES,
    VALUES,
    PoisonCase,
    Poisoned,
    clean_example,
    poison_case,
    poison_cases,
    poisoned,
    simpler_poison_cases,
)
from backproof.cases.pool_poison import PoolPoisonCase
from backproof.cases.shrink import simpler_cases
from backproof.checks.bench import EQUATIONS, Bench, Check, Wrong, compare, misbehaviour
from backproof.checks.hunt import Family, hunt
from backproof.contract import QUANTITIES, Geometry, PoolGeometry
from backproof.targets.calls import Raised, Results

#: Of the examples that a run asks for, one in so many is tried with poison.
SHARE = 8
#: Channels enough for the vector code and the fast algorithms that libraries have for 3 x 3 kernels.
_WIDE = Geometry(1, 8, 8, (4, 4), (3, 3), padding=((1, 1), (1, 1)))
_GROUPS = Geometry(1, 4, 4, (4, 4), (3, 3), stride=(2, 2), padding=((1, 1), (1, 1)), groups=2)
#: How a function says that it does not take such data.
_REFUSALS = ("ValueError", "FloatingPointError", "NotImplementedError")

_HINTS = (
    "on the same data without it, the function is right",
    "where results are no plain sums of these products (FFT, Winograd), declare ALGORITHM = 'indirect'",
)


def run(bench: Bench) -> None:
    """Hunt for poison that goes astray, and for subnormal numbers that are lost, on every route."""
    if (reason := _exempt(bench)) is not None:
        bench.tally.not_supported[reason] += 1
        return
    families: list[Family[Any]] = [_poison(bench, route) for route in bench.routes()]
    if bench.binding.flushes_subnormals:
        bench.tally.not_supported["subnormal numbers: FLUSHES_SUBNORMALS is declared"] += 1
    else:
        families += [_subnormal(bench, route) for route in bench.routes()]
    hunt(bench, *families)


def _exempt(bench: Bench) -> str | None:
    if bench.binding.algorithm != "direct":
        return "locality: an indirect algorithm spreads NaN, and rounds"
    if bench.binding.updates:
        return "locality: gradients are read as differences of the weights, which NaN does not leave"
    return None


def _cases(bench: Bench) -> list[Case]:
    """Small geometries with each option, in alternating dtypes; the simplest where none of them is accepted."""
    bias, dtypes = bench.space.factors["bias"][-1], bench.space.factors["dtype"]
    shapes: list[Geometry] = []
    for orientation in bench.orientations:
        wide, groups = (replace(g, orientation=orientation) for g in (_WIDE, _GROUPS))
        shapes += [wide, *tiny(orientation), *twins(orientation)[:2], groups]
    accepted = [g for g in (replace(shape, bias=bias) for shape in shapes) if bench.accepts(g)]
    accepted = accepted or [bench.space.case([0] * len(bench.space.sizes), bench.seed).geometry]
    return [Case(g, dtypes[k % len(dtypes)], "small", seed=bench.seed + k) for k, g in enumerate(accepted)]


# ---- NaN and infinities


def _poison(bench: Bench, route: dict[str, str]) -> Family[PoisonCase]:
    kinds = [(role, value) for role in REACHES for value in VALUES]
    return Family(
        quantities=tuple(route),
        fixed=list(poison_cases(_cases(bench), bench.seed)),
        search=bench.examples // SHARE,
        sizes=(*bench.space.sizes, len(kinds)),
        case=lambda row, seed: poison_case(bench.space.case(row[:-1], seed), *kinds[row[-1]], position=seed),
        attempt=lambda case, wanted: _attempt(bench, route, case, wanted),
        simpler=lambda case: (c for c in simpler_poison_cases(case) if _takes(bench, c.case)),
        arrays=lambda case: poisoned(case, clean_example(case)).arrays,
    )


def _takes(bench: Bench, case: Case) -> bool:
    return bench.accepts(case.geometry) and case.dtype in bench.binding.dtypes


def _attempt(bench: Bench, route: dict[str, str], case: PoisonCase, wanted: Iterable[str]) -> Iterator[Wrong]:
    clean = clean_example(case)
    drawn = poisoned(case, clean)
    bench.tally.examples += 1
    functions = {q: route[q] for q in wanted if q in drawn.expected}
    for function, returned in results_of(bench, case.geometry, drawn.arrays, functions, f"{case.value} in {case.role}"):
        if isinstance(returned, Wrong):
            yield returned
            continue
        for quantity, actual in returned.items():
            bench.tally.without_evidence[quantity] += not (quantity in REACHES[case.role] or clean.evidence[quantity])
            wrong = astray(case, drawn, quantity, function, actual)
            if wrong is not None:
                yield plain(bench, clean, quantity, function) or wrong


def results_of(
    bench: Bench, geometry: Geometry | PoolGeometry, arrays: dict[str, Array], functions: dict[str, str], data: str
) -> Iterator[tuple[str, dict[str, Array] | Wrong]]:
    """What each function returns of the quantities wanted of it, or what it does instead; a refusal is counted."""
    left = list(dict.fromkeys(functions.values()))
    while left:
        reply = bench.call(geometry, arrays, left)
        if isinstance(reply, Results):
            for function in left:
                wanted = [q for q, f in functions.items() if f == function and q in reply.values]
                bench.tally.comparisons.update(wanted)
                yield function, {q: reply.values[q] for q in wanted}
            return
        failed = getattr(reply, "function", None)
        if failed not in left:
            return
        left.remove(failed)
        if isinstance(reply, Raised) and reply.type in _REFUSALS:
            bench.tally.not_supported[f"{failed} with {data}: it raised {reply.type}"] += 1
            continue
        for wrong in misbehaviour(reply, [q for q, f in functions.items() if f == failed]):
            yield failed, wrong


def astray(
    case: PoisonCase | PoolPoisonCase, drawn: Poisoned, quantity: str, function: str, actual: Array
) -> Wrong | None:
    """How the poison went elsewhere than it must, None where it did not."""
    expected = drawn.expected[quantity]
    if actual.shape != expected.shape:
        return compare(quantity, function, actual, expected)
    nan_is_right = np.isnan(expected) | drawn.may.get(quantity, False)
    wrong = ~((actual == expected) | (np.isnan(actual) & nan_is_right))
    if not wrong.any():
        return None
    finite = np.isfinite(expected)
    spread, lost = wrong & finite, wrong & ~finite
    kind, where, among = ("spread", spread, finite) if spread.any() else ("lost", lost, ~finite)
    index = tuple(int(i) for i in np.argwhere(where)[0])
    does, depends = ("changes", "do not depend") if kind == "spread" else ("is wrong", "depend")
    text = f"{quantity} {does} in {where.sum()} of the {among.sum()} entries that {depends} on it"
    return Wrong(
        kind,
        quantity,
        function,
        f"with {case.entry}, {text}",
        _HINTS,
        index=index,
        expected=repr(expected[index].item()),
        actual=repr(actual[index].item()),
        wrong=int(wrong.sum()),
        compared=int(expected.size),
    )


def plain(bench: Bench, clean: Example, quantity: str, function: str) -> Wrong | None:
    """What is wrong on the same data without anything special: then that is the mistake, and not this."""
    reply = bench.call(clean.case.geometry, clean.arrays, [function])
    if not isinstance(reply, Results) or quantity not in reply.values:
        return None
    return compare(quantity, function, reply.values[quantity], clean.expected[quantity])


# ---- subnormal numbers


def _subnormal(bench: Bench, route: dict[str, str]) -> Family[Case]:
    cases = [(k, case) for k, case in enumerate(_cases(bench))]
    return Family(
        quantities=tuple(route),
        fixed=[replace(c, profile="subnormal", seed=4 * c.seed + k + step) for k, c in cases for step in (0, 2)],
        search=0,
        sizes=bench.space.sizes,
        case=bench.space.case,
        attempt=lambda case, wanted: _tiny(bench, route, case, wanted),
        simpler=lambda case: (c for c in simpler_cases(case) if c.profile == case.profile and _takes(bench, c)),
        arrays=lambda case: example(case).arrays,
    )


def _tiny(bench: Bench, route: dict[str, str], case: Case, wanted: Iterable[str]) -> Iterator[Wrong]:
    drawn = example(case)
    bench.tally.examples += 1
    functions = {q: route[q] for q in wanted if q in drawn.expected}
    for function, returned in results_of(bench, case.geometry, drawn.arrays, functions, "subnormal numbers"):
        if isinstance(returned, Wrong):
            yield returned
            continue
        for quantity, actual in returned.items():
            bench.tally.without_evidence[quantity] += not drawn.evidence[quantity]
            wrong = compare(quantity, function, actual, drawn.expected[quantity])
            if wrong is not None:
                yield plain(bench, example(replace(case, profile="small")), quantity, function) or _flushed(wrong)


def _flushed(wrong: Wrong) -> Wrong:
    details = (
        "on the same shapes with larger numbers, it is right: bits of subnormal numbers are lost",
        "where that is meant, declare FLUSHES_SUBNORMALS = True",
        _HINTS[-1],
    )
    return replace(wrong, kind="flushed", summary=f"with subnormal numbers, {wrong.summary}", details=details)


CHECK = Check(
    "locality",
    "NaN, infinities and subnormal numbers",
    tuple(dict.fromkeys(e for q in QUANTITIES for e in EQUATIONS[q])),
    run,
)
