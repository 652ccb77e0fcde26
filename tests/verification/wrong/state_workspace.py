"""The bias gradient sums a workspace as large as the largest batch so far, of which a smaller one fills the front."""

import numpy as np
import right
from right import forward  # noqa: F401

ORIENTATION = "convolution"
workspaces = {}


def backward(dy, x, w, b, *, stride, padding, dilation):
    dx, dw, _ = right.backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation)
    key = (dy.shape[1:], dy.dtype)
    if key not in workspaces or len(workspaces[key]) < len(dy):
        workspaces[key] = np.zeros(dy.shape, dy.dtype)
    workspaces[key][: len(dy)] = dy
    return dx, dw, workspaces[key].sum((0, 2, 3))
