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

from parts import alarms, kills, libraries, page, peers, scripts, times  # noqa: E402  beside this file
from parts.kills import MissingError  # noqa: E402
from parts.machine import ROOT, machine  # noqa: E402

Results = dict[str, Any]
Save = Callable[[Results], None]
console = Console(stderr=True)


#: What each part does with the results that it has, how it saves others on the way, and the command's options.
RUN: dict[str, Callable[[Results, Save, Results], Results]] = {
    "kills": lambda results, save, options: kills.run(results, console.print, options["seeds"]),
    "synthetic": lambda results, save, options: scripts.run("synthetic"),
    "peers": lambda results, save, options: peers.run(results, save, console.print),
    "alarms": lambda results, save, options: alarms.run(results, save, options["minutes"], console.print),
    "libraries": lambda results, save, options: libraries.run(results, console.print),
    "times": lambda results, save, options: times.run(results, console.print),
}


PARTS = tuple(RUN)


@click.command()
@click.option("--parts", default="", help=f"Comma-separated: {', '.join(PARTS)}; or `page`. Those without results.")
@click.option("--seeds", default=20, help="Seeds for each mutant of the museum.")
@click.option("--minutes", default=10.0, help="How long the false-alarm campaign goes on at most.")
@click.option("--out", type=click.Path(path_type=Path), default=ROOT / "reports" / "detection.md", help="The page.")
@click.option("--readme", type=click.Path(path_type=Path), default=ROOT / "README.md", help="Gets the summary.")
@click.option("--results", type=click.Path(path_type=Path), default=ROOT / "benchmarks" / "results")
def main(parts: str, seeds: int, minutes: float, out: Path, readme: Path, results: Path) -> None:
    """Measure how strong the verifier is, and write the page."""
    options = {"seeds": seeds, "minutes": minutes}
    failed = []
    for part in chosen(parts, results):
        console.rule(part)
        try:
            measure(part, results, options)
        except MissingError as error:
            failed.append(f"{part}: {error}")
    found = page.load(results)
    out.write_text(page.detection(found, page.explanations()), encoding="utf-8", newline="\n")
    written = [out]
    if found["libraries"]:
        written.append(out.with_name("libraries.md"))
        written[-1].write_text(page.libraries(found["libraries"]), encoding="utf-8", newline="\n")
    told = page.readme(readme.read_text(encoding="utf-8"), found, page.explanations())
    readme.write_text(told, encoding="utf-8", newline="\n")
    console.print(f"wrote {', '.join(path.name for path in (*written, readme))}")
    if failed:
        raise click.ClickException("; ".join(failed))


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
