"""The edition in the terminal: progress, a table at the end, what was refuted, one claim in full.

Our own words are ASCII, since a log may be in any encoding; `NO_COLOR` is honoured (by rich).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from backproof.edition import plain, wording
from backproof_spec.derivation.edition import NO_FRAME, Claim, Edition, Row
from backproof_spec.proof.verdict import Counterexample, Status, Verdict

_STYLES = {Status.PROVED: "green", Status.REFUTED: "bold red", Status.OPEN: "yellow"}
_EVERY = 10  # claims between two lines of progress where there is no terminal

#: Commands of LaTeX that only arrange: a terminal is easier to read without them.
_LAYOUT = re.compile(r"\\(?:left|right|begin\{aligned\}|end\{aligned\})(?![A-Za-z])\s*|\\[,:;!]|&")


@contextmanager
def progress(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """A function that shows how far the work is: a bar on a terminal, else a line now and then."""
    if not console.is_terminal:
        yield lambda claim, done, total: _line(console, done, total)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("judging", total=None)
        yield lambda claim, done, total: bar.update(task, description=claim, completed=done, total=total)


def _line(console: Console, done: int, total: int) -> None:
    if total > 1 and (done % _EVERY == 0 or done == total):
        _print(console, f"judged {done} of {total} claims")


def print_edition(edition: Edition, console: Console) -> None:
    """What was refuted, what is open, what does not fit, and the numbers."""
    for claim in edition.claims:
        for row in claim.rows:
            _refuted(claim, row, console)
            for reason, frames in wording.reasons(row.verdicts).items():
                _print(console, f" {_where(claim, row)}, {frames}: {reason}", "open", _STYLES[Status.OPEN])
    print_disagreements(edition, console)
    totals = edition.totals
    table = Table("claims", *(str(status) for status in Status), "errata", box=None, pad_edge=False, show_edge=False)
    counts = (len(edition.claims), *(totals[status] for status in Status), len(edition.errata))
    table.add_row(*(str(count) for count in counts))
    console.print(table)


def print_disagreements(edition: Edition, console: Console) -> None:
    """Formulas that say something else than what was judged."""
    for claim, row, frames in wording.disagreements(edition):
        _print(console, f" {_where(claim, row)}{_in(frames)}: the printed formula differs", "DIFFERS", "bold red")


def _refuted(claim: Claim, row: Row, console: Console) -> None:
    if row.refuted_in:
        remark = "" if row.stated or not claim.in_post else " (not stated by the post)"
        if row.stated and not wording.faults(claim, row):
            remark = f" (said only of {wording.listed(list(claim.claimed))})"
        _print(console, f" {_where(claim, row)}{_in(row.refuted_in)}{remark}", "refuted", _STYLES[Status.REFUTED])
        for _, found in wording.counterexamples(row.verdicts)[:1]:
            _print(console, f"    {_told(claim, row, found)}")


def print_claim(claim: Claim, console: Console) -> None:
    """One claim: its formula, its lines with their verdicts, counterexamples as grids, what is proved instead."""
    _print(
        console, f"{claim.title}  [{claim.id}; {', '.join(filter(None, (claim.section, claim.place)))}]", style="bold"
    )
    for text in _formula(claim.tex):
        _print(console, f"    {text}")
    if claim.explanation:
        console.print(Text(claim.explanation))
    for note in dict.fromkeys(claim.notes):
        _print(console, f"read literally: {note}")
    for row in claim.rows:
        _print(console, "")
        _print(console, f"{wording.line_number(claim, row)}: {row.reason}", style="bold")
        for text in () if wording.repeats(claim, row) else _formula(row.tex):
            _print(console, f"    {text}")
        _row(claim, row, console)


def _row(claim: Claim, row: Row, console: Console) -> None:
    for frame, verdict in row.verdicts.items():
        name = "" if frame == NO_FRAME else f" in {frame}"
        _print(console, f"{name}, {wording.duration(verdict.seconds)}", str(verdict.status), _STYLES[verdict.status])
        if verdict.reason:
            _print(console, f"    {verdict.reason}")
    for frames, found in wording.counterexamples(row.verdicts):
        _print(console, f"smallest counterexample{_in(frames)}: {_told(claim, row, found)}")
        if drawn := plain.planes(found):
            _print(console, _indented(drawn))
    for tex, frames in wording.repairs(row).items():
        _print(console, f" instead{_in(frames)}:", "proved", _STYLES[Status.PROVED])
        for text in _formula(tex):
            _print(console, f"    {text}")
    _reading(row.reading.items(), console)


def _reading(found: Iterable[tuple[str, Verdict]], console: Console) -> None:
    for frame, verdict in found:
        if verdict.status is Status.REFUTED:
            _print(console, f"{_in((frame,))}: the printed formula is not what was judged", "DIFFERS", "bold red")
        elif verdict.status is Status.OPEN:
            _print(console, f"the printed formula could not be read{_in((frame,))}: {verdict.reason}")


def _told(claim: Claim, row: Row, found: Counterexample) -> str:
    before, here = wording.sides(claim, row)
    entries = ", ".join(wording.entries(found))
    given = f"; all entries are 0, except {entries}" if entries else ""
    return f"{wording.case(found)}{given}; {before} is {found.left}, {here} {found.right}"


def _where(claim: Claim, row: Row) -> str:
    return claim.id if len(claim.rows) == 1 else f"{claim.id}, {wording.line_number(claim, row)}"


def _in(frames: Iterable[str]) -> str:
    named = [frame for frame in frames if frame != NO_FRAME]
    return f" in {wording.listed(named)}" if named else ""


def _formula(tex: str) -> list[str]:
    lines = _LAYOUT.sub("", tex).split(r"\\")
    return [" ".join(line.split()) for line in lines if line.strip()]


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


def _print(console: Console, text: str, label: str = "", style: str = "") -> None:
    """Text that is never wrapped or interpreted; `label` is its first word, or there is none and all is in `style`."""
    line = Text.assemble((label, style), text) if label else Text(text, style)
    console.print(line, soft_wrap=True)
