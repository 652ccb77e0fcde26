"""Reading where no right implementation reads, without harm: beyond a plane, and memory in disregard of strides.

A kernel in C reads whatever lies there.  Here what lies beyond a plane is zero; memory is read within the buffer that
an array is a view of, and what lies beyond that is NaN, so that a mutant gives the same results in every run.
"""

from __future__ import annotations

from math import prod

import numpy as np

from backproof.contract import Pair, Shape
from backproof.museum.reference import Array


def window(a: Array, corner: Pair, size: Pair) -> Array:
    """A part of the planes of `a`, with zeros where it reaches beyond them."""
    result = np.zeros((*a.shape[:2], *size), a.dtype)
    spans = [(max(c, 0), min(c + s, have)) for c, s, have in zip(corner, size, a.shape[2:], strict=True)]
    if all(start < stop for start, stop in spans):
        inside = tuple(slice(start, stop) for start, stop in spans)
        placed = tuple(slice(start - c, stop - c) for (start, stop), c in zip(spans, corner, strict=True))
        result[:, :, *placed] = a[:, :, *inside]
    return result


def packed(a: Array, shape: Shape | None = None) -> Array:
    """The memory from the first element of `a` on, as if it were an array of `shape` in C order."""
    shape = a.shape if shape is None else shape
    count, step = prod(shape), a.itemsize
    available = (_end(a) - a.__array_interface__["data"][0]) // step if a.size else 0
    memory = np.full(count, np.nan, a.dtype)
    known = min(count, available)
    if known:
        memory[:known] = np.lib.stride_tricks.as_strided(a, (known,), (step,), writeable=False)
    return memory.reshape(shape)


def _end(a: Array) -> int:
    """The address after the last byte of the array that owns the memory of `a`."""
    owner, item = a, a.base
    while item is not None:
        owner = item if isinstance(item, np.ndarray) else owner
        item = getattr(item, "base", None)
    end: int = np.lib.array_utils.byte_bounds(owner)[1]
    return end
