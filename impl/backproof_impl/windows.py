"""Windows on one axis of an image, as the kernels want them: where each begins, and which pixels it reads from there.

The image is thought to have `before` zeros in front (a negative number cuts pixels off) and as many behind as are
read.  Window `i` begins at pixel `i * stride` of that, and its tap `taps[m]`, a row or column of the weights, reads
pixel `offsets[m]` from there.

The forward pass and the weight gradient have one such axis.  In the input gradient, the pixels `h` with the same
remainder of `(h + before) / stride` form a *phase*; they are reached by the same taps, and so are windows on `dy`
with stride 1::

    h + before = a*stride + phase    is read by tap u of output i = a - m(u),  where t(u)*dilation = m(u)*stride + phase

Of some axes of windows, such as those of all phases, the `joint` windows have the taps of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .geometry import Axis


@dataclass(frozen=True, slots=True)
class Windows:
    """`outputs` windows on an axis of `size` pixels."""

    size: int
    outputs: int
    stride: int
    before: int
    taps: tuple[int, ...]
    offsets: tuple[int, ...]

    @property
    def extent(self) -> int:
        """Number of pixels, zeros included, from the first to the last that is read."""
        return (self.outputs - 1) * self.stride + max(self.offsets) + 1

    @property
    def inside(self) -> bool:
        """Whether no window leaves the image."""
        return self.before <= 0 and self.extent - self.before <= self.size


def forward_windows(axis: Axis, flip: bool) -> Windows:
    """The windows of the forward pass."""
    taps = tuple(range(axis.kernel))
    offsets = tuple((axis.kernel - 1 - u if flip else u) * axis.dilation for u in taps)
    return Windows(axis.size, axis.outputs, axis.stride, axis.before, taps, offsets)


def phases(axis: Axis, flip: bool) -> Iterator[Windows | None]:
    """The windows on the outputs of every phase, the one of pixel 0 first; None where no tap reads it."""
    for first in range(min(axis.stride, axis.size)):
        a, phase = divmod(first + axis.before, axis.stride)
        steps = {
            u: t * axis.dilation // axis.stride
            for u, t in enumerate(reversed(range(axis.kernel)) if flip else range(axis.kernel))
            if t * axis.dilation % axis.stride == phase
        }
        if not steps:
            yield None
            continue
        before = max(steps.values()) - a
        offsets = tuple(before + a - m for m in steps.values())
        yield Windows(axis.outputs, -(-(axis.size - first) // axis.stride), 1, before, tuple(steps), offsets)


def every(windows: Windows, step: int) -> list[Windows]:
    """The windows in `step` parts: each `step`-th, beginning with the first, the second and so on."""
    stride = windows.stride
    return [
        Windows(
            windows.size, -(-(windows.outputs - i) // step), step * stride, windows.before - i * stride, windows.taps,
            windows.offsets,
        )
        for i in range(step)
    ]  # fmt: skip


def joint(phases: list[Windows]) -> Windows:
    """The windows that have the taps of all phases."""
    before = max(windows.before for windows in phases)
    offsets = sorted({before - windows.before + offset for windows in phases for offset in windows.offsets})
    outputs = max(windows.outputs for windows in phases)
    return Windows(phases[0].size, outputs, phases[0].stride, before, tuple(range(len(offsets))), tuple(offsets))
