"""The checks `chain` and `activations` on right targets and wrong ones, and what of a target they are given to call."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WRONG = Path(__file__).parent / "wrong"


def test_right_targets_pass(verify) -> None:
    outcome = verify("numpy", checks=("activations", "chain"), examples=40)
    assert (outcome.status, outcome.findings) == (0, [])
    chain, activations = outcome.checks["chain"], outcome.checks["activations"]
    for quantity in ("y", "dx", "dw", "db", "delta", "output delta", "E", "relu", "relu derivative", "sum pooling dx"):
        assert chain.comparisons[quantity] > 2 * chain.without_evidence.get(quantity, 0), quantity
    assert {"tanh", "tanh derivative", "softsign derivative"} <= set(activations.comparisons)
    assert not chain.not_supported


#: file -> check, quantity, function, and the beginning of the summary
PLANTED = {
    "chain_prime_of_output": ("chain", "output delta", "output_delta", "output delta differs from the specification"),
    "chain_no_prime": ("chain", "delta", "delta", "delta differs from the specification"),
    "chain_writes_to_returned": ("chain", "x", "backward", "backward wrote to its input x, which is o1 of the network"),
    "chain_misreads_its_own_memory": ("chain", "dw", "backward", "dw differs from the specification"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found(verify, name: str) -> None:
    check, quantity, function, summary = PLANTED[name]
    outcome = verify(str(WRONG / f"{name}.py"))
    found = outcome.findings[0]
    assert (outcome.status, found.check, found.quantity, found.function) == (1, check, quantity, function)
    assert found.summary.startswith(summary)
    assert {f.check for f in outcome.findings} == {"chain"}, "single calls are right"


def test_every_wrong_chain_is_listed() -> None:
    assert {p.stem for p in WRONG.glob("chain_*.py")} == {*PLANTED, "chain_activations"}


@pytest.mark.slow
def test_a_network_that_goes_wrong_is_told_and_can_be_run_again(verify) -> None:
    (found,) = (f for f in verify(str(WRONG / "chain_misreads_its_own_memory.py"), checks=("chain",)).findings[:1])
    assert "in layer" in found.details[-1]
    layers = found.case["layers"]
    assert len(layers) == 2
    assert {layer["batch"] for layer in layers} == {1}
    done = subprocess.run([sys.executable, "-c", found.reproducer], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "backward\ndw2\n" in done.stdout


def test_an_output_delta_that_goes_wrong_can_be_run_again(verify) -> None:
    (found,) = verify(str(WRONG / "chain_prime_of_output.py"), checks=("chain",)).findings
    assert found.case["activation"] in ("square", "cube")
    done = subprocess.run([sys.executable, "-c", found.reproducer], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "output delta" in done.stdout


# ---- activations


def test_activations_are_found_wrong_each_in_its_way(verify) -> None:
    outcome = verify(str(WRONG / "chain_activations.py"), checks=("activations",), examples=20)
    told = {finding.quantity: finding.summary for finding in outcome.findings}
    assert told == {
        "Sigmoid": "Sigmoid of 100.0 is nan; it must be 1.0",
        "tanh derivative": "tanh derivative of 1.0 is 0.0; it must be 0.4199743416140261",
        "leaky_relu": "leaky_relu wrote to its input c; work on a copy",
        "leaky_relu derivative": "leaky_relu derivative has dtype float64 where c has float32; return c's dtype",
        "elu": "elu has shape (36,) where c has (2, 3, 2, 3); return c's shape",
        "elu derivative": "activation elu derivative: da returned a list of 1 (float); return an array of shape (1,)",
        "bent derivative": "bent derivative differs from exact differences of bent at 19 of 32 points",
        "short derivative": "short derivative has shape (1,); it must have shape (33,)",
        "broken": "activation broken raised ZeroDivisionError: division by zero",
    }
    assert list(outcome.checks["activations"].not_supported) == [
        "ACTIVATIONS['sigmoyd']: the name is not known, and it is no polynomial on pieces; did you mean 'sigmoid'?"
    ]
    assert outcome.checks["activations"].comparisons["cubic_spline derivative"] == 1


KINKS = """
import numpy as np
ACTIVATION_AT_KINK = {!r}
ACTIVATIONS = {{"relu": (lambda c: np.maximum(c, 0), lambda c: np.heaviside(c, {}).astype(c.dtype))}}
"""


@pytest.mark.parametrize(("kink", "value"), [("left", 0), ("right", 1), ("mean", 0.5)])
def test_the_slope_at_a_kink_is_declared(verify, module, kink: str, value: float) -> None:
    assert verify(module(KINKS.format(kink, value)), checks=("activations",)).status == 0
    other = module(KINKS.format("left", value or 0.25))
    (found,) = verify(other, checks=("activations",)).findings
    assert found.summary == f"relu derivative of 0.0 is {float(value or 0.25)}; it must be 0.0"
    assert "0 is a kink: the slope from the left is meant; declare ACTIVATION_AT_KINK for another" in found.details


# ---- what is bound

VALUES = """
import right, numpy as np
from right import forward, backward
ORIENTATION = "convolution"
def delta(dy, w, z, a_prime_c, stride, padding, dilation):
    b = np.zeros(len(w), w.dtype)
    return right.backward(dy, z, w, b, stride=stride, padding=padding, dilation=dilation)[0] * a_prime_c
