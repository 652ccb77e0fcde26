"""One mutant, one seed: the checks in their order, each up to its first failure, without shrinking or diagnosis.

The mutant is called in this process (`LocalTarget`): the museum's neither crash nor hang, and what one keeps from call
to call is in its object, which each trial, and `state` when it asks for a fresh target, makes anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from backproof.checks import Bench, Check
from backproof.checks.bench import Found, Tally
from backproof.kills.mutants import Mutant
from backproof.options import PROFILES, RunOptions, chosen
from backproof.prologue import bench_of, orientations
from backproof.targets.local import LocalTarget
from backproof.targets.process import Target

Open: TypeAlias = Callable[[str], Target]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to try on a mutant: the checks of these ids (all where empty); with `matrix`, all of them, killed or not."""

    profile: str = "default"
    checks: tuple[str, ...] = ()
    matrix: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """How one mutant fared at one seed.

    `kills`: examples of the whole run until a check first failed, by check; without a matrix there is one at most.
    `examples` of the run until the first kill, or in all; `within`: those of them that the killing check tried itself.
    `seconds` of a processor, this process's.
    """

    mutant: Mutant
    seed: int
    kills: dict[str, int]
    examples: int
    within: int
    seconds: float

    @property
    def killed(self) -> bool:
        """Whether any check failed."""
        return bool(self.kills)


class _KilledError(Exception):
    def __init__(self, found: Found) -> None:
        super().__init__(found.wrong.summary)
        self.after = found.after


def _killed(found: Found) -> None:
    raise _KilledError(found)


def trial(mutant: Mutant, seed: int, plan: Plan, open_target: Open = LocalTarget.open) -> Trial:
    """Run the checks of a plan on a mutant.

    Raises:
        TargetError: The mutant cannot be loaded.
        ValueError: A profile or a check that does not exist.
    """
    checks = chosen(RunOptions(mutant.target, profile=plan.profile, checks=plan.checks))
    clock, done, within, kills = time.process_time(), 0, 0, dict[str, int]()
    with open_target(mutant.target) as target:
        held_to, _ = orientations(target)
        bench = bench_of(target, held_to, PROFILES[plan.profile], seed)
        for check in checks:
            examples, killed = _run(check, bench)
            done += examples
            if killed:
                within = within if kills else examples
                kills[check.id] = done
            if killed and not plan.matrix:
                break
    first = min(kills.values(), default=done)
    return Trial(mutant, seed, kills, first, within, time.process_time() - clock)


def _run(check: Check, bench: Bench) -> tuple[int, bool]:
    """Examples of a check, up to its first failure if there is one; and whether there is."""
    own = replace(bench, tally=Tally(), report=_killed, hasty=True)
    try:
        check.on(own)
    except _KilledError as killed:
        return killed.after, True
    return own.tally.examples, False
