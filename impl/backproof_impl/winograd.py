"""Winograd."""

from __future__ import annotations

import math
import os
from functools import lru_cache

import numpy as np

from .arrays import Array
from .kernels import winograd
from .kernels.choice import choose
from .kernels.processor import Processor
from .kernels.threads import run, threads_for
from .windows import Windows

CHUNK = int(os.environ.get("WCHUNK", 64))
BLOCK = int(os.environ.get("WBLOCK", 2**20))
FEWEST = int(os.environ.get("WFEWEST", 32))


class Winograd:
    def __init__(
        self, rows: Windows, columns: Windows, groups: int, channels: int, outputs: int, steps: tuple[int, int, int],
        dtype: np.dtype[np.floating], processor: Processor, m: int = int(os.environ.get("WM", 4)),
    ) -> None:  # fmt: skip
        self._groups, self._channels, self._outputs, self._steps = groups, channels, outputs, steps
        self._shape, self._schedule = (rows.outputs, columns.outputs), lru_cache(16)(self._schedule_of)
        TH, TW = (-(-windows.outputs // m) for windows in (rows, columns))
        lanes = processor.lanes(dtype)
        bytes_of_tile = (m + 2) ** 2 * -(-channels // lanes) * lanes * dtype.itemsize
        most = max(FEWEST, BLOCK // bytes_of_tile)
        self._some = max(1, most // (TH * TW))
        band = TH if self._some > 1 else max(1, min(TH, most // TW))
        self._band = math.ceil(TH / math.ceil(TH / band))
        T = self._some * self._band * TW
        tile = choose(processor.registers, lanes, outputs, T, 2**40)
        if "WTILE" in os.environ:
            from .kernels.choice import Tile
            tile = Tile("channels", *map(int, os.environ["WTILE"].split("x")))
        self._width = tile.vectors * lanes
        self._kernel = winograd.tiles(lanes, tile.rows, tile.vectors, m)
        self._chunk = min(CHUNK, -(-channels // lanes) * lanes)
        self._terms = np.array([k // lanes * T * lanes + k % lanes for k in range(self._chunk)], np.intp)
        self._origins = np.array([*(t * lanes for t in range(T)), *[0] * tile.rows], np.intp)
        first = sum((0 if windows.offsets[0] == 0 else 2) * step for windows, step in ((rows, 3), (columns, 1)))
        ways = [1 if windows.offsets[0] == 0 else -1 for windows in (rows, columns)]
        self._taps = first, 3 * ways[0], ways[1]
        self._sizes = rows.size, columns.size, rows.before, columns.before, *self._shape, TH, TW

    def __call__(self, x: Array, w: Array, b: Array | None) -> Array:
        N, G, O = len(x), self._groups, self._outputs  # noqa: E741
        bias = np.zeros((G, -(-O // self._width) * self._width), x.dtype)
        if b is not None:
            bias[:, :O] = b.reshape(G, O)
        y = np.empty((N, G * O, *self._shape), x.dtype)
        sizes, items, threads = self._schedule(N)
        run(self._kernel, (x.reshape(-1), w.reshape(-1), bias.reshape(-1), self._terms, self._origins, sizes, y.reshape(-1)), items, threads)
        return y

    def _schedule_of(self, N: int) -> tuple[tuple[int, ...], int, int]:
        G, C, O = self._groups, self._channels, self._outputs  # noqa: E741
        threads = threads_for(N * G * O * math.prod(self._shape) * C * 9)
        items = -(-N // self._some) * G * -(-self._sizes[6] // self._band)
        parts = 1 if items % threads == 0 or items >= 4 * threads else min(-(-O // self._width), threads)
        sizes = (N, G, C, O, *self._sizes, self._some, self._band, self._chunk, parts, *self._steps, *self._taps)
        return tuple(map(int, sizes)), items * parts, threads
