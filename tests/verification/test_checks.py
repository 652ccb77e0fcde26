"""Every check on something right and on something wrong: what is planted is what is found, at its smallest."""

from __future__ import annotations

from pathlib import Path

import pytest

from backproof.cases.designs import LEAST
from backproof.checks import CHECKS
from backproof.checks.bench import compare
from backproof.targets.errors import TargetError

WRONG = Path(__file__).parent / "wrong"


def test_a_right_implementation_passes_every_check_that_applies(verify) -> None:
    outcome = verify(str(WRONG / "right.py"), examples=20)
    assert (outcome.status, outcome.findings) == (0, [])
    verdicts = {check: event.verdict for check, event in outcome.checks.items()}
    assert verdicts == {
        "contract": "passed",
        "exact": "passed",
        "symbolic": "passed",
        "finite-differences": "passed",
        "adjoint": "passed",
        "pooling": "not verified",
        "activations": "not verified",
        "chain": "passed",
        "state": "passed",
        "locality": "passed",
        "rounding": "passed",
        "threads": "not verified",
    }
    compared = outcome.checks["exact"].comparisons
    assert min(compared[q] for q in ("y", "dx", "dw", "db")) >= LEAST
    assert outcome.checks["exact"].without_evidence["y"] < compared["y"] / 4
    assert any("pool" in reason for reason in outcome.end.not_verified)


#: file -> the quantity found wrong, and a condition on the smallest case
PLANTED = {
    "dw_not_rotated": ("dw", lambda case: case["kernel_size"] == (1, 2) and case["size"] == (1, 2)),
    "valid_deltas": ("dx", lambda case: max(case["kernel_size"]) == 2),
    "other_orientation": ("y", lambda case: case["size"] == (1, 2)),
    "db_averaged": ("db", lambda case: case["batch"] == 2),
    "stride_for_dilation": ("dx", lambda case: case["stride"] != case["dilation"]),
    "channel_tail": ("y", lambda case: case["in_channels"] == 5),
    "w_read_as_packed": ("y", lambda case: case["batch"] == 1),
    "segfault": ("dx", lambda case: case["batch"] == 2),
    "never_returns": ("dx", lambda case: 3 in case["stride"]),
}


def test_every_wrong_implementation_is_listed() -> None:
    listed_elsewhere = ("state_", "locality_", "adjoint_", "rounding_", "threads_", "chain_")
    assert {p.stem for p in WRONG.glob("*.py") if not p.stem.startswith(listed_elsewhere)} == {*PLANTED, "right"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name in ("segfault", "never_returns") else name for name in PLANTED],
)
def test_what_is_planted_is_found(verify, name: str) -> None:
    quantity, smallest = PLANTED[name]
    outcome = verify(str(WRONG / f"{name}.py"), time_limit=2.0 if name == "never_returns" else 20.0)
    assert outcome.status == 1
    exact = [f for f in outcome.findings if f.check == "exact"]
    assert any(quantity in finding.quantity.split("+") for finding in exact)
    assert all(smallest(finding.case["geometry"]) for finding in exact), exact[0].case
    if name != "other_orientation":
        innocent = {"y", "dx", "dw", "db"} - {q for f in exact for q in f.quantity.split("+")}
        assert len(innocent) == (1 if name in ("segfault", "never_returns") else 3), "nothing else is blamed"


def test_a_crash_and_a_hang_say_what_happened(verify) -> None:
    (crash, *_) = verify(str(WRONG / "segfault.py"), checks=("exact",)).findings
    assert crash.summary == "backward ended its process: killed by SIGSEGV (Segmentation fault)"
    assert "segfault.py:13 in backward" in crash.details[0]
    (hang,) = verify(str(WRONG / "never_returns.py"), checks=("exact",), time_limit=1.0).findings
    assert hang.summary == "backward did not return within 1 s"


