"""The memory of w is read in order, whatever its strides say."""

import numpy as np
import right
from right import backward  # noqa: F401

ORIENTATION = "convolution"


def forward(x, w, b, *, stride, padding, dilation):
    packed = np.lib.stride_tricks.as_strided(w, strides=np.empty(w.shape, w.dtype).strides)
    return right.forward(x, packed, b, stride=stride, padding=padding, dilation=dilation)
