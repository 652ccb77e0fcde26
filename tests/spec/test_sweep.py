"""The sweep finds what holds in which frame, and can fail: for one index changed anywhere, and for a wrong forward."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import prod
from typing import Any

import numpy as np
import pytest
import sympy as sp

from backproof_spec.model import FRAMES, FULL, VALID_S, VALID_U, Equation, Frame
from backproof_spec.proof import net
from backproof_spec.proof.net import Net, Shape
from backproof_spec.proof.ring import Polynomial
from backproof_spec.proof.sweep import EQUATIONS, QUICK, Outcome, SweepResult, sweep
from backproof_spec.proof.walk import Dual

FAILING = {
    ("single-input", "VALID_S"),
    ("complete-input", "VALID_S"),
    ("weight-gradient", "VALID_S"),
    ("weight-gradient-rot180", "FULL"),
    ("weight-gradient-rot180", "VALID_U"),
    ("deltas", "VALID_S"),
}
HOLDING = [(i, frame) for i in EQUATIONS for frame in FRAMES if (i, frame.name) not in FAILING]


@cache
def quick() -> SweepResult:
    return sweep(*QUICK)


def test_what_holds_in_which_frame() -> None:
    table = quick().table
    assert set(table) == {(identifier, frame.name) for identifier in EQUATIONS for frame in FRAMES}
    assert {key for key, outcome in table.items() if outcome.fails_at is not None} == FAILING
    assert {key for key, outcome in table.items() if outcome.holds} == set(table) - FAILING


def test_a_frame_matters_for_kernels_larger_than_1_only() -> None:
    assert {outcome.fails_at.N_w for outcome in quick().table.values() if outcome.fails_at} == {2}


def test_the_first_shape_that_fails_is_the_smallest() -> None:
    table = quick().table
    assert table["complete-input", "VALID_S"].fails_at == Shape(2, 2, 2, (1, 1, 1))
    assert table["weight-gradient-rot180", "FULL"].fails_at == Shape(1, 1, 2, (1, 1, 1))
    # two layers of valid pixels: nothing smaller has an output
    assert table["deltas", "VALID_S"].fails_at == Shape(3, 3, 2, (1, 1, 1))
    assert str(Shape(3, 2, 2, (1, 2, 1))) == "3 x 2 image, 2 x 2 kernels, 1, 2, 1 units"


@pytest.mark.slow
def test_larger_shapes_say_the_same() -> None:
    result = sweep()
    assert {key for key, outcome in result.table.items() if not outcome.holds} == FAILING
    assert result.shapes == 5 * 5 * 3 * 2 * 2 * 2


# --- each comparison can fail ---


def one_index_changed(equation: Equation) -> Iterator[tuple[str, Equation]]:
    """Every way to add 1 to one index of one read on the right-hand side."""
    for read in sorted(equation.rhs.atoms(sp.Indexed), key=str):
        for axis, index in enumerate(read.indices):
            changed = read.base[(*read.indices[:axis], index + 1, *read.indices[axis + 1 :])]
            yield f"{read}, index {axis}", equation.with_rhs(equation.rhs.xreplace({read: changed}))


MUTANTS = [
    pytest.param(identifier, frame, mutant, id=f"{identifier} in {frame.name}: {change}")
    for identifier, frame in HOLDING
    for change, mutant in one_index_changed(EQUATIONS[identifier](frame))
]


@pytest.mark.parametrize(("identifier", "frame", "mutant"), MUTANTS)
def test_one_index_changed_is_noticed(identifier: str, frame: Frame, mutant: Equation) -> None:
    assert mutant.rhs != EQUATIONS[identifier](frame).rhs
    result = sweep(*QUICK, frames=(frame,), equations={identifier: lambda _: mutant})
    assert result.table[identifier, frame.name].fails_at is not None


def test_there_are_mutants_of_each_equation() -> None:
    assert {parameter.values[0] for parameter in MUTANTS} == set(EQUATIONS)


@pytest.mark.parametrize("factor", [-1, 2, sp.S.Half])
@pytest.mark.parametrize("identifier", list(EQUATIONS))
def test_a_factor_is_noticed(identifier: str, factor: sp.Expr) -> None:
    frame = VALID_S if identifier == "weight-gradient-rot180" else FULL
    scaled = EQUATIONS[identifier](frame).with_rhs(factor * EQUATIONS[identifier](frame).rhs)
    result = sweep(*QUICK, frames=(frame,), equations={identifier: lambda _: scaled})
    assert result.table[identifier, frame.name].fails_at is not None


def _correlation(image: Any, kernel: Any, bias: Any, full: bool) -> Any:
    return true_convolution(image, kernel[:, :, ::-1, ::-1], bias, full)


def _without_bias(image: Any, kernel: Any, bias: Any, full: bool) -> Any:
    return true_convolution(image, kernel, 0 * bias, full)


def _transposed(image: Any, kernel: Any, bias: Any, full: bool) -> Any:
    return true_convolution(image, kernel.swapaxes(2, 3), bias, full)


true_convolution = net.convolve


@pytest.mark.parametrize(
    ("wrong", "noticed"),
    [
        (_correlation, {"complete-input", "weight-gradient", "deltas"}),
        (_without_bias, {"complete-input", "bias-gradient"}),
        (_transposed, {"complete-input", "weight-gradient", "deltas"}),
    ],
)
def test_a_wrong_forward_is_noticed(monkeypatch: pytest.MonkeyPatch, wrong: Any, noticed: set[str]) -> None:
    monkeypatch.setattr(net, "convolve", wrong)
    result = sweep(*QUICK, frames=(FULL,))
    failing = {identifier for (identifier, _), outcome in result.table.items() if outcome.fails_at is not None}
    assert failing - {"single-input", "weight-gradient-rot180"} == noticed


def test_nothing_compared_is_nothing_that_holds() -> None:
    """A valid frame without pixels compares zeros with zeros."""
    assert not Outcome().holds
    empty = Net(Shape(1, 1, 2, (1, 1, 1)), full=False)
    assert not empty.error
    assert not any(np.count_nonzero(truth) for i in EQUATIONS for _, _, truth in empty.cases(i))


# --- the derivatives of a net ---


@pytest.mark.parametrize("full", [True, False])
def test_the_derivatives_are_those_of_dual_numbers_for_a_cubic_activation(full: bool) -> None:
    two_layers = Net(Shape(3, 4, 2, (1, 2, 1)), full)
    variables = [g for layer in two_layers.layers for g in (*layer.w.flat, *layer.b.flat)]
    derivatives = [d for dw, db in two_layers.gradients for d in (*dw.flat, *db.flat)]
    assert len(derivatives) == len(variables) == 2 * (2 * 4) + 2 + 1
    for variable, derivative in zip(variables, derivatives, strict=True):
        values = _cubic(two_layers, _number(variable))
        expected = _value(two_layers.error, values).derivative
        assert expected != 0
        assert _value(derivative, values).value == expected


def _cubic(of: Net, variable: int) -> dict[int, Dual]:
    """Values of all generators, changing with one of them; a(c) = c**3 and a'(c) = 3 c**2."""
    values = {g: Dual((7 * g * g + 11 * g + 3) % 101 - 50, int(g == variable)) for g in range(1000)}
    for layer in of.layers:
        for o, slope, pixel in zip(layer.o.flat, layer.slope.flat, layer.c.flat, strict=True):
            c = _value(pixel, values)
            values[_number(o)], values[_number(slope)] = c * c * c, 3 * c * c
    return values


