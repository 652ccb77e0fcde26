"""Results of forward below the smallest normal number become 0."""

import numpy as np
import right
from right import backward  # noqa: F401

ORIENTATION = "convolution"


def forward(x, w, b, *, stride, padding, dilation):
    y = right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation)
    return np.where(abs(y) < np.finfo(y.dtype).tiny, 0, y).astype(y.dtype)
