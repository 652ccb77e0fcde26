"""What the command shows: a line for each row when it is measured, a bar meanwhile, and tables at the end."""

from __future__ import annotations

import statistics
from dataclasses import replace
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as RichTable

from . import training
from .results import Results
from .rows import Row, ThreadsRow
from .sides import BASELINES, OURS, WINOGRAD
from .tables import NONE, Table, epochs, goals, means, not_applicable, rejections

WIDTH = 140  # of tables in a file
STYLES = {"met": "green", "missed": "red", "undecided": "yellow"}


class Terminal:
    """The bar, on a terminal only; a context manager."""

    def __init__(self, total: int, done: int) -> None:
        self.console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        if not self.console.is_terminal:
            self.console.width = WIDTH
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal)
        self._task = self._bar.add_task("starting", total=total, completed=done)

    def say(self, text: str) -> None:
        """A line above the bar."""
        self.console.print(text)

    def row(self, data: Results) -> None:
        """A row that was measured."""
        self.say(line(data))
        self._bar.update(self._task, advance=1, description=name(data))

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()


def name(data: Results) -> str:
    """What a row is about."""
    return f"{data['layer'][0]} {data['quantity']}" if "layer" in data else training.NAME


def line(data: Results) -> str:
    """A row in a line."""
    if "epochs" in data:
        known = ", ".join(f"{side} {told['accuracy']:.2%}" for side, told in data["sides"].items())
        return f"{training.NAME}, {data['epochs']} epochs: {known}"
    start = f"{data['dtype']}  {data['layer'][0]:25} {data['quantity']:2}"
    if "threads" in data:
        several = ThreadsRow(data)
        return f"{start}  {data['threads']} threads over one: {several.scaling() or 'unmeasured'}"
    row = Row(data)
    times, fraction = row.times(OURS), row.fraction()
    told = ["rejected"]
    if times and fraction is not None:
        told = [f"{statistics.median(times) / 1e3:9.1f} us  {fraction:4.0%} of the peak"]
    told += [f"{side} {ratio}" for side in BASELINES if (ratio := row.ratio(side))]
    if ratio := row.ratio("torch", WINOGRAD):
        told.append(f"Winograd beside torch {ratio}")
    return f"{start}  {'  '.join(told)}  error {row.error(OURS):.1e}"


def show(results: Results, console: Console) -> None:
    """What it comes to, and what does not count; the layers were shown line by line."""
    judged = goals(results)
    measured = [cells for cells in judged.lines if cells[2] != NONE]
    for table in (means(results), epochs(results), replace(judged, lines=measured)):
        if table.lines:
            console.print(_rich(table))
    for text in not_applicable(results):
        console.print(f"not applicable: {text}")
    for side, install in results["absent"].items():
        console.print(f"not installed: {side}; {install}")
    for text in rejections(results):
        console.print(f"rejected: {text}")
    loads = [row["load"] for part in ("rows", "threads") for row in results[part]]
    if loads:
        console.print(f"load: {min(loads):.1f} to {max(loads):.1f}")


def _rich(table: Table) -> RichTable:
    made = RichTable(title=table.title, title_justify="left", box=None, pad_edge=False)
    for column in table.columns:
        made.add_column(column, overflow="fold", no_wrap=column == "baseline")
    for cells in table.lines:
        made.add_row(*cells, style=STYLES.get(cells[-1]))
    return made
