"""A formula with small numbers: which pixels meet which weights at one index, and what comes out.

The products are the formula's own monomials at that index, as the interpreter finds them; nothing is drawn or added up
from another source.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import sympy as sp

from backproof_spec.derivation.edition import NO_FRAME, Example, Grid, Product
from backproof_spec.derivation.statement import Statement
from backproof_spec.model import FRAMES, FULL, VALID_U, Axis, Frame
from backproof_spec.proof.interpret import evaluate, polynomial
from backproof_spec.proof.prove import Identity, size
from backproof_spec.proof.verdict import Entry

#: Small numbers with few zeros and no pattern that an index error would keep.
NUMBERS = (1, 2, -1, 3, 0, 2, -2, 1, 1, 3, -1, 2, 0, -3, 1, 2)
#: All other sizes are as small as they may be.
SIZES = {"H": 3, "W": 3, "N_w": 2}

Point = tuple[tuple[str, int], ...]


def example(statement: Statement) -> Example | None:
    """The worked example of a statement that asks for one."""
    if statement.worked is None:
        return None
    frame = _frame(statement)
    claim = statement.lines[statement.worked.line].obligation(frame)
    assert isinstance(claim, Identity), "only equations have examples"
    given = {**SIZES, **statement.worked.sizes}
    sizes = {symbol.name: given.get(symbol.name, least) for symbol, least in claim.domain.lowest.items()}
    points = _points(claim.ranges, sizes)
    monomials = {p: polynomial(claim.right, claim.setting, sizes, dict(p)).terms for p in points}
    chosen = max(points, key=lambda p: len(monomials[p]))
    names = sorted({name for terms in monomials.values() for monomial in terms for name, _ in monomial})
    grids = {name: _input(name, claim, sizes, start) for start, name in enumerate(names)}
    entries = {entry: value for _, numbers in grids.values() for entry, value in numbers.items()}
    values = {p: str(evaluate(claim.right, claim.setting, sizes, dict(p), entries)) for p in points}
    left = (
        statement.worked.shows or statement.tex.split("=")[0].replace(r"\begin{aligned}", "").replace("&", "").strip()
    )
    output, cell = _output(left, values, chosen)
    return Example(
        frame.name if statement.framed else NO_FRAME,
        sizes,
        dict(chosen),
        tuple(grid for grid, _ in grids.values()),
        output,
        cell,
        tuple(_product(m, str(c), grids, entries) for m, c in sorted(monomials[chosen].items())),
        values[chosen],
    )


def _frame(statement: Statement) -> Frame:
    """The frame for which the post says it, or else the valid pixels where they are."""
    if not statement.framed:
        return FULL
    return next((f for f in FRAMES if f.name in statement.claimed[-1:]), VALID_U)


def _range(axis: Axis, sizes: Mapping[str, int]) -> range:
    lower = size(axis.lower, sizes)
    return range(lower, lower + size(axis.size, sizes))


def _points(ranges: Mapping[sp.Symbol, Axis], sizes: Mapping[str, int]) -> list[Point]:
    """Every index of the result."""
    names = [symbol.name for symbol in ranges]
    return [tuple(zip(names, p, strict=True)) for p in product(*(_range(axis, sizes) for axis in ranges.values()))]


def _input(name: str, claim: Identity, sizes: Mapping[str, int], start: int) -> tuple[Grid, dict[Entry, int]]:
    """The last two axes of a tensor, filled with small numbers; the other axes are at their first index."""
    tensor = claim.setting.tensors[name.split("(")[1][:-1] if "(" in name else name]
    axes = [_range(axis, sizes) for axis in tensor.axes]
    leading = tuple(axis[0] for axis in axes[:-2])
    rows, columns = [range(1), range(1), *axes][-2:] if len(axes) >= 2 else (range(1), axes[-1])
    numbers: dict[Entry, int] = {}
    table = []
    for r, row in enumerate(rows):
        line = [NUMBERS[(5 * start + len(columns) * r + k) % len(NUMBERS)] for k in range(len(columns))]
        for column, value in zip(columns, line, strict=True):
            numbers[name, (*leading, row, column) if len(axes) >= 2 else (column,)] = value
        table.append(tuple(map(str, line)))
    return Grid(name, _tex(name, claim), (rows[0], columns[0]), tuple(table)), numbers


def _tex(name: str, claim: Identity) -> str:
    if "(" in name:
        function, inner = name[:-1].split("(")
        return f"{function}({_tex(inner, claim)})"
    return claim.setting.tensors[name].latex or name


def _output(tex: str, values: Mapping[Point, str], chosen: Point) -> tuple[Grid, tuple[int, int]]:
    """The result as a grid over its last two indices, and where the chosen entry stands."""
    keys = [_cell(point) for point in values]
    rows, columns = (sorted({key[axis] for key in keys}) for axis in (0, 1))
    leading = chosen[:-2]
    shown = {_cell(point): value for point, value in values.items() if point[:-2] == leading}
    table = tuple(tuple(shown[r, c] for c in columns) for r in rows)
    r, c = _cell(chosen)
    return Grid("", tex, (rows[0], columns[0]), table), (r - rows[0], c - columns[0])


def _cell(point: Point) -> tuple[int, int]:
    values = [value for _, value in point]
    return (values[-2], values[-1]) if len(values) >= 2 else (0, values[-1])


def _product(
    monomial: tuple[Entry, ...],
    coefficient: str,
    grids: Mapping[str, tuple[Grid, dict[Entry, int]]],
    entries: Mapping[Entry, int],
) -> Product:
    cells = []
    for name, index in monomial:
        lower = grids[name][0].lower
        row, column = (index[-2], index[-1]) if len(index) >= 2 else (lower[0], index[-1])
        cells.append((name, (row - lower[0], column - lower[1])))
    return Product(coefficient, tuple(cells), tuple(str(entries[entry]) for entry in monomial))
