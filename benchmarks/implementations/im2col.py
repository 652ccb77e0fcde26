"""im2col and a matrix product; the gradient of the columns is added up pixel by pixel with `np.add.at`.

    columns[n, q, (c, u, v), (i, j)] = x[n, q*C/g + c, row(i, u), column(j, v)]        0 outside of x
    y = W columns      dw = dy columns^T      dcolumns = W^T dy, added at (row, column)

One table says which pixel each tap of each output reads; padding, zero or circular, is only in that table.
"""

import numpy as np

DTYPES = ("float32", "float64")
NO_PADDING = ((0, 0), (0, 0))


def forward(
    x,
    w,
    b=None,
    *,
    stride=(1, 1),
    padding=NO_PADDING,
    dilation=(1, 1),
    groups=1,
    padding_mode="zeros",
    orientation="convolution",
):
    """`y (N, O, OH, OW)`; ValueError where no window fits."""
    outputs, place, inside = _table(x, w, stride, padding, dilation, padding_mode)
    y = _matrices(w, groups, orientation) @ _columns(x, place, inside, groups)
    y = y.reshape(x.shape[0], w.shape[0], *outputs)
    return y if b is None else y + b[:, None, None]


def backward(
    dy,
    x,
    w,
    b=None,
    *,
    stride=(1, 1),
    padding=NO_PADDING,
    dilation=(1, 1),
    groups=1,
    padding_mode="zeros",
    orientation="convolution",
):
    """`dx, dw, db`; `db` is None where `b` is."""
    _, place, inside = _table(x, w, stride, padding, dilation, padding_mode)
    n, (taps, outputs) = x.shape[0], place.shape
    cotangent = dy.reshape(n, groups, w.shape[0] // groups, outputs)
    dw = (cotangent @ _columns(x, place, inside, groups).swapaxes(2, 3)).sum(0).reshape(w.shape)
    dcolumns = (_matrices(w, groups, orientation).swapaxes(1, 2) @ cotangent).reshape(*x.shape[:2], taps, outputs)
    dx = np.zeros((*x.shape[:2], x.shape[2] * x.shape[3]), x.dtype)
    np.add.at(dx, (slice(None), slice(None), place[inside]), dcolumns[:, :, inside])
    dw = dw[:, :, ::-1, ::-1].copy() if orientation == "convolution" else dw
    return dx.reshape(x.shape), dw, None if b is None else dy.sum((0, 2, 3))


def _table(x, w, stride, padding, dilation, padding_mode):
    """`(OH, OW)`; the pixel that each (tap, output) reads, as an index into the flat image; whether there is one."""
    axes = [
        _axis(x.shape[2 + a], w.shape[2 + a], stride[a], padding[a], dilation[a], padding_mode == "circular")
        for a in (0, 1)
    ]
    (rows, row_inside), (columns, column_inside) = axes
    place = rows[:, None, :, None] * x.shape[3] + columns[None, :, None, :]
    inside = row_inside[:, None, :, None] & column_inside[None, :, None, :]
    taps = w.shape[2] * w.shape[3]
    return (rows.shape[1], columns.shape[1]), place.reshape(taps, -1), inside.reshape(taps, -1)


def _axis(size, kernel, stride, sides, dilation, circular):
    outputs = (size + sum(sides) - dilation * (kernel - 1) - 1) // stride + 1
    if outputs < 1:
        raise ValueError(f"no window fits: {size} pixels with padding {sides}, kernel {kernel}, dilation {dilation}")
    pixel = np.arange(outputs)[None, :] * stride + np.arange(kernel)[:, None] * dilation - sides[0]
    if circular:
        return pixel % size, np.ones_like(pixel, bool)
    return pixel.clip(0, size - 1), (pixel >= 0) & (pixel < size)


def _columns(x, place, inside, groups):
    """`(N, groups, C/groups * taps, outputs)`."""
    n, channels, height, width = x.shape
    columns = np.where(inside, x.reshape(n, channels, height * width)[:, :, place], x.dtype.type(0))
    return columns.reshape(n, groups, channels // groups * place.shape[0], place.shape[1])


def _matrices(w, groups, orientation):
    """`(groups, O/groups, C/groups * taps)`."""
    turned = w[:, :, ::-1, ::-1] if orientation == "convolution" else w
    return turned.reshape(groups, w.shape[0] // groups, -1)
