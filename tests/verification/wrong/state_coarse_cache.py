"""The output size is kept by the shapes of x and w: stride, padding and dilation are forgotten."""

import numpy as np
import right
from right import backward  # noqa: F401

ORIENTATION = "convolution"
sizes = {}


def forward(x, w, b, *, stride, padding, dilation):
    y = right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation)
    rows, columns = sizes.setdefault((x.shape, w.shape), y.shape[2:])
    full = np.zeros((*y.shape[:2], rows, columns), y.dtype)
    shared = y[:, :, :rows, :columns]
    full[:, :, : shared.shape[2], : shared.shape[3]] = shared
    return full
