"""The decision procedure against cases worked out by hand: what it must prove, what it must refute, what it must leave.

Where it says "proved", nothing else looks at the answer; so each way to be wrong has a formula here that only a wrong
procedure would accept.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import pytest
import sympy as sp

from backproof_spec.equations.symbols import slope
from backproof_spec.model import Axis, Tensor, integers
from backproof_spec.proof import integers as integer_arithmetic
from backproof_spec.proof import prove as prover
from backproof_spec.proof.interpret import evaluate, holds
from backproof_spec.proof.language import Definition, Partial, Setting
from backproof_spec.proof.prove import Domain, Fact, Identity, prove
from backproof_spec.proof.quantifier import Exists, ForAll
from backproof_spec.proof.verdict import Status, Verdict

N, M, k, s, x, y, u, v, q = integers("N M k s x y u v q")
a = sp.Function("a")

T, R = Tensor("t", (Axis(N),)), Tensor("r", (Axis(M),))
G = Tensor("g", (Axis(N), Axis(N)))
LATE = Tensor("late", (Axis(N, lower=M - 1),))  # M - 1 ... M + N - 2
DELTA, E = Tensor("delta", (Axis(N),)), Tensor("E", (Axis(sp.S.One),))
PLAIN = Setting({t.name: t for t in (T, R, G, LATE, DELTA, E)})
SIZES = Domain({N: 1, M: 1})
X, Y = {x: Axis(N)}, {x: Axis(N), y: Axis(N)}


def judged(
    left: Any,
    right: Any,
    ranges: Mapping[sp.Symbol, Axis] = X,
    setting: Setting = PLAIN,
    domain: Domain = SIZES,
    **more: Any,
) -> Verdict:
    return prove(Identity(sp.sympify(left), sp.sympify(right), setting, ranges, domain, **more))


def case(verdict: Verdict) -> tuple[dict[str, int], dict[str, int], dict[Any, int], Fraction, Fraction]:
    """A refutation's sizes, indices, entries and both values."""
    assert verdict.status is Status.REFUTED, verdict
    found = verdict.counterexample
    assert found is not None
    return dict(found.sizes), dict(found.indices), dict(found.entries), found.left, found.right


def over(size: sp.Expr, index: sp.Symbol = u) -> tuple[sp.Symbol, int, sp.Expr]:
    return index, 0, size - 1


def total(tensor: Tensor, index: sp.Symbol = u) -> sp.Sum:
    return sp.Sum(tensor[index], over(tensor.axes[0].size, index))


# --- boxes ---


@pytest.mark.parametrize(
    ("wider", "equal"),
    [
        ((u, -2, N - 1), True),
        ((u, 0, N + 5), True),
        ((u, -N, 2 * N), True),
        ((u, 0, N - 2), False),
        ((u, 1, N - 1), False),
    ],
)
def test_what_lies_outside_a_box_adds_nothing(wider: tuple[Any, ...], equal: bool) -> None:
    assert (judged(sp.Sum(T[u], wider), total(T), {}).status is Status.PROVED) == equal


def test_a_box_may_begin_anywhere() -> None:
    own = sp.Sum(LATE[u], (u, M - 1, M + N - 2))
    assert judged(sp.Sum(LATE[u], (u, 0, M + N)), own, {}).status is Status.PROVED
    sizes, _, entries, left, right = case(judged(sp.Sum(LATE[u], over(N)), own, {}))
    assert (sizes, entries, left, right) == ({"N": 1, "M": 2}, {("late", (1,)): 1}, 0, 1)


def test_a_read_outside_the_box_is_0_on_either_side() -> None:
    assert judged(T[x + N], 0).status is Status.PROVED
    assert judged(T[x - 1], 0, {x: Axis(sp.S.One)}).status is Status.PROVED
    assert case(judged(T[x - 1], 0))[:3] == ({"N": 2, "M": 1}, {"x": 1}, {("t", (0,)): 1})


