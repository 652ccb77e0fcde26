"""The extended image and the windows that the taps of a kernel meet in it (for `plain_numpy`)."""

from __future__ import annotations

from collections.abc import Iterator
from types import EllipsisType
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]
Shape: TypeAlias = tuple[int, ...]
Pair: TypeAlias = tuple[int, int]
Padding: TypeAlias = tuple[Pair, Pair]
Window: TypeAlias = tuple[EllipsisType, slice, slice]

NO_PADDING: Padding = ((0, 0), (0, 0))


def output_size(size: Pair, kernel: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Pair:
    """`(OH, OW)`; ValueError where no window fits."""
    counts = []
    for pixels, taps, step, sides, spread in zip(size, kernel, stride, padding, dilation, strict=True):
        room, span = pixels + sum(sides), spread * (taps - 1) + 1
        if span > room:
            raise ValueError(f"the kernel spans {span} pixels, more than the {room} of the padded image")
        counts.append((room - span) // step + 1)
    return counts[0], counts[1]


def overhang(
    size: Pair, kernel: Pair, stride: Pair, padding: Padding, dilation: Pair, ceil_mode: bool
) -> tuple[Pair, Pair]:
    """`(OH, OW)`, and by how many rows and columns the last window overhangs the padded image.

    With `ceil_mode` what the stride leaves over gets a window, too, unless it would start after the image.

    ValueError where there is no window.
    """
    if not ceil_mode:
        return output_size(size, kernel, stride, padding, dilation), (0, 0)
    counts, beyond = [], []
    for pixels, taps, step, (before, after), spread in zip(size, kernel, stride, padding, dilation, strict=True):
        room, span = pixels + before + after, spread * (taps - 1) + 1
        fitting = (room - span) // step + 1
        overhanging = (fitting - 1) * step + span < room and 0 <= fitting * step < pixels + before
        count = fitting + overhanging
        if count < 1:
            raise ValueError(f"the kernel spans {span} pixels, too many for the {room} of the padded image")
        counts.append(count)
        beyond.append(max((count - 1) * step + span - room, 0))
    return (counts[0], counts[1]), (beyond[0], beyond[1])


def windows(kernel: Pair, outputs: Pair, stride: Pair, dilation: Pair) -> Iterator[tuple[int, int, Window]]:
    """Each tap `(u, v)`, row by row, with the pixels `i*stride + u*dilation` of the extended image that it meets."""
    for u in range(kernel[0]):
        for v in range(kernel[1]):
            rows, columns = (
                slice(tap * spread, tap * spread + (count - 1) * step + 1, step)
                for tap, spread, count, step in zip((u, v), dilation, outputs, stride, strict=True)
            )
            yield u, v, (..., rows, columns)


def extend(x: Array, padding: Padding, padding_mode: str = "zeros") -> Array:
    """A copy of the image with its padding around it."""
    if padding_mode == "circular":
        rows, columns = _sources((x.shape[2], x.shape[3]), padding)
        return x[:, :, rows[:, None], columns]
    return np.pad(x, ((0, 0), (0, 0), *padding))


def fold(extended: Array, padding: Padding, padding_mode: str = "zeros") -> Array:
    """The transpose of `extend`: what went to the padding is dropped, or goes to the pixel that it repeats."""
    size = (extended.shape[2] - sum(padding[0]), extended.shape[3] - sum(padding[1]))
    if padding_mode == "circular":
        rows, columns = _sources(size, padding)
        x = np.zeros((*extended.shape[:2], *size), extended.dtype)
        everywhere: Any = (slice(None), slice(None), rows[:, None], columns)
        np.add.at(x, everywhere, extended)
        return x
    top, left = padding[0][0], padding[1][0]
    return extended[:, :, top : top + size[0], left : left + size[1]].copy()


def _sources(size: Pair, padding: Padding) -> tuple[Array, Array]:
    """For each row and column of the extended image, that of the image which it repeats."""
    rows, columns = (np.arange(-a, pixels + b) % pixels for pixels, (a, b) in zip(size, padding, strict=True))
    return rows, columns
