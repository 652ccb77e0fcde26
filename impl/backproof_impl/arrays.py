"""What every function demands of its arrays: NumPy, float32 or float64, one dtype, the right number of axes.

Nothing is converted silently: a conversion would hide from the caller in which precision the sums are made.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.floating[Any]]
IntArray: TypeAlias = npt.NDArray[np.intp]

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


#: Bytes of a cache line.
LINE = 64
#: Bytes of a result from which on it begins at a cache line: finding such a place takes a microsecond.
LARGE = 2**20


def results(shape: tuple[int, ...], dtype: np.dtype[np.floating]) -> Callable[[], Array]:
    """What makes arrays for a result.  Large ones begin at a cache line: storing vectors that straddle two is slow."""
    size, item = math.prod(shape), dtype.itemsize

    def aligned() -> Array:
        memory = np.empty(size + LINE // item, dtype)
        skipped = -memory.ctypes.data // item % (LINE // item)
        return memory[skipped : skipped + size].reshape(shape)

    return aligned if size * item >= LARGE else partial(np.empty, shape, dtype)


def plain(*arrays: Array) -> bool:
    """Whether all are arrays of one of `DTYPES`, and `for_kernel` has nothing to do: then no check is needed."""
    dtype = getattr(arrays[0], "dtype", None)
    for array in arrays:
        if type(array) is not np.ndarray or array.dtype is not dtype or not array.flags.carray:
            return False
    return dtype is DTYPES[0] or dtype is DTYPES[1]


def require_plain(*arrays: Array) -> None:
    """Raise TypeError unless they are `plain`."""
    if not plain(*arrays):
        raise TypeError("arrays must be NumPy's, C-contiguous, aligned, writeable, and all float32 or all float64")


def check_dtypes(**arrays: Array | None) -> None:
    """Require NumPy arrays that are all float32 or all float64; None is passed over.

    Raises TypeError naming the array, what it is and what to pass instead.
    """
    given = {name: array for name, array in arrays.items() if array is not None}
    for name, array in given.items():
        if not isinstance(array, np.ndarray):
            raise TypeError(
                f"{name} must be a NumPy array, got {type(array).__name__}; pass np.asarray({name}, dtype=np.float64)"
            )
        if array.dtype not in DTYPES:
            raise TypeError(
                f"{name} must have dtype float32 or float64, got {array.dtype}; pass {name}.astype(np.float64)"
            )
    first, *others = given
    for name in others:
        if given[name].dtype != given[first].dtype:
            raise TypeError(
                f"{first} ({given[first].dtype}) and {name} ({given[name].dtype}) must have one dtype; "
                f"pass {name}.astype({first}.dtype)"
            )


def check_axes(name: str, array: Array, axes: str) -> None:
    """Require one axis per symbol in `axes`, such as "N, C, H, W"; raises ValueError."""
    expected = axes.count(",") + 1
    if array.ndim != expected:
        raise ValueError(
            f"{name} must have {expected} axes ({axes}), got {array.ndim} (shape {array.shape}); reshape it"
        )


def check_shape(name: str, array: Array, expected: tuple[int, ...], why: str) -> None:
    """Require `array.shape == expected`; raises ValueError with both, and `why`."""
    if array.shape != expected:
        raise ValueError(f"{name} must have shape {expected}, {why}, got {array.shape}")


def for_kernel(array: Array) -> Array:
    """Return `array` itself or a copy that is C-contiguous, aligned and writeable, hence of one Numba type.

    Kernels only read it.
    """
    if type(array) is np.ndarray and array.flags.carray:
        return array
    return np.require(array, requirements=["C", "A", "W", "E"])