def test_an_index_counts_only_with_all_axes_inside() -> None:
    diagonal = sp.Sum(G[u, u + 1], over(N))
    assert judged(diagonal, sp.Sum(G[u, u + 1], over(N - 1)), {}).status is Status.PROVED
    assert case(judged(diagonal, sp.Sum(G[u, u + 1], over(N - 2)), {}))[0] == {"N": 2, "M": 1}


# --- sums ---


def test_an_empty_sum_is_0() -> None:
    """In SymPy's own convention it is minus the sum over what lies between."""
    assert judged(sp.Sum(LATE[u], (u, 0, -3)), 0, {}).status is Status.PROVED
    assert judged(sp.Sum(T[u], (u, 2, 0)), -T[1], {}, domain=Domain({N: 3})).status is Status.REFUTED
    short = Domain({N: 1, M: 1}, (N < M,))
    assert judged(sp.Sum(T[u], (u, 0, N - M)), 0, {}, domain=short).status is Status.PROVED


def test_sums_do_not_know_their_order_or_direction() -> None:
    product = R[u] * G[x, v]
    both = sp.Sum(product, over(M, u), over(N, v))
    assert judged(both, sp.Sum(product, over(N, v), over(M, u))).status is Status.PROVED
    assert judged(both, total(R) * sp.Sum(G[x, v], over(N, v))).status is Status.PROVED
    backwards = sp.Sum(R[M - 1 - u] * G[x, N - 1 - v], over(M, u), over(N, v))
    assert judged(both, backwards).status is Status.PROVED
    half_backwards = sp.Sum(T[u] * G[x, N - 1 - u], over(N))
    assert judged(sp.Sum(T[u] * G[x, u], over(N)), half_backwards).status is Status.REFUTED


def test_limits_may_use_outer_indices() -> None:
    lower = sp.Sum(G[u, v], (v, 0, u), (u, 0, N - 1))
    assert judged(lower, sp.Sum(G[u, v], (u, v, N - 1), (v, 0, N - 1)), {}).status is Status.PROVED
    strict = sp.Sum(G[u, v], (v, 0, u - 1), (u, 0, N - 1))
    assert case(judged(lower, strict, {}))[:3] == ({"N": 1, "M": 1}, {}, {("g", (0, 0)): 1})


# --- captures ---


def test_bound_indices_have_no_name() -> None:
    assert judged(total(T, x), total(T, u)).status is Status.PROVED, "x is bound here and free elsewhere"
    assert judged(total(T, x) * T[x], total(T, u) * T[x]).status is Status.PROVED
    assert judged(total(T, x) * T[x], sp.Sum(T[x] * T[x], over(N, x))).status is Status.REFUTED


def test_unfolding_a_definition_captures_nothing() -> None:
    """c[x] = sum over u of t[u] r[x - u] is read at u, within a sum over u, and with its own indices exchanged."""
    c = Tensor("c", (Axis(N + M - 1),))
    setting = PLAIN.define(c, (x,), sp.Sum(T[u] * R[x - u], over(N)))
    renamed = PLAIN.define(c, (q,), sp.Sum(T[v] * R[q - v], over(N, v)))
    for index in (x, u, q, v):
        expected = sp.Sum(T[y] * R[index - y], over(N, y))
        assert judged(c[index], expected, {index: c.axes[0]}, setting).status is Status.PROVED
        assert judged(c[index], expected, {index: c.axes[0]}, renamed).status is Status.PROVED
    weighted = sp.Sum(c[u] * G[0, u], over(N))
    expected = sp.Sum(T[y] * R[u - y] * G[0, u], over(N, y), over(N, u))
    assert judged(weighted, expected, {}, setting).status is Status.PROVED
    assert judged(weighted, sp.Sum(T[u] * R[0] * G[0, u], over(N)), {}, setting).status is Status.REFUTED
    skew = PLAIN.define(Tensor("d", G.axes), (x, y), T[x] * G[y, x])
    d = skew.tensors["d"]
    assert judged(d[y, x], T[y] * G[x, y], Y, skew).status is Status.PROVED
    assert judged(d[y, x], T[x] * G[y, x], Y, skew).status is Status.REFUTED


