"""The edition as Markdown, to be read where a repository is browsed: the same content, without times and versions.

Formulas are in fences of `math` and in $`...`$, which survive Markdown's own signs; the text is the same byte for byte
for the same verdicts.
"""

from __future__ import annotations

from collections.abc import Iterator

from backproof.edition import cases, grids, overview, plain, trouble, wording
from backproof.edition.letters import Letters
from backproof.edition.markup import display, inline, prose, table, title
from backproof.edition.overview import Cell
from backproof_spec.derivation.edition import NO_FRAME, Assurance, Claim, Edition, Erratum, Row
from backproof_spec.proof.verdict import Counterexample, Status, Verdict

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
        yield f"## {prose(section)}"
        for claim in claims:
            yield from _claim(claim)
    yield from _trust(edition)


def _summary(edition: Edition) -> str:
    totals = edition.totals
    counts = (len(edition.claims), *(totals[status] for status in Status), len(edition.errata))
    heads = ("claims", *(f"{wording.MARKS[status]} {status}" for status in Status), "errata")
    return table(heads, [[str(count) for count in counts]])


def _trouble(edition: Edition) -> Iterator[str]:
    if trouble.disagreements(edition) or trouble.unread(edition) or trouble.unexpected(edition):
        yield "## What does not fit"
    for found in trouble.disagreements(edition):
        where = _where(found.claim, found.row) + prose(_in(found.frames, " "))
        yield f"✗ **The printed formula is not what was judged**: {where}"
        yield display(found.row.tex)
        if found.row.encoding:
            yield f"Judged: `{found.row.encoding}`"
        if found.case:
            yield f"{prose(cases.told(found.claim, found.case))}: {trouble.values(found.case)}."
    for claim, row, reason in trouble.unread(edition):
        yield f"? **The printed formula could not be read**: {_where(claim, row)}: {prose(reason)}."
    for claim, row in trouble.unexpected(edition):
        yield f"✗ **One of our own claims is false**: {_where(claim, row)}"


def _where(claim: Claim, row: Row) -> str:
    return f"[{title(claim)}](#{claim.id}), {prose(wording.place(claim, row))}"


def _displays(edition: Edition) -> Iterator[str]:
    if not (rows := overview.displays(edition)):
        return
    yield "## The displays, frame by frame"
    yield prose(
        f"A frame says which pixels of a convolution are kept, and how they are numbered (see the end). "
        f"{overview.sentence(edition)}"
    )
    heads = ["display", "", *map(prose, edition.frames)]
    yield table(heads, [_display_row(claim, cells) for claim, cells in rows])
    yield "◆ The post says this display of this frame; a display without ◆ names none."


def _display_row(claim: Claim, cells: list[Cell]) -> list[str]:
    number = claim.place.removeprefix("display ")
    return [number, f"[{title(claim)}](#{claim.id})", *map(_cell, cells)]


def _cell(cell: Cell) -> str:
    mark = f"{wording.MARKS[cell.status]} {cell.status}{' ◆' if cell.chosen else ''}"
    return f"{mark} ({cell.lines})" if cell.lines else mark


def _erratum(edition: Edition, erratum: Erratum, notes: list[str]) -> str:
    claim = edition.claim(erratum.claim)
    where = (wording.place(claim, wording.row_of(claim, erratum)), _in(erratum.frames))
    text = ", ".join([f"- [{title(claim)}](#{claim.id})", *(prose(part) for part in where if part)])
    return "\n".join([text, *(f"  - {prose(note)}" for note in notes)])


def _contents(edition: Edition) -> str:
    lines = []
    for section, claims in wording.sections(edition.claims).items():
        lines.append(f"- {prose(section)}")
        lines += [f"  - [{title(claim)}](#{claim.id}): {_verdicts(claim)}" for claim in claims]
    return "\n".join(lines)


# --- one claim ---


