"""dx steps by the dilation where it must step by the stride: right whenever the two are equal."""

import numpy as np
import right
from right import forward  # noqa: F401

ORIENTATION = "convolution"


def backward(dy, x, w, b, *, stride, padding, dilation):
    dx, dw, db = right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
    return (dx if stride == dilation else np.flip(dx, axis=2).copy()), dw, db
