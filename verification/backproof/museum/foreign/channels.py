"""Axes taken for one another: batch, channels, groups; and sums over too few or too many of them."""

# ruff: noqa: D102 - the methods are described by the base; the class says what is wrong with them.
from __future__ import annotations

import numpy as np

from backproof.contract import Geometry, Padding, Pair
from backproof.museum.foreign.bases import UNPADDED, Columns, Loops, Plain
from backproof.museum.foreign.entry import Array, wrong

MANY = Geometry(batch=2, in_channels=3, out_channels=2, size=(4, 5), kernel_size=(2, 3))
GROUPED = Geometry(batch=2, in_channels=4, out_channels=6, size=(4, 4), kernel_size=(2, 2), groups=2)


@wrong(
    "weights are transposed where the shapes allow it",
    "channel",
    "dx",
    Geometry(in_channels=2, out_channels=2, size=(4, 5), kernel_size=(2, 3)),
)
class WeightsLayoutGuessed(Plain):
    """Takes the weights for (in, out) if their first axis has as many entries as there are inputs."""

    def input_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        guessed = w.swapaxes(0, 1) if len(w) == x.shape[1] else w
        return super().input_gradient(dy, x, guessed)


@wrong(
    "images are taken for channels-last where the shapes allow it",
    "channel",
    "y",
    Geometry(in_channels=3, size=(3, 3), kernel_size=(2, 2)),
)
class ChannelsLastGuessed(Plain):
    """Accepts both layouts, and looks at the last axis first: as wide as there are channels means NHWC."""

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        guessed = x.transpose(0, 3, 1, 2) if x.shape[3] == w.shape[1] else x
        return super().forward(guessed, w, b)


@wrong("groups are interleaved", "channel", "y", GROUPED)
class InterleavedGroups(Loops):
    """Gives channel c to group c modulo the number of groups."""

    def group(self, o: int, O: int, C: int, groups: int) -> list[int]:  # noqa: E741
        return list(range(o % groups, C, groups))


@wrong(
    "a channel multiplier goes round instead of staying",
    "channel",
    "y",
    Geometry(in_channels=2, out_channels=4, size=(3, 3), kernel_size=(2, 2), groups=2),
)
class MultiplierGoesRound(Loops):
    """Treats depthwise layers apart: output o reads input o modulo C, which holds for a multiplier of 1."""

    def group(self, o: int, O: int, C: int, groups: int) -> list[int]:  # noqa: E741
        return [o % C] if groups == C else super().group(o, O, C, groups)


@wrong("dw of a group is reshaped instead of transposed", "channel", "dw", GROUPED)
class DwGroupsReshaped(Columns):
    """Computes (taps, outputs) for each group and lets `reshape` make (outputs, taps) of it."""

    def weight_sum(self, dy: Array, columns: Array, w: Array, groups: int) -> Array:
        if groups == 1:
            return super().weight_sum(dy, columns, w, groups)
        total: Array = (self.flat(columns, groups) @ self.by_group(dy, groups).swapaxes(2, 3)).sum(0)
        return total.reshape(w.shape)


@wrong(
    "the loop over groups ends too early",
    "channel",
    "dw",
    Geometry(in_channels=3, out_channels=3, size=(3, 3), kernel_size=(2, 2), groups=3),
)
class GroupsCountedByOutputs(Columns):
    """Loops over `O // groups`, the outputs of a group, where the groups are meant."""

    def weight_sum(self, dy: Array, columns: Array, w: Array, groups: int) -> Array:
        dw, m = np.zeros(w.shape, w.dtype), len(w) // groups
        right = super().weight_sum(dy, columns, w, groups)
        for g in range(m):
            dw[g * m : (g + 1) * m] = right[g * m : (g + 1) * m]
        return dw


@wrong("outputs of a batch are interleaved", "channel", "y", MANY)
class ImagesAsChannels(Columns):
    """Multiplies all images at once into (O, N * pixels) and reshapes that to (N, O, pixels)."""

    def product(self, columns: Array, w: Array, groups: int) -> Array:
        right = super().product(columns, w, groups)
        return right.swapaxes(0, 1).reshape(right.shape) if groups == 1 else right


