"""State and memory: what survives a call, what is changed in place, and what is assumed about the layout."""

# ruff: noqa: D102 - the methods are described by the base; the class says what is wrong with them.
from __future__ import annotations

import numpy as np

from backproof.contract import Geometry, Padding, Pair
from backproof.museum.foreign.bases import UNPADDED, Columns, Plain
from backproof.museum.foreign.entry import Array, wrong

ONE = Geometry(size=(4, 5), kernel_size=(2, 3))
MANY = Geometry(batch=2, in_channels=3, out_channels=2, size=(4, 5), kernel_size=(2, 3))
SMALLER = Geometry(batch=2, in_channels=3, out_channels=2, size=(2, 3), kernel_size=(2, 2), padding=((1, 1), (1, 1)))


@wrong("forward flips the caller's weights", "state", "y", ONE)
class WeightsFlippedInPlace(Plain):
    """Flips the kernel in place and leaves it so; the result of this call is right."""

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        w[...] = w[:, :, ::-1, ::-1].copy()
        return super().forward(x, w[:, :, ::-1, ::-1], b)


@wrong("db is summed inside of dy", "state", "dx", MANY)
class BatchFoldedInPlace(Columns):
    """Folds the batch into its first image to save an array, before dx is computed from the same dy."""

    def weight_sum(self, dy: Array, columns: Array, w: Array, groups: int) -> Array:
        dw = super().weight_sum(dy, columns, w, groups)
        for image in dy[1:]:
            dy[0] += image
        return dw

    def bias_sum(self, dy: Array) -> Array:
        return super().bias_sum(dy[:1])