def _value(polynomial: Polynomial, values: dict[int, Dual]) -> Dual:
    terms = (prod((values[g] for g in m), start=Dual(c, 0)) for m, c in polynomial.terms.items())
    return sum(terms, Dual(0, 0))


def _number(generator: Polynomial) -> int:
    return int(next(iter(generator.terms))[0])


# --- the function ---


def test_progress_and_frames() -> None:
    calls: list[tuple[int, int]] = []
    result = sweep(2, 1, 1, frames=(VALID_U,), progress=lambda done, total: calls.append((done, total)))
    assert calls == [(k, 4) for k in range(1, 5)]
    assert result.shapes == 4
    assert {frame for _, frame in result.table} == {"VALID_U"}
    assert result.identities == sum(outcome.identities for outcome in result.table.values()) > 0


def test_bounds_and_equations_are_checked() -> None:
    with pytest.raises(ValueError, match="max_kernel is 0; it has to be at least 1"):
        sweep(max_kernel=0)
    with pytest.raises(ValueError, match="no equation 'general-forward' can be swept"):
        sweep(*QUICK, equations={"general-forward": lambda frame: _renamed(EQUATIONS["output"](frame))})


def _renamed(equation: Equation) -> Equation:
    return Equation(
        "general-forward",
        equation.title,
        equation.source,
        equation.tensors,
        equation.lhs,
        equation.rhs,
        equation.parameters,
    )
