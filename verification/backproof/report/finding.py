"""A finding as labelled lines of plain text: what a stranger needs, in the terminal and in a failing test alike."""

from __future__ import annotations

from collections.abc import Iterator

from backproof.events import Finding
from backproof.report import cases
from backproof.report.summary import Run
from backproof.report.words import QUANTITIES, location, printable, share

_DETAILS_SHOWN = 4


def lines(finding: Finding, function: str | None) -> Iterator[tuple[str, str]]:
    """Labels and texts; without `function`, as the target writes it, only the case and what came out."""
    if function is not None:
        yield "what", ", ".join((finding.quantity, *filter(None, [QUANTITIES.get(finding.quantity)])))
        yield "where", function
    if case := cases.line(finding.case):
        yield "case", case
    if finding.expected or finding.actual:
        told = not finding.compared or f"{finding.wrong} of {finding.compared}" in finding.summary
        wrong = "" if told else f" ({share(finding)})"
        yield "values", f"{location(finding)}: expected {finding.expected}, got {finding.actual}{wrong}"
    yield from _details(finding.details)
    if finding.expected_failure:
        yield "expected", finding.expected_failure
    if function is not None and finding.equations:
        yield "equation" if len(finding.equations) == 1 else "equations", ", ".join(finding.equations)


def text(finding: Finding, run: Run, *, number: int = 1, program: bool = True) -> str:
    """The finding as the terminal shows it, followed by the `program` that shows it again."""
    parts = [f"FINDING {number}  [{finding.check}] {finding.summary}"]
    for label, said in lines(finding, run.display(finding.function)):
        parts.append(f"  {label:<11}" + said.replace("\n", "\n" + " " * 13))
    if program and finding.reproducer:
        parts += ["  program", *(f"    {line}" for line in finding.reproducer.splitlines())]
    return printable("\n".join(parts))


def _details(details: list[str]) -> Iterator[tuple[str, str]]:
    for number, detail in enumerate(details[:_DETAILS_SHOWN]):
        yield "" if number else "details", detail
    if len(details) > _DETAILS_SHOWN:
        yield "", f"... and {len(details) - _DETAILS_SHOWN} more"
