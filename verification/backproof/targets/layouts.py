"""Memory layouts by name: the same values, laid out in memory as callers really hand them in.

`place(values, layout)` copies `values` into fresh memory filled with NaN and returns a view of them that has the
layout's strides.  An implementation that reads past the view, or that takes memory order for index order, computes
something else and is seen.  Whatever it writes, next to the view included, changes `Placed.memory`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]
Shape: TypeAlias = tuple[int, ...]

ALIGNMENT = 64  # bytes: a cache line, and the widest vector register
MARGIN = 512  # bytes of NaN before and after: a multiple of ALIGNMENT


@dataclass(frozen=True, slots=True)
class Placed:
    """`array` is a view with the layout's strides; `memory` is the flat buffer around and under it."""

    array: Array
    memory: Array


@dataclass(frozen=True, slots=True)
class _Layout:
    """`outer`: C-order shape of the memory that holds an array; `view`: the array in that memory."""

    outer: Callable[[Shape], Shape]
    view: Callable[[Array, Shape], Array]
    ndim: int | None = None  # None: any


def _same(shape: Shape) -> Shape:
    return shape


def _channels_last(shape: Shape, extra: int = 0) -> Shape:
    return (shape[0], *shape[2:], shape[1] + extra)


def _reverse(memory: Array, shape: Shape) -> Array:
    return memory[(slice(None, None, -1),) * len(shape)]


def _every_second(memory: Array, shape: Shape) -> Array:
    return memory[(slice(1, None, 2),) * len(shape)]


def _repeat(memory: Array, shape: Shape) -> Array:
    # Unlike `broadcast_to`, writable: being read-only is a layout of its own.
    return np.lib.stride_tricks.as_strided(memory, shape, (0,) * len(shape))


_TABLE: dict[str, _Layout] = {
    "C": _Layout(_same, lambda memory, shape: memory),
    "offset": _Layout(_same, lambda memory, shape: memory),
    "read-only": _Layout(_same, lambda memory, shape: memory),
    "F": _Layout(lambda shape: shape[::-1], lambda memory, shape: memory.T),
    "nhwc": _Layout(_channels_last, lambda memory, shape: memory.transpose(0, 3, 1, 2), ndim=4),
    "reversed": _Layout(_same, _reverse),
    "broadcast": _Layout(lambda shape: (1,) * len(shape), _repeat),
    "sliced": _Layout(lambda shape: tuple(2 * size for size in shape), _every_second),
    "channel-slice": _Layout(
        lambda shape: _channels_last(shape, extra=2),
        lambda memory, shape: memory[..., 1:-1].transpose(0, 3, 1, 2),
        ndim=4,
    ),
}

#: Every layout, from the simple to the complex:
#: `C`; `offset`, C order that starts one element past alignment; `read-only`, C order; `F`, Fortran order;
#: `nhwc`, channels last in memory (for w: O, kh, kw, I); `reversed`, every stride negative; `broadcast`, every
#: stride 0; `sliced`, every second element along each axis; `channel-slice`, part of the channels of wider NHWC memory.
LAYOUTS: tuple[str, ...] = tuple(_TABLE)


def legal(layout: str, values: Array) -> bool:
    """Whether `values` can be laid out so: `nhwc` needs 4 axes, `broadcast` equal values."""
    if _TABLE[layout].ndim not in (None, values.ndim):
        return False
    return layout != "broadcast" or (values.size > 0 and bool(np.all(values == values.flat[0])))


def place(values: Array, layout: str = "C") -> Placed:
    """A copy of `values` (any shape, NumPy dtype kept) in the named layout, NaN all around.

    Raises:
        ValueError: unknown layout, or one that is not `legal` for these values.
    """
    if layout not in _TABLE:
        raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, not {layout!r}")
    if not legal(layout, values):
        raise ValueError(f"layout {layout!r} cannot hold this array of shape {values.shape}")
    shape = tuple(values.shape)
    outer = _TABLE[layout].outer(shape)
    memory, start, stop = _surrounded(math.prod(outer), values.dtype, shift=int(layout == "offset"))
    array = _TABLE[layout].view(memory[start:stop].reshape(outer), shape)
    if values.size:  # with stride 0 every element is the same one: write it once
        array[...] = values.flat[0] if layout == "broadcast" else values
    if layout == "read-only":
        array.setflags(write=False)
    return Placed(array, memory)


def layout_of(array: Array) -> str:
    """The layout whose strides an array has that was not placed here; else the nearest by memory order."""
    for layout in ("C", "nhwc", "F", "sliced", "channel-slice", "reversed"):
        if legal(layout, array) and place(array, layout).array.strides == array.strides:
            return layout
    return "C" if array.flags.c_contiguous else "F" if array.flags.f_contiguous else "sliced"


def _surrounded(count: int, dtype: np.dtype[Any], shift: int) -> tuple[Array, int, int]:
    """Flat memory with an aligned room `[start, stop)` for `count` elements, moved on by `shift` elements."""
    margin = MARGIN // dtype.itemsize
    memory: Array = np.full(count + 2 * margin + ALIGNMENT // dtype.itemsize, _filler(dtype), dtype)
    address = memory.__array_interface__["data"][0]
    start = margin + (-address % ALIGNMENT) // dtype.itemsize + shift
    return memory, start, start + count


def _filler(dtype: np.dtype[Any]) -> Any:
    """NaN; for integers, which have none, the largest value."""
    return np.iinfo(dtype).max if dtype.kind in "iu" else np.nan
