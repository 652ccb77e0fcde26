"""Poolings: what is declared, what is asked, and what is found wrong in `pooling`, `contract` and `state`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from backproof.cases.pool_data import INFINITY, pool_example, settled
from backproof.cases.pool_poison import clean, pool_poison_cases, pool_poisoned
from backproof.cases.pool_sequences import fixed_pool_sequences
from backproof.cases.pooling import PICKED, POOL_FACTORS, PoolCase, PoolSpace, fixed_pools, pool_space
from backproof.contract import DTYPES, POOLINGS, PoolGeometry
from backproof.targets.layouts import LAYOUTS
from backproof_spec import EQUATIONS, oracle
from backproof_spec.oracle.layers import pooling_sizes


def _taken(geometry: PoolGeometry) -> bool:
    return not geometry.divides_by_zero


def _space(kind: str, ties: str = "first") -> PoolSpace:
    return pool_space(kind, _taken, dtypes=DTYPES, layouts=LAYOUTS, ties=ties)


def _fixed(ties: str = "first") -> list[PoolCase]:
    spaces = [_space(kind, ties) for kind in POOLINGS]
    sizes = [max(levels) for levels in zip(*(space.sizes for space in spaces), strict=True)]
    return fixed_pools(spaces, sizes, seed=0)


# ---- geometries


def test_the_contract_s_sizes_are_the_specification_s() -> None:
    build, asked = oracle.build(EQUATIONS["sum-pooling"]), 0
    for size, kernel, stride, dilation in product((1, 4, 7), (1, 2, 3), (1, 2, 3), (1, 2)):
        for before, after, ceil_mode in product((0, 1, 3), (0, 1, 4), (False, True)):
            g = PoolGeometry("sum", 1, 1, (size, 9), (kernel, 2), (stride, 2), ((before, after), (0, 0)))
            g = replace(g, dilation=(dilation, 1), ceil_mode=ceil_mode)
            if min(g.output_size) >= 1:
                shape = build.shapes(pooling_sizes(g.x_shape, **g.options()))["y"]
                assert shape == g.y_shape, g
                pixels = oracle.pooling("sum", np.ones(g.x_shape, np.int64), **g.options())
                assert g.empty_windows == bool((pixels == 0).any()), g
                asked += 1
    assert asked > 500


def test_switches_are_options_where_they_are_set() -> None:
    plain = {"kernel_size", "stride", "padding", "dilation"}
    assert PoolGeometry("average").options().keys() == plain
    switched = PoolGeometry("average", ceil_mode=True, count_include_pad=False).options()
    assert switched.keys() - plain == {"ceil_mode", "count_include_pad"}
    assert "count_include_pad" not in PoolGeometry("max", count_include_pad=False).options()


def test_the_fixed_set_has_everything() -> None:
    cases = _fixed()
    geometries = [case.geometry for case in cases]
    assert {g.kind for g in geometries[:3]} == set(POOLINGS), "a case of each kind in turn"
    of_maxima = {g for g in geometries if g.kind == "max"}
    assert {replace(g, kind="max", count_include_pad=True) for g in PICKED} <= of_maxima
    profiles = {case.profile for case in cases if case.geometry.kind == "max"}
    assert profiles >= {"ties", "negative", "constant", "infinite"}
    assert any(g.ceil_mode and not g.count_include_pad for g in geometries)
    assert any(g.empty_windows for g in geometries)
    assert not any(g.divides_by_zero for g in geometries)
    assert max(g.channels for g in geometries) == 33
    assert {layout for case in cases for _, layout in case.layouts} == {*LAYOUTS} - {"C"}


def test_a_search_can_reach_every_level() -> None:
    space = _space("average")
    assert set(space.factors) == set(POOL_FACTORS)
    for name in ("ceil_mode", "count_include_pad", "output"):
        assert space.factors[name] == POOL_FACTORS[name]
    assert _space("sum").factors["count_include_pad"] == (True,)
    without = pool_space("average", lambda g: not g.ceil_mode and g.count_include_pad, dtypes=DTYPES, layouts=LAYOUTS)
    assert without.factors["ceil_mode"] == (False,)
    assert without.factors["count_include_pad"] == (True,)


# ---- data


def test_averages_are_exact_in_both_dtypes() -> None:
    for case in (c for c in _fixed() if c.geometry.kind == "average"):
        drawn = pool_example(case)
        assert all(np.isfinite(array).all() for array in drawn.expected.values())
        for array in (*drawn.arrays.values(), *drawn.expected.values()):
            assert array.dtype == case.dtype
            mantissa, _ = np.frexp(array.astype(np.float64))
            assert (mantissa * 2 ** (24 if case.dtype == "float32" else 53) % 1 == 0).all()


def _taps(case: PoolCase) -> tuple[np.ndarray, np.ndarray]:
    """By hand: the pixels of each window, as a mask over x, and which of them are maxima."""
    g, x = case.geometry, pool_example(case).arrays["x"]
    inside = np.zeros((*g.y_shape, *g.size), bool)
    for n, c, i, j in np.ndindex(g.y_shape):
        for u, v in np.ndindex(g.kernel_size):
            h = i * g.stride[0] + u * g.dilation[0] - g.padding[0][0]
            k = j * g.stride[1] + v * g.dilation[1] - g.padding[1][0]
            if 0 <= h < g.size[0] and 0 <= k < g.size[1]:
                inside[n, c, i, j, h, k] = True
    values = np.where(inside, x[:, :, None, None], -np.inf)
    return inside, inside & (values == values.max((4, 5), keepdims=True))


@pytest.mark.parametrize("ties", ["first", "last", "split", "any"])
def test_cotangents_of_ties_are_those_of_a_loop(ties: str) -> None:
    kept = [c for c in _fixed(ties) if c.geometry.kind == "max" and np.prod(c.geometry.y_shape) < 60][::3]
    tied = 0
    for case in kept:
        drawn, (_, maxima) = pool_example(case), _taps(case)
        dy, dx = drawn.arrays["dy"], np.zeros_like(drawn.arrays["x"])
        for index in np.ndindex(dy.shape):
            places = np.argwhere(maxima[index])
            tied += len(places) > 1 and dy[index] != 0
            share = 1 / dx.dtype.type(max(len(places), 1)) if ties == "split" else 1
            for place in places if ties == "split" else places[-1:] if ties == "last" else places[:1]:
                dx[(*index[:2], *place)] += dy[index] * share  # a share may be computed before it is multiplied
        np.testing.assert_array_equal(settled(case, drawn, "dx", dx), drawn.expected["dx"])
    assert tied > 10


def test_any_maximum_may_win_and_nothing_else() -> None:
    case = PoolCase(PoolGeometry(size=(3, 4), kernel_size=(2, 2)), profile="constant", ties="any")
    drawn, (_, maxima) = pool_example(case), _taps(case)
    rng = np.random.default_rng(0)

    def given(lost: int = 0) -> np.ndarray:
        dx = np.zeros((1, 1, 3, 4))
        for number, index in enumerate(np.ndindex(drawn.arrays["dy"].shape)):
            places = np.argwhere(maxima[index])
            if number != lost - 1:
                dx[(*index[:2], *rng.permutation(places)[0])] += drawn.arrays["dy"][index]
        return dx

    for _ in range(20):
        np.testing.assert_array_equal(settled(case, drawn, "dx", given()), drawn.expected["dx"])
    for wrong in (given(lost=3), 2 * given(), np.zeros((1, 1, 3, 4)), given() + 0.5, np.full((1, 1, 3, 4), np.nan)):
        assert settled(case, drawn, "dx", wrong) is wrong
    moved = np.zeros((1, 1, 3, 4))
    moved[0, 0, 2, 3] = drawn.arrays["dy"].sum()  # all of it to one pixel, most of whose windows do not hold it
    assert settled(case, drawn, "dx", moved) is moved


@pytest.mark.parametrize("kind", POOLINGS)
def test_poison_reaches_its_windows_only(kind: str) -> None:
    geometries = [replace(g, kind=kind, count_include_pad=True) for g in (PICKED[4], PICKED[0], PICKED[8])]
    for case in pool_poison_cases(geometries, DTYPES, seed=1):
        drawn, example = pool_poisoned(case, clean(case)), clean(case)
        inside, maxima = _taps(case.case)
        spoilt = ~np.isfinite(drawn.expected["y"]), ~np.isfinite(drawn.expected["dx"])
        if case.role == "dy":
            reached = (maxima if kind == "max" else inside)[case.index]
            np.testing.assert_array_equal(spoilt[1][case.index[:2]], reached)
            assert spoilt[1].sum() == reached.sum()
        else:
            n, c, h, k = case.index
            np.testing.assert_array_equal(spoilt[0][n, c], inside[n, c, :, :, h, k])
            assert spoilt[0].sum() == inside[n, c, :, :, h, k].sum()
            if kind == "max":
                won = example.arrays["dy"][n, c][inside[n, c, :, :, h, k]].sum()
                assert drawn.expected["dx"][case.index] == won, "it receives the cotangents of all its windows"
            else:
                assert drawn.expected["dx"] is example.expected["dx"]


def test_infinity_is_above_all_data() -> None:
    arrays = [array for case in _fixed() for array in pool_example(case).arrays.values()]
    assert max(np.abs(array[np.isfinite(array)]).max(initial=0) for array in arrays) < INFINITY


def test_sequences_of_poolings() -> None:
    pools = {kind: {"y": f"{kind}_pool", "dx": f"{kind}_pool_gradient"} for kind in POOLINGS}
    options = {"dtypes": DTYPES, "layouts": LAYOUTS, "ties": "first", "seed": 0}
    sequences = [sequence for each in fixed_pool_sequences(pools, _taken, **options) for sequence in each]
    steps = [tuple((s.case.geometry.kind, s.functions, s.case.seed) for s in q.steps) for q in sequences]
    both, gradient = ("max_pool", "max_pool_gradient"), ("max_pool_gradient",)
    assert any([f for _, f, _ in q] == [both, gradient, gradient] and len({s for *_, s in q}) == 1 for q in steps)
    assert any([f for _, f, _ in q] == [both[:1], both[:1], gradient] and q[0][2] != q[1][2] for q in steps)
    assert any(len({kind for kind, *_ in q}) == 2 for q in steps)
    assert any(dict(s.case.layouts).get("x") == "nhwc" for q in sequences for s in q.steps)
    assert all(_taken(s.case.geometry) for q in sequences for s in q.steps)
    assert fixed_pool_sequences(pools, lambda geometry: False, **options) == []


# ---- targets

RIGHT = """
from backproof.targets.adapters.plain_numpy import *
import backproof.targets.adapters.plain_numpy as right
import numpy as np
NONE = ((0, 0), (0, 0))
{}
"""

TIES = """
from backproof.targets.adapters import plain_pooling as P
def max_pool_gradient(dy, x, *, kernel_size, stride, padding=NONE, dilation=(1, 1), ceil_mode=False):
    w = P._Windows.of(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    y, image, inside = P._maximum(x, w)[0], P.extend(x, w.extended), P.extend(np.ones(x.shape, bool), w.extended)
    wins = [inside[at] & ((image[at] == y) | np.isnan(image[at])) for _, _, at in w]
    count, dx = np.maximum(sum(map(np.int64, wins)), 1), P.extend(np.zeros_like(x, order="C"), w.extended)
    taken = np.zeros(y.shape, bool)
    for win, (_, _, at) in RULE(list(zip(wins, w))):
        dx[at] += np.where(win & ~taken, SHARE, 0)
        taken |= win & ONCE
    return P.fold(dx, w.extended)
"""

#: the rule that is implemented: which taps are looked at first, what each gets, and whether the first one takes it all
RULES = {
    "last": ("reversed", "dy", "True"),
    "split": ("list", "dy * (1 / count).astype(x.dtype)", "False"),
    "every": ("list", "dy", "False"),
}


def _implementing(rule: str) -> str:
    text = TIES
    for word, meant in zip(("RULE", "SHARE", "ONCE"), RULES[rule], strict=True):
        text = text.replace(word, meant)
    return RIGHT.format(text)


@pytest.mark.parametrize(
    ("rule", "declared", "right"),
    [
        *[("last", "last", True), ("last", "any", True), ("last", "first", False)],
        *[("split", "split", True), ("split", "any", False), ("every", "split", False)],
    ],
)
def test_rules_for_ties(verify: Callable, module: Callable, rule: str, declared: str, right: bool) -> None:
    path = module(_implementing(rule))
    outcome = verify(path, checks=("pooling",), declarations={"POOLING": f"ties={declared}"})
    assert [finding.quantity for finding in outcome.findings] == ([] if right else ["max pooling dx"])


WRONG = {
    "ceil mode is ignored": (
        ("pooling", "max pooling y"),
        """
def max_pool(x, *, kernel_size, stride, padding=NONE, dilation=(1, 1), ceil_mode=False):
    return right.max_pool(x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
""",
    ),
    "NaN is no maximum": (
        ("pooling", "max pooling y"),
        """
def max_pool(x, *, kernel_size, stride, padding=NONE, dilation=(1, 1)):
    x = np.where(np.isnan(x), x.dtype.type(-np.inf), x)
    return right.max_pool(x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
""",
    ),
    "a mask times the cotangents": (
        ("pooling", "sum pooling dx"),
        """
def sum_pool_gradient(dy, x, *, kernel_size, stride, padding=NONE, dilation=(1, 1), ceil_mode=False):
    o = dict(kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode)
    with np.errstate(invalid="ignore"):
        return right.sum_pool_gradient(dy, x, **o) + 0 * dy.sum()
""",
    ),
    "the input is written to": (
        ("contract", "max pooling x"),
        """
def max_pool(x, *, kernel_size, stride, padding=NONE, dilation=(1, 1)):
    y = right.max_pool(x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
    if x.flags.writeable:
        x[...] = 0
    return y
""",
    ),
    "float64 for float32": (
        ("contract", "average pooling y"),
        """
def average_pool(x, *, kernel_size, stride, padding=NONE, dilation=(1, 1)):
    o = dict(kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
    return right.average_pool(x.astype(np.float64), **o)
""",
    ),
    "windows of one pixel are the input": (
        ("contract", "sum pooling y"),
        """
def sum_pool(x, *, kernel_size, stride, padding=NONE, dilation=(1, 1)):
    if kernel_size == stride == (1, 1) and padding == NONE:
        return x
    return right.sum_pool(x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
""",
    ),
    "a window that does not fit": (
        ("contract", "max pooling y"),
        """
def max_pool(x, *, kernel_size, stride, padding=NONE, dilation=(1, 1)):
    try:
        return right.max_pool(x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
    except ValueError:
        return x.max((2, 3), keepdims=True)
""",
    ),
    "the winners of the last forward": (
        ("state", "max pooling dx"),
        """
LAST = {}
def max_pool(x, *, kernel_size, stride, padding=NONE, dilation=(1, 1)):
    LAST[x.shape, x.dtype] = x.copy()
    return right.max_pool(x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
def max_pool_gradient(dy, x, *, kernel_size, stride, padding=NONE, dilation=(1, 1)):
    o = dict(kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
    return right.max_pool_gradient(dy, LAST.get((x.shape, x.dtype), x), **o)
""",
    ),
    "a table of divisors": (
        ("state", "average pooling y"),
        """
TABLE = {}
def average_pool(x, *, kernel_size, stride, padding=NONE, dilation=(1, 1), count_include_pad=True):
    o = dict(kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
    ones = right.average_pool(np.ones_like(x), **o, count_include_pad=count_include_pad)
    ones = TABLE.setdefault((x.shape, x.dtype, str(o)), ones / right.sum_pool(np.ones_like(x), **o))
    return right.sum_pool(x, **o) * ones
def average_pool_gradient(dy, x, *, kernel_size, stride, padding=NONE, dilation=(1, 1), count_include_pad=True):
    o = dict(kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
    return right.average_pool_gradient(dy, x, **o, count_include_pad=count_include_pad)
""",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_planted_is_found(verify: Callable, module: Callable, name: str) -> None:
    (check, quantity), text = WRONG[name]
    outcome = verify(module(RIGHT.format(text)), checks=(check,))
    assert outcome.status == 1
    assert quantity in {finding.quantity for finding in outcome.findings}
    assert all(finding.quantity.split()[0] == quantity.split()[0] for finding in outcome.findings)


def test_an_average_over_real_pixels_is_declared(verify: Callable, module: Callable) -> None:
    path = module(
        RIGHT.format("""
def average_pool(x, *, kernel_size, stride, padding=NONE):
    return right.average_pool(x, kernel_size=kernel_size, stride=stride, padding=padding, count_include_pad=False)
def average_pool_gradient(dy, x, *, kernel_size, stride, padding=NONE):
    o = dict(kernel_size=kernel_size, stride=stride, padding=padding, count_include_pad=False)
    return right.average_pool_gradient(dy, x, **o)
""")
    )
    found = verify(path, checks=("pooling",)).findings
    assert {finding.quantity for finding in found} == {"average pooling y", "average pooling dx"}
    declared = {"POOLING": "divisor=valid"}
    outcome = verify(path, checks=("contract", "pooling", "state"), declarations=declared)
    assert outcome.findings == []


@pytest.mark.slow
@pytest.mark.parametrize(("mutant", "quantity"), [("L074", "max pooling y"), ("L087", "max pooling dx")])
def test_what_a_pooling_remembers(verify: Callable, mutant: str, quantity: str) -> None:
    outcome = verify(f"backproof.museum:{mutant}", checks=("state",))
    (finding,) = outcome.findings
    assert (finding.quantity, finding.equations) == (quantity, ["max-pooling"])
    assert len(finding.case["before"]) <= 2
