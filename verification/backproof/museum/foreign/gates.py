"""Fast paths: right in general, wrong behind a condition on shapes."""

# ruff: noqa: D102 - the methods are described by the base; the class says what is wrong with them.
from __future__ import annotations

import numpy as np

from backproof.contract import Geometry, Padding, Pair
from backproof.museum.foreign.bases import Columns, Loops, Plain
from backproof.museum.foreign.entry import Array, wrong
from backproof.museum.foreign.windows import Shifted

POINTWISE = Geometry(size=(4, 5), kernel_size=(1, 1), stride=(2, 2))
BLOCKS = Geometry(size=(5, 4), kernel_size=(2, 2), stride=(2, 2))


@wrong("1 × 1 kernels write dx without gaps", "shape gate", "dx", POINTWISE)
class PointwiseWithoutGaps(Columns):
    """Has a fast path for 1 × 1 kernels that puts dx next to one another whatever the stride."""

    def image(self, columns: Array, x: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        if columns.shape[2:4] != (1, 1) or np.any(padding):
            return super().image(columns, x, stride, padding, dilation)
        dx = np.zeros(x.shape, x.dtype)
        dx[:, :, : columns.shape[4], : columns.shape[5]] = columns[:, :, 0, 0]
        return dx


@wrong(
    "1 × 1 kernels are not padded",
    "shape gate",
    "y",
    Geometry(size=(2, 2), kernel_size=(1, 1), padding=((1, 1), (1, 1))),
)
class PointwiseUnpadded(Columns):
    """Takes the pixels themselves for the columns of a 1 × 1 kernel with stride 1."""

    def columns(self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        if w.shape[2:] == (1, 1) and stride == (1, 1):
            return x[:, :, None, None]
        return super().columns(x, w, stride, padding, dilation)


@wrong(
    "depthwise kernels are not flipped",
    "shape gate",
    "y",
    Geometry(in_channels=2, out_channels=2, size=(3, 4), kernel_size=(2, 2), groups=2),
)
class DepthwiseNotFlipped(Loops):
    """Copied the depthwise path from a framework, where nothing is flipped."""

    def forward(
        self, x: Array, w: Array, b: Array | None = None, *, stride: Pair, padding: Padding, dilation: Pair, groups: int
    ) -> Array:
        copied = 1 < groups == x.shape[1] == len(w)
        kernel = w[:, :, ::-1, ::-1] if copied else w
        return super().forward(x, kernel, b, stride=stride, padding=padding, dilation=dilation, groups=groups)


@wrong("a square image has a square result", "shape gate", "y", Geometry(size=(4, 4), kernel_size=(1, 3)))
class SquareImage(Loops):
    """Computes one output size if the image is square."""

    def forward(
        self, x: Array, w: Array, b: Array | None = None, *, stride: Pair, padding: Padding, dilation: Pair, groups: int
    ) -> Array:
        y = super().forward(x, w, b, stride=stride, padding=padding, dilation=dilation, groups=groups)
        side = y.shape[2]
        if x.shape[2] != x.shape[3] or y.shape[3] == side:
            return y
        return np.pad(y, ((0, 0), (0, 0), (0, 0), (0, max(0, side - y.shape[3]))))[:, :, :, :side]


@wrong("square kernels are transposed for dx", "shape gate", "dx", Geometry(size=(4, 4), kernel_size=(2, 2)))
class SquareTransposed(Columns):
    """Transposes the matrix of one kernel instead of the matrix of all kernels, where that is possible."""

    def spread(self, dy: Array, w: Array, groups: int) -> Array:
        return super().spread(dy, w.swapaxes(2, 3) if w.shape[2] == w.shape[3] else w, groups)


@wrong(
    "the last tile of images is counted twice", "shape gate", "dw", Geometry(batch=3, size=(3, 3), kernel_size=(2, 2))
)
class TailTileTwice(Columns):
    """Takes two images at once and moves the last tile back to where two are left: one image is in both."""

    def weight_sum(self, dy: Array, columns: Array, w: Array, groups: int) -> Array:
        dw = super().weight_sum(dy, columns, w, groups)
        if len(dy) % 2 and len(dy) > 1:
            dw = dw + super().weight_sum(dy[-2:-1], columns[-2:-1], w, groups)
        return dw


@wrong("rows behind the last full tile are missing", "shape gate", "y", Geometry(size=(6, 3), kernel_size=(2, 2)))
class TailRowsMissing(Columns):
    """Computes tiles of four rows; less than four rows are handled, but a rest is not."""

    def product(self, columns: Array, w: Array, groups: int) -> Array:
        y = super().product(columns, w, groups)
        if y.shape[2] > 4:
            y[:, :, y.shape[2] // 4 * 4 :] = 0
        return y


@wrong("one of three left-over weights is forgotten", "shape gate", "y", Geometry(size=(3, 5), kernel_size=(1, 3)))
class UnrolledByFour(Plain):
    """Unrolls the loop over the weights by four, and handles a rest of one or two."""

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        if w.shape[2] * w.shape[3] % 4 == 3:
            w = w.copy()
            w[:, :, -1, -1] = 0
        return super().forward(x, w, b)


@wrong("blocks are cut from the wrong end", "shape gate", "y", BLOCKS)
class BlocksFromTheEnd(Columns):
    """Cuts the image into blocks if the stride is the kernel size, and drops the remainder at the front."""

    def columns(self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        kh, kw = w.shape[2:]
        if stride == (kh, kw) and dilation == (1, 1) and not np.any(padding):
            x = x[:, :, x.shape[2] % kh :, x.shape[3] % kw :]
        return super().columns(x, w, stride, padding, dilation)


@wrong("an odd column is missing", "shape gate", "y", Geometry(size=(3, 5), kernel_size=(2, 3)))
class ColumnsInPairs(Plain):
    """Computes two columns at once for kernels of width 3, as Winograd's F(2, 3), and never the odd one."""

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        y = super().forward(x, w)
        if w.shape[3] == 3 and y.shape[3] % 2 and y.shape[3] > 1:
            y[:, :, :, -1] = 0
        return y if b is None else y + b[:, None, None]


@wrong(
    "a window around the image counts as outside",
    "shape gate",
    "y",
    Geometry(size=(1, 3), kernel_size=(3, 2), padding=((1, 1), (0, 0))),
)
class WindowAroundTheImage(Loops):
    """Skips windows whose first and last pixels are both outside of the image, even if the image lies between."""

    def reach(self, i: int, size: int, kernel: int, stride: int, before: int, dilation: int) -> list[Pair]:
        last, first = i * stride + (kernel - 1) * dilation - before, i * stride - before
        skipped = not 0 <= first < size and not 0 <= last < size
        return [] if skipped else super().reach(i, size, kernel, stride, before, dilation)


@wrong(
    "wide outputs move by the stride of the rows",
    "shape gate",
    "y",
    Geometry(size=(3, 12), kernel_size=(2, 2), stride=(1, 2)),
)
class WideOutputs(Shifted):
    """Has a loop for more than four columns, in which the stride of the rows was left from the loop above."""

    def forward(
        self, x: Array, w: Array, b: Array, stride: Pair = (1, 1), padding: Pair = (0, 0), dilation: Pair = (1, 1)
    ) -> Array:
        y = super().forward(x, w, b, stride, padding, dilation)
        if y.shape[3] <= 4 or stride[0] == stride[1]:
            return y
        slipped = super().forward(x, w, b, (stride[0], stride[0]), padding, dilation)
        return np.pad(slipped, ((0, 0), (0, 0), (0, 0), (0, y.shape[3])))[:, :, :, : y.shape[3]]


@wrong(
    "single images take weights with the channel last",
    "shape gate",
    "y",
    Geometry(in_channels=2, size=(3, 3), kernel_size=(2, 2)),
)
class GemvForOneImage(Columns):
    """Calls a matrix-vector routine for a batch of one, with columns ordered (tap, channel) and weights not."""

    def product(self, columns: Array, w: Array, groups: int) -> Array:
        if len(columns) == 1 and groups == 1:
            columns = columns.transpose(0, 2, 3, 1, 4, 5).reshape(columns.shape)
        return super().product(columns, w, groups)


@wrong(
    "many outputs share the bias of the first four",
    "shape gate",
    "y",
    Geometry(out_channels=6, size=(2, 2), kernel_size=(1, 2)),
)
class BiasOfFour(Columns):
    """Adds the bias in vectors of four and starts every vector at the same address."""

    def add_bias(self, y: Array, b: Array | None) -> Array:
        return super().add_bias(y, None if b is None else b[np.arange(len(b)) % 4])
