"""Reads address 0 where the batch has more than one image."""

import ctypes

import right
from right import forward  # noqa: F401

ORIENTATION = "convolution"


def backward(dy, x, w, b, *, stride, padding, dilation):
    if len(x) > 1:
        ctypes.string_at(0)
    return right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
