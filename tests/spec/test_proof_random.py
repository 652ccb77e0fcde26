"""The decision procedure and the interpreter on random formulas: small convolutions with anything for an index.

Each formula is compared with itself written differently, and with itself with one thing changed.  What is proved has
to be the same polynomial at all small sizes; what is refuted has to differ, and nowhere smaller.
"""

from __future__ import annotations

from collections import Counter
from functools import reduce
from itertools import product
from typing import Any

import pytest
import sympy as sp
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from spec.mutants import mutants, refutes

from backproof_spec.model import Axis, Tensor, integers
from backproof_spec.proof.interpret import holds, polynomial, smallest_difference
from backproof_spec.proof.language import Setting
from backproof_spec.proof.prove import Domain, Fact, Identity, prove
from backproof_spec.proof.quantifier import Exists
from backproof_spec.proof.verdict import Status

N, M, x, y, u, v = integers("N M x y u v")
T, R = Tensor("t", (Axis(N),)), Tensor("r", (Axis(M, lower=1 - M),))
G = Tensor("g", (Axis(N), Axis(M)))
SETTING = Setting({t.name: t for t in (T, R, G)})
DOMAIN = Domain({N: 1, M: 1})
RANGES = {x: Axis(N), y: Axis(M)}

Draw = Any
OFFSETS = (0, 0, 0, 1, -1, N - 1, 1 - N, M - 1, 1 - M)


@st.composite
def formulas(draw: Draw) -> sp.Expr:
    """One or two terms, each a product or a sum of products over one or two indices."""
    terms = [draw(_terms()) for _ in range(draw(st.integers(1, 2)))]
    return sp.Add(*terms)


@st.composite
def _terms(draw: Draw) -> sp.Expr:
    bound = draw(st.sampled_from([(), (u,), (u, v), (u, v)]))
    factors = [_entry(draw, (x, y, *bound)) for _ in range(draw(st.integers(1, 2)))]
    # most indices of sums are those of an entry, or the sum would only count
    factors += [draw(st.sampled_from((T, R)))[draw(_affine((i,)))] for i in bound if draw(st.integers(0, 9))]
    body = draw(st.sampled_from((1, 1, -1, 2, sp.S.Half))) * sp.Mul(*factors)
    return sp.Sum(body, *(draw(_limits(i)) for i in bound)) if bound else body


def _entry(draw: Draw, scope: tuple[sp.Symbol, ...]) -> sp.Expr:
    kind = draw(st.sampled_from((T, T, R, G, "delta")))
    if kind == "delta":
        return sp.KroneckerDelta(draw(_affine(scope)), draw(_affine(scope)))
    assert isinstance(kind, Tensor)
    return kind[tuple(draw(_affine(scope)) for _ in kind.axes)]


@st.composite
def _affine(draw: Draw, scope: tuple[sp.Symbol, ...]) -> sp.Expr:
    """One or two symbols and an offset."""
    used = draw(st.lists(st.sampled_from(scope), min_size=1, max_size=2, unique=True))
    return sum((draw(st.sampled_from((1, -1))) * s for s in used), start=sp.S(draw(st.sampled_from(OFFSETS))))


@st.composite
def _limits(draw: Draw, index: sp.Symbol) -> tuple[sp.Symbol, sp.Expr, sp.Expr]:
    first, last = draw(st.sampled_from([(0, N - 1), (0, M - 1), (1 - M, 0), (0, x), (x, N), (1, N - 2), (-1, M)]))
    return index, sp.S(first), sp.S(last)


@st.composite
def rewritten(draw: Draw, expr: sp.Expr) -> sp.Expr:
    """The same in other words: sums over other indices, from their end, in another order, split, or expanded."""

    def other(total: sp.Sum) -> sp.Expr:
        limits = [tuple(limit) for limit in total.limits]
        body = total.function
        for k, (index, first, last) in enumerate(limits):
            shift = draw(st.sampled_from((None, sp.S.Zero, sp.S.One, N)))
            if shift is None:
                body = body.xreplace({index: first + last - index})
            else:
                body, limits[k] = body.xreplace({index: index - shift}), (index, first + shift, last + shift)
        if draw(st.booleans()):  # split the last index where it is 1: both parts may be empty
            index, first, last = limits.pop()
            parts = ((first, sp.Min(last, 1)), (sp.Max(first, 2), last)) if draw(st.booleans()) else ((first, last),)
            return sp.Add(*(sp.Sum(body, (index, *part), *reversed(limits)) for part in parts))
        return sp.Sum(body, *reversed(limits))

    changed = reduce(lambda e, total: e.xreplace({total: other(total)}), expr.atoms(sp.Sum), expr)
    return sp.expand(changed) if draw(st.booleans()) else changed


