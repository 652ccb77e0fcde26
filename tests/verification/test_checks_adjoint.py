"""The check `adjoint`: gradients against the target's own forward, with a specification and without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from backproof.targets.errors import TargetError

WRONG = Path(__file__).parent / "wrong"

#: file -> the quantity found wrong, the summary, and a condition on the smallest case
PLANTED = {
    "transposed": ("dw", "is not the gradient of the target's own forward, in", lambda g: g["stride"] != (1, 1)),
    "rectified": ("y", "is not linear in x: y(x) must be 2*y(x + v) - y(x + 2*v), in", lambda g: True),
    "constant_added": ("dw", "is not linear in dy: it must be dw(dy + e) - dw(e), in", lambda g: True),
    "db_of_one_sample": ("db", "is not the gradient of the target's own forward, in", lambda g: g["batch"] == 2),
}


def test_every_wrong_implementation_is_listed() -> None:
    assert {path.stem for path in WRONG.glob("adjoint_*.py")} == {f"adjoint_{name}" for name in PLANTED}


@pytest.mark.parametrize("name", PLANTED)
def test_an_operator_without_specification_is_judged_by_itself(verify, name: str) -> None:
    quantity, told, smallest = PLANTED[name]
    outcome = verify(str(WRONG / f"adjoint_{name}.py"))
    (finding,) = outcome.findings
    assert (outcome.status, finding.check, finding.quantity) == (1, "adjoint", quantity)
    assert finding.summary.startswith(f"{quantity} {told} ")
    assert smallest(finding.case["geometry"]), finding.case
    assert finding.expected != finding.actual


def test_without_specification_no_other_check_of_the_convolution_runs(verify, tmp_path: Path) -> None:
    text = (WRONG / "adjoint_transposed.py").read_text(encoding="utf-8")
    path = tmp_path / "transposed.py"
    path.write_text(text.replace("STRIDE = (1, 1)", 'STRIDE = None\nORIENTATION = "cross-correlation"'), "utf-8")
    outcome = verify(str(path), strict=True)
    verdicts = {check: end.verdict for check, end in outcome.checks.items()}
    assert (outcome.findings, verdicts.pop("adjoint")) == ([], "passed")
    assert set(verdicts.values()) == {"not verified"}
    assert list(outcome.checks["exact"].not_supported) == ["not asked for: SPECIFICATION = 'none' is declared"]
    assert not any("SPECIFICATION" in objection for objection in outcome.end.strict)


def test_what_an_operator_of_its_own_refuses_is_counted(verify, module) -> None:
    text = """
import right
from right import backward
SPECIFICATION = "none"
def forward(x, w, b, *, stride, padding, dilation):
    if dilation != (1, 1):
        raise ValueError("no dilation here")
    return right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation)
"""
    check = verify(module(text), checks=("adjoint",)).checks["adjoint"]
    assert check.verdict == "passed"
    assert list(check.not_supported) == ["forward raised ValueError: no dilation here"]
    raising = verify(module(text.replace("ValueError", "IndexError")), checks=("adjoint",))
    assert [finding.summary for finding in raising.findings] == ["forward raised IndexError: no dilation here"]


def test_the_specification_decides_between_forward_and_its_gradient(verify) -> None:
    (finding,) = verify(str(WRONG / "channel_tail.py"), checks=("adjoint",)).findings
    assert finding.quantity == "y"
    assert finding.summary.endswith(", which is as specified, is not the gradient of the target's own forward")
    assert finding.case["geometry"]["in_channels"] == 5


def test_gradients_that_belong_to_a_wrong_forward_are_said_to(verify) -> None:
    outcome = verify(str(WRONG / "other_orientation.py"), checks=("exact", "adjoint"))
    details = {finding.quantity: finding.details for finding in outcome.findings}
    assert "dx, dw, db belong to this forward, whose adjoints they are" in details["y"]
    assert outcome.checks["adjoint"].verdict == "passed"
    (finding,) = verify(str(WRONG / "channel_tail.py"), checks=("exact",)).findings
    assert not any("belong" in detail for detail in finding.details)


@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_right_implementations_pass(verify, target: str) -> None:
    outcome = verify(target, checks=("adjoint",), examples=1000)
    assert (outcome.status, outcome.findings) == (0, [])
    assert min(outcome.checks["adjoint"].comparisons.values()) > 10


def test_gradients_alone_are_linear_in_dy(verify, module) -> None:
    text = """
import right
ORIENTATION = "convolution"
def input_gradient(dy, w, x, *, stride, padding, dilation):
    raise NotImplementedError
def forward(x, w, b, *, stride, padding, dilation):
    raise NotImplementedError
def bias_gradient(dy):
    return dy.sum((0, 2, 3)) + (dy.shape[1] > 1)
"""
    check = verify(module(text), checks=("adjoint",)).checks["adjoint"]
    assert check.verdict == "not verified"
    assert list(check.not_supported) == ["forward: NotImplementedError"]


def test_what_is_no_specification(verify) -> None:
    with pytest.raises(TargetError, match="SPECIFICATION must be one of 'convolution', 'none', not 'mine'"):
        verify("numpy", declarations={"SPECIFICATION": "mine"})
