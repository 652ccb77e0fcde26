"""The results as tables of strings, for the terminal and for the page."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from .goals import Judged, judged, training
from .layers import CATEGORIES, DTYPES, QUANTITIES, WORDS
from .results import Results
from .rows import Row, Spread, ThreadsRow, mean, rows, threads_rows
from .sides import ALONE, BASELINES, DEFAULT, OURS, WINOGRAD

NONE = "-"


@dataclass(frozen=True, slots=True)
class Table:
    """A title, the names of its columns, and its lines."""

    title: str
    columns: tuple[str, ...]
    lines: list[tuple[str, ...]]


def tables(results: Results) -> list[Table]:
    """Those that have a line."""
    made = [goals(results), means(results)]
    made += [layers(results, dtype) for dtype in DTYPES]
    made += [winograd(results), several_threads(results), epochs(results)]
    return [table for table in made if table.lines]


def goals(results: Results) -> Table:
    """What was to be reached, and whether it was."""
    lines = [_goal(one) for one in judged(results)]
    return Table("Goals", ("what", "goal", "measured", "which is the", "of", "verdict"), lines)


def _goal(one: Judged) -> tuple[str, ...]:
    def told(value: float) -> str:
        return f"{value:.1%}" if one.goal.percent else f"{value:.2f}"

    sign = "<=" if one.goal.fold.name == "largest" else ">=" if one.goal.places else ">"
    measured = NONE if one.value is None else told(one.value)
    of = f"{one.measured} of {len(one.goal.places)}" if one.goal.places else f"{one.measured} epochs"
    fold = f"{one.goal.fold.name}: {one.at[0].name}, {one.at[2]}" if one.at else one.goal.fold.name
    return one.goal.text, f"{sign} {told(one.goal.wanted)}", measured, fold, of, one.verdict


def means(results: Results) -> Table:
    """Geometric means of ratios by dtype, kind of layer and baseline, for each sum."""
    found = rows(results)
    lines: list[tuple[str, ...]] = []
    for dtype in DTYPES:
        for category in CATEGORIES:
            some = [row for row in found if row.data["dtype"] == dtype and row.layer.category == category]
            for name in (*BASELINES, "fastest", "torch" + DEFAULT):
                ratios = [(row.data["quantity"], ratio.median) for row in some if (ratio := _ratio(row, name))]
                if ratios:
                    by_sum = [_number(mean(v for q, v in ratios if q == quantity)) for quantity in QUANTITIES]
                    every = [value for _, value in ratios]
                    total = (_number(mean(every)), _number(min(every)), str(len(every)))
                    lines.append((dtype, category, name, *by_sum, *total))
    columns = ("dtype", "layers", "baseline", *WORDS.values(), "all", "smallest", "of")
    return Table("Geometric means of ratios", columns, lines)


def _ratio(row: Row, name: str) -> Spread | None:
    if name == "fastest":
        found = row.fastest()
        return None if found is None else found[1]
    return row.default_ratio() if name == "torch" + DEFAULT else row.ratio(name)


def layers(results: Results, dtype: str) -> Table:
    """Every layer and sum of a dtype on one thread."""
    columns = (
        "layer", "sum", "time, us", "of the peak", *BASELINES, "fastest", "torch, default allocator",
        "error", "torch's error", "page faults", "torch's", "rounds",
    )  # fmt: skip
    lines = [_layer(row) for row in rows(results) if row.data["dtype"] == dtype]
    return Table(f"Layers, {dtype}, one thread", columns, lines)


def _layer(row: Row) -> tuple[str, ...]:
    fastest, sides = row.fastest(), row.data["sides"]
    return (
        row.layer.name,
        row.data["quantity"],
        _microseconds(row.times(OURS)),
        _percent(row.fraction()),
        *(_cell(row, name) for name in BASELINES),
        NONE if fastest is None else f"{fastest[1].median:.2f} {fastest[0]}",
        _spread(row.default_ratio()),
        _error(row, OURS),
        _error(row, "torch"),
        *(str(sides[name]["faults"]) if name in sides else NONE for name in (OURS, "torch")),
        str(len(row.data["peak"])),
    )


def _cell(row: Row, name: str) -> str:
    return "rejected" if row.rejected(name) else _spread(row.ratio(name))


def _error(row: Row, name: str) -> str:
    error = row.error(name)
    return "rejected" if row.rejected(name) else NONE if error is None else f"{error:.1e}"


def winograd(results: Results) -> Table:
    """The layers that were also measured with Winograd's algorithm, whose errors are larger."""
    lines: list[tuple[str, ...]] = []
    for row in rows(results):
        times, fastest = row.times(WINOGRAD), row.fastest(WINOGRAD)
        if WINOGRAD in row.data["sides"]:
            lines.append(
                (
                    row.data["dtype"],
                    row.layer.name,
                    row.data["quantity"],
                    _microseconds(times),
                    _percent(row.fraction(WINOGRAD)),
                    _spread(row.ratio("torch", WINOGRAD)),
                    NONE if fastest is None else f"{fastest[1].median:.2f} {fastest[0]}",
                    _error(row, WINOGRAD),
                    _error(row, OURS),
                )
            )
    columns = ("dtype", "layer", "sum", "time, us", "of the peak", "torch", "fastest", "error", "error, direct")
    return Table("Winograd", columns, lines)


