"""JAX on the CPU: in a window whose maximum is NaN, the gradient of max pooling puts the cotangent on another pixel.

Seen in 0.10.2, float32 and float64, with and without jax.jit.  Where: a pixel after NaN in its window.
Forward returns NaN, which wins a maximum; yet the cotangent goes to a pixel whose value y does not have.
Cause: XLA's select-and-scatter keeps a pixel while `kept >= next`, which is false of NaN: whatever follows it is taken.
Exit status: 1 while the defect is present, 0 once it is fixed.
"""

import os
import sys

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import numpy as np
from jax import lax


def pool(x: jax.Array) -> jax.Array:
    return lax.reduce_window(x, np.float32(-np.inf), lax.max, (2,), (2,), "VALID")


def gradient(dy: jax.Array, x: jax.Array) -> jax.Array:
    return jax.vjp(pool, x)[1](dy)[0]


def main() -> int:
    x, dy = np.array([np.nan, 1], np.float32), np.array([5], np.float32)
    y = np.asarray(pool(x))
    expected = [float(dy[0]) if np.isnan(pixel) else 0.0 for pixel in x]  # to the pixel that y is, as y is NaN
    results = [np.asarray(function(dy, x)).tolist() for function in (gradient, jax.jit(gradient))]
    print("jax", jax.__version__)
    print(f"x {x.tolist()}, window 2, dy {dy.tolist()}: y {y.tolist()}")
    print("dx expected", expected)
    print("dx got     ", results[0], "and compiled", results[1])
    return int(bool(np.isnan(y).all()) and any(result != expected for result in results))


if __name__ == "__main__":
    sys.exit(main())
