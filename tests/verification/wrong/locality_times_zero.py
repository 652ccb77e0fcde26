"""dx starts as the image times zero: NaN in the image is NaN in its gradient, which does not depend on it."""

import right
from right import forward  # noqa: F401

ORIENTATION = "convolution"


def backward(dy, x, w, b, *, stride, padding, dilation):
    dx, dw, db = right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
    return dx + 0 * x, dw, db