def test_consistent_but_undeclared_orientation_is_inferred(verify, module) -> None:
    text = (WRONG / "other_orientation.py").read_text(encoding="utf-8")
    path = module(text.replace('ORIENTATION = "convolution"', ""))
    outcome = verify(path, checks=("exact", "symbolic"))
    bound = outcome.events[1]
    assert (outcome.status, bound.orientation, bound.orientation_inferred) == (0, "cross-correlation", True)


def test_finite_differences_need_no_specification(verify) -> None:
    """Consistently the other orientation: backward belongs to forward, and only the specification objects."""
    outcome = verify(str(WRONG / "other_orientation.py"))
    verdicts = {check: event.verdict for check, event in outcome.checks.items()}
    assert verdicts["finite-differences"] == "passed"
    assert verdicts["exact"] == verdicts["symbolic"] == "failed"


BACKWARD = """
import numpy as np, right
from right import forward
ORIENTATION = "convolution"
def backward(dy, x, w, b, *, stride, padding, dilation):
    dx, dw, db = right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
    {}
    return dx, dw, db
"""

FORWARD = """
import numpy as np, right
from right import backward
ORIENTATION = "convolution"
buffer = np.empty(10**6)
def forward(x, w, b, *, stride, padding, dilation):
    y = right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation)
    {}
    return y
"""

BROKEN_PROMISES = [
    (BACKWARD.format("dx = dx.astype('float64')"), "dtype", "dx has dtype float64 where x has float32"),
    (FORWARD.format("y = y.astype('float16')"), "dtype", "y has dtype float16 where x has"),
    (FORWARD.format("x[...] = x if not x.flags.writeable else x + 1"), "x", "forward wrote to its input x"),
    (BACKWARD.format("db = db[None]"), "shape", "db has shape (1, 1); it must have shape (1,)"),
    (FORWARD.format("y = np.divide(y, len(x)) * len(x) if len(x) else 1 / 0"), "empty",
     "with an empty batch (N = 0), forward"),
    (FORWARD.format("if y.size and y.dtype == 'f8': out = buffer[:y.size].reshape(y.shape); out[...] = y; return out"),
     "reused", "y is returned in memory that an earlier result still uses"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "summary"), BROKEN_PROMISES, ids=[p[1] + p[2][:12] for p in BROKEN_PROMISES])
def test_broken_promises(verify, module, text: str, kind: str, summary: str) -> None:
    outcome = verify(module(text), checks=("contract",))
    assert outcome.status == 1
    assert any(finding.summary.startswith(summary) for finding in outcome.findings), outcome.findings


def test_an_impossible_geometry_must_be_refused(verify, module) -> None:
    text = FORWARD.format("").replace("    y = right", "    if x.shape[3] == 2: return x\n    y = right")
    outcome = verify(module(text), checks=("contract",))
    assert any("where no window fits; raise ValueError" in finding.summary for finding in outcome.findings)


UNUSABLE = [
    ("raise_always", "def forward(x, w, b): raise RuntimeError('no')", "forward raised RuntimeError: no"),
    ("none", "def forward(x, w, b): return None", "forward: y returned None"),
    ("shape", "def forward(x, w, b): return x[:, :, :1]", "y has shape"),
    ("dtype", "def forward(x, w, b): return x.astype(int).tolist()", "forward: y returned a list"),
]


@pytest.mark.parametrize(("text", "message"), [u[1:] for u in UNUSABLE], ids=[u[0] for u in UNUSABLE])
def test_forwards_that_return_no_result(verify, module, text: str, message: str) -> None:
    outcome = verify(module(text), checks=("exact",))
    assert outcome.status == 1
    assert any(finding.summary.startswith(message) for finding in outcome.findings), outcome.findings


def test_a_target_without_forward_or_file_cannot_run(verify, module) -> None:
    with pytest.raises(TargetError, match="forward"):
        verify(module("def backwards(x): return x"))
    with pytest.raises(TargetError, match="no_such_file"):
        verify("no_such_file.py")


