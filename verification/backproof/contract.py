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

#: The four tensors that a convolution layer computes, in the order in which reports name them.
QUANTITIES = ("y", "dx", "dw", "db")


def output_size(size: int, kernel: int, stride: int, before: int, after: int, dilation: int) -> int:
    """Number of output pixels along one axis; 0 or less where no window fits.

    `floor((size + before + after - dilation*(kernel - 1) - 1) / stride) + 1`
    """
    return (size + before + after - dilation * (kernel - 1) - 1) // stride + 1


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

    @property
    def output_size(self) -> Pair:
        """`(OH, OW)`; an entry of 0 or less means that no window fits."""
        return output_sizes(self)

    @property
    def x_shape(self) -> Shape:
        """`(N, C, H, W)`."""
        return (self.batch, self.channels, *self.size)

    @property
    def y_shape(self) -> Shape:
        """`(N, C, OH, OW)`."""
        return (self.batch, self.channels, *self.output_size)

    def options(self) -> dict[str, Any]:
        """The keyword arguments of a call in canonical form."""
        return {
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
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
    g = geometry
    rows, columns = (
        output_size(g.size[a], g.kernel_size[a], g.stride[a], *g.padding[a], g.dilation[a]) for a in (0, 1)
    )
    return rows, columns


#: Of a call.
AnyGeometry: TypeAlias = Geometry | PoolGeometry | Points
