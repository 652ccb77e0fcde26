"""The machine-checked edition as plain data: what `backproof derive` found, and all that its reports may show.

Every verdict, counterexample and repair in it was computed; the claims bring formulas, titles and reasons only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from backproof_spec.proof.verdict import Counterexample, Status, Verdict

#: The key of a verdict that no frame can change (remarks about sizes, formulas with stride and padding, ...).
NO_FRAME = "-"

WORST_FIRST = (Status.REFUTED, Status.OPEN, Status.PROVED)


class Severity(StrEnum):
    """How bad an erratum is, by what the machine found; the order is that of the list of errata."""

    WRONG = "wrong"  # refuted in every frame
    FRAME = "frame"  # refuted in some frames only: true or false according to how pixels are numbered
    NOTATION = "notation"  # cannot be read literally: a captured or escaping index, a clash of names, no limits


@dataclass(frozen=True, slots=True)
class Repair:
    """A formula near the refuted one that is proved, found by search among `tried` candidates."""

    tex: str
    tried: int
    verdicts: Mapping[str, Verdict]  # by frame


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a derivation: it should equal the line before (the first: the left-hand side)."""

    id: str
    tex: str
    reason: str
    verdicts: Mapping[str, Verdict]  # by frame
    #: Whether the LaTeX, read on its own, means what the SymPy encoding means; by frame. Empty: prose, nothing to read.
    reading: Mapping[str, Verdict]
    among: bool = False  # one term shown beside an ellipsis: it should be a term of the line before
    stated: bool = True  # False: a step of our own, or a way to read the post that it does not state
    encoding: str = ""  # what was judged, in SymPy: this line, in the first frame
    repairs: Mapping[str, Repair] = field(default_factory=dict)  # by frame in which the row is refuted

    @property
    def refuted_in(self) -> tuple[str, ...]:
        """The frames in which the line does not follow."""
        return tuple(frame for frame, verdict in self.verdicts.items() if verdict.status is Status.REFUTED)


@dataclass(frozen=True, slots=True)
class Grid:
    """A small array of a worked example; `lower` is the number of its first row and column (frames shift it)."""

    name: str  # as in products and counterexamples: "o_prev", "w", ...
    tex: str  # as printed: "o_n^{l-1}"
    lower: tuple[int, ...]
    values: tuple[tuple[str, ...], ...]  # rows of numbers, as text: integers or fractions


@dataclass(frozen=True, slots=True)
class Product:
    """One summand of a worked example: a coefficient times entries (tensor name, row and column in the grid)."""

    coefficient: str
    entries: tuple[tuple[str, tuple[int, int]], ...]
    numbers: tuple[str, ...]  # the entries' values


@dataclass(frozen=True, slots=True)
class Example:
    """The formula with numbers: which pixels meet which weights at one index, and what comes out."""

    frame: str
    sizes: Mapping[str, int]
    index: Mapping[str, int]
    inputs: tuple[Grid, ...]
    output: Grid  # every entry, computed in the same way
    cell: tuple[int, int]  # where in `output` the worked entry stands
    products: tuple[Product, ...]
    value: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One equation or remark with everything that was found about it."""

    id: str
    title: str
    section: str  # of the post, or "Beyond the post: ..."
    place: str  # "display 3", "display 9, line 2", "text", "table", "not in the post"
    in_post: bool
    tex: str  # the whole formula as printed; empty for remarks without one
    explanation: str  # in words of our own: what is said, and what the formula leaves unsaid
    ranges: tuple[str, ...]  # LaTeX: "0 \\le x < N_w"
    assumptions: tuple[str, ...]
    rows: tuple[Row, ...]
    claimed: tuple[str, ...] = ()  # the frames for which the post says it; empty: it names none
    example: Example | None = None
    notes: tuple[str, ...] = ()  # what a strict reader of the LaTeX objects to: scopes, limits, names
    checks: tuple[str, ...] = ()  # of `backproof check`, that test this equation: ids, filled in by a front end
    equation: str = ""  # id of the equation from which code is generated, if one is

    @property
    def frames(self) -> tuple[str, ...]:
        """The frames in which the rows were judged."""
        return tuple(self.rows[0].verdicts) if self.rows else ()

    def status(self, frame: str | None = None) -> Status:
        """The worst verdict of the lines that are stated: in one frame, or in those for which the claim is made.

        Steps of our own, and ways to read the post that it does not state, say nothing about the claim.
        """
        rows = [row for row in self.rows if row.stated] or self.rows
        frames = (frame,) if frame is not None else self.claimed or self.frames
        found = {verdict.status for row in rows for name, verdict in row.verdicts.items() if name in frames}
        return next((status for status in WORST_FIRST if status in found), Status.PROVED)


@dataclass(frozen=True, slots=True)
class Erratum:
    """A line of the post that the machine refutes."""

    claim: str
    row: str
    severity: Severity
    frames: tuple[str, ...]  # those in which it is refuted
    counterexample: Counterexample | None
    repair: Repair | None
    note: str = ""  # for severity NOTATION: what cannot be read


@dataclass(frozen=True, slots=True)
class Assurance:
    """One line of the page on trust: what is assumed, proved, only swept, or open, and where it is tested."""

    kind: str  # "assumed", "trusted code", "proved", "swept", "open"
    text: str
    where: str = ""  # module or test


@dataclass(frozen=True, slots=True)
class Edition:
    """The whole: claims in the post's order, then beyond it; errata by severity; what the verdicts rest on."""

    claims: tuple[Claim, ...]
    errata: tuple[Erratum, ...]
    assurances: tuple[Assurance, ...]
    seconds: float
    frames: Mapping[str, str]  # name: meaning
    versions: Mapping[str, str]  # "sympy": "1.14.0", ...: for the HTML only

    @property
    def totals(self) -> Counter[Status]:
        """Claims by worst verdict."""
        return Counter(claim.status() for claim in self.claims)

    def claim(self, identifier: str) -> Claim:
        """The claim with an id.

        Raises:
            KeyError: There is none.
        """
        return next(claim for claim in self.claims if claim.id == identifier)
