"""Bugs of pooling and of its gradients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backproof.contract import Pair, PoolGeometry
from backproof.museum.misread import window
from backproof.museum.mutant import Quantity, Trigger, mutant
from backproof.museum.reference import Array, Options, frame_size, scatter
from backproof.museum.reference_pooling import Pooling, PoolOptions, patches_of, pixels, real, repeated
from backproof.museum.witness import Call

_SQUARE = PoolGeometry(size=(4, 4), kernel_size=(2, 2), stride=(2, 2))


@mutant(
    "FluxML/NNlib.jl#205",
    Quantity.POOL_GRADIENT,
    Trigger.STEP,
    shows=PoolGeometry(size=(3, 3), kernel_size=(2, 2)),
    hidden=_SQUARE,
)
class L075(Pooling):
    """A pixel that wins several windows keeps the last cotangent only."""

    def _max_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        winners = self._winners(x, kernel, o)
        positions = pixels(winners, x.shape[3], kernel, o)
        dx = np.zeros((*x.shape[:2], x.shape[2] * x.shape[3]), dy.dtype)
        for index in np.ndindex(dy.shape):
            if winners[index] >= 0:
                dx[*index[:2], positions[index]] = dy[index]
        return dx.reshape(x.shape)


@mutant(
    "pytorch/pytorch#36820",
    Quantity.POOL_GRADIENT,
    Trigger.ANISOTROPY,
    shows=PoolGeometry(size=(2, 3), kernel_size=(1, 1)),
    hidden=_SQUARE,
)
class L077(Pooling):
    """Output height and width are exchanged by the caller: the longer one's tail gets no gradient."""

    def _max_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        reached, shorter = np.zeros_like(dy), min(dy.shape[2:])
        reached[:, :, :shorter, :shorter] = dy[:, :, :shorter, :shorter]
        return super()._max_dx(reached, x, kernel, o)


@mutant(
    "deeplearning4j/deeplearning4j#4683",
    Quantity.POOL_GRADIENT,
    Trigger.BORDER,
    shows=PoolGeometry("average", size=(2, 2), kernel_size=(2, 2), padding=((1, 1), (1, 1))),
    hidden=PoolGeometry("average", size=(2, 2), kernel_size=(2, 2)),
)
class L081(Pooling):
    """Forward and backward divide by different numbers: padding counts in one of them only."""

    def _average_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        counts = np.maximum(real(x, kernel, o).sum((2, 3)), 1).astype(dy.dtype)
        return self._sum_dx(dy / counts, x, kernel, o)


@mutant(
    "pytorch/pytorch#1465",
    Quantity.POOL_GRADIENT,
    Trigger.VALUES,
    shows=Call("max_pool_gradient", _SQUARE, values="minus infinity"),
    hidden=_SQUARE,
)
class L090(Pooling):
    """Nothing is greater than -inf, so the index stays -1, which is the last pixel."""

    def _max_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        lost = ~(patches_of(x, kernel, o, -np.inf) > -np.inf).any((2, 3))
        dx = super()._max_dx(np.where(lost, dy.dtype.type(0), dy), x, kernel, o)
        if dx.size:
            dx[-1, -1, -1, -1] += dy[lost].sum()
        return dx


@mutant(
    "microsoft/onnxruntime#29637",
    Quantity.POOL,
    Trigger.BORDER,
    shows=PoolGeometry(size=(4, 4), kernel_size=(2, 2), dilation=(2, 2), padding=((1, 1), (1, 1))),
    hidden=PoolGeometry(size=(4, 4), kernel_size=(2, 2), padding=((1, 1), (1, 1))),
)
class L091(Pooling):
    """A window that starts in the padding starts at pixel 0, where its first tap need not lie."""

    def _max_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        y = super()._max_y(x, kernel, o)
        for i, j in np.ndindex(*y.shape[2:]):
            rows, columns = (self._axis(a, at, x.shape[2 + a], kernel[a], o) for a, at in ((0, i), (1, j)))
            y[:, :, i, j] = x[:, :, rows, columns].max((2, 3), initial=-np.inf)
        return y

    def _axis(self, axis: int, at: int, size: int, kernel: int, o: Options) -> slice:
        start = at * o.stride[axis] - o.padding[axis][0]
        end = min(start + o.dilation[axis] * (kernel - 1) + 1, size)
        return slice(max(start, 0), max(end, 0), o.dilation[axis])


@mutant(
    "torch 2.13.0+cpu, F.max_pool2d; pytorch/pytorch#1465, #114216, google/XNNPACK#10457",
    Quantity.POOL_GRADIENT,
    Trigger.BORDER,
    shows=PoolGeometry(size=(1, 1), channels=5, kernel_size=(2, 2), dilation=(2, 2), padding=((1, 1), (1, 1))),
    hidden=PoolGeometry(size=(2, 2), channels=5, kernel_size=(2, 2), padding=((1, 1), (1, 1))),
)
class L092(Pooling):
    """A dilated window wholly in the padding has an index, which lies in another plane."""

    def _max_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        dx, lost = super()._max_dx(dy, x, kernel, o), self._winners(x, kernel, o) < 0
        if max(o.dilation) > 1 and dx.size:
            starts = (np.arange(dy.shape[2 + a]) * o.stride[a] - o.padding[a][0] for a in (0, 1))
            rows, columns = (np.where(at < 0, at % o.dilation[a], at) for a, at in enumerate(starts))
            planes = np.arange(len(dy) * dy.shape[1]).reshape(*dy.shape[:2], 1, 1) * (x.shape[2] * x.shape[3])
            index = planes + rows[:, None] * x.shape[3] + columns
            np.add.at(dx.reshape(-1), index[lost] % dx.size, dy[lost])
        return dx


