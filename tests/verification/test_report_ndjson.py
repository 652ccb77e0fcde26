"""Recordings: what is written is there at once, and what is read is a recording or a clear error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from backproof.events import Event, RunFinished, as_json, from_json
from backproof.report.ndjson import NdjsonWriter, read

RECORDINGS = Path(__file__).parent / "recordings"
LINES = (RECORDINGS / "failing.ndjson").read_text(encoding="utf-8").splitlines(keepends=True)
EVENTS = [from_json(line) for line in LINES]
ENDED = next(event for event in EVENTS if isinstance(event, RunFinished))


def test_every_line_is_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "made" / "run.ndjson"
    with NdjsonWriter(path) as writer:
        for number, event in enumerate(EVENTS, start=1):
            writer.write(event)
            assert path.read_text(encoding="utf-8") == "".join(LINES[:number])
    assert list(read(path).events) == EVENTS
    assert read(path).notes == ()


def write(path: Path, *events: Event) -> None:
    with NdjsonWriter(path) as writer:
        for event in events:
            writer.write(event)


def test_what_cannot_be_written_keeps_what_was(tmp_path: Path) -> None:
    path, endless = tmp_path / "run.ndjson", replace(ENDED, seconds=float("inf"))
    with pytest.raises(ValueError, match="Out of range"):
        write(path, EVENTS[0], endless)
    assert list(read(path).events) == EVENTS[:1]
    with pytest.raises(ValueError, match="Out of range"):
        write(path, endless)
    assert list(read(path).events) == EVENTS[:1]


def test_the_first_event_replaces_an_older_recording(tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    path.write_text("older\n" * 1000, encoding="utf-8")
    with NdjsonWriter(path):
        pass
    assert path.read_text(encoding="utf-8") == "older\n" * 1000
    with NdjsonWriter(path) as writer:
        writer.write(EVENTS[0])
    assert path.read_text(encoding="utf-8") == LINES[0]


def test_no_event_no_file(tmp_path: Path) -> None:
    with NdjsonWriter(tmp_path / "run.ndjson"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_writing_outside_of_with(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"run\.ndjson is not open; write inside `with NdjsonWriter"):
        NdjsonWriter(tmp_path / "run.ndjson").write(EVENTS[0])


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OSError, match="file"), NdjsonWriter(tmp_path / "file" / "run.ndjson"):
        pass


def test_a_last_line_that_is_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    text = "".join(LINES[:4]).encode()
    path.write_bytes(text[: len(text) - 20])
    recording = read(path)
    assert list(recording.events) == EVENTS[:3]
    assert recording.notes == ("line 4 is cut off and left out: the run was ended while writing it",)


def test_a_last_line_without_its_end_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    path.write_text("".join(LINES).rstrip("\n"), encoding="utf-8")
    assert list(read(path).events) == EVENTS
    assert read(path).notes == ()


def test_a_character_that_is_cut_in_two(tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    path.write_bytes(LINES[0].encode() + '{"event": "é'.encode()[:-1])
    assert list(read(path).events) == EVENTS[:1]


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no such file: .*gone\.ndjson; `backproof check` writes"):
        read(tmp_path / "gone.ndjson")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is empty"),
        ("\n\n", "it is empty"),
        ("import numpy", "not an event: 'import numpy'"),
        (LINES[0] + "oops\n" + LINES[1], "line 2: not an event: 'oops'"),
        (LINES[1], "its first event is 'target-bound', not 'run-started'"),
        (
            LINES[0].replace('"format": 1', '"format": 9'),
            "its format is 9, written by backproof 0.1.0; this one reads 1",
        ),
    ],
)
def test_what_is_no_recording(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "run.ndjson"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="is not a recording of a run") as caught:
        read(path)
    assert problem in str(caught.value)


def test_lines_end_alike_on_every_system(tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    with NdjsonWriter(path) as writer:
        writer.write(EVENTS[0])
    assert path.read_bytes() == (as_json(EVENTS[0]) + "\n").encode()
