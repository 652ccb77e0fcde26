"""How things are put, for every view alike: verdicts, counterexamples, prose, the order of sections."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby

from backproof_spec.derivation.edition import NO_FRAME, WORST_FIRST, Assurance, Claim, Edition, Erratum, Row, Severity
from backproof_spec.proof.verdict import Counterexample, Entry, Status, Verdict

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

#: A stretch of prose: `code`, a formula $...$, or plain.
_STRETCHES = re.compile(r"`([^`]+)`|\$([^$]+)\$")


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


Counterexamples = list[tuple[list[str], Counterexample]]


def counterexamples(verdicts: Mapping[str, Verdict]) -> Counterexamples:
    """The different counterexamples of a line, each with the frames in which it was found."""
    found: Counterexamples = []
    for frame, verdict in verdicts.items():
        if (example := verdict.counterexample) is None:
            continue
        known = next((frames for frames, other in found if other == example), None)
        if known is None:
            found.append(([frame], example))
        else:
            known.append(frame)
    return found


def faults(claim: Claim, row: Row) -> Counterexamples:
    """The counterexamples that refute the claim: those to a stated line, in frames for which it is made."""
    return counterexamples({f: v for f, v in row.verdicts.items() if row.stated and f in _claimed(claim)})


def other_cases(claim: Claim, row: Row) -> Counterexamples:
    """The other counterexamples: where a line does not hold, and nobody says that it does."""
    return counterexamples({f: v for f, v in row.verdicts.items() if not (row.stated and f in _claimed(claim))})


def _claimed(claim: Claim) -> tuple[str, ...]:
    return claim.claimed or claim.frames


def repairs(row: Row) -> dict[str, list[str]]:
    """The formulas that are proved instead, each with the frames in which it is."""
    found: dict[str, list[str]] = {}
    for frame, repair in row.repairs.items():
        found.setdefault(repair.tex, []).append(frame)
    return found


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


def values(named: Mapping[str, int]) -> str:
    """`H = 2, W = 2`."""
    return ", ".join(f"{name} = {value}" for name, value in named.items())


def case(example: Counterexample) -> str:
    """`H = 2, W = 2, at x = 0, y = 0`."""
    sizes, indices = values(example.sizes), values(example.indices)
    return ", at ".join(part for part in (sizes, indices) if part)


def entry(read: Entry) -> str:
    """`w(0, 0)`; an entry of `a(c)` is a(c(0, 0))."""
    name, index = read
    place = f"({', '.join(map(str, index))})" if index else ""
    return f"{name[:-1]}{place})" if name.endswith(")") else f"{name}{place}"


def entries(example: Counterexample) -> list[str]:
    """`w(0, 0) = 1`, ...: all that is not 0."""
    return [f"{entry(read)} = {value}" for read, value in example.entries.items()]


def place(claim: Claim, row: Row | None) -> str:
    """`display 12, line 2`, or what there is of it."""
    line = line_number(claim, row) if row and len(claim.rows) > 1 else ""
    return ", ".join(filter(None, (claim.place, line)))


def repeats(claim: Claim, row: Row) -> bool:
    """Whether a line's formula is the claim's, or its right side: the only line of a display."""
    return bool(claim.tex) and len(claim.rows) == 1 and (row.tex == claim.tex or bool(row.reading))


def sides(claim: Claim, row: Row) -> tuple[str, str]:
    """What the two values of a counterexample to a line are."""
    first = claim.rows.index(row) == 0
    return ("the left side", "the right side") if first else ("the line before", "this line")


def typographic(text: str) -> str:
    """With minus signs instead of hyphens."""
    return text.replace("-", "−")


def disagreements(edition: Edition) -> list[tuple[Claim, Row, list[str]]]:
    """Lines whose printed formula, read by a program, says something else than what was judged, and in which frames.

    The post cannot cause that: either the formula or its encoding was changed without the other.
    """
    return [
        (claim, row, frames)
        for claim in edition.claims
        for row in claim.rows
        if (frames := [frame for frame, verdict in row.reading.items() if verdict.status is Status.REFUTED])
    ]


def stretches(text: str) -> list[tuple[str, str]]:
    """Prose as `("text" | "code" | "math", content)`: `code` and $formulas$ are marked as in Markdown."""
    parts: list[tuple[str, str]] = []
    end = 0
    for match in _STRETCHES.finditer(text):
        parts.append(("text", text[end : match.start()]))
        parts.append(("code", match[1]) if match[1] else ("math", match[2]))
        end = match.end()
    parts.append(("text", text[end:]))
    return [(kind, content) for kind, content in parts if content]
