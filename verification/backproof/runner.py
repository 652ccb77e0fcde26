"""One run: load the target, settle its orientation, go through the checks, and say everything as events.

exit status 0   everything asked for holds
            1   findings
            2   the target could not be loaded, or nothing could be verified
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import platformdirs

from backproof import environment, events
from backproof.cases.levels import space
from backproof.checks import CHECKS, Bench, Check
from backproof.checks.bench import Found, Tally
from backproof.checks.findings import as_event
from backproof.checks.orientation import infer
from backproof.contract import ORIENTATIONS, Orientation
from backproof.diagnosis import diagnose
from backproof.events import Event, Verdict
from backproof.targets.binding import Binding
from backproof.targets.layouts import LAYOUTS
from backproof.targets.process import Target

#: Random examples on top of the fixed set, by profile.
PROFILES: dict[str, int] = {"quick": 0, "default": 200, "thorough": 5_000, "nightly": 50_000}

CHECK_IDS: tuple[str, ...] = tuple(check.id for check in CHECKS)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run is asked for.

    Attributes:
        target: A registered name, a file, a module; see `backproof.targets`.
        declarations: `KEY -> VALUE`, as with `--declare`.
        profile: One of `PROFILES`; decides the number of random examples unless `examples` is given.
        seed: Of all data and of the search; drawn where None.
        time_limit: Seconds for one call of the target.
        checks: Ids of the only checks to run; all where empty.
    """

    target: str
    declarations: Mapping[str, str] = field(default_factory=dict)
    profile: str = "default"
    examples: int | None = None
    seed: int | None = None
    time_limit: float = 30.0
    checks: tuple[str, ...] = ()


Emit = Callable[[Event], None]
Progress = Callable[[str, int, int], None]


def run(options: RunOptions, emit: Emit, progress: Progress = lambda check, done, total: None) -> int:
    """Verify a target; returns the exit status.

    Raises:
        TargetError: The target cannot be used; nothing was emitted but `RunStarted`.
        ValueError: A profile or check that does not exist.
    """
    chosen = _chosen(options)
    clock = time.monotonic()
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    examples = PROFILES[options.profile] if options.examples is None else options.examples
    emit(_started(options, examples, seed))
    with Target.open(options.target, declarations=dict(options.declarations), time_limit=options.time_limit) as target:
        state = _Run(target, emit, progress, seed, examples)
        for check in chosen:
            state.check(check)
        return state.finish(time.monotonic() - clock)


def _chosen(options: RunOptions) -> list[Check]:
    if options.profile not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, not {options.profile!r}")
    if unknown := set(options.checks) - set(CHECK_IDS):
        raise ValueError(f"no check {', '.join(sorted(unknown))}; there are {', '.join(CHECK_IDS)}")
    return [check for check in CHECKS if not options.checks or check.id in options.checks]


