"""What is refused, and what the message says: the value, the bound, and what to pass instead."""

from __future__ import annotations

import numpy as np
import pytest

from backproof_impl import (
    average_pool,
    average_pool_gradient,
    backward,
    bias_gradient,
    forward,
    input_gradient,
    max_pool,
    max_pool_gradient,
    sum_pool,
    weight_gradient,
)

X, W, B = np.ones((1, 4, 5, 5)), np.ones((6, 4, 3, 3)), np.ones(6)
DY = np.ones((1, 6, 3, 3))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"stride": 0}, ValueError, "stride must be at least 1, got 0"),
        ({"stride": (1, 0)}, ValueError, "stride must be at least 1, got (1, 0)"),
        ({"stride": (1, 1, 1)}, TypeError, "stride must be an int or a pair of ints (rows, columns), got (1, 1, 1)"),
        ({"stride": 1.0}, TypeError, "stride must be an int or a pair of ints (rows, columns), got 1.0"),
        ({"stride": True}, TypeError, "stride must be an int or a pair of ints (rows, columns), got True"),
        ({"stride": None}, TypeError, "stride must be an int or a pair of ints (rows, columns), got None"),
        ({"stride": "2"}, TypeError, "stride must be an int or a pair of ints (rows, columns), got '2'"),
        ({"dilation": 0}, ValueError, "dilation must be at least 1, got 0"),
        ({"dilation": (-1, 1)}, ValueError, "dilation must be at least 1, got (-1, 1)"),
        ({"padding": -1}, ValueError, "padding must be at least 0, got -1; crop x instead"),
        (
            {"padding": ((0, 0), (0, -2))},
            ValueError,
            "padding must be at least 0, got ((0, 0), (0, -2)); crop x instead",
        ),
        (
            {"padding": "same"},
            TypeError,
            "padding must be an int, (ph, pw) or ((top, bottom), (left, right)), got 'same'",
        ),
        (
            {"padding": (1, 2, 3, 4)},
            TypeError,
            "padding must be an int, (ph, pw) or ((top, bottom), (left, right)), got (1, 2, 3, 4)",
        ),
        (
            {"padding": 0.5},
            TypeError,
            "padding must be an int, (ph, pw) or ((top, bottom), (left, right)), got 0.5",
        ),
        ({"groups": 0}, ValueError, "groups must be at least 1, got 0"),
        ({"groups": 2.0}, TypeError, "groups must be an int, got 2.0"),
        ({"groups": 3}, ValueError, "in_channels (=4) must be divisible by groups (=3)"),
        ({"groups": 4}, ValueError, "out_channels (=6) must be divisible by groups (=4)"),
        (
            {"groups": 2},
            ValueError,
            "w.shape[1] (=4) must equal in_channels / groups (=4 / 2); pass w of shape (6, 2, 3, 3)",
        ),
        (
            {"padding_mode": "reflect"},
            ValueError,
            "padding_mode must be 'zeros' or 'circular', got 'reflect'",
        ),
        (
            {"orientation": "correlation"},
            ValueError,
            "orientation must be 'convolution' or 'cross-correlation', got 'correlation'",
        ),
        (
            {"dilation": 3},
            ValueError,
            (
                "no window fits: it spans 7 rows (kernel 3, dilation 3), but x has 5 (5 + padding 0 + 0); "
                "pass a larger image, more padding, a smaller kernel or a smaller dilation"
            ),
        ),
        (
            {"dilation": (1, 3), "padding": ((0, 0), (1, 0))},
            ValueError,
            (
                "no window fits: it spans 7 columns (kernel 3, dilation 3), but x has 6 (5 + padding 1 + 0); "
                "pass a larger image, more padding, a smaller kernel or a smaller dilation"
            ),
        ),
    ],
)
def test_options(options, error, message):
    """Every function refuses them alike."""
    calls = (
        lambda: forward(X, W, B, **options),
        lambda: backward(DY, X, W, B, **options),
        lambda: input_gradient(DY, X, W, **options),
        lambda: weight_gradient(DY, X, W, **options),
    )
    for call in calls:
        with pytest.raises(error) as caught:
            call()
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X[0], W), "x must have 4 axes (N, C, H, W), got 3 (shape (4, 5, 5)); reshape it"),
        ((X, W[0, 0]), "w must have 4 axes (O, C/groups, kh, kw), got 2 (shape (3, 3)); reshape it"),
        ((X, W, np.ones(5)), "b must have shape (6,), one entry per output channel, got (5,)"),
        ((X, W, np.ones((6, 1, 1))), "b must have shape (6,), one entry per output channel, got (6, 1, 1)"),
        (
            (X, W[:, :3]),
            "w.shape[1] (=3) must equal in_channels / groups (=4 / 1); pass w of shape (6, 4, 3, 3)",
        ),
        ((X, W[:, :, :0]), "the kernel must have at least 1 row, got 0"),
        (
            (X[:, :, :2], W),
            (
                "no window fits: it spans 3 rows (kernel 3, dilation 1), but x has 2 (2 + padding 0 + 0); "
                "pass a larger image, more padding, a smaller kernel or a smaller dilation"
            ),
        ),
    ],
)
def test_shapes(arguments, message):
    for call in (lambda: forward(*arguments), lambda: backward(DY, *arguments)):
        with pytest.raises(ValueError) as caught:
            call()
        assert str(caught.value) == message


