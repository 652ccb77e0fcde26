"""The post's per-unit form: maps o[n], kernels w[n][m] as nested lists, a convolution each; right."""

import numpy as np

LAYOUT = "CHW"
WEIGHTS = "IO,HW"


def convolve(image, kernel):
    kh, kw = kernel.shape
    windows = np.lib.stride_tricks.sliding_window_view(image, (kh, kw))
    return np.einsum("ijuv,uv->ij", windows, kernel[::-1, ::-1])


def forward(o, w, b):
    if o.shape[1] < w[0][0].shape[0] or o.shape[2] < w[0][0].shape[1]:
        raise ValueError(f"an image of {o.shape[1:]} is smaller than the kernel of {w[0][0].shape}")
    units = range(len(w[0]))
    return np.stack([b[m] + sum(convolve(o[n], w[n][m]) for n in range(len(w))) for m in units])


def backward(delta, o, w, b):
    kh, kw = w[0][0].shape
    wide = np.pad(delta, ((0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
    dx = np.stack([sum(convolve(wide[m], w[n][m][::-1, ::-1]) for m in range(len(delta))) for n in range(len(w))])
    dw = [[convolve(o[n], delta[m][::-1, ::-1])[::-1, ::-1] for m in range(len(delta))] for n in range(len(w))]
    return dx, dw, delta.sum((1, 2))
