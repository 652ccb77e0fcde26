"""The bias gradient is a mean times a count, by a reciprocal of 16 bits."""

import numpy as np
import right
from right import forward  # noqa: F401

ORIENTATION = "convolution"


def backward(dy, x, w, b, *, stride, padding, dilation):
    dx, dw, db = right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
    count = dy[:, 0].size
    return dx, dw, (db * np.float16(1 / count) * count).astype(db.dtype) if count else db
