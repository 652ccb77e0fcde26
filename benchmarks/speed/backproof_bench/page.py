"""`speed.md` and its plots, from the results alone: nothing is measured here."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import jinja2

from .plots import checksum, plots
from .results import Results
from .tables import Table, not_applicable, rejections, tables

NAME = "speed.md"


def page(results: Results, names: list[str]) -> str:
    """The page; `names` are the plots beside it."""
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
        rejections=rejections(results),
        not_applicable=not_applicable(results),
    )


def markdown(table: Table) -> str:
    """A table, numbers to the right."""
    lines = [f"## {table.title}", "", _line(table.columns), _line(tuple("---" for _ in table.columns))]
    return "\n".join([*lines, *(_line(cells) for cells in table.lines)])


def write(results: Results, folder: Path) -> list[Path]:
    """Write the page and the plots; returns their paths."""
    made = plots(results)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {NAME: page(results, list(made)), **made}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in texts]


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
