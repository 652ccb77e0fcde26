"""NaN and infinity reach exactly the results that depend on them, and warn of nothing."""

from __future__ import annotations

import numpy as np
import pytest

from backproof_impl import average_pool, backward, forward, sum_pool

OPTIONS = {"stride": (2, 1), "padding": ((1, 2), (0, 1)), "dilation": (1, 2), "groups": 2}
MODES = [("zeros", "convolution"), ("zeros", "cross-correlation"), ("circular", "convolution")]


def affected(function, value, key):
    """Where a linear `function` depends on entry `key`: the nonzeros of its value at that unit vector."""
    unit = np.zeros_like(value)
    unit[key] = 1
    return function(unit) != 0


def assert_local(function, value, bad):
    """`bad` in any entry of `value` changes no result that does not depend on it, and is not lost."""
    clean = function(value)
    for key in np.ndindex(value.shape):
        dirty = value.copy()
        dirty[key] = bad
        result, reached = function(dirty), affected(function, value, key)
        assert not np.isfinite(result[reached]).any()
        assert np.array_equal(result[~reached], clean[~reached])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("padding_mode", "orientation"), MODES)
def test_one_bad_entry_stays_in_its_receptive_field(padding_mode, orientation, bad):
    options = OPTIONS | {"padding_mode": padding_mode, "orientation": orientation}
    # all positive, so that no dependence cancels
    x, w = np.full((2, 2, 4, 5), 3.0), np.full((2, 1, 2, 2), 2.0)
    dy = np.full(forward(x, w, **options).shape, 5.0)
    b = np.ones(2)
    assert_local(lambda x: forward(x, w, **options), x, bad)
    assert_local(lambda w: forward(x, w, **options), w, bad)
    for quantity in range(3):
        assert_local(lambda dy, q=quantity: backward(dy, x, w, b, **options)[q], dy, bad)
    assert_local(lambda w: backward(dy, x, w, **options)[0], w, bad)
    assert_local(lambda x: backward(dy, x, w, **options)[1], x, bad)


def test_zero_times_infinity_is_not_skipped():
    x_shape, w_shape, y_shape = (1, 1, 3, 3), (1, 1, 2, 2), (1, 1, 2, 2)
    for first, second in ((0.0, np.inf), (np.inf, 0.0)):
        assert np.isnan(forward(np.full(x_shape, first), np.full(w_shape, second))).all()
        dx, dw, _ = backward(np.full(y_shape, first), np.full(x_shape, second), np.full(w_shape, second))
        assert np.isnan(dx).all()
        assert np.isnan(dw).all()


def test_padding_is_skipped_not_multiplied():
    x, w = np.zeros((1, 1, 1, 1)), np.full((1, 1, 3, 3), np.inf)
    w[0, 0, 1, 1] = 1
    assert forward(x, w, padding=1).item() == 0
    assert backward(np.ones((1, 1, 1, 1)), x, w, padding=1)[0].item() == 1


def test_infinities_of_both_signs_on_copies_of_a_pixel_warn_of_nothing():
    dy = np.array([[[[np.inf, 1.0, -np.inf]]]])
    dx, *_ = backward(dy, np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1)), padding=(0, 1), padding_mode="circular")
    assert np.isnan(dx.item())


def test_denormals_are_kept():
    for dtype in (np.float32, np.float64):
        tiny = np.finfo(dtype).smallest_subnormal
        x = np.full((1, 1, 1, 1), tiny, dtype)
        assert forward(x, np.full_like(x, 3)).item() == 3 * float(tiny)


@pytest.mark.parametrize("pool", [average_pool, sum_pool])
def test_pools_keep_bad_entries_local(pool):
    x = np.full((1, 2, 4, 4), 3.0)
    for bad in (np.nan, np.inf):
        assert_local(lambda x: pool(x, kernel_size=2, padding=1), x, bad)
