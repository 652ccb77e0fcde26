"""Right layers to be spoiled, continued: shifted windows with einsum, index arrays, and `sliding_window_view`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from backproof.contract import Orientation, Padding, PaddingMode, Pair
from backproof.museum.foreign.bases import UNPADDED
from backproof.museum.foreign.entry import Array


class Shifted:
    """One einsum for each tap, over a shifted window of the padded image; a gradient has a function of its own."""

    ORIENTATION = "cross-correlation"

    def padded(self, x: Array, padding: Pair) -> Array:
        """Zeros around every image, as many above as below."""
        ph, pw = padding
        return np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))

    def window(self, image: Array, tap: Pair, out: Pair, stride: Pair, dilation: Pair) -> Array:
        """A view: the pixels that one tap meets."""
        rows, columns = (
            slice(tap[a] * dilation[a], tap[a] * dilation[a] + (out[a] - 1) * stride[a] + 1, stride[a]) for a in (0, 1)
        )
        return image[:, :, rows, columns]

    def out(self, x: Array, w: Array, stride: Pair, padding: Pair, dilation: Pair) -> Pair:
        """`(OH, OW)`."""
        (H, W), (kh, kw) = x.shape[2:], w.shape[2:]
        rows = (H + 2 * padding[0] - dilation[0] * (kh - 1) - 1) // stride[0] + 1
        return rows, (W + 2 * padding[1] - dilation[1] * (kw - 1) - 1) // stride[1] + 1

    def forward(
        self, x: Array, w: Array, b: Array, stride: Pair = (1, 1), padding: Pair = (0, 0), dilation: Pair = (1, 1)
    ) -> Array:
        """`y`."""
        out = self.out(x, w, stride, padding, dilation)
        y = np.zeros((len(x), len(w), *out), x.dtype) + b[:, None, None]
        image = self.padded(x, padding)
        for u, v in np.ndindex(w.shape[2], w.shape[3]):
            y += np.einsum("ncij,oc->noij", self.window(image, (u, v), out, stride, dilation), w[:, :, u, v])
        return y

    def input_gradient(
        self, dy: Array, x: Array, w: Array, stride: Pair = (1, 1), padding: Pair = (0, 0), dilation: Pair = (1, 1)
    ) -> Array:
        """`dx`."""
        out = (dy.shape[2], dy.shape[3])
        image = np.zeros_like(self.padded(x, padding))
        for u, v in np.ndindex(w.shape[2], w.shape[3]):
            window = self.window(image, (u, v), out, stride, dilation)
            window += np.einsum("noij,oc->ncij", dy, w[:, :, u, v])
        return image[:, :, padding[0] :, padding[1] :][:, :, : x.shape[2], : x.shape[3]]

    def weight_gradient(
        self, dy: Array, x: Array, w: Array, stride: Pair = (1, 1), padding: Pair = (0, 0), dilation: Pair = (1, 1)
    ) -> Array:
        """`dw`."""
        out = (dy.shape[2], dy.shape[3])
        image, dw = self.padded(x, padding), np.zeros(w.shape, w.dtype)
        for u, v in np.ndindex(w.shape[2], w.shape[3]):
            dw[:, :, u, v] = np.einsum("noij,ncij->oc", dy, self.window(image, (u, v), out, stride, dilation))
        return dw

    def bias_gradient(self, dy: Array) -> Array:
        """`db`."""
        total: Array = np.einsum("noij->o", dy)
        return total


class Indexed:
    """Index arrays say which pixel each tap of each output reads; both orientations and both padding modes."""

    def axis(self, size: int, kernel: int, stride: int, sides: Pair, dilation: int) -> Array:
        """(kernel, outputs): the pixel that a tap reads along one axis, maybe outside of the image."""
        outputs = (size + sum(sides) - dilation * (kernel - 1) - 1) // stride + 1
        return np.arange(kernel)[:, None] * dilation + np.arange(outputs) * stride - sides[0]

    def inside(self, index: Array, size: int, mode: PaddingMode) -> tuple[Array, Array]:
        """The index brought into the image, and whether the pixel counts."""
        if mode == "circular":
            return index % size, np.ones(index.shape, bool)
        return index.clip(0, size - 1), (index >= 0) & (index < size)

    def places(
        self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair, mode: PaddingMode
    ) -> tuple[Array, Array, Array]:
        """Rows (kh, OH, 1, 1), columns (kw, OW) and the mask (kh, OH, kw, OW)."""
        (H, W), (kh, kw) = x.shape[2:], w.shape[2:]
        rows, row_counts = self.inside(self.axis(H, kh, stride[0], padding[0], dilation[0]), H, mode)
        columns, column_counts = self.inside(self.axis(W, kw, stride[1], padding[1], dilation[1]), W, mode)
        return rows[:, :, None, None], columns, row_counts[:, :, None, None] & column_counts

    def turned(self, w: Array, orientation: Orientation) -> Array:
        """The kernel as a cross-correlation uses it; its own inverse."""
        return w[:, :, ::-1, ::-1] if orientation == "convolution" else w

    def collect(self, shape: tuple[int, ...], rows: Array, columns: Array, pieces: Array) -> Array:
        """`dx`: each piece added at its pixel, however often a pixel occurs."""
        dx = np.zeros(shape, pieces.dtype)
        pixels: Any = (slice(None), slice(None), rows, columns)
        np.add.at(dx, pixels, pieces)
        return dx

    def forward(
        self,
        x: Array,
        w: Array,
        b: Array | None = None,
        *,
        stride: Pair = (1, 1),
        padding: Padding = UNPADDED,
        dilation: Pair = (1, 1),
        padding_mode: PaddingMode = "zeros",
        orientation: Orientation = "convolution",
    ) -> Array:
        """`y`."""
        rows, columns, counts = self.places(x, w, stride, padding, dilation, padding_mode)
        patches = np.where(counts, x[:, :, rows, columns], 0)
        y: Array = np.einsum("ncuivj,ocuv->noij", patches, self.turned(w, orientation))
        return y if b is None else y + b[:, None, None]

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
        """`dx, dw, db`."""
        rows, columns, counts = self.places(x, w, stride, padding, dilation, padding_mode)
        patches = np.where(counts, x[:, :, rows, columns], 0)
        dw = self.turned(np.einsum("noij,ncuivj->ocuv", dy, patches), orientation)
        pieces = np.where(counts, np.einsum("noij,ocuv->ncuivj", dy, self.turned(w, orientation)), 0)
        return self.collect(x.shape, rows, columns, pieces), dw, dy.sum((0, 2, 3))


class Sliding:
    """`sliding_window_view` and tensordot; the gradients put zeros between the pixels of `dy`."""

    ORIENTATION = "cross-correlation"

    def padded(self, x: Array, padding: int) -> Array:
        """Zeros around every image."""
        return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))

    def apart(self, dy: Array, shape: Pair, stride: int) -> Array:
        """`dy` with zeros between its pixels, in an image of the given shape."""
        image = np.zeros((*dy.shape[:2], *shape), dy.dtype)
        image[:, :, ::stride, ::stride] = dy
        return image

    def forward(self, x: Array, w: Array, b: Array | None = None, stride: int = 1, padding: int = 0) -> Array:
        """`y`."""
        windows = sliding_window_view(self.padded(x, padding), w.shape[2:], axis=(2, 3))
        y = np.tensordot(windows[:, :, ::stride, ::stride], w, ((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)
        return y if b is None else y + b[:, None, None]

    def backward(
        self, dy: Array, x: Array, w: Array, b: Array | None = None, stride: int = 1, padding: int = 0
    ) -> tuple[Array, Array, Array]:
        """`dx, dw, db`."""
        kh, kw = w.shape[2:]
        image = self.padded(x, padding)
        d = self.apart(dy, (image.shape[2] - kh + 1, image.shape[3] - kw + 1), stride)
        dw = np.tensordot(d, sliding_window_view(image, d.shape[2:], axis=(2, 3)), ((0, 2, 3), (0, 4, 5)))
        wide = np.pad(d, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
        windows = sliding_window_view(wide, (kh, kw), axis=(2, 3))
        dx = np.tensordot(windows, w[:, :, ::-1, ::-1], ((1, 4, 5), (0, 2, 3))).transpose(0, 3, 1, 2)
        return self.cropped(dx, padding), dw, dy.sum((0, 2, 3))

    def cropped(self, image: Array, padding: int) -> Array:
        """The image without its padding."""
        return image[:, :, padding : image.shape[2] - padding, padding : image.shape[3] - padding]
