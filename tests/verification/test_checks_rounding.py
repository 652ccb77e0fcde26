"""The check `rounding`: exact sums of real-valued data, a bound decided in integers, and what goes beyond it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from backproof.cases.designs import tiny, twins
from backproof.cases.levels import Case
from backproof.cases.reals import PRECISION, PROFILES, Sums, added_up, real_example
from backproof.checks.errors import Measured, errors
from backproof.contract import DTYPES, ORIENTATIONS, Geometry
from backproof.report.html import render
from backproof.report.summary import Run
from backproof.targets.errors import TargetError
from backproof_spec import oracle

WRONG = Path(__file__).parent / "wrong"

#: file -> the quantity found wrong, and a word of the details
PLANTED = {
    "float32_sums": ("y", "as float32 numbers leave them"),
    "tf32_operands": ("dw", "as TF32 or float16 numbers leave them"),
    "shared_exponent": ("y", "times what the rounding of"),
    "one_in_a_million": ("dx", "times what the rounding of"),
    "reciprocal": ("db", "times what the rounding of"),
    "tiny_is_zero": ("y", "declare FLUSHES_SUBNORMALS"),
}


def test_every_wrong_implementation_is_listed() -> None:
    assert {path.stem for path in WRONG.glob("rounding_*.py")} == {f"rounding_{name}" for name in PLANTED}


@pytest.mark.parametrize("name", PLANTED)
def test_what_rounds_too_much_is_found(verify, name: str) -> None:
    quantity, told = PLANTED[name]
    outcome = verify(str(WRONG / f"rounding_{name}.py"), checks=("rounding",))
    (finding,) = outcome.findings
    assert (outcome.status, finding.quantity) == (1, quantity)
    assert finding.summary.startswith(f"{quantity} is further off than rounding explains in ")
    assert any(told in detail for detail in finding.details), finding.details
    assert finding.expected != finding.actual


def test_integers_do_not_show_what_reals_do(verify) -> None:
    outcome = verify(str(WRONG / "rounding_shared_exponent.py"))
    assert [check for check, end in outcome.checks.items() if end.verdict == "failed"] == ["rounding"]


def test_the_program_of_a_finding_makes_the_call(verify, capsys: pytest.CaptureFixture[str]) -> None:
    (finding,) = verify(str(WRONG / "rounding_tf32_operands.py"), checks=("rounding",)).findings
    exec(finding.reproducer, {})
    assert f"{float(finding.actual):.6e}"[:6] in capsys.readouterr().out


def test_what_is_wrong_on_integers_is_one_finding(verify) -> None:
    outcome = verify(str(WRONG / "dw_not_rotated.py"), checks=("exact", "rounding"))
    assert [(finding.check, finding.quantity) for finding in outcome.findings] == [("exact", "dw")]
    assert outcome.checks["rounding"].verdict == "failed"


SEQUENTIAL = """
import numpy as np, right
ORIENTATION = "convolution"
from right import forward
def backward(dy, x, w, b, *, stride, padding, dilation):
    dx, dw, _ = right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
    return dx, dw, np.cumsum(dy.transpose(1, 0, 2, 3).reshape(len(b), -1), 1)[:, -1]