@pytest.mark.parametrize("shape", [(1, 6, 3, 4), (2, 6, 3, 3), (1, 6, 3), (1, 6, 1, 1)])
def test_cotangents_have_the_shape_of_y(shape):
    message = f"dy must have shape (1, 6, 3, 3), the shape of y, got {shape}"
    for call in (
        lambda dy: backward(dy, X, W, B),
        lambda dy: input_gradient(dy, X, W),
        lambda dy: weight_gradient(dy, X, W),
    ):
        with pytest.raises(ValueError) as caught:
            call(np.ones(shape))
        assert str(caught.value) == message


def test_bias_gradient_needs_four_axes():
    with pytest.raises(ValueError, match=r"^dy must have 4 axes \(N, O, OH, OW\), got 1 \(shape \(6,\)\); reshape it$"):
        bias_gradient(np.ones(6))


def test_circular_padding_needs_pixels():
    with pytest.raises(
        ValueError, match=r"^circular padding needs at least one pixel to repeat, got x of shape \(1, 4, 0"
    ):
        forward(X[:, :, :0], W, padding=2, padding_mode="circular")


@pytest.mark.parametrize("dtype", ["int64", "bool", "float16", "complex128", "longdouble", "object", ">f8"])
def test_dtypes(dtype):
    array = X.astype(dtype)
    if array.dtype == np.float64:
        pytest.skip(f"{dtype} is float64 on this platform")
    message = f"x must have dtype float32 or float64, got {array.dtype}; pass x.astype(np.float64)"
    for call in (
        lambda: forward(array, W),
        lambda: backward(DY, array, W),
        lambda: max_pool(array, kernel_size=2),
    ):
        with pytest.raises(TypeError) as caught:
            call()
        assert str(caught.value) == message


def test_lists_are_not_arrays():
    with pytest.raises(TypeError) as caught:
        forward(X.tolist(), W)
    assert str(caught.value) == "x must be a NumPy array, got list; pass np.asarray(x, dtype=np.float64)"


def test_mixed_dtypes_name_both():
    w, b, dy = W.astype(np.float32), B.astype(np.float32), DY.astype(np.float32)
    for call, message in (
        (lambda: forward(X, w), "x (float64) and w (float32) must have one dtype; pass w.astype(x.dtype)"),
        (lambda: forward(X, W, b), "x (float64) and b (float32) must have one dtype; pass b.astype(x.dtype)"),
        (
            lambda: backward(dy, X, W),
            "dy (float32) and x (float64) must have one dtype; pass x.astype(dy.dtype)",
        ),
    ):
        with pytest.raises(TypeError) as caught:
            call()
        assert str(caught.value) == message


@pytest.mark.parametrize("pool", [max_pool, average_pool, sum_pool])
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"kernel_size": 0}, ValueError, "kernel_size must be at least 1, got 0"),
        ({"kernel_size": None}, TypeError, "kernel_size must be an int or a pair of ints (rows, columns), got None"),
        ({"kernel_size": 2, "stride": 0}, ValueError, "stride must be at least 1, got 0"),
        ({"kernel_size": 2, "dilation": 0}, ValueError, "dilation must be at least 1, got 0"),
        ({"kernel_size": 2, "padding": -1}, ValueError, "padding must be at least 0, got -1; crop x instead"),
        (
            {"kernel_size": (1, 7), "padding": (0, 0)},
            ValueError,
            (
                "no window fits: it spans 7 columns (kernel 7, dilation 1), but x has 5 (5 + padding 0 + 0); "
                "pass a larger image, more padding, a smaller kernel or a smaller dilation"
            ),
        ),
        (
            {"kernel_size": (1, 9), "stride": 2, "ceil_mode": True},
            ValueError,
            (
                "no window fits: it spans 9 columns (kernel 9, dilation 1), but x has 5 (5 + padding 0 + 0); "
                "pass a larger image, more padding, a smaller kernel or a smaller dilation"
            ),
        ),
        ({"kernel_size": 2, "ceil_mode": 1}, TypeError, "ceil_mode must be True or False, got 1"),
    ],
)
def test_pooling_options(pool, options, error, message):
    with pytest.raises(error) as caught:
        pool(X, **options)
    assert str(caught.value) == message


def test_what_an_average_counts():
    for call in (
        lambda: average_pool(X, kernel_size=2, count_include_pad="yes"),
        lambda: average_pool_gradient(X, X, kernel_size=1, count_include_pad="yes"),
    ):
        with pytest.raises(TypeError, match=r"^count_include_pad must be True or False, got 'yes'$"):
            call()


def test_pooling_shapes():
    with pytest.raises(ValueError, match=r"^x must have 4 axes \(N, C, H, W\), got 3"):
        max_pool(X[0], kernel_size=2)
    with pytest.raises(ValueError, match=r"^dy must have shape \(1, 4, 2, 2\), the shape of y, got \(1, 6, 3, 3\)$"):
        max_pool_gradient(DY, X, kernel_size=2)
