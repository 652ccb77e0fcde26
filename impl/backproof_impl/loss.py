"""The post's error `E = 1/2 * sum((t - o)**2)` of outputs `o` for targets `t`, and its gradient.

The sum runs over everything, the batch included: nothing is divided by N.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Array, check_dtypes, check_shape


def half_squared_error(o: Array, t: Array) -> np.floating[Any]:
    """Return `E`, a scalar of the dtype of `o` and `t`.

    Raises TypeError unless both are float32 or both float64, ValueError unless they have one shape (no
    broadcasting).
    """
    _check(o, t)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # infinite E and NaN are results
        error: np.floating[Any] = np.sum(np.square(t - o)) / 2
    return error


def half_squared_error_gradient(o: Array, t: Array) -> Array:
    """Return `dE/do = o - t`, shaped like `o`; raises as `half_squared_error` does."""
    _check(o, t)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return np.asarray(np.subtract(o, t, order="C"))


def _check(o: Array, t: Array) -> None:
    check_dtypes(o=o, t=t)
    check_shape("t", t, o.shape, "the shape of o")
