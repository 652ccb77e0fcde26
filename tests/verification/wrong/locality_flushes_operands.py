"""Subnormal cotangents are taken for 0."""

import numpy as np
import right
from right import forward  # noqa: F401

ORIENTATION = "convolution"


def backward(dy, x, w, b, *, stride, padding, dilation):
    large = np.where(np.abs(dy) < np.finfo(dy.dtype).tiny, 0, dy)
    return right.backward(large, x, w, b, stride=stride, padding=padding, dilation=dilation)
