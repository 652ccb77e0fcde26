"""Real-valued data: no result is further from the exact sum than the rounding of its own terms allows.

    |computed - exact| <= gamma_K * (|x| * |w| + |b|),    gamma_K = K*u / (1 - K*u),    u = 2**-24 or 2**-53

entry by entry, with K the number of its terms, and likewise for dx, dw and db (Higham, *Accuracy and Stability of
Numerical Algorithms*, section 3.1).  It holds for the sum of the K terms in any order, with or without FMA: a term is
rounded as a product, and in at most K - 1 additions; zeros of the padding change nothing.  A product below the smallest
normal number may lose half of the smallest subnormal one, `tiny`, besides: where the data have such products,
`K * tiny/2 * (1 + gamma_K)` is added.  No other tolerance is used, and none is guessed.

The comparison is exact.  The data lie on grids, so that the sums on the right are known as integers E and S in units of
2**p (`cases.reals`); a result is an integer, or a fraction A, of that unit; multiplied by `(1 - K*u) / u`, both sides
are Python's integers (`errors`).

What is less exact than its dtype shows here and not on integers: sums of float64 that are kept in float32, operands cut
to TF32 or bfloat16, approximate reciprocals.  Whatever stays within the bound is right; how far it goes is noted.

An algorithm that is not a plain sum (ALGORITHM = "indirect") rounds other numbers than these.  It is held to
`ERROR_GROWTH * gamma_K * (K * max|x| * max|w| + max|b|)`, K being the largest, where products may be subnormal with
`ERROR_GROWTH * K * tiny/2` in addition, as its sums have more products; without that declaration, to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import cycle

import numpy as np

from backproof.cases.data import Array
from backproof.cases.designs import tiny, twins
from backproof.cases.levels import Case
from backproof.cases.reals import PROFILES, RealExample, real_example
from backproof.cases.shrink import simpler_cases
from backproof.checks.attempt import missing, results
from backproof.checks.bench import EQUATIONS, Bench, Check, Wrong
from backproof.checks.errors import LONG, Measured, errors, explained
from backproof.checks.hunt import Family, hunt
from backproof.contract import QUANTITIES, Geometry

#: Of the examples that a run asks for, one in so many is tried.
SHARE = 40
#: Sums of a thousand products and more: y, dx, dw and db.
_LONG = (
    Geometry(1, 128, 1, (3, 3), (3, 3)),
    Geometry(1, 1, 1024, (1, 1), (1, 1)),
    Geometry(1, 1, 1, (33, 33), (1, 1)),
)


def run(bench: Bench) -> None:
    """Hunt for results that are further off than rounding goes, on every route, and note how far the others are."""
    if (reason := _exempt(bench)) is not None:
        bench.tally.not_supported[reason] += 1
        return
    measured = Measured()
    hunt(bench, *(_family(bench, route, measured) for route in bench.routes()))
    bench.tally.notes += measured.notes()


def _exempt(bench: Bench) -> str | None:
    binding = bench.binding
    if binding.algorithm != "direct" and binding.error_growth is None:
        return "rounding: no bound is known for an indirect algorithm; declare ERROR_GROWTH"
    if binding.updates:
        return "rounding: gradients are read as differences of the weights, which are rounded themselves"
    return None


def _family(bench: Bench, route: dict[str, str], measured: Measured) -> Family[Case]:
    profiles = [name for name in PROFILES if name != "tiny" or not bench.binding.flushes_subnormals]

    def simpler(case: Case) -> Iterator[Case]:
        for candidate in simpler_cases(case):
            known = candidate.profile == case.profile and candidate.dtype in bench.binding.dtypes
            if known and bench.accepts(candidate.geometry):
                yield candidate

    return Family(
        quantities=tuple(route),
        fixed=_fixed(bench, profiles),
        search=bench.examples // SHARE,
        sizes=(*bench.space.sizes, len(profiles)),
        case=lambda row, seed: replace(bench.space.case(row[:-1], seed), profile=profiles[row[-1]]),
        attempt=lambda case, wanted: _attempt(bench, route, case, wanted, measured),
        simpler=simpler,
        arrays=lambda case: real_example(case).arrays,
    )


def _fixed(bench: Bench, profiles: list[str]) -> list[Case]:
    """Short sums, on which the bound is tight, with each profile in each dtype; then long ones."""
    bias, dtypes = bench.space.factors["bias"][-1], bench.space.factors["dtype"]
    short = [replace(g, bias=bias) for o in bench.orientations for g in (*tiny(o), *twins(o)[:2])]
    shapes = [g for g in short if bench.accepts(g)]
    shapes = shapes or [bench.space.case([0] * len(bench.space.sizes), bench.seed).geometry]
    kinds = [(dtype, profile) for profile in profiles for dtype in dtypes] * 2
    drawn = [(g, *kind) for g, kind in zip(cycle(shapes), kinds, strict=False)]
    long = [replace(g, bias=bias, orientation=bench.orientations[0]) for g in _LONG]
    drawn += [(g, dtypes[-1], "positive") for g in long if bench.accepts(g)]
    return [Case(g, dtype, profile, seed=bench.seed + k) for k, (g, dtype, profile) in enumerate(drawn)]


def _attempt(
    bench: Bench, route: dict[str, str], case: Case, wanted: Iterable[str], measured: Measured
) -> Iterator[Wrong]:
    drawn = real_example(case)
    bench.tally.examples += 1
    long = [q for q, sums in drawn.sums.items() if sums.terms.max(initial=0) >= LONG]  # what else there is, is large
    functions = {q: route[q] for q in wanted if q in (long or drawn.sums)}
    for item in results(bench, case, drawn.arrays, functions):
        if isinstance(item, Wrong):
            yield item
            continue
        quantity, function, actual = item
        sums = drawn.sums[quantity]
        if actual is None or actual.shape != sums.exact.shape:
            yield missing(quantity, function, sums.exact.shape)
            continue
        bench.tally.comparisons[quantity] += 1
        bench.tally.without_evidence[quantity] += not sums.absolute.any()
        found = errors(actual, sums, _allowed(bench, drawn, quantity), case.dtype, _growth(bench) or 1)
        if found.beyond.any():
            yield explained(quantity, function, actual, sums, found, case.dtype)
        elif case.profile != "tiny":
            measured.add(case.dtype, quantity, found)


def _allowed(bench: Bench, drawn: RealExample, quantity: str) -> tuple[Array, Array]:
    """K and S of every entry: its own, or those that the declaration of an indirect algorithm stands for."""
    sums, growth = drawn.sums[quantity], _growth(bench)
    if growth is None:
        return sums.terms, sums.absolute
    terms, (product, bias) = int(sums.terms.max(initial=1)), drawn.largest[quantity]
    return np.full_like(sums.terms, terms), np.full_like(sums.absolute, growth * (terms * product + bias))


def _growth(bench: Bench) -> int | None:
    """How much larger errors may be than those of a direct sum; None for one."""
    return None if bench.binding.algorithm == "direct" else bench.binding.error_growth


CHECK = Check(
    "rounding",
    "Rounding on real-valued data, within its bound",
    tuple(dict.fromkeys(e for q in QUANTITIES for e in EQUATIONS[q])),
    run,
)
