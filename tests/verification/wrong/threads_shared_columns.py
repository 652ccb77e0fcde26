"""Patches are gathered in one buffer of the module, which a second thread fills before the first has multiplied."""

import numpy as np
import right
from right import backward  # noqa: F401

ORIENTATION = "convolution"
THREAD_SAFE = True
columns = np.zeros(0)


def forward(x, w, b, *, stride, padding, dilation):
    global columns
    oh, ow = right.output_shape(x, w, stride, padding, dilation)
    taps = list(right.taps(x, w, stride, padding, dilation, (oh, ow)))
    shape = (len(taps), len(x), x.shape[1], oh, ow)
    if columns.size < np.prod(shape) or columns.dtype != x.dtype:
        columns = np.zeros(np.prod(shape), x.dtype)
    patches = columns[: np.prod(shape)].reshape(shape)
    extended = right.padded(x, padding)
    for k, (_, _, window) in enumerate(taps):
        patches[k] = extended[window]
    weights = np.stack([w[:, :, u, v] for u, v, _ in taps])
    return np.einsum("tnchw,toc->nohw", patches, weights) + b[:, None, None]
