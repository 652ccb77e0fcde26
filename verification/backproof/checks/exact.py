"""Forward and all gradients, exactly, on integers times powers of two, over shapes, data profiles and memory layouts.

y = general-forward(x, w, b)       dx, dw, db: the product rule over the same index map
"""

from __future__ import annotations

from dataclasses import replace

from backproof.cases.data import example
from backproof.cases.designs import structured
from backproof.cases.levels import Case
from backproof.cases.shrink import simpler_cases
from backproof.checks.attempt import attempt
from backproof.checks.bench import EQUATIONS, Bench, Check
from backproof.checks.hunt import Family, hunt, in_turn

#: After so many cases the first comes so many times again, on other numbers: who keeps something is soon asked for it.
AGAIN, TIMES = 4, 3


def run(bench: Bench) -> None:
    """Hunt over the fixed set and random levels, for each way in which the target computes gradients.

    Data with a structure are among the fixed set.  A second way, of which the first has shown much, gets the half of
    it, and as much of the search.
    """
    again = [replace(case, seed=case.seed + k) for case in bench.fixed[:1] for k in range(1, TIMES + 1)]
    fixed = [*bench.fixed[:AGAIN], *again, *bench.fixed[AGAIN:]]
    special = structured(bench.space, bench.accepts, bench.seed)
    routes = bench.routes()
    for k, route in enumerate(routes):
        cases = in_turn([fixed[: len(fixed) // (k + 1)], special])
        hunt(bench, _family(bench, route, cases, bench.examples // len(routes)))


def _family(bench: Bench, route: dict[str, str], fixed: list[Case], search: int) -> Family[Case]:
    return Family(
        quantities=tuple(route),
        fixed=fixed,
        search=search,
        sizes=bench.space.sizes,
        case=bench.space.case,
        attempt=lambda case, wanted: attempt(bench, route, case, wanted),
        simpler=lambda case: (
            c for c in simpler_cases(case) if bench.accepts(c.geometry) and c.dtype in bench.binding.dtypes
        ),
        arrays=lambda case: example(case).arrays,
    )


CHECK = Check(
    "exact",
    "Forward and gradients, exactly",
    tuple(dict.fromkeys(e for equations in EQUATIONS.values() for e in equations)),
    run,
)
