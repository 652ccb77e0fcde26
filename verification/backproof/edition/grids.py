"""What a picture of an example, a counterexample or a frame shows: cells by their own numbers, and which matter.

`figures` draws it as SVG, `plain` as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from backproof.edition.letters import Letters
from backproof_spec.derivation.edition import Claim, Example, Grid, Product
from backproof_spec.proof.verdict import Counterexample

Place = tuple[int, int]

_IMAGE, _KERNEL = 3, 2  # of the picture of frames: small enough to be taken in at once


@dataclass(frozen=True, slots=True)
class Cells:
    """A grid: `values` by row and column; `readers` are the numbers, from 1, of the products that read a place.

    `marked` are the places that matter; `outside` those that are read although the array ends before: they are 0.
    """

    name: str
    values: Mapping[Place, str]
    marked: frozenset[Place] = frozenset()
    outside: frozenset[Place] = frozenset()
    readers: Mapping[Place, tuple[int, ...]] = field(default_factory=dict)
    tex: str = ""

    @property
    def rows(self) -> range:
        """The numbers of the rows."""
        return _span(row for row, _ in self.values)

    @property
    def columns(self) -> range:
        """The numbers of the columns."""
        return _span(column for _, column in self.values)


def _span(numbers: Iterable[int]) -> range:
    found = list(numbers)
    return range(min(found), max(found) + 1)


def inputs(example: Example) -> list[Cells]:
    """Every input with the entries that are read."""
    return [_input(grid, example) for grid in example.inputs]


def _input(grid: Grid, example: Example) -> Cells:
    readers: dict[Place, tuple[int, ...]] = {}
    for number, product in enumerate(example.products, 1):
        for place in dict.fromkeys(_moved(grid, place) for name, place in product.entries if name == grid.name):
            readers[place] = (*readers.get(place, ()), number)
    values = _values(grid)
    outside = frozenset(readers) - frozenset(values)
    filled = {**values, **dict.fromkeys(sorted(outside), "0")}
    return Cells(grid.name, filled, frozenset(readers), outside, readers, tex=grid.tex)


def output(example: Example) -> Cells:
    """The result, with the worked entry marked."""
    grid = example.output
    return Cells(grid.name, _values(grid), frozenset({_moved(grid, example.cell)}), tex=grid.tex)


def _values(grid: Grid) -> dict[Place, str]:
    return {_moved(grid, (r, c)): text for r, row in enumerate(grid.values) for c, text in enumerate(row)}


def _moved(grid: Grid, place: Place) -> Place:
    """A place of the grid by the numbers of its row and column."""
    top, left = (*grid.lower, 0, 0)[:2]
    return place[0] + top, place[1] + left


def terms(products: Iterable[Product], times: str = "·") -> list[tuple[str, str]]:
    """The summands in numbers, each with what stands before it: `("", "2·3"), (" - ", "4·(-1)"), (" + ", "1·5")`."""
    told: list[tuple[str, str]] = []
    for product in products:
        negative = product.coefficient.startswith("-")
        size = product.coefficient.removeprefix("-")
        numbers = [*([] if size == "1" and product.numbers else [size]), *product.numbers]
        text = times.join(_factor(number, len(numbers)) for number in numbers)
        told.append(((" - " if told else "-") if negative else " + " if told else "", text))
    return told


def _factor(number: str, factors: int) -> str:
    return f"({number})" if factors > 1 and not number.isdigit() else number


def total(products: Iterable[Product], value: str, times: str = "·") -> str:
    """`1·2 + 3·(-1) = -1`."""
    text = "".join(sign + term for sign, term in terms(products, times))
    return f"{text} = {value}" if text else value


def planes(claim: Claim, example: Counterexample) -> list[Cells]:
    """The arrays of a counterexample that have rows and columns, plane by plane, what is not 0 marked."""
    letters = Letters.of(claim, example.sizes)
    found: dict[tuple[str, tuple[int, ...]], dict[Place, str]] = {}
    for (name, index), value in example.entries.items():
        if len(index) >= 2:
            found.setdefault((name, index[:-2]), {})[index[-2], index[-1]] = str(value)
    planes = []
    for (name, units), cells in found.items():
        box = example.boxes[name][-2:]
        rows, columns = (range(first, first + size) for first, size in box)
        filled = {(r, c): cells.get((r, c), "0") for r in rows for c in columns}
        planes.append(Cells(name, filled, frozenset(cells), tex=letters.tensor(name, units, len(units) + 2)))
    return planes


def frames() -> list[Cells]:
    """The three frames on a 3 x 3 image convolved with a 2 x 2 kernel: the pixels kept, under their numbers."""
    edge = _KERNEL - 1
    return [
        _frame("FULL", range(_IMAGE + edge), 0),
        _frame("VALID_U", range(edge, _IMAGE), 0),
        _frame("VALID_S", range(edge, _IMAGE), edge),
    ]


def _frame(name: str, kept: range, shift: int) -> Cells:
    """`kept` numbers pixels of the unshifted result; in the frame they are less by `shift`."""
    everything = range(_IMAGE + _KERNEL - 1)
    places = {(r - shift, c - shift): r in kept and c in kept for r in everything for c in everything}
    values = {place: f"{place[0]},{place[1]}" if inside else "" for place, inside in places.items()}
    return Cells(name, values, frozenset(place for place, inside in places.items() if inside))
