"""The pages, from results files and templates alone: nothing is measured here."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2

from parts import views

Results = dict[str, Any]
HERE = Path(__file__).resolve().parents[1]
#: Around the summary in the README.
BEGIN, END = "<!-- measured: detection -->", "<!-- end of measured -->"
NAMES = ("kills", "synthetic", "peers", "alarms", "libraries", "times")


def load(folder: Path) -> dict[str, Results | None]:
    """The results of each part; None where there are none."""
    paths = {name: folder / f"{name}.json" for name in NAMES}
    return {n: json.loads(p.read_text(encoding="utf-8")) if p.exists() else None for n, p in paths.items()}


def explanations(path: Path = HERE / "explanations.toml") -> dict[str, str]:
    """What is said by hand of a survivor, or of a mutant that only one check kills: by id, or by
    `check:trigger`, or by the check alone.
    """
    return {key: " ".join(str(text).split()) for key, text in tomllib.loads(path.read_text(encoding="utf-8")).items()}


def unexplained(kills: Results, told: Mapping[str, str]) -> list[str]:
    """Survivors, and mutants that only one check kills, of which nothing is said."""
    alone = [(check, name) for check, names in kills["matrix"]["only_one_check"].items() for name in names]
    wanted = [("", name) for name in kills["runs"]["survivors"]] + alone
    triggers = {row["id"]: row["trigger"] for row in kills["matrix"]["mutants"]}
    return [name for check, name in wanted if not {name, f"{check}:{triggers.get(name)}", check} & set(told)]


def libraries(results: Results) -> str:
    """`reports/libraries.md`."""
    versions = list(dict.fromkeys(defect["version"] for defect in results["defects"]))
    return _tidy(_template("libraries.md.jinja").render(**results, versions=versions))


def detection(found: Mapping[str, Results | None], told: Mapping[str, str]) -> str:
    """`reports/detection.md`."""
    made: dict[str, Callable[..., Results]] = {
        "kills": lambda kills: views.kills(kills, told),
        "peers": lambda peers: views.peers(peers, found["kills"]),
        "alarms": views.alarms,
    }
    parts = {name: made.get(name, lambda data: data)(data) if data else None for name, data in found.items()}
    lessons = told.get("lessons", "")
    return _tidy(_template("detection.md.jinja").render(**parts, summary=views.summary(parts), lessons=lessons))


def readme(text: str, found: Mapping[str, Results | None], told: Mapping[str, str]) -> str:
    """The README with the summary of `reports/detection.md` between its two marks.

    Raises:
        ValueError: The marks are not there.
    """
    before, mark, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (mark and end):
        raise ValueError(f"the README must have {BEGIN} and {END}, between which the summary goes")
    lines = detection(found, told).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("| | measured"))
    table = lines[first : lines.index("", first)]
    machine, _, _ = next((line for line in lines if line.startswith("Measured on")), "").partition(";")
    return "\n".join([before + mark, *table, "", f"{machine}.", end + after])


def _tidy(text: str) -> str:
    """One empty line at most, and one line end at the end."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _template(name: str) -> jinja2.Template:
    """Markdown, so nothing is escaped; a name that a template gets wrong is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["count"] = lambda number: f"{number:,}"
    made.filters["cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", " ")
    return made.get_template(name)
