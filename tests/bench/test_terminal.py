"""What the command shows of results that were never measured."""

from __future__ import annotations

import pytest
from bench.made import everything, results, row, several

from backproof_bench.layers import REPORTED
from backproof_bench.terminal import Terminal, line, show

LENET = next(layer for layer in REPORTED if layer.name == "LeNet conv1")


def test_a_row_is_a_line() -> None:
    data = row(LENET, "float32", "dx")
    assert " ".join(line(data).split()) == (
        "float32 LeNet conv1 dx 1.0 us 50% of the peak torch 2.00 (2.00-2.00) jax 6.00 (6.00-6.00) error 1.0e-06"
    )
    data["sides"]["ours"]["rejected"] = "an error of exactly 0"
    assert " ".join(line(data).split()) == "float32 LeNet conv1 dx rejected error 1.0e-06"


def test_threads_and_training_are_lines() -> None:
    measured = several(LENET, "float64", "y", {"ours, 1 thread": [4.0] * 3, "ours": [2.0] * 3})
    assert line(measured).endswith("2 threads over one: 2.00 (2.00-2.00)")
    unmeasured = several(LENET, "float64", "y", {"ours, 1 thread": [4.0, None, 4.0], "ours": [None, 2.0, 2.0]})
    assert line(unmeasured).endswith("2 threads over one: unmeasured")
    assert line(everything()["training"]) == "LeNet training, 2 epochs: ours 97.50%, torch 96.25%"


def test_the_end_has_means_goals_and_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal(3, 1) as terminal:
        terminal.row(row(LENET, "float32", "y"))
    show(everything(), terminal.console)
    shown = capsys.readouterr().out
    assert "error 1.0e-06" in shown
    lines = [" ".join(text.split()) for text in shown.splitlines()]
    assert "float32 large torch 2.00 2.00 2.00 2.00 2.00 33" in lines
    assert "float32, small >= 2.00 2.00 geometric mean 6 of 6 met" in lines
    assert "LeNet training, an epoch > 1.00 2.00 median 2 epochs met" in lines
    assert "Winograd" not in shown  # of that goal nothing is measured
    assert 'not installed: scipy; pip install "backproof[scipy]"' in lines
    assert "load: 0.5 to 1.5" in lines


def test_nothing_measured_is_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal(3, 0) as terminal:
        pass
    show(results(), terminal.console)
    assert "goal" not in capsys.readouterr().out
