"""Five ways to test a layer at one geometry, each with the defaults of its own project; False where it objects.

gradcheck, gradcheck fast    torch.autograd.gradcheck on an autograd.Function around the NumPy code, float64
check_grads                  jax.test_util.check_grads, order 1, mode rev, on a custom_vjp with pure_callback
allclose                     np.allclose: y with PyTorch's, gradients with central differences at 1e-6
exact                        integers, held to the specification by ==: what Backproof does, at the same geometry
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from backproof.contract import Geometry
from backproof_spec import oracle
from parts.layers import Array, Layer, data

Checker = Callable[[Layer, Geometry, int], bool]

EPS = 1e-6


def gradcheck(layer: Layer, g: Geometry, seed: int, fast: bool = False) -> bool:
    """PyTorch's, with the whole Jacobian, or with one random projection of it."""
    import torch

    class Convolution(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *tensors: Any) -> Any:
            ctx.arrays = [tensor.detach().numpy() for tensor in tensors]
            return torch.from_numpy(layer.forward(g, *ctx.arrays).copy())

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            with torch.enable_grad():  # a layer may use PyTorch itself
                gradients = layer.backward(g, dy.numpy(), *ctx.arrays)
            return tuple(torch.from_numpy(gradient.copy()) for gradient in gradients)

    tensors = tuple(torch.from_numpy(array).requires_grad_() for array in data(g, seed))
    return bool(torch.autograd.gradcheck(Convolution.apply, tensors, raise_exception=False, fast_mode=fast))


def gradcheck_fast(layer: Layer, g: Geometry, seed: int) -> bool:
    """`gradcheck(fast_mode=True)`."""
    return gradcheck(layer, g, seed, fast=True)


def check_grads(layer: Layer, g: Geometry, seed: int, dtype: Any = np.float32) -> bool:
    """JAX's; float32 is what JAX computes in unless told otherwise."""
    import jax
    from jax.test_util import check_grads as check

    _tried[:] = [layer]
    with jax.enable_x64(dtype is np.float64):
        arrays = tuple(array.astype(dtype) for array in data(g, seed))
        try:
            check(_custom_vjp(g, dtype), arrays, order=1, modes=("rev",))
        except AssertionError:
            return False
    return True


#: The layer that `_custom_vjp` calls.
_tried: list[Layer] = []


@cache
def _custom_vjp(g: Geometry, dtype: Any) -> Any:
    """One function for each geometry and dtype, whichever layer it calls: what JAX compiles, it never drops."""
    import jax

    y, *gradients = (jax.ShapeDtypeStruct(g.shape_of(role), dtype) for role in ("y", "x", "w", "b"))

    def forward(*arrays: Any) -> Any:
        return _tried[0].forward(g, *map(np.asarray, arrays))

    def backward(*arrays: Any) -> Any:
        return tuple(_tried[0].backward(g, *map(np.asarray, arrays)))

    def call(*arrays: Any) -> Any:
        return jax.pure_callback(forward, y, *arrays)

    convolution = jax.custom_vjp(call)
    convolution.defvjp(
        lambda *arrays: (call(*arrays), arrays),
        lambda arrays, dy: jax.pure_callback(backward, tuple(gradients), dy, *arrays),
    )
    return convolution


def check_grads_x64(layer: Layer, g: Geometry, seed: int) -> bool:
    """The same with `jax_enable_x64`."""
    return check_grads(layer, g, seed, np.float64)


def allclose(layer: Layer, g: Geometry, seed: int) -> bool:
    """The test that most people write."""
    arrays = data(g, seed)
    dy = np.random.default_rng(seed + 1).standard_normal(g.y_shape)
    if not np.allclose(layer.forward(g, *arrays), torch_forward(g, *arrays)):
        return False
    analytic = layer.backward(g, dy, *arrays)
    return all(np.allclose(analytic[k], _differences(layer, g, dy, arrays, k)) for k in range(3))


def exact(layer: Layer, g: Geometry, seed: int) -> bool:
    """Integers from -9 to 9, no tolerance."""
    rng = np.random.default_rng(seed)
    x, w, b, dy = (rng.integers(-9, 10, g.shape_of(role)) for role in ("x", "w", "b", "dy"))
    y = oracle.convolution(x, w, b, **g.options())
    expected = (y, *oracle.convolution_gradients(dy, x, w, **g.options()))
    floats = [array.astype(np.float64) for array in (x, w, b)]
    got = (layer.forward(g, *floats), *layer.backward(g, dy.astype(np.float64), *floats))
    return all(np.array_equal(a, e) for a, e in zip(got, expected, strict=True))


def torch_forward(g: Geometry, x: Array, w: Array, b: Array) -> Array:
    """`y` by `conv2d`, which is a cross-correlation."""
    import torch
    from torch.nn import functional

    turned = w[:, :, ::-1, ::-1].copy() if g.orientation == "convolution" else w
    frame = x
    if g.padding_mode == "circular":
        rows, columns = (np.arange(-a, size + z) % size for size, (a, z) in zip(g.size, g.padding, strict=True))
        frame = x.take(rows, axis=2).take(columns, axis=3)
    else:
        frame = np.pad(x, ((0, 0), (0, 0), *g.padding))
    tensors = (torch.from_numpy(array) for array in (frame, turned, b))
    y: Array = functional.conv2d(*tensors, stride=g.stride, dilation=g.dilation, groups=g.groups).numpy()
    return y


def _differences(layer: Layer, g: Geometry, dy: Array, arrays: tuple[Array, ...], k: int) -> Array:
    """Central differences of `sum(dy * y)` in each entry of the k-th operand."""
    gradient = np.zeros_like(arrays[k])
    for index in np.ndindex(*gradient.shape):
        sums = []
        for step in (EPS, -EPS):
            moved = [array.copy() for array in arrays]
            moved[k][index] += step
            sums.append(float((dy * layer.forward(g, *moved)).sum()))
        gradient[index] = (sums[0] - sums[1]) / (2 * EPS)
    return gradient


#: By the name in the table.
CHECKERS: dict[str, Checker] = {
    "gradcheck": gradcheck,
    "gradcheck, fast mode": gradcheck_fast,
    "check_grads, float32": check_grads,
    "check_grads, x64": check_grads_x64,
    "allclose": allclose,
    "exact": exact,
}