@wrong("channels and pixels are interleaved", "channel", "y", MANY)
class PixelsBeforeChannels(Columns):
    """Multiplies into (N, pixels, O) and reshapes that to (N, O, pixels)."""

    def product(self, columns: Array, w: Array, groups: int) -> Array:
        right = super().product(columns, w, groups)
        return right.transpose(0, 2, 3, 1).reshape(right.shape)


@wrong("dw is the mean over the batch", "channel", "dw", MANY)
class DwAveraged(Columns):
    """Divides by the batch size, which the loss has already done."""

    def weight_sum(self, dy: Array, columns: Array, w: Array, groups: int) -> Array:
        return super().weight_sum(dy, columns, w, groups) / max(1, len(dy))


@wrong("dw is that of the last image", "channel", "dw", MANY)
class LastImageWins(Columns):
    """Assigns in the loop over the batch, where it should add."""

    def weight_sum(self, dy: Array, columns: Array, w: Array, groups: int) -> Array:
        return super().weight_sum(dy[-1:], columns[-1:], w, groups)


@wrong("db is that of the first image", "channel", "db", MANY)
class DbOfOneImage(Columns):
    """Was written for one image, and given a batch later by `dy[0]`."""

    def bias_sum(self, dy: Array) -> Array:
        return super().bias_sum(dy[:1])


@wrong("db is the mean over the pixels", "channel", "db", MANY)
class DbAveraged(Columns):
    """Uses `mean` over rows and columns, as global average pooling does."""

    def bias_sum(self, dy: Array) -> Array:
        total: Array = dy.mean((2, 3)).sum(0)
        return total


@wrong(
    "the axis of db is found by its size",
    "channel",
    "db",
    Geometry(batch=2, in_channels=1, out_channels=2, size=(3, 4), kernel_size=(2, 2)),
)
class AxisFoundBySize(Loops):
    """Keeps the first axis of dy that has as many entries as there are outputs; the batch may have as many."""

    def backward(
        self,
        dy: Array,
        x: Array,
        w: Array,
        b: Array | None = None,
        *,
        stride: Pair,
        padding: Padding,
        dilation: Pair,
        groups: int,
    ) -> tuple[Array, Array, Array]:
        dx, dw, _ = super().backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation, groups=groups)
        kept = dy.shape.index(len(w))
        return dx, dw, dy.sum(tuple(axis for axis in range(4) if axis != kept))


@wrong("the bias runs along the columns", "channel", "y", Geometry(out_channels=3, size=(3, 4), kernel_size=(2, 2)))
class BiasAlongColumns(Columns):
    """Adds `b` as it is, and only where NumPy refuses gives it its axes."""

    def add_bias(self, y: Array, b: Array | None) -> Array:
        try:
            return y if b is None else y + b
        except ValueError:
            return super().add_bias(y, b)


@wrong("an odd channel is forgotten", "channel", "y", MANY)
class OddChannelForgotten(Columns):
    """Takes two input channels at once; the single one that is left over is never added."""

    def product(self, columns: Array, w: Array, groups: int) -> Array:
        pairs = w.shape[1] // 2 * 2
        if groups > 1 or pairs == 0:
            return super().product(columns, w, groups)
        return super().product(columns[:, :pairs], w[:, :pairs], groups)


@wrong("dx has the sum of all groups", "channel", "dx", GROUPED)
class GroupsSummedInDx(Columns):
    """Multiplies by all weights of all groups, and hands every group the same sum."""

    def spread(self, dy: Array, w: Array, groups: int) -> Array:
        total = super().spread(dy, w, 1)
        return np.concatenate([total] * groups, axis=1)


@wrong("the bias is added once for each group", "channel", "y", GROUPED)
class BiasOncePerGroup(Columns):
    """Adds the bias inside of the loop over the groups."""

    def forward(
        self,
        x: Array,
        w: Array,
        b: Array | None = None,
        *,
        stride: Pair = (1, 1),
        padding: Padding = UNPADDED,
        dilation: Pair = (1, 1),
        groups: int = 1,
    ) -> Array:
        y = super().forward(x, w, stride=stride, padding=padding, dilation=dilation, groups=groups)
        return y if b is None else y + (groups * b)[:, None, None]
