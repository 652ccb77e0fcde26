"""The weight gradient as a plain correlation: the post's rot180 is missing."""

import right
from right import forward  # noqa: F401

ORIENTATION = "convolution"


def backward(dy, x, w, b, *, stride, padding, dilation):
    dx, dw, db = right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
    return dx, dw[:, :, ::-1, ::-1].copy(), db
