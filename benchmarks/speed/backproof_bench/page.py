"""`speed.md` and its plots, from the results alone: nothing is measured here.

Why a goal was missed is said by hand, in a TOML file beside the results, by the goal's key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import jinja2

from .goals import judged
from .plots import checksum, plots
from .process import BenchError
from .results import Results
from .tables import Table, not_applicable, rejections, tables

NAME = "speed.md"


def page(results: Results, names: list[str], reasons: Mapping[str, str] = MappingProxyType({})) -> str:
    """The page; `names` are the plots beside it, and `reasons` what is said by hand of goals that were missed."""
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, autoescape=False, trim_blocks=True, keep_trailing_newline=True
    )
    template = environment.from_string(files(__package__).joinpath("templates/speed.md.jinja").read_text("utf-8"))
    loads = [row["load"] for part in ("rows", "threads") for row in results[part]]
    return template.render(
        results=results,
        tables=[markdown(table) for table in tables(results)],
        plots=names,
        checksum=checksum(results),
        loads=f"{min(loads):.1f} to {max(loads):.1f}" if loads else "not known",
        missed=[one.goal.key for one in judged(results) if one.verdict == "missed"],
        reasons=reasons,
        rejections=rejections(results),
        not_applicable=not_applicable(results),
    )


def markdown(table: Table) -> str:
    """A table, numbers to the right."""
    lines = [f"## {table.title}", "", _line(table.columns), _line(tuple("---" for _ in table.columns))]
    return "\n".join([*lines, *(_line(cells) for cells in table.lines)])


def told(file: Path) -> dict[str, str]:
    """Why goals were missed, from the TOML file beside a results file; nothing where there is none.

    Raises:
        BenchError: It is no TOML.
    """
    reasons = file.with_suffix(".toml")
    try:
        found = tomllib.loads(reasons.read_text(encoding="utf-8")) if reasons.exists() else {}
    except tomllib.TOMLDecodeError as error:
        raise BenchError(f"{reasons} is no TOML: {error}") from error
    return {key: " ".join(str(text).split()) for key, text in found.items()}


def write(results: Results, folder: Path, reasons: Mapping[str, str] = MappingProxyType({})) -> list[Path]:
    """Write the page and the plots; returns their paths."""
    made = plots(results)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {NAME: page(results, list(made), reasons), **made}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in texts]


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
