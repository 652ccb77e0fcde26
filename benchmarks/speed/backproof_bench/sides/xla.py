"""JAX's XLA on the CPU: `lax.conv_general_dilated`, compiled once; gradients are its transposes.

Arrays are JAX's before the clock starts, and a call ends when its result is there.  Threads are as many as the process
may use processors, which its affinity says.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any

os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
from jax import lax

from ..layers import Arrays, Layer
from . import Sides

VERSION = f"jax {jax.__version__}"


def setup(threads: int) -> None:
    """Keep float64 as it is."""
    jax.config.update("jax_enable_x64", True)


def mode() -> AbstractContextManager[Any]:
    """Nothing."""
    return nullcontext()


def sides(layer: Layer, data: Arrays) -> Sides:
    """One side; what earlier layers compiled is dropped."""
    jax.clear_caches()
    x, w, b, dy = map(jnp.asarray, (data.x, data.w, data.b, data.dy))

    def convolve(x: Any, w: Any) -> Any:
        return lax.conv_general_dilated(
            x,
            w,
            window_strides=(layer.stride,) * 2,
            padding=((layer.padding,) * 2,) * 2,
            feature_group_count=layer.groups,
            dimension_numbers=("NCHW", "OIHW", "NCHW"),
        )

    forward = jax.jit(lambda x, w, b: convolve(x, w) + b[:, None, None])
    input_gradient = jax.jit(lambda dy, w: jax.linear_transpose(lambda x: convolve(x, w), x)(dy)[0])
    weight_gradient = jax.jit(lambda dy, x: jax.linear_transpose(lambda w: convolve(x, w), w)(dy)[0])
    return {
        "jax": {
            "y": lambda: forward(x, w, b).block_until_ready(),
            "dx": lambda: input_gradient(dy, w).block_until_ready(),
            "dw": lambda: weight_gradient(dy, x).block_until_ready(),
        }
    }
