"""The kill table in a terminal, or as plain lines in a log; survivors last, and loudly."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from backproof.kills.results import Fate, Results
from backproof.report.words import counted, duration

_TITLE = 44  # characters of a title, in the table


def show(results: Results, console: Console) -> None:
    """The table, the totals, the survivors."""
    killed = [fate for fate in results.fates if fate.killed]
    if console.is_terminal:
        console.print(_table(killed))
    else:
        for fate in killed:
            console.print(Text(_line(fate)), soft_wrap=True)
    for text in totals(results):
        console.print(Text(text), soft_wrap=True)
    for fate in results.survivors:
        console.print(_survivor(fate, len(results.seeds)), soft_wrap=True)
    mutants = len(results.fates) - len(results.equivalent)
    words = f"{mutants - len(results.survivors)} of {counted(mutants, 'mutant')} killed"
    label, style = ("SURVIVORS", "bold red") if results.survivors else ("ALL KILLED", "green")
    console.print(Text.assemble((label, style), f": {words}, {duration(results.seconds)}"), soft_wrap=True)


def totals(results: Results) -> list[str]:
    """The kill rate by family, examples until a kill, and what one check alone kills."""
    seeds = counted(len(results.seeds), "seed")
    lines = [""]
    for name, (killed, mutants) in results.families.items():
        rate = 100 * killed / mutants
        lines.append(f"{name}: {killed} of {mutants} killed ({rate:.1f} %), {results.plan.profile} profile, {seeds}")
    if results.equivalent:
        lines.append(f"right on the whole bounded domain, and not counted: {_ids(results.equivalent)}")
    for counts, whose in ((results.within, "the check that kills"), (results.examples, "the whole run")):
        if counts:
            lines.append(f"examples of {whose}: {', '.join(f'{name} {n:.4g}' for name, n in counts.items())}")
    for check, ids in results.only_one.items():
        lines.append(f"killed by {check} alone ({len(ids)}): {', '.join(ids)}")
    return lines


def _table(fates: list[Fate]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("mutant", "title", "quantity", "trigger", "killed by"):
        table.add_column(column, overflow="ellipsis", no_wrap=True, max_width=_TITLE)
    table.add_column("after", justify="right")
    table.add_column("ms", justify="right")
    for fate in fates:
        mutant = fate.mutant
        cells = (mutant.id, mutant.title, mutant.quantity, mutant.trigger, ", ".join(fate.checks))
        table.add_row(*(Text(cell) for cell in cells), _after(fate), f"{fate.milliseconds:.0f}")
    return table


def _line(fate: Fate) -> str:
    mutant = fate.mutant
    return (
        f"killed  {mutant.id}  by {', '.join(fate.checks)}  after {_after(fate)}  in {fate.milliseconds:.0f} ms"
        f"  [{mutant.quantity}; {mutant.trigger}]  {mutant.title}"
    )


def _survivor(fate: Fate, seeds: int) -> Text:
    mutant, survived = fate.mutant, fate.survived
    where = f" at {len(survived)} of {seeds} seeds ({', '.join(map(str, survived[:8]))})" if seeds > 1 else ""
    text = f"  {mutant.id}{where}: {mutant.title}  [{mutant.quantity}; {mutant.trigger}]"
    return Text.assemble(("SURVIVED", "bold red"), text, f"\n    backproof check {mutant.target} --seed {survived[0]}")


def _after(fate: Fate) -> str:
    """Examples until the kill: one number, or over several seeds the least and the most."""
    low, high = min(fate.examples), max(fate.examples)
    return str(low) if low == high else f"{low}-{high}"


def _ids(fates: list[Fate]) -> str:
    return ", ".join(fate.mutant.id for fate in fates)
