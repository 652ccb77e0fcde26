"""A case as a row of text: values by factor, which need not be levels, and how a row is fitted to a target.

    k   s   d   padding mode     out rest c,o,g n bias dtype   profile  x w dy   orientation
    2x2 2x3 1x1 1,0/0,0 zeros    2x2 1x0  2,1,2 1 b    float32 distinct F C nhwc conv

The image follows from output and remainder (`rest`), as for levels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from backproof.cases.levels import Case, Space, geometry, padding_sides
from backproof.contract import Geometry, Pair

Values = dict[str, Any]

#: Headings of a table, and the factors below them; what twins are for is expressed by the values themselves.
COLUMNS = {
    "k": "kernel",
    "s": "stride",
    "d": "dilation",
    "padding": "padding",
    "mode": "padding_mode",
    "out": "output",
    "rest": "remainder",
    "c,o,g": "channels",
    "n": "batch",
    "bias": "bias",
    "dtype": "dtype",
    "profile": "profile",
    "x": "x_layout",
    "w": "w_layout",
    "dy": "dy_layout",
    "orientation": "orientation",
}
_ORIENTATIONS = {"conv": "convolution", "cross": "cross-correlation"}
_PAIRS = ("kernel", "stride", "dilation", "output", "remainder")


def read_rows(text: str) -> Iterator[Values]:
    """The rows of a table, whose first line has the names of its columns.

    Raises:
        ValueError: Other columns than `COLUMNS`.
    """
    head, *lines = [line.split() for line in text.strip().splitlines()]
    if head != list(COLUMNS):
        raise ValueError(f"the columns are {' '.join(head)}; they must be {' '.join(COLUMNS)}")
    for line in lines:
        cells = zip(COLUMNS.values(), line, strict=True)
        yield {name: _read(name, cell) for name, cell in cells} | {"twin": "none"}


def _read(name: str, cell: str) -> Any:
    if name in _PAIRS:
        return _numbers(cell, "x")
    if name == "padding":
        rows, columns = cell.split("/")
        return _numbers(rows, ","), _numbers(columns, ",")
    if name == "channels":
        return _numbers(cell, ",")
    if name == "orientation":
        return _ORIENTATIONS[cell]
    return int(cell) if name == "batch" else cell == "b" if name == "bias" else cell


def _numbers(cell: str, separator: str) -> tuple[int, ...]:
    return tuple(int(number) for number in cell.split(separator))


def write_rows(cases: Iterable[Case]) -> str:
    """A table that `read_rows` reads; seeds are not in it."""
    lines = [[_cell(name, value) for name, value in values_of(case).items()] for case in cases]
    return "\n".join(" ".join(line) for line in [list(COLUMNS), *lines])


def _cell(name: str, value: Any) -> str:
    if name in _PAIRS:
        return "x".join(map(str, value))
    if name == "padding":
        return "/".join(",".join(map(str, side)) for side in value)
    if name == "orientation":
        return next(cell for cell, orientation in _ORIENTATIONS.items() if orientation == value)
    if name == "bias":
        return "b" if value else "-"
    return ",".join(map(str, value)) if name == "channels" else str(value)


def values_of(case: Case) -> Values:
    """A case's values in the order of `COLUMNS`."""
    g = case.geometry
    spans = [g.size[a] + sum(g.padding[a]) - g.dilation[a] * (g.kernel_size[a] - 1) - 1 for a in (0, 1)]
    return {
        "kernel": g.kernel_size,
        "stride": g.stride,
        "dilation": g.dilation,
        "padding": g.padding,
        "padding_mode": g.padding_mode,
        "output": g.output_size,
        "remainder": tuple(span % step for span, step in zip(spans, g.stride, strict=True)),
        "channels": (g.in_channels // g.groups, g.out_channels // g.groups, g.groups),
        "batch": g.batch,
        "bias": g.bias,
        "dtype": case.dtype,
        "profile": case.profile,
        **{f"{role}_layout": case.layout(role) for role in ("x", "w", "dy")},
        "orientation": g.orientation,
    }


def fitted(space: Space, values: Values, seed: int) -> Case:
    """A row's case; each value that the target does not take gives way to the nearest of its levels."""
    taken = {
        name: value if space.takes(name, value) else _nearest(space, name, values) for name, value in values.items()
    }
    return space.case_of(taken, seed)


def _nearest(space: Space, name: str, values: Values) -> Any:
    return min(space.factors[name], key=lambda level: _distance(name, level, values))


def _distance(name: str, level: Any, values: Values) -> int:
    value = values[name]
    if name == "padding":
        value, level = (sum(sides, ()) for sides in (value, _sides(level, values)))
    if isinstance(value, tuple):
        return sum(abs(a - b) for a, b in zip(level, value, strict=True))
    return int(level != value)


def _sides(level: Any, values: Values) -> tuple[Pair, Pair]:
    if not isinstance(level, str):
        return (level[0], level[1])
    extents = [d * (k - 1) + 1 for k, d in zip(values["kernel"], values["dilation"], strict=True)]
    return padding_sides(level, extents[0], 0), padding_sides(level, extents[1], 1)


def as_case(values: Values, seed: int = 0) -> Case:
    """A row's case as it is written."""
    layouts = {role: values[f"{role}_layout"] for role in ("x", "w", "dy")}
    g: Geometry = geometry(values, values["orientation"])
    kept = tuple((role, layout) for role, layout in layouts.items() if layout != "C")
    return Case(g, values["dtype"], values["profile"], kept, seed)
