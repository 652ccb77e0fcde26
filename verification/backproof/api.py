"""From Python: `backproof.check(target)` runs every check, and its `Report` says what came out.

report = backproof.check("my_conv.py", profile="quick")
report.raise_for_findings()
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from backproof.events import Event, Finding
from backproof.objects import target_of
from backproof.report import finding as findings
from backproof.report.summary import Run
from backproof.report.words import sentence
from backproof.runner import RunOptions, run
from backproof.targets.declarations import nearest


class VerificationError(AssertionError):
    """A target does not do what its specification says; the message is what the terminal would show."""


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """What a run said.  `events` is all of it; the rest is read from there."""

    events: tuple[Event, ...]

    @property
    def verdict(self) -> str:
        """`passed`, `failed` or `not verified`."""
        return self._run.verdict

    @property
    def passed(self) -> bool:
        """Whether everything asked for holds, expected failures apart; never so where nothing was verified."""
        return self.verdict == "passed"

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong, each at its smallest case; expected failures are in `expected_failures`."""
        return tuple(self._run.findings)

    @property
    def expected_failures(self) -> tuple[Finding, ...]:
        """Findings that were expected, each with its reason."""
        return tuple(self._run.expected)

    @property
    def stale(self) -> tuple[str, ...]:
        """Failures that were expected and did not come."""
        return tuple(self._run.stale)

    @property
    def strict(self) -> tuple[str, ...]:
        """What fails a strict run besides findings; empty where the run was not strict."""
        return tuple(self._run.strict)

    @property
    def _run(self) -> Run:
        return Run.of(self.events)

    def write_html(self, path: str | Path) -> None:
        """Write the report as one page, whose folder exists.

        Raises:
            OSError: The file cannot be written.
        """
        from backproof.report.html import write_html

        write_html(self.events, path)

    def write_ndjson(self, path: str | Path) -> None:
        """Write the recording of the run, from which `backproof report` renders every view again.

        Raises:
            OSError: The file cannot be written.
        """
        from backproof.report.ndjson import NdjsonWriter

        with NdjsonWriter(path) as writer:
            for event in self.events:
                writer.write(event)

    def raise_for_findings(self) -> None:
        """Raise unless the run passed.

        Raises:
            VerificationError: An `AssertionError` with every finding, or with the reason for which it is no pass.
        """
        if not self.passed:
            raise VerificationError(str(self))

    def __str__(self) -> str:
        run = self._run
        parts = [findings.text(item, run, number=number) for number, item in enumerate(run.findings, start=1)]
        parts += [f"expected to fail, and did not: {text}" for text in run.stale if not run.strict]
        parts += [f"strict: {text}" for text in run.strict]
        return "\n\n".join([*parts, f"{run.verdict.upper()}: {sentence(run)}"])

    def __repr__(self) -> str:
        run = self._run
        return f"<Report {run.verdict}: {sentence(run)}>"


def check(target: Any, **options: Any) -> Report:
    """Verify a target: a text as on the command line, or an object that another process can import.

    `options` are those of `RunOptions`: `declarations`, `profile`, `examples`, `seed`, `time_limit`, `checks`,
    `expect_fail`, `strict`, `shapes` (of your own: texts, or instances of `Geometry`).

    Raises:
        TargetError: The target cannot be used; the message says what to pass instead.
        TypeError: An option that does not exist.
        ValueError: A value that an option does not take.
    """
    events: list[Event] = []
    run(options_for(target, options), events.append)
    return Report(tuple(events))


def options_for(target: Any, options: dict[str, Any]) -> RunOptions:
    """`RunOptions` for a target or an object.

    Raises:
        TargetError: Another process could not import the object.
        TypeError: An option that does not exist.
    """
    known = [item.name for item in fields(RunOptions) if item.name != "target"]
    for name in options:
        if name not in known:
            raise TypeError(f"there is no option {name!r}; there are {', '.join(known)}{nearest(name, known)}")
    checks = options.get("checks", ())
    if isinstance(checks, str) or not isinstance(checks, Sequence):
        raise TypeError(f"checks must be a tuple of ids such as ('exact',), not {checks!r}")
    shapes = options.get("shapes", ())
    if isinstance(shapes, str) or not isinstance(shapes, Sequence):
        raise TypeError(f"shapes must be a list such as ['x=1,3,8,8 w=4,3,3,3'], not {shapes!r}")
    return RunOptions(target_of(target), **{**options, "checks": tuple(checks), "shapes": tuple(shapes)})
