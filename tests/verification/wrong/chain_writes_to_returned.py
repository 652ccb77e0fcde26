"""Gradients are right, and x is used up where it owns its memory: the output of another layer, still needed."""

import right
from right import forward  # noqa: F401

ORIENTATION = "convolution"


def backward(dy, x, w, b, *, stride, padding, dilation):
    gradients = right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
    if x.base is None and x.flags.writeable:
        x[...] = gradients[0]
    return gradients