def test_a_definition_is_0_outside_its_own_box() -> None:
    setting = PLAIN.define(Tensor("c", (Axis(N - 1),)), (x,), T[x])
    c = setting.tensors["c"]
    assert judged(c[x], T[x], {x: Axis(N - 1)}, setting).status is Status.PROVED
    assert case(judged(c[x], T[x], X, setting))[:3] == ({"N": 1, "M": 1}, {"x": 0}, {("t", (0,)): 1})


def test_a_sum_within_a_sum_over_the_same_index() -> None:
    """SymPy writes both into one `Sum`; the inner index hides the outer one."""
    twice = sp.Sum(sp.Sum(T[u], (u, 0, 1)), (u, 0, 2))
    assert case(judged(twice, sp.Sum(T[u], (u, 0, 1)), {}))[3:] == (3, 1)
    assert judged(twice, 3 * sp.Sum(T[u], (u, 0, 1)), {}).status is Status.PROVED


def test_a_limit_belongs_to_what_is_outside_the_sum() -> None:
    upto = sp.Sum(T[x], (x, 0, x))
    assert judged(upto, sp.Sum(T[u], (u, 0, x))).status is Status.PROVED
    assert judged(upto, total(T)).status is Status.REFUTED
    crossed = sp.Sum(T[u], (u, 0, v), (v, 0, u))
    assert judged(crossed, sp.Sum(T[x], (x, 0, y), (y, 0, u)), {u: Axis(N)}).status is not Status.REFUTED


def test_a_definition_knows_only_sizes_and_its_own_indices() -> None:
    """The same expression would otherwise mean something else in each place that reads it."""
    setting = PLAIN.define(Tensor("c", T.axes), (x,), T[q])
    with pytest.raises((KeyError, ValueError), match="q"):
        judged(sp.IndexedBase("c")[0], T[q], {q: Axis(N)}, setting)


# --- products, powers, repeated tensors ---


def test_products_of_sums() -> None:
    square = total(T, u) * total(T, v)
    assert judged(square, sp.Sum(T[u] * T[v], over(N, u), over(N, v)), {}).status is Status.PROVED
    assert judged(square, total(T) ** 2, {}).status is Status.PROVED
    assert judged(square, sp.Sum(T[u] ** 2, over(N)), {}).status is Status.REFUTED
    assert judged((total(T) + total(R)) ** 2, square + 2 * total(T) * total(R) + total(R) ** 2, {}).status is (
        Status.PROVED
    )


def test_a_product_does_not_know_which_factor_came_first() -> None:
    ordered = sp.Sum(T[u] * T[v], (u, 0, v - 1), (v, 0, N - 1))
    mirrored = sp.Sum(T[u] * T[v], (v, 0, u - 1), (u, 0, N - 1))
    squares = sp.Sum(T[u] ** 2, over(N))
    assert judged(ordered, mirrored, {}).status is Status.PROVED
    assert judged(2 * ordered + squares, total(T) ** 2, {}).status is Status.PROVED
    sizes, _, entries, left, right = case(judged(ordered + squares, total(T) ** 2, {}))
    assert (sizes, entries, left, right) == ({"N": 2, "M": 1}, {("t", (0,)): 1, ("t", (1,)): 1}, 3, 4)


def test_powers() -> None:
    assert judged(T[x] ** 3, T[x] * T[x] * T[x]).status is Status.PROVED
    assert judged((T[x] + R[0]) ** 3, T[x] ** 3 + 3 * T[x] ** 2 * R[0] + 3 * T[x] * R[0] ** 2 + R[0] ** 3).status is (
        Status.PROVED
    )
    entries, left, right = case(judged(T[x] ** 3, T[x] ** 2))[2:]
    assert (entries, left, right) == ({("t", (0,)): 2}, 8, 4), "1 would not tell them apart"


