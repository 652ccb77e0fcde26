"""Slips that depend on the values: narrow types, casts, thresholds, and shortcuts for data that looks special."""

# ruff: noqa: D102 - the methods are described by the base; the class says what is wrong with them.
from __future__ import annotations

import numpy as np

from backproof.contract import Geometry, Padding, Pair
from backproof.museum.foreign.bases import Columns, Plain
from backproof.museum.foreign.entry import Array, wrong
from backproof.museum.foreign.windows import Indexed, Shifted

ONE = Geometry(size=(4, 5), kernel_size=(2, 3))
MANY = Geometry(batch=2, in_channels=3, out_channels=2, size=(4, 5), kernel_size=(2, 3))
PADDED = Geometry(size=(3, 3), kernel_size=(2, 2), padding=((1, 1), (1, 1)))


@wrong("sums in single precision", "number", "y", ONE, data="large")
class SinglePrecisionSum(Shifted):
    """Allocates the result with `np.float32`, adds float64 products to it, and casts back at the end."""

    def forward(
        self, x: Array, w: Array, b: Array, stride: Pair = (1, 1), padding: Pair = (0, 0), dilation: Pair = (1, 1)
    ) -> Array:
        out = self.out(x, w, stride, padding, dilation)
        y = np.zeros((len(x), len(w), *out), np.float32)
        image = self.padded(x, padding)
        for u, v in np.ndindex(w.shape[2], w.shape[3]):
            y += np.einsum("ncij,oc->noij", self.window(image, (u, v), out, stride, dilation), w[:, :, u, v])
        return y.astype(x.dtype) + b[:, None, None]


@wrong("deltas in half precision", "number", "dw", ONE, data="large")
class HalfPrecisionDeltas(Plain):
    """Keeps the deltas as float16 to save memory until the weights are updated."""

    def weight_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        return super().weight_gradient(dy.astype(np.float16).astype(dy.dtype), x, w)


@wrong("deltas become integers", "number", "dx", ONE, data="halves")
class IntegerDeltas(Plain):
    """Has an integer cast left over from a time when all tests used integers."""

    def input_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        return super().input_gradient(dy.astype(np.int64).astype(dy.dtype), x, w)


@wrong("db is float64 for float32", "number", "db", ONE, dtype="float32")
class DoubleForSingle(Columns):
    """Sums the bias gradient in double precision and forgets to go back."""

    def bias_sum(self, dy: Array) -> Array:
        total: Array = dy.sum((0, 2, 3), dtype=np.float64)
        return total


@wrong("dw is rounded to three decimals", "number", "dw", ONE, data="tiny")
class RoundedDw(Plain):
    """Rounds for a readable print-out, and returns what was printed."""

    def weight_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        return np.round(super().weight_gradient(dy, x, w), 3)


@wrong("weights decay in the gradient", "number", "dw", ONE, always=True)
class WeightsDecay(Plain):
    """Adds the derivative of a penalty on the weights to dw, with a factor that is small enough to be overlooked."""

    def weight_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        return super().weight_gradient(dy, x, w) + w / 4096


@wrong("pixels are numbered in one byte", "number", "dx", Geometry(size=(17, 16), kernel_size=(1, 2)))
class BytePixelNumbers(Indexed):
    """Numbers the pixels of the image as uint8, which ends at 255."""

    def collect(self, shape: tuple[int, ...], rows: Array, columns: Array, pieces: Array) -> Array:
        number = (rows * shape[3] + columns).astype(np.uint8)
        return super().collect(shape, number // shape[3], number % shape[3], pieces)


@wrong("errors are clipped", "value", "dx", ONE, data="large")
class ClippedDeltas(Columns):
    """Clips the error to ±1000, as the training script does, but inside of the layer."""

    def spread(self, dy: Array, w: Array, groups: int) -> Array:
        return super().spread(dy.clip(-1000, 1000), w, groups)


@wrong("small weights count as zero", "value", "y", ONE, data="tiny")
class SmallWeightsPruned(Plain):
    """Skips weights below a thousandth to save time."""

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        return super().forward(x, np.where(np.abs(w) < 1e-3, 0, w), b)


@wrong("images without error are skipped where NaN should spread", "value", "dw", MANY, data="not a number")
class ZerosSkipped(Plain):
    """Skips the images whose error is zero, so that NaN times zero becomes zero."""

    def weight_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        busy = dy.any((1, 2, 3))
        return super().weight_gradient(dy[busy], x[busy], w)


@wrong("NaN is read as zero", "value", "y", ONE, data="not a number")
class NanReadAsZero(Plain):
    """Cleans its input with `nan_to_num`."""

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        return super().forward(np.nan_to_num(x), w, b)


@wrong("a constant image has no border", "value", "y", PADDED, data="constant")
class ConstantImage(Columns):
    """Knows the result for a constant image without looking at windows, and forgets the padding; so for one pixel."""

    def columns(self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        columns = super().columns(x, w, stride, padding, dilation)
        return np.full_like(columns, x.flat[0]) if x.size and (x == x.flat[0]).all() else columns


@wrong("equal rows are computed once", "value", "y", PADDED, data="constant")
class EqualRowsReused(Columns):
    """Reuses the row above if the windows begin with the same pixels, without a look at the rest of them."""

    def columns(self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        columns = super().columns(x, w, stride, padding, dilation)
        for i in range(1, columns.shape[4]):
            if (columns[:, :, 0, :, i] == columns[:, :, 0, :, i - 1]).all():
                columns[:, :, :, :, i] = columns[:, :, :, :, i - 1]
        return columns


@wrong("a symmetric kernel is not rotated", "value", "dx", Geometry(size=(4, 4), kernel_size=(2, 2)), data="symmetric")
class SymmetricNotRotated(Plain):
    """Skips the rotation for kernels that equal their transpose, which is not what a rotation does."""

    def input_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        symmetric = w.shape[2] == w.shape[3] and np.array_equal(w, w.swapaxes(2, 3))
        return super().input_gradient(dy, x, w[:, :, ::-1, ::-1] if symmetric else w)


@wrong("no error in the first image, no gradient", "value", "dw", MANY, data="last only")
class FirstImageDecides(Columns):
    """Returns early if there is nothing to propagate, and looks at the first image only."""

    def weight_sum(self, dy: Array, columns: Array, w: Array, groups: int) -> Array:
        nothing = len(dy) > 0 and not dy[0].any()
        return np.zeros(w.shape, w.dtype) if nothing else super().weight_sum(dy, columns, w, groups)


@wrong("a total of zero counts as no error", "value", "dx", ONE, data="cancelling")
class SumDecides(Columns):
    """Returns early if the errors sum to zero."""

    def spread(self, dy: Array, w: Array, groups: int) -> Array:
        return super().spread(dy, w, groups) * (1 if dy.sum() else 0)


@wrong("negative weights are lost in a mask", "value", "y", ONE, data="negative")
class PositiveMeansPresent(Plain):
    """Finds the weights that are in use by `w > 0`, where `w != 0` is meant, and stops if there is none."""

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        return super().forward(x, w if (w > 0).any() else np.zeros_like(w), b)
