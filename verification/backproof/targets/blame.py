"""Say in whose line an exception arose: the user's, never one of ours (in the worker)."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

_OURS = Path(__file__).resolve().parent
_STANDARD = Path(os.__file__).resolve().parent


def describe(error: BaseException, root: Path | None = None) -> str:
    """`"ValueError: message (file.py:12 in forward)"`; `root` is the folder of the user's code."""
    text = message_of(error)
    place = where(error, root)
    return f"{type(error).__name__}{': ' if text else ''}{text}" + (f" ({place})" if place else "")


def message_of(error: BaseException) -> str:
    """`str(error)`, even of an exception whose `__str__` raises."""
    if isinstance(error, SyntaxError):
        return str(error.msg)  # its line is given by `where`
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the user's __str__
        return "(its message cannot be shown)"


def where(error: BaseException, root: Path | None = None) -> str:
    """The innermost frame under `root`, else the innermost in no library, else the innermost that is not ours."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{shorten(error.filename)}:{error.lineno}"
    frames = [(item.filename, str(item.lineno), item.name) for item in traceback.extract_tb(error.__traceback__)]
    return user_line(frames[::-1], root)


def user_line(frames: list[tuple[str, str, str]], root: Path | None = None) -> str:
    """Of frames `(file, line, function)`, innermost first, the one to show: `"file.py:12 in forward"`, or nothing."""
    theirs = [frame for frame in frames if not _machinery(frame[0])]
    outside = [frame for frame in theirs if not _library(frame[0])]
    inside = [frame for frame in outside if root is not None and Path(frame[0]).is_relative_to(root)]
    for filename, line, name in (inside or outside or theirs)[:1]:
        return f"{shorten(filename)}:{line} in {name}"
    return ""


def shorten(filename: str) -> str:
    """Relative to the current folder where it lies there."""
    path = Path(filename)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _machinery(filename: str) -> bool:
    """Our frames (adapters are user code) and those of the import system."""
    ours = Path(filename).is_relative_to(_OURS) and not _adapter(filename)
    return ours or filename.startswith("<frozen ")


def _library(filename: str) -> bool:
    path = Path(filename)
    return not _adapter(filename) and (path.is_relative_to(_STANDARD) or "site-packages" in path.parts)


def _adapter(filename: str) -> bool:
    return Path(filename).is_relative_to(_OURS / "adapters")
