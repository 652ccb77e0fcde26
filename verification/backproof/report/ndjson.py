"""Events in a file, one JSON object per line: the recording of a run, from which every view can be made again.

Every line is flushed as it is written, so a run that is killed keeps what it found.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from backproof.events import FORMAT, Event, RunStarted, as_json, from_json


class NdjsonWriter:
    """A context manager that writes events to `path`, whose folder it makes.

    What `path` held before is replaced by the first event; without any event, it is kept.

    Raises:
        OSError: On entry, the file cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file: TextIO | None = None
        self._written = 0

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("a", encoding="utf-8", newline="\n")
        return self

    def write(self, event: Event) -> None:
        """Write one event, and flush.

        Raises:
            ValueError: The writer is not open.
        """
        if self._file is None:
            raise ValueError(f"{self.path} is not open; write inside `with NdjsonWriter(path) as writer:`")
        line = as_json(event)
        if not self._written:
            self._file.truncate(0)
        self._file.write(line + "\n")
        self._file.flush()
        self._written += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        if not self._written and self.path.exists() and not os.path.getsize(self.path):
            self.path.unlink()


@dataclass(frozen=True, slots=True)
class Recording:
    """The events of a file, and what a reader should know about it (`notes`, sentences)."""

    events: tuple[Event, ...]
    notes: tuple[str, ...] = ()


def read(path: str | Path) -> Recording:
    """The events in a file.  A last line that was cut off, as by a killed run, is left out, with a note.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no recording of a run, or of another format; the message names the line.
        OSError: The file cannot be read.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(
            f"no such file: {path}; `backproof check` writes its recording to REPORT_DIR/NAME.ndjson"
        )
    try:
        lines = path.read_bytes().decode("utf-8", errors="replace").split("\n")
        return _recording(lines)
    except ValueError as error:
        raise ValueError(f"{path} is not a recording of a run: {error}") from error


def _recording(lines: list[str]) -> Recording:
    *whole, rest = lines  # every complete line ends in a line end
    events = [_event(number, line) for number, line in enumerate(whole, start=1) if line.strip()]
    notes: tuple[str, ...] = ()
    if rest.strip():
        try:
            events.append(from_json(rest))
        except ValueError:
            if not events:
                raise
            notes = (f"line {len(lines)} is cut off and left out: the run was ended while writing it",)
    if not events:
        raise ValueError("it is empty")
    _check_start(events[0])
    return Recording(tuple(events), notes)


def _event(number: int, line: str) -> Event:
    try:
        return from_json(line)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from error


def _check_start(first: Event) -> None:
    if not isinstance(first, RunStarted):
        raise ValueError(f"its first event is {first.kind!r}, not {RunStarted.kind!r}")
    if first.format != FORMAT:
        raise ValueError(
            f"its format is {first.format}, written by backproof {first.backproof}; this one reads {FORMAT}"
        )
