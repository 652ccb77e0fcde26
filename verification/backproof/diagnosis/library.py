"""Transformed specifications: common mistakes, one per line.

    before   changes what goes into the specification (the kernel, the options, the cotangent)
    after    changes what comes out of it

Arrays are int64; a transformation that makes no sense at a geometry raises ValueError, and is passed over there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backproof.cases.data import specified
from backproof.contract import Geometry

Array = NDArray[Any]
Arrays = dict[str, Array]
Before = Callable[[Geometry, Arrays], tuple[Geometry, Arrays]]
After = Callable[[Array, Geometry], Array]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A sentence and the formula that it describes.

    In the sentence, `{q}` stands for the quantity, `{this}` for the orientation asked for, `{other}` for the other one.
    """

    sentence: str
    quantities: tuple[str, ...]
    before: Before | None = None
    after: After | None = None

    def result(self, quantity: str, geometry: Geometry, arrays: Arrays) -> Array:
        """What the mistaken formula gives.

        Raises:
            ValueError: It has no meaning at this geometry.
        """
        given, changed = self.before(geometry, arrays) if self.before else (geometry, arrays)
        if given.y_shape != changed["dy"].shape or given.x_shape != geometry.x_shape:
            raise ValueError("another shape")
        result = specified(given, changed)[quantity]
        return self.after(result, geometry) if self.after else result


# --- before ---


def _with(role: str, change: Callable[[Array], Array]) -> Before:
    def before(geometry: Geometry, arrays: Arrays) -> tuple[Geometry, Arrays]:
        changed = np.ascontiguousarray(change(arrays[role]))
        if changed.shape != arrays[role].shape:
            raise ValueError("another shape")
        return geometry, {**arrays, role: changed}

    return before


def _option(change: Callable[[Geometry], dict[str, Any]]) -> Before:
    return lambda geometry, arrays: (replace(geometry, **change(geometry)), arrays)


