"""The events of one run, brought together: what both views show.

A `Run` takes events one by one and is complete at any moment, so an interrupted run can be shown as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from backproof.events import CheckFinished, CheckStarted, Event, Finding, RunFinished, RunStarted, TargetBound

_ORDER = ("y", "dx", "dw", "db")
#: Options of a convolution that a signature may lack; such an option is only ever neutral.
_OPTIONS = ("stride", "padding", "dilation", "groups", "padding_mode")


@dataclass(slots=True)
class CheckRecord:
    """One check: its findings, and how it ended (None: it did not)."""

    check: str
    title: str
    equations: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    finished: CheckFinished | None = None

    @property
    def verdict(self) -> str:
        """`passed`, `failed`, `expected failure`, `not verified` or `interrupted`."""
        return self.finished.verdict if self.finished else "interrupted"

    @property
    def expected(self) -> list[Finding]:
        """Those findings that were expected."""
        return [finding for finding in self.findings if finding.expected_failure]

    @property
    def comparisons(self) -> int:
        """Arrays compared."""
        return sum(self.finished.comparisons.values()) if self.finished else 0


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that was not verified: a kind, what, and how often (`count` examples or comparisons; None: always)."""

    kind: str
    what: str
    where: str = ""
    count: int | None = None


@dataclass(slots=True)
class Run:
    """Everything that the events so far say."""

    started: RunStarted | None = None
    bound: TargetBound | None = None
    checks: dict[str, CheckRecord] = field(default_factory=dict)
    finished: RunFinished | None = None

    @classmethod
    def of(cls, events: Iterable[Event]) -> Self:
        """The run that a stream of events describes, whole or not."""
        run = cls()
        for event in events:
            run.add(event)
        return run

    def add(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case RunStarted():
                self.started = event
            case TargetBound():
                self.bound = event
            case CheckStarted():
                self.checks[event.check] = CheckRecord(event.check, event.title, tuple(event.equations))
            case Finding():
                self._record(event.check, event.check).findings.append(event)
            case CheckFinished():
                self._record(event.check, event.title).finished = event
            case RunFinished():
                self.finished = event

    def _record(self, check: str, title: str) -> CheckRecord:
        return self.checks.setdefault(check, CheckRecord(check, title))

    @property
    def target(self) -> str:
        """The target as it was asked for."""
        return self.started.target if self.started else self.bound.name if self.bound else "unknown target"

    @property
    def verdict(self) -> str:
        """`passed`, `failed`, `not verified`, or `interrupted` for a run without an end."""
        return self.finished.verdict if self.finished else "interrupted"

    @property
    def findings(self) -> list[Finding]:
        """Every finding that was not expected, in order of appearance."""
        return [f for record in self.checks.values() for f in record.findings if not f.expected_failure]

    @property
    def expected(self) -> list[Finding]:
        """Every expected failure that came, in order of appearance."""
        return [finding for record in self.checks.values() for finding in record.expected]

    @property
    def expected_failures(self) -> int:
        """Number of expected failures that came."""
        return self.finished.expected_failures if self.finished else len(self.expected)

    @property
    def stale(self) -> list[str]:
        """Failures that were expected and did not come."""
        return self.finished.stale if self.finished else []

    @property
    def strict(self) -> list[str]:
        """What fails a strict run besides findings."""
        return self.finished.strict if self.finished else []

    @property
    def found(self) -> int:
        """Number of findings, expected failures apart."""
        return self.finished.findings if self.finished else len(self.findings)

    @property
    def ended(self) -> list[CheckFinished]:
        """The ends of those checks that ended."""
        return [record.finished for record in self.checks.values() if record.finished]

    @property
    def examples(self) -> int:
        """Examples tried."""
        return self.finished.examples if self.finished else sum(end.examples for end in self.ended)

    @property
    def comparisons(self) -> int:
        """Arrays compared exactly."""
        return self.finished.comparisons if self.finished else sum(sum(end.comparisons.values()) for end in self.ended)

    @property
    def seconds(self) -> float:
        """Duration of the run."""
        return self.finished.seconds if self.finished else sum(end.seconds for end in self.ended)

    @property
    def quantities(self) -> list[str]:
        """Every quantity that was compared, found wrong or given no evidence; `y, dx, dw, db` first."""
        names = {finding.quantity for finding in (*self.findings, *self.expected)}
        for end in self.ended:
            names |= {*end.comparisons, *end.without_evidence}
        return sorted(names, key=_rank)

    @property
    def columns(self) -> list[str]:
        """Those that most checks compare, `y, dx, dw, db`: a column each."""
        return [name for name in self.quantities if name in _ORDER]

    @property
    def others(self) -> list[str]:
        """The other quantities: poolings, activations, what the chain has."""
        return [name for name in self.quantities if name not in _ORDER]

    def passed(self, check: str) -> bool:
        """Whether a check ran and passed."""
        record = self.checks.get(check)
        return record is not None and record.finished is not None and record.finished.verdict == "passed"

    @property
    def findings_by_quantity(self) -> dict[str, list[Finding]]:
        """Findings in the order of `quantities`, those without any left out."""
        groups = {name: [f for f in self.findings if f.quantity == name] for name in self.quantities}
        return {name: group for name, group in groups.items() if group}

    @property
    def missed(self) -> list[tuple[CheckRecord, dict[str, dict[str, float]]]]:
        """Those checks that bound the chance of missing an error, with the bounds by quantity."""
        ended = [(record, record.finished) for record in self.checks.values() if record.finished]
        return [(record, end.missed) for record, end in ended if end.missed and not end.shapes]

    @property
    def shapes(self) -> list[dict[str, Any]]:
        """What was done at the user's own shapes."""
        return [shape for end in self.ended for shape in end.shapes]

    @property
    def equations(self) -> dict[str, list[CheckRecord]]:
        """Every equation tested, and the checks that test it."""
        result: dict[str, list[CheckRecord]] = {}
        for record in self.checks.values():
            cited = (name for finding in record.findings for name in finding.equations)
            for name in dict.fromkeys((*record.equations, *cited)):
                result.setdefault(name, []).append(record)
        return dict(sorted(result.items()))

    def display(self, role: str) -> str:
        """How the target writes the function that is bound to `role`; else `role` itself."""
        functions = self.bound.functions if self.bound else []
        display = next((str(item["display"]) for item in functions if item["role"] == role), role)
        return display if display.startswith(role) else f"{role}: {display}"

    @property
    def gaps(self) -> list[Gap]:
        """Everything that was not verified."""
        return list(dict.fromkeys((*self._whole_gaps(), *self._counted_gaps())))

    def _whole_gaps(self) -> Iterator[Gap]:
        bound = self.bound
        known = set(bound.not_bound) if bound else set()
        if bound:
            yield from (Gap("not bound", reason) for reason in bound.not_bound)
            yield from (Gap("option", f"{name}: {bound.name} takes no such option") for name in self._lacking())
            yield from (Gap("layout", f"memory layout {name}") for name in bound.layouts_excluded)
        if self.finished:
            yield from (Gap("run", reason) for reason in self.finished.not_verified if reason not in known)
        for record in self.checks.values():
            if record.verdict == "interrupted":
                yield Gap("interrupted", f"{record.title}: it did not end", record.check)
            elif record.verdict == "not verified":
                shapes = record.finished.shapes if record.finished else []
                what = "not every shape could be verified" if shapes else "nothing was compared"
                yield Gap("check", f"{record.title}: {what}", record.check)

    def _counted_gaps(self) -> Iterator[Gap]:
        defects = {item["name"]: item for item in self.bound.known_defects} if self.bound else {}
        texts = {name: f"{name}: {item['summary']} ({item['script']})" for name, item in defects.items()}
        gaps: list[Gap] = []
        for end in self.ended:
            gaps += (Gap("known defect", texts.get(name, name), end.check, n) for name, n in end.excluded.items())
            gaps += (Gap("not supported", reason, end.check, n) for reason, n in end.not_supported.items())
            if weak := {name: n for name, n in end.without_evidence.items() if n}:
                what = ", ".join(f"{name} {weak[name]:,}" for name in sorted(weak, key=_rank))
                gaps.append(Gap("without evidence", what, end.check, sum(weak.values())))
        met = {gap.what for gap in gaps}
        gaps += (Gap("known defect", text, "", 0) for text in texts.values() if text not in met)
        yield from sorted(gaps, key=lambda gap: -(gap.count or 0))

    def _lacking(self) -> list[str]:
        if self.bound is None or all(function["role"] != "forward" for function in self.bound.functions):
            return []
        return [name for name in _OPTIONS if name not in self.bound.options]


def _rank(quantity: str) -> tuple[int, str]:
    return (_ORDER.index(quantity) if quantity in _ORDER else len(_ORDER), quantity)
