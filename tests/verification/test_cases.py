"""Cases: levels that always make sense, designs that cover what they say, data that cannot round."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from backproof.cases import data
from backproof.cases.data import STRUCTURED, draw, example
from backproof.cases.designs import fixed_set, pairwise, structured, tiny, twins
from backproof.cases.levels import FACTORS, Case, Space, derived_size, space
from backproof.cases.pool_data import pool_example
from backproof.cases.pooling import PoolCase, pool_space, simpler_pool_cases
from backproof.cases.shrink import shrink, simpler_cases
from backproof.contract import DTYPES, ORIENTATIONS, Geometry, PoolGeometry, output_size

LAYOUTS = tuple(dict.fromkeys(FACTORS["x_layout"] + FACTORS["dy_layout"]))


def everything() -> Space:
    return space(lambda geometry: True, orientations=ORIENTATIONS, dtypes=DTYPES, layouts=LAYOUTS)


def test_the_output_size_and_the_remainder_decide_the_image_size() -> None:
    for out, kernel, stride, dilation, sides, remainder in itertools.product(
        (1, 2, 5), (1, 3), (1, 2, 3), (1, 2), ((0, 0), (1, 0), (0, 2)), (0, 1, 2)
    ):
        size = derived_size(out, kernel, stride, dilation, sides, remainder)
        if (out - 1) * stride + dilation * (kernel - 1) + 1 - sum(sides) >= 1:
            assert output_size(size, kernel, stride, *sides, dilation) == out
            left_over = (size + sum(sides) - dilation * (kernel - 1) - 1) % stride
            assert left_over == remainder % stride


def test_every_row_of_levels_is_a_case_with_an_output() -> None:
    whole = everything()
    random = np.random.default_rng(0)
    for _ in range(2000):
        row = [int(random.integers(size)) for size in whole.sizes]
        geometry = whole.case(row, 0).geometry
        assert min(geometry.output_size) >= 1
        assert geometry.in_channels % geometry.groups == 0 == geometry.out_channels % geometry.groups


def test_the_fixed_set_meets_what_shapes_are_for() -> None:
    geometries = [case.geometry for case in fixed_set(everything(), lambda geometry: True, seed=0)]
    assert 100 < len(geometries) < 500
    assert any(g.size[0] < g.kernel_size[0] for g in geometries), "an image smaller than the kernel"
    assert any(g.padding[0][0] > g.dilation[0] * (g.kernel_size[0] - 1) for g in geometries), "a row all in padding"
    assert any(g.stride[0] != g.stride[1] and g.dilation[0] != g.dilation[1] for g in geometries)
    assert any(g.in_channels > 4 and g.in_channels % 4 for g in geometries)
    assert any(g.groups > 1 and g.in_channels > g.groups and g.out_channels > g.groups for g in geometries)


@pytest.mark.parametrize("sizes", [(2, 2), (3, 4, 2, 5), (2,) * 7])
def test_the_pairwise_design_has_every_pair(sizes: tuple[int, ...]) -> None:
    rows = pairwise(sizes)
    for f, g in itertools.combinations(range(len(sizes)), 2):
        assert {(row[f], row[g]) for row in rows} == set(itertools.product(range(sizes[f]), range(sizes[g])))
    assert pairwise.__wrapped__(sizes) == rows, "deterministic"


def test_twins_are_legal_and_leave_shapes_alone_when_options_are_exchanged() -> None:
    for geometry in twins("convolution") + tiny("convolution"):
        assert min(geometry.output_size) >= 1
    exchangeable = [
        g
        for g in twins("convolution")
        if g.stride != g.dilation and replace(g, stride=g.dilation, dilation=g.stride).output_size == g.output_size
    ]
    assert exchangeable


def test_levels_that_a_target_cannot_take_are_left_out() -> None:
    def only_square_strides(geometry: Geometry) -> bool:
        return geometry.stride[0] == geometry.stride[1] and geometry.padding == ((0, 0), (0, 0))

    some = space(only_square_strides, orientations=["convolution"], dtypes=["float64"], layouts=["C"])
    assert some.factors["stride"] == ((1, 1), (2, 2), (4, 4))
    assert some.factors["padding"] == ("none",)
    assert some.factors["x_layout"] == ("C",)
    with pytest.raises(ValueError, match="the target accepts no dtype of"):
        space(only_square_strides, orientations=["convolution"], dtypes=["int8"], layouts=["C"])


def symmetric(geometry: Geometry) -> bool:
    (top, bottom), (left, right) = geometry.padding
    return top == bottom == left == right


def test_padding_that_follows_from_an_uneven_kernel_falls_back_to_what_the_target_takes() -> None:
    some = space(symmetric, orientations=["convolution"], dtypes=["float64"], layouts=["C"])
    assert "full" in some.factors["padding"]
    random = np.random.default_rng(1)
    for _ in range(500):
        row = [int(random.integers(size)) for size in some.sizes]
        assert symmetric(some.case(row, 0).geometry)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("profile", FACTORS["profile"])
def test_no_sum_can_round(dtype: str, profile: str) -> None:
    """The largest sum of absolute products stays within the mantissa, and every value is held exactly."""
    for geometry in twins("convolution")[:12]:
        drawn = data.example(Case(geometry, dtype, profile, seed=5))
        for array in (*drawn.arrays.values(), *drawn.expected.values()):
            assert array.dtype == dtype
            assert np.isfinite(array).all()
        exponents = {role: _unit(array) for role, array in drawn.arrays.items()}
        integers = {role: np.abs(array / exponents[role]).astype(np.int64) for role, array in drawn.arrays.items()}
        for quantity, largest in data.specified(geometry, integers).items():
            assert largest.max() <= data.MANTISSA[dtype], (quantity, geometry)


def _unit(array: np.ndarray) -> float:
    """The largest power of two that divides every entry."""
    unit = 2.0**900
    while unit > 0 and np.any(np.mod(array.astype(np.float64), unit) != 0):
        unit /= 2
    return unit


def test_too_long_a_sum_is_refused_rather_than_made_vacuous() -> None:
    with pytest.raises(ValueError, match="leave no room for exact float32 data"):
        data.amplitudes("wide", "float32", {"y": 2**22})


def test_the_same_case_has_the_same_data_and_another_seed_has_others() -> None:
    case = Case(Geometry(1, 2, 2, (3, 3), (2, 2)), seed=1)
    first, again, other = data.example(case), data.example(case), data.example(replace(case, seed=2))
    assert np.array_equal(first.arrays["x"], again.arrays["x"])
    assert not np.array_equal(first.arrays["x"], other.arrays["x"])


def test_distinct_data_are_distinct() -> None:
    x = data.example(Case(Geometry(2, 3, 2, (4, 4), (2, 2)), profile="distinct")).arrays["x"]
    assert len(np.unique(np.abs(x))) == x.size


def test_shrinking_finds_the_smallest_case_that_fails() -> None:
    whole = everything()
    case = whole.case([size - 1 for size in whole.sizes], seed=3)
    smallest = shrink(case, simpler_cases, lambda c: c.geometry.stride[0] > 1 and c.geometry.in_channels > 4)
    assert smallest.geometry == Geometry(
        in_channels=5, stride=(2, 1), orientation=case.geometry.orientation, bias=False
    )
    assert (smallest.layouts, smallest.dtype, smallest.profile) == ((), "float64", "distinct")


def test_shrinking_prefers_a_larger_image_to_padding() -> None:
    case = Case(Geometry(1, 1, 1, (1, 1), (1, 2), padding=((0, 0), (1, 0))))
    smallest = shrink(case, simpler_cases, lambda c: c.geometry.kernel_size[1] > 1)
    assert smallest.geometry.size == (1, 2)
    assert smallest.geometry.padding == ((0, 0), (0, 0))


def test_shrinking_stops_at_its_limit() -> None:
    calls = []
    case = everything().case([1] * len(FACTORS), seed=0)
    shrink(case, simpler_cases, lambda c: bool(calls.append(c)), tries=3)
    assert len(calls) == 3


@pytest.mark.parametrize("kind", ["sum", "average", "max"])
def test_pool_cases(kind: str) -> None:
    pools = pool_space(kind, lambda g: not g.divides_by_zero, dtypes=DTYPES, layouts=LAYOUTS)
    random = np.random.default_rng(0)
    seen_infinity = False
    for _ in range(300):
        case = pools.case([int(random.integers(size)) for size in pools.sizes], int(random.integers(99)))
        drawn = pool_example(case)
        assert drawn.expected["y"].shape == case.geometry.y_shape
        seen_infinity |= bool(np.isneginf(drawn.expected["y"]).any())
        for simpler in simpler_pool_cases(case):
            assert min(simpler.geometry.output_size) >= 1
    assert seen_infinity == (kind == "max")


def test_ties_are_ties() -> None:
    case = PoolCase(PoolGeometry("max", 1, 1, (4, 4), (2, 2), (2, 2)), profile="ties")
    x = pool_example(case).arrays["x"]
    assert len(np.unique(x)) <= 3


@pytest.mark.parametrize("profile", STRUCTURED)
def test_data_with_a_structure_have_it_and_stay_exact(profile: str) -> None:
    cases = [case for case in structured(everything(), lambda geometry: True, seed=3) if case.profile == profile]
    assert len(cases) == 4  # two geometries in each orientation
    for case in cases:
        plain, drawn = draw(replace(case, profile="wide")), draw(case)
        for role, array in drawn.integers.items():
            assert np.abs(array).max() <= plain.largest[role]
            if role in STRUCTURED[profile]:
                assert STRUCTURE[profile](array), role
        assert example(case).chances == {}, "entries that depend on each other prove no chance"
        assert any(example(case).evidence.values())


STRUCTURE = {
    "constant image": lambda x: np.ptp(x) == 0 and x.any(),
    "constant cotangent": lambda dy: np.ptp(dy) == 0 and dy.any(),
    "symmetric": lambda a: np.array_equal(a, a.swapaxes(2, 3)),
    "cancelling": lambda a: a.sum() == 0 and a.any(),
    "late": lambda a: a[-1].any() and (len(a) == 1 or not a[0].any()),
}


def test_a_target_without_padding_has_them_too_and_one_that_rounds_has_none() -> None:
    space = everything()
    without = structured(space, lambda geometry: geometry.padding == ((0, 0), (0, 0)), seed=0)
    assert {case.profile for case in without} == set(STRUCTURED)
    assert structured(replace(space, headroom=8), lambda geometry: True, seed=0) == []
