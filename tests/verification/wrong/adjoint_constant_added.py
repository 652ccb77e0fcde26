"""Weight decay is part of the weight gradient, which is then not linear in dy."""

import right
from right import forward  # noqa: F401

SPECIFICATION = "none"


def backward(dy, x, w, b, *, stride, padding, dilation):
    dx, dw, db = right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
    return dx, dw + w, db
