"""The check `locality`: NaN, infinities and subnormal numbers, on what treats them wrongly and on what may differ."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from backproof.cases.data import example
from backproof.cases.designs import tiny, twins
from backproof.cases.levels import Case, space
from backproof.cases.poison import (
    MEETS,
    REACHES,
    VALUES,
    PoisonCase,
    clean_example,
    poison_case,
    poisoned,
    reached,
    simpler_poison_cases,
)
from backproof.contract import DTYPES, ORIENTATIONS, Geometry

WRONG = Path(__file__).parent / "wrong"

#: file -> quantity, how the smallest case is poisoned, expected and actual value there
PLANTED = {
    "skips_zeros": ("y", "x[0, 0, 0, 0] = nan", "nan"),
    "nan_to_num": ("y", "x[0, 0, 0, 0] = nan", "nan"),
    "clips": ("y", "= inf", "inf"),
    "infinity_minus_itself": ("y", "x[0, 0, 0, 0] = inf", "inf"),
    "winograd": ("y", "x[0, 0, 0, ", ""),
    "times_zero": ("dx", "x[0, 0, 0, 0] = nan", ""),
    "nansum": ("db", "dy[0, 0, 0, 0] = nan", "nan"),
    "skips_images": ("dw", " (w and dy all zero)", "nan"),
    "batch_mean": ("y", "x[0, 0, 0, 0] = nan", ""),
}
FLUSHING = {"flushes_results": {"y"}, "flushes_operands": {"dx", "dw", "db"}}


def test_every_wrong_implementation_is_listed() -> None:
    assert {path.stem for path in WRONG.glob("locality_*.py")} == {f"locality_{n}" for n in (*PLANTED, *FLUSHING)}


@pytest.mark.parametrize("name", PLANTED)
def test_poison_that_goes_astray_is_found(verify, name: str) -> None:
    quantity, entry, expected = PLANTED[name]
    outcome = verify(str(WRONG / f"locality_{name}.py"), checks=("locality",))
    finding = next(f for f in outcome.findings if "poison" in f.case)
    assert (outcome.status, finding.quantity, {f.quantity for f in outcome.findings}) == (1, quantity, {quantity})
    assert entry in finding.case["poison"]
    assert finding.summary.startswith(f"with {finding.case['poison']}, {quantity} ")
    assert finding.expected.endswith(expected)
    assert finding.expected != finding.actual


@pytest.mark.parametrize("name", FLUSHING)
def test_lost_subnormal_numbers_are_found_or_declared(verify, name: str) -> None:
    path = str(WRONG / f"locality_{name}.py")
    outcome = verify(path, checks=("locality",))
    assert {finding.quantity for finding in outcome.findings} == FLUSHING[name]
    assert all(0 < abs(float(finding.expected)) < 1e-300 for finding in outcome.findings)
    declared = verify(path, checks=("locality",), declarations={"FLUSHES_SUBNORMALS": "true"})
    assert (declared.status, declared.findings) == (0, [])
    assert list(declared.checks["locality"].not_supported) == ["subnormal numbers: FLUSHES_SUBNORMALS is declared"]


def test_what_is_wrong_without_poison_is_no_finding_of_its_own(verify) -> None:
    outcome = verify(str(WRONG / "dw_not_rotated.py"), checks=("exact", "locality"))
    assert [(finding.check, finding.quantity) for finding in outcome.findings] == [("exact", "dw")]
    assert outcome.checks["locality"].verdict == "failed"


def test_an_indirect_algorithm_is_not_run_and_the_reason_is_told(verify) -> None:
    path = str(WRONG / "locality_winograd.py")
    outcome = verify(path, checks=("locality",), declarations={"ALGORITHM": "indirect"})
    check = outcome.checks["locality"]
    assert (check.verdict, check.examples) == ("not verified", 0)
    assert list(check.not_supported) == ["locality: an indirect algorithm spreads NaN, and rounds"]


REFUSING = """
import numpy as np, right
ORIENTATION = "convolution"
def finite(*arrays):
    if not all(np.isfinite(array).all() for array in arrays):
        raise {error}("not finite")
def forward(x, w, b, *, stride, padding, dilation):
    finite(x, w, b)
    return right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation)
def backward(dy, x, w, b, *, stride, padding, dilation):
    finite(x, w, b, dy)
    return right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
