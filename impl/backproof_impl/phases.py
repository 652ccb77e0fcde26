"""The input gradient of a layer with few channels, as one correlation with more.

With stride 1, every fourth row is treated as a phase (see `windows`), where one channel alone could not keep the
processor busy.  The phases read the same windows of `dy`, and as different channels of one result make use of each
number that is loaded as often as there are phases::

    part[n, c, f, a, b] = dx[n, c, a*sh + fh, b*sw + fw]            f = (fh, fw)

Their windows are the smallest that have the taps of all; where a phase lacks one, its weight is 0.  That is exact if
`dy` is finite there.
"""

from __future__ import annotations

import math

import numpy as np

from .arrays import Array, IntArray
from .kernels.choice import COPYING, SMALL, choose, cost
from .kernels.layout import all_finite
from .kernels.processor import Processor
from .sums import Correlation
from .windows import Windows, joint


class JointPhases:
    """`dx` from `dy` and `w`, for the windows of the phases of the rows and of the columns."""

    def __init__(
        self, N: int, groups: int, channels: int, outputs: int, rows: list[Windows], columns: list[Windows],
        kernel: tuple[int, int], size: tuple[int, int], dtype: np.dtype[np.floating], processor: Processor,
    ) -> None:  # fmt: skip
        across, down = joint(columns), joint(rows)
        taps, places = math.prod(kernel), (len(down.offsets), len(across.offsets))
        self._phases = len(rows), len(columns)
        index = np.full((*self._phases, *places), taps)  # the last of all taps is 0
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                at = np.ix_([i], [j], _places(down, row), _places(across, column))
                index[at] = np.add.outer(np.array(row.taps) * kernel[1], column.taps)
        self._index: IntArray = index.reshape(-1)
        phases, terms = math.prod(self._phases), math.prod(places)
        steps = (outputs * channels * phases * terms, terms, channels * phases * terms)
        self._correlation = Correlation(
            N, down, across, groups, outputs, channels * phases, steps, places, dtype, processor
        )
        self._sizes = [[windows.outputs for windows in axis] for axis in (rows, columns)]
        self._shape = (N, groups * channels, *size)

    def __call__(self, dy: Array, w: Array, _: None) -> Array | None:
        """Return `dx (N, groups * channels, H, W)`."""
        taps = w.reshape(-1, w.shape[2] * w.shape[3])
        weights = np.concatenate([taps, np.zeros((len(taps), 1), w.dtype)], axis=1).take(self._index, axis=1)
        parts = self._correlation(dy, weights.reshape(*w.shape[:2], len(self._index), 1), None)
        if parts is None or not (all_finite(parts.reshape(-1)) or all_finite(dy.reshape(-1))):
            return None
        (fh, fw), dx = self._phases, np.empty(self._shape, dy.dtype)
        parts = parts.reshape(*self._shape[:2], fh * fw, *parts.shape[2:])
        for f in range(fh * fw):
            h, k = divmod(f, fw)
            dx[:, :, h::fh, k::fw] = parts[:, :, f, : self._sizes[0][h], : self._sizes[1][k]]
        return dx


def joint_phases_are_faster(
    processor: Processor, dtype: np.dtype[np.floating], channels: int, rows: list[Windows], columns: list[Windows],
    apart: list[tuple[Windows, Windows]],
) -> bool:  # fmt: skip
    """Whether one correlation saves a fifth of those that are `apart`, pairs of windows on rows and columns."""
    lanes = processor.lanes(dtype)

    def time(outputs: int, down: Windows, across: Windows) -> float:
        """For each channel of `dy`."""
        pixels, taps = down.outputs * across.outputs, len(down.offsets) * len(across.offsets)
        tile = choose(processor.registers, lanes, outputs, pixels, SMALL, down.outputs * across.extent / across.stride)
        return taps * cost(tile, processor.registers, lanes, outputs, pixels) + COPYING * pixels / lanes

    together = time(channels * len(rows) * len(columns), joint(rows), joint(columns))
    return together < 0.8 * sum(time(channels, down, across) for down, across in apart)


def _places(windows: Windows, phase: Windows) -> list[int]:
    """Which of the joint windows' taps are those of a phase."""
    return [windows.offsets.index(windows.before - phase.before + offset) for offset in phase.offsets]
