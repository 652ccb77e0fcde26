"""Recordings of the parts of one run, as several processes made them, brought together and written as reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from backproof.events import CheckFinished, CheckStarted, Event, Finding, RunFinished, RunStarted, Verdict, read_events
from backproof.report.html import write_html
from backproof.report.naming import stem
from backproof.report.ndjson import NdjsonWriter
from backproof.runner import CHECK_IDS


def write_reports(recordings: Iterable[Sequence[str]], folder: str | Path) -> list[Path]:
    """Write `NAME.ndjson` and `NAME.html` for every target of some recordings (lines of NDJSON); the pages.

    Raises:
        OSError: The folder cannot be written to.
    """
    parts: dict[str, list[list[Event]]] = {}
    for lines in recordings:
        events = list(read_events(lines))
        parts.setdefault(next(e.target for e in events if isinstance(e, RunStarted)), []).append(events)
    return [_write(target, joined(whole), Path(folder)) for target, whole in parts.items()]


def _write(target: str, events: Sequence[Event], folder: Path) -> Path:
    with NdjsonWriter(folder / f"{stem(target)}.ndjson") as writer:
        for event in events:
            writer.write(event)
    page = folder / f"{stem(target)}.html"
    write_html(events, page)
    return page


def joined(parts: Sequence[Sequence[Event]]) -> list[Event]:
    """Parts of one run, each with a start and an end of its own, as one: its checks in order, its counts summed."""
    if len(parts) == 1:
        return list(parts[0])
    start = [e for e in parts[0] if not isinstance(e, CheckStarted | Finding | CheckFinished | RunFinished)]
    of_checks = [e for part in parts for e in part if isinstance(e, CheckStarted | Finding | CheckFinished)]
    of_checks.sort(key=lambda event: CHECK_IDS.index(event.check))  # stable: within a check, as it came
    return [*start, *of_checks, _end([e for part in parts for e in part if isinstance(e, RunFinished)])]


def _end(ends: Sequence[RunFinished]) -> RunFinished:
    verdicts = {end.verdict for end in ends}
    order: tuple[Verdict, ...] = ("failed", "passed", "not verified")
    verdict = next(v for v in order if v in verdicts)
    return RunFinished(
        verdict=verdict,
        exit_status={"failed": 1, "passed": 0, "not verified": 2}[verdict],
        findings=sum(end.findings for end in ends),
        examples=sum(end.examples for end in ends),
        comparisons=sum(end.comparisons for end in ends),
        worker_restarts=sum(end.worker_restarts for end in ends),
        not_verified=list(dict.fromkeys(text for end in ends for text in end.not_verified)),
        seconds=max(end.seconds for end in ends),
        expected_failures=sum(end.expected_failures for end in ends),
        stale=[text for end in ends for text in end.stale],
        strict=list(dict.fromkeys(text for end in ends for text in end.strict)),
    )
