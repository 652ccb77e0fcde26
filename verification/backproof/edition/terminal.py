"""The edition in the terminal: progress, errata with what is proved instead, a table at the end.

Our own words are ASCII, since a log may be in any encoding; `NO_COLOR` is honoured (by rich).  `terminal_claim` shows
one claim in full.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from textwrap import wrap

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from backproof.edition import cases, overview, trouble, wording
from backproof.edition.prose import spoken
from backproof_spec.derivation.edition import NO_FRAME, Claim, Edition, Erratum, Row
from backproof_spec.proof.verdict import Counterexample, Status

STYLES = {Status.PROVED: "green", Status.REFUTED: "bold red", Status.OPEN: "yellow"}
_LOUD = "bold white on red"
_EVERY = 10  # claims between two lines of progress where there is no terminal

#: Commands of LaTeX that only arrange: a terminal is easier to read without them.
_LAYOUT = re.compile(r"\\(?:left|right|begin\{aligned\}|end\{aligned\})(?![A-Za-z])\s*|\\[,:;!]|&")

#: What is not broken at the end of a line: indices, and a value with its name.
_TOGETHER = re.compile(r"\([^()]*\)| = ")


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
        unwrapped(console, f"judged {done} of {total} claims")


def print_edition(edition: Edition, console: Console) -> None:
    """What does not fit, errata, what is open, and the numbers."""
    print_trouble(edition, console)
    for severity, group in wording.severities(edition.errata).items():
        heading, meaning = wording.SEVERITIES[severity]
        wrapped(console, f"{heading}: {meaning[0].lower()}{meaning[1:]}", 0, "bold")
        for erratum, notes in wording.with_notes(group):
            _erratum(edition, erratum, notes, console)
        unwrapped(console, "")
    _open(edition, console)
    if overview.displays(edition):
        wrapped(console, overview.sentence(edition), 0)
    console.print(_numbers(edition))
    if differing := trouble.disagreements(edition):  # once more: the first lines may have left the screen
        places = wording.listed([place(found.claim, found.row) for found in differing])
        wrapped(console, f"DIFFERS, see above: {places}", 0, _LOUD)


def print_trouble(edition: Edition, console: Console) -> None:
    """Formulas that say something else than what was judged, or cannot be read; our own claims, refuted."""
    for found in trouble.disagreements(edition):
        where = f" {place(found.claim, found.row)}{in_frames(found.frames)}: "
        unwrapped(console, f"{where}the printed formula is not what was judged", "DIFFERS", _LOUD)
        for text in formula(found.row.tex):
            unwrapped(console, f"    printed: {text}")
        if found.row.encoding:
            unwrapped(console, f"    judged:  {found.row.encoding}")
        if found.case is not None:
            wrapped(console, spoken(f"{cases.told(found.claim, found.case)}: {trouble.values(found.case)}"))
        unwrapped(console, "    change the display or its encoding, so that both say the same\n")
    for claim, row, reason in trouble.unread(edition):
        wrapped(console, f"UNREAD {place(claim, row)}: the printed formula could not be read: {reason}", 0, "bold red")
    if beyond := trouble.unexpected(edition):
        unwrapped(console, "Refuted, though the post has no part in it: one of our own claims is false", style="bold")
        for claim, row in beyond:
            _fault(claim, row, console)
        unwrapped(console, "")


def _erratum(edition: Edition, erratum: Erratum, notes: Iterable[str], console: Console) -> None:
    claim = edition.claim(erratum.claim)
    row = wording.row_of(claim, erratum)
    if row is None:
        wrapped(console, f"{claim.id}: {' '.join(map(spoken, notes))}", 2)
    else:
        _fault(claim, row, console, erratum)


def _fault(claim: Claim, row: Row, console: Console, erratum: Erratum | None = None) -> None:
    """A line that is wrong: where, the smallest case in one line, what is proved instead in one line."""
    found = cases.faults(claim, row)
    frames = erratum.frames if erratum is not None else tuple(frame for names, _ in found for frame in names)
    everywhere = set(frames) == set(row.verdicts)
    unwrapped(console, f"  {place(claim, row)}{'' if everywhere else in_frames(frames)}", style="red")
    if found:
        wrapped(console, counterexample(claim, row, found[0][1]))
    for tex in cases.repairs(row):
        unwrapped(console, f": {'  '.join(formula(tex))}", "    proved", STYLES[Status.PROVED])


def _open(edition: Edition, console: Console) -> None:
    for claim in edition.claims:
        for row in claim.rows:
            for reason, frames in wording.reasons(row.verdicts).items():
                unwrapped(console, f" {place(claim, row)}, {frames}: {reason}", "open", STYLES[Status.OPEN])


def _numbers(edition: Edition) -> Table:
    totals = edition.totals
    table = Table("claims", *(str(status) for status in Status), "errata", box=None, pad_edge=False, show_edge=False)
    counts = (len(edition.claims), *(totals[status] for status in Status), len(edition.errata))
    table.add_row(*(str(count) for count in counts))
    return table


# --- for one claim as well ---


def counterexample(claim: Claim, row: Row, found: Counterexample) -> str:
    """The case in brief, and both values there."""
    given = ", ".join(cases.entries(claim, found))
    case = cases.case(claim, found) + (f"; {given}, all else 0" if given else "")
    return f"{spoken(case)}: {cases.outcome(claim, row, found)}"


def place(claim: Claim, row: Row) -> str:
    """`delta-step, line 3`."""
    return claim.id if len(claim.rows) == 1 else f"{claim.id}, {wording.line_number(claim, row)}"


def in_frames(frames: Iterable[str]) -> str:
    """` in FULL and VALID_U`, or nothing where no frame matters."""
    named = [frame for frame in frames if frame != NO_FRAME]
    return f" in {wording.listed(named)}" if named else ""


def formula(tex: str) -> list[str]:
    """The lines of a formula, as LaTeX without what only arranges."""
    lines = _LAYOUT.sub("", tex).split(r"\\")
    return [" ".join(line.split()) for line in lines if line.strip()]


def unwrapped(console: Console, text: str, label: str = "", style: str = "") -> None:
    """Text that is never wrapped or interpreted; `label` is its first word, or there is none and all is in `style`."""
    line = Text.assemble((label, style), text) if label else Text(text, style)
    console.print(line, soft_wrap=True)


def wrapped(console: Console, text: str, indent: int = 4, style: str = "", hang: int = 4) -> None:
    """Text that is wrapped between words, but not inside formulas; the lines that follow are indented by `hang`."""
    kept = _TOGETHER.sub(lambda match: match[0].replace(" ", "\N{NO-BREAK SPACE}"), text)
    first, others = " " * indent, " " * hang
    for line in wrap(kept, max(console.width, 40), initial_indent=first, subsequent_indent=others):
        unwrapped(console, line.replace("\N{NO-BREAK SPACE}", " "), style=style)
