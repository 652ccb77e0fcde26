"""A plain right convolution in NumPy, in steps that a mutant replaces one at a time.

    y    image --pad--> frame --gather--> patches --correlate with taps--> y, + b
    dw   the same patches, --meet--> the cotangent of each
    dx   cotangent --spread over taps--> patches --scatter--> frame --crop--> image

The backward steps are the transposes of the forward ones: scatter of gather, crop of pad.  Written from `contract`
alone, and independent of the oracle and of the other targets.

Shapes, with g groups:  x (N, C, H, W)   frame (N, C, H + top + bottom, W + left + right)
patches (N, C, kh, kw, OH, OW)   w (O, C/g, kh, kw)   b (O,)   y, dy (N, O, OH, OW)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from backproof.contract import Padding, Pair, output_size

Array: TypeAlias = np.ndarray[Any, Any]

NO_PADDING: Padding = ((0, 0), (0, 0))


@dataclass(frozen=True, slots=True)
class Options:
    """The keyword arguments of a call."""

    stride: Pair = (1, 1)
    padding: Padding = NO_PADDING
    dilation: Pair = (1, 1)
    groups: int = 1
    padding_mode: str = "zeros"
    orientation: str = "convolution"


# ---- steps


def outputs_of(size: Pair, kernel: Pair, o: Options) -> Pair:
    """`(OH, OW)`.

    Raises:
        ValueError: No window fits.
    """
    rows, columns = (output_size(size[a], kernel[a], o.stride[a], *o.padding[a], o.dilation[a]) for a in (0, 1))
    if rows < 1 or columns < 1:
        raise ValueError(
            f"no window fits: an image of {size[0]} x {size[1]} with padding {o.padding} is smaller than "
            f"a kernel of {kernel[0]} x {kernel[1]} with dilation {o.dilation}; pass a larger image, or more padding"
        )
    return rows, columns


def pad(x: Array, o: Options, fill: float = 0.0) -> Array:
    """The frame: the image with `fill`, or with itself all around."""
    if o.padding_mode == "zeros":
        return np.pad(x, ((0, 0), (0, 0), *o.padding), constant_values=fill)
    rows, columns = _wrapped(x.shape[2:], o)
    return x[:, :, rows[:, None], columns]


def crop(frame: Array, size: Pair, o: Options) -> Array:
    """The part of a frame's gradient that is the image's."""
    (height, width), (top, left) = size, (o.padding[0][0], o.padding[1][0])
    if o.padding_mode == "zeros":
        return frame[:, :, top : top + height, left : left + width].copy()
    image = np.zeros((*frame.shape[:2], height, width), frame.dtype)
    rows, columns = _wrapped(size, o)
    index: Any = (slice(None), slice(None), rows[:, None], columns)
    np.add.at(image, index, frame)
    return image


def gather(frame: Array, kernel: Pair, outputs: Pair, o: Options) -> Array:
    """`patches[n, c, u, v, i, j] = frame[n, c, i*sh + u*dh, j*sw + v*dw]`."""
    return frame[:, :, *_grid(kernel, outputs, o)]


def scatter(patches: Array, size: Pair, o: Options) -> Array:
    """The transpose of `gather`, into a frame of `size`."""
    frame = np.zeros((*patches.shape[:2], *size), patches.dtype)
    index: Any = (slice(None), slice(None), *_grid(patches.shape[2:4], patches.shape[4:], o))
    np.add.at(frame, index, patches)
    return frame


def taps(w: Array, o: Options) -> Array:
    """`w` in the order in which its taps meet the image; also the way back."""
    return w[:, :, ::-1, ::-1] if o.orientation == "convolution" else w


def split(a: Array, groups: int, axis: int = 1) -> Array:
    """Channels as `(groups, channels/groups)`."""
    return a.reshape(*a.shape[:axis], groups, a.shape[axis] // groups, *a.shape[axis + 1 :])


def merge(a: Array, axis: int = 1) -> Array:
    """The inverse of `split`."""
    return a.reshape(*a.shape[:axis], a.shape[axis] * a.shape[axis + 1], *a.shape[axis + 2 :])


def correlate(patches: Array, in_order: Array, groups: int) -> Array:
    """`y` without bias, from patches and taps."""
    return merge(np.einsum("ngcuvij,gocuv->ngoij", split(patches, groups), split(in_order, groups, 0)))


def meet(patches: Array, dy: Array, groups: int) -> Array:
    """The gradient of the taps, from patches and the cotangent."""
    return merge(np.einsum("ngcuvij,ngoij->gocuv", split(patches, groups), split(dy, groups)), 0)


def spread(dy: Array, in_order: Array, groups: int) -> Array:
    """The gradient of the patches, from the cotangent and the taps."""
    return merge(np.einsum("ngoij,gocuv->ngcuvij", split(dy, groups), split(in_order, groups, 0)))


def frame_size(size: Pair, o: Options) -> Pair:
    """Height and width of the frame."""
    return size[0] + sum(o.padding[0]), size[1] + sum(o.padding[1])


def _grid(kernel: Pair, outputs: Pair, o: Options) -> tuple[Array, Array]:
    rows, columns = (
        np.add.outer(np.arange(kernel[a]) * o.dilation[a], np.arange(outputs[a]) * o.stride[a]) for a in (0, 1)
    )
    return rows[:, None, :, None], columns[None, :, None, :]


def _wrapped(size: Pair, o: Options) -> tuple[Array, Array]:
    rows, columns = (np.arange(-o.padding[a][0], size[a] + o.padding[a][1]) % size[a] for a in (0, 1))
    return rows, columns


# ---- the layer


class Convolution:
    """The canonical functions; each only collects its options, and calls `_y`, `_dx`, `_dw` or `_db`.

    Results have the dtype of the operands, and sums are taken in it.
    """

    DTYPES = ("float32", "float64")

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        """The output."""
        outputs = outputs_of(x.shape[2:], w.shape[2:], o)
        y = correlate(gather(pad(x, o), w.shape[2:], outputs, o), taps(w, o), o.groups)
        return y if b is None else y + b[:, None, None]

    def _dx(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        """The gradient of the image."""
        return self._crop(self._frame(dy, x, w, o), x.shape[2:], o)

    def _frame(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        """The gradient of the frame."""
        return scatter(spread(dy, taps(w, o), o.groups), frame_size(x.shape[2:], o), o)

    def _crop(self, frame: Array, size: Pair, o: Options) -> Array:
        """From the frame to the image."""
        return crop(frame, size, o)

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        """The gradient of the weights."""
        return taps(meet(gather(pad(x, o), w.shape[2:], dy.shape[2:], o), dy, o.groups), o)

    def _db(self, dy: Array) -> Array:
        """The gradient of the bias."""
        db: Array = dy.sum((0, 2, 3))
        return db

    def forward(
        self,
        x: Array,
        w: Array,
        b: Array | None = None,
        *,
        stride: Pair = (1, 1),
        padding: Padding = NO_PADDING,
        dilation: Pair = (1, 1),
        groups: int = 1,
        padding_mode: str = "zeros",
        orientation: str = "convolution",
    ) -> Array:
        """`y (N, O, OH, OW)`."""
        return self._y(x, w, b, Options(stride, padding, dilation, groups, padding_mode, orientation))

    def input_gradient(
        self,
        dy: Array,
        x: Array,
        w: Array,
        *,
        stride: Pair = (1, 1),
        padding: Padding = NO_PADDING,
        dilation: Pair = (1, 1),
        groups: int = 1,
        padding_mode: str = "zeros",
        orientation: str = "convolution",
    ) -> Array:
        """`dx`, shaped like `x`."""
        return self._dx(dy, x, w, Options(stride, padding, dilation, groups, padding_mode, orientation))

    def weight_gradient(
        self,
        dy: Array,
        x: Array,
        w: Array,
        *,
        stride: Pair = (1, 1),
        padding: Padding = NO_PADDING,
        dilation: Pair = (1, 1),
        groups: int = 1,
        padding_mode: str = "zeros",
        orientation: str = "convolution",
    ) -> Array:
        """`dw`, shaped like `w`."""
        return self._dw(dy, x, w, Options(stride, padding, dilation, groups, padding_mode, orientation))

    def bias_gradient(self, dy: Array) -> Array:
        """`db (O,)`."""
        return self._db(dy)

    def backward(
        self,
        dy: Array,
        x: Array,
        w: Array,
        b: Array | None = None,
        *,
        stride: Pair = (1, 1),
        padding: Padding = NO_PADDING,
        dilation: Pair = (1, 1),
        groups: int = 1,
        padding_mode: str = "zeros",
        orientation: str = "convolution",
    ) -> tuple[Array, Array, Array | None]:
        """`dx, dw, db`; `db` is None where `b` is."""
        o = Options(stride, padding, dilation, groups, padding_mode, orientation)
        return self._dx(dy, x, w, o), self._dw(dy, x, w, o), None if b is None else self._db(dy)
