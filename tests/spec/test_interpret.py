"""The interpreter against values computed by hand, and against wrong formulas: it has to tell them apart."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp

from backproof_spec.equations.symbols import slope
from backproof_spec.model import Axis, Maximum, Tensor, integers
from backproof_spec.proof.interpret import evaluate, holds, polynomial, smallest_difference
from backproof_spec.proof.language import Definition, Partial, Setting
from backproof_spec.proof.quantifier import Exists, ForAll
from backproof_spec.proof.ring import Polynomial
from backproof_spec.proof.verdict import Entry

H, N, x, y, u, v, z = integers("H N x y u v z")
a = sp.Function("a")

IMG = Tensor("i", (Axis(H), Axis(H)))
K = Tensor("k", (Axis(N), Axis(N)))
C = Tensor("c", (Axis(H + N - 1), Axis(H + N - 1)))
DELTA, E = Tensor("delta", C.axes), Tensor("E", (Axis(sp.S.One),))
TAPS = ((u, 0, N - 1), (v, 0, N - 1))
CONVOLUTION = sp.Sum(IMG[x - u, y - v] * K[u, v], *TAPS)
CORRELATION = sp.Sum(IMG[x + u, y + v] * K[u, v], *TAPS)

PLAIN = Setting({t.name: t for t in (IMG, K, C, DELTA, E)})
NET = Setting(PLAIN.tensors, {"c": Definition((x, y), CONVOLUTION)}, ("E", "c", "delta"))
TWO = {"H": 2, "N": 2}


def entries(name: str, rows: list[list[int]]) -> dict[Entry, int]:
    return {(name, (r, s)): value for r, row in enumerate(rows) for s, value in enumerate(row)}


IMAGE = entries("i", [[1, 2], [3, 4]])
DATA = {**IMAGE, **entries("k", [[5, 6], [7, 8]])}


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (CONVOLUTION, [[5, 16, 12], [22, 60, 40], [21, 52, 32]]),
        # (0, 0) is 1*5 + 2*6 + 3*7 + 4*8 = 70; the rest has lost what lies beyond the right and bottom edges
        (CORRELATION, [[70, 38, 0], [39, 20, 0], [0, 0, 0]]),
    ],
)
def test_a_two_by_two_image_and_kernel(formula: sp.Expr, expected: list[list[int]]) -> None:
    found = [[evaluate(formula, PLAIN, TWO, {"x": r, "y": s}, DATA) for s in range(3)] for r in range(3)]
    assert found == expected


def test_the_definition_means_its_right_hand_side_inside_its_box_and_0_outside() -> None:
    for r in range(-2, 5):
        for s in range(-2, 5):
            inside = 0 <= r < 3 and 0 <= s < 3
            expected = evaluate(CONVOLUTION, PLAIN, TWO, {"x": r, "y": s}, DATA) if inside else 0
            assert evaluate(C[x, y], NET, TWO, {"x": r, "y": s}, DATA) == expected


@pytest.mark.parametrize("cell", [(-1, 0), (0, -1), (2, 0), (0, 2), (-2, -2)])
def test_an_index_outside_the_box_reads_0_and_never_wraps(cell: tuple[int, int]) -> None:
    assert evaluate(IMG[cell], PLAIN, TWO, {}, {**IMAGE, ("i", cell): 9}) == 0


def test_a_box_may_begin_anywhere_and_have_a_size_with_floor() -> None:
    t = Tensor("t", (Axis(sp.floor((H + 1) / 2), lower=N - 1),))
    setting = Setting({"t": t})
    ones = {("t", (k,)): 1 for k in range(-9, 9)}
    assert [k for k in range(-9, 9) if evaluate(t[k], setting, {"H": 5, "N": 3}, {}, ones)] == [2, 3, 4]


def test_a_sum_over_an_empty_range_is_0() -> None:
    """SymPy's own convention, minus the sum over -3 ... -1, gives something else."""
    assert sp.Sum(u, (u, 0, N)).subs(N, -4).doit() == 6
    assert evaluate(sp.Sum(u, (u, 0, N)), PLAIN, {"N": -4}, {}, {}) == 0
    assert evaluate(CONVOLUTION, PLAIN, {"H": 2, "N": 0}, {"x": 0, "y": 0}, DATA) == 0