class _Run:
    """The state of a run: what has been tallied, and what has been found already."""

    def __init__(self, target: Target, emit: Emit, progress: Progress, seed: int, examples: int) -> None:
        self.target, self.emit, self.progress = target, emit, progress
        self.tallies: list[Tally] = []
        self.said: set[tuple[str, str, str]] = set()
        self.findings = 0
        binding = target.binding
        self.orientations, known = _orientations(target)
        emit(bound(binding, self.orientations, known))
        self.bench = Bench(
            target=target,
            space=space(
                lambda g: binding.refuses(g) is None,
                orientations=self.orientations,
                dtypes=binding.dtypes,
                layouts=binding.layouts,
                direct=binding.algorithm == "direct",
            ),
            orientations=self.orientations,
            examples=examples,
            seed=seed,
            report=lambda found: None,
            progress=lambda done, total: None,
            database=str(_database(binding)),
        )

    def check(self, check: Check) -> None:
        """Run one check between its two events."""
        clock = time.monotonic()
        self.emit(events.CheckStarted(check.id, check.title, list(check.equations)))
        tally = self.bench.tally = Tally()
        self.bench.report = lambda found: self._report(check, found)
        self.bench.progress = lambda done, total: self.progress(check.id, done, total)
        check.run(self.bench)
        self.tallies.append(tally)
        compared = sum(tally.comparisons.values())
        verdict: Verdict = "failed" if tally.findings else "passed" if compared else "not verified"
        self.emit(
            events.CheckFinished(
                check.id,
                check.title,
                verdict,
                tally.examples,
                dict(tally.comparisons),
                dict(tally.without_evidence),
                dict(tally.excluded),
                dict(tally.not_supported),
                round(time.monotonic() - clock, 3),
            )
        )

    def _report(self, check: Check, found: Found) -> None:
        self.bench.tally.findings += 1
        # One mistake, one finding: what a later check sees of it again only makes that check fail.
        wrong = found.wrong
        seen = {(quantity, wrong.function, wrong.kind) for quantity in wrong.quantity.split("+")}
        if not seen <= self.said:
            self.said |= seen
            self.findings += 1
            self.emit(as_event(check, found, self.target.binding, diagnose(self.bench, found)))

    def finish(self, seconds: float) -> int:
        """Say the verdict; returns the exit status."""
        comparisons = sum(sum(tally.comparisons.values()) for tally in self.tallies)
        failed = any(tally.findings for tally in self.tallies)
        verdict: Verdict = "failed" if failed else "passed" if comparisons else "not verified"
        status = {"failed": 1, "passed": 0, "not verified": 2}[verdict]
        self.emit(
            events.RunFinished(
                verdict,
                status,
                self.findings,
                sum(tally.examples for tally in self.tallies),
                comparisons,
                self.target.restarts,
                list(self.target.binding.not_bound),
                round(seconds, 3),
            )
        )
        return status


def _orientations(target: Target) -> tuple[tuple[Orientation, ...], Literal["declared", "inferred", "unknown"]]:
    """The orientations to hold the target to, and how they are known."""
    binding = target.binding
    if "orientation" in dict(binding.options):
        return ORIENTATIONS, "declared"
    if binding.orientation is not None:
        return (binding.orientation,), "declared"
    inferred = infer(target)
    # Where forward agrees with neither it is wrong; it is then measured against what every framework computes.
    return (inferred or "cross-correlation",), "inferred" if inferred else "unknown"


def bound(binding: Binding, orientations: tuple[Orientation, ...], known: str) -> events.TargetBound:
    """A binding as an event."""
    return events.TargetBound(
        name=binding.name,
        origin=binding.origin,
        version=binding.version,
        orientation="unknown" if known == "unknown" else "both" if len(orientations) > 1 else orientations[0],
        orientation_inferred=known == "inferred",
        functions=[
            {
                "role": function.role,
                "display": function.display,
                "parameters": [
                    parameter.name if parameter.name == parameter.role else f"{parameter.name} ({parameter.role})"
                    for parameter in function.parameters
                ],
            }
            for function in binding.functions
        ],
        options={option: str(form) for option, form in binding.options},
        bias=binding.bias,
        dtypes=list(binding.dtypes),
        padding_modes=list(binding.padding_modes),
        layouts=list(binding.layouts),
        layouts_excluded=[layout for layout in LAYOUTS if layout not in binding.layouts],
        known_defects=[
            {"name": name, "summary": summary, "script": script} for name, summary, script in binding.known_defects
        ],
        not_bound=list(binding.not_bound),
    )


def _started(options: RunOptions, examples: int, seed: int) -> events.RunStarted:
    return events.RunStarted(
        format=events.FORMAT,
        backproof=environment.version("backproof"),
        target=options.target,
        declarations=dict(options.declarations),
        profile=options.profile,
        examples=examples,
        seed=seed,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        environment=environment.describe(),
    )


def _database(binding: Binding) -> Path:
    """Where the search keeps this target's failing examples for the next run."""
    root = os.environ.get("BACKPROOF_CACHE_DIR") or platformdirs.user_cache_dir("backproof")
    key = hashlib.sha256(f"{binding.name}\n{binding.origin}".encode()).hexdigest()[:16]
    return Path(root) / "examples" / key