def test_both_sides_agree_wherever_entries_are_1_2_and_3() -> None:
    """t^3 - 6 t^2 + 11 t - 6 vanishes there; another number does tell the sides apart."""
    entries, left, right = case(judged(T[x] ** 3 + 11 * T[x], 6 * T[x] ** 2 + 6))[2:]
    assert left != right
    assert set(entries.values()).isdisjoint({1, 2, 3})


# --- derivatives ---

NET = Setting(PLAIN.tensors, {}, ("E", "c", "delta")).define(
    Tensor("c", (Axis(N),)), (x,), sp.Sum(T[x - u] * R[u], over(M))
)
c = NET.tensors["c"]


def test_an_entry_by_an_entry() -> None:
    assert judged(Partial(T[x], T[y]), sp.KroneckerDelta(x, y), Y).status is Status.PROVED
    beyond = {x: Axis(N + 1), y: Axis(N + 1)}
    assert case(judged(Partial(T[x], T[y]), sp.KroneckerDelta(x, y), beyond))[1] == {"x": 1, "y": 1}
    assert judged(Partial(T[x], T[x + N]), 0).status is Status.PROVED
    assert judged(Partial(T[x], R[y]), 0, Y).status is Status.PROVED
    assert judged(Partial(T[x] ** 3, T[x]), 3 * T[x] ** 2).status is Status.PROVED
    assert judged(Partial(T[x] * T[y], T[x]), T[y], Y).status is Status.REFUTED, "x = y"
    rest = sp.KroneckerDelta(x, y) * T[x]
    assert judged(Partial(T[x] * T[y], T[x]), T[y] + rest, Y).status is Status.PROVED


def test_through_definitions() -> None:
    tap = {x: c.axes[0], y: Axis(M)}
    assert judged(Partial(c[x], R[y]), T[x - y], tap, NET).status is Status.PROVED
    assert case(judged(Partial(c[x], R[y]), T[x + y], tap, NET))[1] == {"x": 0, "y": 1}
    assert judged(Partial(c[x], R[y]), 0, tap, PLAIN.define(c, (x,), T[x])).status is Status.PROVED
    outside = {x: Axis(N + 1), y: Axis(M)}
    assert judged(Partial(c[x], R[y]), T[x - y], outside, NET).status is Status.REFUTED, "c[N] is no entry"
    own = judged(Partial(c[x] * T[0], c[x]), T[0], X, NET)
    assert own.status is Status.PROVED, "what c is differentiated by is a variable of its own"


def test_through_the_activation() -> None:
    assert judged(Partial(a(c[x]), R[y]), slope(c[x]) * T[x - y], {**X, y: Axis(M)}, NET).status is Status.PROVED
    assert judged(Partial(a(c[x]), R[y]), a(c[x]) * T[x - y], {**X, y: Axis(M)}, NET).status is Status.REFUTED
    assert judged(Partial(a(c[x]), c[y]), slope(c[x]) * sp.KroneckerDelta(x, y), Y, NET).status is Status.PROVED
    assert judged(a(c[x + N]), 0, X, NET).status is Status.PROVED, "the activation of no pixel is 0, whatever a(0) is"
    with pytest.raises(TypeError, match="second derivatives"):
        judged(Partial(slope(c[x]), c[x]), 0, X, NET)


def test_through_an_arbitrary_error() -> None:
    gradient = sp.Sum(DELTA[u] * T[u - y], over(N))
    tap = {y: Axis(M)}
    assert judged(Partial(E[0], R[y]), gradient, tap, NET).status is Status.PROVED
    assert judged(Partial(E[0], c[x]), DELTA[x], X, NET).status is Status.PROVED
    assert judged(Partial(E[0], c[x]), DELTA[x], {x: Axis(N + 1, lower=sp.Integer(-1))}, NET).status is Status.PROVED
    short = sp.Sum(DELTA[u] * T[u - y], over(N - 1))
    assert judged(Partial(E[0], R[y]), short, tap, NET).status is Status.REFUTED
    assert judged(Partial(E[0] ** 2, R[y]), 2 * E[0] * gradient, tap, NET).status is Status.PROVED


