"""Sum, average and max pooling and their gradients, exactly: overlaps, remainders, ties, padding of minus infinity.

y = sum-pooling(x), average-pooling(x), max-pooling(x)      dx: the product rule; of a tie, the first maximum
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from backproof.cases.designs import pairwise
from backproof.cases.pooling import PoolCase, pool_example, pool_space, simpler_pool_cases
from backproof.checks.attempt import judge
from backproof.checks.bench import Bench, Check, Wrong
from backproof.checks.hunt import Family, hunt

KINDS = ("sum", "average", "max")


def run(bench: Bench) -> None:
    """Hunt for each kind of pooling that the target has."""
    bound = {function.role for function in bench.binding.functions}
    kinds = [kind for kind in KINDS if f"{kind}_pool" in bound]
    examples = bench.examples
    for kind in kinds:
        functions = {"y": f"{kind}_pool", "dx": f"{kind}_pool_gradient"}
        bench.examples = examples // (2 * len(kinds))
        _hunt_kind(bench, kind, {q: f for q, f in functions.items() if f in bound})
    bench.examples = examples


def _hunt_kind(bench: Bench, kind: str, functions: dict[str, str]) -> None:
    space = pool_space(kind, bench.accepts, dtypes=bench.binding.dtypes, layouts=bench.binding.layouts)
    names = {f"{kind} pooling {q}": q for q in functions}

    def attempt(case: PoolCase, wanted: Iterable[str]) -> Iterator[Wrong]:
        drawn = pool_example(case)
        bench.tally.examples += 1
        chosen = {names[name]: functions[names[name]] for name in wanted}
        for wrong in judge(bench, drawn, chosen, drawn.expected):
            yield _renamed(wrong, kind)

    def simpler(case: PoolCase) -> Iterator[PoolCase]:
        return (c for c in simpler_pool_cases(case) if bench.accepts(c.geometry) and c.dtype in bench.binding.dtypes)

    hunt(
        bench,
        Family(
            quantities=tuple(names),
            fixed=[space.case(row, bench.seed + k) for k, row in enumerate(pairwise(space.sizes))],
            sizes=space.sizes,
            case=space.case,
            attempt=attempt,
            simpler=simpler,
            arrays=lambda case: pool_example(case).arrays,
        ),
    )


def _renamed(wrong: Wrong, kind: str) -> Wrong:
    quantity = "+".join(f"{kind} pooling {part}" for part in wrong.quantity.split("+"))
    return replace(wrong, quantity=quantity, summary=f"{kind} pooling: {wrong.summary}")


CHECK = Check(
    "pooling", "Pooling and its gradients, exactly", tuple(f"{kind}-pooling" for kind in KINDS), run, specified=False
)
