"""The folded equation against the oracle: it accepts every right result, and names the channel of every wrong entry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backproof.cases.data import products, specified
from backproof.cases.designs import fixed_set, tiny, twins
from backproof.cases.levels import space
from backproof.contract import DTYPES, ORIENTATIONS, QUANTITIES, Geometry
from backproof_spec import oracle
from backproof_spec.oracle.projection import Projection, chance, index_table


def geometries() -> list[Geometry]:
    """All pairs of levels, twins, and tiny ones, in both orientations: every option in every combination of two."""
    levels = space(lambda g: True, orientations=ORIENTATIONS, dtypes=DTYPES, layouts=("C",))
    designed = [case.geometry for case in fixed_set(levels, lambda g: True, seed=1)]
    small = [g for orientation in ORIENTATIONS for g in (*tiny(orientation), *twins(orientation))]
    circular = [replace(g, padding_mode="circular", padding=((2, 1), (0, 3))) for g in small]
    return list(dict.fromkeys([*designed, *small, *(g for g in circular if min(g.output_size) > 0)]))


GEOMETRIES = geometries()


def drawn(g: Geometry, rng: np.random.Generator) -> tuple[dict, dict]:
    arrays = {role: rng.integers(-999, 999, g.shape_of(role)) for role in ("x", "w", "b", "dy")}
    return arrays, specified(g, arrays)


def folded(g: Geometry, arrays: dict, results: dict, seed: int) -> dict:
    p = Projection(g.x_shape, g.w_shape, np.random.default_rng(seed), **g.options())
    return {
        "y": p.y(results["y"], arrays["x"], arrays["w"], arrays["b"]),
        "dx": p.dx(results["dx"], arrays["dy"], arrays["w"]),
        "dw": p.dw(results["dw"], arrays["dy"], arrays["x"]),
        "db": p.db(results["db"], arrays["dy"]),
    }


def test_right_results_agree_and_one_wrong_entry_is_in_its_channel() -> None:
    rng = np.random.default_rng(0)
    assert len(GEOMETRIES) > 200
    for seed, g in enumerate(GEOMETRIES):
        arrays, results = drawn(g, rng)
        assert all((left == right).all() for left, right in folded(g, arrays, results, seed).values()), g
        spoilt = {quantity: array.copy() for quantity, array in results.items()}
        channels = {}
        for quantity, array in spoilt.items():
            index = tuple(rng.integers(0, size) for size in array.shape)
            array[index] += rng.choice((-1, 1)) * 2 ** rng.integers(0, 25)
            channels[quantity] = index[0] if quantity in ("dw", "db") else index[1]
        for quantity, (left, right) in folded(g, arrays, spoilt, seed + 1).items():
            assert list(np.flatnonzero(left != right)) == [channels[quantity]], (g, quantity)


def test_the_most_products_are_counted_as_the_oracle_counts_them() -> None:
    for g in GEOMETRIES:
        ones = {role: np.ones(g.shape_of(role), dtype=np.int64) for role in ("x", "w", "b", "dy")}
        counted = {q: int(array.max()) for q, array in specified(g, ones).items()}
        assert oracle.term_counts(g.x_shape, g.w_shape, **g.options()) == counted, g
        assert products(g) == {q: max(1, n) for q, n in counted.items()}


@pytest.mark.parametrize(("flip", "wrap"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_the_index_table_is_the_equations(flip: int, wrap: int) -> None:
    sizes = {"H": 5, "kh": 3, "sh": 2, "dh": 2, "pt": 3, "pb": 1, "flip": flip, "wrap": wrap}
    table = index_table(0, **sizes, W=1, kw=1, sw=1, dw=1, pl=0, pr=0)
    for u, i in np.ndindex(table.shape):
        row = 2 * i + 2 * ((2 - u) if flip else u) - 3
        assert table[u, i] == (row % 5 if wrap else row if 0 <= row < 5 else -1)


def test_the_chance_is_that_of_three_folds() -> None:
    """The valuation of a fold, measured: errors of 2**58 vanish as often as P(G1 + G2 + G3 >= 6) says."""
    g = Geometry(2, 1, 1, (3, 3), bias=False)
    arrays, results = drawn(g, np.random.default_rng(1))
    results["y"][1, 0, 2, 0] += 2**58
    p = Projection(g.x_shape, g.w_shape, np.random.default_rng(2), **g.options())
    missed = [not np.any(np.subtract(*p.y(results["y"], arrays["x"], arrays["w"], arrays["b"]))) for _ in range(4_000)]
    assert abs(np.mean(missed) - chance(59)) < 4 * (chance(59) / 4_000) ** 0.5
    assert chance(59) == pytest.approx(37 / 256)
    assert chance(26) < 4e-10
    assert chance(1) < chance(42) < 1e-5


def test_all_quantities_have_a_fold() -> None:
    assert all(callable(getattr(Projection, quantity)) for quantity in QUANTITIES)
