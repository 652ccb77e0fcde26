"""All trials of a campaign, in several processes, each of which takes one mutant after the other."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from backproof.kills.mutants import Mutant
from backproof.kills.trial import Plan, Trial, trial


def campaign(mutants: Sequence[Mutant], seeds: Sequence[int], plan: Plan, jobs: int) -> Iterator[Trial]:
    """Every mutant at every seed, as they end; one job works in this process.

    Raises:
        TargetError: A mutant cannot be loaded.
        ValueError: A profile or a check that does not exist.
    """
    # Seed by seed: the mutants of one seed are shown the same examples, which are then drawn once.
    planned = [(mutant, seed, plan) for seed in seeds for mutant in mutants]
    if min(jobs, len(planned)) <= 1:
        yield from (trial(*arguments) for arguments in planned)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(planned)), mp_context=context, initializer=_quiet)
    try:
        for future in as_completed([pool.submit(trial, *arguments) for arguments in planned]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _quiet() -> None:
    """Ctrl-C is for the parent, which then ends the pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
