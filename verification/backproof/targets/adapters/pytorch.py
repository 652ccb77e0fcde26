"""PyTorch on the CPU: the target `torch`.

Native calls wherever the library has the option; `torch.nn.functional.pad` for padding that is asymmetric, circular
or, in pooling, too wide.  Gradients by `torch.autograd.grad` against the given cotangent.  Tensors share the arrays'
memory, strides included, so that layouts reach the library; negative strides are unknown to it.

Arrays as in the canonical form, all of one dtype.  What the library does not do raises NotImplementedError.
"""

from __future__ import annotations

from typing import TypeAlias

import torch
import torch.nn.functional as F  # noqa: N812 - the library's own convention

from backproof.contract import PoolGeometry
from backproof.targets.adapters.pytorch_activations import ACTIVATIONS
from backproof.targets.adapters.pytorch_arrays import Array, Tensor, array_of, gradient, tensor_of
from backproof.targets.adapters.pytorch_defects import KNOWN_DEFECTS, pads_natively

__all__ = ["ACTIVATIONS", "KNOWN_DEFECTS"]

Pair: TypeAlias = tuple[int, int]
Padding: TypeAlias = tuple[Pair, Pair]

ORIENTATION = "cross-correlation"
DTYPES = ("float32", "float64")
LAYOUTS_EXCLUDED = ("reversed",)
VERSION = torch.__version__

_NONE: Padding = ((0, 0), (0, 0))


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
    bias = None if b is None else tensor_of(b)
    with torch.no_grad():
        y = _convolve(tensor_of(x), tensor_of(w), bias, stride, padding, dilation, groups, padding_mode)
    return array_of(y)


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
    inputs = [tensor_of(array).requires_grad_() for array in (x, w, b) if array is not None]
    bias = inputs[2] if b is not None else None
    y = _convolve(inputs[0], inputs[1], bias, stride, padding, dilation, groups, padding_mode)
    dx, dw, *db = torch.autograd.grad(y, inputs, grad_outputs=tensor_of(dy))
    return array_of(dx), array_of(dw), array_of(db[0]) if db else None


def _convolve(
    x: Tensor,
    w: Tensor,
    b: Tensor | None,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
    padding_mode: str,
) -> Tensor:
    (top, bottom), (left, right) = padding
    options = {"stride": stride, "dilation": dilation, "groups": groups}
    if padding_mode == "zeros" and (top, left) == (bottom, right):
        return F.conv2d(x, w, b, padding=(top, left), **options)
    return F.conv2d(_pad(x, padding, padding_mode), w, b, **options)


def _pad(x: Tensor, padding: Padding, padding_mode: str) -> Tensor:
    (top, bottom), (left, right) = padding
    if padding_mode == "zeros":
        return F.pad(x, (left, right, top, bottom))
    for sides, size in zip(padding, x.shape[2:], strict=True):
        if max(sides) > size:
            raise NotImplementedError("circular padding wider than the image, which wraps more than once")
    return F.pad(x, (left, right, top, bottom), mode="circular")


# ---- pooling


def max_pool(
    x: Array,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Padding = _NONE,
    dilation: Pair = (1, 1),
    ceil_mode: bool = False,
) -> Array:
    """`y (N, C, OH, OW)`."""
    with torch.no_grad():
        return array_of(_max_pool(tensor_of(x), kernel_size, stride, padding, dilation, ceil_mode))


def max_pool_gradient(
    dy: Array,
    x: Array,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Padding = _NONE,
    dilation: Pair = (1, 1),
    ceil_mode: bool = False,
) -> Array:
    """`dx`."""
    return gradient(lambda t: _max_pool(t, kernel_size, stride, padding, dilation, ceil_mode), x, dy)


def average_pool(
    x: Array,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Padding = _NONE,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """`y (N, C, OH, OW)`."""
    with torch.no_grad():
        return array_of(_average_pool(tensor_of(x), kernel_size, stride, padding, ceil_mode, count_include_pad))


def average_pool_gradient(
    dy: Array,
    x: Array,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Padding = _NONE,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """`dx`."""
    return gradient(lambda t: _average_pool(t, kernel_size, stride, padding, ceil_mode, count_include_pad), x, dy)


def sum_pool(x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding = _NONE, ceil_mode: bool = False) -> Array:
    """`y (N, C, OH, OW)`."""
    with torch.no_grad():
        return array_of(_average_pool(tensor_of(x), kernel_size, stride, padding, ceil_mode, divisor=1))


def sum_pool_gradient(
    dy: Array, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding = _NONE, ceil_mode: bool = False
) -> Array:
    """`dx`."""
    return gradient(lambda t: _average_pool(t, kernel_size, stride, padding, ceil_mode, divisor=1), x, dy)


def _max_pool(x: Tensor, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair, ceil_mode: bool) -> Tensor:
    (top, bottom), (left, right) = padding
    if pads_natively(kernel_size, padding):
        return F.max_pool2d(x, kernel_size, stride, (top, left), dilation, ceil_mode)
    padded = F.pad(x, (left, right, top, bottom), value=-float("inf"))
    y = F.max_pool2d(padded, kernel_size, stride, 0, dilation, ceil_mode)
    return _kept(y, x, kernel_size, stride, padding, dilation, ceil_mode)


def _average_pool(
    x: Tensor,
    kernel_size: Pair,
    stride: Pair,
    padding: Padding,
    ceil_mode: bool,
    count_include_pad: bool = True,
    divisor: int | None = None,
) -> Tensor:
    (top, bottom), (left, right) = padding
    if pads_natively(kernel_size, padding):
        return F.avg_pool2d(x, kernel_size, stride, (top, left), ceil_mode, count_include_pad, divisor)
    if not count_include_pad:
        raise NotImplementedError("averages without padding that is asymmetric or wider than half the kernel")
    y = F.avg_pool2d(F.pad(x, (left, right, top, bottom)), kernel_size, stride, 0, ceil_mode, True, divisor)
    return _kept(y, x, kernel_size, stride, padding, (1, 1), ceil_mode)


def _kept(
    y: Tensor, x: Tensor, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair, ceil_mode: bool
) -> Tensor:
    """Without windows that start after the image: the library takes its padding, made here, for the image."""
    size = (x.shape[2], x.shape[3])
    g = PoolGeometry("max", 1, 1, size, kernel_size, stride, padding, dilation, ceil_mode)
    rows, columns = g.output_size
    return y[:, :, :rows, :columns]
