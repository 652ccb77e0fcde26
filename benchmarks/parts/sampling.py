"""Exact examples in this process, some hundreds per second: levels drawn uniformly, one example for each draw.

What the check `exact` does at a case is done here at every one; only its search, and the worker that guards against
crashes, are left out.  Layouts, data and comparisons are the check's own.
"""

from __future__ import annotations

import numpy as np

from backproof.cases.data import example
from backproof.checks.attempt import attempt
from backproof.checks.bench import Bench, Found
from backproof.checks.exact import CHECK
from backproof.checks.findings import as_event
from backproof.events import Finding
from backproof.prologue import bench_of, orientations
from backproof.targets.local import LocalTarget

ENOUGH = 20


def opened(name: str, seed: int) -> Bench:
    """A bench with the target in this process, and every level that it supports."""
    target = LocalTarget.open(name)
    held_to, _ = orientations(target)
    return bench_of(target, held_to, 0, seed)


def sample(bench: Bench, count: int) -> list[Finding]:
    """`count` examples, counted in the bench's tally; each difference as the event that a run would tell.

    After `ENOUGH` differences the rest is not tried.
    """
    rng, routes = np.random.default_rng(bench.seed), bench.routes()
    findings = []
    for number in range(count):
        row = [int(rng.integers(size)) for size in bench.space.sizes]
        case, route = bench.space.case(row, int(rng.integers(2**32))), routes[number % len(routes)]
        for wrong in attempt(bench, route, case, route):
            found = Found(wrong, case, example(case).arrays, bench.tally.examples)
            findings.append(as_event(CHECK, found, bench.binding, {}))
        if len(findings) >= ENOUGH:
            break
    return findings
