"""NaN and infinities in poolings: each reaches the results of `cases.pool_poison`, and no other.

y = sum-pooling(x), average-pooling(x), max-pooling(x)      NaN wins a maximum, and receives its cotangent
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from backproof.cases.pool_poison import (
    PoolPoisonCase,
    clean,
    pool_poison_cases,
    pool_poisoned,
    simpler_pool_poison,
)
from backproof.cases.pooling import PICKED, PoolSpace
from backproof.checks.bench import Bench, Wrong, of_pooling
from backproof.checks.hunt import Family
from backproof.checks.locality import astray, plain, results_of

#: Of `PICKED`, so many: something of everything, side by side with a remainder, and ceil mode.
_CHOSEN = 5


def families(bench: Bench, spaces: Mapping[str, PoolSpace]) -> list[Family[PoolPoisonCase]]:
    """Poison that may go astray, in all kinds of pooling that the target has."""
    if bench.binding.algorithm != "direct":
        bench.tally.not_supported["NaN in poolings: an indirect algorithm spreads it"] += 1
        return []
    geometries = [
        g for picked in PICKED[:_CHOSEN] for space in spaces.values() if (g := space.held(picked)) is not None
    ]
    return [_family(bench, list(pool_poison_cases(geometries, bench.binding.dtypes, bench.seed)))]


def _family(bench: Bench, fixed: list[PoolPoisonCase]) -> Family[PoolPoisonCase]:
    pools, dtypes = bench.pools(), bench.binding.dtypes
    return Family(
        quantities=tuple(f"{kind} pooling {quantity}" for kind in pools for quantity in pools[kind]),
        fixed=fixed,
        search=0,
        sizes=(),
        case=lambda row, seed: fixed[0],
        attempt=lambda case, wanted: _attempt(bench, pools[case.geometry.kind], case, wanted),
        simpler=lambda case: (
            c for c in simpler_pool_poison(case) if bench.accepts(c.geometry) and c.case.dtype in dtypes
        ),
        arrays=lambda case: pool_poisoned(case, clean(case)).arrays,
    )


def _attempt(
    bench: Bench, functions: Mapping[str, str], case: PoolPoisonCase, wanted: Iterable[str]
) -> Iterator[Wrong]:
    kind, undisturbed = case.geometry.kind, clean(case)
    chosen = {q: f for q, f in functions.items() if f"{kind} pooling {q}" in wanted}
    if case.role == "dy":
        chosen.pop("y", None)
    if not chosen:
        return
    drawn = pool_poisoned(case, undisturbed)
    bench.tally.examples += 1
    data = f"{case.value} in {case.role}"
    for function, values in results_of(bench, case.geometry, drawn.arrays, chosen, data):
        if isinstance(values, Wrong):
            yield of_pooling(values, kind)
            continue
        for quantity, actual in values.items():
            wrong = astray(case, drawn, quantity, function, actual)
            if wrong is not None:
                yield of_pooling(plain(bench, undisturbed, quantity, function) or wrong, kind)