# --- Kronecker's delta, floor, Mod, strides ---


def test_deltas_select() -> None:
    assert judged(sp.Sum(sp.KroneckerDelta(u, x) * T[u], over(N)), T[x]).status is Status.PROVED
    assert judged(sp.Sum(sp.KroneckerDelta(u, x + 1) * T[u], over(N)), T[x + 1]).status is Status.PROVED
    shifted = sp.Sum(sp.KroneckerDelta(u, x + 1) * R[u], over(M))
    assert judged(shifted, R[x + 1]).status is Status.PROVED
    assert judged(shifted, R[x]).status is Status.REFUTED
    assert judged(sp.KroneckerDelta(x, y) * T[x], sp.KroneckerDelta(x, y) * T[y], Y).status is Status.PROVED


WITH_STRIDE = Domain({N: 1, M: 1, s: 1})


def test_a_stride_needs_divisibility() -> None:
    """Sum over u of [s u = x] t(u) is t(x / s) where s divides x, and 0 elsewhere."""
    spread = sp.Sum(sp.KroneckerDelta(s * u, x) * T[u], over(N))
    every = {x: Axis(s * N)}
    ignoring = T[sp.floor(x / s)]
    assert case(judged(spread, ignoring, every, domain=WITH_STRIDE))[:3] == (
        {"N": 1, "M": 1, "s": 2},
        {"x": 1},
        {("t", (0,)): 1},
    )
    divisible = sp.KroneckerDelta(sp.Mod(x, s), 0)
    assert judged(spread, divisible * ignoring, every, domain=WITH_STRIDE).status is Status.PROVED
    negative = sp.Sum(sp.KroneckerDelta(-s * u, -x) * T[u], over(N))
    assert judged(negative, divisible * ignoring, every, domain=WITH_STRIDE).status is Status.PROVED


def test_floor_and_mod_of_a_symbolic_divisor() -> None:
    by_block = {x: Axis(k * N)}
    domain = Domain({N: 1, k: 1})
    block = sp.Sum(G[sp.floor(x / k), u], over(N))
    assert judged(block, sp.Sum(G[sp.floor((x + k) / k) - 1, u], over(N)), by_block, domain=domain).status is (
        Status.PROVED
    )
    assert judged(block, sp.Sum(G[sp.floor((x + 1) / k), u], over(N)), by_block, domain=domain).status is (
        Status.REFUTED
    )
    again = T[k * sp.floor(x / k) + sp.Mod(x, k)]
    assert judged(again, T[x], X, domain=domain).status is Status.PROVED
    assert judged(T[sp.Mod(x - k, k)], T[sp.Mod(x, k)], by_block, domain=domain).status is Status.PROVED
    assert case(judged(T[sp.Mod(x, k)], T[x], X, domain=domain))[:2] == ({"N": 2, "k": 1}, {"x": 1})


@pytest.mark.parametrize("factor", [s, x])
def test_a_stride_that_may_be_0(factor: sp.Symbol) -> None:
    """Then all products meet t(0); nothing may be concluded from the cases in which the stride is positive."""
    left = sp.Sum(T[factor * u], over(M))
    right = left + sp.KroneckerDelta(factor, 0) * T[0]
    verdict = judged(left, right, X, domain=Domain({N: 1, M: 1, s: 0}))
    assert verdict.status is not Status.PROVED


def test_a_divisor_that_may_be_0_or_negative() -> None:
    """floor(1 / -2) = -1, and -2 times that exceeds 1."""
    claim = sp.Le(k * sp.floor(x / k), x, evaluate=False)
    assert prove(Fact(claim, Domain({k: 1}), (x,))).status is Status.PROVED
    for least in (0, -2):
        with pytest.raises(TypeError, match="k, which is not known to be at least 1"):
            prove(Fact(claim, Domain({k: least}), (x,), (x >= 0,)))


# --- counting ---