def test_limits_may_use_the_symbols_of_outer_sums() -> None:
    triangle = sp.Sum(10 * u + v, (u, 0, v), (v, 0, 2))  # (0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2)
    assert evaluate(triangle, PLAIN, {}, {}, {}) == 10 * (0 + 0 + 1 + 0 + 1 + 2) + (0 + 1 + 1 + 2 + 2 + 2)
    assert evaluate(sp.Sum(1, (u, sp.Rational(1, 2), sp.Rational(5, 2))), PLAIN, {}, {}, {}) == 2


def test_scalars() -> None:
    values = {"x": -7, "y": 3}
    expected = {
        sp.floor(x / y): -3,
        sp.Mod(x, y): 2,
        sp.Max(x, y, 2): 3,
        sp.Min(x, y): -7,
        x**2 / y: Fraction(49, 3),
        y**-2: Fraction(1, 9),
        sp.KroneckerDelta(x, y - 10): 1,
        sp.KroneckerDelta(x, y): 0,
        sp.Rational(1, 2) * x: Fraction(-7, 2),
    }
    assert {e: evaluate(e, PLAIN, {}, values, {}) for e in expected} == expected


def test_an_average() -> None:
    mean = sp.Sum(IMG[u, v], *TAPS) / N**2
    assert evaluate(mean, PLAIN, TWO, {}, IMAGE) == Fraction(10, 4)


# --- scopes ---


def test_reading_a_definition_captures_nothing() -> None:
    """c is defined with bound u; it is read at u, summed over u, and read within its own index."""
    for r in range(3):
        at_r = evaluate(C[x, y], NET, TWO, {"x": r, "y": r}, DATA)
        assert evaluate(C[u, u], NET, TWO, {"u": r}, DATA) == at_r
        assert evaluate(C[y, x], NET, TWO, {"x": r, "y": r}, DATA) == at_r
    diagonal = sp.Sum(C[u, u], (u, 0, 2))
    assert evaluate(diagonal, NET, TWO, {}, DATA) == 5 + 60 + 32


def test_a_definition_sees_sizes_and_its_own_indices_only() -> None:
    escaping = Setting({**PLAIN.tensors}, {"c": Definition((x, y), IMG[x, z])})
    with pytest.raises(KeyError, match="no value for z"):
        evaluate(C[0, 0], escaping, TWO, {"z": 0}, DATA)


def test_dummies_of_one_name_are_two_symbols() -> None:
    d, e = sp.Dummy("d", integer=True), sp.Dummy("d", integer=True)
    assert evaluate(sp.Sum(10 * d + e, (d, 1, 1), (e, 2, 2)), PLAIN, {}, {}, {}) == 12


# --- derivatives ---


@pytest.mark.parametrize(
    ("read", "by", "value"),
    [((0, 1), (0, 1), 1), ((0, 1), (1, 0), 0), ((2, 2), (2, 2), 0), ((-1, 0), (-1, 0), 0)],
)
def test_an_entry_by_an_entry(read: tuple[int, int], by: tuple[int, int], value: int) -> None:
    assert evaluate(Partial(IMG[read], IMG[by]), PLAIN, TWO, {}, DATA) == value


def test_the_product_rule() -> None:
    product = 3 * IMG[0, 0] ** 2 * K[0, 0] - IMG[0, 0] + K[1, 1]
    assert evaluate(Partial(product, IMG[0, 0]), PLAIN, TWO, {}, DATA) == 3 * 2 * 1 * 5 - 1
    assert evaluate(Partial(product, K[0, 0]), PLAIN, TWO, {}, DATA) == 3
    assert evaluate(Partial(sp.S(7), K[0, 0]), PLAIN, TWO, {}, DATA) == 0


