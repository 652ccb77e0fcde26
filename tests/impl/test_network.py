"""Layers and networks: the chain rule, the state between forward and backward, and learning something small."""

from __future__ import annotations

import numpy as np
import pytest

from backproof_impl import (
    ACTIVATIONS,
    Activation,
    Convolution,
    Dense,
    Flatten,
    Layer,
    Network,
    Pooling,
    backward,
    forward,
    half_squared_error,
    half_squared_error_gradient,
    max_pool,
    max_pool_gradient,
)


def bars(rng, count, size=6, noise=0.1):
    """Images with one horizontal (target 0) or vertical (target 1) bar, and the targets one-hot."""
    kind, where = rng.integers(0, 2, count), rng.integers(0, size, count)
    x = noise * rng.standard_normal((count, 1, size, size))
    for n in range(count):
        if kind[n]:
            x[n, 0, :, where[n]] += 1
        else:
            x[n, 0, where[n], :] += 1
    return x, np.eye(2)[kind]


def classifier(dtype, pooling):
    return Network(
        [
            Convolution(1, 4, 3, padding=1, dtype=dtype, rng=1),
            Activation("tanh"),
            Pooling(pooling, 2),
            Flatten(),
            Dense(36, 2, dtype=dtype, rng=2),
            Activation("sigmoid"),
        ]
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_a_network_learns_to_tell_horizontal_from_vertical_bars(dtype, pooling):
    rng = np.random.default_rng(0)
    x, t = (a.astype(dtype) for a in bars(rng, 64))
    unseen, labels = (a.astype(dtype) for a in bars(rng, 64))
    network = classifier(dtype, pooling)
    untrained = (network.forward(unseen).argmax(axis=1) == labels.argmax(axis=1)).mean()
    errors = [network.train_step(x, t, rate=0.1) for _ in range(200)]
    assert untrained < 0.8  # else the accuracy below would say nothing
    assert errors[-1] < 0.1 * errors[0]
    assert (network.forward(unseen).argmax(axis=1) == labels.argmax(axis=1)).all()


def test_gradients_of_a_network_agree_with_differences():
    """Smooth activations in float64; central differences, whose error is of order h**2."""
    rng = np.random.default_rng(3)
    network = Network(
        [
            Convolution(2, 4, (2, 3), stride=(1, 2), padding=1, groups=2, rng=rng),
            Activation("tanh"),
            Convolution(4, 2, 2, dilation=2, padding_mode="circular", padding=1, rng=rng),
            Activation("sigmoid"),
            Pooling("average", 2, stride=1),
            Flatten(),
            Dense(16, 3, rng=rng),
        ]
    )
    x, t = rng.standard_normal((2, 2, 4, 6)), rng.standard_normal((2, 3))
    o = network.forward(x)
    dx = network.backward(half_squared_error_gradient(o, t))
    values, gradients = [x], [dx]
    for layer in network.layers:
        values += layer.parameters.values()
        gradients += (layer.gradients[name] for name in layer.parameters)
    h, largest = 1e-5, 0.0
    for value, gradient in zip(values, gradients, strict=True):
        for key in np.ndindex(value.shape):
            kept, ends = value[key], []
            for step in (h, -h):
                value[key] = kept + step
                ends.append(float(half_squared_error(network.forward(x), t)))
            value[key] = kept
            largest = max(largest, abs((ends[0] - ends[1]) / (2 * h) - gradient[key]))
    assert largest < 1e-8
    assert min(np.abs(gradient).max() for gradient in gradients) > 1e-4  # a hundred thousand errors above zero


def test_layers_are_the_functions(integers):
    x, dy = integers((2, 2, 5, 5)), integers((2, 3, 3, 3))
    layer = Convolution(2, 3, 3, bias=True)
    layer.parameters = {"w": integers((3, 2, 3, 3)), "b": integers((3,))}
    w, b = layer.parameters["w"], layer.parameters["b"]
    assert np.array_equal(layer.forward(x), forward(x, w, b))
    dx, dw, db = backward(dy, x, w, b)
    assert np.array_equal(layer.backward(dy), dx)
    assert np.array_equal(layer.gradients["w"], dw)
    assert np.array_equal(layer.gradients["b"], db)
    pool = Pooling("max", 2, stride=1, padding=1)
    y = pool.forward(x)
    assert np.array_equal(y, max_pool(x, kernel_size=2, stride=1, padding=1))
    assert np.array_equal(pool.backward(y), max_pool_gradient(y, x, kernel_size=2, stride=1, padding=1))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_layers_multiply_by_the_derivative_of_the_pre_activation(name):
    c, dy = np.array([[-2.0, 0.0, 0.5]]), np.array([[3.0, 5.0, 7.0]])
    layer = Activation(name)
    function, derivative = ACTIVATIONS[name]
    assert np.array_equal(layer.forward(c), function(c))
    assert np.array_equal(layer.backward(dy), dy * derivative(c))


def test_step_descends_by_the_rate_times_the_gradient(integers):
    layer = Dense(3, 2)
    layer.parameters = {"w": integers((2, 3)), "b": integers((2,))}
    before = {name: value.copy() for name, value in layer.parameters.items()}
    layer.forward(integers((4, 3)))
    layer.backward(integers((4, 2)))
    layer.step(0.5)
    for name, value in layer.parameters.items():
        assert np.array_equal(value, before[name] - 0.5 * layer.gradients[name])


def test_gradients_are_replaced_not_accumulated(integers):
    layer = Convolution(1, 1, 2)
    layer.forward(integers((1, 1, 3, 3)))
    dy = integers((1, 1, 2, 2))
    layer.backward(dy)
    first = layer.gradients["w"]
    layer.backward(dy)
    assert np.array_equal(layer.gradients["w"], first)


def test_the_input_is_kept_by_value(integers):
    layer, x = Convolution(1, 1, 2), integers((1, 1, 3, 3))
    y = layer.forward(x)
    layer.backward(y)
    expected = layer.gradients["w"].copy()
    x[...] = 0  # the caller reuses its buffer
    layer.backward(y)
    assert np.array_equal(layer.gradients["w"], expected)


def test_a_network_keeps_its_input_by_value_and_copies_nothing_between_layers(integers):
    network = Network([Convolution(2, 3, 2, rng=0), Activation("tanh"), Flatten()])
    x = integers((2, 2, 5, 4))
    o = network.forward(x.copy())
    expected = network.backward(o)
    given = x.copy()
    o = network.forward(given)
    given[...] = 0
    assert np.array_equal(network.backward(o), expected)
    made = []
    for layer in network.layers:
        layer._forward = lambda x, forward=layer._forward: made.append(forward(x)) or made[-1]
    network.forward(x)
    assert [layer._x is y for layer, y in zip(network.layers[1:], made, strict=False)] == [True, True]


def test_parameters_are_reproducible_and_of_the_dtype():
    for make in (
        lambda rng: Convolution(4, 6, (3, 2), groups=2, dtype=np.float32, rng=rng),
        lambda rng: Dense(12, 6, dtype="float32", rng=rng),
    ):
        one, same, other = make(1).parameters, make(1).parameters, make(2).parameters
        assert np.array_equal(one["w"], same["w"])
        assert not np.array_equal(one["w"], other["w"])
        assert one["w"].dtype == one["b"].dtype == np.float32
        assert 0.2 < np.abs(one["w"]).max() <= np.float32(1 / np.sqrt(12))
        assert not one["b"].any()


def test_without_bias():
    for layer in (Convolution(1, 2, 3, bias=False), Dense(9, 2, bias=False)):
        assert list(layer.parameters) == ["w"]
        y = layer.forward(np.ones((1, 1, 3, 3)) if isinstance(layer, Convolution) else np.ones((1, 9)))
        layer.backward(y)
        assert list(layer.gradients) == ["w"]
        layer.step(0.1)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_any_batch(count):
    network = classifier(np.float64, "max")
    x, t = np.ones((count, 1, 6, 6)), np.ones((count, 2))
    assert network.forward(x).shape == (count, 2)
    assert network.backward(t).shape == x.shape
    assert network.train_step(x, t, 0.1) >= 0


def test_cotangents_that_are_infinite_do_not_warn():
    layer = Activation("relu")
    layer.forward(np.array([-1.0, 1.0, -1.0]))
    assert np.array_equal(layer.backward(np.array([np.inf, np.inf, 1])), [np.nan, np.inf, 0], equal_nan=True)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Network([]), ValueError, "a network must have at least 1 layer, got 0"),
        (
            lambda: Network([Flatten()] * 2),
            ValueError,
            "a layer must appear only once, because it keeps one input; construct another",
        ),
        (
            lambda: Flatten().backward(np.ones((1, 4))),
            RuntimeError,
            "Flatten.backward needs an input; call forward first",
        ),
        (lambda: Dense(1, 1).step(0.1), RuntimeError, "Dense.step needs gradients; call backward first"),
        (lambda: Layer().forward(np.ones(1)), NotImplementedError, "Layer must define _forward(x)"),
        (
            lambda: Activation("rely"),
            ValueError,
            "name must be one of 'identity', 'relu', 'leaky_relu', 'tanh', 'sigmoid', got 'rely'",
        ),
        (lambda: Pooling("min", 2), ValueError, "kind must be 'max' or 'average' or 'sum', got 'min'"),
        (lambda: Pooling("max", 0), ValueError, "kernel_size must be at least 1, got 0"),
        (lambda: Convolution(0, 1, 3), ValueError, "in_channels must be at least 1, got 0"),
        (lambda: Convolution(6, 4, 3, groups=4), ValueError, "in_channels (=6) must be divisible by groups (=4)"),
        (lambda: Convolution(1, 1, 3, stride=0), ValueError, "stride must be at least 1, got 0"),
        (lambda: Convolution(1, 1, 3, padding=-1), ValueError, "padding must be at least 0, got -1; crop x instead"),
        (
            lambda: Convolution(1, 1, 3, padding_mode="same"),
            ValueError,
            "padding_mode must be 'zeros' or 'circular', got 'same'",
        ),
        (lambda: Dense(1, 2.0), TypeError, "out_features must be an int, got 2.0"),
        (lambda: Dense(1, 1, dtype=np.float16), TypeError, "dtype must be float32 or float64, got float16"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


def test_activation_layers_check_the_cotangent():
    layer = Activation("relu")
    layer.forward(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"^dy must have shape \(2, 3\), the shape of y, got \(3,\)$"):
        layer.backward(np.ones(3))
    with pytest.raises(TypeError, match=r"^dy \(float32\) and x \(float64\) must have one dtype"):
        layer.backward(np.ones((2, 3), np.float32))
