"""Measure how strong the verifier is, and write the page that says so.

    python benchmarks/detection.py                                  everything that is missing, then the page
    python benchmarks/detection.py --parts peers,times              these parts again
    python benchmarks/detection.py --parts alarms --minutes 30      go on with the campaign
    python benchmarks/detection.py --parts page                     the page only, from the results that there are

Each part writes `benchmarks/results/PART.json`, and the page is made from these files alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

sys.path[:0] = [str(Path(__file__).resolve().parent)]

from parts.machine import ROOT, machine  # noqa: E402  lies beside this file

Results = dict[str, Any]
PARTS = ("kills", "synthetic", "peers", "alarms", "libraries", "times")
console = Console(stderr=True)


def _alarms(results: Results, save: Callable[[Results], None], options: Results) -> Results:
    from parts import alarms

    return alarms.run(results, save, options["minutes"], console.print)


def _peers(results: Results, save: Callable[[Results], None], options: Results) -> Results:
    from parts import peers

    return peers.run(results, save, console.print)


def _libraries(results: Results, save: Callable[[Results], None], options: Results) -> Results:
    from parts import libraries

    return libraries.run(results, console.print)


def _times(results: Results, save: Callable[[Results], None], options: Results) -> Results:
    from parts import times

    return times.run(results, console.print)


RUN: dict[str, Callable[[Results, Callable[[Results], None], Results], Results]] = {
    "alarms": _alarms,
    "peers": _peers,
    "libraries": _libraries,
    "times": _times,
}


@click.command()
@click.option("--parts", default="", help=f"Comma-separated: {', '.join(PARTS)}; or `page`. Those without results.")
@click.option("--seeds", default=20, help="Seeds for each mutant of the museum.")
@click.option("--minutes", default=10.0, help="How long the false-alarm campaign goes on at most.")
@click.option("--out", type=click.Path(path_type=Path), default=ROOT / "reports" / "detection.md", help="The page.")
@click.option("--results", type=click.Path(path_type=Path), default=ROOT / "benchmarks" / "results")
def main(parts: str, seeds: int, minutes: float, out: Path, results: Path) -> None:
    """Measure how strong the verifier is, and write the page."""
    options = {"seeds": seeds, "minutes": minutes}
    for part in chosen(parts, results):
        console.rule(part)
        measure(part, results, options)


def chosen(parts: str, results: Path) -> list[str]:
    """The parts asked for; those without results where none are."""
    names = [name.strip() for name in parts.split(",") if name.strip()]
    if unknown := [name for name in names if name not in (*PARTS, "page")]:
        raise click.BadParameter(f"there is no part {unknown[0]!r}; there are {', '.join(PARTS)}, and page")
    if not names:
        return [part for part in PARTS if not (results / f"{part}.json").exists()]
    return [name for name in names if name != "page"]


def measure(part: str, results: Path, options: Results) -> None:
    """Run a part, and write its results; an interrupted campaign keeps what it has."""
    path = results / f"{part}.json"

    def save(data: Results) -> None:
        results.mkdir(parents=True, exist_ok=True)
        text = json.dumps({**data, "machine": machine()}, indent=1, ensure_ascii=False, sort_keys=True)
        unfinished = path.with_suffix(".tmp")
        unfinished.write_text(text + "\n", encoding="utf-8")
        unfinished.replace(path)

    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    save(RUN[part](before, save, options))


if __name__ == "__main__":
    main()
