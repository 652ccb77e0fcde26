"""Channels last, hparameters, a bias of shape (1, 1, 1, O); the stride is missing from the rows of dW."""

import numpy as np

LAYOUT = "NHWC"


def conv_forward(A_prev, W, b, hparameters):
    m, n_H_prev, n_W_prev, _ = A_prev.shape
    f, g, _, n_C = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * pad) / stride) + 1
    n_W = int((n_W_prev - g + 2 * pad) / stride) + 1
    if n_H_prev + 2 * pad < f or n_W_prev + 2 * pad < g:
        raise ValueError(f"an image of {n_H_prev} x {n_W_prev} is smaller than the kernel of {f} x {g}")
    padded = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    Z = np.zeros((m, n_H, n_W, n_C), A_prev.dtype)
    for h in range(n_H):
        for w in range(n_W):
            window = padded[:, h * stride : h * stride + f, w * stride : w * stride + g, :]
            for c in range(n_C):
                Z[:, h, w, c] = np.sum(window * W[:, :, :, c], axis=(1, 2, 3)) + b[:, :, :, c].item()
    return Z, (A_prev, W, b, hparameters)


def conv_backward(dZ, cache):
    A_prev, W, b, hparameters = cache
    stride, pad = hparameters["stride"], hparameters["pad"]
    f, g, _, n_C = W.shape
    padded = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    dpadded, dW, db = np.zeros_like(padded), np.zeros_like(W), np.zeros_like(b)
    for h in range(dZ.shape[1]):
        for w in range(dZ.shape[2]):
            rows, columns = slice(h * stride, h * stride + f), slice(w * stride, w * stride + g)
            for c in range(n_C):
                part = dZ[:, h, w, c][:, None, None, None]
                dpadded[:, rows, columns, :] += W[:, :, :, c] * part
                dW[:, :, :, c] += np.sum(padded[:, h : h + f, columns, :] * part, axis=0)
                db[:, :, :, c] += part.sum()
    return dpadded[:, pad : pad + A_prev.shape[1], pad : pad + A_prev.shape[2], :], dW, db
