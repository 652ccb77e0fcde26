"""What an implementation computes: geometries, tensors and the names of the functions (plain data).

A *geometry* fixes every shape of one convolution::

    x  (N, C, H, W)            input                 NCHW
    w  (O, C/groups, kh, kw)   weights               OIHW
    b  (O,)                    bias, or None
    y  (N, O, OH, OW)          output,  OH = floor((H + top + bottom - dh*(kh - 1) - 1) / sh) + 1
    dy shaped like y           cotangent of y
    dx, dw, db                 shaped like x, w, b

`y[n, o, i, j]` sums `x[n, q, i*sh + t(u)*dh - top, ...] * w[o, c, u, v]` with `t(u) = kh - 1 - u` for a convolution
(the post's) and `t(u) = u` for a cross-correlation (every framework's).  What lies outside `x` is 0 with
`padding_mode="zeros"`, and is read modulo H and W with `"circular"`.

A *pooling* has the windows of a cross-correlation, channel by channel.  Its clauses:

    sum        padding is 0
    average    the sum over kh*kw; with count_include_pad=False over the pixels inside the image (a window without any
               would be 0/0: such geometries are asked of nobody)
    max        padding is minus infinity, and takes no part: a window without pixels gives -inf, and its cotangent goes
               nowhere.  The first maximum, row by row, receives the cotangent; -inf may be one (left open is a window
               that reaches into the padding, where -inf ties with it)
    NaN        in a window it wins the maximum, and receives the cotangent; a sum or an average of it is NaN
    overlaps   a pixel collects the cotangents of all its windows; where it has none, dx is 0
    ceil_mode  along each axis one window more, where the stride leaves a remainder and the window starts in the image
               or in the padding before it.  It may overhang the padded image: what lies out there counts nowhere, not
               even in the divisor

A target that shares or places the cotangents of ties otherwise, or divides otherwise, declares its `PoolConventions`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

Orientation: TypeAlias = Literal["convolution", "cross-correlation"]
PaddingMode: TypeAlias = Literal["zeros", "circular"]
Pair: TypeAlias = tuple[int, int]
Padding: TypeAlias = tuple[Pair, Pair]
Shape: TypeAlias = tuple[int, ...]

ORIENTATIONS: tuple[Orientation, ...] = ("convolution", "cross-correlation")
PADDING_MODES: tuple[PaddingMode, ...] = ("zeros", "circular")
DTYPES = ("float32", "float64")
#: The kinds of pooling.
POOLINGS = ("max", "average", "sum")

#: The four tensors that a convolution layer computes, in the order in which reports name them.
QUANTITIES = ("y", "dx", "dw", "db")


def output_size(size: int, kernel: int, stride: int, before: int, after: int, dilation: int) -> int:
    """Number of output pixels along one axis; 0 or less where no window fits.

    `floor((size + before + after - dilation*(kernel - 1) - 1) / stride) + 1`
    """
    return (size + before + after - dilation * (kernel - 1) - 1) // stride + 1


def overhangs(size: int, kernel: int, stride: int, before: int, after: int, dilation: int) -> bool:
    """Whether ceil mode has a window more than `output_size` says."""
    fitting = output_size(size, kernel, stride, before, after, dilation)
    rounded_up = -((dilation * (kernel - 1) + 1 - size - before - after) // stride) + 1
    return fitting < rounded_up and 0 <= fitting * stride < size + before


@dataclass(frozen=True, slots=True)
class PoolConventions:
    """What a target's poolings do where libraries differ; the defaults are the clauses above.

    `ties`: which of a window's maxima receives its cotangent: the "first" or "last" row by row, "split" into equal
    shares, or "any" one of them.  `divisor` of an average without the option count_include_pad: "kernel" is kh*kw,
    "valid" the number of pixels inside the image.
    """

    ties: Literal["first", "last", "split", "any"] = "first"
    divisor: Literal["kernel", "valid"] = "kernel"


#: What PyTorch, JAX and `backproof_impl` do.
FRAMEWORKS = PoolConventions()


@dataclass(frozen=True, slots=True)
class Geometry:
    """Every shape and option of one convolution; `padding` is `((top, bottom), (left, right))`."""

    batch: int = 1
    in_channels: int = 1
    out_channels: int = 1
    size: Pair = (1, 1)
    kernel_size: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: Padding = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    groups: int = 1
    padding_mode: PaddingMode = "zeros"
    orientation: Orientation = "convolution"
    bias: bool = True

    @property
    def output_size(self) -> Pair:
        """`(OH, OW)`; an entry of 0 or less means that no window fits."""
        return output_sizes(self)

    @property
    def x_shape(self) -> Shape:
        """`(N, C, H, W)`."""
        return (self.batch, self.in_channels, *self.size)

    @property
    def w_shape(self) -> Shape:
        """`(O, C/groups, kh, kw)`."""
        return (self.out_channels, self.in_channels // self.groups, *self.kernel_size)

    @property
    def b_shape(self) -> Shape:
        """`(O,)`."""
        return (self.out_channels,)

    @property
    def y_shape(self) -> Shape:
        """`(N, O, OH, OW)`."""
        return (self.batch, self.out_channels, *self.output_size)

    def shape_of(self, quantity: str) -> Shape:
        """Shape of `y`, `dx`, `dw` or `db` (and of `x`, `w`, `b`, `dy`).

        Where this is the layer above c: of `delta`, `c`, `da`, and `delta_next`, `w_next`.
        """
        shapes = {"x": self.x_shape, "w": self.w_shape, "b": self.b_shape, "y": self.y_shape}
        below = dict.fromkeys(("delta", "c", "da"), self.x_shape)
        above = {"delta_next": self.y_shape, "w_next": self.w_shape}
        return (shapes | {f"d{name}": shape for name, shape in shapes.items()} | below | above)[quantity]

    def options(self) -> dict[str, Any]:
        """The keyword arguments of a call in canonical form."""
        return {
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "groups": self.groups,
            "padding_mode": self.padding_mode,
            "orientation": self.orientation,
        }

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for events."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PoolGeometry:
    """Every shape and option of one pooling; `padding` is `((top, bottom), (left, right))`."""

    kind: Literal["max", "average", "sum"] = "max"
    batch: int = 1
    channels: int = 1
    size: Pair = (1, 1)
    kernel_size: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: Padding = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    ceil_mode: bool = False
    count_include_pad: bool = True

    @property
    def output_size(self) -> Pair:
        """`(OH, OW)`; an entry of 0 or less means that no window fits."""
        rows, columns = output_sizes(self)
        if not self.ceil_mode:
            return rows, columns
        more = [overhangs(*axis) for axis in _axes(self)]
        return rows + more[0], columns + more[1]

    @property
    def divides_by_zero(self) -> bool:
        """Whether it is an average over pixels, and some window has none."""
        return self.kind == "average" and not self.count_include_pad and self.empty_windows

    @property
    def empty_windows(self) -> bool:
        """Whether some window lies wholly in the padding."""
        return any(
            not any(0 <= i * stride - before + tap * dilation < size for tap in range(kernel))
            for (size, kernel, stride, before, _, dilation), count in zip(_axes(self), self.output_size, strict=True)
            for i in range(count)
        )

    @property
    def x_shape(self) -> Shape:
        """`(N, C, H, W)`."""
        return (self.batch, self.channels, *self.size)

    @property
    def y_shape(self) -> Shape:
        """`(N, C, OH, OW)`."""
        return (self.batch, self.channels, *self.output_size)

    def shape_of(self, quantity: str) -> Shape:
        """Shape of `y` and `dx` (and of `x` and `dy`)."""
        return self.y_shape if quantity.removeprefix("d") == "y" else self.x_shape

    def options(self) -> dict[str, Any]:
        """The keyword arguments of a call in canonical form; switches where they are set: few functions have them."""
        switches = {"ceil_mode": True} if self.ceil_mode else {}
        if self.kind == "average" and not self.count_include_pad:
            switches["count_include_pad"] = False
        return {
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            **switches,
        }

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for events."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Points:
    """What is computed entry by entry, on arrays of one shape: activations, the output delta, the error."""

    shape: Shape = (1,)

    @property
    def batch(self) -> int:
        """The size of the first axis."""
        return self.shape[0] if self.shape else 1

    @property
    def kernel_size(self) -> Pair:
        """Of one entry."""
        return 1, 1

    @property
    def y_shape(self) -> Shape:
        """That of every array."""
        return self.shape

    @property
    def x_shape(self) -> Shape:
        """That of every array."""
        return self.shape

    def options(self) -> dict[str, Any]:
        """None."""
        return {}

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for events."""
        return asdict(self)


def output_sizes(geometry: Geometry | PoolGeometry) -> Pair:
    """`output_size` along rows and columns."""
    rows, columns = (output_size(*axis) for axis in _axes(geometry))
    return rows, columns


def _axes(g: Geometry | PoolGeometry) -> list[tuple[int, int, int, int, int, int]]:
    """What `output_size` takes, of rows and columns."""
    return [(g.size[a], g.kernel_size[a], g.stride[a], *g.padding[a], g.dilation[a]) for a in (0, 1)]


#: Of a call.
AnyGeometry: TypeAlias = Geometry | PoolGeometry | Points
