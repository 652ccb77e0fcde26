"""NaN in the image is taken for 0."""

import numpy as np
import right
from right import backward  # noqa: F401

ORIENTATION = "convolution"


def forward(x, w, b, *, stride, padding, dilation):
    return right.forward(np.where(np.isnan(x), 0, x), w, b, stride=stride, padding=padding, dilation=dilation)
