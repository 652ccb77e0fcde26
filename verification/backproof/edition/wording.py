"""How things are put, for every view alike: verdicts, counterexamples, sums with numbers, the order of sections."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby

from backproof_spec.derivation.edition import NO_FRAME, Assurance, Claim, Edition, Erratum, Product, Row, Severity
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
    """Claims by section, both in the order in which they come."""
    found: dict[str, list[Claim]] = {}
    for claim in claims:
        found.setdefault(claim.section, []).append(claim)
    return found


def totals(edition: Edition) -> Counter[Status]:
    """Claims by worst verdict; those that have no line, and so no verdict, are left out."""
    return Counter(claim.status() for claim in edition.claims if claim.rows)


def summary(claim: Claim) -> str:
    """`proved`, or which frames prove and which refute: `refuted in VALID_S; proved in FULL and VALID_U`."""
    if not claim.rows:
        return "nothing to prove"
    found = {frame: claim.status(frame) for frame in claim.frames}
    if len(set(found.values())) == 1:
        return str(claim.status())
    parts = []
    for status in (Status.REFUTED, Status.OPEN, Status.PROVED):
        if frames := [frame_name(frame) for frame, of in found.items() if of is status]:
            parts.append(f"{status} in {listed(frames)}")
    return "; ".join(parts)


def row_summary(rows: Iterable[Row]) -> str:
    """`3 lines: 2 proved, 1 refuted`, each by its worst verdict."""
    order = (Status.REFUTED, Status.OPEN, Status.PROVED)
    worst = [min((v.status for v in row.verdicts.values()), key=order.index) for row in rows if row.verdicts]
    counts = Counter(worst)
    told = ", ".join(f"{counts[status]} {status}" for status in reversed(order) if counts[status])
    return f"{counted(len(worst), 'line')}: {told}"


def listed(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def severities(errata: Iterable[Erratum]) -> dict[Severity, list[Erratum]]:
    """Errata by severity, in its order."""
    order = list(Severity)
    by_severity = sorted(errata, key=lambda erratum: order.index(erratum.severity))
    return {key: list(group) for key, group in groupby(by_severity, key=lambda erratum: erratum.severity)}


def assurances(lines: Iterable[Assurance]) -> dict[str, list[Assurance]]:
    """Assurances by kind: the known kinds in their order, then others."""
    found: dict[str, list[Assurance]] = {kind: [] for kind in ASSURANCES}
    for line in lines:
        found.setdefault(line.kind, []).append(line)
    return {ASSURANCES.get(kind, kind.capitalize()): group for kind, group in found.items() if group}


def counterexamples(verdicts: Mapping[str, Verdict]) -> list[tuple[list[str], Counterexample]]:
    """The different counterexamples of a line, each with the frames in which it was found."""
    found: list[tuple[list[str], Counterexample]] = []
    for frame, verdict in verdicts.items():
        if (example := verdict.counterexample) is None:
            continue
        known = next((frames for frames, other in found if other == example), None)
        if known is None:
            found.append(([frame], example))
        else:
            known.append(frame)
    return found


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


def entries(example: Counterexample) -> str:
    """`w(0, 0) = 1, delta(1, 0) = 1`: all that is not 0."""
    return ", ".join(f"{entry(read)} = {value}" for read, value in example.entries.items())


def spelled(product: Product, times: str = "·") -> str:
    """`2·(-1)`: a summand in numbers."""
    numbers = list(product.numbers)
    if product.coefficient not in ("1", "-1") or not numbers:
        numbers.insert(0, product.coefficient)
    text = times.join(f"({n})" if k and n.startswith("-") else _factor(n, len(numbers)) for k, n in enumerate(numbers))
    return f"-{text}" if product.coefficient == "-1" and numbers == list(product.numbers) else text


def _factor(number: str, factors: int) -> str:
    return f"({number})" if "/" in number and factors > 1 else number


def total(products: Iterable[Product], value: str, times: str = "·") -> str:
    """`1·2 + 3·(-1) = -1`."""
    terms = [spelled(product, times) for product in products]
    text = terms[0] if terms else "0"
    for term in terms[1:]:
        text += f" - {term[1:]}" if term.startswith("-") else f" + {term}"
    return f"{text} = {value}" if text != value else text


def typographic(text: str) -> str:
    """With minus signs instead of hyphens."""
    return text.replace("-", "−")


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
