"""The taps' offsets are kept by everything but the dilation: shapes stay right, and values do not."""

import right
from right import backward  # noqa: F401

ORIENTATION = "convolution"
dilations = {}


def forward(x, w, b, *, stride, padding, dilation):
    shape = right.output_shape(x, w, stride, padding, dilation)
    used = dilations.setdefault((x.shape, w.shape, stride, padding), dilation)
    if right.output_shape(x, w, stride, padding, used) != shape:
        used = dilation
    return right.forward(x, w, b, stride=stride, padding=padding, dilation=used)
