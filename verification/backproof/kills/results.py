"""What a campaign comes to: per mutant, per family, and how many examples a kill takes."""

from __future__ import annotations

import importlib
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

from backproof.kills.mutants import FAMILIES, SYNTHETIC, Mutant
from backproof.kills.trial import Plan, Trial


@dataclass(frozen=True, slots=True)
class Fate:
    """One mutant over all seeds; it is killed if it was at each.

    `equivalent`: it survived, and is right on the whole bounded domain of the grammar, so that it is no mutant.
    """

    mutant: Mutant
    trials: tuple[Trial, ...]
    equivalent: bool = False

    @property
    def killed(self) -> bool:
        """At every seed."""
        return all(trial.killed for trial in self.trials)

    @property
    def survived(self) -> tuple[int, ...]:
        """The seeds at which no check failed."""
        return tuple(trial.seed for trial in self.trials if not trial.killed)

    @property
    def checks(self) -> tuple[str, ...]:
        """The checks that failed, at whatever seed."""
        return tuple(dict.fromkeys(check for trial in self.trials for check in trial.kills))

    @property
    def examples(self) -> tuple[int, ...]:
        """Until the kill, for each seed at which there is one."""
        return tuple(trial.examples for trial in self.trials if trial.killed)

    @property
    def within(self) -> tuple[int, ...]:
        """Of these, those of the check that killed."""
        return tuple(trial.within for trial in self.trials if trial.killed)

    @property
    def milliseconds(self) -> float:
        """The mean of the trials."""
        return 1000 * statistics.fmean(trial.seconds for trial in self.trials)


@dataclass(frozen=True)
class Results:
    """All fates, in the order of the mutants; `seconds` are those of the whole campaign."""

    fates: tuple[Fate, ...]
    plan: Plan
    seeds: tuple[int, ...]
    seconds: float

    @cached_property
    def survivors(self) -> list[Fate]:
        """Those not killed at some seed, equivalent ones apart."""
        return [fate for fate in self.fates if not fate.killed and not fate.equivalent]

    @cached_property
    def equivalent(self) -> list[Fate]:
        """Those that turned out to be right."""
        return [fate for fate in self.fates if fate.equivalent]

    @cached_property
    def families(self) -> dict[str, tuple[int, int]]:
        """Family -> (killed, all), equivalent ones apart."""
        real = [fate for fate in self.fates if not fate.equivalent]
        groups = {name: [fate.killed for fate in real if fate.mutant.family == name] for name in FAMILIES}
        return {name: (sum(killed), len(killed)) for name, killed in groups.items() if killed}

    @cached_property
    def examples(self) -> dict[str, float]:
        """Examples until a kill, over all trials that end in one: `median`, `mean`, `p90`, `p99`, `max`."""
        return spread([examples for fate in self.fates for examples in fate.examples])

    @cached_property
    def within(self) -> dict[str, float]:
        """The same, of the examples of the check that killed."""
        return spread([examples for fate in self.fates for examples in fate.within])

    @cached_property
    def only_one(self) -> dict[str, list[str]]:
        """Check -> the mutants that no other check kills; empty unless every check was tried on every mutant."""
        alone: dict[str, list[str]] = {}
        for fate in self.fates if self.plan.matrix else ():
            if len(fate.checks) == 1:
                alone.setdefault(fate.checks[0], []).append(fate.mutant.id)
        return alone


def results(mutants: Sequence[Mutant], trials: Iterable[Trial], plan: Plan, seconds: float) -> Results:
    """Bring trials together."""
    by_id: dict[str, list[Trial]] = {mutant.id: [] for mutant in mutants}
    for trial in sorted(trials, key=lambda trial: trial.seed):
        by_id[trial.mutant.id].append(trial)
    fates = tuple(_fate(mutant, tuple(by_id[mutant.id])) for mutant in mutants)
    return Results(fates, plan, tuple(trial.seed for trial in fates[0].trials), seconds)


def spread(counts: Sequence[int]) -> dict[str, float]:
    """Median, mean, quantiles by nearest rank, and maximum; empty where there is nothing."""
    if not counts:
        return {}
    ordered = sorted(counts)
    rank = {f"p{q}": ordered[ceil(q / 100 * len(ordered)) - 1] for q in (90, 99)}
    return {"median": statistics.median(ordered), "mean": statistics.fmean(ordered), **rank, "max": ordered[-1]}


def _fate(mutant: Mutant, trials: tuple[Trial, ...]) -> Fate:
    fate = Fate(mutant, trials)
    if fate.killed or mutant.family != SYNTHETIC:
        return fate
    grammar = importlib.import_module("backproof.museum.synthetic")
    seed, literals, number = (int(part) for part in mutant.id.removeprefix("s").split("_"))
    return Fate(mutant, trials, equivalent=bool(grammar.draw(seed, literals, number).equivalent))
