"""The post's own setting: one image, one kernel, two axes; right."""

import numpy as np

LAYOUT = "HW"


def forward(o, w):
    (H, W), (kh, kw) = o.shape, w.shape
    if kh > H or kw > W:
        raise ValueError(f"an image of {H} x {W} is smaller than the kernel of {kh} x {kw}")
    turned = np.rot90(w, 2)
    y = np.zeros((H - kh + 1, W - kw + 1), o.dtype)
    for i, j in np.ndindex(*y.shape):
        y[i, j] = (o[i : i + kh, j : j + kw] * turned).sum()
    return y


def backward(delta, o, w):
    kh, kw = w.shape
    dx, dw = np.zeros(o.shape, o.dtype), np.zeros(w.shape, o.dtype)
    for i, j in np.ndindex(*delta.shape):
        dx[i : i + kh, j : j + kw] += delta[i, j] * np.rot90(w, 2)
        dw += delta[i, j] * o[i : i + kh, j : j + kw]
    return dx, np.rot90(dw, 2)
