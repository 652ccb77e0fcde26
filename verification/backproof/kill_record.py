"""What came of the last run of the museum against the checks: the kill rate that every report shows.

`backproof mutants --write` makes `museum/kills.json`; it holds for the museum whose `museum_version` it names.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

MUSEUM = Path(__file__).parent / "museum"
FILE = MUSEUM / "kills.json"


def museum_version(mutants: int) -> str:
    """`210-1a2b3c4d`: the number of mutants, and a hash over the sources that they are written in."""
    digest = hashlib.sha256()
    for path in sorted(MUSEUM.rglob("*.py")):
        digest.update(path.relative_to(MUSEUM).as_posix().encode() + b"\n")
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return f"{mutants}-{digest.hexdigest()[:8]}"


def kill_rate() -> dict[str, Any] | None:
    """`version`, `mutants`, `killed`, `profile` and `seeds` of the file; None where there is none that can be read."""
    try:
        record = json.loads(FILE.read_text(encoding="utf-8"))
        told = {key: record[key] for key in ("version", "mutants", "killed", "profile")}
        return {**told, "seeds": len(record["seeds"])}
    except (OSError, ValueError, KeyError, TypeError):
        return None
