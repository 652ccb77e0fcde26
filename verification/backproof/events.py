"""What a run says, as plain data: a stream of events, one JSON object per line.  Reports are views of it.

    run-started  target-bound  (check-started  finding*  check-finished)*  run-finished

`events.schema.json`, beside this file, is the contract for readers; `as_json` and `from_json` are its two directions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Literal, TypeAlias, get_args

FORMAT = 1
Verdict: TypeAlias = Literal["passed", "failed", "not verified"]
#: With this begins the reason for what a target does not claim to do: it is listed, and no objection to a strict run.
NOT_ASKED = "not asked for: "
CheckVerdict: TypeAlias = Literal["passed", "failed", "expected failure", "not verified"]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The first event: what was asked for, where and with what."""

    kind: ClassVar[str] = "run-started"
    format: int
    backproof: str
    target: str
    declarations: dict[str, str]
    profile: str
    examples: int
    seed: int
    started: str  # ISO 8601, UTC
    environment: dict[str, str]
    expect_fail: dict[str, str] = field(default_factory=dict)  # CHECK or CHECK:QUANTITY -> reason
    strict: bool = False
    shapes: list[str] = field(default_factory=list)  # the user's own
    museum: dict[str, Any] | None = (
        None  # {"version", "mutants", "killed", "profile", "seeds"}: what is known of checks
    )


@dataclass(frozen=True, slots=True)
class TargetBound:
    """What was found in the target and how it will be called."""

    kind: ClassVar[str] = "target-bound"
    name: str
    origin: str
    version: str | None
    orientation: str
    orientation_inferred: bool
    functions: list[dict[str, Any]]  # {"role", "display", "parameters"}
    options: dict[str, str]
    bias: str
    dtypes: list[str]
    padding_modes: list[str]
    layouts: list[str]
    layouts_excluded: list[str]
    known_defects: list[dict[str, str]]  # {"name", "summary", "script"}
    not_bound: list[str]


@dataclass(frozen=True, slots=True)
class CheckStarted:
    """A check begins; `equations` are the ids of what it tests."""

    kind: ClassVar[str] = "check-started"
    check: str
    title: str
    equations: list[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong, at the smallest case found.

    `case` is the case as data, `reproducer` a Python program that shows the same; `expected` and `actual` are the
    values at `index`, or empty where there are no values to compare.
    """

    kind: ClassVar[str] = "finding"
    check: str
    quantity: str
    function: str
    summary: str
    details: list[str]
    equations: list[str]
    case: dict[str, Any]
    index: list[int]
    expected: str
    actual: str
    wrong: int
    compared: int
    after: int  # examples until it was first seen
    reproducer: str
    expected_failure: str = ""  # the reason, where this failure is expected


@dataclass(frozen=True, slots=True)
class CheckFinished:
    """A check ended.  `comparisons` counts per quantity the arrays compared and found equal or not.

    `expected_failures` are those that came, `CHECK` or `CHECK:QUANTITY` -> reason.

    `missed` says, per quantity that was not found wrong, with which probability an error bilinear at a configuration
    tried (a function at a geometry, dtype and memory layouts) would have shown nowhere, at most: `log2_worst` and
    `log2_median` over the `configurations`, and how many are `rare`, below 2**-20.

    `shapes` are the user's own, each with its geometry, what was done (`method`: proof, draws, projection, none), the
    `calls`, bounds as above in plain memory (`log2_missed`) and in other layouts (`log2_layouts`), of a proof the bound
    of its test of linearity (`log2_linear`), and the `reason` for what was not done.
    """

    kind: ClassVar[str] = "check-finished"
    check: str
    title: str
    verdict: CheckVerdict
    examples: int
    comparisons: dict[str, int]
    without_evidence: dict[str, int]
    excluded: dict[str, int]  # known defect -> examples not called
    not_supported: dict[str, int]  # reason -> examples not called
    seconds: float
    expected_failures: dict[str, str] = field(default_factory=dict)
    missed: dict[str, dict[str, float]] = field(default_factory=dict)
    shapes: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what it measured, and no verdict depends on


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The last event.  `exit_status`: 0 everything asked for holds, 1 findings, 2 nothing could be verified.

    `findings` are those not expected, `expected_failures` counts the others; `stale`: failures that were expected and
    did not come; `strict`: what fails a strict run besides findings.
    """

    kind: ClassVar[str] = "run-finished"
    verdict: Verdict
    exit_status: int
    findings: int
    examples: int
    comparisons: int
    worker_restarts: int
    not_verified: list[str]
    seconds: float
    expected_failures: int = 0
    stale: list[str] = field(default_factory=list)
    strict: list[str] = field(default_factory=list)


Event: TypeAlias = RunStarted | TargetBound | CheckStarted | Finding | CheckFinished | RunFinished
_KINDS: dict[str, type[Event]] = {event.kind: event for event in get_args(Event)}


def as_json(event: Event) -> str:
    """One line of NDJSON, without its line end."""
    return json.dumps({"event": event.kind, **asdict(event)}, ensure_ascii=False, allow_nan=False)


def from_json(line: str) -> Event:
    """The event that a line of NDJSON holds.

    Raises:
        ValueError: The line is no JSON object, of an unknown kind, or its fields are not those of its kind.
    """
    try:
        data = json.loads(line)
        cls = _KINDS[data.pop("event")]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"not an event: {line[:80]!r}; expected one of {', '.join(_KINDS)}") from error
    expected, given = {f.name for f in fields(cls)}, set(data)
    if expected != given:
        wrong = ", ".join(sorted(expected ^ given))
        raise ValueError(f"event {cls.kind!r} has missing or unknown fields: {wrong}")
    return cls(**data)


def read_events(lines: Iterable[str]) -> Iterator[Event]:
    """The events of an NDJSON stream; empty lines are skipped.

    Raises:
        ValueError: With the number of the line that is no event.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield from_json(line)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error
