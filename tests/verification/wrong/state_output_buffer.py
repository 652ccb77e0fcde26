"""The result lies in one buffer per shape, which the next call overwrites."""

import numpy as np
import right
from right import forward  # noqa: F401

ORIENTATION = "convolution"
buffers = {}


def backward(dy, x, w, b, *, stride, padding, dilation):
    dx, dw, db = right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
    buffer = buffers.setdefault((x.shape, x.dtype), np.empty(x.shape, x.dtype))
    buffer[...] = dx
    return buffer, dw, db
