"""JAX on the CPU: a float32 convolution with padding wider than the kernel on one side has a wrong input gradient.

Seen in 0.10.2, lax.conv_general_dilated, compiled or not.  Where: stride and dilation 1, at most 16 channels; along
both axes `before >= k - 1` and `before + after >= 2*(k - 1)`, and along one of them `after < k - 1`.  y and dw are
right, and so is float64.
Cause: the gradient is a convolution with negative padding before (k - 1 - before) and positive padding after.  XLA's
`hasPadding()` (eigen_spatial_convolutions-inl.h) does not count the negative side, takes the convolution for one
without padding, and reads on into the next row, and past the buffer.  Upstream: openxla/xla#48713 (open).
Exit status: 1 while the defect is present, 0 once it is fixed.
"""

import os
import sys

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import numpy as np
from jax import lax

N, C, O, H, W, k, before = 1, 1, 8, 4, 3, 2, 2  # noqa: E741 - the field's symbols
OW = W + before - k + 1


def main() -> int:
    dy = [[[i * OW + j + o + 1 for j in range(OW)] for i in range(H)] for o in range(O)]
    w = [[u + 1 + o for u in range(k)] for o in range(O)]
    expected = [
        [
            sum(dy[o][i][p + before - u] * w[o][u] for o in range(O) for u in range(k) if 0 <= p + before - u < OW)
            for p in range(W)
        ]
        for i in range(H)
    ]
    x = np.zeros((N, C, H, W), np.float32)
    kernel = np.array(w, np.float32).reshape(O, C, 1, k)

    def forward(x: jax.Array) -> jax.Array:
        return lax.conv_general_dilated(x, kernel, (1, 1), ((0, 0), (before, 0)))

    (dx,) = jax.vjp(forward, x)[1](np.array([dy], np.float32))
    got = np.asarray(dx)[0, 0].tolist()
    print("jax", jax.__version__)
    print(f"x {x.shape}, w {kernel.shape} float32, padding ((0, 0), ({before}, 0))")
    print("dx expected (exact)", expected)
    print("dx got             ", got)
    return int(got != expected)


if __name__ == "__main__":
    sys.exit(main())
