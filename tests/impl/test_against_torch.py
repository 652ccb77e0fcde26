"""The same layers in PyTorch, on integers: equal, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from backproof_impl import (
    Activation,
    Convolution,
    Dense,
    Flatten,
    Network,
    Pooling,
    backward,
    forward,
    half_squared_error,
    half_squared_error_gradient,
    max_pool,
    max_pool_gradient,
)

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")
pytestmark = pytest.mark.torch


def tensors(*arrays):
    return [torch.from_numpy(a.copy()).requires_grad_() for a in arrays]


def assert_same(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        assert np.array_equal(a, b.detach().numpy())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("padding_mode", ["zeros", "circular"])
@pytest.mark.parametrize(
    ("channels", "out_channels", "kernel", "options"),
    [
        (1, 1, (1, 1), {}),
        (2, 3, (3, 2), {"stride": (2, 1), "padding": (1, 2)}),
        (4, 6, (2, 3), {"dilation": (2, 1), "groups": 2, "padding": (0, 1)}),
        (3, 3, (3, 3), {"stride": (1, 2), "groups": 3, "padding": (2, 1)}),
    ],
)
def test_cross_correlation(integers, padding_mode, channels, out_channels, kernel, options, dtype):
    groups = options.get("groups", 1)
    shapes = (2, channels, 5, 6), (out_channels, channels // groups, *kernel), (out_channels,)
    x, w, b = (integers(shape, dtype) for shape in shapes)
    y = forward(x, w, b, padding_mode=padding_mode, orientation="cross-correlation", **options)
    dy = integers(y.shape, dtype)
    gradients = backward(dy, x, w, b, padding_mode=padding_mode, orientation="cross-correlation", **options)

    their_x, their_w, their_b = inputs = tensors(x, w, b)
    ph, pw = options.get("padding", (0, 0))
    mode = {"zeros": "constant", "circular": "circular"}[padding_mode]
    padded = torch.nn.functional.pad(their_x, (pw, pw, ph, ph), mode=mode)
    rest = {key: value for key, value in options.items() if key != "padding"}
    their_y = torch.nn.functional.conv2d(padded, their_w, their_b, **rest)
    assert_same((y, *gradients), (their_y, *torch.autograd.grad(their_y, inputs, torch.from_numpy(dy))))


def test_max_pool_with_ties_and_nan(integers):
    x = integers((2, 3, 6, 7))
    x[0, 1, 2, 3] = x[1, 0, 5, 6] = np.nan
    options = {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 1), "dilation": (1, 2)}
    y = max_pool(x, **options)
    (their_x,) = tensors(x)
    their_y = torch.nn.functional.max_pool2d(their_x, **options)
    assert np.array_equal(y, their_y.detach().numpy(), equal_nan=True)
    dy = integers(y.shape)
    assert_same([max_pool_gradient(dy, x, **options)], torch.autograd.grad(their_y, their_x, torch.from_numpy(dy)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_network_on_integers(integers, dtype):
    """Convolution, ReLU, both pools and a dense layer; an average over 4 pixels is exact in binary."""
    network = Network(
        [
            Convolution(2, 3, 3, padding=1, orientation="cross-correlation", dtype=dtype),
            Activation("relu"),
            Pooling("max", 2, stride=1),
            Convolution(3, 2, 2, stride=(1, 2), orientation="cross-correlation", dtype=dtype),
            Activation("relu"),
            Pooling("average", 2, stride=1),
            Flatten(),
            Dense(4, 2, dtype=dtype),
        ]
    )
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2, stride=1),
        torch.nn.Conv2d(3, 2, 2, stride=(1, 2)),
        torch.nn.ReLU(),
        torch.nn.AvgPool2d(2, stride=1),
        torch.nn.Flatten(),
        torch.nn.Linear(4, 2),
    ).to(torch.from_numpy(np.zeros(0, dtype)).dtype)
    for seed, (ours, theirs) in enumerate(zip(network.layers, layers, strict=True)):
        for value, parameter in zip(ours.parameters.values(), theirs.parameters(), strict=True):
            value[...] = np.sign(integers(value.shape, dtype, seed))
            parameter.data = torch.from_numpy(value.copy())

    x, t = integers((2, 2, 5, 6), dtype), integers((2, 2), dtype)
    o = network.forward(x)
    dx = network.backward(half_squared_error_gradient(o, t))
    their_x, their_t = tensors(x, t)
    their_o = layers(their_x)
    error = ((their_t - their_o) ** 2).sum() / 2
    error.backward()

    assert np.abs(dx).max() > 0
    assert float(half_squared_error(o, t)) == error.item()
    assert_same([o, dx], [their_o, their_x.grad])
    for ours, theirs in zip(network.layers, layers, strict=True):
        assert_same(ours.gradients.values(), [p.grad for p in theirs.parameters()])
        assert all(np.abs(gradient).max() > 0 for gradient in ours.gradients.values())
