"""The check `state`: what remembers is found, by the shortest sequence of calls that shows it."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backproof.cases.levels import Case, Space, space
from backproof.cases.sequences import CallSequence, Step, fixed_sequences, random_sequence, simpler_sequences
from backproof.checks import state
from backproof.contract import DTYPES, ORIENTATIONS, Geometry
from backproof.report import cases
from backproof.targets.calls import Request, Results
from backproof.targets.process import Target

WRONG = Path(__file__).parent / "wrong"

#: file -> what is found wrong, the functions of the calls before it, and a word of the explanation
PLANTED = {
    "stale_result": ("y", "value after other calls", "forward", "this is y of an earlier call"),
    "gradient_accumulates": ("dw", "value after other calls", "backward", "the sum of dw and dw of an earlier call"),
    "coarse_cache": ("y", "shape after other calls", "forward", "right here"),
    "dilation_cached": ("y", "value after other calls", "forward", "this is y with the dilation of an earlier call"),
    "key_of_sizes": ("y", "value after other calls", "forward", "this is y with w of an earlier call"),
    "flipped_in_place": ("y", "value after other calls", "forward", "right here"),
    "output_buffer": ("dx", "reused", "backward", "right here"),
    "last_forward": ("dw", "value after other calls", "forward", "this is dw with x of an earlier call"),
    "workspace": ("db", "value after other calls", "backward", "handed nothing but NaN"),
    "bias_with_weights": ("db", "value after other calls", "weight_gradient", "right here"),
    "raises_again": ("y", "raised after other calls", "forward", "right here"),
}


def test_every_wrong_implementation_is_listed() -> None:
    listed = {f"state_{name}" for name in (*PLANTED, "uninitialised")}
    assert {path.stem for path in WRONG.glob("state_*.py")} == listed


@pytest.mark.parametrize("name", PLANTED)
def test_what_remembers_is_found(verify, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(state, "TRIES", 3)
    quantity, kind, function, explanation = PLANTED[name]
    kinds = []
    monkeypatch.setattr(
        state, "_found", lambda wrong, *more, real=state._found: kinds.append(wrong.kind) or real(wrong, *more)
    )
    outcome = verify(str(WRONG / f"state_{name}.py"), checks=("state",))
    (finding,) = outcome.findings
    assert (outcome.status, finding.quantity, kinds[-1]) == (1, quantity, kind)
    assert any(explanation in detail for detail in finding.details), finding.details
    assert len(finding.case["before"]) <= 2
    assert function in finding.case["before"][-1]["functions"]
    assert outcome.end.worker_restarts == 0, "fresh processes are no restarts that the target made necessary"


def test_memory_that_nobody_wrote_is_noticed(verify, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what it happens to hold, so that only the check's verdict is certain."""
    monkeypatch.setattr(state, "TRIES", 2)
    outcome = verify(str(WRONG / "state_uninitialised.py"), checks=("state",))
    assert {finding.quantity for finding in outcome.findings} == {"y"}


def test_the_smallest_sequence_and_its_program(verify) -> None:
    (finding,) = verify(str(WRONG / "state_gradient_accumulates.py"), checks=("state",)).findings
    assert finding.case["geometry"]["size"] == finding.case["geometry"]["kernel_size"] == (1, 1)
    assert [step["functions"] for step in finding.case["before"]] == [["backward"]]
    assert finding.summary == "dw differs from the specification in 1 of 1 entries, but only after an earlier call"
    done = subprocess.run([sys.executable, "-c", finding.reproducer], capture_output=True, text=True, check=True)
    first, second = (line for line in done.stdout.splitlines() if line.startswith("Results"))
    assert f"'dw': array([[[[{finding.expected[:-1]}]]]])" in first
    assert f"'dw': array([[[[{finding.actual[:-1]}]]]])" in second
    assert cases.line(finding.case).endswith(", after another call")
    (row,) = [row for row in cases.rows(finding.case) if row.label == "calls before it"]
    assert row.text.startswith("1. backward: x (1, 1, 1, 1), w (1, 1, 1, 1)")


def test_a_call_that_is_wrong_by_itself_is_not_said_to_remember(verify) -> None:
    outcome = verify(str(WRONG / "dw_not_rotated.py"), checks=("exact", "state"))
    assert [(finding.check, finding.quantity) for finding in outcome.findings] == [("exact", "dw")]
    assert outcome.checks["state"].verdict == "failed"


