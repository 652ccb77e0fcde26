"""A run in the terminal: a line per finished check, then the findings, what was not verified, and the verdict.

On a terminal a progress bar runs below; in a pipe or a log there are plain lines only.  `NO_COLOR` is honoured (by
rich).  Our own words are ASCII, since a log may be in any encoding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from backproof.events import CheckFinished, CheckStarted, Event, Finding, RunFinished, TargetBound
from backproof.report import words
from backproof.report.finding import lines
from backproof.report.summary import Gap, Run
from backproof.report.words import command, counted, duration, heading, kill_rate, printable, sentence

_STYLES = {
    "passed": "green",
    "failed": "bold red",
    "expected failure": "yellow",
    "not verified": "yellow",
    "interrupted": "yellow",
}
_FINDINGS_SHOWN = 20
_GAPS_SHOWN = 12


class Terminal:
    """Shows events as they come; a context manager, for the progress bar.

    `report`: where the whole report will be; `quiet`: only findings, what was not verified, and the verdict.
    """

    def __init__(self, console: Console, *, report: str = "", quiet: bool = False) -> None:
        self._console = console
        self._report = report
        self._quiet = quiet
        self._run = Run()
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._quiet:
            columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
            self._progress = Progress(*columns, console=self._console, transient=True)
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def handle(self, event: Event) -> None:
        """Take the next event, and show what there is to show."""
        self._run.add(event)
        match event:
            case TargetBound() if not self._quiet:
                self._print(heading(event))
            case CheckStarted() if self._progress is not None:
                self._restart_bar(event.title)
            case CheckFinished() if not self._quiet:
                self._check_line(event)
            case RunFinished():
                self._close()

    def progress(self, check: str, done: int, total: int) -> None:
        """How far a check is: `done` of `total` examples."""
        if self._progress is not None:
            if self._task is None:
                self._restart_bar(check)
            if self._task is not None:
                self._progress.update(self._task, completed=done, total=total)

    def interrupted(self) -> None:
        """Show what there is of a run that will not go on."""
        self._close()

    # ---- the bar

    def _restart_bar(self, title: str) -> None:
        if self._progress is not None:
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._task = self._progress.add_task(printable(title), total=None)

    def _stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    # ---- lines

    def _print(self, text: str, style: str = "", label: str = "") -> None:
        """One line, never wrapped or interpreted; `label` is its first word, in `style`."""
        shown = printable(text).replace("\n", "\n" + " " * len(label))
        line = Text.assemble((label, style), shown) if label else Text(shown, style)
        self._console.print(line, soft_wrap=True)

    def _check_line(self, end: CheckFinished) -> None:
        evidence = [counted(end.examples, "example"), counted(sum(end.comparisons.values()), "comparison")]
        record = self._run.checks[end.check]
        if expected := len(record.expected):
            evidence.insert(0, counted(expected, "expected failure"))
        if found := len(record.findings) - expected:
            evidence.insert(0, counted(found, "finding"))
        elif end.verdict == "failed":  # a run says the same thing once
            evidence.insert(0, "the finding of a check above")
        if left_out := sum(end.not_supported.values()) + sum(end.excluded.values()):
            evidence.append(f"{left_out} not called")
        text = f"{end.check}: {', '.join(evidence)}, {duration(end.seconds)}"
        self._print(text, _STYLES[end.verdict], f"{end.verdict.removesuffix(' failure'):<13}")
        for note in end.notes:
            self._print(note, "dim", " " * 13)

    def _close(self) -> None:
        self._stop()
        if self._run.findings:
            self._findings()
        self._expected()
        self._not_verified()
        self._strict()
        self._missed()
        self._shapes()
        verdict = self._run.verdict
        self._print("")
        if not self._quiet and (rate := kill_rate(self._run)):
            self._print(f"the checks: {rate}")
        self._print(f": {sentence(self._run)}", _STYLES[verdict], verdict.upper())

    def _findings(self) -> None:
        """Per quantity the first finding in full: the others are mostly the same mistake, seen by other checks."""
        number = 0
        for group in self._run.findings_by_quantity.values():
            for finding in group:
                number += 1
                if number <= _FINDINGS_SHOWN:
                    self._finding(number, finding, full=finding is group[0])
        if number > _FINDINGS_SHOWN:
            self._print(f"... and {counted(number - _FINDINGS_SHOWN, 'more finding')}{self._see()}")
        self._print("")
        if self._report:
            self._print(f"in {self._report}", "bold", f"{'programs that show them':<24}")
        check = self._run.findings[0].check
        self._print(command(self._run, "--check", check), "bold", f"{'to run one check again':<24}")

    def _see(self) -> str:
        return f", in {self._report}" if self._report else ""

    def _finding(self, number: int, finding: Finding, *, full: bool) -> None:
        if full:
            self._print("")
        self._print(f"  [{finding.check}] {finding.summary}", "bold red", f"FINDING {number}")
        for label, text in lines(finding, self._run.display(finding.function) if full else None):
            self._print(text, "bold", f"  {label:<11}")

    def _expected(self) -> None:
        """Expected failures that came, and, loudly, those that did not."""
        if not self._quiet:
            came = [f"[{f.check}] {f.summary}: {f.expected_failure}" for f in self._run.expected]
            self._list("expected failures:", came)
        self._list("EXPECTED TO FAIL, AND DID NOT; remove these expectations:", self._run.stale, "bold yellow")

    def _not_verified(self) -> None:
        if not (self._quiet and self._run.verdict == "passed"):
            self._list("not verified:", _gap_lines(self._run.gaps))

    def _strict(self) -> None:
        """What fails a strict run besides findings."""
        self._list("strict, and so these fail the run:", self._run.strict, "bold red")

    def _missed(self) -> None:
        """What the examples are worth, per quantity."""
        for record, missed in () if self._quiet else self._run.missed:
            title = f"chance that an error bilinear at a configuration tried went unseen [{record.check}]:"
            self._list(title, [f"{quantity:<3} {words.missed(row)}" for quantity, row in missed.items()])

    def _shapes(self) -> None:
        """What was done at the user's own shapes."""
        if not self._quiet:
            several = len({shape["shape"] for shape in self._run.shapes}) < len(self._run.shapes)
            self._list("your shapes:", [self._shape(shape, several) for shape in self._run.shapes])

    def _shape(self, shape: Mapping[str, Any], several: bool) -> str:
        orientation = f" ({shape['geometry']['orientation']})" if several else ""
        return f"{shape['shape']}{orientation}: {words.shape(shape)}"

    def _list(self, title: str, items: Sequence[str], style: str = "") -> None:
        if items:
            self._print("")
            self._print(title, style)
            for text in items[:_GAPS_SHOWN]:
                self._print(f"  - {text}")
            if more := items[_GAPS_SHOWN:]:
                self._print(f"  ... and {len(more)} more{self._see()}")


def _gap_lines(gaps: list[Gap]) -> list[str]:
    """A line for every gap that was met; those that differ in numbers only share one."""
    alike: dict[tuple[str, str, str], list[Gap]] = {}
    for gap in gaps:
        if gap.count != 0:
            alike.setdefault((gap.kind, gap.where, re.sub(r"\d+", "0", gap.what)), []).append(gap)
    return [_gap_line(group) for group in alike.values()]


def _gap_line(group: list[Gap]) -> str:
    first, total = group[0], sum(gap.count or 0 for gap in group)
    where = f" [{first.where}]" if first.where else ""
    more = f" and {len(group) - 1} more like it" if len(group) > 1 else ""
    if first.kind == "without evidence":
        return f"comparisons without evidence{where}: {first.what}"
    return f"{first.what}{more}{where}" + (f": {counted(total, 'example')} not called" if total else "")