def test_a_value_that_no_monomial_determines_is_counted() -> None:
    """A bias inside the sum over N x M taps is counted N M times."""
    b = Tensor("b", (Axis(sp.S.One),))
    setting = Setting({**PLAIN.tensors, "b": b})
    inside = sp.Sum(G[0, u] + b[0], over(N, u), over(M, v))
    outside = M * sp.Sum(G[0, u], over(N))
    assert judged(inside, outside + N * M * b[0], {}, setting).status is Status.PROVED
    assert case(judged(inside, outside + b[0], {}, setting)) == ({"N": 1, "M": 2}, {}, {("b", (0,)): 1}, 2, 1)
    assert judged(sp.Sum(b[0], (u, 0, N - 3)), (N - 2) * b[0], {}, setting).status is Status.REFUTED, "N = 1: not -1"
    assert judged(sp.Sum(b[0], (u, x, N - 1)), (N - x) * b[0], X, setting).status is Status.PROVED
    assert judged(sp.Sum(sp.Sum(1, over(N)) * b[0], over(M)), N * M * b[0], {}, setting).status is Status.PROVED


def test_counting_what_is_no_interval_is_left_open() -> None:
    even = sp.Sum(R[0] * sp.KroneckerDelta(sp.Mod(u, 2), 0), over(N))
    triangle = sp.Sum(R[0], (u, 0, v), (v, 0, N - 1))
    for expr in (even, triangle):
        verdict = judged(expr, expr + T[0], {})
        assert verdict.status is Status.OPEN
        assert "counted" in verdict.reason
        assert verdict.counterexample is None


def test_an_index_as_a_factor() -> None:
    weighted = sp.Sum(u * T[u], over(N))
    assert judged(weighted, sp.Sum(v * T[v], over(N, v)), {}).status is Status.PROVED
    assert case(judged(weighted, total(T), {}))[2:] == ({("t", (0,)): 1}, 0, 1)
    assert judged(sp.Sum(x * T[u], over(N)), x * total(T)).status is Status.PROVED
    assert judged(sp.Sum(u * T[0], over(N)), N * (N - 1) / 2 * T[0], {}).status is not Status.REFUTED


# --- coefficients ---


def test_rational_and_symbolic_coefficients() -> None:
    mean = sp.Sum(G[u, v], over(N, u), over(N, v)) / N**2
    rows = sp.Sum(sp.Sum(G[u, v], over(N, v)) / N, over(N, u)) / N
    assert judged(mean, rows, {}).status is Status.PROVED
    assert case(judged(mean, rows * N, {}))[0] == {"N": 2, "M": 1}
    assert case(judged(T[x] / 2 + T[x] / 3, T[x]))[3:] == (Fraction(5, 6), 1)
    assert judged(T[x] / 2 + T[x] / 3 + T[x] / 6, T[x]).status is Status.PROVED
    assert judged(T[x] / (N + 1) + N * T[x] / (N + 1), T[x]).status is Status.PROVED
    assert judged(x * T[x], T[x]).status is Status.REFUTED
    assert judged((x - N) * T[x], -(N - x) * T[x]).status is Status.PROVED


# --- vacuous claims, claims about a term among others ---


def test_nothing_is_proved_about_nothing() -> None:
    zeros = judged(T[x + N], R[x - M - N])
    assert (zeros.status, zeros.counterexample) == (Status.OPEN, None)
    assert "vacuous" in zeros.reason
    impossible = judged(T[x], T[x], X, given=(x > N,))
    assert impossible.status is Status.OPEN
    assert "vacuous" in impossible.reason
    no_sizes = judged(T[x], R[x], X, domain=Domain({N: 3, M: 1}, (N < M, M < N)))
    assert no_sizes.status is Status.OPEN
    assert judged(T[x + N], 0).status is Status.PROVED, "that something is 0 may be what is claimed"


