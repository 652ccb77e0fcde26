"""A private copy of the weights is flipped in place at every call, so that every second one sees them unflipped."""

import numpy as np
import right
from right import backward  # noqa: F401

ORIENTATION = "convolution"
copies = {}


def forward(x, w, b, *, stride, padding, dilation):
    key = w.shape
    mine, turned = copies.get(key, (None, False))
    if mine is None or not np.array_equal(mine[..., ::-1, ::-1] if turned else mine, w):
        mine, turned = w.copy(), False
    used = mine[..., ::-1, ::-1] if turned else mine
    y = right.forward(x, mine if turned else used, b, stride=stride, padding=padding, dilation=dilation)
    copies[key] = (mine[..., ::-1, ::-1].copy(), not turned)
    return y
