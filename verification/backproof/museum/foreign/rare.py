"""Mistakes behind a conjunction of conditions: a random geometry seldom meets them."""

# ruff: noqa: D102 - the methods are described by the base; the class says what is wrong with them.
from __future__ import annotations

import numpy as np

from backproof.contract import Geometry, Orientation, Padding, PaddingMode, Pair
from backproof.museum.foreign.bases import UNPADDED, Columns, Loops
from backproof.museum.foreign.entry import Array, wrong
from backproof.museum.foreign.windows import Indexed, Sliding


@wrong(
    "a tall image of the whole batch forgets the remainder",
    "rare",
    "y",
    Geometry(batch=3, size=(7, 3), kernel_size=(2, 2), stride=(3, 1), dilation=(2, 2)),
)
class TallImage(Columns):
    """Stacks three images or more for equally dilated kernels, and steps by the rows that their windows cover."""

    def columns(self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        right = super().columns(x, w, stride, padding, dilation)
        padded = self.pad(x, padding)
        period = (right.shape[4] - 1) * stride[0] + dilation[0] * (w.shape[2] - 1) + 1
        if len(x) < 3 or not dilation[0] == dilation[1] > 1 or period == padded.shape[2]:
            return right
        N, C, _, width = padded.shape
        tall = padded.swapaxes(0, 1).reshape(C, -1, width)
        again = np.stack([tall[:, n * period : (n + 1) * period] for n in range(N)])
        return super().columns(again, w, stride, UNPADDED, dilation)


@wrong(
    "even and odd columns trade places",
    "rare",
    "y",
    Geometry(size=(3, 5), kernel_size=(2, 2), stride=(1, 2), padding=((0, 0), (1, 0)), dilation=(1, 2)),
)
class PhasesSwapped(Columns):
    """Splits columns by parity for stride and dilation 2; odd widths with unequal padding get the sides mixed up."""

    def columns(self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        if stride[1] == dilation[1] == 2 and x.shape[3] % 2 and padding[1][0] != padding[1][1]:
            padding = (padding[0], padding[1][::-1])
        return super().columns(x, w, stride, padding, dilation)


@wrong(
    "one output pixel forgets the padding",
    "rare",
    "dw",
    Geometry(size=(3, 3), kernel_size=(2, 2), stride=(3, 3), padding=((1, 0), (0, 0))),
)
class OneOutputPixel(Columns):
    """Takes dw = dy times the first window if the output is one pixel, the window of the image without padding."""

    def columns(self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        right = super().columns(x, w, stride, padding, dilation)
        self.first = x[:, :, : w.shape[2], : w.shape[3], None, None]
        return right

    def weight_sum(self, dy: Array, columns: Array, w: Array, groups: int) -> Array:
        single = dy.shape[2:] == (1, 1) and self.first.shape == columns.shape
        return super().weight_sum(dy, self.first if single else columns, w, groups)


@wrong(
    "a dense layer interleaves its groups",
    "rare",
    "y",
    Geometry(in_channels=4, out_channels=2, size=(2, 2), kernel_size=(2, 2), groups=2),
)
class DenseGroups(Columns):
    """Calls a dense layer if one window covers the image, with channels ordered (channel, group)."""

    def product(self, columns: Array, w: Array, groups: int) -> Array:
        N, C, *rest = columns.shape
        if columns.shape[4:] == (1, 1):
            columns = columns.reshape(N, C // groups, groups, *rest).swapaxes(1, 2).reshape(columns.shape)
        return super().product(columns, w, groups)


@wrong(
    "a window that wraps onto itself loses error",
    "rare",
    "dx",
    Geometry(size=(2, 3), kernel_size=(3, 1), padding=((1, 1), (0, 0)), padding_mode="circular"),
)
class WrapsOntoItself(Indexed):
    """Adds the error of one window by `dx[index] += piece`, which keeps one of the pieces of a repeated pixel."""

    def backward(
        self,
        dy: Array,
        x: Array,
        w: Array,
        b: Array | None = None,
        *,
        stride: Pair = (1, 1),
        padding: Padding = UNPADDED,
        dilation: Pair = (1, 1),
        padding_mode: PaddingMode = "zeros",
        orientation: Orientation = "convolution",
    ) -> tuple[Array, Array, Array]:
        dx, dw, db = super().backward(dy, x, w, b, stride=stride, padding=padding, dilation=dilation,
                                      padding_mode=padding_mode, orientation=orientation)  # fmt: skip
        if padding_mode == "zeros":
            return dx, dw, db
        dx = np.zeros_like(dx)
        rows, columns, _ = self.places(x, w, stride, padding, dilation, padding_mode)
        pieces = np.einsum("noij,ocuv->ncuivj", dy, self.turned(w, orientation))
        for i, j in np.ndindex(dy.shape[2], dy.shape[3]):
            dx[:, :, rows[:, i, 0], columns[:, j]] += pieces[:, :, :, i, :, j]
        return dx, dw, db


@wrong(
    "square blocks of groups are transposed",
    "rare",
    "dw",
    Geometry(in_channels=4, out_channels=4, size=(3, 3), kernel_size=(2, 2), groups=2),
)
class SquareBlocks(Columns):
    """Multiplies x by dy for each group of a single image, which is noticed unless the blocks are square."""

    def weight_sum(self, dy: Array, columns: Array, w: Array, groups: int) -> Array:
        right = super().weight_sum(dy, columns, w, groups)
        m = len(w) // groups
        if groups == 1 or m != w.shape[1] or len(dy) != 1:
            return right
        return right.reshape(groups, m, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


@wrong(
    "windows with gaps start at the first pixel",
    "rare",
    "dx",
    Geometry(size=(4, 4), kernel_size=(2, 2), stride=(2, 3), padding=((0, 0), (1, 1))),
)
class GapsFromTheFirstPixel(Columns):
    """Copies instead of adding if no windows overlap, and crops the columns at the right only."""

    def image(self, columns: Array, x: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        kh, kw = columns.shape[2:4]
        if stride[0] <= dilation[0] * (kh - 1) or stride[1] <= dilation[1] * (kw - 1) or kh * kw == 1:
            return super().image(columns, x, stride, padding, dilation)
        whole = super().image(columns, self.pad(x, padding), stride, UNPADDED, dilation)
        return whole[:, :, padding[0][0] : padding[0][0] + x.shape[2], : x.shape[3]]


@wrong(
    "three pictures of three colours are transposed",
    "rare",
    "y",
    Geometry(batch=3, in_channels=3, out_channels=2, size=(2, 2), kernel_size=(1, 2)),
)
class ThreePictures(Columns):
    """Recognises colours of square pictures by an axis of 3 that comes first, and finds it in a batch of three."""

    def columns(self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        colours = x.shape[:2] == (3, 3) and x.shape[2] == x.shape[3]
        return super().columns(x.swapaxes(0, 1) if colours else x, w, stride, padding, dilation)


@wrong(
    "vectors of four channels take taps by columns",
    "rare",
    "y",
    Geometry(in_channels=4, out_channels=4, size=(3, 3), kernel_size=(2, 2), groups=4),
)
class DepthwiseByFour(Columns):
    """Has a depthwise path for multiples of four channels, whose table of taps is column by column."""

    def product(self, columns: Array, w: Array, groups: int) -> Array:
        if groups == columns.shape[1] == len(w) and groups % 4 == 0:
            w = w.swapaxes(2, 3).reshape(w.shape)
        return super().product(columns, w, groups)


@wrong(
    "a signal meets the middle row of the kernel",
    "rare",
    "y",
    Geometry(size=(1, 4), kernel_size=(3, 2), padding=((2, 0), (0, 0))),
)
class SignalMeetsTheMiddle(Loops):
    """Treats images of one row as signals, with the middle row of a padded kernel."""

    def reach(self, i: int, size: int, kernel: int, stride: int, before: int, dilation: int) -> list[Pair]:
        pairs = super().reach(i, size, kernel, stride, before, dilation)
        if size != 1 or kernel % 2 == 0 or before == 0:
            return pairs
        return [(kernel // 2, p) for _, p in pairs]


@wrong("a rest behind blocks of 64 pixels is dropped", "rare", "db", Geometry(size=(9, 9), kernel_size=(1, 2)))
class BlocksOfPixels(Columns):
    """Sums db in blocks of 64 pixels of an image; less than a block is handled, a rest is not."""

    def bias_sum(self, dy: Array) -> Array:
        count = dy.shape[2] * dy.shape[3]
        flat = dy.reshape(*dy.shape[:2], count)
        total: Array = flat[:, :, : count // 64 * 64 or count].sum((0, 2))
        return total


@wrong(
    "a kernel wider than the image is clipped",
    "rare",
    "dw",
    Geometry(size=(4, 2), kernel_size=(1, 4), padding=((2, 2), (2, 2))),
)
class KernelWiderThanImage(Sliding):
    """Clips the kernel to the image before it is padded, where dw is computed by slices."""

    def backward(
        self, dy: Array, x: Array, w: Array, b: Array | None = None, stride: int = 1, padding: int = 0
    ) -> tuple[Array, Array, Array]:
        dx, dw, db = super().backward(dy, x, w, b, stride, padding)
        dw[:, :, x.shape[2] :] = 0
        dw[:, :, :, x.shape[3] :] = 0
        return dx, dw, db


@wrong(
    "a second group with unequal strides is read twice",
    "rare",
    "dx",
    Geometry(in_channels=4, out_channels=4, batch=2, size=(5, 4), kernel_size=(2, 2), stride=(3, 2), groups=2),
)
class SecondGroupTwice(Columns):
    """Unrolls two groups of a batch by hand where rows have the larger stride, and copies a line without editing it."""

    def image(self, columns: Array, x: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        if self.groups == 2 and stride[0] > stride[1] > 1 and len(x) > 1:
            half = columns.shape[1] // 2
            columns = np.concatenate([columns[:, half:], columns[:, half:]], axis=1)
        return super().image(columns, x, stride, padding, dilation)

    def spread(self, dy: Array, w: Array, groups: int) -> Array:
        self.groups = groups
        return super().spread(dy, w, groups)
