"""F(4 x 4, 3 x 3) with the usual points 0, 1, -1, 2, -2: right, until a test changes a number."""

import numpy as np

ORIENTATION = "cross-correlation"
ALGORITHM = "indirect"
KERNEL_SIZE = (3, 3)
ERROR_GROWTH = 12_000  # paths of a single pixel: at most 40 factors, and 300 times the product

DATA = np.array([
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
])  # fmt: skip
KERNEL = np.array([
    [1 / 4, 0, 0],
    [-1 / 6, -1 / 6, -1 / 6],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
])  # fmt: skip
OUTPUT = np.array([
    [1, 1, 1, 1, 1, 0],
    [0, 1, -1, 2, -2, 0],
    [0, 1, 1, 4, 4, 0],
    [0, 1, -1, 8, -8, 1],
])  # fmt: skip


def forward(x, w, b=None, *, padding=((0, 0), (0, 0))):
    data, kernel, output = (matrix.astype(x.dtype) for matrix in (DATA, KERNEL, OUTPUT))
    rows, columns = (size + sum(sides) - 2 for size, sides in zip(x.shape[2:], padding, strict=True))
    if min(rows, columns) < 1:
        raise ValueError("no window fits")
    image = np.pad(x, ((0, 0), (0, 0), *((a, b + -n % 4) for (a, b), n in zip(padding, (rows, columns), strict=True))))
    tiles = np.lib.stride_tricks.sliding_window_view(image, (6, 6), axis=(2, 3))[:, :, ::4, ::4]
    products = np.einsum("ncabij,ocij->noabij", data @ tiles @ data.T, kernel @ w @ kernel.T)
    y = (output @ products @ output.T).swapaxes(3, 4)
    y = y.reshape(*y.shape[:2], 4 * y.shape[2], -1)[:, :, :rows, :columns]
    return y if b is None else y + b[:, None, None]
