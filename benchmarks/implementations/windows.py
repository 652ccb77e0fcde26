"""Sliding windows throughout: each gradient is itself a plain convolution, of the cotangent dilated by the stride.

    y  = windows(X) . w                         X: the image in its padding
    dX = windows(dilated dy, in k-1 zeros) . rot180(w)
    dw = windows(X) of the dilated dy's size . dilated dy

for a cross-correlation; a convolution turns w before and dw after.  A dilated kernel is a kernel with zeros between.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

DTYPES = ("float32", "float64")
EXPECTED_FAILURES = {"locality": "the zeros within dilated kernels and cotangents are multiplied like weights"}
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
    kernel = _spread(_turned(w, orientation), dilation)
    frame = _frame(x, padding, padding_mode)
    if any(frame.shape[a] < kernel.shape[a] for a in (2, 3)):
        raise ValueError(
            f"no window fits: a kernel over {kernel.shape[2:]} pixels, a padded image of {frame.shape[2:]}"
        )
    y = _slide(frame, kernel, groups)[:, :, :: stride[0], :: stride[1]]
    return y.copy() if b is None else y + b[:, None, None]


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
    kernel, frame = _spread(_turned(w, orientation), dilation), _frame(x, padding, padding_mode)
    unit = np.zeros((*dy.shape[:2], *(frame.shape[a] - kernel.shape[a] + 1 for a in (2, 3))), dy.dtype)
    unit[:, :, :: stride[0], :: stride[1]] = dy  # the cotangent of the same layer with stride 1
    split = w.shape[0] // groups, w.shape[1]
    exchanged = kernel.reshape(groups, *split, *kernel.shape[2:]).swapaxes(1, 2)[..., ::-1, ::-1]
    exchanged = exchanged.reshape(x.shape[1], split[0], *kernel.shape[2:])
    around = [(size - 1, size - 1) for size in kernel.shape[2:]]
    dframe = _slide(np.pad(unit, ((0, 0), (0, 0), *around)), exchanged, groups)
    seen = sliding_window_view(frame, unit.shape[2:], axis=(2, 3))[:, :, :: dilation[0], :: dilation[1]]
    seen = seen.reshape(x.shape[0], groups, split[1], *seen.shape[2:])
    grouped = unit.reshape(x.shape[0], groups, split[0], *unit.shape[2:])
    dw = np.einsum("ngoij,ngcuvij->gocuv", grouped, seen).reshape(w.shape)
    dx = _image(dframe, x.shape[2:], padding, padding_mode)
    return dx, _turned(dw, orientation).copy(), None if b is None else np.einsum("noij->o", dy)


def _turned(w, orientation):
    return w[:, :, ::-1, ::-1] if orientation == "convolution" else w


def _spread(w, dilation):
    """Zeros between the taps."""
    kernel = np.zeros((*w.shape[:2], *((w.shape[2 + a] - 1) * dilation[a] + 1 for a in (0, 1))), w.dtype)
    kernel[:, :, :: dilation[0], :: dilation[1]] = w
    return kernel


def _slide(frame, kernel, groups):
    """The cross-correlation with stride 1, group by group."""
    n, channels = frame.shape[:2]
    seen = sliding_window_view(frame, kernel.shape[2:], axis=(2, 3))
    seen = seen.reshape(n, groups, channels // groups, *seen.shape[2:])
    split = kernel.reshape(groups, kernel.shape[0] // groups, *kernel.shape[1:])
    y = np.einsum("ngcijuv,gocuv->ngoij", seen, split)
    return y.reshape(n, kernel.shape[0], *y.shape[3:])


def _frame(x, padding, padding_mode):
    if padding_mode == "zeros":
        return np.pad(x, ((0, 0), (0, 0), *padding))
    rows, columns = _sources(x.shape[2:], padding)
    return x.take(rows, axis=2).take(columns, axis=3)


def _image(dframe, size, padding, padding_mode):
    """The transpose of `_frame`: circular padding gives its gradient to the pixels that it repeats."""
    if padding_mode == "zeros":
        (top, _), (left, _) = padding
        return dframe[:, :, top : top + size[0], left : left + size[1]].copy()
    rows, columns = (np.arange(size[a])[:, None] == source for a, source in enumerate(_sources(size, padding)))
    return np.einsum("pi,ncij,qj->ncpq", rows.astype(dframe.dtype), dframe, columns.astype(dframe.dtype))


def _sources(size, padding):
    return [np.arange(-before, size[a] + after) % size[a] for a, (before, after) in enumerate(padding)]
