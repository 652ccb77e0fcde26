"""Sum, average and max pooling and their gradients, exactly: overlaps, remainders, ties, padding, ceil mode, divisors.

y = sum-pooling(x), average-pooling(x), max-pooling(x)      dx: the product rule; of a tie, what the target declares
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from backproof.cases.pool_data import pool_example, settled
from backproof.cases.pooling import PoolCase, pool_space, simpler_pool_cases
from backproof.checks.attempt import judge
from backproof.checks.bench import Bench, Check, Wrong, of_pooling
from backproof.checks.hunt import Family, hunt
from backproof.contract import POOLINGS

#: Of the examples that a run asks for, one in so many is a random one of pooling.
SHARE = 4


def run(bench: Bench) -> None:
    """Hunt for each kind of pooling that the target has."""
    pools, examples = bench.pools(), bench.examples
    bench.examples = examples // (SHARE * max(1, len(pools)))
    for kind, functions in pools.items():
        _hunt_kind(bench, kind, functions)
    bench.examples = examples


def _hunt_kind(bench: Bench, kind: str, functions: dict[str, str]) -> None:
    binding = bench.binding
    space = pool_space(kind, bench.accepts, dtypes=binding.dtypes, layouts=binding.layouts, ties=binding.pooling.ties)
    names = {f"{kind} pooling {q}": q for q in functions}

    def attempt(case: PoolCase, wanted: Iterable[str]) -> Iterator[Wrong]:
        drawn = pool_example(case)
        bench.tally.examples += 1
        chosen = {names[name]: functions[names[name]] for name in wanted}
        for wrong in judge(bench, drawn, chosen, drawn.expected, partial(settled, case, drawn)):
            yield of_pooling(wrong, kind)

    def simpler(case: PoolCase) -> Iterator[PoolCase]:
        return (c for c in simpler_pool_cases(case) if bench.accepts(c.geometry) and c.dtype in binding.dtypes)

    hunt(
        bench,
        Family(
            quantities=tuple(names),
            fixed=space.fixed(bench.seed),
            sizes=space.sizes,
            case=space.case,
            attempt=attempt,
            simpler=simpler,
            arrays=lambda case: pool_example(case).arrays,
        ),
    )


CHECK = Check("pooling", "Pooling and its gradients, exactly", tuple(f"{kind}-pooling" for kind in POOLINGS), run)
