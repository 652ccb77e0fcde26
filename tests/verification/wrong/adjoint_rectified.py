"""Negative outputs are cut off, as a layer with an activation does; the gradients are those of the rest."""

import numpy as np
import right
from right import backward  # noqa: F401

SPECIFICATION = "none"


def forward(x, w, b, *, stride, padding, dilation):
    return np.maximum(right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation), 0)
