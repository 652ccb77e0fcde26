"""Rounds: every side is measured once in each, one after the other, so that whatever changes on the machine changes
for all of them; A B C, A B C, ... until the time is up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from .layers import Quantity
from .process import Process, Sample

Sampler = Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class Budget:
    """At least `least` rounds, at most `most`, and no new one after so many seconds; how long a sample should take."""

    least: int
    most: int
    seconds: float
    sample_ns: float = 3e6


def rounds(samplers: Mapping[str, Sampler], budget: Budget) -> dict[str, list[Sample]]:
    """The samples of every side, by its name; as many of each."""
    taken: dict[str, list[Sample]] = {name: [] for name in samplers}
    start = time.monotonic()
    for number in range(budget.most):
        if number >= budget.least and time.monotonic() - start > budget.seconds:
            break
        for name, sampler in samplers.items():
            taken[name].append(sampler())
    return taken


def sampler(process: Process, side: str, quantity: Quantity, sample_ns: float) -> Sampler:
    """Samples of so many calls that they take about `sample_ns`, after two calls that are not counted."""
    for _ in range(2):
        once = Sample(*process.ask("sample", side, quantity, 1))
    times = max(1, min(10_000, round(sample_ns / max(once.wall, 1.0))))
    if times > 1:  # a single call says little of short ones
        once = Sample(*process.ask("sample", side, quantity, times))
        times = max(1, min(10_000, round(sample_ns / max(once.wall, 1.0))))
    return partial(_taken, process, side, quantity, times)


def _taken(process: Process, side: str, quantity: Quantity, times: int) -> Sample:
    return Sample(*process.ask("sample", side, quantity, times))
