"""How things are put, for every view alike: verdicts, counterexamples, prose, the order of sections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby

from backproof_spec.derivation.edition import NO_FRAME, WORST_FIRST, Assurance, Claim, Erratum, Row, Severity
from backproof_spec.proof.verdict import Status, Verdict

MARKS = {Status.PROVED: "✓", Status.REFUTED: "✗", Status.OPEN: "?"}

SEVERITIES = {
    Severity.WRONG: ("Wrong", "Refuted however pixels are numbered."),
    Severity.FRAME: ("True in some frames only", "True or false according to how pixels are numbered."),
    Severity.NOTATION: ("Not to be read literally", "What is meant is clear; what is printed says something else."),
}

ASSURANCES = {
    "assumed": "Assumed",
    "trusted code": "Trusted code",
    "defended by": "What defends it",
    "proved": "Proved",
    "swept": "Tried on every small case",
    "open": "Open",
}


def counted(number: int, singular: str, plural: str = "") -> str:
    """`1 claim`, `2 claims`, `2 errata`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def duration(seconds: float) -> str:
    """`12 ms`, `0.4 s`, `34 s`."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"


def frame_name(frame: str) -> str:
    """The heading of a frame's column."""
    return "every frame" if frame == NO_FRAME else frame


def sections(claims: Iterable[Claim]) -> dict[str, list[Claim]]:
    """Claims by section, both in the order in which they come, but the post's sections first."""
    found: dict[str, list[Claim]] = {}
    for claim in claims:
        found.setdefault(claim.section, []).append(claim)
    return dict(sorted(found.items(), key=lambda item: not any(claim.in_post for claim in item[1])))


def verdicts(claim: Claim) -> dict[Status, str]:
    """`proved`, or what holds where: `refuted in VALID_S`, `proved in FULL and VALID_U`; empty without a line."""
    found = {frame: claim.status(frame) for frame in claim.frames}
    told = {}
    for one in WORST_FIRST:
        if frames := [frame_name(frame) for frame, of in found.items() if of is one]:
            told[one] = str(one) if len(frames) == len(found) else f"{one} in {listed(frames)}"
    return told


def row_summary(rows: Iterable[Row]) -> str:
    """`3 lines: 2 proved, 1 refuted`, each by its worst verdict."""
    worst = [min((v.status for v in row.verdicts.values()), key=WORST_FIRST.index) for row in rows if row.verdicts]
    counts = Counter(worst)
    told = ", ".join(f"{counts[one]} {one}" for one in reversed(WORST_FIRST) if counts[one])
    return f"{counted(len(worst), 'line')}: {told}"


def listed(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def severities(errata: Iterable[Erratum]) -> dict[Severity, list[Erratum]]:
    """Errata by severity, in its order."""
    order = list(Severity)
    by_severity = sorted(errata, key=lambda erratum: order.index(erratum.severity))
    return {key: list(group) for key, group in groupby(by_severity, key=lambda erratum: erratum.severity)}


def with_notes(errata: Iterable[Erratum]) -> list[tuple[Erratum, list[str]]]:
    """Errata with what is said about each; those that only say something about the same formula are one."""
    found: dict[tuple[str, str], tuple[Erratum, list[str]]] = {}
    for erratum in errata:
        _, notes = found.setdefault((erratum.claim, erratum.row), (erratum, []))
        if erratum.note and erratum.note not in notes:
            notes.append(erratum.note)
    return list(found.values())


def row_of(claim: Claim, erratum: Erratum) -> Row | None:
    """The line that is wrong; None where it is the formula as a whole."""
    return next((row for row in claim.rows if row.id == erratum.row), None)


def assurances(lines: Iterable[Assurance]) -> dict[str, list[Assurance]]:
    """Assurances by kind: the known kinds in their order, then others."""
    found: dict[str, list[Assurance]] = {kind: [] for kind in ASSURANCES}
    for line in lines:
        found.setdefault(line.kind, []).append(line)
    return {ASSURANCES.get(kind, kind.capitalize()): group for kind, group in found.items() if group}


def line_number(claim: Claim, row: Row) -> str:
    """`line 2`; a claim's only line needs no number: `the formula`."""
    return f"line {claim.rows.index(row) + 1}" if len(claim.rows) > 1 else "the formula"


def reasons(verdicts: Mapping[str, Verdict]) -> dict[str, str]:
    """Why lines are open, by reason: the frames in which they are."""
    found: dict[str, list[str]] = {}
    for frame, verdict in verdicts.items():
        if verdict.reason:
            found.setdefault(verdict.reason, []).append(frame_name(frame))
    return {reason: listed(frames) for reason, frames in found.items()}


def place(claim: Claim, row: Row | None) -> str:
    """`display 12, line 2`, or what there is of it."""
    line = line_number(claim, row) if row and len(claim.rows) > 1 else ""
    return ", ".join(filter(None, (claim.place, line)))


def repeats(claim: Claim, row: Row) -> bool:
    """Whether a line's formula is the claim's, or its right side: the only line of a display."""
    return bool(claim.tex) and len(claim.rows) == 1 and (row.tex == claim.tex or bool(row.reading))


def typographic(text: str) -> str:
    """With minus signs instead of hyphens."""
    return text.replace("-", "−")
