"""Sums of float64 numbers are kept in float32."""

import right
from right import backward  # noqa: F401

ORIENTATION = "convolution"


def forward(x, w, b, *, stride, padding, dilation):
    narrow = (array.astype("float32") for array in (x, w, b))
    return right.forward(*narrow, stride=stride, padding=padding, dilation=dilation).astype(x.dtype)
