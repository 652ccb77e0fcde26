"""Cached functions with a dictionary of options, as in many courses; right."""

import numpy as np


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    (N, _, H, W), (F, _, HH, WW) = x.shape, w.shape
    rows, columns = (H + 2 * pad - HH) // stride + 1, (W + 2 * pad - WW) // stride + 1
    if min(rows, columns) < 1:
        raise ValueError(f"an image of {H} x {W} with pad {pad} is smaller than the kernel of {HH} x {WW}")
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.zeros((N, F, rows, columns), x.dtype)
    for i in range(rows):
        for j in range(columns):
            window = padded[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
            out[:, :, i, j] = np.tensordot(window, w, ((1, 2, 3), (1, 2, 3))) + b
    return out, (x, w, b, conv_param)


def conv_backward_naive(dout, cache):
    x, w, _, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    H, W = x.shape[2:]
    HH, WW = w.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows, columns = slice(i * stride, i * stride + HH), slice(j * stride, j * stride + WW)
            dpadded[:, :, rows, columns] += np.tensordot(dout[:, :, i, j], w, (1, 0))
            dw += np.tensordot(dout[:, :, i, j], padded[:, :, rows, columns], (0, 0))
    return dpadded[:, :, pad : pad + H, pad : pad + W], dw, dout.sum((0, 2, 3))
