"""The same layer in each library: every side computes what the exact sums say."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from backproof_bench import exact
from backproof_bench.layers import DTYPES, QUANTITIES, Layer, arrays
from backproof_bench.sides import BASELINES, OURS, WINOGRAD

LAYERS = (
    Layer("plain", 2, 2, 5, 3, 3),
    Layer("padded", 2, 2, 5, 4, 3, 1, 1),
    Layer("strided", 2, 2, 6, 4, 3, 2, 1),
    Layer("pointwise", 2, 3, 4, 4, 1),
    Layer("grouped", 2, 4, 5, 6, 3, 1, 1, 2),
    Layer("depthwise", 2, 3, 5, 3, 3, 2, 1, 3),
)


def module(library: str) -> ModuleType:
    needs = {baseline.library: baseline for baseline in BASELINES.values()}
    if library in needs:
        pytest.importorskip(needs[library].imports, reason=f"needs the extra `{needs[library].extra}`")
    found = import_module(f"backproof_bench.sides.{library}")
    found.setup(1)
    return found


LIBRARIES = [
    "ours",
    pytest.param("pytorch", marks=pytest.mark.torch),
    pytest.param("xla", marks=pytest.mark.jax),
    pytest.param("signal", marks=pytest.mark.scipy),
]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_side_computes_the_layer(library: str, dtype: str) -> None:
    found = module(library)
    for layer in LAYERS:
        data = arrays(layer, dtype)
        for side, calls in found.sides(layer, data).items():
            if library == "signal" and (layer.stride, layer.groups) != (1, 1):
                assert calls == "correlate has no stride and no groups"
                continue
            assert tuple(calls) == QUANTITIES
            for quantity, call in calls.items():
                reference = exact.sample(layer, data, quantity)
                with found.mode():
                    result = np.asarray(call())
                assert result.dtype == dtype
                _, within = reference.error(result.reshape(-1)[reference.at].tolist())
                assert within, (side, layer.name, quantity)
                _, within = reference.error((result.reshape(-1)[reference.at] * 1.001).tolist())
                assert not within, "an error of a thousandth is seen"


def test_the_sides_are_those_that_are_named() -> None:
    assert {baseline.library for baseline in BASELINES.values()} == {"pytorch", "xla", "signal"}
    assert set(module("ours").sides(LAYERS[0], arrays(LAYERS[0], "float32"))) == {OURS}


@pytest.mark.torch
def test_channels_last_stays_so() -> None:
    layer = LAYERS[1]
    calls: Any = module("pytorch").sides(layer, arrays(layer, "float32"))
    torch = import_module("torch")
    y, turned = (calls[side]["y"]() for side in ("torch", "torch-channels-last"))
    assert y.is_contiguous()
    assert turned.is_contiguous(memory_format=torch.channels_last)
    assert not turned.is_contiguous()


@pytest.mark.scipy
def test_scipy_is_left_out_where_it_takes_too_long() -> None:
    layer = Layer("large", 1, 64, 56, 64, 3, 1, 1)
    assert "take too long" in module("signal").sides(layer, arrays(layer, "float32"))["scipy"]


def test_winograd_is_a_side_where_it_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = module("ours")

    def forward(x: Any, w: Any, b: Any = None, *, algorithm: str = "direct", **options: Any) -> str:
        return algorithm

    def without(dy: Any, x: Any, w: Any, **options: Any) -> None:
        """A function that has no algorithms."""

    monkeypatch.setattr(ours, "forward", forward)
    monkeypatch.setattr(ours, "input_gradient", without)
    monkeypatch.setattr(ours, "weight_gradient", without)
    fits, strided = Layer("3x3", 1, 2, 14, 2, 3, 1, 1), Layer("3x3 /2", 1, 2, 14, 2, 3, 2, 1)
    sides: Any = ours.sides(fits, arrays(fits, "float32"))
    assert set(sides[WINOGRAD]) == {"y"}
    assert (sides[OURS]["y"](), sides[WINOGRAD]["y"]()) == ("direct", "winograd")
    assert WINOGRAD not in ours.sides(strided, arrays(strided, "float32"))
    monkeypatch.setattr(ours, "forward", without)
    assert WINOGRAD not in ours.sides(fits, arrays(fits, "float32"))
