"""The museum: its reference is right, and every mutant differs from it where it says, and there only."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import backproof
from backproof import museum
from backproof.contract import Geometry, PoolGeometry
from backproof.museum import MUSEUM, NOT_EXPRESSIBLE, Mutant, Trigger, misread
from backproof.museum.reference import Convolution
from backproof.museum.reference_chain import Chain
from backproof.museum.reference_pooling import Pooling
from backproof.museum.witness import outcomes, same
from backproof.targets.layouts import LAYOUTS, place
from backproof_spec import oracle

#: What the catalogue of bugs has, by the first letter of the ids; P are ours.
LIBRARIES, BY_HAND, POOLINGS = 59, 36, 14

each_mutant = pytest.mark.parametrize("mutant", MUSEUM.values(), ids=MUSEUM)


def _reference(mutant: Mutant) -> Convolution:
    if issubclass(mutant.layer, Chain):
        return mutant.layer.__bases__[0]()  # with the same slope and alpha
    return Pooling() if issubclass(mutant.layer, Pooling) else Convolution()


# ---- the mutants


@each_mutant
def test_a_mutant_differs_at_its_witness(mutant: Mutant) -> None:
    right = outcomes(_reference(mutant), mutant.witness)
    assert not same(outcomes(mutant.layer(), mutant.witness), right)


@each_mutant
def test_a_mutant_agrees_elsewhere(mutant: Mutant) -> None:
    assert bool(mutant.agreement) == (mutant.trigger is not Trigger.ALWAYS)
    right = outcomes(_reference(mutant), mutant.agreement)
    assert same(outcomes(mutant.layer(), mutant.agreement), right)
    assert not any(isinstance(item, type) for item in right)


# What outlives a call may concern several quantities, and so may values that the whole process treats apart.
@pytest.mark.parametrize(
    "mutant", [m for m in MUSEUM.values() if m.trigger not in (Trigger.STATE, Trigger.VALUES)], ids=lambda m: m.id
)
def test_a_mutant_is_wrong_in_one_quantity(mutant: Mutant) -> None:
    own = {call.function for call in mutant.witness}
    functions = ("forward", "input_gradient", "weight_gradient", "bias_gradient")
    if isinstance(mutant.witness[0].geometry, PoolGeometry):
        functions = ("max_pool", "max_pool_gradient", "average_pool", "average_pool_gradient", "sum_pool_gradient")
    if issubclass(mutant.layer, Chain):
        entries = (f"activation {name}" for name in mutant.layer().ACTIVATIONS)
        chain = ("delta", "output_delta", "error", *(f"{e}{d}" for e in entries for d in ("", " derivative")))
        functions = (*functions, *chain)
    others = [replace(call, function=name) for call in mutant.agreement for name in functions]
    others += [replace(call, function=name) for call in mutant.witness for name in functions if name not in own]
    assert same(outcomes(mutant.layer(), others), outcomes(_reference(mutant), others))


@each_mutant
def test_a_mutant_is_the_same_in_every_run(mutant: Mutant) -> None:
    first, second = (outcomes(mutant.layer(), mutant.witness) for _ in range(2))
    assert same(first, second)


@each_mutant
def test_a_mutant_is_a_target_with_the_reference_s_signatures(mutant: Mutant) -> None:
    layer = getattr(museum, mutant.id)
    assert layer is mutant.layer
    assert layer.__name__ == mutant.id
    assert mutant.title
    assert mutant.source
    for name, function in inspect.getmembers(type(_reference(mutant)), inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.signature(getattr(layer, name)) == inspect.signature(function)


def test_every_entry_of_the_catalogue_is_accounted_for() -> None:
    ids = [name for name in (*MUSEUM, *NOT_EXPRESSIBLE) if not name.startswith("C")]
    assert len(ids) == len(set(ids)) == LIBRARIES + BY_HAND + POOLINGS
    assert sum(name.startswith("L") for name in ids) == LIBRARIES
    assert sum(name.startswith("H") for name in ids) == BY_HAND
    assert sum(name.startswith("P") for name in ids) == POOLINGS


def test_a_mutant_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match=r"no mutant 'L000'; its ids are L"):
        museum.L000  # noqa: B018


def test_a_mutant_is_refused_by_name() -> None:
    report = backproof.check(MUSEUM["H007"].target, profile="quick", seed=1, checks=("exact",))
    assert {finding.quantity for finding in report.findings} == {"dw"}


#: A mutant of the chain -> what is found wrong, by a quick run.
OF_THE_CHAIN = {
    "L100": "leaky_relu derivative",
    "L104": "relu",
    "L109": "tanh derivative",
    "H042": "relu derivative",
    "H043": "output delta",
    "C028": "delta",
    "C034": "E",
}


@pytest.mark.parametrize("name", OF_THE_CHAIN)
def test_a_mutant_of_the_chain_is_refused(name: str) -> None:
    report = backproof.check(MUSEUM[name].target, profile="quick", seed=1, checks=("activations", "chain"))
    assert {finding.quantity for finding in report.findings} == {OF_THE_CHAIN[name]}


@pytest.mark.slow
@pytest.mark.parametrize("mutant", [m for m in MUSEUM.values() if issubclass(m.layer, Chain)], ids=lambda m: m.id)
def test_every_mutant_of_the_chain_is_refused(mutant: Mutant) -> None:
    for seed in range(3):
        report = backproof.check(mutant.target, profile="default", seed=seed, checks=("activations", "chain"))
        assert report.findings


# ---- the reference


@pytest.mark.parametrize("profile", ["quick", pytest.param("default", marks=pytest.mark.slow)])
@pytest.mark.parametrize("layer", [Convolution, Pooling, Chain])
def test_the_reference_passes(layer: type[Convolution], profile: str) -> None:
    backproof.check(layer, profile=profile, seed=1).raise_for_findings()


def test_the_convolution_is_the_oracle_s() -> None:
    rng = np.random.default_rng(5)
    for _ in range(60):
        g = _geometry(rng)
        x, w, b, dy = (rng.integers(-9, 10, g.shape_of(role)) for role in ("x", "w", "b", "dy"))
        expected = (
            oracle.convolution(x, w, b, **g.options()),
            *oracle.convolution_gradients(dy, x, w, **g.options()),
        )
        for dtype in ("float32", "float64"):
            x1, w1, b1, dy1 = (a.astype(dtype) for a in (x, w, b, dy))
            layer, options = Convolution(), g.options()
            results = (layer.forward(x1, w1, b1, **options), *layer.backward(dy1, x1, w1, b1, **options))
            _assert_all_equal(results, expected, dtype)


@pytest.mark.parametrize("kind", ["max", "average", "sum"])
def test_pooling_is_the_oracle_s(kind: Any) -> None:
    rng, layer = np.random.default_rng(6), Pooling()
    for _ in range(60):
        g = _pool_geometry(rng, kind)
        unit = 36  # of all numbers of pixels that a window may have
        x, dy = rng.integers(-3, 4, g.x_shape) * unit, rng.integers(-9, 10, g.y_shape) * unit
        y = oracle.pooling(kind, x, **g.options()).astype(float)
        expected = (
            np.where(y == oracle.LOWEST, -np.inf, y),
            oracle.pooling_gradient(kind, dy, x, **g.options()),
        )
        forward, gradient = getattr(layer, f"{kind}_pool"), getattr(layer, f"{kind}_pool_gradient")
        for dtype in ("float32", "float64"):
            image, cotangent = x.astype(dtype), dy.astype(dtype)
            results = (forward(image, **g.options()), gradient(cotangent, image, **g.options()))
            _assert_all_equal(results, expected, dtype)


def test_a_window_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no window fits: an image of 1 x 3 .* pass a larger image, or more padding"):
        Convolution().forward(np.zeros((1, 1, 1, 3)), np.zeros((1, 1, 2, 2)))


def _geometry(rng: np.random.Generator) -> Geometry:
    while True:
        groups = int(rng.integers(1, 4))
        g = Geometry(
            batch=int(rng.integers(1, 4)),
            in_channels=groups * int(rng.integers(1, 4)),
            out_channels=groups * int(rng.integers(1, 4)),
            groups=groups,
            padding_mode=rng.choice(["zeros", "circular"]),
            orientation=rng.choice(["convolution", "cross-correlation"]),
            **_sizes(rng),
        )
        if min(g.output_size) > 0:
            return g


def _pool_geometry(rng: np.random.Generator, kind: Any) -> PoolGeometry:
    while True:
        switches = {"ceil_mode": bool(rng.integers(2)), "count_include_pad": kind != "average" or bool(rng.integers(2))}
        g = PoolGeometry(kind, int(rng.integers(1, 3)), int(rng.integers(1, 4)), **_sizes(rng), **switches)
        if min(g.output_size) > 0 and not g.divides_by_zero:
            return g


def _sizes(rng: np.random.Generator) -> dict[str, Any]:
    def pair(low: int, high: int) -> tuple[int, int]:
        return int(rng.integers(low, high)), int(rng.integers(low, high))

    return {
        "size": pair(1, 9),
        "kernel_size": pair(1, 4),
        "stride": pair(1, 4),
        "dilation": pair(1, 3),
        "padding": (pair(0, 5), pair(0, 5)),
    }


def _assert_all_equal(results: tuple[Any, ...], expected: tuple[Any, ...], dtype: str) -> None:
    for result, wanted in zip(results, expected, strict=True):
        assert result.dtype == dtype
        np.testing.assert_array_equal(result, wanted)


# ---- reading memory


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "broadcast"])
def test_memory_is_read_in_order_and_never_beyond_its_owner(layout: str) -> None:
    placed = place(np.arange(24.0).reshape(1, 2, 3, 4), layout)
    found = misread.packed(placed.array).ravel()
    start = (placed.array.__array_interface__["data"][0] - placed.memory.__array_interface__["data"][0]) // 8
    np.testing.assert_array_equal(found, placed.memory[start : start + 24])


def test_memory_that_ends_too_early_is_continued_by_nan() -> None:
    end = np.arange(6.0)[::-1]
    np.testing.assert_array_equal(misread.packed(end), [5.0, *[np.nan] * 5])
    one = np.broadcast_to(np.array(7.0), (1, 1, 2, 2))
    np.testing.assert_array_equal(misread.packed(one).ravel(), [7.0, *[np.nan] * 3])


def test_a_window_beyond_a_plane_has_zeros() -> None:
    plane = np.arange(4.0).reshape(1, 1, 2, 2)
    np.testing.assert_array_equal(misread.window(plane, (-1, 1), (3, 2))[0, 0], [[0, 0], [1, 0], [3, 0]])
    assert not misread.window(plane, (5, 0), (2, 2)).any()
