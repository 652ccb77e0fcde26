"""JAX on the CPU: the compiled gradient of a dilated sum pooling puts the cotangent on a pixel that no tap meets.

Seen in 0.10.2, float32 and float64, with jax.jit only.  Where: one window; along both axes dx is a window sum padded
alike at both sides, `low = dilation*(k - 1) - before = H - 1 + before`, with low < k; and some pixel lies between taps.
Cause: XLA merges the gradient's pad with its reduce-window, and then takes windows around a single element for that
element, whatever the window's dilation.  Without jit the two stay apart, and dx is right.
Exit status: 1 while the defect is present, 0 once it is fixed.
"""

import os
import sys

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import numpy as np
from jax import lax

k, dilation, before, after = 2, 2, 1, 1


def pool(x: jax.Array) -> jax.Array:
    return lax.reduce_window(
        x, np.float32(0), lax.add, (1, k), (1, 1), ((0, 0), (before, after)), window_dilation=(1, dilation)
    )


def gradient(dy: jax.Array, x: jax.Array) -> jax.Array:
    return jax.vjp(pool, x)[1](dy)[0]


def main() -> int:
    dy = 5
    expected = sum(dy for u in range(k) if u * dilation - before == 0)  # the taps that meet the pixel: none
    arrays = np.array([[dy]], np.float32), np.array([[3]], np.float32)
    one_by_one, compiled = int(gradient(*arrays)[0, 0]), int(jax.jit(gradient)(*arrays)[0, 0])
    print("jax", jax.__version__)
    print(f"x (1, 1), window (1, {k}), dilation (1, {dilation}), padding ((0, 0), ({before}, {after})), dy = {dy}")
    print("dx expected (exact)", expected)
    print("dx got             ", compiled, "compiled,", one_by_one, "operation by operation")
    return int(compiled != expected or one_by_one != expected)


if __name__ == "__main__":
    sys.exit(main())
