"""Exact examples in this process, some hundreds per second: levels drawn uniformly, one example for each draw.

What the check `exact` does at a case is done here at every one; only its search, and the worker that guards against
crashes, are left out.  Layouts, data and comparisons are the check's own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backproof.cases.data import example
from backproof.cases.levels import space
from backproof.checks.attempt import attempt
from backproof.checks.bench import Bench, Found
from backproof.checks.exact import CHECK
from backproof.checks.findings import as_event
from backproof.events import Finding
from backproof.prologue import orientations
from backproof.targets.calls import Reply
from backproof.targets.messages import Call, Load, Returned
from backproof.targets.process import Target
from backproof.targets.session import Session

ENOUGH = 20


class LocalTarget(Target):
    """A target without a worker, for layers that are known to do no harm."""

    def _start(self) -> Any:
        message = self._load
        self._session = Session.load(Load(message.target, message.declarations, ()), lambda told: None)
        self._child: Any = _Nobody()
        self.restarts += 1
        return self._session.binding

    def _converse(self, call: Call) -> Reply:
        with np.errstate(all="ignore"):  # a worker's warnings go nowhere, too
            answer = self._session.answer(call)
        return self._results(answer) if isinstance(answer, Returned) else answer


class _Nobody:
    def stop(self) -> None:
        """There is no process to end."""


def opened(name: str, seed: int) -> Bench:
    """A bench with the target in this process, and every level that it supports."""
    target = LocalTarget.open(name)
    held_to, _ = orientations(target)
    binding = target.binding
    levels = space(
        lambda g: binding.refuses(g) is None,
        orientations=held_to,
        dtypes=binding.dtypes,
        layouts=binding.layouts,
        direct=binding.algorithm == "direct",
    )
    return Bench(target, levels, held_to, 0, seed, report=lambda found: None, progress=lambda done, total: None)


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
