"""The layers: those that are reported, and others on which constants may be tuned and which no report shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Quantity = Literal["y", "dx", "dw"]
Category = Literal["tiny", "small", "large", "depthwise and grouped"]
QUANTITIES: tuple[Quantity, ...] = ("y", "dx", "dw")
WORDS: dict[Quantity, str] = {"y": "forward", "dx": "input gradient", "dw": "weight gradient"}
CATEGORIES: tuple[Category, ...] = ("large", "small", "tiny", "depthwise and grouped")
DTYPES = ("float32", "float64")


class Layer(NamedTuple):
    """A batch `x (N, C, H, H)`, and a convolution layer with weights `(O, C/groups, k, k)` on it."""

    name: str
    N: int
    C: int
    H: int
    O: int  # noqa: E741
    k: int
    stride: int = 1
    padding: int = 0
    groups: int = 1

    @property
    def out(self) -> int:
        """Rows, and columns, of y."""
        return (self.H + 2 * self.padding - self.k) // self.stride + 1

    @property
    def terms(self) -> int:
        """Products in an entry of y, those with padding included."""
        return self.C // self.groups * self.k**2

    @property
    def multiply_adds(self) -> int:
        """Of each of the three sums, those with padding included."""
        return self.N * self.O * self.out**2 * self.terms

    @property
    def numbers(self) -> int:
        """Entries of x, w and y together: what must at least be read or written."""
        return self.N * self.C * self.H**2 + self.O * self.terms + self.N * self.O * self.out**2

    @property
    def category(self) -> Category:
        """Grouped, or by size."""
        if self.groups > 1:
            return "depthwise and grouped"
        return "tiny" if self.multiply_adds < 2**12 else "small" if self.multiply_adds < 2**24 else "large"


REPORTED = (
    Layer("tiny", 1, 1, 4, 2, 3),
    Layer("LeNet conv1", 32, 1, 28, 6, 5),
    Layer("LeNet conv2", 32, 6, 12, 16, 5),
    Layer("VGG-16 conv1_1", 1, 3, 224, 64, 3, 1, 1),
    Layer("VGG-16 conv2_2", 1, 128, 112, 128, 3, 1, 1),
    Layer("ResNet-50 conv1", 1, 3, 224, 64, 7, 2, 3),
    Layer("ResNet-50 conv2 3x3", 2, 64, 56, 64, 3, 1, 1),
    Layer("ResNet-50 conv3 3x3", 2, 128, 28, 128, 3, 1, 1),
    Layer("ResNet-50 conv3 3x3 /2", 2, 128, 56, 128, 3, 2, 1),
    Layer("ResNet-50 conv4 3x3", 2, 256, 14, 256, 3, 1, 1),
    Layer("ResNet-50 conv5 3x3", 2, 512, 7, 512, 3, 1, 1),
    Layer("ResNet-50 conv2 1x1", 2, 64, 56, 256, 1),
    Layer("ResNet-50 conv4 1x1", 2, 1024, 14, 256, 1),
    Layer("MobileNetV2 depthwise", 2, 144, 56, 144, 3, 1, 1, 144),
    Layer("MobileNetV2 depthwise /2", 2, 576, 14, 576, 3, 2, 1, 576),
    Layer("MobileNetV2 1x1", 2, 24, 56, 144, 1),
    Layer("ConvNeXt depthwise", 2, 384, 14, 384, 7, 1, 3, 384),
    Layer("ResNeXt grouped", 2, 128, 28, 128, 3, 1, 1, 32),
)
TUNING = (
    Layer("small", 16, 4, 20, 12, 3),
    Layer("middle", 2, 96, 40, 96, 3, 1, 1),
    Layer("deep", 2, 320, 10, 320, 3, 1, 1),
    Layer("strided", 2, 48, 44, 80, 5, 2, 2),
    Layer("pointwise", 2, 160, 30, 320, 1),
    Layer("depthwise", 2, 96, 36, 96, 5, 1, 2, 96),
)
QUICK = ("tiny", "LeNet conv1", "LeNet conv2", "ResNet-50 conv2 3x3", "ResNet-50 conv2 1x1", "MobileNetV2 depthwise")


@dataclass(frozen=True, slots=True)
class Arrays:
    """`x`, `w`, the bias `b`, and a cotangent `dy` shaped like y; contiguous, of one dtype."""

    x: Array
    w: Array
    b: Array
    dy: Array


def arrays(layer: Layer, dtype: str) -> Arrays:
    """Normally distributed data, the same in every process; weights are scaled so that y is of the order of 1."""
    rng = np.random.default_rng(0)
    shapes = (
        (layer.N, layer.C, layer.H, layer.H),
        (layer.O, layer.C // layer.groups, layer.k, layer.k),
        (layer.O,),
        (layer.N, layer.O, layer.out, layer.out),
    )
    x, w, b, dy = (rng.standard_normal(shape) for shape in shapes)
    return Arrays(*(array.astype(dtype) for array in (x, w / math.sqrt(layer.terms), b, dy)))