def several_threads(results: Results) -> Table:
    """Times by the wall on one and on several threads; samples that were disturbed are not counted."""
    columns = (
        "dtype", "layer", "sum", "threads", "1 thread, us", "us", "over 1 thread", "torch",
        "survived", "rounds", "load",
    )  # fmt: skip
    return Table("Several threads", columns, [_threads(row) for row in threads_rows(results)])


def _threads(row: ThreadsRow) -> tuple[str, ...]:
    layer, dtype, quantity = row.place
    survived = [row.survivors(side) for side in (ALONE, OURS, "torch")]
    return (
        dtype,
        layer.name,
        quantity,
        str(row.data["threads"]),
        _microseconds(survived[0]),
        _microseconds(survived[1]),
        _spread(row.scaling(), "unmeasured"),
        _spread(row.ratio(), "unmeasured" if row.times("torch") else NONE),
        " / ".join(str(len(times)) for times in survived),
        str(len(row.times(OURS))),
        f"{row.data['load']:.1f}",
    )


def epochs(results: Results) -> Table:
    """The training."""
    columns = ("side", "epoch, ms", "PyTorch's time over ours", "epochs", "accuracy", "load")
    found, ratio = results["training"], training(results)
    if not found:
        return Table("LeNet on digits", columns, [])
    lines: list[tuple[str, ...]] = [
        (
            name,
            f"{statistics.median(side['ns']) / 1e6:.1f}",
            _spread(ratio) if name == "ours" else "",
            str(found["epochs"]),
            f"{side['accuracy']:.2%}",
            f"{found['load']:.1f}",
        )
        for name, side in found["sides"].items()
    ]
    return Table("LeNet on digits", columns, lines)


def rejections(results: Results) -> list[str]:
    """Results that do not count, and why."""
    return [
        f"{row.data['dtype']}, {row.layer.name}, {row.data['quantity']}, {side}: {why}"
        for row in rows(results)
        for side in row.data["sides"]
        if (why := row.rejected(side))
    ]


def not_applicable(results: Results) -> list[str]:
    """Why baselines have no ratio, each reason once, with its layers."""
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows(results):
        for side, why in row.data["without"].items():
            reasons.setdefault((side, why), {})[row.layer.name] = None
    return [f"{side}: {why} ({', '.join(names)})" for (side, why), names in reasons.items()]


def _spread(ratio: Spread | None, absent: str = NONE) -> str:
    return absent if ratio is None else str(ratio)


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return NONE if value is None else f"{value:.0%}"


def _microseconds(times: Iterable[float]) -> str:
    every = list(times)
    return f"{statistics.median(every) / 1e3:.1f}" if every else NONE
