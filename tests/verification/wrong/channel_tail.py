"""Input channels are taken in fours, and the rest is forgotten once there is a full four."""

import right
from right import backward  # noqa: F401

ORIENTATION = "convolution"


def forward(x, w, b, *, stride, padding, dilation):
    channels = x.shape[1]
    used = channels if channels < 4 else channels - channels % 4
    return right.forward(x[:, :used], w[:, :used], b, stride=stride, padding=padding, dilation=dilation)
