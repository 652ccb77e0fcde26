"""A transposed convolution, which has no specification here; its weight gradient is that of another stride."""

import numpy as np

SPECIFICATION = "none"
WEIGHTS = "IOHW"


def taps(x, w, stride):
    """For each tap, the pixels of the output to which it spreads the image."""
    (height, width), (kh, kw) = x.shape[2:], w.shape[2:]
    for u in range(kh):
        for v in range(kw):
            rows = slice(u, u + (height - 1) * stride[0] + 1, stride[0])
            columns = slice(v, v + (width - 1) * stride[1] + 1, stride[1])
            yield u, v, (slice(None), slice(None), rows, columns)


def forward(x, w, b, *, stride=(1, 1)):
    height, width = ((n - 1) * s + k for n, s, k in zip(x.shape[2:], stride, w.shape[2:], strict=True))
    y = np.zeros((len(x), w.shape[1], height, width), x.dtype) + b[:, None, None]
    for u, v, pixels in taps(x, w, stride):
        y[pixels] += np.einsum("nchw,co->nohw", x, w[:, :, u, v])
    return y


def backward(dy, x, w, b, *, stride=(1, 1)):
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for u, v, pixels in taps(x, w, stride):
        dx += np.einsum("nohw,co->nchw", dy[pixels], w[:, :, u, v])
    for u, v, pixels in taps(x, w, STRIDE or stride):
        dw[:, :, u, v] = np.einsum("nohw,nchw->co", dy[pixels], x)
    return dx, dw, dy.sum((0, 2, 3))


STRIDE = (1, 1)  # None is right
