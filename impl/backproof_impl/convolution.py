"""Convolution of a batch of multi-channel images, and its gradients.

    y[n, o, i, j] = b[o] + sum over c, u, v of
                    x[n, q, i*sh + t(u)*dh - top, j*sw + t(v)*dw - left] * w[o, c, u, v]

Here `q` is channel `c` of output channel `o`'s group; `t(u) = kh - 1 - u` and `t(v) = kw - 1 - v` for a
convolution, `t(u) = u` and `t(v) = v` for a cross-correlation; and `x` is 0 outside the image, or wraps
around.  The gradients are those of `E = sum(dy * y)` for a cotangent `dy` shaped like `y`.

Shapes: `x, dx (N, C, H, W)`, `w, dw (O, C/groups, kh, kw)`, `b, db (O,)`, `y, dy (N, O, OH, OW)` with
`OH = floor((H + top + bottom - dh*(kh - 1) - 1) / sh) + 1`; the batch may be empty.  The arrays must
all be float32 or all float64, of any memory layout; they are not modified.  Results are new
C-contiguous arrays of that dtype.  Sums are made in that dtype; NaN and infinity reach the results that
depend on them, and no others.

Options, the same for every function:

- `stride`, `dilation`: int or pair (rows, columns), at least 1;
- `padding`: int, (ph, pw) or ((top, bottom), (left, right)), at least 0;
- `groups`: divides the input and the output channels;
- `padding_mode`: "zeros" or "circular" (indices modulo H and W, for any amount of padding);
- `orientation`: "convolution" (taps are flipped) or "cross-correlation";
- `algorithm`, not of the weight gradient, which is always a direct sum: "direct", "winograd" or "winograd-2x2".
  Winograd's tiles of 4 x 4 (or 2 x 2) outputs serve kernels of 3 x 3 with stride 1 and dilation 1, for any padding,
  groups and orientation; for all others, and without vector kernels, sums are direct.  They are faster for many
  channels, round differently, within `winograd_error_bound`, and let NaN and infinity spread over a tile.

Every function raises TypeError for dtypes and types that it does not take, and ValueError for shapes
and values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core.errors import NumbaError

from .arrays import Array, check_axes, check_dtypes, check_shape, for_kernel, plain
from .geometry import (
    Algorithm,
    IntOrPair,
    Orientation,
    Padding,
    PaddingMode,
    check_choice,
    check_groups,
    make_axes,
    parse_count,
)
from .kernels.convolution import add_bias_gradient
from .kernels.processor import processor
from .plans import Plan

DIRECT: Algorithm = "direct"


def forward(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    stride: IntOrPair = (1, 1),
    padding: Padding = ((0, 0), (0, 0)),
    dilation: IntOrPair = (1, 1),
    groups: int = 1,
    padding_mode: PaddingMode = "zeros",
    orientation: Orientation = "convolution",
    algorithm: Algorithm = DIRECT,
) -> Array:
    """Return `y (N, O, OH, OW)`, the convolution of `x` with `w` plus the bias `b`."""
    try:  # a call as one before
        plan = _plans[x.shape, w.shape, x.itemsize]
        s, p, d, g, m, o, a = plan.options
        as_before = (
            stride is s
            and padding is p
            and dilation is d
            and groups is g
            and padding_mode is m
            and orientation is o
            and algorithm is a
        )
        same = x.dtype is w.dtype is plan.dtype  # Numba may take numbers in the other byte order for those of this one
        if as_before and same and (b is None or (b.shape == plan.b_shape and b.dtype is plan.dtype)):
            return plan.forward(x, w, b)
    except NOT_AS_BEFORE:
        pass
    check_dtypes(x=x, w=w, b=b)
    plan = _plan(x, w, stride, padding, dilation, groups, padding_mode, orientation, algorithm)
    if b is not None:
        _check_bias(b, w)
        b = for_kernel(b)
    return plan.forward(for_kernel(x), for_kernel(w), b)


def backward(
    dy: Array,
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    stride: IntOrPair = (1, 1),
    padding: Padding = ((0, 0), (0, 0)),
    dilation: IntOrPair = (1, 1),
    groups: int = 1,
    padding_mode: PaddingMode = "zeros",
    orientation: Orientation = "convolution",
    algorithm: Algorithm = DIRECT,
) -> tuple[Array, Array, Array | None]:
    """Return `(dx, dw, db)` for the cotangent `dy`; `db` is None where `b` is None."""
    try:  # a call as one before
        plan = _plans[x.shape, w.shape, x.itemsize]
        s, p, d, g, m, o, a = plan.options
        as_before = (
            stride is s
            and padding is p
            and dilation is d
            and groups is g
            and padding_mode is m
            and orientation is o
            and algorithm is a
        )
        same = dy.dtype is x.dtype is w.dtype is plan.dtype and dy.shape == plan.y_shape
        if as_before and same and (b is None or (b.shape == plan.b_shape and plain(x, b))):
            dx, dw = plan.input_gradient(dy, w), plan.weight_gradient(dy, x)
            return dx, dw, None if b is None else bias_gradient(dy)
    except NOT_AS_BEFORE:
        pass
    check_dtypes(dy=dy, x=x, w=w, b=b)
    plan = _plan(x, w, stride, padding, dilation, groups, padding_mode, orientation, algorithm)
    check_shape("dy", dy, plan.y_shape, "the shape of y")
    if b is not None:
        _check_bias(b, w)
    dy, x, w = for_kernel(dy), for_kernel(x), for_kernel(w)
    return plan.input_gradient(dy, w), plan.weight_gradient(dy, x), None if b is None else bias_gradient(dy)


def input_gradient(
    dy: Array,
    x: Array,
    w: Array,
    *,
    stride: IntOrPair = (1, 1),
    padding: Padding = ((0, 0), (0, 0)),
    dilation: IntOrPair = (1, 1),
    groups: int = 1,
    padding_mode: PaddingMode = "zeros",
    orientation: Orientation = "convolution",
    algorithm: Algorithm = DIRECT,
) -> Array:
    """Return `dx (N, C, H, W)`; of `x`, only the shape matters."""
    try:  # a call as one before
        plan = _plans[x.shape, w.shape, x.itemsize]
        s, p, d, g, m, o, a = plan.options
        as_before = (
            stride is s
            and padding is p
            and dilation is d
            and groups is g
            and padding_mode is m
            and orientation is o
            and algorithm is a
        )
        same = dy.dtype is w.dtype is x.dtype is plan.dtype
        if as_before and same and dy.shape == plan.y_shape and isinstance(x, np.ndarray):
            return plan.input_gradient(dy, w)
    except NOT_AS_BEFORE:
        pass
    check_dtypes(dy=dy, x=x, w=w)
    plan = _plan(x, w, stride, padding, dilation, groups, padding_mode, orientation, algorithm)
    check_shape("dy", dy, plan.y_shape, "the shape of y")
    return plan.input_gradient(for_kernel(dy), for_kernel(w))


def weight_gradient(
    dy: Array,
    x: Array,
    w: Array,
    *,
    stride: IntOrPair = (1, 1),
    padding: Padding = ((0, 0), (0, 0)),
    dilation: IntOrPair = (1, 1),
    groups: int = 1,
    padding_mode: PaddingMode = "zeros",
    orientation: Orientation = "convolution",
) -> Array:
    """Return `dw (O, C/groups, kh, kw)`; of `w`, only the shape matters."""
    try:  # a call as one before
        plan = _plans[x.shape, w.shape, x.itemsize]
        s, p, d, g, m, o, _ = plan.options
        as_before = (
            stride is s and padding is p and dilation is d and groups is g and padding_mode is m and orientation is o
        )
        same = dy.dtype is x.dtype is w.dtype is plan.dtype
        if as_before and same and dy.shape == plan.y_shape and isinstance(w, np.ndarray):
            return plan.weight_gradient(dy, x)
    except NOT_AS_BEFORE:
        pass
    check_dtypes(dy=dy, x=x, w=w)
    plan = _plan(x, w, stride, padding, dilation, groups, padding_mode, orientation, DIRECT)
    check_shape("dy", dy, plan.y_shape, "the shape of y")
    return plan.weight_gradient(for_kernel(dy), for_kernel(x))


def bias_gradient(dy: Array) -> Array:
    """Return `db (O,)`, the sum of the cotangents of every output channel."""
    check_dtypes(dy=dy)
    check_axes("dy", dy, "N, O, OH, OW")
    db = np.zeros(dy.shape[1], dy.dtype)
    add_bias_gradient(for_kernel(dy), db)
    return db


#: The plans made before: by shapes, size of numbers and options, and the last one by shapes and size of numbers.
#: Options are known by identity: values would not tell 1 from True and 1.0, which are refused.
_plans: dict[tuple[object, ...], Plan] = {}
#: What a call raises that is not as one before, and has to be checked, or its arrays to be copied.
NOT_AS_BEFORE = (KeyError, AttributeError, TypeError, NumbaError)


def _plan(x: Array, w: Array, *options: Any) -> Plan:
    """The plan for these shapes and options."""
    check_axes("x", x, "N, C, H, W")
    check_axes("w", w, "O, C/groups, kh, kw")
    key = (x.shape, w.shape, x.itemsize, *map(id, options))
    plan = _plans.get(key)
    if plan is None:
        plan = _new_plan(x, w, *options)
        if not all(map(_never_changes, options)):
            return plan
        if len(_plans) >= 256:
            _plans.clear()
        _plans[key] = plan
    _plans[key[:3]] = plan
    return plan


def _never_changes(option: object) -> bool:
    return type(option) in (int, str) or (type(option) is tuple and all(map(_never_changes, option)))


def _new_plan(
    x: Array,
    w: Array,
    stride: IntOrPair,
    padding: Padding,
    dilation: IntOrPair,
    groups: int,
    padding_mode: PaddingMode,
    orientation: Orientation,
    algorithm: Algorithm = DIRECT,
) -> Plan:
    groups = parse_count("groups", groups)
    check_groups(x.shape[1], w.shape[0], groups)
    _check_channels(x.shape[1], w.shape, groups)
    check_choice("padding_mode", padding_mode, PaddingMode)
    check_choice("orientation", orientation, Orientation)
    check_choice("algorithm", algorithm, Algorithm)
    wrap = padding_mode == "circular"
    if wrap and 0 in x.shape[2:]:
        raise ValueError(f"circular padding needs at least one pixel to repeat, got x of shape {x.shape}")
    rows, columns = make_axes(x.shape[2:], w.shape[2:], stride, padding, dilation)
    flip = orientation == "convolution"
    # they live on: their identity is the key
    options = (stride, padding, dilation, groups, padding_mode, orientation, algorithm)
    sizes = w.shape[1], w.shape[0] // groups, groups
    return Plan(len(x), rows, columns, *sizes, wrap, flip, x.dtype, processor(), options, algorithm)


def _check_channels(in_channels: int, w_shape: tuple[int, ...], groups: int) -> None:
    if w_shape[1] != in_channels // groups:
        raise ValueError(
            f"w.shape[1] (={w_shape[1]}) must equal in_channels / groups (={in_channels} / {groups}); "
            f"pass w of shape ({w_shape[0]}, {in_channels // groups}, {w_shape[2]}, {w_shape[3]})"
        )


def _check_bias(b: Array, w: Array) -> None:
    check_shape("b", b, (w.shape[0],), "one entry per output channel")
