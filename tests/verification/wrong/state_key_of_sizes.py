"""Flipped weights are kept by how many there are: another shape with as many entries gets those of the first."""

import right
from right import backward  # noqa: F401

ORIENTATION = "convolution"
flipped = {}


def forward(x, w, b, *, stride, padding, dilation):
    key = (w.size, x.size, x.dtype, stride, padding, dilation)
    last = flipped.get(key)
    flipped[key] = w.copy()
    used = last.reshape(w.shape) if last is not None and last.shape != w.shape else w
    return right.forward(x, used, b, stride=stride, padding=padding, dilation=dilation)
