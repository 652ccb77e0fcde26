"""Any memory layout in; inputs untouched; results new, C-contiguous and of the inputs' dtype."""

from __future__ import annotations

import numpy as np
import pytest

from backproof_impl import (
    ACTIVATIONS,
    average_pool,
    average_pool_gradient,
    backward,
    dense,
    dense_backward,
    flatten,
    flatten_gradient,
    forward,
    half_squared_error_gradient,
    input_gradient,
    max_pool,
    max_pool_gradient,
    sum_pool,
    sum_pool_gradient,
    weight_gradient,
)
from backproof_impl.kernels.convolution import add_forward


def reversed_axes(a):
    return np.ascontiguousarray(np.flip(a))[(slice(None, None, -1),) * a.ndim]


def every_second(a):
    wide = np.full([2 * n for n in a.shape], np.nan, a.dtype)
    view = wide[(slice(None, None, 2),) * a.ndim]
    view[...] = a
    return view


def channels_last(a):
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1) if a.ndim > 1 else a.copy()


def unaligned(a):
    view = np.frombuffer(bytearray(a.nbytes + 1), a.dtype, a.size, offset=1).reshape(a.shape)
    view[...] = a
    return view


def read_only(a):
    view = a.copy()
    view.flags.writeable = False
    return view


def repeated(a):
    return np.broadcast_to(a.reshape(-1)[:1].reshape((1,) * a.ndim), a.shape)


LAYOUTS = {
    "C": np.copy,
    "Fortran": np.asfortranarray,
    "reversed": reversed_axes,
    "every second": every_second,
    "channels last": channels_last,
    "unaligned": unaligned,
    "read-only": read_only,
    "stride 0": repeated,
}

POOLS = {
    "max": (max_pool, max_pool_gradient),
    "average": (average_pool, average_pool_gradient),
    "sum": (sum_pool, sum_pool_gradient),
}


def calls():
    """Name, shapes of the arguments, and a function of them that returns a tuple of results."""
    x, w, b, dy = (2, 4, 5, 6), (6, 2, 3, 2), (6,), (2, 6, 4, 6)
    options = {"padding": ((1, 0), (0, 1)), "groups": 2}
    yield "forward", (x, w, b), lambda x, w, b: (forward(x, w, b, **options),)
    yield "backward", (dy, x, w, b), lambda *arrays: backward(*arrays, **options)
    for name, (pool, gradient) in POOLS.items():
        yield name, (x,), lambda x, pool=pool: (pool(x, kernel_size=2, padding=1),)
        yield (
            f"{name} gradient",
            ((2, 4, 3, 4), x),
            lambda dy, x, gradient=gradient: (gradient(dy, x, kernel_size=2, padding=1),),
        )
    for name, pair in ACTIVATIONS.items():
        for function in pair:
            yield f"{name} {function.__name__}", (x,), lambda c, function=function: (function(c),)
    yield "error gradient", (x, x), lambda o, t: (half_squared_error_gradient(o, t),)
    yield "dense", ((3, 4), (5, 4), (5,)), lambda x, w, b: (dense(x, w, b),)
    yield "dense backward", ((3, 5), (3, 4), (5, 4), (5,)), dense_backward
    yield "flatten", (x,), lambda x: (flatten(x),)
    yield "flatten gradient", ((2, 120), x), lambda dy, x: (flatten_gradient(dy, x),)


CALLS = {name: (shapes, function) for name, shapes, function in calls()}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", CALLS)
def test_layouts(integers, name, layout):
    shapes, function = CALLS[name]
    for dtype in (np.float32, np.float64):
        values = [LAYOUTS[layout](integers(shape, dtype, seed)) for seed, shape in enumerate(shapes)]
        plain = [np.array(a, order="C") for a in values]
        before = [a.tobytes() for a in values]
        results = function(*values)
        assert [a.tobytes() for a in values] == before
        for result, expected in zip(results, function(*plain), strict=True):
            assert type(result) is np.ndarray
            assert result.dtype == dtype
            assert result.flags.c_contiguous
            assert result.flags.writeable
            assert np.array_equal(result, expected)
            assert not any(np.shares_memory(result, a) for a in values)


def test_the_layouts_are_what_their_names_say(integers):
    a = integers((2, 3, 4, 5))
    made = {name: layout(a) for name, layout in LAYOUTS.items()}
    assert all(np.array_equal(made[name], a) for name in made if name != "stride 0")
    assert made["Fortran"].flags.f_contiguous
    assert max(made["reversed"].strides) < 0
    assert made["every second"].strides[-1] == 16
    assert made["channels last"].strides[1] == 8
    assert not made["unaligned"].flags.aligned
    assert not made["read-only"].flags.writeable
    assert made["stride 0"].strides == (0, 0, 0, 0)


def test_one_compilation_per_dtype_serves_all_layouts(integers):
    from backproof_impl.convolution import _plans

    _plans.clear()
    for layout in LAYOUTS.values():
        forward(layout(integers((1, 1, 3, 3))), layout(integers((1, 1, 2, 2))))
    (plan,) = set(_plans.values())
    kernel = plan._forward._kernel if plan.processor.bits else add_forward
    assert 1 <= len(kernel.signatures) <= 2


def test_repeated_calls_do_not_share_state(integers):
    x, w = integers((1, 1, 4, 4)), integers((1, 1, 2, 2))
    first = forward(x, w)
    kept = first.copy()
    second = forward(-x, w)
    assert not np.shares_memory(first, second)
    assert np.array_equal(first, kept)
    assert np.array_equal(second, -kept)


def test_subclasses_give_plain_arrays():
    class Tagged(np.ndarray):
        pass

    x = np.ones((1, 1, 3, 3)).view(Tagged)
    for result in (forward(x, x), max_pool(x, kernel_size=2), flatten(x), *(a(x) for a, _ in ACTIVATIONS.values())):
        assert type(result) is np.ndarray


def test_the_other_byte_order_is_refused_after_a_subclass_as_well():
    """Numba finds the type of arrays that are not plain by what it remembers, which does not tell the byte order."""

    class Tagged(np.ndarray):
        pass

    x, w = np.ones((1, 1, 4, 4)), np.ones((1, 1, 2, 2))
    dy = forward(x, w)
    forward(x.view(Tagged), w.view(Tagged))
    input_gradient(dy.view(Tagged), x, w.view(Tagged))
    weight_gradient(dy.view(Tagged), x.view(Tagged), w)
    swapped = np.dtype(np.float64).newbyteorder()
    for call in (
        lambda: forward(x.astype(swapped), w),
        lambda: forward(x, w.astype(swapped)),
        lambda: forward(x, w, np.ones(1).astype(swapped)),
        lambda: input_gradient(dy.astype(swapped), x, w),
        lambda: input_gradient(dy, x, w.astype(swapped)),
        lambda: weight_gradient(dy.astype(swapped), x, w),
        lambda: weight_gradient(dy, x.astype(swapped), w),
    ):
        with pytest.raises(TypeError, match=r"must have dtype float32 or float64, got [<>]f8"):
            call()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_results_begin_at_a_cache_line(dtype):
    x, w = np.ones((1, 1, 512, 515), dtype), np.ones((1, 1, 1, 1), dtype)
    for _ in range(3):
        y = forward(x, w)
        assert y.ctypes.data % 64 == 0
        assert y.flags.carray
        assert np.array_equal(y, x)