def test_what_a_fresh_process_does_not_show_is_said_to_be_unsure(verify, module, tmp_path: Path) -> None:
    """A target with a memory on disk: wrong in the twentieth call of all, whatever process makes it."""
    text = """
import right
from pathlib import Path
from right import backward
ORIENTATION = "convolution"
calls = Path({path!r})
def forward(x, w, b, *, stride, padding, dilation):
    calls.write_text(calls.read_text() + "." if calls.exists() else ".")
    y = right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation)
    return y + (len(calls.read_text()) == 20)
"""
    (finding,) = verify(module(text.format(path=str(tmp_path / "calls"))), checks=("state",)).findings
    assert "it was not seen again in a fresh process" in finding.details[-1]


def test_an_orientation_that_was_inferred_is_the_only_one(verify, module) -> None:
    text = (WRONG / "right.py").read_text(encoding="utf-8").replace("ORIENTATION =", "undeclared =")
    assert verify(module(text), checks=("state",)).findings == []


@pytest.mark.slow
def test_a_hang_is_not_waited_for_again(verify) -> None:
    text = str(WRONG / "never_returns.py")
    (finding,) = verify(text, checks=("state",), time_limit=1.0, examples=400).findings
    assert finding.summary == "backward did not return within 1 s"


# ---- the sequences


def everything() -> Space:
    return space(lambda g: True, orientations=ORIENTATIONS, dtypes=DTYPES, layouts=("C",))


def test_sequences_come_back_after_something_mistakable() -> None:
    sequences = fixed_sequences(everything(), ("forward", "backward"), ("backward",))
    pairs = [(a.case, b.case) for s in sequences for a, b in zip(s.steps, s.steps[1:], strict=False)]
    for option in ("stride", "padding", "dilation", "groups", "padding_mode", "orientation", "bias", "batch"):
        assert any(getattr(a.geometry, option) != getattr(b.geometry, option) for a, b in pairs), option
    assert any(a.dtype != b.dtype for a, b in pairs)
    swapped = [(a.geometry, b.geometry) for a, b in pairs if a.geometry.size == b.geometry.size[::-1]]
    assert any(a.size != b.size for a, b in swapped)
    assert any(s.steps[0].poisoned and not s.last.poisoned for s in sequences)
    assert any(s.last.functions == ("backward",) and s.steps[-2].functions == ("forward",) for s in sequences)
    apart = fixed_sequences(everything(), ("weight_gradient", "bias_gradient"), ("weight_gradient", "bias_gradient"))
    assert {s.last.functions for s in apart if s.steps[0].poisoned} > {("weight_gradient",), ("bias_gradient",)}
    assert any(s.last.functions == ("bias_gradient", "weight_gradient") for s in apart)
    without = fixed_sequences(everything(), ("forward", "backward"), ())
    assert all("forward" in step.functions for s in without for step in s.steps), "backward needs forward right before"


def test_simpler_sequences_have_two_steps_at_least() -> None:
    rng = random.Random(0)
    for _ in range(5):
        sequence = random_sequence(everything(), ("forward", "backward"), rng)
        assert len(sequence.steps) == 3
        assert all(len(simpler.steps) >= 2 for simpler in simpler_sequences(sequence))
    step = Step(Case(Geometry(size=(3, 3), kernel_size=(2, 2))), ("forward",))
    long = CallSequence((step,) * 40)
    assert {len(simpler.steps) for simpler in simpler_sequences(long)} >= {2, 3, 6}
    poisoned = replace(step, poisoned=True).drawn()
    assert all((array != array).all() for array in poisoned.arrays.values())


def test_a_renewed_target_has_forgotten_everything() -> None:
    step = Step(Case(Geometry(size=(2, 2), bias=True), "float64", "distinct"), ("backward",))
    drawn = step.drawn()
    with Target.open(str(WRONG / "state_gradient_accumulates.py")) as target:
        seen = []
        for renew in (False, False, True):
            if renew:
                target.renew()
            reply = target.call(Request(step.case.geometry, drawn.arrays, {}, step.functions))
            assert isinstance(reply, Results)
            seen.append(reply.values["dw"].tolist())
        assert seen[0] == seen[2] != seen[1]
        assert target.restarts == 0
