"""A right small layer, as the README's is meant to be: no options, one loop over the taps."""

import numpy as np

ORIENTATION = "convolution"


def forward(x, w, b):
    """`y (N, O, H - kh + 1, W - kw + 1)`; ValueError where no window fits."""
    (N, _, H, W), (O, _, kh, kw) = x.shape, w.shape  # noqa: E741
    if kh > H or kw > W:
        raise ValueError(f"an image of {H} x {W} is smaller than the kernel of {kh} x {kw}")
    y = np.zeros((N, O, H - kh + 1, W - kw + 1), x.dtype) + b[:, None, None]
    for u, v in np.ndindex(kh, kw):
        window = x[:, :, kh - 1 - u : H - u, kw - 1 - v : W - v]
        y += np.einsum("nchw,oc->nohw", window, w[:, :, u, v])
    return y


def backward(dy, x, w, b):
    """`dx, dw, db`."""
    (kh, kw), (OH, OW) = w.shape[2:], dy.shape[2:]
    dx, dw = np.zeros(x.shape, x.dtype), np.zeros(w.shape, w.dtype)
    for u, v in np.ndindex(kh, kw):
        rows, columns = slice(kh - 1 - u, kh - 1 - u + OH), slice(kw - 1 - v, kw - 1 - v + OW)
        dw[:, :, u, v] = np.einsum("nohw,nchw->oc", dy, x[:, :, rows, columns])
        dx[:, :, rows, columns] += np.einsum("nohw,oc->nchw", dy, w[:, :, u, v])
    return dx, dw, dy.sum((0, 2, 3))
