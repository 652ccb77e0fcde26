"""One claim in the terminal: its formula, its lines with their verdicts, what is wrong, what is proved instead."""

from __future__ import annotations

from rich.console import Console

from backproof.edition import cases, plain, wording
from backproof.edition.prose import spoken
from backproof.edition.terminal import STYLES, counterexample, formula, in_frames, unwrapped, wrapped
from backproof_spec.derivation.edition import NO_FRAME, Claim, Row
from backproof_spec.proof.verdict import Status


def print_claim(claim: Claim, console: Console) -> None:
    """One claim in full; trouble with its display is told before."""
    place = ", ".join(filter(None, (claim.section, claim.place)))
    unwrapped(console, f"{claim.title}  [{claim.id}; {place}]", style="bold")
    for text in formula(claim.tex):
        unwrapped(console, f"    {text}")
    for text in filter(None, (claim.explanation, *dict.fromkeys(f"read literally: {note}" for note in claim.notes))):
        wrapped(console, spoken(text), 0, hang=0)
    if claim.claimed:
        unwrapped(console, f"said of {wording.listed(list(claim.claimed))}")
    for row in claim.rows:
        unwrapped(console, "")
        remark = "" if row.stated or not claim.in_post else " (not stated by the post)"
        unwrapped(console, f"{wording.line_number(claim, row)}: {spoken(row.reason)}{remark}", style="bold")
        for text in () if wording.repeats(claim, row) else formula(row.tex):
            unwrapped(console, f"    {text}")
        _row(claim, row, console)


def _row(claim: Claim, row: Row, console: Console) -> None:
    for frame, verdict in row.verdicts.items():
        name = "" if frame == NO_FRAME else f" in {frame}"
        label, style = str(verdict.status), STYLES[verdict.status]
        unwrapped(console, f"{name}, {wording.duration(verdict.seconds)}", label, style)
        if verdict.reason:
            unwrapped(console, f"    {verdict.reason}")
    for frames, found in cases.counterexamples(row.verdicts):
        wrapped(console, f"smallest counterexample{in_frames(frames)}: {counterexample(claim, row, found)}", 0)
        if drawn := plain.planes(claim, found):
            unwrapped(console, _indented(drawn))
    for tex, frames in cases.repairs(row).items():
        unwrapped(console, f" instead{in_frames(frames)}:", "proved", STYLES[Status.PROVED])
        for text in formula(tex):
            unwrapped(console, f"    {text}")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())