@mutant(
    "uxlfoundation/oneDNN#1094",
    Quantity.POOL,
    Trigger.BORDER,
    shows=Call("max_pool", replace(_SQUARE, padding=((1, 1), (1, 1))), values="negative"),
    hidden=Call("max_pool", _SQUARE, values="negative"),
)
class L093(Pooling):
    """Padding takes part in the maximum, as 0."""

    def _max_y(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        y: Array = patches_of(x, kernel, o).max((2, 3))
        return y


@mutant(
    "intel/torch-xpu-ops#3940",
    Quantity.POOL_GRADIENT,
    Trigger.TILE,
    shows=PoolGeometry(channels=5, size=(6, 6), kernel_size=(2, 2), stride=(2, 2)),
    hidden=PoolGeometry(channels=3, size=(6, 6), kernel_size=(2, 2), stride=(2, 2)),
)
class L099(Pooling):
    """The winner's offset overflows: it has 8 bits here, 32 in the report."""

    def _max_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        winners = self._winners(x, kernel, o)
        planes = np.arange(len(x) * x.shape[1]).reshape(*x.shape[:2], 1, 1) * (x.shape[2] * x.shape[3])
        offsets = (planes + pixels(winners, x.shape[3], kernel, o)).astype(np.int8)
        dx = np.zeros(x.size, dy.dtype)
        np.add.at(dx, offsets[winners >= 0], dy[winners >= 0])
        return dx.reshape(x.shape)


@mutant(
    "classic: ahmedfgad/NumPyCNN#7",
    Quantity.POOL_GRADIENT,
    Trigger.STEP,
    shows=PoolGeometry("average", size=(5, 5), kernel_size=(2, 2), stride=(2, 2)),
    hidden=replace(_SQUARE, kind="average"),
)
class H029(Pooling):
    """The gradient is upscaled to the image, where forward left a remainder out."""

    def _average_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        if o.stride != kernel or o.dilation != (1, 1) or o.padding != ((0, 0), (0, 0)):
            return super()._average_dx(dy, x, kernel, o)
        rows, columns = (np.arange(x.shape[a]) * dy.shape[a] // x.shape[a] for a in (2, 3))
        dx: Array = dy[:, :, rows[:, None], columns] / dy.dtype.type(kernel[0] * kernel[1])
        return dx


@mutant(
    "classic: FluxML/NNlib.jl#205",
    Quantity.POOL_GRADIENT,
    Trigger.VALUES,
    shows=Call("max_pool_gradient", _SQUARE, values="equal"),
    hidden=_SQUARE,
)
class H031(Pooling):
    """Of several maxima the last one wins."""

    def _winners(self, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        values = patches_of(x, kernel, o, -np.inf)
        taps = np.arange(kernel[0] * kernel[1]).reshape(*kernel, 1, 1)
        wins = ((values == values.max((2, 3), keepdims=True)) | np.isnan(values)) & real(x, kernel, o)
        winners: Array = np.where(wins, taps, -1).max((2, 3))
        return winners


@mutant(
    "classic: deeplearning4j/deeplearning4j#1951, mlpack/mlpack#2865",
    Quantity.POOL_GRADIENT,
    Trigger.ALWAYS,
    shows=replace(_SQUARE, kind="average"),
)
class H033(Pooling):
    """The gradient of an average is not divided by the window's size."""

    def _average_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        return self._sum_dx(dy, x, kernel, o)


@mutant(
    "classic: community.deeplearning.ai/t/209979",
    Quantity.POOL_GRADIENT,
    Trigger.ALWAYS,
    shows=replace(_SQUARE, kind="average"),
)
class H034(Pooling):
    """The gradient of an average does not use the cotangent."""

    def _average_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        return super()._average_dx(np.ones_like(dy), x, kernel, o)


@mutant(
    "classic: mlpack/mlpack#2865",
    Quantity.POOL_GRADIENT,
    Trigger.ANISOTROPY,
    shows=PoolGeometry("average", size=(3, 3), kernel_size=(2, 2)),
    hidden=replace(_SQUARE, kind="average"),
)
class H035(Pooling):
    """Backward takes the image's size over the output's for the window's."""

    def _average_dx(self, dy: Array, x: Array, kernel: Pair, o: PoolOptions) -> Array:
        guessed = (max(x.shape[2] // dy.shape[2], 1), max(x.shape[3] // dy.shape[3], 1))
        patches = repeated(dy / dy.dtype.type(guessed[0] * guessed[1]), guessed)
        height, width = frame_size(x.shape[2:], o)
        reach = (height + o.dilation[0] * guessed[0], width + o.dilation[1] * guessed[1])
        return window(scatter(patches, reach, o), (o.padding[0][0], o.padding[1][0]), x.shape[2:])