"""


def test_who_refuses_such_data_is_counted_and_not_blamed(verify, module) -> None:
    outcome = verify(module(REFUSING.format(error="ValueError")), checks=("state", "locality"))
    assert (outcome.status, outcome.findings) == (0, [])
    refused = outcome.checks["locality"].not_supported
    assert "forward with nan in x: it raised ValueError" in refused
    (first, *_) = verify(module(REFUSING.format(error="IndexError")), checks=("locality",)).findings
    assert first.summary == "forward raised IndexError: not finite"


#: Right in different ways: what the zeros of an algorithm do is left open.
IM2COL = """
import numpy as np, right
ORIENTATION = "convolution"
def columns(x, w, stride, padding, dilation, shape):
    windows = [right.padded(x, padding)[at] for *_, at in right.taps(x, w, stride, padding, dilation, shape)]
    return np.stack(windows, 2)  # n, c, taps, oh, ow
def forward(x, w, b, *, stride, padding, dilation):
    cols = columns(x, w, stride, padding, dilation, right.output_shape(x, w, stride, padding, dilation))
    n, c, taps, oh, ow = cols.shape
    y = w.reshape(len(w), -1) @ cols.reshape(n, c * taps, oh * ow)
    return y.reshape(n, len(w), oh, ow) + b[:, None, None]
def backward(dy, x, w, b, *, stride, padding, dilation):
    cols = columns(x, w, stride, padding, dilation, dy.shape[2:])
    n, c, taps, oh, ow = cols.shape
    dx, _, db = right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
    flat = dy.reshape(n, len(w), -1)
    dw = (flat @ cols.reshape(n, c * taps, -1).transpose(0, 2, 1)).sum(0)
    return dx, dw.reshape(w.shape), db
"""
SKIPPING = """
import numpy as np
ORIENTATION = "convolution"
def taps(x, w, y, stride, padding, dilation):
    (H, W), (kh, kw) = x.shape[2:], w.shape[2:]
    for i, j, u, v in np.ndindex(*y, kh, kw):
        h = i * stride[0] + (kh - 1 - u) * dilation[0] - padding[0][0]
        q = j * stride[1] + (kw - 1 - v) * dilation[1] - padding[1][0]
        if 0 <= h < H and 0 <= q < W:
            yield i, j, u, v, h, q
def forward(x, w, b, *, stride, padding, dilation):
    import right
    shape = right.output_shape(x, w, stride, padding, dilation)
    y = np.zeros((len(x), len(w), *shape), x.dtype) + b[:, None, None]
    for i, j, u, v, h, q in taps(x, w, shape, stride, padding, dilation):
        y[:, :, i, j] += np.einsum("nc,oc->no", x[:, :, h, q], w[:, :, u, v])
    return y
def backward(dy, x, w, b, *, stride, padding, dilation):
    dx, dw = np.zeros(x.shape, x.dtype), np.zeros(w.shape, w.dtype)
    for i, j, u, v, h, q in taps(x, w, dy.shape[2:], stride, padding, dilation):
        dx[:, :, h, q] += np.einsum("no,oc->nc", dy[:, :, i, j], w[:, :, u, v])
        dw[:, :, u, v] += np.einsum("no,nc->oc", dy[:, :, i, j], x[:, :, h, q])
    return dx, dw, dy.sum((0, 2, 3))
"""
STUFFED = """
import numpy as np, right
ORIENTATION = "convolution"
def forward(x, w, b, *, stride, padding, dilation):
    kh, kw = ((k - 1) * d + 1 for k, d in zip(w.shape[2:], dilation))
    dense = np.zeros((*w.shape[:2], kh, kw), w.dtype)
    dense[:, :, :: dilation[0], :: dilation[1]] = w
    return right.forward(x, dense, b, stride=stride, padding=padding, dilation=(1, 1))
