"""The input gradient of a strided layer: all phases of the stride (see `windows`) in one kernel, `kernels.phases`.

    dx[n, c, a*sh + h, b*sw + k] = sum over o, u, v of dy[n, o, a - m(u), b - m(v)] * w[o, c, u, v]

for the taps `u, v` of phase `(h, k)`.  The phases read the same rows of `dy`, which are copied once, with their
padding, and fill the rows of `dx` in turn.

It serves layers of few channels with stride 1 as well, where one channel alone could not keep the processor busy: two
rows of `dx` share a tile.
"""

from __future__ import annotations

import math

import numpy as np

from .arrays import Array, IntArray
from .kernels import phases
from .kernels.choice import COPYING, SMALL, choose, cost
from .kernels.compilation import for_types
from .kernels.layout import exact
from .kernels.processor import Processor
from .kernels.threads import run, threads_for
from .passes import Kinds, best_passes
from .tables import band_of, in_phases_of, kernel_types, make_table, terms_of
from .windows import Windows

#: Products that are added up before their sum is added to others, at most.
CHUNK = 256
#: Bytes of the sums of a block of channels: they should fit the second-level cache, with images (see `tables.BAND`).
SUMS = 2**18


class Strided:
    """`dx` from `dy` and `w`: for each of the `groups`, `channels` of `dx` from `outputs` of `dy`.

    `kernel` are the rows and columns of `w`, `size` those of `dx`; some kind of rows, and of columns, has taps.
    """

    def __init__(
        self, N: int, groups: int, channels: int, outputs: int, rows: Kinds, columns: Kinds, kernel: tuple[int, int],
        size: tuple[int, int], dtype: np.dtype[np.floating], processor: Processor,
    ) -> None:  # fmt: skip
        lanes, item, taps = processor.lanes(dtype), dtype.itemsize, math.prod(kernel)
        work = groups * channels * outputs * math.prod(size) * taps / (len(rows) * len(columns))
        passes = best_passes(processor.registers, lanes, channels, work, rows, columns, kernel[1], size)
        form, (R, K), down, across = passes.form, passes.kinds, passes.rows, passes.columns
        self._inside, self._dtype, self._shape = down.inside and across.inside, dtype, (N, groups * channels, *size)
        most = max(1, CHUNK // max(some.size for some in passes.all))
        chunk = math.ceil(outputs / math.ceil(outputs / most))
        limit = max(1, SUMS // (passes.sums * across.extent * item))
        band, HB = band_of(down, outputs * across.extent * item, limit)
        HB, WP, _, _, in_rows, _ = in_phases_of(down, across, HB)
        at, step = dict(zip(down.offsets, in_rows, strict=True)), down.stride * HB * WP
        described, all_terms, all_taps, packed = list[int](), list[IntArray](), list[int](), 0
        for some in passes.all:
            described += [some.row, some.begins, some.size, sum(map(len, all_terms)), len(all_taps), packed]
            all_terms.append(terms_of(chunk, step, 1, [at[row] for row in some.rows], some.columns))
            all_taps += some.taps
            packed += outputs * some.size * (form.rows if some.whole else form.channels)
        bands, blocks = -(-down.outputs // band), -(-channels // form.channels)
        self._threads, items = threads_for(N * work, dtype), N * groups * bands
        parts = 1 if items % self._threads == 0 or items >= 4 * self._threads else min(blocks, self._threads)
        self._items = items * parts
        compute = phases.pixel_lanes(lanes, form.rows, form.vectors, form.halves)
        self._kernel = for_types(compute, *kernel_types(dtype, 4, 4))
        tables = (described, [passes.row(r, k) for r in range(R) for k in range(K)], all_taps)
        checked = not self._inside and self._threads == 1
        self._table = make_table(
            checked, [*map(np.array, tables), np.concatenate(all_terms)], groups, outputs, channels, down.size,
            across.size, down.before, across.before, HB, WP, down.stride, *size, R, K, down.outputs, across.outputs,
            band, chunk, sum(some.whole for some in passes.all), len(passes.all), passes.sums, packed, blocks, bands,
            parts, outputs * channels * taps, taps, channels * taps,
        )  # fmt: skip

    def __call__(self, dy: Array, w: Array, _: None) -> Array | None:
        """Return `dx (N, groups * channels, H, W)`."""
        dx = np.empty(self._shape, self._dtype)
        if self._threads == 1:
            return dx if self._kernel(dy, w, self._table, dx, 0, self._items) else None
        run(self._kernel, (dy, w, self._table, dx), self._items, self._threads)
        return dx if self._inside or exact(w, dx) else None


def two_rows_are_faster(
    processor: Processor, dtype: np.dtype[np.floating], channels: int, work: float, rows: Windows, columns: Windows,
    kernel: tuple[int, int], size: tuple[int, int],
) -> bool:  # fmt: skip
    """Whether tiles that two rows of `dx` share save a fifth of a `Correlation`, with stride 1."""
    if work < SMALL or rows.outputs < 2:
        return False
    registers, lanes = processor.registers, processor.lanes(dtype)
    passes = best_passes(registers, lanes, channels, work, [rows], [columns], kernel[1], size)
    pixels = rows.outputs * columns.outputs
    tile = choose(registers, lanes, channels, pixels, SMALL, rows.outputs * columns.extent)
    alone = math.prod(kernel) * cost(tile, registers, lanes, channels, pixels) + COPYING * pixels / lanes
    return passes.form.halves and passes.time(registers, lanes, channels) < 0.8 * alone
