"""What should not be there: displays that differ from their encodings, or cannot be read; our own claims refuted.

The post cannot cause any of it: a formula or its encoding was changed without the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backproof.edition.cases import faults
from backproof_spec.derivation.edition import Claim, Edition, Row
from backproof_spec.proof.verdict import Counterexample, Status


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A line whose printed formula is not what was judged, in which frames, and a case in which they differ."""

    claim: Claim
    row: Row
    frames: tuple[str, ...]
    case: Counterexample | None


def compared(rows: Iterable[Row]) -> bool:
    """Whether printed lines were read by a program, and all say what was judged."""
    found = [verdict.status for row in rows for verdict in row.reading.values()]
    return bool(found) and set(found) == {Status.PROVED}


def unread(edition: Edition) -> list[tuple[Claim, Row, str]]:
    """Lines whose printed formula could not be read, and why: whether they say what was judged is not known."""
    return [
        (claim, row, reason)
        for claim in edition.claims
        for row in claim.rows
        for reason in dict.fromkeys(v.reason for v in row.reading.values() if v.status is Status.OPEN)
    ]


def unexpected(edition: Edition) -> list[tuple[Claim, Row]]:
    """Refuted lines of claims that the post does not make: no errata, but something is wrong."""
    return [(claim, row) for claim in edition.claims if not claim.in_post for row in claim.rows if faults(claim, row)]


def values(case: Counterexample) -> str:
    """What the two formulas come to in a case: `judged 0, printed 1`."""
    if case.left is None or case.right is None:
        return "one of the two is true, the other false"
    return f"what was judged is {case.left}, the printed formula {case.right}"


def disagreements(edition: Edition) -> list[Disagreement]:
    """Every line whose printed formula, read by a program, says something else than what was judged."""
    found = []
    for claim in edition.claims:
        for row in claim.rows:
            differing = {frame: v for frame, v in row.reading.items() if v.status is Status.REFUTED}
            if differing:
                case = next((v.counterexample for v in differing.values() if v.counterexample), None)
                found.append(Disagreement(claim, row, tuple(differing), case))
    return found
