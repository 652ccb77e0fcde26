"""A sum that is corrected by what rounding lost of it: nothing changes, but infinity minus infinity is NaN."""

import numpy as np
import right
from right import backward  # noqa: F401

ORIENTATION = "convolution"


def forward(x, w, b, *, stride, padding, dilation):
    y = right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation)
    with np.errstate(invalid="ignore"):
        return y + (y - y)
