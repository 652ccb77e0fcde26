"""One run of the verifier inside a test: its exit status and its events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backproof.events import CheckFinished, Event, Finding, RunFinished
from backproof.runner import RunOptions, run

WRONG = Path(__file__).parent / "wrong"


@dataclass(frozen=True)
class Outcome:
    status: int
    events: list[Event]

    @property
    def findings(self) -> list[Finding]:
        return [event for event in self.events if isinstance(event, Finding)]

    @property
    def checks(self) -> dict[str, CheckFinished]:
        return {event.check: event for event in self.events if isinstance(event, CheckFinished)}

    @property
    def end(self) -> RunFinished:
        (event,) = (event for event in self.events if isinstance(event, RunFinished))
        return event


@pytest.fixture
def verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """`verify(target, **RunOptions)`; the examples that Hypothesis keeps are those of this test alone."""
    from backproof import runner

    monkeypatch.setattr(runner, "_database", lambda binding: tmp_path / "examples")

    def verify(target: str, **options: Any) -> Outcome:
        events: list[Event] = []
        settings = {"seed": 3, "examples": 0, "time_limit": 20.0, **options}
        return Outcome(run(RunOptions(target, **settings), events.append), events)

    return verify


@pytest.fixture
def module(tmp_path: Path) -> Callable[[str], str]:
    """Write a target module and return its path; `right` can be imported from it."""

    def module(text: str) -> str:
        (tmp_path / "right.py").write_text((WRONG / "right.py").read_text(encoding="utf-8"), encoding="utf-8")
        path = tmp_path / "target.py"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return module
