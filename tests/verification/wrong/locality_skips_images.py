"""Images without any error are left out of the weight gradient, and with them the NaN that they hold."""

import right
from right import forward  # noqa: F401

ORIENTATION = "convolution"


def backward(dy, x, w, b, *, stride, padding, dilation):
    dx, _, db = right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
    busy = dy.any((1, 2, 3))
    _, dw, _ = right.backward(dy[busy], x[busy], w, b, stride=stride, padding=padding, dilation=dilation)
    return dx, dw, db
