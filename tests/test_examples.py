"""The examples: they run, reach what their README says, and their comparisons can fail."""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytestmark = pytest.mark.examples

FILE = Path(__file__).resolve().parent.parent / "examples" / "digits.py"


@pytest.fixture(scope="module")
def digits() -> ModuleType:
    """The example as a module; it imports neither scikit-learn nor PyTorch."""
    specification = importlib.util.spec_from_file_location("digits_example", FILE)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # its dataclass looks itself up there
    specification.loader.exec_module(module)
    return module


def test_a_split_is_fixed_and_has_every_digit_once(digits: ModuleType) -> None:
    x = np.arange(100.0, dtype=np.float32).reshape(100, 1, 1, 1) * 16
    labels = np.arange(100)
    data = digits.split(x, labels, 3)
    assert (len(data.labels), len(data.labels_test)) == (80, 20)
    assert sorted([*data.labels, *data.labels_test]) == list(range(100))
    assert (data.x.ravel() == data.labels).all()
    assert (data.labels_test == digits.split(x, labels, 3).labels_test).all()
    assert (data.labels_test != digits.split(x, labels, 4).labels_test).any()


def test_a_small_split_is_learned(digits: ModuleType) -> None:
    """Two patterns in noise; an untrained network, and one that descends the wrong way, do not tell them apart."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 80)
    x = rng.uniform(0, 8, (80, 1, 8, 8)).astype(np.float32)
    x[labels == 0, :, :, 2] += 8
    x[labels == 1, :, 2, :] += 8
    data = digits.split(x, labels, 0)
    assert digits.accuracy(digits.train(data, 0, epochs=8), data.x_test, data.labels_test) >= 0.9
    assert digits.accuracy(digits.train(data, 0, epochs=0), data.x_test, data.labels_test) < 0.9
    assert digits.accuracy(digits.train(data, 0, epochs=8, rate=-0.6), data.x_test, data.labels_test) < 0.9


def test_one_epoch_of_the_digits(digits: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    (accuracy,) = digits.run(seeds=(0,), epochs=1)
    assert accuracy > 0.5  # a tenth is what guessing gives
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"split 0: {accuracy:.2%} of the test (")
    assert lines[1:] == [f"median of 1 splits: {accuracy:.2%}"]


@pytest.mark.slow
def test_five_splits(digits: ModuleType) -> None:
    pytest.importorskip("sklearn")
    accuracies = digits.run()
    assert len(accuracies) == 5
    assert statistics.median(accuracies) >= 0.98


@pytest.mark.torch
def test_the_first_step_is_exactly_pytorchs(digits: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("torch")
    assert digits.exact() == []
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [
        "o",
        "dx",
        "0.dw",
        "0.db",
        "3.dw",
        "3.db",
        "7.dw",
        "7.db",
        "9.dw",
        "9.db",
    ]
    assert all(line.endswith("differ") and " 0 of " in line for line in lines[1:])


@pytest.mark.torch
def test_the_comparison_sees_one_weight(digits: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("torch")
    right = digits.torch_first_step

    def wrong(net: object, x: object, t: object) -> dict[str, np.ndarray]:
        gradients = {name: value.copy() for name, value in right(net, x, t).items()}
        gradients["3.dw"][0, 0, 0, 0] += 1
        return gradients

    monkeypatch.setattr(digits, "torch_first_step", wrong)
    assert digits.exact(images=4) == ["3.dw"]


def test_too_many_images_to_be_exact(digits: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    x = np.full((400, 1, 8, 8), 16.0, np.float32)
    monkeypatch.setattr(digits, "digits", lambda: (x, np.zeros(400, int)))
    with pytest.raises(SystemExit, match=r"sums reach .*, above 2\*\*53, .*; take fewer images than 400"):
        digits.exact(images=400)


def test_the_bound_leaves_the_network_as_it_is(digits: ModuleType) -> None:
    net = digits.integer_network(np.random.default_rng(0))
    before = [value.copy() for layer in net.layers for value in layer.parameters.values()]
    x, t = np.ones((2, 1, 8, 8)), np.eye(10)[:2]
    bound = digits.largest_sum(net, x, t)
    after = [value for layer in net.layers for value in layer.parameters.values()]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    assert bound >= max(np.abs(value).max() for value in digits.first_step(net, x, t).values())


@pytest.mark.parametrize(
    ("absent", "arguments", "message"),
    [
        ("sklearn", (), 'this example needs scikit-learn: pip install -e ".[examples]"'),
        ("torch", ("--exact",), "the comparison needs PyTorch: pip install torch"),
    ],
)
def test_what_is_not_installed(absent: str, arguments: tuple[str, ...], message: str) -> None:
    program = f"import runpy, sys; sys.modules[{absent!r}] = None; runpy.run_path({str(FILE)!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{message}\n")
