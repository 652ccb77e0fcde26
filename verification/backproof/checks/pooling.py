"""Sum, average and max pooling and their gradients, exactly: overlaps, remainders, ties, padding, ceil mode, divisors.

y = sum-pooling(x), average-pooling(x), max-pooling(x)      dx: the product rule; of a tie, what the target declares
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from backproof.cases.pool_data import pool_example, settled
from backproof.cases.pooling import PoolCase, PoolSpace, fixed_pools, pool_space, simpler_pool_cases
from backproof.checks import pool_locality
from backproof.checks.attempt import judge
from backproof.checks.bench import Bench, Check, Wrong, of_pooling
from backproof.checks.hunt import Family, hunt
from backproof.contract import POOLINGS

#: Of the examples that a run asks for, one in so many is a random one of pooling.
SHARE = 4


def run(bench: Bench) -> None:
    """Hunt for all kinds of pooling that the target has, one case of each in turn."""
    if not bench.pools():
        return
    spaces = _spaces(bench)
    hunt(bench, _family(bench, spaces), *pool_locality.families(bench, spaces))


def _spaces(bench: Bench) -> dict[str, PoolSpace]:
    binding, ties = bench.binding, bench.binding.pooling.ties
    return {
        kind: pool_space(kind, bench.accepts, dtypes=binding.dtypes, layouts=binding.layouts, ties=ties)
        for kind in bench.pools()
    }


def _family(bench: Bench, spaces: dict[str, PoolSpace]) -> Family[PoolCase]:
    binding, pools = bench.binding, bench.pools()
    kinds = list(pools)
    sizes = tuple(max(levels) for levels in zip(*(space.sizes for space in spaces.values()), strict=True))

    def attempt(case: PoolCase, wanted: Iterable[str]) -> Iterator[Wrong]:
        kind = case.geometry.kind
        chosen = {q: f for q, f in pools[kind].items() if f"{kind} pooling {q}" in wanted}
        if chosen:
            drawn = pool_example(case)
            bench.tally.examples += 1
            for wrong in judge(bench, drawn, chosen, drawn.expected, partial(settled, case, drawn)):
                yield of_pooling(wrong, kind)

    def simpler(case: PoolCase) -> Iterator[PoolCase]:
        return (c for c in simpler_pool_cases(case) if bench.accepts(c.geometry) and c.dtype in binding.dtypes)

    return Family(
        quantities=tuple(f"{kind} pooling {quantity}" for kind in kinds for quantity in pools[kind]),
        fixed=fixed_pools(list(spaces.values()), sizes, bench.seed),
        search=bench.examples // SHARE,
        sizes=(len(kinds), *sizes),
        case=lambda row, seed: spaces[kinds[row[0]]].case(row[1:], seed),
        attempt=attempt,
        simpler=simpler,
        arrays=lambda case: pool_example(case).arrays,
    )


CHECK = Check(
    "pooling", "Pooling and its gradients, exactly", tuple(f"{kind}-pooling" for kind in POOLINGS), run, specified=False
)
