"""The chance that an error goes unseen: measured on draws by the thousand, it stays below the bound, and comes near."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backproof.cases import data
from backproof.cases.chances import Evidence, missed
from backproof.cases.levels import Case
from backproof.contract import Geometry
from backproof_spec import oracle

WRONG = Path(__file__).parent / "wrong"
DRAWS = 4_000
#: Four standard deviations of a frequency over so many draws, at most.
SPREAD = 4 * 0.5 / DRAWS**0.5
#: Two pixels and two weights: the smallest layer whose kernel can be the wrong way round.
PIXELS = Geometry(size=(1, 2), kernel_size=(1, 2), bias=False)
SUM = Geometry(size=(1, 2), in_channels=2, bias=False)


#: Enough pixels that an array of zeros, which is replaced, hardly ever comes.
ROW = Geometry(size=(1, 24), kernel_size=(1, 12), bias=False)


def flipped(x, w, dy):
    """y[0, 0] of a cross-correlation, where a convolution is right."""
    return (x * (w - w[::-1])).sum()


def product_missing(x, w, dy):
    return x[0] * w[0]


def pixel_mistaken(x, w, dy):
    return dy[3] * (x[5] - x[6])


def drawn(monkeypatch: pytest.MonkeyPatch, case: Case, largest: int) -> Callable[[int], dict[str, np.ndarray]]:
    """The integers up to `largest` that a case has for a seed, flat."""
    monkeypatch.setattr(data, "amplitudes", lambda *_: dict.fromkeys(("x", "w", "dy"), largest))
    return lambda seed: {r: array.ravel() for r, array in data.draw(replace(case, seed=seed)).integers.items()}


@pytest.mark.parametrize(
    ("geometry", "profile", "largest", "error", "quantity", "bound"),
    [
        (PIXELS, "wide", 4, flipped, "y", 1 - (8 / 9) ** 2),
        (PIXELS, "wide", 9, flipped, "y", 1 - (18 / 19) ** 2),
        (ROW, "wide", 1, product_missing, "y", 1 - (2 / 3) ** 2),
        (ROW, "wide-x", 2, product_missing, "y", 1 - (4 / 5) ** 2),
        (ROW, "wide", 2, pixel_mistaken, "dw", 1 - (4 / 5) ** 2),
        (ROW, "sparse", 2, product_missing, "y", 1 - (0.3 * 4 / 5) ** 2),
    ],
)
def test_the_bound_holds_and_is_nearly_met(monkeypatch, geometry, profile, largest, error, quantity, bound) -> None:
    case = Case(geometry, profile=profile)
    arrays = drawn(monkeypatch, case, largest)
    claimed = missed(case, dict.fromkeys(("x", "w", "dy"), largest))[quantity]
    assert claimed == pytest.approx(bound)
    measured = sum(error(**arrays(seed)) == 0 for seed in range(DRAWS)) / DRAWS
    assert claimed - SPREAD - 0.01 <= measured <= claimed + SPREAD


def test_plus_and_minus_one_as_the_study_had_them() -> None:
    """Two values per entry, and the kernel flipped: (x0 - x1)(w0 - w1) = 0 in 3 of 4 draws, which is the bound."""
    rng = np.random.default_rng(1)
    x, w = rng.choice((-1, 1), (2, DRAWS, 2))
    assert abs(np.mean((x[:, 0] - x[:, 1]) * (w[:, 0] - w[:, 1]) == 0) - 0.75) < SPREAD


def test_distinct_data_keep_the_half_that_signs_prove(monkeypatch) -> None:
    """Reading the wrong entry is always seen; 2*x[0] - x[1] vanishes sometimes, below 1/2."""
    case = Case(replace(PIXELS, size=(1, 3)), profile="distinct")
    arrays = [drawn(monkeypatch, case, 4)(seed)["x"] for seed in range(DRAWS)]
    assert missed(case, dict.fromkeys(("x", "w", "dy"), 4))["y"] == pytest.approx(0.75)
    assert all(x[0] != x[1] for x in arrays)
    assert 0.01 < np.mean([2 * x[0] == x[1] for x in arrays]) <= 0.5
    assert 0.01 < np.mean([x.sum() == 0 for x in arrays]) <= 0.5


def test_an_array_with_stride_0_is_one_number(monkeypatch) -> None:
    case = Case(ROW, layouts=(("dy", "broadcast"),), profile="wide")
    arrays = drawn(monkeypatch, case, 4)
    claimed = missed(case, dict.fromkeys(("x", "w", "dy"), 4))
    assert claimed["db"] == 1 / 4
    assert claimed["dx"] == pytest.approx(1 - (3 / 4) * (8 / 9))
    numbers = [arrays(seed)["dy"] for seed in range(DRAWS)]
    assert all((dy == dy[0]).all() and dy[0] > 0 for dy in numbers)
    assert max(np.bincount([dy[0] for dy in numbers])) / DRAWS <= 1 / 4 + SPREAD


def test_the_bias_counts_where_its_range_is_the_smaller_one() -> None:
    case = Case(replace(PIXELS, bias=True), profile="wide")
    assert missed(case, {"x": 1000, "w": 1000, "dy": 1000, "b": 1})["y"] == pytest.approx(1 / 3 + 1 / 3)
    assert missed(case, {"x": 4, "w": 4, "dy": 4, "b": 16})["y"] == pytest.approx(1 - (8 / 9) ** 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_example_knows_the_range_that_was_really_drawn(dtype: str) -> None:
    case = Case(SUM, dtype, "wide", seed=5)
    k = max(data.products(SUM).values())
    largest = int((data.MANTISSA[dtype] / k) ** 0.5)
    assert data.example(case).chances["y"] == pytest.approx(2 / (2 * largest + 1), rel=1e-2)


def test_a_chance_below_the_resolution_of_1_is_not_0() -> None:
    assert missed(Case(PIXELS, profile="wide"), dict.fromkeys(("x", "w", "dy"), 2**58))["dx"] == pytest.approx(2**-58)


def test_seeds_multiply_and_one_seed_counts_once() -> None:
    evidence = Evidence()
    for seed in (1, 2, 2):
        evidence.add("y", "forward", Case(PIXELS, seed=seed), 1 / 8)
    evidence.add("y", "forward", Case(PIXELS, "float32", seed=1), 2**-30)
    evidence.add("y", "forward", Case(SUM, seed=1), 1.0)
    assert evidence.summary("y") == {"configurations": 3, "log2_worst": 0, "log2_median": -6, "rare": 1}


def test_a_wrong_layer_survives_no_more_often_than_claimed(monkeypatch) -> None:
    """The whole way: the specification's y, the other orientation's y, compared as a run compares them."""
    case = Case(PIXELS, profile="wide")
    monkeypatch.setattr(data, "amplitudes", lambda *_: dict.fromkeys(("x", "w", "dy"), 2))
    survived = 0
    for seed in range(1_000):
        example = data.example(replace(case, seed=seed))
        x, w = (example.arrays[role].astype(np.int64) for role in ("x", "w"))
        other = oracle.convolution(x, w, **{**PIXELS.options(), "orientation": "cross-correlation"})
        survived += bool((other == example.expected["y"]).all())
    assert 0.25 < survived / 1_000 <= example.chances["y"] + 4 * 0.5 / 1_000**0.5


def test_a_run_says_it_per_quantity_unless_wrong_or_rounded(verify, module) -> None:
    outcome = verify(str(WRONG / "right.py"), checks=("exact", "symbolic"))
    said = outcome.checks["exact"].missed
    assert set(said) == {"y", "dx", "dw", "db"}
    assert all(row["configurations"] >= 80 and 0 <= row["rare"] <= row["configurations"] for row in said.values())
    assert all(row["log2_median"] <= row["log2_worst"] <= 0 for row in said.values())
    assert outcome.checks["symbolic"].missed == {}  # its cotangent is y - t, which is not drawn

    right = "import right\nfrom right import backward\nORIENTATION = 'convolution'\n"
    wrong = right + "def forward(x, w, b, *, stride, padding, dilation):\n"
    wrong += "    return 2 * right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation)\n"
    assert set(verify(module(wrong), checks=("exact",)).checks["exact"].missed) == {"dx", "dw", "db"}
    indirect = verify(module(right + "from right import forward\nALGORITHM = 'indirect'\n"), checks=("exact",))
    assert (indirect.status, indirect.checks["exact"].missed) == (0, {})