def test_what_is_given_is_used() -> None:
    assert judged(T[x], T[y], Y).status is Status.REFUTED
    assert judged(T[x], T[y], Y, given=(sp.Eq(x, y),)).status is Status.PROVED
    assert case(judged(T[x], T[y], Y, given=(x > y + 1,)))[:2] == ({"N": 3, "M": 1}, {"x": 2, "y": 0})


def test_a_term_of_a_sum() -> None:
    whole = total(T) + total(R) + 3 * T[0] * R[0]
    assert judged(3 * T[0] * R[0], whole, {}, among=True).status is Status.PROVED
    assert judged(T[x], whole, X, among=True).status is Status.PROVED
    assert judged(2 * T[x], whole, X, among=True).status is Status.REFUTED
    assert judged(T[0] * R[0], whole, {}, among=True).status is Status.REFUTED
    assert judged(DELTA[x], whole, X, among=True).status is Status.REFUTED
    assert judged(T[x + N], whole, X, among=True).status is Status.OPEN, "this term is nowhere"
    assert judged(T[x], whole, {x: Axis(N + 1)}, among=True).status is Status.PROVED, (
        "where it is something, it is there"
    )
    assert judged(T[x], whole, X).status is Status.REFUTED


# --- facts ---


def test_facts() -> None:
    domain = Domain({N: 1, M: 1})
    assert prove(Fact(sp.Le(N, N * M, evaluate=False), domain)).status is Status.PROVED
    assert case(prove(Fact(N < N * M, domain)))[:2] == ({"N": 1, "M": 1}, {})
    assert case(prove(Fact(sp.Ne(N + M, 5), domain)))[:2] == ({"N": 1, "M": 4}, {})
    assert case(prove(Fact(x < N, domain, (x,), (x <= N + 1,))))[:2] == ({"N": 1, "M": 1}, {"x": 1})
    assert case(prove(Fact(x > -3, domain, (x,))))[1] == {"x": -3}
    assert case(prove(Fact(sp.Or(x < 2, N < 2), domain, (x,))))[:2] == ({"N": 2, "M": 1}, {"x": 2})


def test_facts_about_no_case_are_left_open() -> None:
    verdict = prove(Fact(N < 0, Domain({N: 1}, (N < 1,))))
    assert (verdict.status, verdict.counterexample) == (Status.OPEN, None)
    assert "vacuous" in verdict.reason


def test_quantified_facts() -> None:
    domain = Domain({N: 1})
    even = Exists(sp.Eq(2 * u, x), (u, 0, N))
    assert case(prove(Fact(even, domain, (x,), (x >= 0, x <= N))))[:2] == ({"N": 1}, {"x": 1})
    every = ForAll(Exists(sp.Eq(u + v, N), (v, 0, N)), (u, 0, N))
    assert prove(Fact(every, domain)).status is Status.PROVED
    assert case(prove(Fact(ForAll(sp.Ne(u, N - 3), (u, 0, N)), domain)))[0] == {"N": 3}
    assert prove(Fact(ForAll(u < 0, (u, 0, -1)), domain)).status is Status.PROVED, "there is no such u"


def test_floor_of_a_quantified_index() -> None:
    """Each u has a floor of its own; a remainder by 2 is 0 or 1 for all of them."""
    rest = u - 2 * sp.floor(u / 2)
    assert prove(Fact(Exists(sp.Or(rest > 1, rest < 0), (u, 0, 5)), Domain({N: 1}))).status is not Status.PROVED
    assert prove(Fact(ForAll(2 * sp.floor(u / 2) <= u, (u, 0, 3)), Domain({N: 1}))).status is not Status.REFUTED


def test_the_limit_of_a_quantifier_belongs_to_what_is_outside() -> None:
    claim = Exists(sp.Eq(u, 5), (u, 0, u))
    assert not holds(claim, {"u": 3})
    assert prove(Fact(claim, Domain({N: 1}), (u,), (u >= 0,))).status is not Status.PROVED


# --- smallest counterexamples ---


