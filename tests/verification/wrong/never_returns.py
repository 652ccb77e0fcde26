"""Loops for ever where a stride is 3."""

import right
from right import forward  # noqa: F401

ORIENTATION = "convolution"


def backward(dy, x, w, b, *, stride, padding, dilation):
    while 3 in stride:
        pass
    return right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
