"""Expected failures and strict runs: what they excuse, what they do not, and how they are told."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

from backproof import events, strictness
from backproof.events import CheckFinished, TargetBound
from backproof.expectations import Expectations, split
from backproof.report.html import render
from backproof.report.summary import Run
from backproof.report.terminal import Terminal
from backproof.report.words import command, sentence, statement
from backproof.runner import CHECK_IDS, RunOptions, Verification
from backproof.targets.errors import TargetError

WRONG = Path(__file__).parent / "wrong"
ROTATED = str(WRONG / "dw_not_rotated.py")
SCHEMA = json.loads(Path(events.__file__).with_name("events.schema.json").read_text(encoding="utf-8"))


def expectations(**reasons: str) -> Expectations:
    return Expectations.of({key.replace("__", ":"): reason for key, reason in reasons.items()}, CHECK_IDS)


@pytest.mark.parametrize(
    ("key", "check", "quantity"),
    [
        ("exact", "exact", "dw"),
        ("exact", "exact", "dx+dw"),
        ("exact__dw", "exact", "dw"),
        ("pooling__dx", "pooling", "max pooling dx"),
        ("pooling__max pooling dx", "pooling", "max pooling dx"),
        ("contract__x", "contract", "x"),
    ],
)
def test_a_key_covers(key: str, check: str, quantity: str) -> None:
    expected = expectations(**{key: "issue 12"})
    assert expected.reason(check, quantity) == "issue 12"
    assert list(expected.met([(check, quantity)])) == [key.replace("__", ":")]
    assert expected.stale(check, expected.met([(check, quantity)])) == ()


@pytest.mark.parametrize(
    ("key", "check", "quantity"),
    [
        ("exact", "symbolic", "dw"),
        ("exact__dw", "exact", "dx"),
        ("exact__dw", "exact", "dx+dw"),
        ("pooling__max pooling dx", "pooling", "sum pooling dx"),
        ("pooling__dx", "pooling", "max pooling y"),
    ],
)
def test_a_key_does_not_cover(key: str, check: str, quantity: str) -> None:
    assert expectations(**{key: "issue 12"}).reason(check, quantity) == ""


def test_of_several_quantities_each_needs_a_reason() -> None:
    both = expectations(exact__dx="issue 1", exact__dw="issue 2")
    assert both.reason("exact", "dx+dw") == "issue 1; issue 2"


def test_stale_is_what_a_check_that_ran_did_not_meet() -> None:
    expected = expectations(exact__dw="issue 12", exact="everything", symbolic="issue 3")
    met = expected.met([("exact", "dw")])
    assert expected.stale("exact", met) == ("exact (everything)",)
    assert expected.stale("pooling", met) == ()


@pytest.mark.parametrize(
    ("key", "reason", "message"),
    [
        ("exakt", "x", "there is no check 'exakt'; did you mean 'exact'?"),
        ("exakt:dw", "x", "expected failure 'exakt:dw': there is no check 'exakt'; did you mean 'exact'?"),
        ("zzz", "x", "there is no check 'zzz'; there are exact, contract,"),
        ("exact:dww", "x", "exact has no quantity 'dww'; did you mean 'dw'?"),
        ("exact:", "x", "exact has no quantity ''; there are y, dx, dw, db"),
        ("symbolic:x", "x", "symbolic has no quantity 'x'"),
        ("pooling:max poling dx", "x", "did you mean 'max pooling dx'?"),
        ("exact", " ", "expected failure 'exact' needs a reason, a text such as 'issue 12', not ' '"),
    ],
)
def test_keys_that_mean_nothing(key: str, reason: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        Expectations.of({key: reason}, CHECK_IDS)
    assert message in str(caught.value)
    with pytest.raises(ValueError, match="expected failure"):
        Verification(RunOptions("numpy", expect_fail={key: reason}))


def test_split() -> None:
    assert split("exact:dw = see x=1") == ("exact:dw", "see x=1")
    for text in ("exact", "exact=", "=reason", ""):
        with pytest.raises(ValueError, match=r"is not CHECK=REASON; write for example exact:dw="):
            split(text)


# ---- runs


def test_an_expected_failure_does_not_fail_the_run(verify) -> None:
    options: dict[str, Any] = {"checks": ("exact", "symbolic")}
    outcome = verify(ROTATED, expect_fail={"exact:dw": "issue 12", "symbolic": "issue 12"}, **options)
    assert (outcome.status, outcome.end.verdict, outcome.end.findings) == (0, "passed", 0)
    assert outcome.end.expected_failures == 1, "one mistake, one finding"
    assert [finding.expected_failure for finding in outcome.findings] == ["issue 12"]
    assert {end.verdict for end in outcome.checks.values()} == {"expected failure"}
    assert outcome.checks["exact"].expected_failures == {"exact:dw": "issue 12"}
    for event in outcome.events:
        jsonschema.validate(json.loads(events.as_json(event)), SCHEMA)


def test_what_one_check_expects_excuses_no_other(verify) -> None:
    outcome = verify(ROTATED, expect_fail={"exact:dw": "issue 12"}, checks=("exact", "symbolic"))
    assert outcome.status == 1
    assert [(f.check, f.expected_failure) for f in outcome.findings] == [("exact", "issue 12"), ("symbolic", "")]
    assert (outcome.end.findings, outcome.end.expected_failures) == (1, 1)


@pytest.mark.parametrize(("strict", "status"), [(False, 0), (True, 1)])
def test_a_stale_expectation(verify, strict: bool, status: int) -> None:
    outcome = verify(
        "numpy", checks=("symbolic",), expect_fail={"symbolic:dw": "gone", "exact": "not run"}, strict=strict
    )
    assert outcome.status == status
    assert outcome.end.stale == ["symbolic:dw (gone)"]
    assert ("expected to fail, and did not: symbolic:dw (gone)" in outcome.end.strict) is strict


def test_a_check_runs_alone_as_it_runs_after_others(verify) -> None:
    with Verification(RunOptions(ROTATED, seed=3, examples=0)) as verification:
        first, second = verification.check("exact"), verification.check("symbolic")
        again = verification.check("symbolic")
    assert [f.quantity for f in second.findings] == ["dw"], "also where the run has said it already"
    assert second.findings == again.findings
    assert first.finished.verdict == second.finished.verdict == "failed"


def test_a_check_that_does_not_exist() -> None:
    with Verification(RunOptions("numpy", examples=0)) as verification, pytest.raises(ValueError, match="no check 'x'"):
        verification.check("x")


def test_what_the_target_declares_is_read(verify, module) -> None:
    text = Path(ROTATED).read_text(encoding="utf-8")
    target = module(f'{text}\nEXPECTED_FAILURES = {{"exact:dw": "issue 12"}}\n')
    assert verify(target, checks=("exact",)).status == 0
    stronger = verify(target, checks=("exact",), expect_fail={"exact:dw": "issue 13"})
    assert stronger.findings[0].expected_failure == "issue 13"
    with pytest.raises(TargetError, match=r"EXPECTED_FAILURES of .*no check 'exakt'"):
        verify(module(f'{text}\nEXPECTED_FAILURES = {{"exakt": "issue 12"}}\n'), checks=("exact",))
    with pytest.raises(TargetError, match=r'EXPECTED_FAILURES must be such as {"exact:dw": "the reason"}, not \[1\]'):
        verify(module(f"{text}\nEXPECTED_FAILURES = [1]\n"), checks=("exact",))


# ---- strict


def test_a_strict_run_names_what_it_does_not_accept(verify, module) -> None:
    target = module("from right import forward, backward\n")
    outcome = verify(target, strict=True, checks=("exact", "pooling"))
    assert (outcome.status, outcome.end.verdict, outcome.findings) == (1, "failed", [])
    assert outcome.end.strict == [
        "the orientation was inferred; declare ORIENTATION=convolution",
        "not bound: pooling: no max_pool, average_pool or sum_pool",
        "[pooling] nothing was compared",
    ]
    declared = {"ORIENTATION": "convolution"}
    assert verify(target, strict=True, checks=("exact",), declarations=declared).status == 0
    none = dict.fromkeys(("pooling", "activations"), "this layer has none")
    excused = verify(target, strict=True, declarations=declared, expect_fail=none)
    assert (excused.status, excused.end.strict, excused.end.stale) == (0, [], [])


def test_nothing_verified_is_status_2_also_where_strict(verify, module) -> None:
    target = module("from right import forward, backward\n")
    assert verify(target, strict=True, checks=("pooling",)).status == 2


def end(**changes: Any) -> CheckFinished:
    values: dict[str, Any] = {
        "check": "exact",
        "title": "",
        "verdict": "passed",
        "examples": 9,
        "comparisons": {"y": 9, "dx": 9},
        "without_evidence": {"y": 9, "dx": 8},
        "excluded": {"L092": 2},
        "not_supported": {"forward: no groups": 3},
        "seconds": 0.1,
    }
    return CheckFinished(**{**values, **changes})


def bound(**changes: Any) -> TargetBound:
    lists = ("functions", "dtypes", "padding_modes", "layouts", "layouts_excluded", "known_defects", "not_bound")
    values: dict[str, Any] = {
        **{name: [] for name in lists},
        "name": "t",
        "origin": "t.py",
        "version": None,
        "orientation": "convolution",
        "orientation_inferred": False,
        "options": {},
        "bias": "never",
    }
    return TargetBound(**{**values, **changes})


def test_objections() -> None:
    assert strictness.of_check(end()) == [
        "[exact] not supported, 3 not called: forward: no groups",
        "[exact] known defect L092, 2 not called",
        "[exact] y was compared 9 times, and never with evidence",
    ]
    unknown = bound(orientation="unknown", layouts_excluded=["reversed"], not_bound=["y: no forward", "pooling: none"])
    assert strictness.of_target(unknown, ["exact"]) == [
        "the orientation is unknown; declare ORIENTATION",
        "not bound: y: no forward",
        "memory layout reversed is excluded",
    ]
    assert strictness.of_target(bound(), ["exact", "pooling"]) == []


# ---- what is shown


def test_the_views_tell_expected_from_unexpected(verify) -> None:
    known = verify(ROTATED, checks=("exact",), expect_fail={"exact:dw": "issue 12", "exact:dx": "gone"})
    run = Run.of(known.events)
    assert sentence(run).startswith(f"{ROTATED}, convolution: no findings, 1 expected failure,")
    assert "differs from the specification only as expected: 1 expected failure" in statement(run)
    assert "--expect-fail 'exact:dw=issue 12'" in command(run)
    page = render(run)
    for text in ("Expected: issue 12", "exact:dx (gone)", "Expected to fail, and did not"):
        assert text in page
    strict = Run.of(verify("numpy", checks=("symbolic",), expect_fail={"symbolic:dw": "gone"}, strict=True).events)
    assert "the run was strict" in statement(strict)
    assert "1 not accepted by a strict run" in sentence(strict)
    assert "--strict" in command(strict)
    assert "What a strict run does not accept" in render(strict)
    assert "What a strict run does not accept" not in page


def test_the_terminal_tells_them_too(verify) -> None:
    outcome = verify(ROTATED, checks=("exact", "symbolic"), expect_fail={"exact:dw": "issue 12", "exact:dx": "gone"})
    shown, quiet = (terminal(outcome.events, quiet=quiet) for quiet in (False, True))
    assert re.search(r"^expected     exact: 1 expected failure, \d+ examples", shown, re.MULTILINE)
    assert "expected failures:\n  - [exact] dw differs from the specification in" in shown
    assert "FINDING 1  [symbolic]" in shown
    for text in (shown, quiet):
        assert "EXPECTED TO FAIL, AND DID NOT; remove these expectations:\n  - exact:dx (gone)\n" in text
        assert "1 finding, 1 expected failure, " in text
    strict = verify("numpy", checks=("symbolic",), expect_fail={"symbolic:dw": "gone"}, strict=True)
    listed = "strict, and so these fail the run:\n  - expected to fail, and did not: symbolic:dw (gone)\n"
    assert listed in terminal(strict.events, quiet=True)


def terminal(told: list[events.Event], *, quiet: bool) -> str:
    out = io.StringIO()
    with Terminal(Console(file=out, width=200, highlight=False), quiet=quiet) as view:
        for event in told:
            view.handle(event)
    return out.getvalue()
