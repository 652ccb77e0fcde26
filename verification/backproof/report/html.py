"""A run as one HTML page that needs nothing else: no script, no network, no other file.

The page is `templates/page.html.jinja`; this module hands it the `Run` and the functions that put things into words.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from backproof.events import Event
from backproof.report import cases, words
from backproof.report.summary import Gap, Run

#: kind of `Gap`: (heading, explanation), in the order in which the page shows them
_GAPS = {
    "run": ("Said by the run", ""),
    "interrupted": ("Checks that did not end", "The run was interrupted; nothing is claimed about these."),
    "check": ("Checks that compared nothing, or not all they were asked to", ""),
    "not bound": ("Not found in the target", "Without a function there is nothing to verify."),
    "option": ("Options that forward lacks", "Such an option only ever had its neutral value."),
    "not supported": ("Refused by the target", "It does not take these, or says that it does not support them."),
    "known defect": (
        "Known defects of the target's library",
        "Calls that run into them were not made; each has a program that shows it.",
    ),
    "layout": ("Memory layouts excluded", "The target's library cannot express them."),
    "without evidence": (
        "Comparisons without evidence",
        "All expected values were alike, so a function that ignores its input could return them.",
    ),
}


def write_html(events: Iterable[Event], path: str | Path, *, notes: Iterable[str] = ()) -> None:
    """Write the page about a run to `path` (UTF-8), whose folder exists; `notes` are sentences shown at its top.

    Raises:
        OSError: The file cannot be written.
    """
    Path(path).write_text(render(Run.of(events), notes), encoding="utf-8", newline="\n")


def render(run: Run, notes: Iterable[str] = ()) -> str:
    """The page as text."""
    return _template().render(run=run, notes=list(notes), gaps=_grouped(run), words=words, cases=cases)


@lru_cache(maxsize=1)
def _template() -> Template:
    loader = PackageLoader("backproof.report")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html.jinja")


def _grouped(run: Run) -> list[tuple[str, str, list[Gap]]]:
    """`(heading, explanation, gaps)` for every kind that there is."""
    order = list(_GAPS)
    found = sorted(run.gaps, key=lambda gap: order.index(gap.kind))
    return [(*_GAPS[kind], list(group)) for kind, group in groupby(found, key=lambda gap: gap.kind)]
