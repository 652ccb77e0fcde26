"""The post at a glance: one row per display, one column per frame, and whether any frame makes all displays true."""

from __future__ import annotations

from dataclasses import dataclass

from backproof.edition.wording import listed
from backproof_spec.derivation.edition import NO_FRAME, WORST_FIRST, Claim, Edition
from backproof_spec.proof.verdict import Status

_DISPLAY = "display "


@dataclass(frozen=True, slots=True)
class Cell:
    """A display in one frame: its verdict, the lines that are refuted or open, and whether the post names the frame."""

    status: Status
    lines: str
    chosen: bool


def displays(edition: Edition) -> list[tuple[Claim, list[Cell]]]:
    """The displays of the post in its order, each with a cell per frame; none for an edition of one claim."""
    shown = [claim for claim in edition.claims if claim.place.startswith(_DISPLAY) and claim.in_post and claim.rows]
    if len(shown) < 2:
        return []
    return [(claim, [_cell(claim, frame) for frame in edition.frames]) for claim in sorted(shown, key=_number)]


def sentence(edition: Edition) -> str:
    """In which frames all displays hold; if in none, which hold only where."""
    rows = displays(edition)
    frames = list(edition.frames)
    holds = {_number(claim): tuple(_where(frames, cells)) for claim, cells in rows}
    if everywhere := [frame for frame in frames if all(frame in where for where in holds.values())]:
        return f"All {len(rows)} displays hold in {listed(everywhere)}."
    groups: dict[tuple[str, ...], list[str]] = {}
    for number, where in holds.items():
        if len(where) < len(frames):
            groups.setdefault(where, []).append(str(number))
    told = [_displays(numbers, where) for where, numbers in sorted(groups.items(), key=lambda group: -len(group[0]))]
    return f"No frame makes all {len(rows)} displays true: {'; '.join(told)}."


def _cell(claim: Claim, frame: str) -> Cell:
    at = frame if frame in claim.frames else NO_FRAME
    stated = [(number, row) for number, row in enumerate(claim.rows, 1) if row.stated and at in row.verdicts]
    printed = [(number, row) for number, row in stated if row.reading] or stated  # not what is said about the display
    status = next(s for s in WORST_FIRST if any(row.verdicts[at].status is s for _, row in printed))
    found = [str(number) for number, row in printed if row.verdicts[at].status is status]
    named = len(claim.rows) > 1 and status is not Status.PROVED
    return Cell(
        status, f"line{'s' if len(found) > 1 else ''} {', '.join(found)}" if named else "", frame in claim.claimed
    )


def _where(frames: list[str], cells: list[Cell]) -> list[str]:
    return [frame for frame, cell in zip(frames, cells, strict=True) if cell.status is Status.PROVED]


def _number(claim: Claim) -> int:
    return int(claim.place.removeprefix(_DISPLAY).split(",")[0])


def _displays(numbers: list[str], where: tuple[str, ...]) -> str:
    subject = f"display {numbers[0]} holds" if len(numbers) == 1 else f"displays {listed(numbers)} hold"
    return f"{subject} only in {listed(list(where))}" if where else f"{subject} in none"
