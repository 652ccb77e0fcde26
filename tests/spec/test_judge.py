"""What happens to a display that is damaged: in its LaTeX, in its encoding, or in both; and that none goes unread."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
import sympy as sp
from spec.mutants import refutes

from backproof_spec.derivation import claims, tree
from backproof_spec.derivation.claims import CLAIMS
from backproof_spec.derivation.edition import Claim, Severity
from backproof_spec.derivation.examples import example
from backproof_spec.derivation.judge import errata, frames_of, judge
from backproof_spec.derivation.latex import read_display, read_formula, write
from backproof_spec.derivation.statement import Line, Statement
from backproof_spec.displays import DISPLAYS
from backproof_spec.equations.symbols import x
from backproof_spec.model import Frame
from backproof_spec.proof.prove import Identity
from backproof_spec.proof.verdict import Status, Verdict

Obligation = Callable[[Frame], Identity]
FRAMED = ("FULL", "VALID_U", "VALID_S")


# --- nothing is left out ---


def test_no_claim_hides_another() -> None:
    """A dictionary would keep one of two claims with the same id."""
    modules = [importlib.import_module(f"{claims.__name__}.{m.name}") for m in pkgutil.iter_modules(claims.__path__)]
    parts = {id(v): v for m in modules for v in vars(m).values() if isinstance(v, tuple)}.values()
    written = Counter(s.id for part in parts for s in part if isinstance(s, Statement))
    assert written == Counter(CLAIMS.keys())
    assert all(statement.id == identifier for identifier, statement in CLAIMS.items())


def test_the_displays_are_numbered_in_order() -> None:
    assert [source.number for source in DISPLAYS.values()] == list(range(1, 14))


@pytest.mark.parametrize("name", DISPLAYS)
def test_every_part_of_a_display_is_read(name: str) -> None:
    """By one claim; and each side of it, or each term shown beside an ellipsis, by one line of that claim."""
    (statement,) = (s for s in CLAIMS.values() if s.source.number == DISPLAYS[name].number)
    assert statement.source == DISPLAYS[name]
    assert statement.vocabulary
    read = Counter(line.at for line in statement.lines if line.at)
    assert read == Counter(_parts(read_display(statement.tex)))


def _parts(display: tree.Display) -> Iterator[tuple[int, ...]]:
    for k, side in enumerate(display.sides):
        body = side.of if isinstance(side, tree.PartialDerivative) else side
        terms = body.terms if isinstance(body, tree.Plus) else ()
        if any(isinstance(term, tree.Dots) for term in terms):
            yield from ((k, j) for j, term in enumerate(terms) if not isinstance(term, tree.Dots))
        else:
            yield (k,)


@pytest.mark.parametrize("name", DISPLAYS)
def test_a_chain_has_no_gap(name: str) -> None:
    """What one line claims to equal is what the line before it arrived at."""
    statement = CLAIMS[name]
    for frame in frames_of(statement).values():
        sides = [line.obligation(frame) for line in statement.lines if len(line.at) == 1]
        for before, after in pairwise(sides):
            assert isinstance(before, Identity)
            assert isinstance(after, Identity)
            assert after.left == before.right


# --- damage ---

PRINTED = r"o_n^{l-1}(x'-x, y'-y)"
OTHER = r"o_n^{l-1}(x'+x, y'-y)"


def damaged(
    monkeypatch: pytest.MonkeyPatch,
    identifier: str,
    tex: tuple[str, str] | None = None,
    encoding: Callable[[Identity], Identity] | None = None,
) -> Claim:
    """A claim with part of its LaTeX replaced, its first line encoded otherwise, or both."""
    statement = CLAIMS[identifier]
    if tex is not None:
        assert tex[0] in statement.tex
        source = replace(statement.source, tex=statement.source.tex.replace(*tex))
        statement = replace(statement, source=source)
    if encoding is not None:
        first, *rest = statement.lines
        statement = replace(statement, lines=(_encoded(first, encoding), *rest))
    monkeypatch.setitem(CLAIMS, identifier, replace(statement, worked=None))
    return judge(identifier)


def _encoded(line: Line, change: Callable[[Identity], Identity]) -> Line:
    def obligation(frame: Frame) -> Identity:
        claim = line.obligation(frame)
        assert isinstance(claim, Identity)
        return change(claim)

    return replace(line, obligation=obligation)


def plus_x(claim: Identity) -> Identity:
    """The weight gradient with o read at x' + x."""
    (read,) = (r for r in claim.right.atoms(sp.Indexed) if str(r.base) == "o_prev")
    n, row, column = read.indices
    return replace(claim, right=claim.right.xreplace({read: read.base[n, row + 2 * x, column]}))


