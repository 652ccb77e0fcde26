"""The tables of integers that kernels read, made of windows: where copies, rows, taps and pixels lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import from_dtype

from .arrays import IntArray
from .kernels.compilation import array_type
from .windows import Windows

#: Bytes of images that are copied at a time: they should fit the second-level cache.
BAND = 2**19


def kernel_types(dtype: np.dtype[np.floating], *axes: int) -> tuple[Any, ...]:
    """The types of a kernel's arguments: arrays that it reads, the table, the array that it writes, start and stop."""
    table, result, number = array_type(np.dtype(np.intp), 1), array_type(dtype, 4), from_dtype(np.dtype(np.intp))
    return (*(array_type(dtype, axis) for axis in axes), table, result, number, number)


def make_table(checked: bool, tables: list[IntArray], *sizes: int) -> IntArray:
    """What a kernel reads: whether it checks for exactness, where its tables begin, its sizes; then the tables."""
    starts = np.cumsum([1 + len(tables) + len(sizes), *(table.size for table in tables[:-1])])
    return np.concatenate([np.array([checked, *starts, *sizes], np.intp), *tables])


def band_of(rows: Windows, row_bytes: int, limit: int, most_bytes: int = BAND) -> tuple[int, int]:
    """How many rows of the output, at most `limit`, are made from one copy of the image, and how many that has."""
    span = max(rows.offsets) + 1
    most = max(1, min(max((most_bytes // row_bytes - span) // rows.stride + 1, 4), limit))
    band = math.ceil(rows.outputs / math.ceil(rows.outputs / most))
    return band, (band - 1) * rows.stride + span


def pitch_of(rows: Windows, columns: Windows, copied_rows: int) -> tuple[int, int, int]:
    """How far apart channels and rows are in the image that is read, and where its first window begins."""
    if rows.inside and columns.inside:
        return rows.size * columns.size, columns.size, -rows.before * columns.size - columns.before
    return copied_rows * columns.extent, columns.extent, 0


def in_phases_of(rows: Windows, columns: Windows, copied_rows: int) -> tuple[int, int, int, int, list[int], list[int]]:
    """Rows and columns of a copy in phases, how many phases, and where the rows and columns of taps lie in it."""
    sh, sw = rows.stride, columns.stride
    HQ, WQ = -(-copied_rows // sh), -(-columns.extent // sw)
    in_rows = [(u % sh * sw * HQ + u // sh) * WQ for u in rows.offsets]
    return HQ, WQ, sh, sw, in_rows, [v % sw * HQ * WQ + v // sw for v in columns.offsets]


def starts_of(windows: Windows) -> list[int]:
    """The pixels at which windows begin."""
    return [i * windows.stride for i in range(windows.outputs)]


def outer(pitch: int, rows: Sequence[int], columns: Sequence[int]) -> IntArray:
    """Where pixels lie, given by rows and columns of an image whose rows are `pitch` apart."""
    return np.add.outer(np.array(rows, np.intp) * pitch, np.array(columns, np.intp)).reshape(-1)


def terms_of(channels: int, step: int, pitch: int, rows: Sequence[int], columns: Sequence[int]) -> IntArray:
    """Where each tap of each channel lies, from the beginning of a window."""
    return np.add.outer(np.arange(channels, dtype=np.intp) * step, outer(pitch, rows, columns)).reshape(-1)


def padded(table: IntArray, rows: int) -> IntArray:
    """The table with zeros behind it, for the last tile."""
    return np.concatenate([table, np.zeros(rows, np.intp)])
