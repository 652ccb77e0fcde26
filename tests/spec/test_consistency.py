"""The relations hold; and each of them can fail: one index changed in any equation breaks at least one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

from backproof_spec import EQUATIONS, FULL, VALID_S, VALID_U, Equation
from backproof_spec.consistency import RELATIONS, SWEEP, disagreements
from backproof_spec.equations import pooling
from backproof_spec.equations.backpropagation import bias_gradient, deltas, weight_gradient, weight_gradient_rot180
from backproof_spec.equations.general import KH, KW
from backproof_spec.equations.pooling import DIVISOR, INCLUDE


def test_every_relation_holds() -> None:
    assert list(disagreements()) == []


@pytest.mark.parametrize("identifier", [e for e in EQUATIONS if e != "max-pooling"])  # a constant is no Maximum
def test_every_equation_takes_part_in_a_relation(identifier: str) -> None:
    """An equation that no relation reads could say anything."""
    constant = EQUATIONS[identifier].with_rhs(sp.S(1234567))
    assert any(disagreements({**EQUATIONS, identifier: constant}))


def one_index_changed(equation: Equation) -> Iterator[tuple[str, Equation]]:
    """Every way to add 1 to one index of one read on the right-hand side."""
    for read in sorted(equation.rhs.atoms(sp.Indexed), key=str):
        for axis, index in enumerate(read.indices):
            indices = [*read.indices[:axis], index + 1, *read.indices[axis + 1 :]]
            changed = equation.rhs.subs(read, read.base[tuple(indices)])
            if changed == equation.rhs:  # SymPy does not substitute an expression with bound symbols in place
                changed = equation.rhs.xreplace({read: read.base[tuple(indices)]})
            yield f"{read}, index {axis}", equation.with_rhs(changed)


MUTANTS = [
    pytest.param(identifier, mutant, id=f"{identifier}: {change}")
    for identifier, equation in EQUATIONS.items()
    for change, mutant in one_index_changed(equation)
]


def test_there_are_mutants_of_each_equation() -> None:
    assert {parameter.values[0] for parameter in MUTANTS} == set(EQUATIONS)


@pytest.mark.parametrize(("identifier", "mutant"), MUTANTS)
def test_one_index_changed_breaks_a_relation(identifier: str, mutant: Equation) -> None:
    assert mutant.rhs != EQUATIONS[identifier].rhs
    assert any(disagreements({**EQUATIONS, identifier: mutant}))


DIVISORS = [
    (what, DIVISOR.subs(symbol, symbol + by))
    for symbol in sorted(DIVISOR.free_symbols, key=str)
    for by in (1, -1)
    for what in [f"{symbol} {by:+}"]
] + [("the window's area", KH * KW), ("no padding", DIVISOR.subs(INCLUDE, 0)), ("padding", DIVISOR.subs(INCLUDE, 1))]


@pytest.mark.parametrize(("what", "divisor"), DIVISORS)
def test_another_divisor_breaks_a_relation(what: str, divisor: sp.Expr) -> None:
    """Apart from that which compares the formulas, and would see any change."""
    average = EQUATIONS["average-pooling"]
    mutant = replace(average.with_rhs(average.rhs * DIVISOR / divisor), parameters=(*pooling.PARAMETERS, INCLUDE))
    relation = RELATIONS["averages divide by what sum pooling counts"]
    disagree = []
    for sizes in SWEEP:
        try:
            disagree += [not np.array_equal(a, b) for _, a, b in relation({**EQUATIONS, average.id: mutant}, sizes)]
        except ZeroDivisionError:
            disagree.append(True)
    assert any(disagree)


@pytest.mark.parametrize(
    "equation",
    [weight_gradient(VALID_U), bias_gradient(VALID_U), bias_gradient(VALID_S), deltas(VALID_U)],
    ids=lambda e: f"{e.id} in {e.frame.name}",
)
def test_gradients_also_hold_in_these_frames(equation: Equation) -> None:
    assert list(disagreements({**EQUATIONS, equation.id: equation})) == []


@pytest.mark.parametrize(
    "equation",
    [weight_gradient(VALID_S), weight_gradient_rot180(FULL), weight_gradient_rot180(VALID_U), deltas(VALID_S)],
    ids=lambda e: f"{e.id} in {e.frame.name}",
)
def test_no_frame_makes_all_of_the_post_true(equation: Equation) -> None:
    found = list(disagreements({**EQUATIONS, equation.id: equation}))
    assert {d.equation for d in found} == {equation.id}
    assert all(d.sizes["N_w"] > 1 for d in found), "a 1 x 1 kernel has only one frame"


def test_a_disagreement_says_where() -> None:
    wrong = {**EQUATIONS, "bias-gradient": EQUATIONS["bias-gradient"].with_rhs(sp.S.Zero)}
    assert str(next(disagreements(wrong))).startswith("the bias gradient is dE/db: bias-gradient disagrees at H=")
    assert "the bias gradient is dE/db" in RELATIONS
