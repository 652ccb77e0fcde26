"""Right layers to be spoiled: the post's displays, nested loops, and im2col with a matrix product.

Each is written in small steps, so that a mutant replaces one.  `windows` has three more styles.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backproof.contract import Padding, Pair
from backproof.museum.foreign.entry import Array

UNPADDED: Padding = ((0, 0), (0, 0))


class Plain:
    """The post's layer: no options, everything by a valid cross-correlation of images."""

    ORIENTATION = "convolution"

    def correlate(self, images: Array, kernels: Array, axes: str) -> Array:
        """Valid cross-correlation; `axes` says what happens to the leading axes, as in "nc,oc->no"."""
        (kh, kw), (H, W) = kernels.shape[2:], images.shape[2:]
        OH, OW = H - kh + 1, W - kw + 1
        left, right, out = axes.replace("->", ",").split(",")
        total = np.zeros(1, images.dtype)
        for u, v in np.ndindex(kh, kw):
            window = images[:, :, u : u + OH, v : v + OW]
            total = total + np.einsum(f"{left}hw,{right}->{out}hw", window, kernels[:, :, u, v])
        return total

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        """`y`."""
        y = self.correlate(x, w[:, :, ::-1, ::-1], "nc,oc->no")
        return y if b is None else y + b[:, None, None]

    def input_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        """`dx`: the full cross-correlation of `dy` with the weights."""
        kh, kw = w.shape[2:]
        wide = np.pad(dy, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
        return self.correlate(wide, w, "no,oc->nc")

    def weight_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        """`dw`: the cross-correlation of `x` with `dy`, rotated."""
        return self.correlate(x.swapaxes(0, 1), dy.swapaxes(0, 1), "cn,on->oc")[:, :, ::-1, ::-1]

    def bias_gradient(self, dy: Array) -> Array:
        """`db`."""
        total: Array = dy.sum((0, 2, 3))
        return total


class Loops:
    """Nested loops over output pixels and taps, which leave out what lies outside the image."""

    ORIENTATION = "convolution"

    def reach(self, i: int, size: int, kernel: int, stride: int, before: int, dilation: int) -> list[Pair]:
        """The pairs (tap, pixel) that output `i` sees along one axis."""
        pairs = [(u, i * stride + (kernel - 1 - u) * dilation - before) for u in range(kernel)]
        return [(u, p) for u, p in pairs if 0 <= p < size]

    def size(self, size: int, kernel: int, stride: int, sides: Pair, dilation: int) -> int:
        """Number of outputs along one axis."""
        return (size + sum(sides) - dilation * (kernel - 1) - 1) // stride + 1

    def group(self, o: int, O: int, C: int, groups: int) -> list[int]:  # noqa: E741
        """The input channels that output channel `o` sees."""
        first = o // (O // groups) * (C // groups)
        return list(range(first, first + C // groups))

    def visits(
        self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair
    ) -> Iterator[tuple[int, int, int, int, int, int]]:
        """Every `(i, j, u, v, p, q)`: output pixel, tap, input pixel."""
        (H, W), (kh, kw) = x.shape[2:], w.shape[2:]
        for i in range(self.size(H, kh, stride[0], padding[0], dilation[0])):
            for j in range(self.size(W, kw, stride[1], padding[1], dilation[1])):
                for u, p in self.reach(i, H, kh, stride[0], padding[0][0], dilation[0]):
                    for v, q in self.reach(j, W, kw, stride[1], padding[1][0], dilation[1]):
                        yield i, j, u, v, p, q

    def forward(
        self, x: Array, w: Array, b: Array | None = None, *, stride: Pair, padding: Padding, dilation: Pair, groups: int
    ) -> Array:
        """`y`."""
        (N, C, H, W), (O, _, kh, kw) = x.shape, w.shape  # noqa: E741
        OH = self.size(H, kh, stride[0], padding[0], dilation[0])
        OW = self.size(W, kw, stride[1], padding[1], dilation[1])
        y = np.zeros((N, O, OH, OW), x.dtype)
        for i, j, u, v, p, q in self.visits(x, w, stride, padding, dilation):
            for o in range(O):
                y[:, o, i, j] += x[:, self.group(o, O, C, groups), p, q] @ w[o, :, u, v]
        return y if b is None else y + b[:, None, None]

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
        """`dx, dw, db`."""
        dx, dw = np.zeros(x.shape, x.dtype), np.zeros(w.shape, w.dtype)
        for i, j, u, v, p, q in self.visits(x, w, stride, padding, dilation):
            for o in range(len(w)):
                channels = self.group(o, len(w), x.shape[1], groups)
                dx[:, channels, p, q] += np.outer(dy[:, o, i, j], w[o, :, u, v])
                dw[o, :, u, v] += dy[:, o, i, j] @ x[:, channels, p, q]
        return dx, dw, dy.sum((0, 2, 3))


class Columns:
    """im2col, one matrix product for each group, and col2im."""

    ORIENTATION = "cross-correlation"

    def pad(self, x: Array, padding: Padding) -> Array:
        """Zeros around every image."""
        return np.pad(x, ((0, 0), (0, 0), *padding))

    def windows(
        self, padded: Array, kernel: Pair, stride: Pair, dilation: Pair
    ) -> Iterator[tuple[int, int, tuple[slice, slice]]]:
        """For each tap `(u, v)`: the pixels of the padded image that it meets."""
        (kh, kw), (sh, sw), (dh, dw) = kernel, stride, dilation
        rows = (padded.shape[2] - dh * (kh - 1) - 1) // sh * sh + 1
        columns = (padded.shape[3] - dw * (kw - 1) - 1) // sw * sw + 1
        for u, v in np.ndindex(kh, kw):
            yield u, v, (slice(u * dh, u * dh + rows, sh), slice(v * dw, v * dw + columns, sw))

    def columns(self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        """(N, C, kh, kw, OH, OW): what each tap sees at each output."""
        padded = self.pad(x, padding)
        kernel = (w.shape[2], w.shape[3])
        seen = [padded[:, :, r, c] for _, _, (r, c) in self.windows(padded, kernel, stride, dilation)]
        return np.stack(seen, axis=2).reshape(*x.shape[:2], *kernel, *seen[0].shape[2:])

    def flat(self, columns: Array, groups: int) -> Array:
        """(N, groups, C/groups * kh * kw, OH * OW)."""
        N, C, kh, kw, OH, OW = columns.shape
        return columns.reshape(N, groups, C // groups * kh * kw, OH * OW)

    def matrices(self, w: Array, groups: int) -> Array:
        """(groups, O/groups, C/groups * kh * kw)."""
        return w.reshape(groups, len(w) // groups, w[0].size)

    def by_group(self, dy: Array, groups: int) -> Array:
        """(N, groups, O/groups, OH * OW)."""
        N, O, OH, OW = dy.shape  # noqa: E741
        return dy.reshape(N, groups, O // groups, OH * OW)

    def product(self, columns: Array, w: Array, groups: int) -> Array:
        """(N, O, OH, OW): weights times columns."""
        OH, OW = columns.shape[4:]
        y: Array = self.matrices(w, groups) @ self.flat(columns, groups)
        return y.reshape(len(columns), len(w), OH, OW)

    def add_bias(self, y: Array, b: Array | None) -> Array:
        """The bias of each output channel."""
        return y if b is None else y + b[:, None, None]

    def weight_sum(self, dy: Array, columns: Array, w: Array, groups: int) -> Array:
        """`dw` from `dy` and the columns."""
        total: Array = (self.by_group(dy, groups) @ self.flat(columns, groups).swapaxes(2, 3)).sum(0)
        return total.reshape(w.shape)

    def spread(self, dy: Array, w: Array, groups: int) -> Array:
        """(N, C, kh, kw, OH, OW): the gradient of the columns."""
        flat: Array = self.matrices(w, groups).swapaxes(1, 2) @ self.by_group(dy, groups)
        return flat.reshape(len(dy), groups * w.shape[1], *w.shape[2:], *dy.shape[2:])

    def image(self, columns: Array, x: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        """`dx`: every column added where it was taken from."""
        (top, _), (left, _) = padding
        padded = np.zeros_like(self.pad(x, padding))
        kernel = (columns.shape[2], columns.shape[3])
        for u, v, (r, c) in self.windows(padded, kernel, stride, dilation):
            padded[:, :, r, c] += columns[:, :, u, v]
        return padded[:, :, top : top + x.shape[2], left : left + x.shape[3]]

    def bias_sum(self, dy: Array) -> Array:
        """`db`."""
        total: Array = dy.sum((0, 2, 3))
        return total

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
        """`y`."""
        return self.add_bias(self.product(self.columns(x, w, stride, padding, dilation), w, groups), b)

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
        groups: int = 1,
    ) -> tuple[Array, Array, Array]:
        """`dx, dw, db`."""
        dw = self.weight_sum(dy, self.columns(x, w, stride, padding, dilation), w, groups)
        dx = self.image(self.spread(dy, w, groups), x, stride, padding, dilation)
        return dx, dw, self.bias_sum(dy)
