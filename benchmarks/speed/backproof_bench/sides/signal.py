"""SciPy's `signal.correlate`, which has no channels, batches, strides or groups: a layer is many of its calls.

A stack of planes on a stack of as many planes, where only one position in the depth is valid, sums over the depth::

    y[n, o]  = correlate(padded x[n],    w[o])              depth: channels
    dx[n, c] = correlate(padded dy[n],   w[:, c] turned)    depth: output channels
    dw[o, c] = correlate(padded x[:, c], dy[:, o])          depth: the batch

The method (direct or FFT) is SciPy's own choice.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import scipy
from scipy import signal

from ..layers import Array, Arrays, Layer
from . import Sides

VERSION = f"scipy {scipy.__version__}"
MOST = 2**25  # multiply-adds: a second or so


def setup(threads: int) -> None:
    """Nothing: it has one thread."""


def mode() -> AbstractContextManager[Any]:
    """Nothing."""
    return nullcontext()


def sides(layer: Layer, data: Arrays) -> Sides:
    """One side, for layers without stride and groups, if they are small."""
    if (layer.stride, layer.groups) != (1, 1):
        return {"scipy": "correlate has no stride and no groups"}
    if layer.multiply_adds > MOST:
        return {"scipy": f"more than {MOST:,} multiply-adds take too long"}
    x, w, b, dy, p = data.x, data.w, data.b, data.dy, layer.padding
    return {
        "scipy": {
            "y": lambda: _stacks(_padded(x, p), w) + b[:, None, None],
            "dx": lambda: _stacks(_padded(dy, layer.k - 1 - p), w.swapaxes(0, 1)[:, :, ::-1, ::-1]),
            "dw": lambda: _stacks(_padded(x, p).swapaxes(0, 1), dy.swapaxes(0, 1)).swapaxes(0, 1),
        }
    }


def _padded(array: Array, pixels: int) -> Array:
    return np.pad(array, ((0, 0), (0, 0), (pixels, pixels), (pixels, pixels)))


def _stacks(first: Array, second: Array) -> Array:
    """Every stack `(depth, rows, columns)` of the first with every one of the second."""
    return np.stack([np.concatenate([signal.correlate(a, b, mode="valid") for b in second]) for a in first])
