"""The check `threads`: races that are found whatever the seed, and what shares nothing and passes."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from backproof.checks import threads
from backproof.contract import Geometry
from backproof.report import cases
from backproof.targets.calls import Request, Results
from backproof.targets.process import Target
from backproof.targets.together import Start, at_once

WRONG = Path(__file__).parent / "wrong"

#: file -> quantity, and a word of the explanation
PLANTED = {
    "shared_columns": ("y", "the other thread's call"),
    "shared_sum": ("db", ""),
    "shared_windows": ("max pooling y", ""),
}


def test_every_wrong_implementation_is_listed() -> None:
    assert {path.stem for path in WRONG.glob("threads_*.py")} == {f"threads_{name}" for name in PLANTED}


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("seed", range(3))
def test_a_race_is_found_whatever_the_seed(verify, monkeypatch: pytest.MonkeyPatch, name: str, seed: int) -> None:
    monkeypatch.setattr(threads, "TRIES", 0)
    outcome = verify(str(WRONG / f"threads_{name}.py"), checks=("threads",), seed=seed)
    (finding,) = outcome.findings
    assert (outcome.status, finding.quantity) == (1, PLANTED[name][0])
    assert "differs from what the same call returns alone in" in finding.summary
    assert outcome.end.worker_restarts == 0


def test_a_race_is_made_small_and_can_be_made_again(verify, capsys: pytest.CaptureFixture[str]) -> None:
    (finding,) = verify(str(WRONG / "threads_shared_columns.py"), checks=("threads",)).findings
    assert finding.case["geometry"]["batch"] == 1
    assert any(PLANTED["shared_columns"][1] in detail for detail in finding.details), finding.details
    assert cases.line(finding.case).endswith(", beside another call")
    (row,) = [row for row in cases.rows(finding.case) if row.label == "at the same time"]
    assert row.text.startswith("1. forward: x (1, ")
    exec(finding.reproducer.replace("1000", "40"), {})
    assert capsys.readouterr().out.count("Results") == 4


def test_one_thread_at_a_time_sees_no_race(verify) -> None:
    outcome = verify(str(WRONG / "threads_shared_columns.py"), checks=("exact", "state"))
    assert (outcome.status, outcome.findings) == (0, [])


@pytest.mark.parametrize("strict", [False, True])
def test_who_does_not_declare_it_is_not_tried(verify, strict: bool) -> None:
    outcome = verify(str(WRONG / "right.py"), checks=("symbolic", "threads"), strict=strict)
    check = outcome.checks["threads"]
    assert (check.verdict, check.examples) == ("not verified", 0)
    assert list(check.not_supported) == ["not asked for: declare THREAD_SAFE = True to have two threads tried"]
    assert not any("threads" in objection for objection in outcome.end.strict)


@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_what_shares_nothing_passes(verify, target: str) -> None:
    outcome = verify(target, checks=("threads",), strict=True)
    check = outcome.checks["threads"]
    assert (outcome.findings, check.verdict) == ([], "passed")
    assert min(check.comparisons.values()) > 10


SHARED = """
import threading, numpy as np, right
from right import backward
ORIENTATION = "convolution"
THREAD_SAFE = True
lock = threading.Lock()
scratch = [None]
def forward(x, w, b, *, stride, padding, dilation):
    {before}
        scratch[0] = right.padded(x, padding)
        y = right.forward(scratch[0], w, b, stride=stride, padding=((0, 0), (0, 0)), dilation=dilation)
        {after}
    return y
"""


def test_a_lock_makes_sharing_right(verify, module) -> None:
    outcome = verify(module(SHARED.format(before="with lock:", after="")), checks=("threads",))
    assert (outcome.status, outcome.findings) == (0, [])
    (finding,) = verify(module(SHARED.format(before="if True:", after="")), checks=("threads",)).findings
    assert finding.quantity == "y"


def test_what_happens_in_two_threads_only_is_told(verify, module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "TRIES", 0)
    calls = "if threading.active_count() > 3: {}"
    crash = calls.format("import os; os._exit(3)")
    (finding,) = verify(module(SHARED.format(before="if True:", after=crash)), checks=("threads",)).findings
    assert finding.summary.startswith("with two threads at once, forward ended its process: exited with code 3")
    hang = SHARED.format(before="if True:", after=calls.format("import time; time.sleep(60)"))
    first, *_ = verify(module(hang), checks=("threads",), time_limit=1.0).findings
    assert first.summary == "with two threads at once, forward did not return within 1 s"


# ---- calls at once


def test_the_first_answer_that_differs_is_given() -> None:
    values, lock = iter("aaaaaabaaaaaaa"), threading.Lock()

    def one(start: Start) -> str:
        start()
        with lock:
            return next(values)

    answers = at_once([one, one], 50, lambda a, b: a == b)
    assert sorted(answers) == ["a", "b"]
    assert len(list(values)) == 6, "and then no more is asked"


def test_a_call_that_never_starts_holds_nobody_up() -> None:
    def starts(start: Start) -> int:
        start()
        return 1

    assert at_once([starts, lambda start: 2], 6, lambda a, b: a == b) == [1, 2]


def test_an_error_of_a_call_is_raised() -> None:
    def fails(start: Start) -> int:
        start()
        if threading.current_thread() is not threading.main_thread():
            raise KeyError("ours")
        return 1

    with pytest.raises(KeyError, match="ours"):
        at_once([fails, lambda start: start() or 2], 4, lambda a, b: a == b)


def test_a_target_is_called_by_two_threads_at_once() -> None:
    geometry = Geometry(size=(2, 2), kernel_size=(1, 2), bias=False)
    requests = [
        Request(geometry, {"x": np.full((1, 1, 2, 2), value), "w": np.ones((1, 1, 1, 2))}) for value in (1.0, 3.0)
    ]
    with Target.open("numpy") as target:
        one, other = target.together(requests, 3)
        assert isinstance(one, Results)
        assert isinstance(other, Results)
        assert (one.values["y"] == 2).all()
        assert (other.values["y"] == 6).all()
        both = Request(geometry, {**requests[0].arrays, "dy": np.ones((1, 1, 2, 1))}, {}, ("forward", "backward"))
        with pytest.raises(ValueError, match=r"one call, not forward, backward; name one function"):
            target.together([requests[0], both], 3)
    with pytest.raises(ValueError, match="numpy is closed"):
        target.together(requests, 3)


@pytest.mark.parametrize("value", ["maybe", "1"])
def test_what_is_no_answer(verify, value: str) -> None:
    with pytest.raises(Exception, match="THREAD_SAFE must be one of 'true', 'false'"):
        verify("numpy", declarations={"THREAD_SAFE": value})
