"""The dense layer, flattening and the error, on integers: exact."""

from __future__ import annotations

import numpy as np
import pytest

from backproof_impl import (
    dense,
    dense_backward,
    flatten,
    flatten_gradient,
    half_squared_error,
    half_squared_error_gradient,
)

DTYPES = (np.float32, np.float64)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("N", "D", "O"), [(1, 1, 1), (3, 5, 2), (2, 1, 4), (0, 3, 2), (2, 0, 3)])
def test_dense_is_a_matrix_product(integers, N, D, O, dtype):  # noqa: E741
    x, w, b, dy = (integers(shape, dtype) for shape in ((N, D), (O, D), (O,), (N, O)))
    y = dense(x, w, b)
    assert y.dtype == dtype
    assert np.array_equal(y, x @ w.T + b)
    assert np.array_equal(dense(x, w), x @ w.T)
    dx, dw, db = dense_backward(dy, x, w, b)
    assert np.array_equal(dx, dy @ w)
    assert np.array_equal(dw, dy.T @ x)
    assert np.array_equal(db, dy.sum(axis=0))
    assert dense_backward(dy, x, w)[2] is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dense(np.ones(3), np.ones((2, 3))), "x must have 2 axes (N, D), got 1 (shape (3,)); reshape it"),
        (lambda: dense(np.ones((1, 3)), np.ones(3)), "w must have 2 axes (O, D), got 1 (shape (3,)); reshape it"),
        (
            lambda: dense(np.ones((1, 3)), np.ones((3, 2))),
            "w.shape[1] (=2) must equal x.shape[1] (=3), the number of inputs",
        ),
        (
            lambda: dense(np.ones((1, 3)), np.ones((2, 3)), np.ones(3)),
            "b must have shape (2,), one entry per output, got (3,)",
        ),
        (
            lambda: dense_backward(np.ones((1, 3)), np.ones((1, 3)), np.ones((2, 3))),
            "dy must have shape (1, 2), the shape of y, got (1, 3)",
        ),
        (lambda: flatten(np.ones((2, 3))), "x must have 4 axes (N, C, H, W), got 2 (shape (2, 3)); reshape it"),
        (
            lambda: flatten_gradient(np.ones((1, 5)), np.ones((1, 1, 2, 2))),
            "dy must have shape (1, 4), one entry per pixel of x, got (1, 5)",
        ),
        (
            lambda: half_squared_error(np.ones((1, 3)), np.ones(3)),
            "t must have shape (1, 3), the shape of o, got (3,)",
        ),
    ],
)
def test_shapes(call, message):
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value) == message


def test_mixed_dtypes():
    x, w = np.ones((1, 2)), np.ones((1, 2), np.float32)
    with pytest.raises(TypeError, match=r"^x \(float64\) and w \(float32\) must have one dtype"):
        dense(x, w)
    with pytest.raises(TypeError, match=r"^dy \(float64\) and w \(float32\) must have one dtype"):
        dense_backward(x[:, :1], x, w)
    with pytest.raises(TypeError, match=r"^o \(float64\) and t \(float32\) must have one dtype"):
        half_squared_error_gradient(x, w)


def test_flatten_is_row_major(integers):
    x = integers((2, 3, 4, 5))
    y = flatten(x)
    assert y.shape == (2, 60)
    assert all(y[n, (c * 4 + h) * 5 + k] == x[n, c, h, k] for n, c, h, k in np.ndindex(x.shape))
    assert np.array_equal(flatten_gradient(y, x), x)
    assert flatten(x[:0]).shape == (0, 60)


@pytest.mark.parametrize("dtype", DTYPES)
def test_error(integers, dtype):
    o, t = integers((2, 3, 2, 2), dtype), integers((2, 3, 2, 2), dtype, seed=1)
    error = half_squared_error(o, t)
    assert error.dtype == dtype
    assert error == sum((int(a) - int(b)) ** 2 for a, b in zip(t.flat, o.flat, strict=True)) / 2
    gradient = half_squared_error_gradient(o, t)
    for key in np.ndindex(o.shape):
        above, below = o.copy(), o.copy()
        above[key] += 1
        below[key] -= 1
        # exact: the central difference of a square has no higher terms
        assert gradient[key] == (half_squared_error(above, t) - half_squared_error(below, t)) / 2


def test_error_of_nothing_and_of_the_non_finite():
    nothing = np.empty((0, 3))
    assert half_squared_error(nothing, nothing) == 0
    one, infinite = np.ones(1), np.full(1, np.inf)
    with np.errstate(all="raise"):
        assert half_squared_error(one, infinite) == np.inf
        assert np.isnan(half_squared_error(infinite, infinite))
        assert np.isnan(half_squared_error_gradient(infinite, infinite)).all()
        assert half_squared_error(np.full(1, 1e300), -one) == np.inf


def test_dense_propagates_nan_and_infinity_without_warnings():
    x = np.array([[np.inf, 1.0], [1.0, np.nan], [2.0, 3.0]])
    w = np.array([[0.0, 1.0], [1.0, 0.0]])
    y = dense(x, w)
    assert np.array_equal(y, [[np.nan, np.inf], [np.nan, np.nan], [3, 2]], equal_nan=True)
