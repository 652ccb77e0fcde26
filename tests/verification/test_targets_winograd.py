"""Targets that are right up to rounding: the implementation's Winograd passes, and changed numbers are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from backproof.events import TargetBound
from backproof.targets.declarations import read_declarations
from backproof.targets.errors import TargetError

TEXT = (Path(__file__).parent / "specimens" / "winograd_f43.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("target", ["winograd", "winograd-2x2"])
def test_the_implementation_passes_at_kernels_of_its_size(verify, target: str) -> None:
    outcome = verify(target, checks=("exact", "state", "rounding", "threads"), examples=400)
    assert (outcome.status, outcome.findings) == (0, [])
    for name, least in (("exact", 500), ("state", 100), ("rounding", 100), ("threads", 10)):
        assert sum(outcome.checks[name].comparisons.values()) > least


def test_the_usual_winograd_is_right(verify, module) -> None:
    outcome = verify(module(TEXT), checks=("exact", "rounding"), examples=400)
    assert (outcome.status, outcome.findings) == (0, [])


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("[1 / 24, 1 / 12, 1 / 6]", "[1 / 24, 1 / 12, 1 / 12]"),  # mistyped
        ("[1 / 24, -1 / 12, 1 / 6]", "[1 / 24, 1 / 12, 1 / 6]"),  # a sign
        ("[-1 / 6, -1 / 6, -1 / 6]", "[-0.1667, -0.1667, -0.1667]"),  # four digits
        ("[0, 4, 0, -5, 0, 1]", "[0, 4, 0, -5, 0, 0]"),  # the last pixel of a tile
        ("[0, 1, -1, 8, -8, 1]", "[0, 1, -1, 8, 8, 1]"),  # the last of four outputs
    ],
)
def test_a_changed_number_is_found(verify, module, right: str, wrong: str) -> None:
    assert TEXT.count(right) == 1
    outcome = verify(module(TEXT.replace(right, wrong)), checks=("exact",), examples=50)
    assert [finding.quantity for finding in outcome.findings] == ["y"]


def test_numbers_of_half_the_precision_are_beyond_the_bound(verify, module) -> None:
    """Transformed weights in float16, as on other hardware: small integers are too coarse to show it everywhere."""
    text = TEXT.replace("kernel @ w @ kernel.T)", "(kernel @ w @ kernel.T).astype(np.float32).astype(x.dtype))")
    assert text != TEXT
    outcome = verify(module(text), checks=("rounding",), examples=400)
    assert [(finding.check, finding.quantity) for finding in outcome.findings] == [("rounding", "y")]


# ---- KERNEL_SIZE


def test_other_kernels_are_not_tried(verify, module) -> None:
    text = "from right import *\nORIENTATION, KERNEL_SIZE = 'convolution', (2, 3)\n"
    text += "def forward(x, w, b, *, stride, padding, dilation):\n"
    text += "    assert w.shape[2:] == (2, 3)\n    import right\n"
    text += "    return right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation)\n"
    outcome = verify(module(text), checks=("exact", "contract", "chain"), examples=50)
    assert (outcome.status, outcome.findings) == (0, [])
    assert outcome.checks["exact"].comparisons["y"] > 100
    assert "networks: they have kernels of several sizes" in outcome.checks["chain"].not_supported
    (bound,) = (event for event in outcome.events if isinstance(event, TargetBound))
    assert "kernels that are not 2 x 3: KERNEL_SIZE" in bound.not_bound


@pytest.mark.parametrize("value", [3, "3", "3,x", (3, 0), "0,3", (3, 3, 3)])
def test_what_is_no_kernel_size(value) -> None:
    with pytest.raises(TargetError, match=r"^KERNEL_SIZE must be rows and columns, such as \(3, 3\) or 3,3, not "):
        read_declarations({"KERNEL_SIZE": value}, {})


def test_a_kernel_size_on_the_command_line() -> None:
    assert read_declarations({}, {"KERNEL_SIZE": "3, 5"}).kernel_size == (3, 5)
