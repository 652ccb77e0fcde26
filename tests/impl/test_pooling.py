"""Pooling against a loop over the definition; ties, NaN, padding and overlap; gradients against exact differences."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from backproof_impl import (
    average_pool,
    average_pool_gradient,
    max_pool,
    max_pool_gradient,
    sum_pool,
    sum_pool_gradient,
)

INF, NAN = np.inf, np.nan
SIZES = ((1, 1), (4, 5), (6, 3))
KERNELS = ((1, 1), (2, 3), (3, 2))
STRIDES = (None, (1, 1), (3, 2))
PADDINGS = (((0, 0), (0, 0)), ((1, 0), (0, 2)), ((3, 4), (5, 3)))
DILATIONS = ((1, 1), (2, 3))


def outputs(size, kernel, stride, sides, dilation, ceil_mode):
    """Windows are counted one by one; with `ceil_mode`, the first that overhangs counts if it starts early enough."""
    start, room, count = 0, size + sum(sides), 0
    while start + dilation * (kernel - 1) < room:
        start, count = start + stride, count + 1
    left_over = start - stride + dilation * (kernel - 1) + 1 < room
    return count + (ceil_mode and left_over and start < size + sides[0])


def windows(shape, kernel_size, stride, padding, dilation, ceil_mode):
    """Output size, and a function from an output pixel to the pixels of its window, in row-major order."""
    (H, W), (kh, kw), (sh, sw) = shape, kernel_size, stride or kernel_size
    OH, OW = (outputs(*axis, ceil_mode) for axis in zip(shape, kernel_size, (sh, sw), padding, dilation, strict=True))

    def pixels(i, j):
        taps = [
            (i * sh + u * dilation[0] - padding[0][0], j * sw + v * dilation[1] - padding[1][0])
            for u in range(kh)
            for v in range(kw)
        ]
        return [(h, k) for h, k in taps if 0 <= h < H and 0 <= k < W]

    return (OH, OW), pixels


def cases():
    for size, kernel, stride, padding, dilation, ceil_mode in product(
        SIZES, KERNELS, STRIDES, PADDINGS, DILATIONS, (False, True)
    ):
        options = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation}
        options["ceil_mode"] = ceil_mode
        (OH, OW), pixels = windows(size, **options)
        if OH >= 1 and OW >= 1:
            yield size, (OH, OW), pixels, options


def counted(size, i, j, kernel_size, stride, padding, dilation, ceil_mode):
    """How many taps of a window lie in the image or its padding."""
    taps = [
        sum(start + u * spread < pixels + sum(sides) for u in range(kernel))
        for start, kernel, pixels, sides, spread in zip(
            (i * (stride or kernel_size)[0], j * (stride or kernel_size)[1]),
            kernel_size,
            size,
            padding,
            dilation,
            strict=True,
        )
    ]
    return taps[0] * taps[1]


REDUCTIONS = {
    "max": (max_pool, lambda values, count: max(values, default=-INF), {}),
    "sum": (sum_pool, lambda values, count: sum(values), {}),
    "average": (average_pool, lambda values, count: sum(values) / count, {}),
    "average inside": (
        average_pool,
        lambda values, count: sum(values) / max(len(values), 1),
        {"count_include_pad": False},
    ),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_values_are_those_of_the_definition(integers, name, dtype):
    pool, reduction, extra = REDUCTIONS[name]
    for seed, (size, y_size, pixels, options) in enumerate(cases()):
        x = integers((2, 2, *size), dtype, seed)
        y = pool(x, **options, **extra)
        assert y.shape == (2, 2, *y_size), options
        for n, c, i, j in np.ndindex(y.shape):
            count = counted(size, i, j, **options)
            expected = reduction([float(x[n, c, h, k]) for h, k in pixels(i, j)], count)
            assert y[n, c, i, j] == dtype(expected), options


GRADIENTS = {
    "sum": (sum_pool, sum_pool_gradient, {}),
    "average": (average_pool, average_pool_gradient, {}),
    "average inside": (average_pool, average_pool_gradient, {"count_include_pad": False}),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_of_linear_pools_are_exact_differences(integers, name):
    pool, gradient, extra = GRADIENTS[name]
    for seed, (size, y_size, _, options) in enumerate(cases()):
        # multiples of every number of pixels that a window may have, so that every quotient is an integer
        x, dy = integers((1, 2, *size), seed=seed) * 60, integers((1, 2, *y_size), seed=seed) * 60
        start, expected = pool(x, **options, **extra), np.zeros(x.shape)
        for key in np.ndindex(x.shape):
            step = x.copy()
            step[key] += 60
            expected[key] = (dy * (pool(step, **options, **extra) - start)).sum() / 60
        assert np.array_equal(gradient(dy, x, **options, **extra), expected), options


def test_the_first_maximum_of_every_window_receives_its_cotangent(integers):
    for seed, (size, y_size, pixels, options) in enumerate(cases()):
        x, dy = integers((2, 2, *size), seed=seed), integers((2, 2, *y_size), seed=seed)
        expected = np.zeros(x.shape)
        for n, c, i, j in np.ndindex(dy.shape):
            window = pixels(i, j)
            if window:
                values = [x[n, c, h, k] for h, k in window]
                expected[n, c][window[values.index(max(values))]] += dy[n, c, i, j]
        assert np.array_equal(max_pool_gradient(dy, x, **options), expected), options


def image(*rows):
    return np.array([[rows]], dtype=float)


@pytest.mark.parametrize(
    ("rows", "maximum", "winner"),
    [
        (((2, 2), (2, 2)), 2, (0, 0)),
        (((1, 2), (2, 1)), 2, (0, 1)),
        (((-1, -3), (-2, -1)), -1, (0, 0)),
        (((-INF, -INF), (-INF, -INF)), -INF, (0, 0)),
        (((-INF, -5), (-INF, -5)), -5, (0, 1)),
        (((1, INF), (INF, 2)), INF, (0, 1)),
        (((1, NAN), (INF, NAN)), NAN, (0, 1)),
        (((NAN, 9), (NAN, 9)), NAN, (0, 0)),
        (((3, 1), (1, NAN)), NAN, (1, 1)),
    ],
)
def test_ties_infinities_and_nan(rows, maximum, winner):
    x = image(*rows)
    assert np.array_equal(max_pool(x, kernel_size=2), image((maximum,)), equal_nan=True)
    dx = np.zeros_like(x)
    dx[0, 0][winner] = 7
    assert np.array_equal(max_pool_gradient(image((7,)), x, kernel_size=2), dx)


def test_nan_stays_in_its_windows():
    x = image((1, 2, 3, 4), (NAN, 6, 7, 8))
    assert np.array_equal(max_pool(x, kernel_size=2, stride=1), image((NAN, 7, 8)), equal_nan=True)
    assert np.array_equal(sum_pool(x, kernel_size=2, stride=1), image((NAN, 18, 22)), equal_nan=True)


def test_padding_is_never_a_maximum():
    x = image((-3.0,))
    options = {"kernel_size": 2, "stride": 1, "padding": 1}
    assert np.array_equal(max_pool(x, **options), image((-3, -3), (-3, -3)))
    assert np.array_equal(max_pool_gradient(image((1, 2), (3, 4)), x, **options), image((10,)))
    lowest = image((-INF,))  # ties with the padding, and still receives the cotangents
    assert np.array_equal(max_pool_gradient(image((1, 2), (3, 4)), lowest, **options), image((10,)))


def test_windows_without_pixels():
    x, dy = image((5.0,)), image((1, 1, 1))
    options = {"kernel_size": 1, "padding": ((0, 0), (1, 1))}
    assert np.array_equal(max_pool(x, **options), image((-INF, 5, -INF)))
    for pool in (sum_pool, average_pool):
        assert np.array_equal(pool(x, **options), image((0, 5, 0)))
    assert np.array_equal(average_pool(x, **options, count_include_pad=False), image((0, 5, 0)))
    for gradient in (max_pool_gradient, sum_pool_gradient, average_pool_gradient):
        assert np.array_equal(gradient(dy, x, **options), image((1,)))


def test_the_last_window_overhangs():
    x = image((6, 12, 18, 24, 30))
    options = {"kernel_size": (1, 2), "stride": 2, "ceil_mode": True}
    assert np.array_equal(max_pool(x, **options), image((12, 24, 30)))
    assert np.array_equal(sum_pool(x, **options), image((18, 42, 30)))
    assert np.array_equal(average_pool(x, **options), image((9, 21, 30)))  # one pixel, divided by 1
    assert np.array_equal(average_pool_gradient(image((2, 4, 7)), x, **options), image((1, 1, 2, 2, 7)))
    padded = {**options, "padding": (0, 1)}  # starts at -1, 1, 3; a fourth would start at 5, after the image
    assert np.array_equal(average_pool(x, **padded), image((3, 15, 27)))
    assert np.array_equal(average_pool(x, **padded, count_include_pad=False), image((6, 15, 27)))
    assert sum_pool(image((1, 2)), kernel_size=(1, 3), stride=2, ceil_mode=True).item() == 3  # wider than the image


def test_the_average_divides_once():
    """5 times the rounded 1/3 would differ from 5/3 rounded once, in float32 and in float64."""
    for dtype in (np.float32, np.float64):
        x = np.full((1, 1, 1, 3), 5, dtype)
        options = {"kernel_size": (1, 3), "padding": (0, 1), "stride": 1}
        assert np.array_equal(average_pool(x, **options).ravel(), np.array([10, 15, 10], dtype) / dtype(3))
        share = dtype(5) / dtype(3)
        assert np.array_equal(
            average_pool_gradient(x, x, **options).ravel(), [share + share, share + share + share, share + share]
        )


@pytest.mark.parametrize(
    ("pool", "gradient"),
    [(max_pool, max_pool_gradient), (sum_pool, sum_pool_gradient), (average_pool, average_pool_gradient)],
)
def test_empty_batch(pool, gradient):
    x = np.empty((0, 3, 4, 4))
    y = pool(x, kernel_size=2)
    assert y.shape == (0, 3, 2, 2)
    assert gradient(y, x, kernel_size=2).shape == x.shape
