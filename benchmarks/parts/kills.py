"""The museum against the checks, by `backproof mutants`: each mutant at many seeds, then every check on each."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backproof.museum import MUSEUM
from backproof.museum.foreign import FOREIGN

Results = dict[str, Any]

#: Seeds at which every check is tried on every mutant: what that is for, which check alone kills what, needs no more.
MATRIX_SEEDS = 1


class MissingError(RuntimeError):
    """What a part calls is not in this version."""


def run(results: Results, say: Callable[[str], None], seeds: int) -> Results:
    """Both campaigns, with each mutant's source; the first is recorded as the kill rate that reports show.

    Raises:
        MissingError: There is no `backproof mutants`.
    """
    results.clear()
    say(f"every mutant, {seeds} seeds")
    results["runs"] = mutants("--seeds", str(seeds), "--write")
    say(f"every check on every mutant, {MATRIX_SEEDS} seeds")
    results["matrix"] = mutants("--seeds", str(MATRIX_SEEDS), "--matrix")
    results["sources"] = sources()
    return results


def mutants(*options: str) -> Results:
    """What `backproof mutants --json` says; exit status 1 only means that some survived.

    Raises:
        MissingError: There is no such command, or it could not run.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kills.json"
        command = [sys.executable, "-m", "backproof", "mutants", *options, "-o", str(file)]
        done = subprocess.run(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, check=False)
        if not file.exists():
            raise MissingError(f"`backproof mutants {' '.join(options)}` made no results: {done.stderr.strip()}")
        found: Results = json.loads(file.read_text(encoding="utf-8"))
    return found


def sources() -> dict[str, str]:
    """Where each mutant comes from: a thread, or the story of a mistake."""
    museum = {mutant.id: mutant.source for mutant in MUSEUM.values()}
    return museum | {mutant.id: mutant.story for mutant in FOREIGN.values()}
