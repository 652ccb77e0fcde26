"""The results file: what was measured, and nothing that can be calculated from it.

    about       the machine, the libraries, a checksum of the sources
    options     what was asked for
    complete    false while rows are missing
    absent      baselines that are not installed, and what installs them
    bandwidth   bytes per nanosecond of a copy
    rows        a layer, a dtype and a sum: times of every side in every round, peaks, errors, page faults
    threads     the same on several threads, by the wall; null where a sample was disturbed
    training    times of epochs and the accuracies

Rows are lines of the file, which is written after each; a run with the same `about` and `options` goes on with it.
"""

from __future__ import annotations

import json
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

from .process import BenchError

Results: TypeAlias = dict[str, Any]
LISTS = ("rows", "threads")


def read(file: Path) -> Results:
    """The results in a file.

    Raises:
        BenchError: It cannot be read, or is no results file.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BenchError(f"cannot read {file}: {error.strerror}; `backproof bench --json {file}` makes it") from error
    except ValueError as error:
        raise BenchError(f"{file} is no results file: {error}") from error
    if not isinstance(found, dict) or not {"about", "complete", *LISTS} <= set(found):
        raise BenchError(f"{file} is no results file; `backproof bench --json {file}` makes one")
    return found


def text(results: Results) -> str:
    """The file: one line for each row, so that differences can be read."""
    parts = []
    for key, value in results.items():
        if key in LISTS:
            rows = ",\n".join(f"  {_encoded(row)}" for row in value)
            parts.append(f' "{key}": [\n{rows}\n ]' if rows else f' "{key}": []')
        else:
            parts.append(f' "{key}": {_encoded(value)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def write(results: Results, file: Path) -> None:
    """Replace the file at once, so that an interruption leaves the old or the new one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".tmp")
    unfinished.write_text(text(results), encoding="utf-8", newline="\n")
    unfinished.replace(file)


def begun(file: Path | None, about: Results, options: Results) -> Results:
    """The unfinished results in the file if they are of this machine, source and options; else new ones."""
    new = {
        "about": about,
        "options": options,
        "complete": False,
        "absent": {},
        "bandwidth": None,
        "rows": [],
        "threads": [],
    }
    if file is None or not file.exists():
        return {**new, "training": None}
    before = read(file)
    same = not before["complete"] and (before["about"], before.get("options")) == (about, options)
    return before if same else {**new, "training": None}


def checksum() -> str:
    """Eight digits that change with any source of the implementation or of this benchmark."""
    total = 0
    for package in ("backproof_impl", "backproof_bench"):
        found = find_spec(package)
        assert found is not None
        assert found.origin is not None
        for path in sorted(Path(found.origin).parent.rglob("*.py")):
            total = zlib.crc32(path.read_bytes(), total)
    return f"{total:08x}"


def rounded(number: float) -> float:
    """Four digits: more would be noise."""
    return float(f"{number:.4g}")


def _encoded(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
