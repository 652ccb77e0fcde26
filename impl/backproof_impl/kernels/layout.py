"""Copies into the orders in which the tiles read: images with their padding, packed weights, and back to rows.

An image is copied some rows at a time, with its padding, and in phases::

    copy[c, r, s, a, b] = x[c, a*sh + r - before_row, b*sw + s - before_column]        or 0 outside x

The windows of neighbouring output pixels then begin at neighbouring numbers for any stride; with strides 1 it is the
padded image.  For kernels of one tap, whose sums read as many channels as they have terms, those channels are
put side by side, as one *panel* for each vector of pixels.  The functions are called by compiled code only.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from .compilation import compiled
from .moves import copy_every, copy_run, transpose


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
def copy_panels(
    version: int, lanes: int, x: Array, at: int, C: int, P: int, first: int, last: int, width: int, copy: Array
) -> None:
    """Write pixels `first` to `last` of the image of `P` at `x[at]` to `copy (panels, C, width)`."""
    for panel, start in enumerate(range(first, last, width)):
        for c in range(C):
            to, source = (panel * C + c) * width, at + c * P + start
            copy_run(version, lanes, x, source, copy, to, min(width, last - start))


@compiled
def write_block(
    version: int, lanes: int, source: Array, source_at: int, source_row: int, to: Array, to_at: int, to_row: int,
    rows: int, columns: int, square: Array,
) -> None:  # fmt: skip
    """Write `columns` rows of `rows` numbers each to `to`: the corner of a transposed block of `lanes` x `lanes`.

    All of the block at `source_at` can be read; `square` is where it is transposed if not all of it may be written.
    """
    if rows == lanes and columns == lanes:
        transpose(version, lanes, source, source_at, source_row, to, to_at, to_row)
        return
    transpose(version, lanes, source, source_at, source_row, square, 0, lanes)
    for j in range(columns):
        copy_run(version, lanes, square, j * lanes, to, to_at + j * to_row, rows)


@compiled
def all_finite(a: Array) -> bool:
    """Whether no entry is NaN or infinite."""
    found = 0
    for i in range(a.size):
        found |= int(not abs(a[i]) < np.inf)
    return found == 0


@compiled
def pack_weights(
    version: int, block: int, w: Array, at: int, output_step: int, outputs: int, run_step: int, runs: int, run: int,
    width: int, packed: Array, packed_at: int, square: Array,
) -> None:  # fmt: skip
    """Write `packed[k, o] = w[at + o*output_step + i*run_step + j]` for the terms `k = i*run + j`.

    They come in `runs` of `run` that follow each other in `w`, and are moved in square blocks.  Lanes from `outputs`
    to `width` are 0.
    """
    if output_step == 1 and run == 1:  # the lanes of a term follow each other in w: nothing to transpose
        used = min(width, outputs)
        for i in range(runs):
            copy_run(version, block, w, at + i * run_step, packed, packed_at + i * width, used)
            for lane in range(used, width):
                packed[packed_at + i * width + lane] = 0
        return
    for i in range(runs):
        for j in range(0, run, block):
            terms = min(block, run - j)
            for o in range(0, width, block):
                source, to = at + o * output_step + i * run_step + j, packed_at + (i * run + j) * width + o
                if o + block <= outputs and source + (block - 1) * output_step + block <= w.size:
                    write_block(version, block, w, source, output_step, packed, to, width, block, terms, square)
                    continue
                for k in range(terms):
                    for lane in range(block):
                        packed[to + k * width + lane] = w[source + lane * output_step + k] if o + lane < outputs else 0
