"""Known defects of JAX 0.10.2 (XLA) on the CPU: calls that the adapter `jax_lax` does not make.

Each has a program in `examples/defects` that shows it and decides by a calculation of its own.  The predicates were
swept against exact sums, with padding of all widths.

`input-gradient`   1,613 calls in float32: true of all 281 that were wrong and of 130 that were right, because which
                   windows XLA packs into vectors (here of 8 taps or more) is not modelled
`pool-gradient`    1,316 calls compiled: true of the 124 that were wrong and of no other
`nan-gradient`     depends on the data, not on the geometry: the adapter's function refuses NaN itself
"""

from __future__ import annotations

from typing import NamedTuple

from backproof.contract import Geometry, Pair, PoolGeometry, output_size
from backproof.targets.declarations import CallDescription, KnownDefect

#: Convolutions of more channels take another path in XLA (YNNPACK).
CHANNELS = 16

#: Floats in the narrowest vector of any machine: fewer taps are never packed.
VECTOR = 4


def _input_gradient(call: CallDescription) -> bool:
    """dx is a convolution that crops before the first pixel, at least as much as it pads after the last."""
    g = call.geometry
    if not isinstance(g, Geometry) or call.function != "backward" or call.dtype != "float32":
        return False
    if g.padding_mode != "zeros" or g.stride != (1, 1) or g.dilation != (1, 1):
        return False
    taps = g.out_channels // g.groups * g.kernel_size[0] * g.kernel_size[1]
    if max(g.in_channels, g.out_channels) > CHANNELS or taps < VECTOR:
        return False
    sides = [(k - 1 - before, k - 1 - after) for k, (before, after) in zip(g.kernel_size, g.padding, strict=True)]
    return all(low <= 0 and low + high <= 0 for low, high in sides) and any(high > 0 for _, high in sides)


def _pool_gradient(call: CallDescription) -> bool:
    """Some axis is taken for one on which every pixel meets its only window, which it does not."""
    g = call.geometry
    if not isinstance(g, PoolGeometry) or call.function not in ("sum_pool_gradient", "average_pool_gradient"):
        return False
    axes = [_Axis(*axis) for axis in zip(g.size, g.kernel_size, g.stride, g.padding, g.dilation, strict=True)]
    return all(axis.alone or axis.alike for axis in axes) and any(axis.alike and axis.missed for axis in axes)


class _Axis(NamedTuple):
    """One axis of a pooling."""

    size: int
    taps: int
    stride: int
    padding: Pair
    dilation: int

    @property
    def alone(self) -> bool:
        """Each pixel is a window."""
        return (self.taps, self.stride, self.padding) == (1, 1, (0, 0))

    @property
    def alike(self) -> bool:
        """One window, and dx is a window sum of its cotangent, padded alike at both sides by less than the kernel."""
        before, low = self.padding[0], self.dilation * (self.taps - 1) - self.padding[0]
        outputs = output_size(self.size, self.taps, self.stride, *self.padding, self.dilation)
        return outputs == 1 and low == self.size - 1 + before and low < self.taps

    @property
    def missed(self) -> bool:
        """Some pixel lies between the window's taps."""
        tapped = {tap * self.dilation - self.padding[0] for tap in range(self.taps)}
        return not tapped.issuperset(range(self.size))


KNOWN_DEFECTS = (
    KnownDefect(
        "input-gradient",
        "float32, padding wider than the kernel before the image and narrower after it: dx wrong",
        "examples/defects/jax_wide_padding_input_gradient.py",
        _input_gradient,
    ),
    KnownDefect(
        "pool-gradient",
        "compiled, dilated sum or average pooling with one window, some of whose pixels lie between its taps: dx wrong",
        "examples/defects/jax_dilated_pool_gradient.py",
        _pool_gradient,
    ),
    KnownDefect(
        "nan-gradient",
        "max pooling of windows with NaN: the cotangent goes to a pixel that y is not",
        "examples/defects/jax_nan_max_pool_gradient.py",
        lambda call: False,
    ),
)
