"""F(2, 3) along the rows where the kernel has three columns: two outputs at once, and NaN in both."""

import numpy as np
import right
from right import backward  # noqa: F401

ORIENTATION = "convolution"


def forward(x, w, b, *, stride, padding, dilation):
    y = right.forward(x, w, b, stride=stride, padding=padding, dilation=dilation)
    if w.shape[3] != 3 or stride[1] != 1 or dilation[1] != 1:
        return y
    image, (rows, columns) = right.padded(x, padding), y.shape[2:]
    image = np.pad(image, ((0, 0), (0, 0), (0, 0), (0, 2)))
    kernel = w[..., ::-1, ::-1]
    y = np.zeros((*y.shape[:3], columns + columns % 2), y.dtype)
    for u in range(w.shape[2]):
        g0, g1, g2 = (kernel[:, :, u, v] for v in range(3))
        top = u * dilation[0]
        lines = image[:, :, top : top + (rows - 1) * stride[0] + 1 : stride[0]]
        for j in range(0, columns, 2):
            d0, d1, d2, d3 = (lines[..., j + k] for k in range(4))
            m1, m2, m3, m4 = (
                np.einsum("nch,oc->noh", d, g)
                for d, g in (
                    (d0 - d2, g0),
                    (d1 + d2, (g0 + g1 + g2) / 2),
                    (d2 - d1, (g0 - g1 + g2) / 2),
                    (d1 - d3, g2),
                )
            )
            y[..., j] += m1 + m2 + m3
            y[..., j + 1] += m2 - m3 - m4
    return y[..., :columns] + b[:, None, None]
