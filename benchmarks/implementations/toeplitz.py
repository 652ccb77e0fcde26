"""The layer as a matrix: `y = M x`, so that `dx = M^T dy`, and `dw` adds up `dy x^T` where a weight stands in M.

    M[(o, i, j), (c, p, q)] = w[o, c, u, v]   where tap (u, v) of output (i, j) reads pixel (p, q)

Each axis has its own 0/1 tensor `reads[output, tap, pixel]`; M is made of their products.  Nothing is sliced or padded.
"""

import numpy as np

DTYPES = ("float32", "float64")
EXPECTED_FAILURES = {"locality": "a dense matrix multiplies every pixel, also by the zeros between its weights"}
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
    rows, columns = _reads(x, w, stride, padding, dilation, padding_mode, orientation)
    matrices = _matrices(w, rows, columns, groups)
    image = x.reshape(x.shape[0], groups, matrices.shape[2])
    y = np.stack([image[:, g] @ matrices[g].T for g in range(groups)], axis=1)
    y = y.reshape(x.shape[0], w.shape[0], len(rows), len(columns))
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
    rows, columns = _reads(x, w, stride, padding, dilation, padding_mode, orientation)
    matrices = _matrices(w, rows, columns, groups)
    image = x.reshape(x.shape[0], groups, matrices.shape[2])
    cotangent = dy.reshape(x.shape[0], groups, matrices.shape[1])
    dx = np.stack([cotangent[:, g] @ matrices[g] for g in range(groups)], axis=1).reshape(x.shape)
    outer = np.stack([cotangent[:, g].T @ image[:, g] for g in range(groups)])
    outer = outer.reshape(groups, w.shape[0] // groups, len(rows), len(columns), w.shape[1], *x.shape[2:])
    dw = np.einsum("goijcpq,iup,jvq->gocuv", outer, rows, columns, optimize=True).reshape(w.shape)
    return dx, dw.astype(w.dtype), None if b is None else dy.sum((0, 2, 3))


def _reads(x, w, stride, padding, dilation, padding_mode, orientation):
    """For rows and columns: `reads[output, tap, pixel]`, how often that tap of that output reads that pixel."""
    made = []
    for a in (0, 1):
        size, kernel = x.shape[2 + a], w.shape[2 + a]
        outputs = (size + sum(padding[a]) - dilation[a] * (kernel - 1) - 1) // stride[a] + 1
        if outputs < 1:
            raise ValueError(f"no window fits: {size} pixels with padding {padding[a]}, and a kernel of {kernel}")
        reads = np.zeros((outputs, kernel, size), x.dtype)
        for i in range(outputs):
            for u in range(kernel):
                met = kernel - 1 - u if orientation == "convolution" else u
                pixel = i * stride[a] + met * dilation[a] - padding[a][0]
                if padding_mode == "circular":
                    reads[i, u, pixel % size] = 1
                elif 0 <= pixel < size:
                    reads[i, u, pixel] = 1
        made.append(reads)
    return made


def _matrices(w, rows, columns, groups):
    """`(groups, O/groups * OH * OW, C/groups * H * W)`."""
    split = w.reshape(groups, w.shape[0] // groups, *w.shape[1:])
    made = np.einsum("gocuv,iup,jvq->goijcpq", split, rows, columns, optimize=True)
    return made.reshape(groups, -1, w.shape[1] * rows.shape[2] * columns.shape[2])
