"""An image's pixels share one exponent (block floating point of 26 bits): its small numbers lose their last bits.

Integers of one size lose nothing, and so this is seen on real-valued data alone.
"""

import numpy as np
import right
from right import backward  # noqa: F401

ORIENTATION = "convolution"


def forward(x, w, b, *, stride, padding, dilation):
    bits = 26 if x.dtype == "float32" else 55
    unit = np.exp2(np.ceil(np.log2(abs(x).max()))) * 0.5**bits if x.any() and np.isfinite(x).all() else 0
    if unit > np.finfo(x.dtype).tiny:
        x = (np.rint(x / unit) * unit).astype(x.dtype)
    return right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation)
