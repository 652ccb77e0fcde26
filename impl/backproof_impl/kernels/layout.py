"""Copies into the orders in which the tiles read: images with their padding, packed weights, and back to rows.

An image is copied some rows at a time, with its padding, and in phases::

    copy[c, r, s, a, b] = x[c, a*sh + r - before_row, b*sw + s - before_column]        or 0 outside x

The windows of neighbouring output pixels then begin at neighbouring numbers for any stride; with strides 1 it is the
padded image.  The functions are called by compiled code only.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array, IntArray
from .compilation import compiled
from .moves import COLUMNS, clear, copy_every, copy_run, transpose, transpose_columns
from .tile import address, flat


@compiled
def workspace(lanes: int, size: int, like: Array) -> tuple[Array, int]:
    """Memory for `size` numbers of the dtype of `like`, and where in it they begin: at the address of a whole vector.

    Vectors that straddle two cache lines take twice as long to load.  The parts of a workspace should be `whole`.
    """
    memory = np.empty(size + lanes, like.dtype)
    return memory, -(address(memory) // memory.itemsize) % lanes


@compiled
def whole(lanes: int, size: int) -> int:
    """The least number of whole vectors that hold `size` numbers, in numbers."""
    return (size + lanes - 1) // lanes * lanes


@compiled
def copy_image(
    version: int, lanes: int, x: Array, at: int, C: int, H: int, W: int, before_row: int, before_column: int, rows: int,
    columns: int, sh: int, sw: int, copy_at: int, copy: Array,
) -> None:  # fmt: skip
    """Write rows of the image at `x[at]` to `copy (C, sh, sw, rows, columns)`, whose padding at the sides is 0."""
    for s in range(sw):
        first = max(0, -((s - before_column) // sw))
        last = min(columns, (W - 1 + before_column - s) // sw + 1)
        for c in range(C):
            for r in range(sh):
                to = copy_at + ((c * sh + r) * sw + s) * rows * columns
                for h in range(r - before_row, r - before_row + rows * sh, sh):
                    source = at + (c * H + h) * W + s - before_column + first * sw
                    if h < 0 or h >= H:
                        for b in range(columns):
                            copy[to + b] = 0
                    elif sw == 1:
                        copy_run(version, lanes, x, source, copy, to + first, last - first)
                    else:
                        copy_every(x, source, sw, copy, to + first, last - first)
                    to += columns


@compiled
def read_lanes(
    version: int, lanes: int, x: Array, at: int, apart: int, H: int, W: int, before_row: int, before_column: int,
    rows: int, columns: int, to: Array, to_at: int,
) -> None:  # fmt: skip
    """Write `lanes` images, from `x[at]` on and `apart`, with their padding, as `rows * columns` vectors of one pixel.

    Up to `lanes` vectors behind them are written to as well.
    """
    first, last = max(0, before_column), min(columns, W + before_column)
    for i in range(rows):
        h, row_at = i - before_row, to_at + i * columns * lanes
        if h < 0 or h >= H or first >= last:
            clear(to, row_at, columns * lanes)
            continue
        clear(to, row_at, first * lanes)
        for begin in range(first, last, lanes):
            # the last block overlaps the one before, or goes beyond its row, where the next is to come
            j = begin if begin + lanes <= last else max(first, last - lanes)
            source, place = at + h * W + j - before_column, row_at + j * lanes
            if source + (lanes - 1) * apart + lanes <= x.size:
                transpose(version, lanes, x, source, apart, to, place, lanes)
                continue
            for q in range(min(lanes, last - j)):
                for lane in range(lanes):
                    to[place + q * lanes + lane] = x[source + lane * apart + q]
        clear(to, row_at + last * lanes, (columns - last) * lanes)


@compiled
def write_lanes(
    version: int, lanes: int, sums: Array, at: int, P: int, y: Array, y_at: int, apart: int, square_at: int
) -> None:
    """Write `P` vectors of one pixel each as `lanes` images, from `y[y_at]` on and `apart`.

    `square` is a block in `sums`.  Blocks fill whole cache lines, but for the first and the last, where images are so
    far apart: two stores to parts of a line, with others between them, take three times as long as one.
    """
    if lanes > P:
        write_block(version, lanes, sums, at, lanes, y, y_at, apart, P, lanes, sums, square_at)
        return
    first = -(address(y) // y.itemsize + y_at) % lanes
    for begin in range(first - lanes if first else 0, P, lanes):
        p = max(0, min(begin, P - lanes))  # the first and the last block overlap others
        transpose(version, lanes, sums, at + p * lanes, lanes, y, y_at + p, apart)


@compiled
def write_block(
    version: int, lanes: int, source: Array, source_at: int, source_row: int, to: Array, to_at: int, to_row: int,
    rows: int, columns: int, square: Array, square_at: int,
) -> None:  # fmt: skip
    """Write `columns` rows of `rows` numbers each to `to`: the corner of a transposed block of `lanes` x `lanes`.

    All of the block at `source_at` can be read; if not all of it may be written, it is transposed in `square` first.
    """
    if rows == lanes and columns == lanes:
        transpose(version, lanes, source, source_at, source_row, to, to_at, to_row)
        return
    transpose(version, lanes, source, source_at, source_row, square, square_at, lanes)
    for j in range(columns):
        copy_run(version, lanes, square, square_at + j * lanes, to, to_at + j * to_row, rows)


@compiled
def exact(factors: Array, results: Array) -> bool:
    """Whether zeros for padding were exact: all `factors` are finite, which finite `results` show as well."""
    if factors.size < results.size:
        return all_finite(flat(factors)) or all_finite(flat(results))
    return all_finite(flat(results)) or all_finite(flat(factors))


@compiled
def all_finite(a: Array) -> bool:
    """Whether no entry of a contiguous array of one axis is NaN or infinite."""
    found = 0
    for i in range(a.size):
        found |= int(not abs(a[i]) < np.inf)
    return found == 0


@compiled
def take_taps(w: Array, taps: IntArray, some: Array) -> None:
    """Write the weights of some taps: `some[i, j, 0, k]` is `w[i, j]` at `taps[k]`, counted through its rows."""
    w_, some_, all_taps = flat(w), flat(some), w.shape[2] * w.shape[3]
    for i in range(w.shape[0] * w.shape[1]):
        for k in range(taps.size):
            some_[i * taps.size + k] = w_[i * all_taps + taps[k]]


@compiled
def pack_weights(
    version: int, block: int, w: Array, at: int, output_step: int, outputs: int, run_step: int, runs: int, run: int,
    width: int, packed: Array, packed_at: int,
) -> None:  # fmt: skip
    """Write `packed[k, o] = w[at + o*output_step + i*run_step + j]` for the terms `k = i*run + j`.

    They come in `runs` of `run` that follow each other in `w`, and are moved in narrow blocks, of `block` outputs.
    Lanes from `outputs` to `width` are 0.
    """
    if output_step == 1 and run == 1:  # the lanes of a term follow each other in w: nothing to transpose
        used = min(width, outputs)
        for i in range(runs):
            copy_run(version, block, w, at + i * run_step, packed, packed_at + i * width, used)
            clear(packed, packed_at + i * width + used, width - used)
        return
    narrow = min(block, COLUMNS)
    for i in range(runs):
        for o in range(0, width, block):
            source, to = at + o * output_step + i * run_step, packed_at + i * run * width + o
            if o + block <= outputs and run >= narrow:
                for k in range(0, run, narrow):
                    j = min(k, run - narrow)  # the last block overlaps the one before
                    transpose_columns(version, block, w, source + j, output_step, packed, to + j * width, width)
                continue
            for k in range(run):
                for lane in range(block):
                    packed[to + k * width + lane] = w[source + lane * output_step + k] if o + lane < outputs else 0
