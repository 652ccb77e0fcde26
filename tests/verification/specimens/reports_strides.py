"""Answers with what it was handed: the strides of x, in elements, and its address modulo 64, as y."""

import numpy as np


def forward(x, w, b=None):
    steps = [step // x.itemsize for step in x.strides]
    return np.array([*steps, x.ctypes.data % 64, x.flags.writeable], x.dtype)


def backward(dy, x, w, b=None):
    dx = np.array([step // dy.itemsize for step in dy.strides], x.dtype)
    return dx, np.array([step // w.itemsize for step in w.strides], x.dtype), None
