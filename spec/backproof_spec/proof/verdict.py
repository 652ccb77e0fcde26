"""What the machine found about a claim: proved, refuted with a counterexample, or open with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction


class Status(StrEnum):
    """The outcome for one obligation in one frame."""

    PROVED = "proved"
    REFUTED = "refuted"
    OPEN = "open"


#: One entry of a tensor: its name and its indices. `a(c)` and `a'(c)` name the activation's values and slopes at c.
Entry = tuple[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The smallest case in which the two sides differ; every entry that is not in `entries` is 0.

    `left` and `right` are the values that the interpreter gives, which shares no code with the decision procedure;
    None for a condition, which the interpreter finds false here.
    """

    sizes: Mapping[str, int]
    indices: Mapping[str, int]
    entries: Mapping[Entry, int]
    left: Fraction | None
    right: Fraction | None
    #: The box of each tensor that occurs, at these sizes: the first index and the size along each axis.
    boxes: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`status`, with the counterexample of a refutation or the reason why a claim is open."""

    status: Status
    seconds: float
    counterexample: Counterexample | None = None
    reason: str = ""
