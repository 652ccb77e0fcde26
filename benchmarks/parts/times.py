"""How long a run takes: quick and default, on right layers, in turns, the median of several.

A first run of each is not counted: it pays for this process's imports and for compiled code.  Starting the worker, its
imports included, is counted.  Processor seconds are those of both processes together.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import backproof
from backproof.events import CheckFinished
from parts.machine import ROOT
from parts.used import middle, processor_seconds

Results = dict[str, Any]

#: The README's layer, which has no options, and one that has them all.
TARGETS = ("benchmarks/implementations/small.py", "benchmarks/implementations/im2col.py")
PROFILES = ("quick", "default")


def run(results: Results, say: Callable[[str], None], rounds: int = 7) -> Results:
    """Time every target in every profile."""
    taken: dict[tuple[str, str], list[Results]] = defaultdict(list)
    for number in range(rounds + 1):
        for target in TARGETS:
            for profile in PROFILES:
                timed = once(str(ROOT / target), profile, seed=number)
                if number:
                    taken[target, profile].append(timed)
                    say(f"{target} {profile}: {timed['wall']:.2f} s, {timed['processor']:.2f} processor seconds")
    results.clear()
    results["rounds"] = rounds
    results["load"] = round(os.getloadavg()[0], 1)
    results["runs"] = [
        {"target": target, "profile": profile, **_medians(runs)} for (target, profile), runs in taken.items()
    ]
    return results


def once(target: str, profile: str, seed: int) -> Results:
    """One run; a target that does not pass has no time.

    Raises:
        VerificationError: The target did not pass.
    """
    wall, processor = time.monotonic(), processor_seconds()
    report = backproof.check(target, profile=profile, seed=seed)
    spent = {"wall": time.monotonic() - wall, "processor": processor_seconds() - processor}
    report.raise_for_findings()
    ended = [event for event in report.events if isinstance(event, CheckFinished)]
    checks = {event.check: {"examples": event.examples, "seconds": event.seconds} for event in ended}
    return {**spent, "examples": sum(event.examples for event in ended), "checks": checks}


def _medians(runs: list[Results]) -> Results:
    checks = {
        name: {key: round(middle([run["checks"][name][key] for run in runs]), 4) for key in ("examples", "seconds")}
        for name in runs[0]["checks"]
    }
    numbers = {key: round(middle([run[key] for run in runs]), 3) for key in ("wall", "processor", "examples")}
    return {**numbers, "fastest": round(min(run["wall"] for run in runs), 3), "checks": checks}
