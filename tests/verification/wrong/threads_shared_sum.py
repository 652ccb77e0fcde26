"""The bias gradient is added up in an array that all calls share, and that each clears for itself."""

import numpy as np
import right
from right import forward  # noqa: F401

ORIENTATION = "convolution"
THREAD_SAFE = True
sums = {}


def backward(dy, x, w, b, *, stride, padding, dilation):
    dx, dw, _ = right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
    total = sums.setdefault((dy.shape[1], dy.dtype), np.zeros(dy.shape[1], dy.dtype))
    total[...] = 0
    for sample in dy:
        for row in np.moveaxis(sample, 1, 0):
            total += row.sum(1)
    return dx, dw, total.copy()
