"""Known defects of SciPy 1.17.1: calls that the adapter `scipy_ndimage` does not make.

This one turns on values, which a `CallDescription` does not have: the adapter looks itself, and raises
NotImplementedError.
"""

from __future__ import annotations

import numpy as np

from backproof.targets.adapters.plain_windows import Array
from backproof.targets.declarations import KnownDefect

#: `NI_Correlate` takes weights whose absolute value is at most this for zeros (ndimage/src/ni_filters.c).
EPSILON = 2.0**-52

SMALL_WEIGHTS = KnownDefect(
    "small-weights",
    "ndimage.correlate and convolve take weights of at most 2**-52 for zeros, however large the image's values",
    "examples/defects/scipy_small_weights.py",
    lambda call: False,
)


def refuse_small_weights(weights: Array) -> None:
    """NotImplementedError where the library would leave a weight out."""
    size = np.abs(weights)
    if np.any((size > 0) & (size <= EPSILON)):
        raise NotImplementedError(f"known defect {SMALL_WEIGHTS.name}: weights of at most 2**-52 count as zeros")


KNOWN_DEFECTS = (SMALL_WEIGHTS,)
