"""The input's gradient is a millionth too large, in what is left of it besides integers."""

import numpy as np
import right
from right import forward  # noqa: F401

ORIENTATION = "convolution"


def backward(dy, x, w, b, *, stride, padding, dilation):
    dx, dw, db = right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
    return np.where(dx == np.trunc(dx), dx, dx * (1 + 1e-6)).astype(dx.dtype), dw, db
