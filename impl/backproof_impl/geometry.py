"""Windows that slide over an image: their options, how many fit, and which pixel every tap reads.

Stride, padding, dilation, wrapping and orientation matter in one place only, `Axis.source`.  Tap `u` of
output `i` reads pixel::

    i * stride + t(u) * dilation - before      with t(u) = kernel - 1 - u for a convolution,
                                                    t(u) = u for a cross-correlation

The options come as users write them: one int for both axes, a pair (rows, columns), or, for the padding,
((top, bottom), (left, right)).
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from .arrays import IntArray

Orientation: TypeAlias = Literal["convolution", "cross-correlation"]
PaddingMode: TypeAlias = Literal["zeros", "circular"]
Algorithm: TypeAlias = Literal["direct", "winograd", "winograd-2x2"]
Pair: TypeAlias = tuple[int, int]
IntOrPair: TypeAlias = int | Sequence[int]
Padding: TypeAlias = int | Sequence[int] | Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of an image of `size` pixels, and the windows of `kernel` taps on it."""

    size: int
    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    ceil: bool = False

    @property
    def outputs(self) -> int:
        """Number of windows: `floor((size + before + after - dilation*(kernel - 1) - 1) / stride) + 1`.

        With `ceil` one more where that leaves a remainder, unless it would start after the image.
        """
        room = self.size + self.before + self.after - self.extent
        fitting, rounded_up = room // self.stride + 1, -(-room // self.stride) + 1
        starts = 0 <= fitting * self.stride < self.size + self.before
        return rounded_up if self.ceil and starts else fitting

    @property
    def extent(self) -> int:
        """Number of pixels from a window's first to its last tap, both included."""
        return self.dilation * (self.kernel - 1) + 1

    def unrolled(self) -> Axis:
        """The axis of an image that has its padding already."""
        return Axis(self.before + self.size + self.after, self.kernel, self.stride, dilation=self.dilation)

    def repeated(self) -> IntArray:
        """The pixel that each one of the image with circular padding shows."""
        return (np.arange(self.before + self.size + self.after, dtype=np.intp) - self.before) % self.size

    def source(self, *, wrap: bool = False, flip: bool = False) -> IntArray:
        """Table `(kernel, outputs)`: the pixel that tap `u` of output `i` reads, or -1 where that is padding.

        `wrap` reads modulo the size, and then nothing is padding; `flip` reverses the taps.
        """
        pixels = self._pixels()[::-1] if flip else self._pixels()
        if wrap:
            return pixels % self.size
        return np.where((pixels >= 0) & (pixels < self.size), pixels, -1)

    def taps_inside(self, *, padding: bool) -> IntArray:
        """How many taps of every output lie in the image, with `padding` in the image and its padding."""
        pixels = self._pixels()
        first, end = (-self.before, self.size + self.after) if padding else (0, self.size)
        counts: IntArray = ((pixels >= first) & (pixels < end)).sum(axis=0)
        return counts

    def _pixels(self) -> IntArray:
        """Table `(kernel, outputs)`: where tap `u` of output `i` lies, in the image or not."""
        taps = np.arange(self.kernel, dtype=np.intp) * self.dilation
        starts = np.arange(self.outputs, dtype=np.intp) * self.stride - self.before
        return taps[:, np.newaxis] + starts


def make_axes(
    size: Sequence[int],
    kernel_size: Sequence[int],
    stride: IntOrPair,
    padding: Padding,
    dilation: IntOrPair,
    ceil: bool = False,
) -> tuple[Axis, Axis]:
    """Return the axes of rows and of columns, with at least one window each.

    Raises TypeError or ValueError for options that mean nothing, and ValueError where no window fits.
    """
    strides = parse_pair("stride", stride)
    dilations = parse_pair("dilation", dilation)
    (top, bottom), (left, right) = parse_padding(padding)
    rows = Axis(size[0], kernel_size[0], strides[0], top, bottom, dilations[0], ceil)
    columns = Axis(size[1], kernel_size[1], strides[1], left, right, dilations[1], ceil)
    _check_fit("row", rows)
    _check_fit("column", columns)
    return rows, columns


def _check_fit(name: str, axis: Axis) -> None:
    if axis.kernel < 1:
        raise ValueError(f"the kernel must have at least 1 {name}, got {axis.kernel}")
    available = axis.size + axis.before + axis.after
    if axis.outputs < 1:
        raise ValueError(
            f"no window fits: it spans {axis.extent} {name}s (kernel {axis.kernel}, dilation "
            f"{axis.dilation}), but x has {available} ({axis.size} + padding {axis.before} + {axis.after}); "
            "pass a larger image, more padding, a smaller kernel or a smaller dilation"
        )


def parse_pair(name: str, value: IntOrPair) -> Pair:
    """Return `(value, value)` for an int, and a pair as it is; every entry must be at least 1.

    Raises TypeError for anything else, ValueError for an entry below 1.
    """
    try:
        pair = _as_pair(value)
    except TypeError:
        raise TypeError(f"{name} must be an int or a pair of ints (rows, columns), got {value!r}") from None
    if min(pair) < 1:
        raise ValueError(f"{name} must be at least 1, got {value!r}")
    return pair


def parse_padding(padding: Padding) -> tuple[Pair, Pair]:
    """Return `((top, bottom), (left, right))` for an int, `(ph, pw)`, or this full form.

    Raises TypeError for anything else, ValueError for a negative entry.
    """
    try:
        rows, columns = (padding, padding) if _is_int(padding) else tuple(padding)  # type: ignore[arg-type]
        pairs = _as_pair(rows), _as_pair(columns)
    except (TypeError, ValueError):
        raise TypeError(
            f"padding must be an int, (ph, pw) or ((top, bottom), (left, right)), got {padding!r}"
        ) from None
    if min(min(pair) for pair in pairs) < 0:
        raise ValueError(f"padding must be at least 0, got {padding!r}; crop x instead")
    return pairs


def parse_count(name: str, value: int) -> int:
    """Return `value` as an int of at least 1; raises TypeError or ValueError."""
    if not _is_int(value):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")
    return int(value)


def check_flag(name: str, value: object) -> None:
    """Require True or False; raises TypeError."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {value!r}")


def check_groups(in_channels: int, out_channels: int, groups: int) -> None:
    """Require that `groups` divides both numbers of channels; raises ValueError."""
    for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        if channels % groups:
            raise ValueError(f"{name} (={channels}) must be divisible by groups (={groups})")


def check_choice(name: str, value: str, choices: Any) -> None:
    """Require one of the strings in the Literal `choices`; raises ValueError listing them."""
    if value not in get_args(choices):
        raise ValueError(f"{name} must be {' or '.join(map(repr, get_args(choices)))}, got {value!r}")


def _is_int(value: object) -> bool:
    """Whether `value` is an integer of Python or NumPy; True and False are not."""
    return hasattr(value, "__index__") and not isinstance(value, bool | np.bool_ | np.ndarray)


def _as_pair(value: Any) -> Pair:
    """Return two ints; raises TypeError where `value` is neither an int nor a pair of ints."""
    entries = (value, value) if _is_int(value) else tuple(value)
    if len(entries) != 2 or not all(map(_is_int, entries)):
        raise TypeError
    return operator.index(entries[0]), operator.index(entries[1])