def test_through_a_definition() -> None:
    """dc(1, 1)/dk(x, y) = i(1 - x, 1 - y)."""
    partial = Partial(C[1, 1], K[x, y])
    found = [[evaluate(partial, NET, TWO, {"x": r, "y": s}, DATA) for s in (0, 1)] for r in (0, 1)]
    assert found == [[4, 3], [2, 1]]
    assert evaluate(partial, PLAIN, TWO, {"x": 0, "y": 0}, DATA) == 0  # undefined, c is a variable of its own


def test_the_tensor_differentiated_by_is_not_unfolded() -> None:
    at_three = {**DATA, ("c", (1, 1)): 3}
    assert evaluate(Partial(C[1, 1] ** 2, C[1, 1]), NET, TWO, {}, at_three) == 6
    assert evaluate(C[1, 1] ** 2, NET, TWO, {}, at_three) == 60**2


def test_activations_are_values_of_their_own() -> None:
    values: dict[Entry, int] = {**DATA, ("a(c)", (1, 1)): 11, ("a'(c)", (1, 1)): 13, ("a(c)", (3, 3)): 17}
    assert evaluate(a(C[1, 1]), NET, TWO, {}, values) == 11
    assert evaluate(slope(C[1, 1]), NET, TWO, {}, values) == 13
    assert evaluate(a(C[3, 3]), NET, TWO, {}, values) == 0, "outside the box of c"
    assert evaluate(a(C[0, 0]), NET, TWO, {}, values) == 0, "not given"
    by_weight = Partial(a(C[1, 1]) ** 2, K[0, 1])
    assert evaluate(by_weight, NET, TWO, {}, values) == 2 * 11 * 13 * 3
    assert evaluate(Partial(a(C[1, 1]), C[1, 1]), NET, TWO, {}, values) == 13
    assert evaluate(Partial(a(C[3, 3]), K[0, 0]), NET, TWO, {}, values) == 0


