"""PyTorch, in its default layout and in channels_last.

In channels_last, x, w and dy lie so before the clock starts and results stay so, as in a network that is kept in that
layout: nothing is converted.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch

from ..layers import Arrays, Layer
from . import Calls, Sides

VERSION = f"torch {torch.__version__}"


def setup(threads: int) -> None:
    """Use so many threads."""
    torch.set_num_threads(threads)


def mode() -> AbstractContextManager[Any]:
    """Without what autograd keeps: gradients are called for directly."""
    inference: AbstractContextManager[Any] = torch.inference_mode()
    return inference


def sides(layer: Layer, data: Arrays) -> Sides:
    """Both layouts."""
    layouts = {"torch": torch.contiguous_format, "torch-channels-last": torch.channels_last}
    return {name: _calls(layer, data, layout) for name, layout in layouts.items()}


def _calls(layer: Layer, data: Arrays, layout: Any) -> Calls:
    x, w, dy = (torch.from_numpy(array).clone(memory_format=layout) for array in (data.x, data.w, data.dy))
    b = torch.from_numpy(data.b)
    stride, padding, groups = layer.stride, layer.padding, layer.groups
    rest = ([stride] * 2, [padding] * 2, [1, 1], False, [0, 0], groups)
    backward = torch.ops.aten.convolution_backward
    return {
        "y": lambda: torch.conv2d(x, w, b, stride, padding, 1, groups),
        "dx": lambda: backward(dy, x, w, None, *rest, [True, False, False])[0],
        "dw": lambda: backward(dy, x, w, None, *rest, [False, True, False])[1],
    }
