"""The right pooling layer to be spoiled: what each place of the window sees, stacked, and put back for gradients."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backproof.contract import Padding, Pair
from backproof.museum.foreign.bases import Plain
from backproof.museum.foreign.entry import Array


class Pools(Plain):
    """Poolings beside the post's layer; padding never wins a maximum, and counts as zeros in an average."""

    def views(self, image: Array, kernel_size: Pair, stride: Pair, dilation: Pair) -> Iterator[Array]:
        """For each place of the window, row by row: a view of the pixels that it meets."""
        (kh, kw), (sh, sw), (dh, dw) = kernel_size, stride, dilation
        rows = (image.shape[2] - dh * (kh - 1) - 1) // sh * sh + 1
        columns = (image.shape[3] - dw * (kw - 1) - 1) // sw * sw + 1
        for u, v in np.ndindex(kh, kw):
            yield image[:, :, u * dh : u * dh + rows : sh, v * dw : v * dw + columns : sw]

    def padded(self, x: Array, padding: Padding, fill: float) -> Array:
        """The images with `fill` around them."""
        return np.pad(x, ((0, 0), (0, 0), *padding), constant_values=fill)

    def stack(self, x: Array, fill: float, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        """(kh * kw, N, C, OH, OW)."""
        return np.stack(list(self.views(self.padded(x, padding, fill), kernel_size, stride, dilation)))

    def unstack(
        self, stack: Array, x: Array, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair
    ) -> Array:
        """`dx`: every entry of the stack added where it was taken from."""
        image = self.padded(np.zeros_like(x), padding, 0)
        for view, piece in zip(self.views(image, kernel_size, stride, dilation), stack, strict=True):
            view += piece
        (top, _), (left, _) = padding
        return image[:, :, top : top + x.shape[2], left : left + x.shape[3]]

    def max_pool(self, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        """The largest pixel of each window."""
        best: Array = self.stack(x, -np.inf, kernel_size, stride, padding, dilation).max(0)
        return best

    def winners(self, stack: Array) -> Array:
        """Like the stack: whether an entry is the first largest of its window."""
        places = np.arange(len(stack)).reshape(-1, 1, 1, 1, 1)
        first: Array = stack.argmax(0) == places
        return first

    def max_pool_gradient(
        self, dy: Array, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair
    ) -> Array:
        """All of `dy` to the winner of each window."""
        won = self.winners(self.stack(x, -np.inf, kernel_size, stride, padding, dilation))
        return self.unstack(np.where(won, dy, 0), x, kernel_size, stride, padding, dilation)

    def sum_pool(self, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        """The sum of each window."""
        total: Array = self.stack(x, 0, kernel_size, stride, padding, dilation).sum(0)
        return total

    def sum_pool_gradient(
        self, dy: Array, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair
    ) -> Array:
        """`dy` to every pixel of each window."""
        count = kernel_size[0] * kernel_size[1]
        return self.unstack(np.stack([dy] * count), x, kernel_size, stride, padding, dilation)

    def average_pool(self, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        """The sum of each window over the number of its places."""
        total = self.sum_pool(x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
        return total / self.share(kernel_size)

    def share(self, kernel_size: Pair) -> int:
        """Among how many places an average is shared."""
        return kernel_size[0] * kernel_size[1]

    def average_pool_gradient(
        self, dy: Array, x: Array, *, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair
    ) -> Array:
        """An equal share of `dy` to every pixel of each window."""
        count = kernel_size[0] * kernel_size[1]
        pieces = np.stack([dy / count] * count)
        return self.unstack(pieces, x, kernel_size, stride, padding, dilation)
