"""The edition as Markdown, to be read where a repository is browsed: the same content, without times and versions.

Formulas are in fences of `math` and in $`...`$, which survive Markdown's own signs; the text is the same byte for byte
for the same verdicts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from backproof.edition import cases, grids, overview, plain, trouble, wording
from backproof.edition.letters import Letters
from backproof.edition.overview import Cell
from backproof.edition.prose import stretches
from backproof_spec.derivation.edition import NO_FRAME, Assurance, Claim, Edition, Erratum, Row
from backproof_spec.proof.verdict import Counterexample, Status, Verdict

#: Signs of Markdown and HTML that prose may contain.
_SIGNS = re.compile(r"([\\*_<>\[\]|#~])")

INTRODUCTION = """\
Every formula of the post, and what is said about them in words, was turned into a statement about sums over arrays \
and decided by a program: **proved** for images, kernels and layers of all sizes and for every differentiable \
activation, or **refuted** with the smallest counterexample. A claim counts by the worst of the lines that are stated. \
`backproof derive` writes this file; every verdict, counterexample and correction in it was computed."""


def render(edition: Edition) -> str:
    """The file as text."""
    return "\n\n".join(_blocks(edition)) + "\n"


def _blocks(edition: Edition) -> Iterator[str]:
    yield "# Convolution and backpropagation, derived line by line"
    yield INTRODUCTION
    yield _summary(edition)
    yield from _trouble(edition)
    yield from _displays(edition)
    if edition.errata:
        yield "## Errata"
        for severity, group in wording.severities(edition.errata).items():
            heading, meaning = wording.SEVERITIES[severity]
            yield f"### {heading}"
            yield meaning
            yield "\n".join(_erratum(edition, *noted) for noted in wording.with_notes(group))
    if len(edition.claims) > 1:
        yield "## Contents"
        yield _contents(edition)
    for section, claims in wording.sections(edition.claims).items():
        yield f"## {_prose(section)}"
        for claim in claims:
            yield from _claim(claim)
    yield from _trust(edition)


def _summary(edition: Edition) -> str:
    totals = edition.totals
    counts = (len(edition.claims), *(totals[status] for status in Status), len(edition.errata))
    heads = ("claims", *(f"{wording.MARKS[status]} {status}" for status in Status), "errata")
    return _table(heads, [[str(count) for count in counts]])


def _trouble(edition: Edition) -> Iterator[str]:
    differing, unread, unexpected = trouble.disagreements(edition), trouble.unread(edition), trouble.unexpected(edition)
    if differing or unread or unexpected:
        yield "## What does not fit"
    for found in differing:
        where = f"[{_title(found.claim)}](#{found.claim.id}), {_prose(wording.place(found.claim, found.row))}"
        yield f"✗ **The printed formula is not what was judged**: {where}{_prose(_in(found.frames, ' '))}"
        yield _display(found.row.tex)
        if found.case:
            yield f"{_prose(cases.told(found.claim, found.case))}: {trouble.values(found.case)}."
    for claim, row, reason in unread:
        where = f"[{_title(claim)}](#{claim.id}), {_prose(wording.place(claim, row))}"
        yield f"? **The printed formula could not be read**: {where}: {_prose(reason)}."
    for claim, row in unexpected:
        where = f"[{_title(claim)}](#{claim.id}), {_prose(wording.place(claim, row))}"
        yield f"✗ **One of our own claims is false**: {where}"


def _displays(edition: Edition) -> Iterator[str]:
    if not (rows := overview.displays(edition)):
        return
    yield "## The displays, frame by frame"
    yield _prose(
        f"A frame says which pixels of a convolution are kept, and how they are numbered (see the end). "
        f"{overview.sentence(edition)}"
    )
    heads = ["display", "", *map(_prose, edition.frames)]
    yield _table(heads, [_display_row(claim, cells) for claim, cells in rows])
    yield "◆ The post says this display of this frame; a display without ◆ names none."


def _display_row(claim: Claim, cells: list[Cell]) -> list[str]:
    number = claim.place.removeprefix("display ")
    return [number, f"[{_title(claim)}](#{claim.id})", *map(_cell, cells)]


def _cell(cell: Cell) -> str:
    mark = f"{wording.MARKS[cell.status]} {cell.status}{' ◆' if cell.chosen else ''}"
    return f"{mark} ({cell.lines})" if cell.lines else mark


def _erratum(edition: Edition, erratum: Erratum, notes: list[str]) -> str:
    claim = edition.claim(erratum.claim)
    where = (wording.place(claim, wording.row_of(claim, erratum)), _in(erratum.frames))
    text = ", ".join([f"- [{_title(claim)}](#{claim.id})", *(_prose(part) for part in where if part)])
    return "\n".join([text, *(f"  - {_prose(note)}" for note in notes)])


def _contents(edition: Edition) -> str:
    lines = []
    for section, claims in wording.sections(edition.claims).items():
        lines.append(f"- {_prose(section)}")
        lines += [f"  - [{_title(claim)}](#{claim.id}): {_verdicts(claim)}" for claim in claims]
    return "\n".join(lines)


# --- one claim ---


def _claim(claim: Claim) -> Iterator[str]:
    yield f'<a id="{claim.id}"></a>'
    yield f"### {_title(claim)}"
    yield ", ".join(filter(None, [_prose(claim.place), f"**{_verdicts(claim)}**"]))
    if claim.tex:
        yield _display(claim.tex)
    if claim.explanation:
        yield _prose(claim.explanation)
    if claim.notes:
        yield "Read literally:"
        yield "\n".join(f"- {_prose(note)}" for note in dict.fromkeys(claim.notes))
    given = [_inline(tex) for tex in claim.ranges] + [_prose(text) for text in claim.assumptions]
    if claim.claimed:
        yield f"Said of {_prose(wording.listed(list(claim.claimed)))}."
    if given:
        yield f"Given: {'; '.join(given)}."
    yield from _rows(claim)
    if claim.example:
        yield from _example(claim)
    if claim.checks:
        commands = ", ".join(f"`backproof check TARGET --check {check}`" for check in claim.checks)
        yield f"Tested on programs by {commands}."


def _repairs(row: Row) -> Iterator[str]:
    for tex, frames in cases.repairs(row).items():
        tried = wording.counted(row.repairs[frames[0]].tried, "candidate")
        yield f"✓ **Proved instead**{_prose(_in(tuple(frames), ' '))} (found among {tried}):"
        yield _display(tex)


def _rows(claim: Claim) -> Iterator[str]:
    if not claim.rows:
        return
    several = len(claim.rows) > 1
    for number, row in enumerate(claim.rows, 1):
        unstated = " (not stated by the post)" if claim.in_post and not row.stated else ""
        yield f"{f'Line {number}' if several else 'Reason'}: {_prose(row.reason)}{unstated}"
        if row.tex and not wording.repeats(claim, row):
            yield _display(row.tex)
        yield from _findings(claim, row)
    heads = ["", *(_prose(wording.frame_name(frame)) for frame in claim.frames)]
    body = [[f"line {number}", *map(_mark, row.verdicts.values())] for number, row in enumerate(claim.rows, 1)]
    if several:
        yield _table(heads, body)
    else:
        yield _table(heads[1:], [body[0][1:]])


def _findings(claim: Claim, row: Row) -> Iterator[str]:
    for frames, found in cases.counterexamples(row.verdicts):
        yield _counterexample(claim, row, tuple(frames), found)
    yield from _repairs(row)
    for reason, frame in wording.reasons(row.verdicts).items():
        yield f"Open ({_prose(frame)}): {_prose(reason)}"
    for frame, verdict in row.reading.items():
        if verdict.status is Status.REFUTED:
            yield f"✗ Read on its own, the printed line says something else{_prose(_in((frame,), ' '))}."
        elif verdict.status is Status.OPEN:
            yield f"The printed line could not be read on its own{_prose(_in((frame,), ' '))}: {_prose(verdict.reason)}"


def _counterexample(claim: Claim, row: Row, frames: tuple[str, ...], found: Counterexample) -> str:
    where = f"Smallest counterexample{_prose(_in(frames, ' '))}"
    return f"{where}: {_prose(cases.told(claim, found))}; {cases.outcome(claim, row, found)}."


def _example(claim: Claim) -> Iterator[str]:
    assert claim.example is not None
    shown = claim.example
    letters = Letters.of(claim, shown.sizes)
    at, sizes = letters.indices(shown.index), letters.sizes(shown.sizes)
    yield f"With numbers: {_prose(sizes)}{_prose(_in((shown.frame,), ', '))}, worked at {_prose(at)}."
    total = grids.total(shown.products, shown.value, " * ")
    yield f"```text\n{plain.worked(shown)}\n\n{total}\n```"


# --- the end ---


def _trust(edition: Edition) -> Iterator[str]:
    yield "## What this rests on"
    yield "### Frames: which pixels, and how they are numbered"
    yield "\n".join(f"- **{_prose(name)}**: {_prose(meaning)}" for name, meaning in edition.frames.items())
    yield f"```text\n{plain.frames()}\n```"
    for kind, lines in wording.assurances(edition.assurances).items():
        yield f"### {kind}"
        yield "\n".join(_assurance(line) for line in lines)


def _assurance(line: Assurance) -> str:
    return f"- {_prose(line.text)}" + (f" (`{line.where}`)" if line.where else "")


# --- Markdown ---


def _verdicts(claim: Claim) -> str:
    told = wording.verdicts(claim)
    return "; ".join(f"{wording.MARKS[status]} {_prose(text)}" for status, text in told.items()) or "nothing to prove"


def _mark(verdict: Verdict) -> str:
    return f"{wording.MARKS[verdict.status]} {verdict.status}"


def _in(frames: tuple[str, ...], before: str = "") -> str:
    named = [frame for frame in frames if frame != NO_FRAME]
    return f"{before}in {wording.listed(named)}" if named else ""


def _prose(text: str) -> str:
    shown = {"text": lambda t: _SIGNS.sub(r"\\\1", t), "code": lambda t: f"`{t}`", "math": _inline}
    return "".join(shown[kind](content) for kind, content in stretches(text))


def _title(claim: Claim) -> str:
    """As it is written: formulas in links and headings are not rendered everywhere."""
    return _SIGNS.sub(r"\\\1", claim.title)


def _inline(tex: str) -> str:
    return f"$`{' '.join(tex.split())}`$"


def _display(tex: str) -> str:
    return f"```math\n{tex.strip()}\n```"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
