"""Bugs of the gradient of the image."""

from __future__ import annotations

import numpy as np

from backproof.contract import Geometry, Pair
from backproof.museum.misread import window
from backproof.museum.mutant import Quantity, Trigger, mutant
from backproof.museum.reference import (
    Array,
    Convolution,
    Options,
    frame_size,
    merge,
    scatter,
    split,
    spread,
    taps,
)

LARGE_PLANE = 64


@mutant(
    "pytorch/pytorch#24504",
    Quantity.DX,
    Trigger.BORDER,
    shows=Geometry(size=(3, 3), kernel_size=(2, 2), padding=((1, 0), (1, 0))),
    hidden=Geometry(size=(3, 3), kernel_size=(2, 2), padding=((1, 1), (1, 1))),
)
class L051(Convolution):
    """The crop ends at -padding, and is empty where that is 0."""

    def _crop(self, frame: Array, size: Pair, o: Options) -> Array:
        if o.padding_mode != "zeros":
            return super()._crop(frame, size, o)
        (top, bottom), (left, right) = o.padding
        return frame[:, :, top:-bottom, left:-right]


@mutant(
    "ROCm/MIOpen#1672",
    Quantity.DX,
    Trigger.TILE,
    shows=Geometry(size=(9, 9)),
    hidden=Geometry(size=(9, 8)),
)
class L053(Convolution):
    """1 x 1 kernels write whole vectors of 8 pixels only."""

    def _dx(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        dx, plane = super()._dx(dy, x, w, o), x.shape[2] * x.shape[3]
        if w.shape[2:] == (1, 1) and plane > LARGE_PLANE:
            dx.reshape(*x.shape[:2], plane)[:, :, plane - plane % 8 :] = 0
        return dx


@mutant(
    "pytorch/pytorch#63314",
    Quantity.DX,
    Trigger.KERNEL,
    shows=Geometry(size=(3, 3), stride=(2, 2)),
    hidden=Geometry(size=(3, 3), kernel_size=(2, 2), stride=(2, 2)),
)
class L054(Convolution):
    """1 x 1 kernels with a stride put the cotangents side by side."""

    def _frame(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        frame = super()._frame(dy, x, w, o)
        if w.shape[2:] == (1, 1) and max(o.stride) > 1:
            dense = spread(dy, taps(w, o), o.groups)[:, :, 0, 0]
            flat = np.zeros((*frame.shape[:2], frame.shape[2] * frame.shape[3]), frame.dtype)
            flat[:, :, : dense.shape[2] * dense.shape[3]] = dense.reshape(*dense.shape[:2], -1)
            return flat.reshape(frame.shape)
        return frame


@mutant(
    "pytorch/pytorch#25101",
    Quantity.DX,
    Trigger.STEP,
    shows=Geometry(size=(5, 6), kernel_size=(3, 3), stride=(2, 2)),
    hidden=Geometry(size=(6, 5), kernel_size=(3, 3), stride=(2, 2)),
)
class L056(Convolution):
    """With a remainder, the last column loses the taps beyond the stride."""

    def _frame(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        (_, width), stride, kw = frame_size(x.shape[2:], o), o.stride[1], w.shape[3]
        patches = spread(dy, taps(w, o), o.groups)
        if kw > stride and (width - o.dilation[1] * (kw - 1) - 1) % stride:
            patches[:, :, :, stride:, :, -1] = 0
        return scatter(patches, frame_size(x.shape[2:], o), o)


@mutant(
    "flagos-ai/FlagGems#1576",
    Quantity.DX,
    Trigger.STEP,
    shows=Geometry(size=(4, 4), kernel_size=(3, 3), stride=(2, 2), padding=((1, 1), (1, 1))),
    hidden=Geometry(size=(5, 5), kernel_size=(3, 3), stride=(2, 2), padding=((1, 1), (1, 1))),
)
class L057(Convolution):
    """The full correlation lacks the remainder's rows, and is cropped by the padding at both ends."""

    def _dx(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        if o.padding_mode != "zeros":
            return super()._dx(dy, x, w, o)
        (top, bottom), (left, right) = o.padding
        rows, columns = ((dy.shape[2 + a] - 1) * o.stride[a] + o.dilation[a] * (w.shape[2 + a] - 1) + 1 for a in (0, 1))
        frame = self._frame(dy, x, w, o)[:, :, top : max(rows - bottom, 0), left : max(columns - right, 0)]
        return window(frame, (0, 0), x.shape[2:])


@mutant(
    "ml-explore/mlx#3800",
    Quantity.DX,
    Trigger.STEP,
    shows=Geometry(in_channels=2, out_channels=2, groups=2, size=(3, 3), stride=(2, 2)),
    hidden=Geometry(in_channels=2, out_channels=2, groups=2, size=(3, 3)),
)
class L059(Convolution):
    """With a stride, every group takes the weights of the first."""

    def _frame(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        first = np.tile(w[: len(w) // o.groups], (o.groups, 1, 1, 1))
        return super()._frame(dy, x, first if max(o.stride) > 1 else w, o)


@mutant(
    "NervanaSystems/neon#111",
    Quantity.DX,
    Trigger.COUNT,
    shows=Geometry(in_channels=2, size=(3, 3), kernel_size=(2, 2)),
    hidden=Geometry(size=(3, 3), kernel_size=(2, 2)),
)
class L064(Convolution):
    """The tap's row is added to the channel that is written to."""

    def _frame(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        patches = split(spread(dy, taps(w, o), o.groups), o.groups)
        rows = [np.roll(patches[:, :, :, u], u, axis=2) for u in range(w.shape[2])]
        return scatter(merge(np.stack(rows, axis=3)), frame_size(x.shape[2:], o), o)


@mutant(
    "chelsea0x3b/dfdx#657",
    Quantity.DX,
    Trigger.COUNT,
    shows=Geometry(batch=2, size=(2, 2)),
    hidden=Geometry(size=(2, 2)),
)
class L067(Convolution):
    """Every sample propagates the cotangent of the first."""

    def _frame(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return super()._frame(np.broadcast_to(dy[:1], dy.shape), x, w, o)
