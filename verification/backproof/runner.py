"""One run: load the target, settle its orientation, go through the checks, and say everything as events.

exit status 0   everything asked for holds, expected failures apart
            1   findings, or under `strict` anything that was not verified
            2   the target could not be loaded, or nothing could be verified
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import platformdirs

from backproof import events, strictness
from backproof.cases.levels import space
from backproof.checks import CHECKS, Bench, Check
from backproof.checks.bench import Found, Tally
from backproof.checks.findings import as_event
from backproof.diagnosis import diagnose
from backproof.events import CheckVerdict, Event, Verdict
from backproof.expectations import Expectations
from backproof.options import CHECK_IDS, PROFILES, RunOptions, chosen
from backproof.prologue import bound, orientations, started
from backproof.targets.binding import Binding
from backproof.targets.errors import TargetError
from backproof.targets.process import Target
from backproof.targets.roles import CONVOLUTIONS

__all__ = ["CHECK_IDS", "PROFILES", "CheckResult", "RunOptions", "Verification", "run"]

Emit = Callable[[Event], None]
Progress = Callable[[str, int, int], None]


def run(options: RunOptions, emit: Emit, progress: Progress = lambda check, done, total: None) -> int:
    """Verify a target; returns the exit status.

    Raises:
        TargetError: The target cannot be used; nothing was emitted but `RunStarted`.
        ValueError: A profile, a check or an expected failure that does not exist.
    """
    with Verification(options, emit, progress) as verification:
        for check in verification.checks:
            verification.check(check)
        return verification.finish().exit_status


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check ended.

    `findings` are all that it found, those included that an earlier check of the run had found before it; `stale` are
    the expected failures of this check that did not come, as `KEY (REASON)`.
    """

    finished: events.CheckFinished
    findings: tuple[events.Finding, ...]
    stale: tuple[str, ...]