"""


def test_a_sum_term_by_term_is_right_and_its_precision_is_told(verify, module) -> None:
    def long_sums(path: str) -> float:
        outcome = verify(path, checks=("rounding",))
        assert (outcome.status, outcome.findings) == (0, [])
        (note,) = [text for text in outcome.checks["rounding"].notes if text.startswith("float32, sums of 1,000")]
        return float(note.rpartition("db 2^")[2])

    pairwise, sequential = long_sums(str(WRONG / "right.py")), long_sums(module(SEQUENTIAL))
    assert sequential > pairwise + 2


def test_notes_are_shown(verify) -> None:
    outcome = verify(str(WRONG / "right.py"), checks=("rounding",))
    first, *_ = outcome.checks["rounding"].notes
    assert "of the bound" in first
    assert first.partition(":")[0] in render(Run.of(outcome.events))


# ---- right implementations


@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_right_implementations_stay_within_the_bound(verify, target: str) -> None:
    outcome = verify(target, checks=("rounding",), examples=4000)
    assert (outcome.status, outcome.findings) == (0, [])
    assert min(outcome.checks["rounding"].comparisons.values()) > 100


WINOGRAD = (WRONG / "locality_winograd.py").read_text(encoding="utf-8")


def test_an_indirect_algorithm_is_held_to_what_it_declares(verify, module) -> None:
    path = module(WINOGRAD.replace("ORIENTATION", 'ALGORITHM = "indirect"\nORIENTATION', 1))
    check = verify(path, checks=("rounding",)).checks["rounding"]
    assert (check.verdict, check.examples) == ("not verified", 0)
    assert "declare ERROR_GROWTH" in next(iter(check.not_supported))
    declared = verify(path, checks=("rounding",), declarations={"ERROR_GROWTH": "36"}, examples=2000)
    assert (declared.status, declared.findings) == (0, [])
    half = path.replace("target", "half")
    Path(half).write_text(Path(path).read_text().replace("/ 2, (g0", "/ np.float16(2), (g0").replace(
        "d1 + d2,", "(d1 + d2) * x.dtype.type(1 + 2**-9),"), encoding="utf-8")  # fmt: skip
    found = verify(half, checks=("rounding",), declarations={"ERROR_GROWTH": "36"}, examples=2000)
    assert {finding.quantity for finding in found.findings} == {"y"}


@pytest.mark.parametrize("value", ["0", "2.5", "-1", "many"])
def test_what_is_no_growth(verify, value: str) -> None:
    with pytest.raises(TargetError, match=rf"ERROR_GROWTH must be a whole number of at least 1, .*not '{value}'"):
        verify("numpy", declarations={"ERROR_GROWTH": value})


def test_gradients_that_are_differences_are_not_verified(verify) -> None:
    check = verify(str(Path(__file__).parent / "styles" / "layer_updates.py"), checks=("rounding",)).checks["rounding"]
    assert check.verdict == "not verified"
    assert "differences of the weights" in next(iter(check.not_supported))


# ---- the sums


SHAPES = [g for orientation in ORIENTATIONS for g in (*tiny(orientation)[:5], twins(orientation)[10])]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_are_those_of_the_numbers_handed_over(profile: str, dtype: str) -> None:
    for number, geometry in enumerate(SHAPES):
        drawn = real_example(Case(geometry, dtype, profile, seed=number))
        numbers = {role: _fractions(array) for role, array in drawn.arrays.items()}
        options = geometry.options()
        y = oracle.convolution(numbers["x"], numbers["w"], numbers["b"], numbers="object", **options)
        gradients = oracle.convolution_gradients(numbers["dy"], numbers["x"], numbers["w"], numbers="object", **options)
        for quantity, values in zip(("y", "dx", "dw", "db"), (y, *gradients), strict=True):
            sums = drawn.sums[quantity]
            assert (sums.exact * Fraction(2) ** sums.power == values).all()
            assert (abs(sums.exact) <= sums.absolute).all()
        assert all(np.isfinite(array).all() for array in drawn.arrays.values())


def _fractions(array: np.ndarray) -> np.ndarray:
    return np.array([Fraction(value) for value in array.ravel().tolist()], dtype=object).reshape(array.shape)


def test_sums_of_any_length_are_added_up_by_limbs() -> None:
    geometry = Geometry(2, 3, 2, (3, 4), (2, 2), stride=(1, 2), bias=False)
    rng = np.random.default_rng(0)
    for bits in (1, 20, 31, 40, 62):
        integers = {r: rng.integers(-(2**bits), 2**bits, geometry.shape_of(r)) for r in ("x", "w", "dy")}
        found = added_up(geometry, integers)
        x, w, dy = (integers[role].astype(object) for role in ("x", "w", "dy"))
        gradients = oracle.convolution_gradients(dy, x, w, numbers="object", **geometry.options())
        assert (found["y"] == oracle.convolution(x, w, numbers="object", **geometry.options())).all()
        for quantity, values in zip(("dx", "dw", "db"), gradients, strict=True):
            assert (found[quantity] == values).all()


def test_terms_are_counted_for_every_entry() -> None:
    geometry = Geometry(1, 1, 1, (3, 3), (3, 3), padding=((1, 1), (1, 1)), bias=True)
    sums = real_example(Case(geometry, "float32", "positive")).sums
    assert sums["y"].terms[0, 0].tolist() == [[5, 7, 5], [7, 10, 7], [5, 7, 5]]
    assert sums["db"].terms.tolist() == [9]


# ---- the bound


@pytest.mark.parametrize(("dtype", "power"), list(product(DTYPES, (0, -40))))
def test_the_bound_is_decided_in_integers(dtype: str, power: int) -> None:
    """With K = 1 and S = (2**t - 1) * 2**20, the error may be 2**20 units, and not the least bit more."""
    bits = PRECISION[dtype]
    whole = (2**bits - 1) * 2**20
    sums = _sums(0, whole, 1, power)
    for off, beyond in ((2**20, False), (-(2**20), False), (2**20 + 1, True), (2**20 + 2**-20, True), (0, False)):
        found = errors(np.ldexp([float(off)], power), sums, (sums.terms, sums.absolute), dtype)
        assert found.beyond.tolist() == [beyond], off


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_what_is_no_sum_is_beyond(value: float) -> None:
    sums = _sums(3, 3, 1, -400)
    assert errors(np.array([value]), sums, (sums.terms, sums.absolute), "float64").beyond.all()


def test_products_below_the_smallest_number_may_lose_half_of_it() -> None:
    sums = _sums(3, 3, 2, -151)  # 3/4 of 2**-149, of two terms
    for value, beyond in ((0.0, False), (2.0**-149, False), (2.0**-148, True)):
        found = errors(np.array([value], "float32"), sums, (sums.terms, sums.absolute), "float32")
        assert found.beyond.tolist() == [beyond]


def test_an_entry_without_terms_is_zero() -> None:
    sums = _sums(0, 0, 0, -20)
    assert not errors(np.array([-0.0]), sums, (sums.terms, sums.absolute), "float64").beyond.any()
    found = errors(np.array([2.0**-60]), sums, (sums.terms, sums.absolute), "float64")
    assert found.beyond.all()
    assert np.isinf(found.share).all()


def test_measured_errors_are_those_of_the_worst_entry() -> None:
    sums = _sums(2**30, 2**30, 1, 0)
    found = errors(np.array([2.0**30 + 2**5]), sums, (sums.terms, sums.absolute), "float32")
    measured = Measured()
    measured.add("float32", "y", found)
    measured.add("float32", "dx", replace(found, relative=0 * found.relative))
    (note,) = measured.notes()
    assert note.startswith("float32, sums of all lengths: ")
    assert note.endswith("up to y 2^-25.0, dx 0; at most 0.50 of the bound")


def _sums(exact: int, absolute: int, terms: int, power: int) -> Sums:
    return Sums(np.array([exact], object), np.array([absolute], object), np.array([terms]), power)
