"""The real edition, judged once: compared with what is committed, and with what its reports must be able to show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("z3", reason="needs the extra `derive`")
pytest.importorskip("ziamath", reason="needs the extra `derive`")
from backproof.edition import data, markdown, overview, page, trouble, wording  # they need ziamath
from backproof.edition.links import with_checks
from backproof_spec.derivation.edition import Edition, Severity
from backproof_spec.derivation.judge import judge_all
from backproof_spec.proof.verdict import Status

COMMITTED = Path(__file__).parents[2] / "reports" / "derivation.md"


@pytest.fixture(scope="module")
def edition() -> Edition:
    return with_checks(judge_all(processes=2))


@pytest.fixture(scope="module")
def html(edition: Edition) -> str:
    return page.render(edition)


def test_the_committed_report_is_what_the_program_finds(edition: Edition) -> None:
    found, committed = markdown.render(edition), COMMITTED.read_text(encoding="utf-8")
    different = [one for one, other in zip(found.splitlines(), committed.splitlines(), strict=False) if one != other]
    assert found == committed, f"run `backproof derive`; the first line that differs is now: {different[:1]}"


def test_equations_are_linked_to_the_checks_that_test_them(edition: Edition, html: str) -> None:
    assert "exact" in edition.claim("weight-gradient").checks
    assert "pooling" in edition.claim("max-pooling-gradient").checks
    assert edition.claim("fewer-weights").checks == ()
    assert "backproof check TARGET --check exact" in html


def test_nothing_is_open(edition: Edition) -> None:
    verdicts = {
        (row.id, frame): verdict
        for claim in edition.claims
        for row in claim.rows
        for frame, verdict in (*row.verdicts.items(), *row.reading.items())
    }
    assert {where: v.reason for where, v in verdicts.items() if v.status is Status.OPEN} == {}
    assert [claim.id for claim in edition.claims if not claim.rows] == []


def test_every_display_says_what_was_judged(edition: Edition) -> None:
    assert [found.row.id for found in trouble.disagreements(edition)] == []
    assert trouble.unread(edition) == []
    assert trouble.unexpected(edition) == []
    shown = [claim for claim, _ in overview.displays(edition)]
    assert [claim.place for claim in shown] == [f"display {number}" for number in range(1, len(shown) + 1)]
    assert [claim.id for claim in shown if not any(row.reading for row in claim.rows)] == []


def test_every_erratum_has_a_counterexample_and_a_repair(edition: Edition) -> None:
    refuted = [erratum for erratum in edition.errata if erratum.severity in (Severity.WRONG, Severity.FRAME)]
    assert {erratum.severity for erratum in edition.errata} == set(Severity)
    assert [erratum.row for erratum in refuted if erratum.counterexample is None] == []
    assert [erratum.row for erratum in refuted if erratum.repair is None] == []
    unproved = [
        e.row for e in refuted if e.repair and {v.status for v in e.repair.verdicts.values()} != {Status.PROVED}
    ]
    assert unproved == []


def test_every_kind_of_assurance_has_a_heading(edition: Edition) -> None:
    assert {line.kind for line in edition.assurances} == set(wording.ASSURANCES)


def test_the_page_is_small_and_every_formula_is_set(html: str) -> None:
    assert len(html.encode()) < 3_000_000
    assert 'class="tex"' not in html  # LaTeX that ziamath cannot set is shown as its source


def test_json_says_the_same(edition: Edition) -> None:
    read = json.loads(data.as_json(edition))
    assert data.as_json(edition) == json.dumps(read, indent=1, ensure_ascii=False)
    statuses = {
        row["id"]: {frame: verdict["status"] for frame, verdict in row["verdicts"].items()}
        for claim in read["claims"]
        for row in claim["rows"]
    }
    rows = [row for claim in edition.claims for row in claim.rows]
    assert statuses == {row.id: {frame: str(v.status) for frame, v in row.verdicts.items()} for row in rows}
    cases = [v["counterexample"] for c in read["claims"] for r in c["rows"] for v in r["verdicts"].values()]
    assert None in {case["left"] for case in cases if case}  # a condition on integers has no values
