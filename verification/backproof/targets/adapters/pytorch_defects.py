"""Known defects of PyTorch 2.13.0 on the CPU: calls that the adapter `pytorch` does not make.

Each has a program in `examples/defects` that shows it and decides by a calculation of its own, and a predicate that was
swept against that calculation (10,000 calls for A, C and E, 4,000 for F, 2,500 for B).  All are true wherever the
defect was seen.  B and G are wider than the defect, because which kernel oneDNN picks is not modelled; A and C also
contain calls whose windows all lie in the padding, where the wrong product is zero.

They turn on memory formats: `channels_last` is what PyTorch infers from strides, also of axes of size 1.
To add a defect: a program, a predicate, and one entry of `KNOWN_DEFECTS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch

from backproof.contract import Geometry, Padding, Pair, PoolGeometry
from backproof.targets.declarations import CallDescription, KnownDefect
from backproof.targets.layouts import place

Shape: TypeAlias = tuple[int, ...]

NCHW = (0, 1, 2, 3)
NHWC = (0, 2, 3, 1)


def dense(shape: Shape, order: Shape = NCHW) -> Shape:
    """Strides, in elements, of memory without gaps whose slowest axis comes first in `order`."""
    strides, step = [0] * len(shape), 1
    for axis in reversed(order):
        strides[axis], step = step, step * max(shape[axis], 1)
    return tuple(strides)


@dataclass(frozen=True, slots=True)
class Tensor:
    """Shape and strides, in elements: all that the library's choice of a kernel looks at."""

    shape: Shape
    strides: Shape

    @property
    def channels_last(self) -> bool:
        """What `suggest_memory_format` infers (c10/core/MemoryFormat.h)."""
        if 0 in self.shape or self.strides[1] == 0:
            return False
        low = 0
        for axis in (1, 3, 2, 0):
            if self.strides[axis] < low or (axis == 0 and low == self.strides[1]):
                return False
            low = self.strides[axis] * max(self.shape[axis], 1)
        return True

    def contiguous(self, order: Shape) -> bool:
        """Without gaps in that order, whatever the strides of axes of size 1."""
        wanted = dense(self.shape, order)
        return 0 in self.shape or all(
            size == 1 or stride == want for size, stride, want in zip(self.shape, self.strides, wanted, strict=True)
        )

    def made_contiguous(self, channels_last: bool) -> Tensor:
        """A copy only where it is not contiguous already; otherwise even odd strides stay."""
        order = NHWC if channels_last else NCHW
        return self if self.contiguous(order) else Tensor(self.shape, dense(self.shape, order))

    def group(self, axis: int, groups: int) -> Tensor:
        """One group's part along an axis."""
        shape = (*self.shape[:axis], self.shape[axis] // groups, *self.shape[axis + 1 :])
        return Tensor(shape, self.strides)


@dataclass(frozen=True, slots=True)
class Conv2d:
    """A call of `conv2d` as the library gets it: x after `F.pad`, and the padding that is left to it."""

    geometry: Geometry
    dtype: str
    x: Tensor
    w: Tensor
    padding: Pair

    @classmethod
    def of(cls, call: CallDescription) -> Conv2d | None:
        """None for a pooling."""
        g = call.geometry
        if not isinstance(g, Geometry):
            return None
        x, w = _tensor(call, "x", g.x_shape), _tensor(call, "w", g.w_shape)
        (top, bottom), (left, right) = g.padding
        if (top, left) == (bottom, right) and g.padding_mode == "zeros":
            return cls(g, call.dtype, x, w, (top, left))
        if any((top, bottom, left, right)):
            shape = (*g.x_shape[:2], g.size[0] + top + bottom, g.size[1] + left + right)
            keeps = g.padding_mode == "zeros" and x.channels_last  # circular padding forgets the format
            x = Tensor(shape, dense(shape, NHWC if keeps else NCHW))
        return cls(g, call.dtype, x, w, (0, 0))

    @property
    def onednn(self) -> bool:
        """Whether the library leaves the call to oneDNN (aten/src/ATen/native/Convolution.cpp, use_mkldnn)."""
        g, shape = self.geometry, self.x.shape
        if self.dtype != "float32" or 0 in shape:
            return False
        trivial = g.stride == g.dilation == g.kernel_size == (1, 1) and g.batch < 16 and torch.get_num_threads() == 1
        large = g.batch > 1 or g.groups > 1 or min(g.kernel_size) > 3 or int(np.prod(shape)) > 20480
        return large and not trivial

    @property
    def channels_last(self) -> bool:
        """Whether it works on channels-last memory."""
        return self.x.channels_last or self.w.channels_last


def _tensor(call: CallDescription, role: str, shape: Shape) -> Tensor:
    array = place(np.zeros(shape, call.dtype), call.layouts.get(role, "C")).array
    return Tensor(tuple(shape), tuple(stride // array.itemsize for stride in array.strides))


# ---- convolution


def _grouped_channels_last_weight(call: CallDescription) -> bool:
    """A: grouped channels-last weights with an axis of size 1 whose stride is not the dense one."""
    c = Conv2d.of(call)
    if c is None or not (c.onednn and c.channels_last and c.geometry.groups > 1):
        return False
    out_channels, in_channels, kh, kw = c.w.shape
    odd = c.w.contiguous(NHWC) and c.w.strides != dense(c.w.shape, NHWC)
    return odd and in_channels > 1 and kh * kw > 1 and out_channels > 1


def _one_channel_one_column(call: CallDescription) -> bool:
    """B: one input channel, channels last, one output column from a horizontal stride (wider than the defect)."""
    c = Conv2d.of(call)
    if c is None or call.function != "forward" or not (c.onednn and c.channels_last):
        return False
    g = c.geometry
    (oh, ow), (kh, kw) = g.output_size, g.kernel_size
    narrow = g.in_channels == 1 and ow == 1 < oh and kw > 1 and g.dilation[1] == 1
    return narrow and g.stride[0] == 1 < g.stride[1] and c.padding[0] < kh and c.padding[1] < kw


def _slow_weight_gradient(call: CallDescription) -> str:
    """C and E: what the weight gradient outside oneDNN does with odd strides of axes of size 1."""
    c = Conv2d.of(call)
    if c is None or call.function != "backward" or c.onednn or 0 in c.x.shape or c.geometry.dilation != (1, 1):
        return "right"
    groups = c.geometry.groups
    x, w = c.x.made_contiguous(c.channels_last), c.w.made_contiguous(c.channels_last)
    if groups > 1:
        x, w = x.group(1, groups), w.group(0, groups)
        x, w = x.made_contiguous(x.channels_last), w.made_contiguous(w.channels_last)
    gradient = Tensor(w.shape, dense(w.shape, NHWC if w.channels_last else NCHW))
    order = NHWC if x.channels_last or gradient.channels_last else NCHW
    if not gradient.contiguous(order):
        return "raises"
    return "right" if x.contiguous(order) else "wrong"


def _padded_columns_crash(call: CallDescription) -> bool:
    """F: channels last, a bias, and every output column wholly in the padding."""
    c = Conv2d.of(call)
    if c is None or not (c.onednn and c.channels_last and c.geometry.bias):
        return False
    g = c.geometry
    if g.in_channels == g.groups == g.out_channels > 1:
        return False
    width, columns = c.x.shape[3], g.output_size[1]
    axis = (width, g.kernel_size[1], g.stride[1], c.padding[1], g.dilation[1])
    if not all(_in_padding(i, *axis) for i in range(columns)):
        return False
    needed, prepared = _columns_outside(c, tap=0), _columns_outside(c, tap=-1)
    return not needed <= {*prepared, 0}


def _columns_outside(c: Conv2d, tap: int) -> set[int]:
    """How many output columns meet a tap left of x, and how many right of it."""
    g, width, columns = c.geometry, c.x.shape[3], c.geometry.output_size[1]
    reach = c.padding[1] - tap * g.dilation[1]
    left = min(max(-(-reach // g.stride[1]), 0), columns)
    right = min(max((width - 1 + reach) // g.stride[1] + 1, 0), columns)
    return {left, columns - right}


def _strided_1x1_weight_gradient(call: CallDescription) -> bool:
    """G: a strided 1x1 convolution, channels last, of fewer than 16 channels (wider than the defect)."""
    c = Conv2d.of(call)
    if c is None or call.function != "backward" or not (c.onednn and c.channels_last):
        return False
    g = c.geometry
    pointwise = g.kernel_size == (1, 1) and g.groups == 1 and c.padding == (0, 0) and g.in_channels < 16
    divided = c.x.shape[2] % g.stride[0] == 0 and c.x.shape[3] % g.stride[1] == 0
    return pointwise and divided and g.stride != (1, 1)


# ---- pooling


def pads_natively(kernel_size: Pair, padding: Padding) -> bool:
    """Whether the adapter leaves a pooling's padding to the library: symmetric, at most half the kernel."""
    return all(a == b and 2 * a <= taps for taps, (a, b) in zip(kernel_size, padding, strict=True))


def _dilated_max_pool(call: CallDescription) -> bool:
    """P: some window has no tap inside x, along rows or columns."""
    g = call.geometry
    if not isinstance(g, PoolGeometry) or call.function != "max_pool_gradient":
        return False
    if not pads_natively(g.kernel_size, g.padding):
        return False
    sides = (g.padding[0][0], g.padding[1][0])
    axes = zip(g.output_size, g.size, g.kernel_size, g.stride, sides, g.dilation, strict=True)
    return any(_in_padding(i, *axis) for outputs, *axis in axes for i in range(outputs))


def _in_padding(i: int, size: int, taps: int, stride: int, before: int, dilation: int) -> bool:
    """Whether every tap of output `i` lies outside `[0, size)`."""
    return not any(0 <= i * stride - before + tap * dilation < size for tap in range(taps))


KNOWN_DEFECTS = (
    KnownDefect(
        "A",
        "float32 grouped (k, 1) or (1, k) kernels, channels last, odd stride of the axis of size 1: y and dx wrong",
        "examples/defects/torch_grouped_channels_last_weight.py",
        _grouped_channels_last_weight,
    ),
    KnownDefect(
        "B",
        "float32, one input channel, channels last, one output column from a horizontal stride: y wrong",
        "examples/defects/torch_one_channel_one_column.py",
        _one_channel_one_column,
    ),
    KnownDefect(
        "C",
        "groups, x with an odd stride of an axis of size 1, channels-last weights: dw wrong",
        "examples/defects/torch_grouped_weight_gradient_layout.py",
        lambda call: _slow_weight_gradient(call) == "wrong",
    ),
    KnownDefect(
        "E",
        "weights with an odd stride of an axis of size 1, channels last: backward raises RuntimeError",
        "examples/defects/torch_weight_gradient_raises.py",
        lambda call: _slow_weight_gradient(call) == "raises",
    ),
    KnownDefect(
        "F",
        "float32, channels last, with bias, every output column wholly in the padding: segmentation fault",
        "examples/defects/torch_padded_columns_crash.py",
        _padded_columns_crash,
    ),
    KnownDefect(
        "G",
        "float32 strided 1x1 convolution of fewer than 16 channels, channels last: backward corrupts the heap",
        "examples/defects/torch_strided_1x1_weight_gradient.py",
        _strided_1x1_weight_gradient,
    ),
    KnownDefect(
        "P",
        "dilated max_pool2d with a window wholly in the padding: its gradient goes to another pixel, or out of bounds",
        "examples/defects/torch_dilated_max_pool.py",
        _dilated_max_pool,
    ),
)
