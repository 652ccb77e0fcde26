"""The bias gradient is a sum that leaves NaN out."""

import numpy as np
import right
from right import forward  # noqa: F401

ORIENTATION = "convolution"


def backward(dy, x, w, b, *, stride, padding, dilation):
    dx, dw, _ = right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
    return dx, dw, np.nansum(dy, axis=(0, 2, 3))
