"""Values against a loop over Python integers, gradients against exact differences, over all options."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from backproof_impl import backward, bias_gradient, forward, input_gradient, weight_gradient

ORIENTATIONS = ("convolution", "cross-correlation")
PADDING_MODES = ("zeros", "circular")

# every combination of these in which a window fits
CHANNELS = ((1, 1, 1, 1), (2, 2, 3, 1), (2, 4, 6, 2), (1, 3, 3, 3))  # N, C, O, groups
SIZES = ((1, 1), (3, 4), (6, 5))
KERNELS = ((1, 1), (2, 3), (3, 2))
STRIDES = ((1, 1), (2, 3))
PADDINGS = (((0, 0), (0, 0)), ((1, 0), (0, 2)), ((3, 4), (5, 2)))  # the last: wider than most images
DILATIONS = ((1, 1), (2, 3))


def loops(x, w, b, stride, padding, dilation, groups, padding_mode, orientation):
    """The definition, pixel by pixel, on Python integers."""
    (N, C, H, W), (O, _, kh, kw) = x.shape, w.shape  # noqa: E741
    (top, bottom), (left, right) = padding
    OH = (H + top + bottom - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    OW = (W + left + right - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    image = {key: int(x[key]) for key in np.ndindex(x.shape)}
    weight = {key: int(w[key]) for key in np.ndindex(w.shape)}
    y = np.zeros((N, O, OH, OW), dtype=object)
    for n, o, i, j in np.ndindex(y.shape):
        total = 0 if b is None else int(b[o])
        for c, u, v in np.ndindex(C // groups, kh, kw):
            t, s = (kh - 1 - u, kw - 1 - v) if orientation == "convolution" else (u, v)
            h = i * stride[0] + t * dilation[0] - top
            k = j * stride[1] + s * dilation[1] - left
            if padding_mode == "circular":
                h, k = h % H, k % W
            group = o // (O // groups)
            total += image.get((n, group * (C // groups) + c, h, k), 0) * weight[o, c, u, v]
        y[n, o, i, j] = total
    return y


def fits(size, kernel, padding, dilation):
    return all(n + sum(p) >= d * (k - 1) + 1 for n, k, p, d in zip(size, kernel, padding, dilation, strict=True))


def cases(padding_mode, orientation):
    """Shapes of x and w, and the options."""
    for (N, C, O, groups), size, kernel, stride, padding, dilation in product(  # noqa: E741
        CHANNELS, SIZES, KERNELS, STRIDES, PADDINGS, DILATIONS
    ):
        if fits(size, kernel, padding, dilation):
            options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
            options |= {"padding_mode": padding_mode, "orientation": orientation}
            yield (N, C, *size), (O, C // groups, *kernel), options


def assert_equal(actual, expected, case):
    assert actual.shape == expected.shape, case
    assert (actual == expected).all(), case


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("padding_mode", PADDING_MODES)
def test_values_are_those_of_the_definition(integers, padding_mode, orientation, dtype):
    for seed, (x_shape, w_shape, options) in enumerate(cases(padding_mode, orientation)):
        x, w, b = (integers(shape, dtype, seed) for shape in (x_shape, w_shape, w_shape[:1]))
        for bias in (None, b):
            y = forward(x, w, bias, **options)
            assert y.dtype == dtype
            assert_equal(y, loops(x, w, bias, **options), (x_shape, w_shape, options))


def differences(dy, function, value):
    """`sum(dy * (function(value + e) - function(value)))` for every unit step `e`: exact, as the map is linear."""
    start, result = function(value), np.zeros(value.shape)
    for key in np.ndindex(value.shape):
        step = value.copy()
        step[key] += 1
        result[key] = (dy * (function(step) - start)).sum()
    return result


@pytest.mark.parametrize(
    ("padding_mode", "orientation", "dtype"),
    [
        ("zeros", "convolution", np.float64),
        ("zeros", "cross-correlation", np.float32),
        ("circular", "convolution", np.float32),
        ("circular", "cross-correlation", np.float64),
    ],
)
def test_gradients_are_exact_differences(integers, padding_mode, orientation, dtype):
    for seed, (x_shape, w_shape, options) in enumerate(cases(padding_mode, orientation)):
        x, w, b = (integers(shape, dtype, seed) for shape in (x_shape, w_shape, w_shape[:1]))
        dy = integers(forward(x, w, **options).shape, dtype, seed + 1)
        dx, dw, db = backward(dy, x, w, b, **options)
        case = (x_shape, w_shape, options)
        assert dx.dtype == dw.dtype == db.dtype == dtype
        assert_equal(dx, differences(dy, lambda x, w=w, o=options: forward(x, w, **o), x), case)
        assert_equal(dw, differences(dy, lambda w, x=x, o=options: forward(x, w, **o), w), case)
        assert_equal(db, differences(dy, lambda b, x=x, w=w, o=options: forward(x, w, b, **o), b), case)


def test_single_gradients_are_those_of_backward(integers):
    x, w, b = integers((2, 4, 5, 4)), integers((6, 2, 2, 3)), integers((6,))
    options = {"stride": (1, 2), "padding": ((1, 0), (2, 1)), "groups": 2}
    dy = integers(forward(x, w, **options).shape)
    dx, dw, db = backward(dy, x, w, b, **options)
    assert_equal(input_gradient(dy, x, w, **options), dx, "dx")
    assert_equal(weight_gradient(dy, x, w, **options), dw, "dw")
    assert_equal(bias_gradient(dy), db, "db")


def test_no_bias_no_bias_gradient(integers):
    x, w = integers((1, 1, 3, 3)), integers((1, 1, 2, 2))
    *_, db = backward(forward(x, w), x, w)
    assert db is None


def test_the_default_is_a_true_convolution():
    x = np.zeros((1, 1, 3, 3))
    x[0, 0, 1, 1] = 1  # the response to a unit impulse is the kernel itself, not flipped
    w = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert_equal(forward(x, w), w, "convolution")
    assert_equal(forward(x, w, orientation="cross-correlation"), w[:, :, ::-1, ::-1], "cross-correlation")


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ({"stride": 2}, {"stride": (2, 2)}),
        ({"dilation": 2}, {"dilation": (2, 2)}),
        ({"padding": 1}, {"padding": ((1, 1), (1, 1))}),
        ({"padding": (1, 2)}, {"padding": ((1, 1), (2, 2))}),
        ({"padding": [[1, 0], [2, 3]]}, {"padding": ((1, 0), (2, 3))}),
        ({"stride": np.int64(2), "padding": np.array([[1, 0], [2, 3]])}, {"stride": 2, "padding": ((1, 0), (2, 3))}),
    ],
)
def test_short_forms_of_options(integers, short, full):
    x, w = integers((1, 1, 5, 6)), integers((1, 1, 2, 3))
    y = forward(x, w, **full)
    assert_equal(forward(x, w, **short), y, short)
    for gradient in (input_gradient, weight_gradient):
        assert_equal(gradient(y, x, w, **short), gradient(y, x, w, **full), short)


@pytest.mark.parametrize("padding_mode", PADDING_MODES)
def test_empty_batch(integers, padding_mode):
    x, w, b = np.empty((0, 2, 4, 5)), integers((3, 2, 2, 2)), integers((3,))
    y = forward(x, w, b, padding=1, padding_mode=padding_mode)
    assert y.shape == (0, 3, 5, 6)
    dx, dw, db = backward(y, x, w, b, padding=1, padding_mode=padding_mode)
    assert dx.shape == x.shape
    assert_equal(dw, np.zeros(w.shape), "dw")
    assert_equal(db, np.zeros(3), "db")


def test_no_channels_and_no_pixels_leave_the_bias(integers):
    b = integers((2,))
    for x_shape, w_shape in (((1, 0, 3, 3), (2, 0, 2, 2)), ((1, 1, 0, 3), (2, 1, 2, 2))):
        y = forward(np.ones(x_shape), np.ones(w_shape), b, padding=1)
        assert y.size
        assert_equal(y, np.broadcast_to(b[:, np.newaxis, np.newaxis], y.shape), x_shape)


def test_the_input_gradient_ignores_values_of_x_and_the_weight_gradient_those_of_w(integers):
    x, w = integers((1, 1, 4, 4)), integers((1, 1, 2, 2))
    dy = forward(x, w)
    nowhere = np.full_like
    assert_equal(input_gradient(dy, nowhere(x, np.nan), w), input_gradient(dy, x, w), "dx")
    assert_equal(weight_gradient(dy, x, nowhere(w, np.nan)), weight_gradient(dy, x, w), "dw")
