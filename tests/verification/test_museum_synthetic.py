"""The grammar of mutants: right where it must be, wrong where it says, in words, the same in every run."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

import backproof
from backproof.contract import Geometry
from backproof.museum import synthetic
from backproof.museum.reference import Convolution, Options
from backproof.museum.synthetic import LITERALS, PRIMITIVES, Literal, Operands, Primitive, Synthetic, draw
from backproof.museum.synthetic.domain import SIZE, domain, is_equivalent
from backproof.museum.synthetic.literals import hold
from backproof.museum.synthetic.site import Site
from backproof.museum.synthetic.steps import compute
from backproof.museum.witness import Call, outcomes, same

MISTAKES = [(primitive, quantity) for primitive in PRIMITIVES for quantity in primitive.quantities]
SITES = Site.many([place.site for place in domain()[:4000]])


def test_the_table_has_many_mistakes_and_no_two_with_the_same_words() -> None:
    words = Counter((primitive.step, primitive.words) for primitive in PRIMITIVES)
    assert len(PRIMITIVES) >= 40
    assert max(words.values()) == 1
    assert len({literal.words for literal in LITERALS}) == len(LITERALS)


@pytest.mark.parametrize(("primitive", "quantity"), MISTAKES)
def test_a_mistake_shows_somewhere(primitive: Primitive, quantity: str) -> None:
    assert not is_equivalent(primitive, quantity, ())


@pytest.mark.parametrize("literal", LITERALS, ids=lambda literal: literal.words)
def test_a_literal_holds_at_some_calls_and_not_at_others(literal: Literal) -> None:
    assert 0.01 < np.mean(literal.holds(SITES)) < 0.99


def test_a_literal_says_the_same_of_one_site_and_of_many() -> None:
    rng = random.Random(3)
    for number in rng.sample(range(4000), 100):
        site = domain()[number].site
        for literal in LITERALS:
            assert bool(literal.holds(site)) == bool(np.broadcast_to(literal.holds(SITES), (4000,))[number])


def test_the_steps_are_the_reference_s() -> None:
    """Unspoiled, they give what the reference gives, which is held to the oracle elsewhere."""
    layer = Convolution()
    for number in random.Random(4).sample(range(SIZE), 150):
        g = domain()[number].geometry
        rng = np.random.default_rng(number)
        x, w, b, dy = (rng.integers(-9, 10, g.shape_of(role)).astype(float) for role in ("x", "w", "b", "dy"))
        given = Operands(x, w, b, dy, Options(**g.options()))
        right = (layer.forward(x, w, b, **g.options()), *layer.backward(dy, x, w, b, **g.options()))
        for quantity, array in zip(("y", "dx", "dw", "db"), right, strict=True):
            np.testing.assert_array_equal(compute(quantity, given, given.site), array)


def test_a_site_is_that_of_the_call() -> None:
    g = Geometry(2, 4, 6, (5, 7), (2, 3), (2, 1), ((1, 0), (2, 3)), (1, 2), 2, "circular", bias=False)
    x, w, dy = (np.zeros(g.shape_of(role), np.float32) for role in ("x", "w", "dy"))
    site = Operands(x, w, None, dy.T.copy().T, Options(**g.options())).site
    assert (site.N, site.C, site.O, site.G, site.H, site.W, site.kh, site.kw) == (2, 4, 6, 2, 5, 7, 2, 3)
    assert g.output_size == (site.OH, site.OW)
    assert (site.sh, site.sw, site.dh, site.dw, site.top, site.bottom, site.left, site.right) == (
        2,
        1,
        1,
        2,
        1,
        0,
        2,
        3,
    )
    assert (site.wrap, site.float32, site.bias) == (True, True, False)
    assert (site.packed_x, site.packed_w, site.packed_dy) == (True, True, False)
    assert (site.reach, site.reach_w, site.rest, site.rest_w) == (1, 4, 0, 0)


# ---- mutants


def test_a_mutant_is_the_same_in_every_run_and_says_what_is_wrong() -> None:
    mutant = draw(7, 3, 17)
    assert mutant == draw(7, 3, 17) != draw(7, 3, 18)
    layer = synthetic.s7_3_17
    assert (layer.__name__, layer.mutant, layer.__doc__) == ("s7_3_17", mutant, f"{mutant.title}.")
    assert mutant.title.startswith(f"{mutant.quantity}: {mutant.primitive.words}, where ")
    assert mutant.title.count(" and ") >= 2
    assert mutant.target == "backproof.museum.synthetic:s7_3_17"
    assert draw(7, 0, 1).title == f"{draw(7, 0, 1).quantity}: {draw(7, 0, 1).primitive.words}"


def test_a_gate_has_as_many_literals_as_asked_for_and_one_of_each_family() -> None:
    for literals in range(5):
        for number in range(50):
            gate = draw(1, literals, number).gate
            assert len(gate) == len({literal.family for literal in gate}) == literals


@pytest.mark.parametrize("name", ["s1_2", "s1_9_3", "L005"])
def test_a_mutant_that_the_grammar_does_not_have(name: str) -> None:
    with pytest.raises(AttributeError, match="such as s7_3_17"):
        getattr(synthetic, name)


def test_too_many_literals() -> None:
    with pytest.raises(ValueError, match=r"literals \(=9\) must be from 0 to 8"):
        draw(1, 9, 0)


@pytest.mark.parametrize("number", range(24))
def test_a_mutant_is_wrong_in_its_quantity_and_where_its_gate_holds_only(number: int) -> None:
    mutant, layer, right = draw(3, 1, number), getattr(synthetic, f"s3_1_{number}"), Convolution()
    seen = set()
    for place in domain()[:150]:
        wrong, expected = (_results(each, place.geometry, place.dtype, place.layouts) for each in (layer(), right))
        different = {q for q in expected if not np.array_equal(wrong[q], expected[q])}
        assert different <= {mutant.quantity}
        if different:
            seen.add(bool(hold(mutant.gate, place.site)))
    assert seen <= {True}


def _results(layer: Convolution, g: Geometry, dtype: str, layouts: tuple[str, ...]) -> dict[str, np.ndarray]:
    laid = tuple(zip(("x", "w", "dy"), layouts, strict=True))
    y, *_ = outcomes(layer, [Call("forward", g, dtype, laid)])
    gradients = outcomes(layer, [Call("backward", g, dtype, laid)])
    names = ("dx", "dw", "db") if g.bias else ("dx", "dw")
    return {"y": y, **dict(zip(names, gradients, strict=False))}


def test_a_gradient_of_the_bias_alone_is_right() -> None:
    number = next(n for n in range(99) if draw(5, 0, n).quantity == "db")
    calls = [Call("bias_gradient", Geometry(2, 2, 3, (4, 4), (2, 2)))]
    assert same(outcomes(getattr(synthetic, f"s5_0_{number}")(), calls), outcomes(Convolution(), calls))


@pytest.mark.slow
def test_equivalent_mutants_are_recognised() -> None:
    first = PRIMITIVES[0]
    never = tuple(literal for literal in LITERALS if literal.words in ("sh > 1", "sh = 1"))
    assert is_equivalent(first, "y", never)
    assert not Synthetic("", first, "y", ()).equivalent
    wraps = next(literal for literal in LITERALS if literal.words == "the padding is zeros")
    clipped = next(primitive for primitive in PRIMITIVES if primitive.words == "columns do not wrap")
    assert is_equivalent(clipped, "dx", (wraps,)), "what is wrong where padding wraps only"


def test_a_mutant_is_refused_by_name() -> None:
    report = backproof.check(draw(7, 1, 5).target, profile="quick", seed=1, checks=("exact",))
    assert {finding.quantity for finding in report.findings} == {draw(7, 1, 5).quantity}