@wrong("columns are cached by shape", "state", "y", ONE, ONE)
class ColumnsCachedByShape(Columns):
    """Keeps the columns of an image, with the shapes and options as the key, without the image."""

    def __init__(self) -> None:
        self.known: dict[object, Array] = {}

    def columns(self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        key = (x.shape, w.shape, x.dtype, stride, padding, dilation)
        if key not in self.known:
            self.known[key] = super().columns(x, w, stride, padding, dilation)
        return self.known[key]


@wrong("columns are cached by address", "state", "y", ONE, ONE, refilled=True)
class ColumnsCachedByAddress(Columns):
    """Recognises an image by its address in memory, which the next image may have, too."""

    def __init__(self) -> None:
        self.key: object = None
        self.last: Array = np.zeros(0)

    def columns(self, x: Array, w: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        key = (x.ctypes.data, x.shape, x.strides, x.dtype, w.shape, stride, padding, dilation)
        if key != self.key:
            self.key, self.last = key, super().columns(x, w, stride, padding, dilation)
        return self.last


@wrong("the output is one buffer for all calls", "state", "y", ONE, ONE)
class OutputReused(Columns):
    """Writes into the array of the last call if it has the right shape, which the caller may still hold."""

    def __init__(self) -> None:
        self.y: Array = np.zeros(0)

    def add_bias(self, y: Array, b: Array | None) -> Array:
        if self.y.shape != y.shape or self.y.dtype != y.dtype:
            self.y = np.empty_like(y)
        self.y[...] = super().add_bias(y, b)
        return self.y


@wrong("dw adds up over calls", "state", "dw", ONE, ONE)
class GradientAccumulates(Plain):
    """Adds to the gradient of the call before, as frameworks do until one says `zero_grad`."""

    def __init__(self) -> None:
        self.dw: Array = np.zeros(0)

    def weight_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        dw = super().weight_gradient(dy, x, w)
        self.dw = self.dw + dw if self.dw.shape == dw.shape else dw
        return self.dw


@wrong("dx starts with what the last call left", "state", "dx", ONE, ONE)
class DxNotCleared(Columns):
    """Keeps the buffer for col2im and does not clear it."""

    def __init__(self) -> None:
        self.left: dict[object, Array] = {}

    def image(self, columns: Array, x: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        key = (x.shape, x.dtype)
        dx = super().image(columns, x, stride, padding, dilation) + self.left.get(key, 0)
        self.left[key] = dx
        return dx


@wrong("backward uses the columns of the last forward", "state", "dw", ONE, ONE)
class ColumnsOfTheLastForward(Columns):
    """Remembers one set of columns; the image that backward is given is not looked at."""

    def __init__(self) -> None:
        self.last: Array = np.zeros(0)

    def product(self, columns: Array, w: Array, groups: int) -> Array:
        self.last = columns
        return super().product(columns, w, groups)

    def weight_sum(self, dy: Array, columns: Array, w: Array, groups: int) -> Array:
        return super().weight_sum(dy, self.last if self.last.shape == columns.shape else columns, w, groups)


@wrong("the padding holds pixels of a larger image", "state", "y", MANY, SMALLER)
class BorderOfALargerImage(Columns):
    """Pads into a buffer that only grows; its border is as the last larger image left it."""

    def __init__(self) -> None:
        self.buffer: Array = np.zeros((0, 0, 0, 0))

    def pad(self, x: Array, padding: Padding) -> Array:
        (top, bottom), (left, right) = padding
        N, C, H, W = x.shape
        shape = (N, C, H + top + bottom, W + left + right)
        grown = tuple(max(sizes) for sizes in zip(shape, self.buffer.shape, strict=True))
        if grown != self.buffer.shape or self.buffer.dtype != x.dtype:
            self.buffer = np.zeros(grown, x.dtype)
        view = self.buffer[:N, :C, : shape[2], : shape[3]]
        view[:, :, top : top + H, left : left + W] = x
        return view


@wrong("the fourth call is tuned", "state", "dx", ONE, ONE, ONE, ONE)
class TunedAfterThreeCalls(Columns):
    """Chooses a faster algorithm once a shape was seen three times; that one takes the taps in reverse."""

    def __init__(self) -> None:
        self.seen: dict[object, int] = {}

    def spread(self, dy: Array, w: Array, groups: int) -> Array:
        key = (dy.shape, w.shape)
        self.seen[key] = self.seen.get(key, 0) + 1
        return super().spread(dy, w[:, :, ::-1, ::-1] if self.seen[key] > 3 else w, groups)


@wrong(
    "options of the first call are kept",
    "state",
    "y",
    ONE,
    Geometry(size=(4, 5), kernel_size=(2, 3), padding=((1, 1), (0, 0))),
)
class FirstOptionsKept(Columns):
    """Builds its plan for a kernel once; the padding is part of the plan, not of its key."""

    def __init__(self) -> None:
        self.plans: dict[object, Padding] = {}

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
        plan = self.plans.setdefault((x.shape, w.shape, stride, dilation, groups), padding)
        return super().forward(x, w, b, stride=stride, padding=plan, dilation=dilation, groups=groups)


@wrong("pixels in the order of memory", "layout", "y", MANY, layout="F")
class PixelsAsStored(Plain):
    """Flattens with `order="K"`, which is fast and right for arrays in C order."""

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        return super().forward(x.ravel(order="K").reshape(x.shape), w, b)


@wrong("dy goes through its bytes", "layout", "dw", MANY, layout="F")
class BytesOfDy(Plain):
    """Copies dy by `tobytes(order="A")`, which keeps Fortran order."""

    def weight_gradient(self, dy: Array, x: Array, w: Array) -> Array:
        copy = np.frombuffer(dy.tobytes(order="A"), dy.dtype).reshape(dy.shape)
        return super().weight_gradient(copy, x, w)


@wrong("dw is written into a copy", "layout", "dw", MANY, layout="F")
class WrittenIntoACopy(Columns):
    """Makes dw with `zeros_like`, in the order of w, and fills `dw.reshape(...)`, which may be a copy."""

    def weight_sum(self, dy: Array, columns: Array, w: Array, groups: int) -> Array:
        dw = np.zeros_like(w)
        dw.reshape(len(w), w[0].size)[...] = super().weight_sum(dy, columns, w, groups).reshape(len(w), w[0].size)
        return dw


@wrong("dx is added to a copy", "layout", "dx", MANY, layout="F")
class AddedToACopy(Columns):
    """Adds to `dx.ravel()`, a view of a C array and a copy of any other."""

    def image(self, columns: Array, x: Array, stride: Pair, padding: Padding, dilation: Pair) -> Array:
        dx = np.zeros_like(x)
        flat = dx.ravel()
        flat += super().image(columns, x, stride, padding, dilation).ravel()
        return dx


@wrong("weights in Fortran order are taken for transposed", "layout", "y", MANY, layout="F")
class FortranMeansRotated(Plain):
    """Saw only kernels from MATLAB in Fortran order, and undoes what MATLAB's `conv2` does."""

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        foreign = w.flags.f_contiguous and not w.flags.c_contiguous
        return super().forward(x, w[:, :, ::-1, ::-1] if foreign else w, b)
