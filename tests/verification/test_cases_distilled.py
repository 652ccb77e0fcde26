"""The distilled cases: what they hold, how they are written, how they are fitted to a target, how they are made."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from backproof.cases import data
from backproof.cases.designs import distilled, fixed_set, presets
from backproof.cases.levels import FACTORS, Case, Space, geometry, space
from backproof.cases.rows import COLUMNS, as_case, fitted, read_rows, values_of, write_rows
from backproof.contract import DTYPES, ORIENTATIONS, Geometry
from backproof.museum.synthetic import draw
from backproof.targets.layouts import LAYOUTS

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def for_targets(accepts: Callable[[Geometry], bool] = lambda g: True, dtypes: tuple[str, ...] = DTYPES) -> Space:
    return space(accepts, orientations=ORIENTATIONS, dtypes=dtypes, layouts=LAYOUTS)


def cases() -> list[Case]:
    whole = for_targets()
    return fixed_set(whole, whole.accepts, seed=0)


# ---- what they hold


@pytest.mark.parametrize(
    "name", sorted(set(COLUMNS.values()) - {"padding", "output", "remainder", "channels", "kernel"})
)
def test_every_level_of_a_factor_occurs(name: str) -> None:
    assert {values[name] for values in distilled()} >= set(FACTORS[name])


def test_the_rows_have_what_shapes_are_for() -> None:
    every = [case.geometry for case in cases()]
    reach = [[g.dilation[a] * (g.kernel_size[a] - 1) for a in (0, 1)] for g in every]
    for axis in (0, 1):
        assert any(g.padding[axis][0] > r[axis] for g, r in zip(every, reach, strict=True)), "all in the padding"
        assert any(g.size[axis] <= r[axis] for g, r in zip(every, reach, strict=True)), "smaller than the kernel"
        assert any(g.padding[axis][0] > g.size[axis] and g.padding_mode == "circular" for g in every), "wraps twice"
        assert any(g.padding[axis][0] != g.padding[axis][1] for g in every)
    assert any(g.kernel_size == (1, 1) and g.stride != (1, 1) for g in every)
    assert any(g.kernel_size == (1, 1) and np.prod(g.size) > 64 and np.prod(g.size) % 8 for g in every)
    assert {g.in_channels for g in every} >= {1, 3, 4, 5, 8, 9, 15, 33}
    assert any(g.groups == g.in_channels > 1 for g in every)
    for option in ("stride", "dilation"):
        uneven = [(g, getattr(g, option)) for g in every if len(set(getattr(g, option))) == 2]
        assert any(g.output_size == replace(g, **{option: pair[::-1]}).output_size for g, pair in uneven)


def test_each_case_can_be_asked_and_is_exact() -> None:
    for case in cases():
        g = case.geometry
        assert min(g.output_size) >= 1
        assert g.in_channels % g.groups == 0 == g.out_channels % g.groups
        largest = data.amplitudes(case.profile, case.dtype, data.products(g))
        for one, other in (("x", "w"), ("dy", "w"), ("dy", "x")):
            k = max(data.products(g).values())
            assert k * largest[one] * largest[other] <= data.MANTISSA[case.dtype]
        assert all(array.any() for role, array in data.example(case).arrays.items() if role != "b")


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_layers_of_known_networks_are_small(orientation: str) -> None:
    for g in presets(orientation):  # type: ignore[arg-type]
        rows, columns = g.output_size
        kh, kw = g.kernel_size
        assert 0 < g.batch * g.out_channels * rows * columns * g.in_channels // g.groups * kh * kw < 200_000


# ---- how they are written


def test_what_is_written_is_read() -> None:
    random, whole = np.random.default_rng(0), for_targets()
    some = [whole.case([int(random.integers(size)) for size in whole.sizes], 0) for _ in range(200)]
    assert [as_case(values) for values in read_rows(write_rows(some))] == some
    assert set(values_of(some[0])) == set(FACTORS) - {"twin"} == set(COLUMNS.values())


def test_a_table_with_other_columns_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the columns are k s; they must be k s d padding"):
        list(read_rows("k s\n1x1 2x2"))


# ---- twins among the levels


@pytest.mark.parametrize(
    ("twin", "confused"),
    [
        ("strides", lambda g: replace(g, stride=g.stride[::-1])),
        ("dilations", lambda g: replace(g, dilation=g.dilation[::-1])),
        ("steps", lambda g: replace(g, stride=g.dilation, dilation=g.stride)),
    ],
)
def test_a_confusion_leaves_the_output_of_a_twin_as_it_is(twin: str, confused: Callable[[Geometry], Geometry]) -> None:
    random = np.random.default_rng(2)
    large = {"padding": "none", "twin": twin}  # where padding is larger than the image, there may be other outputs
    for _ in range(300):
        levels = {name: factor[random.integers(len(factor))] for name, factor in FACTORS.items()} | large
        g = geometry(levels, "convolution")
        assert confused(g).output_size == g.output_size
        assert confused(g) != g or twin == "steps"


@pytest.mark.parametrize("twin", ["square", "square image"])
def test_a_square_twin_is_square(twin: str) -> None:
    random = np.random.default_rng(3)
    for _ in range(300):
        levels = {name: factor[random.integers(len(factor))] for name, factor in FACTORS.items()} | {"twin": twin}
        g = geometry(levels, "convolution")
        assert g.size[0] == g.size[1]
        assert twin != "square" or g.output_size[0] == g.output_size[1]


# ---- how they are fitted


def test_a_target_that_takes_everything_is_asked_for_the_rows_as_they_are() -> None:
    whole = for_targets()
    for values in distilled():
        assert fitted(whole, values, 5) == as_case(values, 5)


def square(g: Geometry) -> bool:
    (top, bottom), (left, right) = g.padding
    same = (g.kernel_size, g.stride, g.dilation)
    return top == bottom == left == right and all(pair[0] == pair[1] for pair in same)


@pytest.mark.parametrize(
    "accepts",
    [
        square,
        lambda g: g.stride == (1, 1) and g.dilation == (1, 1),
        lambda g: g.groups == 1 and g.padding_mode == "zeros" and g.dilation == (1, 1),
        lambda g: g.padding == ((0, 0), (0, 0)) and not g.bias,
    ],
    ids=["square", "no stride", "no groups", "no padding"],
)
def test_a_target_that_takes_less_is_asked_for_what_it_takes(accepts: Callable[[Geometry], bool]) -> None:
    some = for_targets(accepts, ("float32",))
    chosen = fixed_set(some, accepts, seed=0)
    assert len(chosen) > 80
    assert all(accepts(case.geometry) and case.dtype == "float32" for case in chosen)
    assert len({replace(case, seed=0) for case in chosen}) == len(chosen), "no case twice"


# ---- how they are made

EXPECTED = [
    "k s d padding mode out rest c,o,g n bias dtype profile x w dy orientation",
    "3x3 2x2 3x3 1,3/1,3 zeros 3x3 1x1 5,5,2 3 b float32 wide-w offset read-only read-only cross",
    "2x2 1x1 1x1 0,0/0,0 zeros 2x2 0x0 2,2,2 2 b float64 wide reversed reversed read-only conv",
    "1x1 2x2 2x2 0,0/0,0 circular 9x9 1x1 7,7,1 3 b float64 distinct F sliced read-only cross",
    "3x3 2x1 1x2 0,0/0,0 zeros 4x5 0x0 2,2,1 1 - float64 wide-w F read-only broadcast conv",
    "7x7 1x1 1x1 3,3/3,3 zeros 10x10 0x0 1,1,6 1 b float32 sparse reversed sliced C conv",
    "1x7 1x1 1x1 0,0/3,3 zeros 9x5 0x0 4,4,1 1 - float64 scaled sliced reversed read-only conv",
]


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    names = ("distil", "synthetic", "distillation.candidates", "distillation.kills")
    return SimpleNamespace(**{name.rpartition(".")[2]: importlib.import_module(name) for name in names})


def test_a_small_part_of_the_distillation_comes_out_as_it_did(benchmarks: SimpleNamespace) -> None:
    mutants = [draw(1, literals, number) for literals in (0, 1) for number in range(40)]
    some = benchmarks.candidates.candidates(1, 8, pairs=False)[::6]
    chosen = benchmarks.distil.distil(1, some, mutants, 6)
    assert write_rows(chosen).splitlines() == EXPECTED


def test_a_cover_takes_the_most_useful_first(benchmarks: SimpleNamespace) -> None:
    kills = np.array([[1, 0, 0, 1], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]], dtype=bool)
    assert benchmarks.distil.cover(kills, 3) == [0, 1, 2]
    assert benchmarks.distil.cover(kills, 9) == [0, 1, 2, 3]


def test_the_kills_are_those_of_the_mutants_themselves(benchmarks: SimpleNamespace) -> None:
    some = benchmarks.candidates.random_rows(5, 5)
    tried = benchmarks.kills.Tried.at(some)
    mutants = [draw(9, literals, number) for literals in (0, 1) for number in range(25)]
    kills = tried.kills(mutants)
    for row, mutant in zip(kills, mutants, strict=True):
        for case, killed in zip(some, row, strict=True):
            assert killed == benchmarks.kills.is_killed(mutant, case)
    assert kills.any()
    assert not kills.all()
    assert benchmarks.kills.first_kills(np.array([[False, True], [False, False]])).tolist() == [2, 0]
