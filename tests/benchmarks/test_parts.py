"""The parts of the benchmark, each on something small: what they measure must show what is known to be there."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parts import alarms, arbiter, libraries, peers, times
from parts.checkers import CHECKERS, allclose, exact, torch_forward
from parts.layers import Signature, Subject, data, right, subjects
from parts.sampling import ENOUGH, opened, sample
from parts.shapes import ENTRIES, STRONG, entries, naive, strong

import backproof
from backproof.contract import Geometry
from backproof_spec import oracle

ROOT = Path(__file__).parents[2]
OWN = sorted((ROOT / "benchmarks" / "implementations").glob("*.py"))
WRONG = ROOT / "tests" / "verification" / "wrong"

SUBJECTS = {subject.id: subject for subject in subjects()}
FIXED = strong(SUBJECTS["Flipped"].make().signature)
RIGHT = {subject.id: subject for subject in right()}


# ---- right implementations


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_each_implementation_is_right(path: Path) -> None:
    backproof.check(path, checks=("contract", "exact"), profile="quick", seed=3).raise_for_findings()


# ---- the campaign


def test_a_chunk_counts_what_was_compared() -> None:
    results: dict[str, Any] = {"implementations": {}, "findings": []}
    target = "benchmarks/implementations/im2col.py"
    for _ in range(2):
        alarms.chunk(results, target, "exact", 25)
    row = results["implementations"][target]
    assert row["chunks"] == 2
    assert row["exact"]["examples"] == row["exact"]["counted"] == row["exact"]["comparisons"]["dx"] == 50
    assert alarms.total(results)["alarms"] == 0
    assert results["findings"] == []


def test_chunks_have_seeds_of_their_own() -> None:
    first, second = (opened(str(ROOT / "benchmarks/implementations/im2col.py"), seed) for seed in (1, 2))
    assert first.space.case([0] * len(first.space.sizes), 1) == second.space.case([0] * len(first.space.sizes), 1)
    draws = [np.random.default_rng(bench.seed).integers(1000, size=5).tolist() for bench in (first, second)]
    assert draws[0] != draws[1]


def test_the_campaign_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "IMPLEMENTATIONS", {"numpy": ("einsum", 60), "numba": ("loops", 60)})
    monkeypatch.setattr(alarms, "USUAL", 40)
    saved: list[int] = []
    results: dict[str, Any] = {}

    def save(data: dict[str, Any]) -> None:
        saved.append(alarms.total(data)["exact"])

    alarms.run(results, save, 0.0, lambda text: None)  # no time: one chunk
    assert saved == [40]
    alarms.run(results, save, 5.0, lambda text: None)
    assert saved == [40, 80, 120, 160]  # 40 and 40 of each, in turns
    assert alarms._next(results["implementations"], 1.0) is None


def test_a_wrong_implementation_gives_alarms_which_are_decided_by_fractions() -> None:
    bench = opened(str(WRONG / "dw_not_rotated.py"), 5)
    findings = sample(bench, 300)
    assert ENOUGH <= len(findings) < ENOUGH + 4
    assert {finding.quantity for finding in findings} == {"dw"}
    decisions = {arbiter.decide(asdict(finding))["decision"] for finding in findings}
    assert decisions <= {"the implementation is wrong", "not decided"}  # the latter where the data are not written out
    assert "the implementation is wrong" in decisions


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.scipy
@pytest.mark.torch
def test_a_small_campaign_has_no_alarms() -> None:
    results: dict[str, Any] = {}
    alarms.run(results, lambda data: None, 30.0, lambda text: None, scale=0.005)
    total = alarms.total(results)
    assert total["exact"] >= 5_000
    assert total["mixed"] >= 500
    assert all(row["mixed"]["state"]["examples"] for row in results["implementations"].values() if row["mixed"])
    assert results["findings"] == []


# ---- who is right


def _finding(**changes: Any) -> dict[str, Any]:
    report = backproof.check(WRONG / "dw_not_rotated.py", checks=("exact",), profile="quick", seed=1)
    return {**asdict(report.findings[0]), **changes}


def test_the_arbiter_decides_by_the_exact_value() -> None:
    right_way = _finding()
    assert arbiter.decide(right_way)["decision"] == "the implementation is wrong"
    exchanged = {**right_way, "expected": right_way["actual"], "actual": right_way["expected"]}
    assert arbiter.decide(exchanged)["decision"] == "false alarm"
    assert arbiter.decide({**right_way, "expected": "0.5", "actual": "0.25"})["decision"] == "both are wrong"
    assert arbiter.decide({**right_way, "index": []})["decision"] == "not decided"


def test_the_arbiter_and_the_oracle_agree() -> None:
    rng = np.random.default_rng(8)
    for g in FIXED[::4]:
        arrays = {role: rng.integers(-9, 10, g.shape_of(role)) for role in ("x", "w", "b", "dy")}
        found = arbiter.exact(g, arrays)
        y = oracle.convolution(arrays["x"], arrays["w"], arrays["b"], **g.options())
        expected = (y, *oracle.convolution_gradients(arrays["dy"], arrays["x"], arrays["w"], **g.options()))
        for quantity, array in zip(("y", "dx", "dw", "db"), expected, strict=True):
            for index, value in np.ndenumerate(array):
                assert found[quantity].get(index, Fraction(0)) == int(value), (g, quantity, index)


# ---- peers


def test_the_lists_of_shapes() -> None:
    assert len(FIXED) == STRONG == len(set(FIXED))
    assert max(map(entries, FIXED)) <= ENTRIES
    assert all(min(g.output_size) > 0 for g in (*naive(), *FIXED))


def test_every_convolution_mutant_can_be_called_on_both_lists() -> None:
    for subject in SUBJECTS.values():
        found = peers.lists(subject.make().signature)
        assert found["naive"], subject.id
        assert len(found["strong"]) >= STRONG / 2, subject.id


def test_options_are_told_in_the_form_of_the_signature() -> None:
    whole = Signature((("stride", "int"), ("padding", "int")), "convolution")
    square = Geometry(stride=(2, 2), padding=((1, 1), (1, 1)))
    assert whole.options(square) == {"stride": 2, "padding": 1}
    assert whole.takes(square)
    for g in (Geometry(stride=(2, 1)), Geometry(padding=((1, 1), (0, 0))), Geometry(padding=((1, 0), (1, 0)))):
        assert not whole.takes(g)
    assert not whole.takes(Geometry(dilation=(2, 2)))
    assert not whole.takes(Geometry(orientation="cross-correlation"))
    pairs = Signature((("padding", "Pair"),), "cross-correlation")
    assert pairs.options(Geometry(padding=((2, 2), (1, 1)))) == {"padding": (2, 1)}


@pytest.mark.torch
def test_torch_s_forward_is_the_oracle_s() -> None:
    pytest.importorskip("torch")
    for g in FIXED:
        x, w, b = (np.rint(9 * array).astype(int) for array in data(g, 4))
        expected = oracle.convolution(x, w, b, **g.options())
        assert np.array_equal(torch_forward(g, *(a.astype(float) for a in (x, w, b))), expected)


@pytest.mark.torch
@pytest.mark.jax
@pytest.mark.parametrize("checker", CHECKERS)
def test_a_checker_takes_a_right_layer_and_rejects_a_gross_mistake(checker: str) -> None:
    _needed(checker)
    shapes = [*naive()[:2], *FIXED[:5]]
    right_one = peers.tried(RIGHT["numpy"], CHECKERS[checker], shapes)
    assert right_one["shapes"] == len(shapes)
    assert right_one["objections"] == []
    wrong = peers.tried(SUBJECTS["H007"], CHECKERS[checker], shapes)  # dw is not rotated
    assert wrong["objections"]
    assert wrong["shapes"] <= right_one["shapes"]


@pytest.mark.parametrize("checker", [exact, allclose])
def test_only_a_specification_sees_a_consistent_mistake(checker: Callable[..., bool]) -> None:
    pytest.importorskip("torch")
    assert peers.tried(SUBJECTS["Flipped"], checker, naive())["objections"]


@pytest.mark.torch
@pytest.mark.jax
@pytest.mark.parametrize("name", [s.id for s in SUBJECTS.values() if s.family == "consistent"])
def test_a_gradient_checker_does_not(name: str) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("jax")
    for checker in ("gradcheck, fast mode", "check_grads, x64"):
        assert peers.tried(SUBJECTS[name], CHECKERS[checker], FIXED[:12])["objections"] == []
    assert peers.tried(SUBJECTS[name], exact, FIXED)["objections"]


def test_an_objection_to_the_right_layer_kills_nothing() -> None:
    wrong = SUBJECTS["H007"]
    found = peers.tried(wrong, exact, naive())
    assert found["objections"] == [0]
    assert peers.tried(wrong, exact, naive(), excused=range(len(naive())))["objections"] == []


@pytest.mark.torch
@pytest.mark.jax
def test_an_interrupted_comparison_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("jax")
    monkeypatch.setattr(peers, "naive", lambda: naive()[:1])
    monkeypatch.setattr(peers, "strong", lambda signature: FIXED[:2])
    said: list[str] = []
    results: dict[str, Any] = {"subjects": {"numpy": {"family": "right"}}}
    mutants, layers = [SUBJECTS["H007"]], [RIGHT["numpy"]]
    peers.run(results, lambda data: None, said.append, mutants, layers)
    assert said == ["2 of 2: H007"]
    assert results["complete"]
    assert results["subjects"]["H007"]["naive"]["exact"]["objections"] == [0]


def _needed(checker: str) -> None:
    if checker != "exact":
        pytest.importorskip("jax" if "grads" in checker else "torch")


# ---- libraries


@pytest.mark.torch
@pytest.mark.jax
@pytest.mark.scipy
def test_the_page_of_defects_has_those_that_the_adapters_declare() -> None:
    for module in ("torch", "jax", "scipy"):
        pytest.importorskip(module)
    results = importlib.import_module("parts.page").load(ROOT / "benchmarks" / "results")["libraries"]
    kept = ("library", "name", "summary", "script", "title", "account")
    told = [{key: defect[key] for key in kept} for defect in results["defects"]]
    assert told == libraries.declared(), "run `python benchmarks/detection.py --parts libraries`"


def test_every_program_is_on_the_page() -> None:
    text = (ROOT / "reports" / "libraries.md").read_text(encoding="utf-8")
    for path in (ROOT / "examples" / "defects").glob("*.py"):
        assert f"](../examples/defects/{path.name})" in text
        title = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
        assert title.split(": ", 1)[-1].rstrip(".") in text


# ---- times


def test_a_run_is_timed_check_by_check() -> None:
    found = times.once(str(ROOT / times.TARGETS[0]), "quick", seed=1)
    assert found["wall"] > 0
    assert found["processor"] > 0
    assert set(found["checks"]) == {check.id for check in backproof.checks.CHECKS if not check.of_shapes}


def test_what_is_wrong_has_no_time() -> None:
    with pytest.raises(backproof.VerificationError):
        times.once(str(WRONG / "db_averaged.py"), "quick", seed=1)


def test_a_subject_says_what_it_is() -> None:
    assert isinstance(SUBJECTS["Flipped"], Subject)
    assert {s.family for s in SUBJECTS.values()} == {"museum", "foreign", "consistent"}
    assert SUBJECTS["Flipped"].make().signature == RIGHT["numpy"].make().signature
