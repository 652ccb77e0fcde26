"""A right implementation in plain NumPy, the post's orientation; its neighbours each spoil one thing."""

import numpy as np

ORIENTATION = "convolution"


def taps(x, w, stride, padding, dilation, shape):
    """For each tap: its place in the kernel, and the slices of the padded image that meet it."""
    (kh, kw), (oh, ow) = w.shape[2:], shape
    for u in range(kh):
        for v in range(kw):
            top, left = (kh - 1 - u) * dilation[0], (kw - 1 - v) * dilation[1]
            rows = slice(top, top + (oh - 1) * stride[0] + 1, stride[0])
            columns = slice(left, left + (ow - 1) * stride[1] + 1, stride[1])
            yield u, v, (slice(None), slice(None), rows, columns)


def padded(x, padding):
    return np.pad(x, ((0, 0), (0, 0), *padding))


def output_shape(x, w, stride, padding, dilation):
    sizes = [
        (x.shape[2 + a] + sum(padding[a]) - dilation[a] * (w.shape[2 + a] - 1) - 1) // stride[a] + 1 for a in (0, 1)
    ]
    if min(sizes) < 1:
        raise ValueError(f"no window of {w.shape[2:]} fits into {x.shape[2:]}")
    return sizes


def forward(x, w, b, *, stride, padding, dilation):
    oh, ow = output_shape(x, w, stride, padding, dilation)
    y = np.zeros((x.shape[0], w.shape[0], oh, ow), x.dtype) + b[:, None, None]
    xp = padded(x, padding)
    for u, v, window in taps(x, w, stride, padding, dilation, (oh, ow)):
        y += np.einsum("nchw,oc->nohw", xp[window], w[:, :, u, v])
    return y


def backward(dy, x, w, b, *, stride, padding, dilation):
    xp, dw = padded(x, padding), np.zeros(w.shape, w.dtype)
    dxp = np.zeros_like(xp)
    for u, v, window in taps(x, w, stride, padding, dilation, dy.shape[2:]):
        dw[:, :, u, v] = np.einsum("nohw,nchw->oc", dy, xp[window])
        dxp[window] += np.einsum("nohw,oc->nchw", dy, w[:, :, u, v])
    (top, _), (left, _) = padding
    dx = dxp[:, :, top : top + x.shape[2], left : left + x.shape[3]]
    return dx.copy(), dw, dy.sum((0, 2, 3))
