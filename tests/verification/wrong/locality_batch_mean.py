"""The images are shifted by their mean and shifted back: NaN in one of them is NaN in all."""

import right
from right import backward  # noqa: F401

ORIENTATION = "convolution"


def forward(x, w, b, *, stride, padding, dilation):
    total = x.sum()
    return right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation) + (total - total)