def equal_when_small(claim: Identity, largest: int = 3) -> bool:
    """Whether both sides are one polynomial for all sizes up to `largest` and all indices."""
    for rows, taps in product(range(1, largest + 1), repeat=2):
        sizes = {"N": rows, "M": taps}
        for i, j in product(range(rows), range(taps)):
            left, right = (polynomial(e, SETTING, sizes, {"x": i, "y": j}) for e in (claim.left, claim.right))
            if left != right:
                return False
    return True


def check(claim: Identity) -> Status:
    """The verdict, found to be right."""
    verdict = prove(claim)
    event(verdict.status.value)
    if verdict.status is Status.PROVED:
        assert equal_when_small(claim)
    elif verdict.status is Status.REFUTED:
        case = verdict.counterexample
        assert case is not None
        assert case.left != case.right
        assert refutes(case, claim)
        if sum(case.sizes.values()) <= 6:
            other = smallest_difference(claim.left, claim.right, SETTING, (N, M), RANGES, limit=15)
            assert other is not None
            assert other.sizes == case.sizes
    else:
        assert "counted" in verdict.reason or "vacuous" in verdict.reason
    return verdict.status


QUIET = settings(max_examples=35, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUIET
@given(st.data())
def test_the_same_in_other_words_is_never_refuted(data: st.DataObject) -> None:
    expr = data.draw(formulas())
    assume(expr != 0)
    claim = Identity(expr, data.draw(rewritten(expr)), SETTING, RANGES, DOMAIN)
    assert check(claim) is not Status.REFUTED


@pytest.mark.slow
@QUIET
@given(st.data())
def test_a_changed_formula_is_judged_rightly(data: st.DataObject) -> None:
    expr = data.draw(formulas())
    assume(expr != 0)
    claim = Identity(expr, expr, SETTING, RANGES, DOMAIN)
    check(data.draw(st.sampled_from(mutants(claim))).obligation)


@settings(QUIET, max_examples=20)
@given(formulas(), formulas())
def test_two_formulas_are_judged_rightly(left: sp.Expr, right: sp.Expr) -> None:
    assume(left != 0)
    check(Identity(left, right, SETTING, RANGES, DOMAIN))


@st.composite
def conditions(draw: Draw) -> sp.Basic:
    """Relations between small numbers, some of them rounded, under one or two connectives."""

    def number() -> sp.Expr:
        value = sum((draw(st.integers(-2, 2)) * s for s in (x, N, M)), start=sp.S(draw(st.integers(-3, 3))))
        divisor = draw(st.sampled_from((2, 3)))  # what is linear, z3 decides at once
        return draw(st.sampled_from((value, value, sp.floor(value / divisor), sp.Mod(value, divisor))))

    def relation() -> sp.Basic:
        return draw(st.sampled_from((sp.Le, sp.Lt, sp.Eq, sp.Ne)))(number(), number())

    join = draw(st.sampled_from((sp.And, sp.Or, sp.Implies, sp.Equivalent, lambda a, b: sp.Or(sp.Not(a), b))))
    some = Exists(sp.Eq(number(), u), (u, 0, N)) if draw(st.booleans()) else relation()
    return join(some, relation())


@pytest.mark.slow
@settings(QUIET, max_examples=40)
@given(conditions())
def test_facts_are_judged_rightly(condition: sp.Basic) -> None:
    """All cases up to 3 are tried: a refuted fact is true in all that are smaller, a proved one in all."""
    inside = (x >= 0, x < N)
    verdict = prove(Fact(condition, DOMAIN, (x,), inside))
    event(verdict.status.value)
    cases = [{"N": rows, "M": taps, "x": i} for rows, taps in product((1, 2, 3), repeat=2) for i in range(rows)]
    false = [case for case in cases if not holds(condition, case)]
    if verdict.status is Status.PROVED:
        assert not false
    elif verdict.status is Status.REFUTED:
        case = verdict.counterexample
        assert case is not None
        assert refutes(case, Fact(condition, DOMAIN, (x,), inside))
        found = [sum(case.sizes.values()), *case.sizes.values(), *case.indices.values()]
        if false:
            assert found <= min([c["N"] + c["M"], c["N"], c["M"], c["x"]] for c in false)
        else:
            assert max(case.sizes.values()) > 3
    else:
        assert "z3" in verdict.reason


@pytest.mark.slow
def test_most_random_formulas_are_decided() -> None:
    """What is open tests nothing."""
    found: Counter[Status] = Counter()

    @settings(QUIET, max_examples=30, derandomize=True, database=None)
    @given(st.data())
    def collect(data: st.DataObject) -> None:
        expr = data.draw(formulas())
        found[prove(Identity(expr, data.draw(rewritten(expr)), SETTING, RANGES, DOMAIN)).status] += 1

    collect()
    assert found[Status.PROVED] * 2 > found.total(), found