def statuses(verdicts: Mapping[str, Verdict]) -> dict[str, Status]:
    return {frame: verdict.status for frame, verdict in verdicts.items()}


ALL_PROVED = dict.fromkeys(FRAMED, Status.PROVED)
ALL_REFUTED = dict.fromkeys(FRAMED, Status.REFUTED)
UNMOVED = {"FULL": Status.PROVED, "VALID_U": Status.PROVED, "VALID_S": Status.REFUTED}


def test_an_undamaged_display(monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = damaged(monkeypatch, "weight-gradient").rows
    assert (statuses(row.verdicts), statuses(row.reading)) == (UNMOVED, ALL_PROVED)


def test_damage_to_the_latex_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The encoding is still true, but it is no longer what is printed."""
    (row,) = damaged(monkeypatch, "weight-gradient", tex=(PRINTED, OTHER)).rows
    assert (statuses(row.verdicts), statuses(row.reading)) == (UNMOVED, ALL_REFUTED)
    assert "x'+x" in row.tex
    case = row.reading["FULL"].counterexample
    assert case is not None
    # o is one pixel, c two by two: at x = 1 the encoding meets o(0) at x' = 1, the display would at x' = -1
    assert case.sizes == {"H": 1, "W": 1, "N_w": 2, "units_prev": 1, "units": 1}
    assert case.indices == {"n": 0, "m": 0, "x": 1, "y": 0}
    assert case.entries == {("delta", (0, 1, 0)): 1, ("o_prev", (0, 0, 0)): 1}
    assert (case.left, case.right) == (1, 0)


def test_damage_to_the_encoding_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is it true, nor is it what is printed."""
    (row,) = damaged(monkeypatch, "weight-gradient", encoding=plus_x).rows
    assert (statuses(row.verdicts), statuses(row.reading)) == (ALL_REFUTED, ALL_REFUTED)
    for frame, verdict in row.reading.items():
        truth = row.verdicts[frame].counterexample
        assert verdict.counterexample is not None
        assert truth is not None
        if frame != "VALID_S":  # there the display is not true either
            assert (verdict.counterexample.left, verdict.counterexample.right) == (truth.right, truth.left)


def test_damage_to_both_is_an_erratum_whose_repair_is_the_original(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = damaged(monkeypatch, "weight-gradient", tex=(PRINTED, OTHER), encoding=plus_x)
    (row,) = claim.rows
    assert (statuses(row.verdicts), statuses(row.reading)) == (ALL_REFUTED, ALL_PROVED)
    original = read_display(DISPLAYS["weight-gradient"].tex).sides[0]
    for frame in ("FULL", "VALID_U"):
        assert row.repairs[frame].tex == write(original)
        assert row.repairs[frame].verdicts[frame].status is Status.PROVED
    assert "N_w" in row.repairs["VALID_S"].tex, "the moved frame needs the offset as well"
    erratum = next(e for e in errata(claim) if e.row == row.id)
    assert (erratum.severity, erratum.frames) == (Severity.WRONG, FRAMED)
    assert erratum.counterexample == row.verdicts["FULL"].counterexample
    assert erratum.repair == row.repairs["FULL"]


@pytest.mark.parametrize(
    ("identifier", "part", "other", "at"),
    [
        ("single-input", "i_{n,m}^l(x, y) =", "i_{n,m}^l(y, x) =", (0,)),  # the left side
        ("single-input", r"\sum_{x', y'}", r"\sum_{x', y'}^{N_w-2, N_w-1}", (0,)),
        ("single-input", r"w_{n,m}^l(x', y')", r"w_{n,m}^l(y', x')", (0,)),
        ("complete-input", r"\sum_n i_{n,m}^l(x, y) + b_m^l", r"\sum_n i_{n,m}^l(x, y) - b_m^l", (0,)),
        ("complete-input", r"w_{n,m}^l(x', y') + b_m^l", r"w_{m,n}^l(x', y') + b_m^l", (1,)),
        ("output", "a(c_m^l(x, y))", "c_m^l(x, y)", (0,)),
        ("error", r"\frac{1}{2}", r"\frac{1}{3}", (0,)),
        ("weight-update", r"}_{\delta_m^l(x', y')}", r"}_{\delta_m^l(y', x')}", (0,)),  # below the brace
        ("weight-update", r"\underbrace{\frac{\partial E}", r"\underbrace{2 \cdot \frac{\partial E}", (0,)),  # above it
        ("weight-update-expansion", r"o_0^{l-1}(x'-0, y'-0)", r"o_0^{l-1}(x'-0, y'-1)", (1, 0)),  # beside an ellipsis
        ("weight-update-expansion", r"&= o_n^{l-1}(x'-x, y'-y)", r"&= o_n^{l-1}(x'-x, y-y')", (2,)),
        ("weight-gradient-rot180", r"o_n^{l-1}(x+x', y+y')", r"o_n^{l-1}(x-x', y+y')", (0,)),
        ("deltas", r"\frac{\partial a(c_m^l(x, y))}{\partial c_m^l(x, y)}", "a(c_m^l(x, y))", (0,)),
        (
            "deltas-chain",
            r"= \frac{\partial E}{\partial c_m^l(x, y)}",
            r"= \frac{\partial E}{\partial c_m^l(y, x)}",
            (0,),
        ),
        ("deltas-chain", r"}_{\delta_o^{l+1}(x+x', y+y')}", r"}_{\delta_o^{l+1}(y+y', x+x')}", (1,)),
        ("deltas-expansion", r"a(c_{m'}^l(x+x'-x'', y+y'-y''))", r"a(c_{m'}^l(x+x'-x'', y-y'-y''))", (1,)),
        ("deltas", r"\sum_o \sum_{x', y'}^{N_w, N_w}", r"\sum_o \sum_{x'=1, y'=0}^{N_w, N_w}", (0,)),
    ],
)
def test_the_latex_is_read(
    monkeypatch: pytest.MonkeyPatch, identifier: str, part: str, other: str, at: tuple[int, ...]
) -> None:
    """Wherever it is damaged, the line that encodes this part no longer agrees; the verdicts do not care."""
    statement = CLAIMS[identifier]
    line = next(k for k, line in enumerate(statement.lines) if line.at == at)
    printed = tuple(replace(line, stated=False) for line in statement.lines)  # no search for repairs
    monkeypatch.setitem(CLAIMS, identifier, replace(statement, lines=printed, worked=None))
    before, after = judge(identifier), damaged(monkeypatch, identifier, tex=(part, other))
    assert statuses(before.rows[line].reading) == ALL_PROVED
    assert statuses(after.rows[line].reading) == ALL_REFUTED
    for old, new in zip(before.rows, after.rows, strict=True):
        assert statuses(old.verdicts) == statuses(new.verdicts)


def test_a_letter_without_a_meaning_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = damaged(monkeypatch, "single-input", tex=(r"w_{n,m}^l(x', y')", r"z_{n,m}^l(x', y')")).rows
    assert statuses(row.reading) == dict.fromkeys(FRAMED, Status.OPEN)
    assert "z_{n,m}^l" in row.reading["FULL"].reason


# --- what an edition shows ---


@pytest.mark.parametrize("identifier", [s.id for s in CLAIMS.values() if s.worked is not None])
def test_a_worked_example_adds_up(identifier: str) -> None:
    worked = example(CLAIMS[identifier])
    assert worked is not None
    grids = {grid.name: grid.values for grid in worked.inputs}
    total = Fraction(0)
    for product in worked.products:
        amount = Fraction(product.coefficient)
        for (name, (row, column)), number in zip(product.entries, product.numbers, strict=True):
            assert grids[name][row][column] == number
            amount *= Fraction(number)
        total += amount
    row, column = worked.cell
    assert total == Fraction(worked.value) == Fraction(worked.output.values[row][column])
    assert any(Fraction(number) for line in worked.output.values for number in line), "nothing but zeros shows nothing"


def check(claim: Claim) -> int:
    """Counterexamples and repairs of a judged claim are what they are said to be; how many refutations there are."""
    statement, refutations = CLAIMS[claim.id], 0
    frames = frames_of(statement)
    for line, row in zip(statement.lines, claim.rows, strict=True):
        for name, verdict in row.verdicts.items():
            assert verdict.status is not Status.OPEN, verdict.reason
            if verdict.status is Status.REFUTED:
                refutations += 1
                assert verdict.counterexample is not None
                assert refutes(verdict.counterexample, line.obligation(frames[name]))
        for name, repair in row.repairs.items():
            assert row.verdicts[name].status is Status.REFUTED
            assert repair.verdicts[name].status is Status.PROVED
            if line.at:
                assert write(read_formula(repair.tex)) == repair.tex != row.tex
    for erratum in errata(claim):
        if erratum.severity is not Severity.NOTATION:
            row = next(row for row in claim.rows if row.id == erratum.row)
            assert erratum.counterexample == row.verdicts[erratum.frames[0]].counterexample is not None
            assert set(erratum.frames) <= set(row.refuted_in)
    return refutations


@pytest.mark.parametrize(
    "identifier", ["undefined-pixels", "single-input", "weight-gradient", "deltas", "layers-reduce"]
)
def test_refutations_and_repairs(identifier: str) -> None:
    assert check(judge(identifier)) > 0


@pytest.mark.slow
@pytest.mark.parametrize("identifier", CLAIMS)
def test_refutations_and_repairs_of_all_claims(identifier: str) -> None:
    check(judge(identifier))