class Verification:
    """A target that is opened once, and checked check by check; a context manager, for one thread at a time.

        with Verification(RunOptions("my_conv.py")) as verification:
            result = verification.check("exact")

    `emit` is handed every event of the run, in order.  `bound` says how the target was bound, `checks` what is to run.

    Raises:
        ValueError: A profile, a check or an expected failure that does not exist.
        TargetError: On entry, the target cannot be used; nothing was emitted but `RunStarted`.
    """

    bound: events.TargetBound

    def __init__(
        self,
        options: RunOptions,
        emit: Emit = lambda event: None,
        progress: Progress = lambda check, done, total: None,
    ) -> None:
        self.options = options
        self.checks = tuple(check.id for check in chosen(options))
        self.seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
        self._expectations = Expectations.of(options.expect_fail, CHECK_IDS)
        self._emit, self._progress = emit, progress
        self._results: list[CheckResult] = []
        self._said: set[tuple[str, str, str, bool]] = set()
        self._told: list[events.Finding] = []

    def __enter__(self) -> Self:
        self._clock = time.monotonic()
        options = self.options
        examples = PROFILES[options.profile] if options.examples is None else options.examples
        self._emit(started(options, examples, self.seed))
        self.target = Target.open(
            options.target, declarations=dict(options.declarations), time_limit=options.time_limit
        )
        try:
            self._bind(examples)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the target's process."""
        self.target.close()

    @property
    def binding(self) -> Binding:
        """What is bound to what."""
        return self.target.binding

    @property
    def expect_fail(self) -> Mapping[str, str]:
        """Expected failures and their reasons, those included that the target itself declares."""
        return self._expectations.reasons

    def _bind(self, examples: int) -> None:
        binding = self.binding
        self._expectations = _declared(binding) | self._expectations
        held_to, known = orientations(self.target)
        self.bound = bound(binding, held_to, known)
        self._emit(self.bound)
        convolves = any(function.role in (*CONVOLUTIONS, "delta") for function in binding.functions)
        self._bench = Bench(
            target=self.target,
            space=space(
                lambda g: not convolves or binding.refuses(g) is None,  # what only pools is asked for no convolution
                orientations=held_to,
                dtypes=binding.dtypes,
                layouts=binding.layouts,
                direct=binding.algorithm == "direct" and not binding.updates,
                fixed=dict(binding.fixed),
            ),
            orientations=held_to,
            examples=examples,
            seed=self.seed,
            report=lambda found: None,
            progress=lambda done, total: None,
            database=str(_database(binding)),
        )

    def check(self, name: str) -> CheckResult:
        """Run one check, between its two events.

        Raises:
            ValueError: There is no such check.
            TargetError: After a crash, the target could not be loaded again.
        """
        if name not in _CHECKS:
            raise ValueError(f"no check {name!r}; there are {', '.join(CHECK_IDS)}")
        clock, check = time.monotonic(), _CHECKS[name]
        self._emit(events.CheckStarted(check.id, check.title, list(check.equations)))
        bench, found = self._bench, list[events.Finding]()
        bench.tally = Tally()
        bench.report = lambda failure: found.append(self._report(check, failure))
        bench.progress = lambda done, total: self._progress(check.id, done, total)
        check.run(bench)
        verdict = _verdict(found, bench.tally)
        nothing = [(check.id, "")] if verdict == "not verified" else []
        met = self._expectations.met([*((finding.check, finding.quantity) for finding in found), *nothing])
        finished = events.CheckFinished(
            check=check.id,
            title=check.title,
            verdict=verdict,
            examples=bench.tally.examples,
            comparisons=dict(bench.tally.comparisons),
            without_evidence=dict(bench.tally.without_evidence),
            excluded=dict(bench.tally.excluded),
            not_supported=dict(bench.tally.not_supported),
            seconds=round(time.monotonic() - clock, 3),
            expected_failures=met,
        )
        self._emit(finished)
        stale = self._expectations.stale(check.id, met)
        self._results.append(CheckResult(finished, tuple(found), stale))
        return self._results[-1]

    def _report(self, check: Check, found: Found) -> events.Finding:
        self._bench.tally.findings += 1
        wrong = found.wrong
        reason = self._expectations.reason(check.id, wrong.quantity)
        finding = as_event(check, found, self.binding, self.options.declarations, diagnose(self._bench, found))
        finding = replace(finding, expected_failure=reason)
        # One mistake, one finding: what a later check sees of it again only makes that check fail.
        seen = {(quantity, wrong.function, wrong.kind, bool(reason)) for quantity in wrong.quantity.split("+")}
        if not seen <= self._said:
            self._said |= seen
            self._told.append(finding)
            self._emit(finding)
        return finding

    def finish(self) -> events.RunFinished:
        """Say the verdict on the checks that ran."""
        ended = [result.finished for result in self._results]
        stale = [text for result in self._results for text in result.stale]
        expected = sum(1 for finding in self._told if finding.expected_failure)
        comparisons = sum(sum(end.comparisons.values()) for end in ended)
        objections = [*strictness.of_run(self.bound, ended), *strictness.of_stale(stale)] if self.options.strict else []
        failed = any(end.verdict == "failed" for end in ended) or (comparisons and objections)
        verdict: Verdict = "failed" if failed else "passed" if comparisons else "not verified"
        finished = events.RunFinished(
            verdict=verdict,
            exit_status={"failed": 1, "passed": 0, "not verified": 2}[verdict],
            findings=len(self._told) - expected,
            examples=sum(end.examples for end in ended),
            comparisons=comparisons,
            worker_restarts=self.target.restarts,
            not_verified=list(self.binding.not_bound),
            seconds=round(time.monotonic() - self._clock, 3),
            expected_failures=expected,
            stale=stale,
            strict=objections,
        )
        self._emit(finished)
        return finished


_CHECKS = {check.id: check for check in CHECKS}


def _declared(binding: Binding) -> Expectations:
    """The expected failures that the target itself declares."""
    try:
        return Expectations.of(dict(binding.expected_failures), CHECK_IDS)
    except ValueError as error:
        raise TargetError(f"EXPECTED_FAILURES of {binding.name}: {error}") from error


def _verdict(found: list[events.Finding], tally: Tally) -> CheckVerdict:
    if any(not finding.expected_failure for finding in found):
        return "failed"
    if found:
        return "expected failure"
    return "passed" if tally.comparisons.total() else "not verified"


def _database(binding: Binding) -> Path:
    """Where the search keeps this target's failing examples for the next run."""
    root = os.environ.get("BACKPROOF_CACHE_DIR") or platformdirs.user_cache_dir("backproof")
    key = hashlib.sha256(f"{binding.name}\n{binding.origin}".encode()).hexdigest()[:16]
    return Path(root) / "examples" / key