def test_the_chain_rule_through_an_arbitrary_error() -> None:
    """dE/dk(1, 0) = sum over the box of c of delta(r, s) i(r - 1, s)."""
    delta = entries("delta", [[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    values = {**DATA, **delta, ("E", (0,)): 10}
    assert evaluate(Partial(E[0], K[1, 0]), NET, TWO, {}, values) == 4 * 1 + 5 * 2 + 7 * 3 + 8 * 4
    assert evaluate(Partial(E[0] ** 2, C[2, 1]), NET, TWO, {}, values) == 2 * 10 * 8
    assert evaluate(Partial(E[0], C[2, 3]), NET, TWO, {}, values) == 0
    assert evaluate(E[0], NET, TWO, {}, values) == 10


def test_two_layers() -> None:
    """d/dk of c'(0) = 2 a(c(0, 0)) is 2 a'(c(0, 0)) i(0, 0); delta of the upper layer weighs it."""
    upper = Tensor("c'", (Axis(sp.S.One),))
    setting = Setting(
        {**PLAIN.tensors, "c'": upper},
        {"c": Definition((x, y), CONVOLUTION), "c'": Definition((x,), 2 * a(C[x, 0]))},
        ("E", "c'", "delta"),
    )
    setting = Setting({**setting.tensors, "delta": Tensor("delta", upper.axes)}, setting.definitions, setting.error)
    values: dict[Entry, int] = {**DATA, ("delta", (0,)): 7, ("a'(c)", (0, 0)): 13}
    assert evaluate(Partial(E[0], K[0, 0]), setting, TWO, {}, values) == 7 * 2 * 13 * 1


# --- maxima ---


def test_a_maximum_is_over_the_reads_inside_the_box() -> None:
    negative = {cell: -value for cell, value in IMAGE.items()}
    window = Maximum(IMG[x + u, y + v], *TAPS)
    assert evaluate(window, PLAIN, TWO, {"x": 0, "y": 0}, negative) == -1
    assert evaluate(window, PLAIN, TWO, {"x": 1, "y": 0}, negative) == -3, "not 0, which lies outside"
    with pytest.raises(ValueError, match="falls inside its box"):
        evaluate(window, PLAIN, TWO, {"x": 2, "y": 0}, negative)


# --- what is no expression of the language ---


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        (Partial(Partial(IMG[0, 0], IMG[0, 0]), IMG[0, 0]), "inside another derivative"),
        (Partial(slope(C[0, 0]), IMG[0, 0]), "a'' has no meaning"),
        (Partial(Maximum(IMG[u, 0], (u, 0, 1)), IMG[0, 0]), "a maximum has none"),
        (Partial(IMG[0, 0], x), "one entry of a tensor"),
        (a(IMG[0, 0] + 1), "one entry of a tensor"),
        (slope(2 * IMG[0, 0]), "one entry of a tensor"),
        (sp.Function("f")(IMG[0, 0]), "neither a"),
        (IMG[0], "1 indices, but the tensor has 2 axes"),
        (IMG[x / 2, 0], "has to be an integer"),
        (1 / IMG[0, 0], "no meaning"),
        (sp.floor(IMG[0, 0] / 2), "no meaning"),
        (sp.sin(x), "no meaning"),
    ],
)
def test_other_expressions_are_refused(expr: sp.Expr, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        evaluate(expr, PLAIN, TWO, {"x": 1}, DATA)


def test_names_that_have_no_value_are_refused() -> None:
    with pytest.raises(KeyError, match="no value for x; those given are H, N"):
        evaluate(IMG[x, 0], PLAIN, TWO, {}, DATA)
    with pytest.raises(KeyError, match="missing"):
        evaluate(sp.IndexedBase("missing")[0], PLAIN, TWO, {}, DATA)


# --- conditions ---


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (sp.true, True),
        (x < y, True),
        (x >= y, False),
        (sp.Eq(sp.floor(y / 2), x), True),
        (sp.Ne(x, y), True),
        (sp.And(x > 0, y > 3), False),
        (sp.Or(x > 5, y > 1), True),
        (sp.Not(sp.Eq(x, 1)), False),
        (sp.Implies(x > 5, y > 5), True),
        (sp.Implies(x > 0, y > 5), False),
        (sp.Equivalent(x > 0, y > 5), False),
        (sp.Equivalent(x > 5, y > 5), True),
        (Exists(sp.Eq(2 * u, y + 1), (u, 0, 5)), True),
        (Exists(sp.Eq(2 * u, y), (u, 0, 5)), False),
        (Exists(u >= 0, (u, 0, -1)), False),
        (ForAll(u < 0, (u, 0, -1)), True),
        (ForAll(u <= v, (u, 0, v), (v, 0, y)), True),
        (ForAll(u < v, (u, 0, v), (v, 0, y)), False),
        (ForAll(Exists(sp.Eq(u, v), (v, 0, y)), (u, 0, y)), True),
        (sp.And(x > 0, sp.Not(Exists(sp.Eq(u, y), (u, 0, x)))), True),
    ],
)
def test_conditions(condition: sp.Basic, expected: bool) -> None:
    assert holds(condition, {"x": 1, "y": 3}) is expected


def test_what_is_no_condition_is_refused() -> None:
    with pytest.raises(TypeError, match="no condition"):
        holds(x + 1, {"x": 1})
    with pytest.raises(KeyError, match="no value for u"):
        holds(u > 0, {"x": 1})


def test_a_quantifier_stays_as_it_is_written() -> None:
    claim = Exists(sp.Eq(x, u + v), (u, 0, v), (v, 0, y))
    assert claim.condition == sp.Eq(x, u + v)
    assert claim.limits == (sp.Tuple(u, 0, v), sp.Tuple(v, 0, y))
    assert claim.free_symbols == {x, y}
    assert claim.func(*claim.args) == claim
    assert claim.xreplace({y: z}).free_symbols == {x, z}
    assert Exists(x > 0, (u, 0, u)).free_symbols == {x, u}, "the limit's own u comes from outside"
    assert claim != ForAll(*claim.args)
    with pytest.raises(TypeError, match="needs limits"):
        Exists(x > 0)
    with pytest.raises(TypeError, match="needs limits"):
        ForAll(x > 0, (u, 3))


