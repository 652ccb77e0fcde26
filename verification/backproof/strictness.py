"""What fails a strict run although nothing was found wrong: whatever was inferred, or asked for and not verified.

Each objection is one line.  Options that a signature lacks are none: what a function does not offer it cannot get
wrong.  Nor is what it does not claim to do, such as to be called by two threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from backproof.events import NOT_ASKED, CheckFinished, TargetBound


def of_run(bound: TargetBound, ended: Sequence[CheckFinished]) -> list[str]:
    """Objections to a target and to the checks of it that ran."""
    ran = [end.check for end in ended if not _expected_gap(end)]
    return [*of_target(bound, ran), *(text for end in ended for text in of_check(end))]


def of_target(bound: TargetBound, checks: Sequence[str]) -> list[str]:
    """Objections to how the target was bound; what is not bound counts where one of the `checks` asks for it."""
    unbound = (f"not bound: {reason}" for reason in not_bound(bound, checks))
    excluded = (f"memory layout {name} is excluded" for name in bound.layouts_excluded)
    return [*_orientation(bound), *unbound, *excluded]


def not_bound(bound: TargetBound, checks: Sequence[str]) -> list[str]:
    """What is not bound, of that for which one of the `checks` asks."""
    return [reason for reason in bound.not_bound if any(_asks(check, reason) for check in checks)]


def _asks(check: str, reason: str) -> bool:
    """Whether a check asks for what is not bound for a reason."""
    if reason.lower().startswith("activations"):
        return check == "activations"
    if reason.startswith(("delta:", "output_delta:")):
        return check == "chain"
    return (check == "pooling") == ("pool" in reason) and check != "activations"


def of_check(end: CheckFinished) -> list[str]:
    """Objections to a check that ended without an unexpected finding."""
    missing = {r: count for r, count in end.not_supported.items() if not r.startswith(NOT_ASKED)}
    texts = [f"not supported, {count} not called: {reason}" for reason, count in missing.items()]
    texts += [f"known defect {name}, {count} not called" for name, count in end.excluded.items()]
    for quantity, count in end.without_evidence.items():
        if count and count == end.comparisons.get(quantity):
            texts.append(f"{quantity} was compared {count} times, and never with evidence")
    asked = bool(missing or end.shapes or not end.not_supported)
    if end.verdict == "not verified" and not _expected_gap(end) and asked:
        texts.append("not every shape could be verified" if end.shapes else "nothing was compared")
    return [f"[{end.check}] {text}" for text in texts]


def of_stale(stale: Iterable[str]) -> list[str]:
    """Objections to expected failures that did not come."""
    return [f"expected to fail, and did not: {text}" for text in stale]


def _expected_gap(end: CheckFinished) -> bool:
    """Whether a check verified nothing, and was expected not to."""
    return end.verdict == "not verified" and end.check in end.expected_failures


def _orientation(bound: TargetBound) -> Iterator[str]:
    if bound.orientation == "unknown":
        yield "the orientation is unknown; declare ORIENTATION"
    elif bound.orientation_inferred:
        yield f"the orientation was inferred; declare ORIENTATION={bound.orientation}"