def test_not_implemented_is_not_verified_and_never_a_pass(verify, module) -> None:
    outcome = verify(module("def forward(x, w): raise NotImplementedError('later')"))
    assert (outcome.status, outcome.end.verdict, outcome.findings) == (2, "not verified", [])
    assert outcome.checks["exact"].not_supported == {"forward: later": outcome.checks["exact"].examples}


POOLS = """
from backproof.targets.adapters.plain_numpy import *
import numpy as np
import backproof.targets.adapters.plain_numpy as right
{}
"""

WRONG_POOLS = {
    "max pooling y": """
def max_pool(x, *, kernel_size, stride, padding, dilation):
    y = right.max_pool(x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
    return np.maximum(y, 0) if np.any(padding) else y
""",
    "sum pooling dx": """
def sum_pool_gradient(dy, x, *, kernel_size, stride, padding, dilation):
    d = right.sum_pool_gradient(dy, x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
    return d if tuple(stride) == tuple(kernel_size) else 2 * d
""",
    "average pooling dx": """
def average_pool_gradient(dy, x, *, kernel_size, stride, padding, dilation):
    return right.sum_pool_gradient(dy, x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
""",
}


@pytest.mark.parametrize("quantity", WRONG_POOLS)
def test_wrong_pooling(verify, module, quantity: str) -> None:
    outcome = verify(module(POOLS.format(WRONG_POOLS[quantity])), checks=("pooling",))
    assert [finding.quantity for finding in outcome.findings] == [quantity]


def test_comparison_knows_no_tolerance_and_no_equal_nan() -> None:
    import numpy as np

    one = np.ones((1, 2))
    assert compare("y", "forward", one, one) is None
    wrong = compare("y", "forward", np.array([[1, 1 + 2**-52]]), one)
    assert (wrong.index, wrong.wrong, wrong.compared) == ((0, 1), 1, 2)
    assert compare("y", "forward", np.full((1, 2), np.nan), np.full((1, 2), np.nan)).wrong == 2


def test_every_check_has_its_own_id() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)


FFT = """
import numpy as np, right
ORIENTATION = "convolution"
ALGORITHM = "{algorithm}"
def forward(x, w, b):
    (H, W), (kh, kw) = x.shape[2:], w.shape[2:]
    if H < kh or W < kw:
        raise ValueError("the image is smaller than the kernel")
    size = (H + kh, W + kw)
    spectrum = np.einsum("nchw,ochw->nohw", np.fft.rfft2(x, size), np.fft.rfft2(w, size))
    y = np.fft.irfft2(spectrum, size)[:, :, kh - 1 : H, kw - 1 : W]
    return ({factor} * y + b[:, None, None]).astype(x.dtype)
def backward(dy, x, w, b):
    return right.backward(dy, x, w, b, stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1))
"""


def test_an_fft_is_right_up_to_rounding_if_it_is_declared_indirect(verify, module) -> None:
    checks = ("exact", "symbolic", "finite-differences")
    assert verify(module(FFT.format(algorithm="indirect", factor=1)), examples=20, checks=checks).status == 0
    (finding,) = verify(module(FFT.format(algorithm="direct", factor=1)), checks=("exact",)).findings
    assert finding.quantity == "y"


def test_the_orientation_of_an_indirect_algorithm_is_inferred_after_rounding(verify, module) -> None:
    text = FFT.format(algorithm="indirect", factor=1).replace('ORIENTATION = "convolution"', "")
    bound = verify(module(text), checks=("symbolic",)).events[1]
    assert (bound.orientation, bound.orientation_inferred) == ("convolution", True)


def test_an_indirect_algorithm_may_round_and_not_be_wrong(verify, module) -> None:
    path = module(FFT.format(algorithm="indirect", factor="np.where(np.arange(y.shape[3]) == 1, 1.01, 1)"))
    assert [f.quantity for f in verify(path, checks=("exact",)).findings] == ["y"]
