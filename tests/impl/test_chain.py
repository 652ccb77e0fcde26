"""Deltas, output delta and error against loops, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from backproof_impl import ACTIVATIONS, Convolution, Network, delta, error, input_gradient, output_delta
from backproof_impl.layers import Activation

DTYPES = (np.float32, np.float64)


def cube_derivative(c):
    return 3 * c * c


@pytest.mark.parametrize("dtype", DTYPES)
def test_output_delta(integers, dtype):
    o, t, c = (integers((2, 3, 2, 2), dtype, seed=seed) for seed in range(3))
    result = output_delta(o, t, c, activation_derivative=cube_derivative)
    assert (result.shape, result.dtype) == (o.shape, dtype)
    assert all(result[at] == (o[at] - t[at]) * 3 * c[at] ** 2 for at in np.ndindex(o.shape))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("orientation", ["convolution", "cross-correlation"])
def test_delta_is_the_input_gradient_times_the_slope(integers, dtype, orientation):
    c, w = integers((2, 4, 6, 5), dtype), integers((6, 2, 3, 2), dtype, seed=1)
    options = {"stride": (2, 1), "padding": 1, "dilation": (1, 2), "groups": 2, "orientation": orientation}
    above = integers((2, 6, 3, 5), dtype, seed=2)
    copies = [a.copy() for a in (above, w, c)]
    result = delta(above, w, c, activation_derivative=ACTIVATIONS["relu"][1], **options)
    assert np.array_equal(result, input_gradient(above, c, w, **options) * (c > 0))
    assert result.dtype == dtype
    assert all(np.array_equal(a, b) for a, b in zip((above, w, c), copies, strict=True))


def test_the_recursion_is_that_of_the_network():
    """Two convolutions of a network: its own gradients are those that the deltas give."""
    rng = np.random.default_rng(4)
    layers = [Convolution(1, 2, 2, rng=rng), Activation("relu"), Convolution(2, 3, 2, rng=rng), Activation("relu")]
    for layer in (layers[0], layers[2]):
        layer.parameters["w"][...] = rng.integers(-3, 4, layer.parameters["w"].shape)  # integers: nothing rounds
    x = rng.integers(-3, 4, (2, 1, 5, 5)).astype(float)
    c1 = layers[0].forward(x)
    o1 = layers[1].forward(c1)
    c2 = layers[2].forward(o1)
    o2, slope = layers[3].forward(c2), ACTIVATIONS["relu"][1]
    t = rng.integers(-9, 10, o2.shape).astype(float)
    above = output_delta(o2, t, c2, activation_derivative=slope)
    below = delta(above, layers[2].parameters["w"], c1, activation_derivative=slope)
    network = Network(layers)
    network.forward(x)
    network.backward(o2 - t)
    assert below.any()
    np.testing.assert_array_equal(layers[0].gradients["b"], below.sum((0, 2, 3)))
    np.testing.assert_array_equal(layers[2].gradients["b"], above.sum((0, 2, 3)))
    assert error(o2, t) == np.sum((t - o2) ** 2) / 2


def test_shapes_and_dtypes():
    one = np.ones((1, 1, 2, 2))
    with pytest.raises(ValueError, match=r"^c must have shape \(1, 1, 2, 2\), the shape of o, got \(1, 1, 2\)"):
        output_delta(one, one, one[..., 0], activation_derivative=cube_derivative)
    with pytest.raises(ValueError, match=r"^activation_derivative\(c\) must have shape \(1, 1, 2, 2\), the shape of c"):
        output_delta(one, one, one, activation_derivative=np.sum)
    with pytest.raises(TypeError, match=r"^o \(float64\) and t \(float32\) must have one dtype"):
        output_delta(one, one.astype(np.float32), one, activation_derivative=cube_derivative)
    with pytest.raises(ValueError, match=r"^dy must have shape"):
        delta(one, one, one, activation_derivative=cube_derivative)