from right import backward
"""


@pytest.mark.parametrize("text", [IM2COL, SKIPPING, STUFFED], ids=["im2col", "skips padding", "dilated by zeros"])
def test_right_implementations_pass_whatever_they_do_with_padding(verify, module, text: str) -> None:
    outcome = verify(module(text), checks=("state", "locality"), examples=200)
    assert (outcome.status, outcome.findings) == (0, [])
    assert min(outcome.checks["locality"].comparisons.values()) > 50


# ---- what the specification says


def by_arithmetic(case: PoisonCase) -> dict[str, np.ndarray]:
    """Every product written out, padding left out: what IEEE arithmetic itself makes of the poison."""
    arrays, g = poisoned(case, clean_example(case)).arrays, case.geometry
    x, w, dy = (arrays[role] for role in ("x", "w", "dy"))
    y, dx, dw = (np.zeros(g.shape_of(q), x.dtype) for q in ("y", "dx", "dw"))
    y += arrays["b"][:, None, None] if g.bias else 0
    (kh, kw), per_in, per_out = g.kernel_size, g.in_channels // g.groups, g.out_channels // g.groups
    for o, c, i, j, u, v in np.ndindex(g.out_channels, per_in, *g.output_size, kh, kw):
        t, s = (kh - 1 - u, kw - 1 - v) if g.orientation == "convolution" else (u, v)
        h = i * g.stride[0] + t * g.dilation[0] - g.padding[0][0]
        q = j * g.stride[1] + s * g.dilation[1] - g.padding[1][0]
        if g.padding_mode == "circular":
            h, q = h % g.size[0], q % g.size[1]
        if 0 <= h < g.size[0] and 0 <= q < g.size[1]:
            k = o // per_out * per_in + c
            y[:, o, i, j] += x[:, k, h, q] * w[o, c, u, v]
            dx[:, k, h, q] += dy[:, o, i, j] * w[o, c, u, v]
            dw[o, c, u, v] += (dy[:, o, i, j] * x[:, k, h, q]).sum()
    return {"y": y, "dx": dx, "dw": dw, "db": dy.sum((0, 2, 3))}


SHAPES = [g for orientation in ORIENTATIONS for g in (*tiny(orientation), *twins(orientation)[6:10])]


@pytest.mark.parametrize("role", REACHES)
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("idle", [False, True])
def test_expected_is_what_arithmetic_gives(role: str, value: str, idle: bool) -> None:
    rng = random.Random(role + value)
    for number, g in enumerate(SHAPES):
        case = poison_case(Case(g, DTYPES[number % 2], seed=number), role, value, rng.randrange(1000))
        case = replace(case, idle=idle)
        drawn = poisoned(case, clean_example(case))
        assert all(not (drawn.arrays[other].any() and idle) for other in MEETS[role])
        with np.errstate(invalid="ignore"):
            actual = by_arithmetic(case)
        for quantity, expected in drawn.expected.items():
            np.testing.assert_array_equal(actual[quantity], expected, err_msg=f"{case.entry} {quantity} {g}")
            assert not (drawn.may.get(quantity, np.False_) & ~np.isfinite(expected)).any()


def test_without_padding_dilation_or_groups_y_has_one_right_set() -> None:
    g = Geometry(2, 2, 2, (4, 4), (2, 3), stride=(2, 1))
    for index in ((0, 0, 0, 0), (1, 1, 3, 2)):
        case = PoisonCase(Case(g, profile="small"), "x", "nan", int(np.ravel_multi_index(index, g.x_shape)))
        drawn = poisoned(case, example(case.case))
        assert case.index == index
        assert not drawn.may["y"].any()
        assert reached(g, "x", index)["y"].sum() == np.isnan(drawn.expected["y"]).sum() > 0


def test_subnormal_data_are_subnormal_and_exact() -> None:
    for dtype, seed in product(DTYPES, range(4)):
        drawn = example(Case(tiny("convolution")[2], dtype, "subnormal", seed=seed))
        everything = [*drawn.arrays.values(), *drawn.expected.values()]
        smallest = np.finfo(dtype).smallest_subnormal
        assert any(((abs(a) > 0) & (abs(a) < np.finfo(dtype).tiny)).any() for a in everything)
        assert all((a.astype(np.float64) % np.float64(smallest) == 0).all() for a in everything)


def test_simpler_poison_keeps_its_operand() -> None:
    levels = space(lambda g: True, orientations=("convolution",), dtypes=DTYPES, layouts=("C",))
    case = poison_case(levels.case([size - 1 for size in levels.sizes], 5), "b", "inf", 7)
    assert case.value == "nan", "a circular image may add infinities of both signs"
    for simpler in simpler_poison_cases(case):
        assert simpler.geometry.bias
        assert simpler != case
