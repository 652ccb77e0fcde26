"""The loops of activations in which every entry decides for itself, on flat arrays; without branches, as vectors."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from .compilation import compiled


@compiled
def write_step(c: Array, below: float, step: Array) -> None:
    """Write 1 for c > 0, `below` for c <= 0, and NaN for NaN."""
    low, one = step.dtype.type(below), step.dtype.type(1)  # numbers of their dtype: others would make float64 of all
    for i in range(c.size):
        at = np.uintp(i)
        step[at] = one if c[at] > 0 else low if c[at] <= 0 else c[at]


@compiled
def decay_to_sigmoid(c: Array, decay: Array) -> None:
    """Replace `exp(-|c|)` by `1 / (1 + exp(-c))`."""
    one = decay.dtype.type(1)
    for i in range(c.size):
        at = np.uintp(i)
        e = decay[at]
        decay[at] = (one if c[at] > 0 else e) / (one + e)