def test_counterexamples_do_not_depend_on_the_order_of_terms() -> None:
    """One wrong factor of many; the sum is shuffled, the sizes and entries stay."""
    parts = [T[x] * R[0], total(R) ** 2, sp.Sum(G[x, u] * T[u], over(N)), -2 * T[N - 1 - x], R[x] * total(T)]
    left = sp.Add(*parts)
    found = set()
    for seed in range(6):
        order = random.Random(seed).sample(parts, len(parts))
        right = sp.Add(*order[:-1], T[y] - T[y], 2 * order[-1], -order[-1], R[x + 1] * G[x, N - 1], evaluate=False)
        sizes, indices, entries, *values = case(judged(left, right))
        found.add((*sizes.values(), *indices.values(), *entries.items(), *values))
    assert found == {(1, 2, 0, (("g", (0, 0)), 1), (("r", (1,)), 1), 1, 2)}


def test_counterexamples_are_the_smallest() -> None:
    only_large = sp.KroneckerDelta(N, 3) * sp.KroneckerDelta(M, 2) + sp.KroneckerDelta(N, 2) * sp.KroneckerDelta(M, 3)
    sizes, indices, entries, *_ = case(judged(T[x], T[x] + only_large * sp.KroneckerDelta(x, 1) * T[x]))
    assert (sizes, indices, entries) == ({"N": 2, "M": 3}, {"x": 1}, {("t", (1,)): 1})
    twice = judged(T[x] + G[x, x], T[x] + 2 * G[x, 1])
    assert case(twice)[:3] == ({"N": 1, "M": 1}, {"x": 0}, {("g", (0, 0)): 1})


# --- when something goes wrong ---


def test_a_solver_that_gives_up_leaves_a_claim_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integer_arithmetic, "RESOURCES", 100)
    hard = sp.Ne(N**3 + M**3, k**3, evaluate=False)
    verdict = prove(Fact(hard, Domain({N: 1, M: 1, k: 1})))
    assert (verdict.status, verdict.counterexample) == (Status.OPEN, None)
    assert "z3" in verdict.reason


def test_a_refutation_that_the_interpreter_does_not_see_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prover, "evaluate", lambda *_: Fraction(7))
    with pytest.raises(AssertionError, match="no difference"):
        judged(T[x], 2 * T[x])
    assert judged(T[x], T[x]).status is Status.PROVED, "nothing to replay"
    monkeypatch.setattr(prover, "holds", lambda *_: True)
    with pytest.raises(AssertionError, match="true at"):
        prove(Fact(N > 1, Domain({N: 1})))


@pytest.mark.parametrize(
    "read",
    [
        lambda: T[x, y],
        lambda: T[x / 2],
        lambda: a(T[x] + 1),
        lambda: a(T[x], T[y]),
        lambda: sp.floor(T[x]),
        lambda: 1 / T[x],
        lambda: sp.sin(x) * T[x],
        lambda: sp.Subs(y**2, y, T[x]),
        lambda: sp.Subs(sp.Derivative(a(y), (y, 2)), y, T[x]),
    ],
)
def test_other_expressions_are_refused(read: Callable[[], sp.Expr]) -> None:
    """None of these means anything in the language, to the interpreter neither."""
    with pytest.raises(TypeError):
        evaluate(read(), PLAIN, {"N": 2, "M": 1}, {"x": 1, "y": 1}, {})
    with pytest.raises(TypeError):
        judged(read(), read(), Y)


def test_a_symbol_without_a_range_is_refused() -> None:
    with pytest.raises((KeyError, ValueError), match="q"):
        judged(T[q], T[x])
    with pytest.raises((KeyError, ValueError), match="k"):
        judged(T[x], k * T[x])


def test_definitions_may_be_replaced() -> None:
    """The same formula is true or false according to what its letters mean."""
    right = sp.Sum(T[u] * R[x - u], over(N))
    for rhs, status in ((right, Status.PROVED), (sp.Sum(T[u] * R[x + u], over(N)), Status.REFUTED)):
        setting = Setting(NET.tensors, {"c": Definition((x,), rhs)})
        assert judged(c[x], right, X, setting).status is status
