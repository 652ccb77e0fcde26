"""Sums without rounding: as fractions, of every entry of small layers, and what counts as an error."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from backproof_bench import exact
from backproof_bench.layers import DTYPES, QUANTITIES, REPORTED, TUNING, Layer, Quantity, arrays
from backproof_bench.measure import objection

SMALL = (
    Layer("plain", 2, 2, 4, 3, 3),
    Layer("strided, padded", 2, 2, 5, 4, 3, 2, 1),
    Layer("rest of the stride", 1, 1, 6, 1, 3, 2, 1),
    Layer("grouped", 1, 4, 4, 6, 2, 1, 0, 2),
    Layer("depthwise", 1, 3, 4, 3, 3, 1, 1, 3),
    Layer("pointwise", 2, 3, 2, 2, 1),
)


def fractions(layer: Layer, dtype: str) -> dict[Quantity, np.ndarray]:
    """y, dx and dw by the definition, in fractions."""
    data = arrays(layer, dtype)
    x, w, b, dy = (np.vectorize(Fraction, otypes=[object])(a.astype(float)) for a in (data.x, data.w, data.b, data.dy))
    y, dx, dw = (np.full(a.shape, Fraction(0)) for a in (dy, x, w))
    y += b[:, None, None]
    inner, outer = layer.C // layer.groups, layer.O // layer.groups
    for n, o, i, j in np.ndindex(dy.shape):
        for c, u, v in np.ndindex(inner, layer.k, layer.k):
            row, column = i * layer.stride - layer.padding + u, j * layer.stride - layer.padding + v
            if 0 <= row < layer.H and 0 <= column < layer.H:
                channel = o // outer * inner + c
                y[n, o, i, j] += x[n, channel, row, column] * w[o, c, u, v]
                dx[n, channel, row, column] += dy[n, o, i, j] * w[o, c, u, v]
                dw[o, c, u, v] += dy[n, o, i, j] * x[n, channel, row, column]
    return {"y": y, "dx": dx, "dw": dw}


@pytest.mark.parametrize("layer", SMALL, ids=lambda layer: layer.name)
@pytest.mark.parametrize("dtype", DTYPES)
def test_values_are_the_fractions_rounded_once(layer: Layer, dtype: str) -> None:
    for quantity, expected in fractions(layer, dtype).items():
        sample = exact.sample(layer, arrays(layer, dtype), quantity)
        assert sample.at == list(range(expected.size))
        assert sample.values == [float(value) for value in expected.ravel()]


def test_float64_products_are_exact_where_their_rounding_is_not() -> None:
    a, b = np.array([1 + 2.0**-30, 1.0]), np.array([1 - 2.0**-30, -1.0])
    assert (a * b).sum() == 0
    assert sum(map(Fraction, exact.exact_products(a, b))) == Fraction(-1, 2**60)


def test_large_results_are_sampled_at_fixed_places() -> None:
    layer = next(layer for layer in REPORTED if layer.name == "LeNet conv1")
    first, again = (exact.sample(layer, arrays(layer, "float32"), "y") for _ in range(2))
    assert first == again
    assert len(set(first.at)) == exact.MOST
    assert max(first.at) < layer.N * layer.O * layer.out**2


def test_errors_are_the_largest_difference_within_bounds() -> None:
    sample = exact.Sample([0, 1], [1.0, 2.0], [0.1, 0.2])
    assert sample.error([1.05, 1.9]) == (pytest.approx(0.1), True)
    assert sample.error([1.05, 1.7]) == (pytest.approx(0.3), False)
    assert sample.error([1.0, float("nan")])[1] is False


def test_what_is_not_credible_is_rejected() -> None:
    assert objection(1e-7, True, 1e-5) is None
    assert "exactly 0" in (objection(0.0, True, 1e-5) or "")
    assert "error of 3.0e-01, which no order of a sum explains (at most 1.0e-05)" in (objection(0.3, False, 1e-5) or "")


def test_tuning_and_reported_layers_are_disjoint() -> None:
    assert not {layer[1:] for layer in TUNING} & {layer[1:] for layer in REPORTED}
    names = [layer.name for layer in (*REPORTED, *TUNING)]
    assert len(set(names)) == len(names)


def test_layers_know_their_sizes() -> None:
    for layer in (*REPORTED, *SMALL):
        data = arrays(layer, "float32") if layer.multiply_adds < 10**8 else None
        if data is not None:
            assert data.dy.shape[2:] == (layer.out, layer.out)
            assert layer.numbers == data.x.size + data.w.size + data.dy.size
            assert layer.multiply_adds == data.dy.size * data.w[0].size
    kinds = {layer.name: layer.category for layer in REPORTED}
    assert [kinds[name] for name in ("tiny", "LeNet conv2", "MobileNetV2 1x1", "ResNeXt grouped")] == [
        "tiny", "small", "large", "depthwise and grouped",
    ]  # fmt: skip
    assert QUANTITIES == ("y", "dx", "dw")
