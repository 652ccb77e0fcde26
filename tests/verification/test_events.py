"""Events: every kind survives its JSON, which the schema describes; anything else is refused."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from backproof import events
from backproof.events import Event, RunFinished, as_json, from_json, read_events

RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.ndjson"))
LINES = [line for path in RECORDINGS for line in path.read_text(encoding="utf-8").splitlines()]
SCHEMA = json.loads(Path(events.__file__).with_name("events.schema.json").read_text(encoding="utf-8"))
KINDS: tuple[Any, ...] = get_args(Event)


def test_the_recordings_hold_every_kind() -> None:
    assert {type(from_json(line)) for line in LINES} == set(KINDS)


@pytest.mark.parametrize("line", LINES)
def test_round_trip(line: str) -> None:
    event = from_json(line)
    assert as_json(event) == line
    assert from_json(as_json(event)) == event


@pytest.mark.parametrize("line", LINES)
def test_the_schema_accepts_what_is_written(line: str) -> None:
    Draft202012Validator(SCHEMA).validate(json.loads(line))


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_names_exactly_the_fields(kind: Any) -> None:
    definition = SCHEMA["$defs"][kind.kind]
    names = ["event", *(field.name for field in fields(kind))]
    assert list(definition["properties"]) == names
    assert sorted(definition["required"]) == sorted(names)
    assert definition["additionalProperties"] is False


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "fine"},
        {"exit_status": 3},
        {"findings": -1},
        {"findings": "2"},
        {"not_verified": [1]},
        {"extra": 1},
        {"event": "run-ended"},
    ],
)
def test_the_schema_refuses(change: dict[str, Any]) -> None:
    data = json.loads(next(line for line in LINES if '"run-finished"' in line))
    assert Draft202012Validator(SCHEMA).is_valid(data)
    assert not Draft202012Validator(SCHEMA).is_valid({**data, **change})


@pytest.mark.parametrize("line", LINES[:1] + LINES[-1:])
def test_unknown_and_missing_fields_are_named(line: str) -> None:
    data = json.loads(line)
    with pytest.raises(ValueError, match=r"missing or unknown fields: colour$"):
        from_json(json.dumps({**data, "colour": "red"}))
    removed = list(data)[1]
    del data[removed]
    with pytest.raises(ValueError, match=rf"missing or unknown fields: {removed}$"):
        from_json(json.dumps(data))


@pytest.mark.parametrize("line", ["", "{", "[]", "3", "null", "{}", '{"event": "stop"}', '{"event": ["finding"]}'])
def test_what_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"not an event: .*expected one of run-started, .*, run-finished"):
        from_json(line)


def test_the_line_number_of_what_is_no_event() -> None:
    with pytest.raises(ValueError, match=r"^line 3: not an event"):
        list(read_events([LINES[0], "", "oops"]))


def test_no_nan_in_a_recording() -> None:
    finished = next(event for event in map(from_json, LINES) if isinstance(event, RunFinished))
    with pytest.raises(ValueError, match="Out of range"):
        as_json(replace(finished, seconds=float("nan")))


def test_an_event_is_one_line() -> None:
    started = from_json(LINES[0])
    assert isinstance(started, events.RunStarted)
    line = as_json(replace(started, target="a\nb\u2028c"))
    assert "\n" not in line
    assert from_json(line) == replace(started, target="a\nb\u2028c")