def _claim(claim: Claim) -> Iterator[str]:
    yield f'<a id="{claim.id}"></a>'
    yield f"### {title(claim)}"
    yield ", ".join(filter(None, [prose(claim.place), f"**{_verdicts(claim)}**"]))
    if claim.tex:
        yield display(claim.tex)
    if claim.explanation:
        yield prose(claim.explanation)
    if claim.notes:
        yield "Read literally:"
        yield "\n".join(f"- {prose(note)}" for note in dict.fromkeys(claim.notes))
    given = [inline(tex) for tex in claim.ranges] + [prose(text) for text in claim.assumptions]
    if claim.claimed:
        yield f"Said of {prose(wording.listed(list(claim.claimed)))}."
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
        yield f"✓ **Proved instead**{prose(_in(tuple(frames), ' '))} (found among {tried}):"
        yield display(tex)


def _rows(claim: Claim) -> Iterator[str]:
    if not claim.rows:
        return
    several = len(claim.rows) > 1
    for number, row in enumerate(claim.rows, 1):
        unstated = " (not stated by the post)" if claim.in_post and not row.stated else ""
        yield f"{f'Line {number}' if several else 'Reason'}: {prose(row.reason)}{unstated}"
        if row.tex and not wording.repeats(claim, row):
            yield display(row.tex)
        yield from _findings(claim, row)
    heads = ["", *(prose(wording.frame_name(frame)) for frame in claim.frames)]
    body = [[f"line {number}", *map(_mark, row.verdicts.values())] for number, row in enumerate(claim.rows, 1)]
    if several:
        yield table(heads, body)
    else:
        yield table(heads[1:], [body[0][1:]])


def _findings(claim: Claim, row: Row) -> Iterator[str]:
    for frames, found in cases.counterexamples(row.verdicts):
        yield _counterexample(claim, row, tuple(frames), found)
    yield from _repairs(row)
    for reason, frame in wording.reasons(row.verdicts).items():
        yield f"Open ({prose(frame)}): {prose(reason)}"
    if differing := tuple(frame for frame, verdict in row.reading.items() if verdict.status is Status.REFUTED):
        yield f"✗ Read on its own, the printed line says something else{prose(_in(differing, ' '))}."
    for reason, frame in wording.reasons(row.reading).items():
        yield f"The printed line could not be read on its own ({prose(frame)}): {prose(reason)}"


def _counterexample(claim: Claim, row: Row, frames: tuple[str, ...], found: Counterexample) -> str:
    where = f"Smallest counterexample{prose(_in(frames, ' '))}"
    return f"{where}: {prose(cases.told(claim, found))}; {cases.outcome(claim, row, found)}."


def _example(claim: Claim) -> Iterator[str]:
    assert claim.example is not None
    shown = claim.example
    letters = Letters.of(claim, shown.sizes)
    at, sizes = letters.indices(shown.index), letters.sizes(shown.sizes)
    yield f"With numbers: {prose(sizes)}{prose(_in((shown.frame,), ', '))}, worked at {prose(at)}."
    total = grids.total(shown.products, shown.value, " * ")
    yield f"```text\n{plain.worked(shown)}\n\n{total}\n```"


# --- the end ---


def _trust(edition: Edition) -> Iterator[str]:
    yield "## What this rests on"
    yield "### Frames: which pixels, and how they are numbered"
    yield "\n".join(f"- **{prose(name)}**: {prose(meaning)}" for name, meaning in edition.frames.items())
    yield f"```text\n{plain.frames()}\n```"
    for kind, lines in wording.assurances(edition.assurances).items():
        yield f"### {kind}"
        yield "\n".join(_assurance(line) for line in lines)


def _assurance(line: Assurance) -> str:
    return f"- {prose(line.text)}" + (f" (`{line.where}`)" if line.where else "")


# --- Markdown ---


def _verdicts(claim: Claim) -> str:
    told = wording.verdicts(claim)
    return "; ".join(f"{wording.MARKS[status]} {prose(text)}" for status, text in told.items()) or "nothing to prove"


def _mark(verdict: Verdict) -> str:
    return f"{wording.MARKS[verdict.status]} {verdict.status}"


def _in(frames: tuple[str, ...], before: str = "") -> str:
    named = [frame for frame in frames if frame != NO_FRAME]
    return f"{before}in {wording.listed(named)}" if named else ""
