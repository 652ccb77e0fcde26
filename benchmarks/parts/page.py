"""The pages, from results files and templates alone."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from statistics import median
from typing import Any

import jinja2

Results = dict[str, Any]
HERE = Path(__file__).resolve().parents[1]


def environment() -> jinja2.Environment:
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
    return made


def libraries(results: Results) -> str:
    """`reports/libraries.md`."""
    versions = list(dict.fromkeys(defect["version"] for defect in results["defects"]))
    return environment().get_template("libraries.md.jinja").render(**results, versions=versions)


def load(folder: Path) -> dict[str, Results | None]:
    """The results of each part; None where there are none."""
    names = ("kills", "synthetic", "peers", "alarms", "libraries", "times")
    paths = {name: folder / f"{name}.json" for name in names}
    return {n: json.loads(p.read_text(encoding="utf-8")) if p.exists() else None for n, p in paths.items()}


def explanations(path: Path = HERE / "explanations.toml") -> dict[str, str]:
    """What is said by hand of a survivor, or of a mutant that only one check kills, by its id."""
    return {key: str(text) for key, text in tomllib.loads(path.read_text(encoding="utf-8")).items()}


def middle(values: list[float]) -> float:
    """The median; 0 of nothing."""
    return float(median(values)) if values else 0.0
