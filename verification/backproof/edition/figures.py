"""Grids of numbers as SVG: what a formula reads, what comes out, a counterexample, the three frames.

Every picture is crisp (whole units, one-unit lines), takes its colours from the page's style sheet, and says in its
name what can be seen.  Pairs are marked by numbers as well as by colours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape

from markupsafe import Markup

from backproof_spec.derivation.edition import Example, Grid
from backproof_spec.proof.verdict import Counterexample

_CELL = 36
_MARGIN = 20  # for the numbers of rows and columns
_COLOURS = 6

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Picture:
    """A grid to draw: rows and columns by their own numbers, and what to do with single cells."""

    values: Mapping[Place, str]
    name: str  # for those who do not see it
    tags: Mapping[Place, str] = field(default_factory=dict)  # small text in a corner
    classes: Mapping[Place, str] = field(default_factory=dict)

    def svg(self) -> Markup:
        """The picture."""
        rows = range(min(r for r, _ in self.values), max(r for r, _ in self.values) + 1)
        columns = range(min(c for _, c in self.values), max(c for _, c in self.values) + 1)
        cell = max(_CELL, 10 + 9 * max(len(text) for text in self.values.values()))
        width, height = _MARGIN + cell * len(columns) + 2, _MARGIN + _CELL * len(rows) + 2
        left = {c: _MARGIN + cell * k for k, c in enumerate(columns)}
        top = {r: _MARGIN + _CELL * k for k, r in enumerate(rows)}
        parts = [_text(left[c] + cell // 2, 13, c, "number") for c in columns]
        parts += [_text(_MARGIN // 2, top[r] + _CELL // 2 + 4, r, "number") for r in rows]
        for (r, c), value in sorted(self.values.items(), key=lambda item: bool(self.classes.get(item[0]))):
            parts.append(self._cell((r, c), value, left[c], top[r], cell))
        return Markup(
            f'<svg class="grid" role="img" aria-label="{escape(self.name)}" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}">{"".join(parts)}</svg>'
        )

    def _cell(self, place: Place, value: str, x: int, y: int, width: int) -> str:
        kind = self.classes.get(place, "")
        tag = self.tags.get(place, "")
        box = f'<rect x="{x + 0.5}" y="{y + 0.5}" width="{width}" height="{_CELL}"/>'
        small = f'<text class="tag" x="{x + 4}" y="{y + 11}">{escape(tag)}</text>' if tag else ""
        middle = _text(x + width // 2, y + _CELL // 2 + (8 if tag else 5), value.replace("-", "−"))
        return f'<g class="{escape(kind)}">{box}{middle}{small}</g>' if kind else f"<g>{box}{middle}</g>"


def _text(x: float, y: float, text: object, kind: str = "") -> str:
    css = f' class="{kind}"' if kind else ""
    return f'<text{css} x="{x}" y="{y}" text-anchor="middle">{escape(str(text).replace("-", "−"))}</text>'


# --- a worked example ---


def inputs(example: Example) -> list[tuple[Grid, Markup]]:
    """Every input with the entries that are read, numbered by the product that reads them."""
    return [(grid, _input(grid, example)) for grid in example.inputs]


def _input(grid: Grid, example: Example) -> Markup:
    users = _users(grid, example)
    cells = _cells(grid)
    outside = {place: "outside" for place in users if place not in cells}
    tags = {place: _runs(numbers) for place, numbers in users.items()}
    colours = {place: f"pair-{numbers[0] % _COLOURS}" if len(numbers) == 1 else "pairs" for place, numbers in users.items()}
    read = ", ".join(f"({r}, {c}) in product {tags[r, c]}" for r, c in users)
    name = f"{grid.name}: {_rows(grid)}; read: {read or 'nothing'}"
    return Picture({**cells, **dict.fromkeys(outside, "0")}, name, tags, {**colours, **outside}).svg()


def output(example: Example) -> Markup:
    """The result, with the worked entry marked."""
    grid = example.output
    (row, column), (top, left) = example.cell, _lower(grid)
    worked = (row + top, column + left)
    name = f"{grid.name}: {_rows(grid)}; worked entry: {worked}"
    return Picture(_cells(grid), name, classes={worked: "worked"}).svg()


def _users(grid: Grid, example: Example) -> dict[Place, list[int]]:
    """The numbers, from 1, of the products that read a place of the grid."""
    top, left = _lower(grid)
    found: dict[Place, list[int]] = {}
    for number, product in enumerate(example.products, 1):
        for name, (row, column) in product.entries:
            numbers = found.setdefault((row + top, column + left), []) if name == grid.name else []
            if number not in numbers:
                numbers.append(number)
    return found


def _cells(grid: Grid) -> dict[Place, str]:
    top, left = _lower(grid)
    return {(r + top, c + left): text for r, row in enumerate(grid.values) for c, text in enumerate(row)}


def _lower(grid: Grid) -> Place:
    top, left = (*grid.lower, 0, 0)[:2]
    return top, left


def _rows(grid: Grid) -> str:
    return " / ".join(" ".join(row) for row in grid.values)


def _runs(numbers: Iterable[int]) -> str:
    """`1-4,6`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] == number - 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ",".join("–".join(map(str, run)) for run in runs)


# --- a counterexample ---


def planes(example: Counterexample) -> list[tuple[str, tuple[int, ...], Markup]]:
    """The tensors of a counterexample that have rows and columns, plane by plane: name, units, picture.

    A plane is drawn from 0 (or the first entry that is not 0, where that is negative) to the last such entry.
    """
    found: dict[tuple[str, tuple[int, ...]], dict[Place, str]] = {}
    for (name, index), value in example.entries.items():
        if len(index) >= 2:
            found.setdefault((name, index[:-2]), {})[index[-2], index[-1]] = str(value)
    return [(name, units, _plane(name, cells)) for (name, units), cells in found.items()]


def _plane(name: str, cells: Mapping[Place, str]) -> Markup:
    rows = range(min(0, *(r for r, _ in cells)), max(r for r, _ in cells) + 1)
    columns = range(min(0, *(c for _, c in cells)), max(c for _, c in cells) + 1)
    drawn = {(r, c): cells.get((r, c), "0") for r in rows for c in columns}
    told = ", ".join(f"{value} at {place}" for place, value in cells.items())
    classes = {place: "one" if place in cells else "zero" for place in drawn}
    return Picture(drawn, f"{name}: {told}, 0 elsewhere", classes=classes).svg()


# --- frames ---

_IMAGE, _KERNEL = 3, 2  # of the picture of frames: small enough to be taken in at once


def frames() -> dict[str, Markup]:
    """The three frames on the result of convolving a 3 x 3 image with a 2 x 2 kernel: pixels kept, and their numbers."""
    edge = _KERNEL - 1
    return {
        "FULL": _frame("FULL", 0, _IMAGE + edge, 0),
        "VALID_U": _frame("VALID_U", edge, _IMAGE, 0),
        "VALID_S": _frame("VALID_S", edge, _IMAGE, edge),
    }


def _frame(name: str, first: int, end: int, shift: int) -> Markup:
    """Pixels `first` to `end - 1` are kept; the numbers are those of the unshifted result, less `shift`."""
    everything = range(_IMAGE + _KERNEL - 1)
    places = {(r - shift, c - shift): first <= r < end and first <= c < end for r in everything for c in everything}
    shown = {place: f"{place[0]},{place[1]}" if kept else "" for place, kept in places.items()}
    classes = {place: "kept" if kept else "lost" for place, kept in places.items()}
    return Picture(shown, f"{name}: pixels {first - shift} to {end - 1 - shift} along each axis", classes=classes).svg()
