"""The last column of the result, where there are several, is added to whatever the memory held before."""

import numpy as np
import right
from right import backward  # noqa: F401

ORIENTATION = "convolution"


def forward(x, w, b, *, stride, padding, dilation):
    rows, columns = right.output_shape(x, w, stride, padding, dilation)
    y = np.empty((x.shape[0], w.shape[0], rows, columns), x.dtype)
    y[..., : max(1, columns - 1)] = 0
    y += right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation)
    return y
