"""From what is claimed to what holds: every line in every frame, its display read and compared, errata repaired."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context

from backproof_spec.derivation.assurance import ASSURANCES
from backproof_spec.derivation.claims import CLAIMS
from backproof_spec.derivation.edition import NO_FRAME, Claim, Edition, Erratum, Repair, Row, Severity
from backproof_spec.derivation.examples import example
from backproof_spec.derivation.latex import read_display, write
from backproof_spec.derivation.printed import Printed, agreement, printed
from backproof_spec.derivation.repair import Candidate, changed_indices, search
from backproof_spec.derivation.scope import KINDS, scope_notes
from backproof_spec.derivation.statement import Line, Statement
from backproof_spec.model import FRAMES, FULL, Frame
from backproof_spec.proof.prove import Fact, Identity, prove
from backproof_spec.proof.verdict import Status, Verdict

Progress = Callable[[str, int, int], None]


def judge_all(only: str | None = None, progress: Progress | None = None, processes: int = 1) -> Edition:
    """Judge every claim, or the one with the id `only`.

    Args:
        only: The id of a claim.
        progress: Called with the claim that is done, the number of claims done, and the number of all.
        processes: How many to use; the verdicts do not depend on it.

    Raises:
        KeyError: There is no such claim.
    """
    started = time.perf_counter()
    chosen = [only] if only is not None else list(CLAIMS)
    claims = []
    for done, claim in enumerate(_judged(chosen, processes), start=1):
        claims.append(claim)
        if progress is not None:
            progress(claim.id, done, len(chosen))
    found = [erratum for claim in claims for erratum in errata(claim)]
    found.sort(key=lambda erratum: list(Severity).index(erratum.severity))
    return Edition(
        tuple(claims),
        tuple(found),
        ASSURANCES,
        time.perf_counter() - started,
        {frame.name: frame.meaning for frame in FRAMES},
        {name: version(name) for name in ("sympy", "z3-solver")},
    )


def _judged(chosen: Sequence[str], processes: int) -> Iterator[Claim]:
    if processes < 2 or len(chosen) < 2:
        yield from map(judge, chosen)
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        yield from pool.map(judge, chosen)


def judge(identifier: str) -> Claim:
    """One claim with all its verdicts."""
    statement = CLAIMS[identifier]
    notes = _notes(statement, *KINDS)
    return Claim(
        statement.id,
        statement.title,
        statement.source.section,
        _place(statement),
        statement.in_post,
        statement.tex,
        statement.explanation,
        statement.ranges,
        statement.assumptions,
        tuple(_row(statement, k) for k in range(len(statement.lines))),
        example=example(statement),
        notes=notes,
        claimed=statement.claimed,
        equation=statement.equation,
    )


def _place(statement: Statement) -> str:
    if statement.source.number is not None:
        return f"display {statement.source.number}"
    return "text" if statement.in_post else "not in the post"


def frames_of(statement: Statement) -> Mapping[str, Frame]:
    """The frames in which a statement is judged; one without a name where none matters."""
    return {frame.name: frame for frame in FRAMES} if statement.framed else {NO_FRAME: FULL}


def _row(statement: Statement, k: int) -> Row:
    line, frames = statement.lines[k], frames_of(statement)
    formula = printed(statement, line)
    verdicts = {name: prove(line.obligation(frame)) for name, frame in frames.items()}
    reading = {name: _agreement(formula, line, frame) for name, frame in frames.items()} if formula else {}
    repairs = {
        name: found
        for name, verdict in verdicts.items()
        if line.stated
        and name in (statement.claimed or verdicts)
        and verdict.status is Status.REFUTED
        and (found := _repair(formula, line, name, frames[name], verdict)) is not None
    }
    tex = write(formula.side) if formula is not None and line.at else line.tex
    return Row(
        f"{statement.id}.{k + 1}",
        tex,
        line.reason,
        verdicts,
        reading,
        len(line.at) > 1,
        line.stated,
        _encoding(statement, line),
        repairs,
    )


def _agreement(formula: Printed, line: Line, frame: Frame) -> Verdict:
    claim = line.obligation(frame)
    assert isinstance(claim, Identity), "only equations are read"
    return agreement(formula, claim)


def _encoding(statement: Statement, line: Line) -> str:
    """What is judged, as SymPy prints it."""
    claim = line.obligation(next(iter(frames_of(statement).values())))
    if isinstance(claim, Fact):
        return str(claim.condition)
    return str(claim.left if claim.among else claim.right)


# --- errata ---


def _repair(formula: Printed | None, line: Line, name: str, frame: Frame, verdict: Verdict) -> Repair | None:
    claim = line.obligation(frame)
    if line.candidates is not None:
        found = search((Candidate(tex, o) for tex, o in line.candidates(frame)), None)
    elif formula is not None and formula.left is not None and isinstance(claim, Identity):
        read = formula.reader(claim).side
        found = search(changed_indices(formula.side, formula.left, read, claim), verdict.counterexample)
    else:
        return None
    return None if found is None else Repair(found.tex, found.tried, {name: found.verdict})


def errata(claim: Claim) -> Iterator[Erratum]:
    """What the machine objects to in a claim of the post, by what it found."""
    for row in claim.rows:
        frames = tuple(f for f in row.refuted_in if not claim.claimed or f in claim.claimed)
        if claim.in_post and row.stated and frames:
            severity = Severity.WRONG if set(frames) == set(claim.claimed or row.verdicts) else Severity.FRAME
            case, repair = row.verdicts[frames[0]].counterexample, row.repairs.get(frames[0])
            yield Erratum(claim.id, row.id, severity, frames, case, repair)
    for note in _notes(CLAIMS[claim.id], *(kind for kind in KINDS if kind != "limits")):
        yield Erratum(claim.id, "", Severity.NOTATION, (), None, None, note)


def _notes(statement: Statement, *kinds: str) -> tuple[str, ...]:
    """What a strict reader objects to in a display; to leave all limits of a sum to the context is no erratum."""
    if not statement.vocabulary:
        return ()
    notes = scope_notes(read_display(statement.tex))
    return tuple(dict.fromkeys(note.text for note in notes if note.kind in kinds))