def _interleaved(geometry: Geometry, arrays: Arrays) -> tuple[Geometry, Arrays]:
    """dy's channels dealt out to the groups like cards."""
    groups, channels = geometry.groups, geometry.out_channels
    order = np.arange(channels).reshape(channels // groups, groups).T.ravel()
    return geometry, {**arrays, "dy": arrays["dy"][:, order]}


def _bias_times(factor: Callable[[Geometry], int]) -> Before:
    def before(geometry: Geometry, arrays: Arrays) -> tuple[Geometry, Arrays]:
        if "b" not in arrays:
            raise ValueError("no bias")
        return geometry, {**arrays, "b": arrays["b"] * factor(geometry)}

    return before


def _only(kept: slice) -> Before:
    """A single sample of the batch contributes."""

    def before(geometry: Geometry, arrays: Arrays) -> tuple[Geometry, Arrays]:
        dy = np.zeros_like(arrays["dy"])
        dy[kept] = arrays["dy"][kept]
        return geometry, {**arrays, "dy": dy}

    return before


def _last_pixel(geometry: Geometry, arrays: Arrays) -> tuple[Geometry, Arrays]:
    dy = np.zeros_like(arrays["dy"])
    dy[:, :, -1:, -1:] = arrays["dy"][:, :, -1:, -1:]
    return geometry, {**arrays, "dy": dy}


def _unstrided(geometry: Geometry, arrays: Arrays) -> tuple[Geometry, Arrays]:
    """dy taken for the first rows and columns of an output of stride 1."""
    unstrided = replace(geometry, stride=(1, 1))
    dy = np.zeros(unstrided.y_shape, dtype=np.int64)
    rows, columns = geometry.output_size
    dy[:, :, :rows, :columns] = arrays["dy"]
    return unstrided, {**arrays, "dy": dy}


def _flipped(array: Array) -> Array:
    return array[:, :, ::-1, ::-1]


def _transposed(array: Array) -> Array:
    return array.swapaxes(2, 3)


# --- after ---


def _divided(by: Callable[[Geometry], int]) -> After:
    return lambda array, geometry: array / by(geometry)


def _valid_only(array: Array, geometry: Geometry) -> Array:
    """What the valid correlation of dy with the kernel gives: the first OH - kh + 1 rows of the full one."""
    if geometry.stride != (1, 1) or geometry.dilation != (1, 1) or any(map(any, geometry.padding)):
        raise ValueError("stated for unit stride without padding")
    rows, columns = (max(o - k + 1, 0) for o, k in zip(geometry.output_size, geometry.kernel_size, strict=True))
    valid = np.zeros_like(array)
    valid[:, :, :rows, :columns] = array[:, :, :rows, :columns]
    return valid


ALL = ("y", "dx", "dw", "db")
GRADIENTS = ("dx", "dw", "db")

MISTAKES: tuple[Mistake, ...] = (
    Mistake("{q} is the specification's, rotated by 180 degrees", ("dw",), after=lambda a, g: _flipped(a)),
    Mistake(
        "{q} uses the kernel rotated by 180 degrees: it is that of a {other}, and a {this} is asked for",
        ("y", "dx"),
        _with("w", _flipped),
    ),
    Mistake("{q} is the specification's, flipped upside down only", ("dw",), after=lambda a, g: a[:, :, ::-1]),
    Mistake("{q} uses the kernel flipped upside down only", ("y", "dx"), _with("w", lambda w: w[:, :, ::-1])),
    Mistake("{q} uses the kernel flipped left to right only", ("y", "dx"), _with("w", lambda w: w[..., ::-1])),
    Mistake("{q} uses the kernel transposed", ("y", "dx"), _with("w", _transposed)),
    Mistake("{q} is the specification's, transposed", ("dw",), after=lambda a, g: _transposed(a)),
    Mistake("{q} uses the input channels of the kernel in reverse", ("y", "dx"), _with("w", lambda w: w[:, ::-1])),
    Mistake("{q} exchanges the input and output channels of w", ("y", "dx"), _with("w", lambda w: w.swapaxes(0, 1))),
    Mistake("{q} is divided by the batch size N", GRADIENTS, after=_divided(lambda g: g.batch)),
    Mistake(
        "{q} is divided by the number of pixels of y",
        GRADIENTS,
        after=_divided(lambda g: g.batch * g.output_size[0] * g.output_size[1]),
    ),
    Mistake("{q} is divided by OH*OW", GRADIENTS, after=_divided(lambda g: g.output_size[0] * g.output_size[1])),
    Mistake("{q} has the wrong sign", ALL, after=lambda a, g: -a),
    Mistake("{q} is twice the specification's", ALL, after=lambda a, g: 2 * a),
    Mistake("{q} is half the specification's", ALL, after=_divided(lambda g: 2)),
    Mistake("{q} is all zeros", ALL, after=lambda a, g: np.zeros_like(a)),
    Mistake("{q} is computed without the bias", ("y",), _bias_times(lambda g: 0)),
    Mistake("{q} has the bias added twice", ("y",), _bias_times(lambda g: 2)),
    Mistake("{q} has the bias added once per input channel", ("y",), _bias_times(lambda g: g.in_channels // g.groups)),
    Mistake(
        "{q} has the bias added once per tap of the kernel",
        ("y",),
        _bias_times(lambda g: g.kernel_size[0] * g.kernel_size[1]),
    ),
    Mistake(
        "{q} has the bias added once per product",
        ("y",),
        _bias_times(lambda g: g.in_channels // g.groups * g.kernel_size[0] * g.kernel_size[1]),
    ),
    Mistake("{q} counts only the last sample of the batch", ("dw", "db"), _only(slice(-1, None))),
    Mistake("{q} counts only the first sample of the batch", ("dw", "db"), _only(slice(0, 1))),
    Mistake("{q} counts only the last pixel of dy", ("db",), _last_pixel),
    Mistake(
        "{q} is a valid correlation of dy with the kernel; only a full one reaches every pixel",
        ("dx",),
        after=_valid_only,
    ),
    Mistake("{q} takes groups interleaved instead of in blocks", ("dx", "dw"), _interleaved),
    Mistake(
        "{q} exchanges stride and dilation",
        ("y", "dx", "dw"),
        _option(lambda g: {"stride": g.dilation, "dilation": g.stride}),
    ),
    Mistake(
        "{q} exchanges the vertical and the horizontal stride",
        ("y", "dx", "dw"),
        _option(lambda g: {"stride": g.stride[::-1]}),
    ),
    Mistake(
        "{q} exchanges the vertical and the horizontal dilation",
        ("y", "dx", "dw"),
        _option(lambda g: {"dilation": g.dilation[::-1]}),
    ),
    Mistake(
        "{q} takes the padding of the other side",
        ("y", "dx", "dw"),
        _option(lambda g: {"padding": (g.padding[0][::-1], g.padding[1][::-1])}),
    ),
    Mistake(
        "{q} exchanges the vertical and the horizontal padding",
        ("y", "dx", "dw"),
        _option(lambda g: {"padding": g.padding[::-1]}),
    ),
    Mistake(
        "{q} pads with zeros where it must wrap around",
        ("y", "dx", "dw"),
        _option(lambda g: {"padding_mode": "zeros"}),
    ),
    Mistake(
        "{q} wraps around where it must pad with zeros",
        ("y", "dx", "dw"),
        _option(lambda g: {"padding_mode": "circular"}),
    ),
    Mistake("{q} ignores the stride", ("dx", "dw"), _unstrided),
)
