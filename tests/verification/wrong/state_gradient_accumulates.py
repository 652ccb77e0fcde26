"""The weight gradient is added to that of the last call with the same weights' shape, and never cleared."""

import numpy as np
import right
from right import forward  # noqa: F401

ORIENTATION = "convolution"
sums = {}


def backward(dy, x, w, b, *, stride, padding, dilation):
    dx, dw, db = right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
    total = sums.setdefault((w.shape, w.dtype), np.zeros(w.shape, w.dtype))
    total += dw
    return dx, total.copy(), db
