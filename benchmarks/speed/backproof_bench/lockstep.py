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
    """`least` rounds, and then more for so many seconds, up to `most`.

    `sample`: nanoseconds that a sample should take at least; `slow`: after the `least` rounds, a side whose samples
    take longer than this is measured no more, and takes no time from the others.
    """

    least: int
    most: int
    seconds: float
    sample: float = 3e6
    slow: float = 3e8


def rounds(samplers: Mapping[str, Sampler], budget: Budget) -> dict[str, list[Sample]]:
    """The samples of every side, by its name; the i-th of each is of the same round."""
    taken: dict[str, list[Sample]] = {name: [] for name in samplers}
    start = time.monotonic()
    for number in range(budget.most):
        if number == budget.least:
            start = time.monotonic()
            samplers = {name: sampler for name, sampler in samplers.items() if taken[name][0].processor < budget.slow}
        if number >= budget.least and time.monotonic() - start > budget.seconds:
            break
        for name, sampler in samplers.items():
            taken[name].append(sampler())
    return taken


def sampler(process: Process, side: str, quantity: Quantity, least: float) -> Sampler:
    """Samples of so many calls that they take `least` nanoseconds, after some that are not counted."""
    times, once = 1, _taken(process, side, quantity, 1)
    while times < 10_000:
        once = _taken(process, side, quantity, times)
        wanted = min(10_000, max(1, round(least / max(once.processor, 1.0))))
        if wanted <= 2 * times:
            break
        times = wanted
    return partial(_taken, process, side, quantity, times)


def _taken(process: Process, side: str, quantity: Quantity, times: int) -> Sample:
    return Sample(*process.ask("sample", side, quantity, times))
