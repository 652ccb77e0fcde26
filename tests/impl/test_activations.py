"""Activations against decimals of 60 digits, their special values, and what they refuse."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest

from backproof_impl import ACTIVATIONS

DTYPES = (np.float32, np.float64)


def _sigmoid(c: Decimal) -> Decimal:
    return 1 / (1 + (-c).exp())


def _sigmoid_derivative(c: Decimal) -> Decimal:
    return (-abs(c)).exp() / (1 + (-abs(c)).exp()) ** 2


def _tanh(c: Decimal) -> Decimal:
    return (c.exp() - (-c).exp()) / (c.exp() + (-c).exp())


def _tanh_derivative(c: Decimal) -> Decimal:
    return 4 / (c.exp() + (-c).exp()) ** 2


# Bounds in units of the dtype's epsilon, from at most 4 for exp and tanh (NumPy's own bound for its vector loops) and
# 1/2 for every further operation: exp, +, / for the sigmoid; its derivative squares 1 + e as well; in the derivative
# of tanh the error of exp is doubled by the square.
SMOOTH = {
    "sigmoid": (_sigmoid, 6),
    "sigmoid derivative": (_sigmoid_derivative, 7),
    "tanh": (_tanh, 4),
    "tanh derivative": (_tanh_derivative, 12),
}


def function_of(name):
    first, _, derivative = name.partition(" ")
    return ACTIVATIONS[first][bool(derivative)]


def points(dtype):
    """Both signs, from where a function is linear to beyond the range of exp."""
    magnitudes = np.concatenate([np.logspace(-20, 3, 100), np.linspace(0.01, 40, 100), [87.5, 103.9, 709.9, 745.2]])
    return np.concatenate([magnitudes, -magnitudes]).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_activations_are_accurate(name, dtype):
    exact, bound = SMOOTH[name]
    c, limits = points(dtype), np.finfo(dtype)
    eps, subnormal = Decimal(float(limits.eps)), Decimal(float(limits.smallest_subnormal))
    with localcontext() as context:
        context.prec, context.Emin, context.Emax = 60, -(10**6), 10**6  # tanh of 1e-20 cancels 20 digits
        for at, value in zip(c, function_of(name)(c), strict=True):
            expected = exact(Decimal(float(at)))
            error = abs(Decimal(float(value)) - expected)
            assert error <= bound * (eps * abs(expected) + subnormal), f"{name}({at}) = {value}, not {expected:.20g}"


@pytest.mark.parametrize("dtype", DTYPES)
def test_smooth_activations_next_to_zero(dtype):
    limits = np.finfo(dtype)
    c = np.array([limits.tiny, limits.smallest_subnormal, -limits.smallest_subnormal, -0.0], dtype)
    assert np.array_equal(function_of("tanh")(c), c)
    assert np.array_equal(function_of("sigmoid")(c), np.full_like(c, 0.5))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("identity", {-2.5: (-2.5, 1), 0.0: (0, 1), 3.0: (3, 1), -np.inf: (-np.inf, 1), np.inf: (np.inf, 1)}),
        ("relu", {-2.5: (0, 0), 0.0: (0, 0), 3.0: (3, 1), -np.inf: (0, 0), np.inf: (np.inf, 1)}),
        (
            "leaky_relu",
            {-100.0: (-1, 0.01), 0.0: (0, 0.01), 3.0: (3, 1), -np.inf: (-np.inf, 0.01), np.inf: (np.inf, 1)},
        ),
        ("tanh", {0.0: (0, 1), -np.inf: (-1, 0), np.inf: (1, 0), -1e30: (-1, 0), 1e30: (1, 0)}),
        ("sigmoid", {0.0: (0.5, 0.25), -np.inf: (0, 0), np.inf: (1, 0), -1e30: (0, 0), 1e30: (1, 0)}),
    ],
)
def test_special_values(name, values, dtype):
    c = np.array(list(values), dtype)
    for function, expected in zip(ACTIVATIONS[name], zip(*values.values(), strict=True), strict=True):
        # the smallest and largest numbers as well: nothing may warn or raise
        with np.errstate(all="raise"):
            result = function(c)
            function(np.array([np.finfo(dtype).max, -np.finfo(dtype).max, np.finfo(dtype).tiny, 100, -100], dtype))
        assert np.array_equal(result, np.array(expected, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_nan_gives_nan_and_nothing_else_does(name, dtype):
    c = np.array([1, np.nan, -1], dtype)
    for function in ACTIVATIONS[name]:
        assert np.isnan(function(c)).tolist() == [False, True, False]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives_agree_with_differences(name):
    """Central differences, whose error is at most `h**2/6` times the third derivative (here below 2) plus rounding."""
    function, derivative = ACTIVATIONS[name]
    c, h = np.array([-3.0, -1.2, -0.3, 0.2, 0.9, 2.5]), 2.0**-13
    difference = (function(c + h) - function(c - h)) / (2 * h)
    assert np.abs(difference - derivative(c)).max() <= h * h / 3 + 2**-50 / h


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 1, 3, 2), (0, 3, 2, 2)])
def test_shape_and_dtype_are_kept(name, shape):
    for dtype in DTYPES:
        for function in ACTIVATIONS[name]:
            result = function(np.ones(shape, dtype))
            assert isinstance(result, np.ndarray)
            assert (result.shape, result.dtype) == (shape, dtype)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_other_types_are_refused(name):
    for function in ACTIVATIONS[name]:
        with pytest.raises(TypeError, match=r"^c must have dtype float32 or float64, got int64; pass c\.astype"):
            function(np.array([1, 2], np.int64))
        with pytest.raises(TypeError, match=r"^c must be a NumPy array, got float; pass np\.asarray\(c, dtype="):
            function(1.0)
