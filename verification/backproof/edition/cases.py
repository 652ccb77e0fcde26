"""Where a line fails: the counterexamples of all frames, each told once, and what is proved instead."""

from __future__ import annotations

from collections.abc import Mapping

from backproof.edition.letters import Letters
from backproof.edition.wording import listed
from backproof_spec.derivation.edition import Claim, Row
from backproof_spec.proof.verdict import Counterexample, Verdict

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


def case(claim: Claim, example: Counterexample) -> str:
    """`$H = W = 2$, at $x = y = 0$`."""
    letters = Letters.of(claim, example.sizes)
    return ", at ".join(filter(None, (letters.sizes(example.sizes), letters.indices(example.indices))))


def entries(claim: Claim, example: Counterexample) -> list[str]:
    """`$w_{0,0}^l(0, 0) = 1$`, ...: all that is not 0."""
    letters = Letters.of(claim, example.sizes)
    return [f"${letters.entry(read)} = {value}$" for read, value in example.entries.items()]


def plane(claim: Claim, example: Counterexample, name: str, units: tuple[int, ...]) -> str:
    """The LaTeX above a plane of a counterexample."""
    return Letters.of(claim, example.sizes).tensor(name, units, len(units) + 2)


def told(claim: Claim, example: Counterexample) -> str:
    """`$H = 2$, at $x = 0$; all entries are 0, except $w(0, 0) = 1$`: the case as prose."""
    given = entries(claim, example)
    return case(claim, example) + (f"; all entries are 0, except {listed(given)}" if given else "")


def sides(claim: Claim, row: Row, found: Counterexample) -> list[tuple[str, str]]:
    """What a counterexample to a line comes to: `("the left side is", "1"), ("this line is", "0")`."""
    if found.left is None or found.right is None:
        return [("the statement is false", "")]
    left, right = str(found.left), str(found.right)
    if row.among:
        return [("this term is", left), (f"{_before(claim, row)} has", right)]
    first = claim.rows.index(row) == 0
    here = "the right side is" if first or " = " in row.tex else "this line is"
    return [(f"{_before(claim, row)} is", left), (here, right)]


def _before(claim: Claim, row: Row) -> str:
    """With what a line is compared: the chain's line before, of which terms and steps of our own are none."""
    at = claim.rows.index(row)
    earlier = [k for k, one in enumerate(claim.rows[:at]) if _in_chain(one) and not one.among]
    if not earlier or not _in_chain(row):
        return "the left side"
    return "the line before" if earlier[-1] == at - 1 else f"line {earlier[-1] + 1}"


def _in_chain(row: Row) -> bool:
    """Whether a line continues a display; lines that are equations of their own have their own left side."""
    return row.stated and bool(row.reading) and " = " not in row.tex


def outcome(claim: Claim, row: Row, found: Counterexample) -> str:
    """`the left side is 1, the right side is 0`."""
    return ", ".join(f"{who} {value}".strip() for who, value in sides(claim, row, found))
