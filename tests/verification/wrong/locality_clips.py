"""Infinite results become the largest finite numbers."""

import numpy as np
import right
from right import backward  # noqa: F401

ORIENTATION = "convolution"


def forward(x, w, b, *, stride, padding, dilation):
    y = right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation)
    return np.clip(y, np.finfo(y.dtype).min, np.finfo(y.dtype).max)