def output_delta(y_pred, y_true, da):
    return (y_pred - y_true) * da
def error(y_pred, y_true):
    return float(((y_pred - y_true) ** 2).sum()) / 2
"""


def test_the_derivative_may_be_taken_as_values(verify, module) -> None:
    outcome = verify(module(VALUES), checks=("chain",), examples=20)
    assert (outcome.status, outcome.findings) == (0, [])
    compared = outcome.checks["chain"].comparisons
    assert min(compared[q] for q in ("delta", "output delta", "E")) > 20


def test_a_target_of_deltas_alone(verify, module) -> None:
    text = VALUES.replace("from right import forward, backward", "")
    outcome = verify(module(text), checks=("chain",))
    assert (outcome.status, outcome.findings) == (0, [])
    assert list(outcome.checks["chain"].not_supported) == ["networks: they take forward and its gradients"]


CHANNELS_LAST = """
import numpy as np
import backproof.targets.adapters.plain_numpy as right
LAYOUT = {layout!r}
ORIENTATION = "convolution"
def ours(a):
    return np.moveaxis(a if a.ndim == 4 else a[None], -1, 1)
def theirs(a):
    return np.moveaxis(a, 1, -1) if {batched} else np.moveaxis(a, 1, -1)[0]
def forward(x, w):
    return theirs(right.forward(ours(x), w.transpose(3, 2, 0, 1)))
def backward(dy, x, w):
    dx, dw, _ = right.backward(ours(dy), ours(x), w.transpose(3, 2, 0, 1))
    return theirs(dx), dw.transpose(2, 3, 1, 0)
def delta(delta_next, w_next, c, activation_derivative):
    w = w_next.transpose(3, 2, 0, 1)
    return theirs(right.input_gradient(ours(delta_next), ours(c), w)) * activation_derivative(c)
def error(o, t):
    assert o.ndim == {axes}
    return ((t - o) ** 2).sum() / 2
"""


@pytest.mark.parametrize(("layout", "axes"), [("NHWC", 4), ("HWC", 3)])
def test_other_axes(verify, module, layout: str, axes: int) -> None:
    text = CHANNELS_LAST.format(layout=layout, axes=axes, batched=axes == 4)
    outcome = verify(module(text), checks=("chain",))
    assert (outcome.status, outcome.findings) == (0, [])
    assert min(outcome.checks["chain"].comparisons[q] for q in ("y", "dw", "delta", "E")) > 20


NO_NETWORK = {
    "an instance is one layer": """
import numpy as np
class Conv:
    def __init__(self, in_channels, out_channels, kernel_size):
        self.w = np.zeros((out_channels, in_channels, kernel_size, kernel_size))
    def forward(self, x):
        self.x = x
        return x[:, :1] * self.w[0, 0, 0, 0]
    def backward(self, dy):
        self.dw = (dy * self.x).sum().reshape(1, 1, 1, 1)
        return dy * self.w[0, 0, 0, 0]
conv = Conv(1, 1, 1)
""",
    "what is rounded in one layer is not exact in the next": """
import right
from right import forward, backward
ORIENTATION, ALGORITHM = "convolution", "indirect"
""",
}


@pytest.mark.parametrize("reason", NO_NETWORK)
def test_layers_that_make_no_networks(verify, module, reason: str) -> None:
    target = module(NO_NETWORK[reason]) + (":conv" if "instance" in reason else "")
    outcome = verify(target, checks=("chain",))
    assert list(outcome.checks["chain"].not_supported) == [f"networks: {reason}"]


CRASHES = """
import os, right
from right import forward
ORIENTATION = "convolution"
def backward(dy, x, w, b, *, stride, padding, dilation):
    if x.base is None:
        {}
    return right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
"""


@pytest.mark.parametrize(
    ("line", "summary"),
    [
        ("os._exit(3)", "backward ended its process: exited with code 3"),
        ("raise KeyError('gone')", "backward raised KeyError: 'gone'"),
        ("return None", "backward: dx returned None; return (dx, dw, db)"),
        ("while True: pass", "backward did not return within 1 s"),
    ],
)
def test_what_goes_wrong_in_a_network_only(verify, module, line: str, summary: str) -> None:
    outcome = verify(module(CRASHES.format(line)), checks=("chain",), time_limit=1.0, examples=20)
    assert [finding.summary for finding in outcome.findings] == [summary]


BUFFER = """
import numpy as np, right
from right import backward
ORIENTATION = "convolution"
buffers = {}
def forward(x, w, b, *, stride, padding, dilation):
    y = right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation)
    if x.base is None and "last" in buffers:
        buffers["last"][...] = 0
    buffers["last"] = y
    return y
"""


def test_what_was_returned_before_is_not_to_be_written_over(verify, module) -> None:
    (found, *_) = verify(module(BUFFER), checks=("chain",)).findings
    assert (found.function, found.quantity) == ("forward", "y")
    assert found.summary == "forward wrote over c1 of the network, which was returned before; return new arrays"


def test_a_shape_that_fits_nowhere_is_told_of_the_function_that_returned_it(verify) -> None:
    outcome = verify("backproof.museum:L051", checks=("chain",))  # crops [p:-p], which is nothing where p = 0
    assert outcome.status == 1
    assert all("has shape" in finding.summary for finding in outcome.findings)
    assert not any("ended its process" in finding.summary for finding in outcome.findings)