# --- polynomials and the smallest difference ---


def test_a_polynomial_has_the_value_of_the_expression() -> None:
    expr = sp.Rational(1, 2) * sp.Sum(C[u, v] ** 2, (u, 0, 1), (v, 0, 1)) + 3
    terms = polynomial(expr, NET, TWO, {}).terms
    at_data = sum(c * sp.prod(DATA.get(g, 0) for g in monomial) for monomial, c in terms.items())
    assert at_data == evaluate(expr, NET, TWO, {}, DATA) == Fraction(5**2 + 16**2 + 22**2 + 60**2, 2) + 3


def test_polynomials_are_a_ring() -> None:
    p, q = Polynomial.generator("p"), Polynomial.generator("q")
    assert (p + q) * (p - q) == p * p - q * q != p * p + q * q
    assert 2 * (p + 1) / 2 - p == 1
    assert not p - p
    assert (p * p * q).derivative({"p": q, "q": Polynomial.of(1)}) == 2 * p * q * q + p * p
    with pytest.raises(TypeError, match="exact number"):
        p + 0.5  # type: ignore[operator]


def test_the_smallest_difference_of_convolution_and_correlation() -> None:
    free = {x: Axis(H), y: Axis(H)}
    found = smallest_difference(CONVOLUTION, CORRELATION, PLAIN, (H, N), free)
    assert found is not None
    # H = 1 or N = 1 leaves one product at most, the same in both
    assert (dict(found.sizes), dict(found.indices)) == ({"H": 2, "N": 2}, {"x": 0, "y": 0})
    assert found.entries == {("i", (0, 1)): 1, ("k", (0, 1)): 1}
    assert (found.left, found.right) == (0, 1)


def test_equal_sums_have_no_difference() -> None:
    flipped = sp.Sum(IMG[x - N + 1 + u, y - N + 1 + v] * K[N - 1 - u, N - 1 - v], *TAPS)
    assert smallest_difference(CONVOLUTION, flipped, PLAIN, (H, N), {x: Axis(H), y: Axis(H)}, limit=8) is None


def test_assumptions_and_lower_bounds_are_kept() -> None:
    free = {x: Axis(H), y: Axis(H)}
    found = smallest_difference(CONVOLUTION, CORRELATION, PLAIN, {H: 1, N: 3}, free, [H >= N])
    assert found is not None
    assert found.sizes == {"H": 3, "N": 3}
    assert smallest_difference(CONVOLUTION, CORRELATION, PLAIN, (H, N), free, [N < 2], limit=12) is None


def test_entries_other_than_1_where_ones_do_not_show_the_difference() -> None:
    found = smallest_difference(IMG[0, 0], IMG[0, 0] ** 2, PLAIN, (H,), {})
    assert found is not None
    assert found.entries == {("i", (0, 0)): 2}
    assert (found.left, found.right) == (2, 4)


def test_the_monomial_is_the_smallest() -> None:
    found = smallest_difference(IMG[0, 0] * IMG[0, 1] + IMG[1, 0] + IMG[1, 1], sp.S.Zero, PLAIN, {H: 2}, {})
    assert found is not None
    assert found.entries == {("i", (1, 0)): 1}


def test_a_difference_that_needs_counting() -> None:
    """A bias inside the sum over units is counted once for each of them."""
    b, w = Tensor("b", (Axis(sp.S.One),)), Tensor("w", (Axis(N),))
    outside, inside = sp.Sum(w[u], (u, 0, N - 1)) + b[0], sp.Sum(w[u] + b[0], (u, 0, N - 1))
    found = smallest_difference(outside, inside, Setting({"b": b, "w": w}), (N,), {})
    assert found is not None
    assert (found.sizes, found.entries, found.left, found.right) == ({"N": 2}, {("b", (0,)): 1}, 1, 2)
