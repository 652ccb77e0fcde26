"""Grids of numbers as SVG: what a formula reads, what comes out, a counterexample, the three frames.

Every picture is crisp (whole units, lines of one unit), takes its colours from the page's style sheet, and says in its
name what can be seen.  Pairs are marked by numbers as well as by colours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from html import escape

from markupsafe import Markup

from backproof.edition import grids
from backproof.edition.grids import Cells, Place
from backproof.edition.prose import spoken
from backproof_spec.derivation.edition import Claim, Example
from backproof_spec.proof.verdict import Counterexample

_CELL = 40
_MARGIN = 20  # for the numbers of rows and columns
_COLOURS = 6


@dataclass(frozen=True, slots=True)
class Figure:
    """A grid and its picture."""

    cells: Cells
    svg: Markup


def inputs(example: Example) -> list[Figure]:
    """Every input of an example; entries that are read have the numbers and the colour of their products."""
    return [_figure(cells, partial(_pair, cells)) for cells in grids.inputs(example)]


def output(example: Example) -> Figure:
    """The result of an example, with the worked entry marked."""
    return _figure(grids.output(example), lambda _: "worked")


def planes(claim: Claim, example: Counterexample) -> list[Figure]:
    """The arrays of a counterexample."""
    return [_figure(cells, lambda _: "one", "zero") for cells in grids.planes(claim, example)]


def frames() -> dict[str, Markup]:
    """The three frames, by name."""
    return {cells.name: _figure(cells, lambda _: "kept", "lost").svg for cells in grids.frames()}


def _pair(cells: Cells, place: Place) -> str:
    if place in cells.outside:
        return "outside"
    numbers = cells.readers[place]
    return f"pair-{numbers[0] % _COLOURS}" if len(numbers) == 1 else "pairs"


def _figure(cells: Cells, marked: Callable[[Place], str], unmarked: str = "") -> Figure:
    """A picture with a class of the style sheet for every cell: those that matter, and the others."""
    cell = max(_CELL, 10 + 9 * max(map(len, cells.values.values())))
    left = {column: _MARGIN + cell * k for k, column in enumerate(cells.columns)}
    top = {row: _MARGIN + _CELL * k for k, row in enumerate(cells.rows)}
    parts = [_text(x + cell // 2, 13, column, "number") for column, x in left.items()]
    parts += [_text(_MARGIN // 2, y + _CELL // 2 + 4, row, "number") for row, y in top.items()]
    for row, column in sorted(cells.values, key=cells.marked.__contains__):  # what matters on top
        place = (row, column)
        kind = marked(place) if place in cells.marked else unmarked
        tag = _runs(cells.readers.get(place, ()))
        parts.append(_cell(cells.values[place], kind, tag, (left[column], top[row], cell)))
    width, height = _MARGIN + cell * len(left) + 2, _MARGIN + _CELL * len(top) + 2
    return Figure(
        cells,
        Markup(
            f'<svg class="grid" role="img" aria-label="{escape(_told(cells))}" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}">{"".join(parts)}</svg>'
        ),
    )


def _cell(value: str, kind: str, tag: str, at: tuple[int, int, int]) -> str:
    x, y, width = at
    box = f'<rect x="{x + 0.5}" y="{y + 0.5}" width="{width}" height="{_CELL}"/>'
    corner = f'<text class="tag" x="{x + 4}" y="{y + 11}">{escape(tag)}</text>' if tag else ""
    middle = _text(x + width // 2, y + _CELL // 2 + (10 if tag else 5), value) if value else ""
    css = f' class="{kind}"' if kind else ""
    return f"<g{css}>{box}{middle}{corner}</g>"


def _text(x: int, y: int, text: object, kind: str = "") -> str:
    css = f' class="{kind}"' if kind else ""
    return f'<text{css} x="{x}" y="{y}" text-anchor="middle">{escape(str(text).replace("-", "−"))}</text>'


def _told(cells: Cells) -> str:
    """The grid in words: its rows, then what is read by which products, or what matters."""
    name = spoken(f"${cells.tex}$") if cells.tex else cells.name
    rows = " / ".join(" ".join(cells.values.get((r, c), "") or "." for c in cells.columns) for r in cells.rows)
    if cells.readers:
        read = ", ".join(f"{place} in product {_runs(numbers)}" for place, numbers in sorted(cells.readers.items()))
        return f"{name}: {rows}; read: {read}"
    return f"{name}: {rows}; marked: {', '.join(map(str, sorted(cells.marked)))}"


def _runs(numbers: Iterable[int]) -> str:
    """`1–4,6`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] == number - 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ",".join("–".join(map(str, run)) for run in runs)
