"""After the first call with float32, float64 is refused."""

import right
from right import backward  # noqa: F401

ORIENTATION = "convolution"
seen = set()


def forward(x, w, b, *, stride, padding, dilation):
    seen.add(str(x.dtype))
    if x.dtype == "float64" and "float32" in seen:
        raise TypeError("compiled for float32, called with float64")
    return right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation)
