"""JAX on the CPU: the target `jax`.

`lax.conv_general_dilated` and `lax.reduce_window`, compiled by `jax.jit` once per geometry, as users run them;
gradients by `jax.vjp` against the given cotangent.  Zero padding is the library's own, circular padding
`jnp.pad(mode="wrap")`.

NumPy arrays go in as they are.  JAX reads their strides, and its kernels see row-major memory: layouts try that
reading, not the kernels.  float64 is enabled before the first array, and no dtype is converted in silence.

Arrays as in the canonical form, all of one dtype.  What the library does not do (the gradient of a dilated maximum)
raises NotImplementedError.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any, TypeAlias

# The CPU, also where a plugin finds an accelerator; a choice of the user's stands.
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from backproof.targets.adapters.jax_defects import KNOWN_DEFECTS

__all__ = ["KNOWN_DEFECTS"]

Array: TypeAlias = np.ndarray[Any, Any]
Tensor: TypeAlias = Any
Pair: TypeAlias = tuple[int, int]
Padding: TypeAlias = tuple[Pair, Pair]

ORIENTATION = "cross-correlation"
DTYPES = ("float32", "float64")
FLUSHES_SUBNORMALS = True  # XLA's threads do
VERSION = jax.__version__

_NONE: Padding = ((0, 0), (0, 0))
_results = count(1)

jax.config.update("jax_enable_x64", True)


def forward(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = _NONE,
    dilation: Pair = (1, 1),
    groups: int = 1,
    padding_mode: str = "zeros",
) -> Array:
    """`y (N, O, OH, OW)`."""
    return _array(_forward(x, w, b, stride, padding, dilation, groups, padding_mode), x)


def backward(
    dy: Array,
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = _NONE,
    dilation: Pair = (1, 1),
    groups: int = 1,
    padding_mode: str = "zeros",
) -> tuple[Array, Array, Array | None]:
    """`dx, dw, db`; `db` is None where `b` is."""
    dx, dw, db = _backward(dy, x, w, b, (stride, padding, dilation, groups, padding_mode))
    return _array(dx, x), _array(dw, x), None if db is None else _array(db, x)


@partial(jax.jit, static_argnames=("stride", "padding", "dilation", "groups", "padding_mode"))
def _forward(
    x: Tensor,
    w: Tensor,
    b: Tensor | None,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
    padding_mode: str,
) -> Tensor:
    if padding_mode == "circular":
        x, padding = jnp.pad(x, ((0, 0), (0, 0), *padding), mode="wrap"), _NONE
    y = lax.conv_general_dilated(
        x,
        w,
        window_strides=stride,
        padding=padding,
        rhs_dilation=dilation,
        feature_group_count=groups,
        dimension_numbers=("NCHW", "OIHW", "NCHW"),
    )
    return y if b is None else y + b[:, None, None]


@partial(jax.jit, static_argnames="options")
def _backward(dy: Tensor, x: Tensor, w: Tensor, b: Tensor | None, options: tuple[Any, ...]) -> Any:
    return jax.vjp(lambda x, w, b: _forward(x, w, b, *options), x, w, b)[1](dy)


# ---- pooling


def max_pool(x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding = _NONE, dilation: Pair = (1, 1)) -> Array:
    """`y (N, C, OH, OW)`."""
    return _array(_max_pool(x, kernel_size, stride, padding, dilation), x)


def max_pool_gradient(
    dy: Array, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding = _NONE, dilation: Pair = (1, 1)
) -> Array:
    """`dx`; in a window with NaN, which `max` propagates, XLA gives the cotangent to a pixel that is not NaN."""
    if np.isnan(x).any():
        raise NotImplementedError("nan-gradient: the cotangent of a maximum that is NaN goes to another pixel")
    return _array(_gradient(dy, x, _max_pool, kernel_size, stride, padding, dilation), x)


def average_pool(
    x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding = _NONE, dilation: Pair = (1, 1)
) -> Array:
    """`y (N, C, OH, OW)`; padding counts."""
    return _array(_average_pool(x, kernel_size, stride, padding, dilation), x)


def average_pool_gradient(
    dy: Array, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding = _NONE, dilation: Pair = (1, 1)
) -> Array:
    """`dx`."""
    return _array(_gradient(dy, x, _average_pool, kernel_size, stride, padding, dilation), x)


def sum_pool(x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding = _NONE, dilation: Pair = (1, 1)) -> Array:
    """`y (N, C, OH, OW)`."""
    return _array(_sum_pool(x, kernel_size, stride, padding, dilation), x)


def sum_pool_gradient(
    dy: Array, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding = _NONE, dilation: Pair = (1, 1)
) -> Array:
    """`dx`."""
    return _array(_gradient(dy, x, _sum_pool, kernel_size, stride, padding, dilation), x)


_pooling = partial(jax.jit, static_argnames=("kernel_size", "stride", "padding", "dilation"))


@_pooling
def _max_pool(x: Tensor, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Tensor:
    return _reduce(x, -np.inf, lax.max, kernel_size, stride, padding, dilation)


def _average_pool(x: Tensor, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Tensor:
    """The division is not compiled with the sum: XLA would multiply by the reciprocal, and fuse, and so round."""
    return _sum_pool(x, kernel_size, stride, padding, dilation) / (kernel_size[0] * kernel_size[1])


@_pooling
def _sum_pool(x: Tensor, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Tensor:
    return _reduce(x, 0, lax.add, kernel_size, stride, padding, dilation)


def _reduce(
    x: Tensor,
    start: float,
    operation: Callable[..., Any],
    kernel_size: Pair,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
) -> Tensor:
    return lax.reduce_window(
        x,
        np.array(start, x.dtype),
        operation,
        (1, 1, *kernel_size),
        (1, 1, *stride),
        ((0, 0), (0, 0), *padding),
        window_dilation=(1, 1, *dilation),
    )


def _gradient(dy: Array, x: Array, pool: Callable[..., Tensor], *options: Any) -> Tensor:
    return jax.vjp(lambda x: pool(x, *options), jnp.asarray(x))[1](jnp.asarray(dy))[0]


def _array(result: Tensor, x: Array) -> Array:
    """The result in NumPy's hands, of x's dtype: without 64 bits, JAX would have computed in 32."""
    if result.dtype != x.dtype:
        raise TypeError(f"JAX returned {result.dtype} for {x.dtype}; leave jax_enable_x64 on")
    array: Array = np.asarray(result)
    if next(_results) % 200 == 0:
        jax.clear_caches()  # compiled programs stay for good: some 3 MB for each geometry
    return array
