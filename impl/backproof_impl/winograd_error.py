"""How far results of Winograd's algorithm may be from the exact ones: derived from its matrices, before computing.

Every result is a sum of products along *paths*: a pixel and a weight, the numbers of the matrices that they are
multiplied by, and for each multiplication, addition or number that is not exact a factor `1 + e` with `|e| <= u`.
If no path has more than `k` such factors (Higham, *Accuracy and Stability of Numerical Algorithms*, lemma 3.1)::

    |computed - exact| <= gamma_k * P + u * |b|,      gamma_k = k*u / (1 - k*u),  u = 2**-24 or 2**-53
    P = |A^T| [sum over c of (|G| |w| |G^T|) * (|B^T| |x| |B|)] |A|                  the sum of all |paths|

as long as no product is so small that it is rounded as a subnormal number.  A path has twice the factors of each
transform, which `toom_cook.product` counts when it is run on counts in place of numbers, those of the sum over
channels, and 1 for the bias.  As `P <= growth * C * max|x| * max|w|`, errors are at most a constant times those that a
direct sum may have: `error_growth`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import cast

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from .arrays import Array
from .convolution import forward
from .geometry import Algorithm, Axis, Orientation, Padding, PaddingMode, make_axes
from .kernels.toom_cook import Matrix, product, transforms
from .winograd import CHUNK, tile_size

#: The bound is itself computed in floating point; that changes it by less than this factor.
OWN_ERROR = 1 + 2.0**-30


def winograd_error_bound(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    padding: Padding = ((0, 0), (0, 0)),
    groups: int = 1,
    padding_mode: PaddingMode = "zeros",
    orientation: Orientation = "convolution",
    algorithm: Algorithm = "winograd",
) -> npt.NDArray[np.float64]:
    """How far each entry of `forward(x, w, b, ..., algorithm=algorithm)` may be from the exact one: `(N, O, OH, OW)`.

    For finite arrays whose products are neither subnormal nor too large.  That of `input_gradient(dy, x, w)` is the
    bound for `dy`, `w` with its channels exchanged (in their groups), a padding of 2 less than that, and the other
    orientation.

    Raises what `forward` raises, and ValueError where it would not use Winograd's algorithm.
    """
    shape = forward(x[:0], w, b, padding=padding, groups=groups, padding_mode=padding_mode, algorithm=algorithm).shape
    if w.shape[2:] != (3, 3) or algorithm == "direct":
        raise ValueError(
            f"there is no Winograd for a kernel of {w.shape[2]} x {w.shape[3]} with algorithm {algorithm!r}; "
            "pass w of shape (O, C/groups, 3, 3) and algorithm='winograd' or 'winograd-2x2'"
        )
    m = tile_size(algorithm, *shape[2:])
    axes = make_axes(x.shape[2:], (3, 3), 1, padding, 1)
    of = transforms(m)
    pixels, weights = _tiles(abs(x.astype(np.float64)), axes, padding_mode == "circular", m), abs(w.astype(np.float64))
    if orientation == "convolution":
        weights = weights[:, :, ::-1, ::-1]
    pixels = _transformed(of.data, pixels).reshape(len(x), groups, -1, *pixels.shape[2:])
    weights = _transformed(of.kernel, weights).reshape(groups, -1, *weights.shape[1:2], m + 2, m + 2)
    products = np.einsum("ngcabij,gocij->ngoabij", pixels, weights, optimize=True)
    paths = _transformed(of.output, products).swapaxes(-3, -2)
    N, G, O, TH, _, TW, _ = paths.shape  # noqa: E741
    paths = paths.reshape(N, G * O, TH * m, TW * m)[:, :, : shape[2], : shape[3]]
    bound = gamma(factors(m, w.shape[1], x.dtype), x.dtype) * paths
    if b is not None:
        bound += np.finfo(x.dtype).eps / 2 * abs(b.astype(np.float64))[:, np.newaxis, np.newaxis]
    return bound * OWN_ERROR


def factors(outputs: int, channels: int, dtype: npt.DTypeLike) -> int:
    """The largest number of factors `1 + e` of a path, for tiles of `outputs` rows and columns."""
    of, counts = transforms(outputs), _Factors(dtype)
    transformed = 0
    for matrix in (of.data, of.kernel, of.output):
        transformed += 2 * max(product(matrix, [0] * len(matrix[0]), counts))
    return transformed + min(channels, CHUNK) + -(-channels // CHUNK)  # one less for chunks, one more for the bias


def gamma(count: int, dtype: npt.DTypeLike) -> float:
    """`k*u / (1 - k*u)`."""
    u = Fraction(float(np.finfo(dtype).eps)) / 2
    return float(count * u / (1 - count * u))


def error_growth(algorithm: Algorithm) -> int:
    """`g`, such that no error exceeds `g * gamma_K * (K * max|x| * max|w| + max|b|)` with K the most terms of a sum.

    Where images are smaller than windows, fewer pixels are on the paths, and K is smaller.  The ratio of the numbers
    of factors is largest for one channel.
    """
    sizes = (2,) if algorithm == "winograd-2x2" else (2, 4)
    worst = Fraction(0)
    for m in sizes:
        count = max(factors(m, 1, dtype) for dtype in (np.float32, np.float64))
        along = max(_largest_path(m, present) / min(present, 3) ** 2 for present in range(1, m + 3))
        worst = max(worst, count * along**2)
    return math.ceil(worst * Fraction(1025, 1024))  # gamma_k / k is not quite constant


class _Factors:
    """Arithmetic on the number of factors `1 + e` of numbers."""

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self._dtype = np.dtype(dtype)

    def add(self, x: int, y: int) -> int:
        return max(x, y) + 1

    subtract = add

    def multiply(self, c: Fraction, x: int) -> int:
        return x + 1 + self._inexact(c)

    def multiply_add(self, c: Fraction, x: int, y: int) -> int:
        return max(x + self._inexact(c), y) + 1

    def _inexact(self, c: Fraction) -> bool:
        return Fraction(np.array(float(c), self._dtype).item()) != c


def _largest_path(m: int, present: int) -> Fraction:
    """The largest sum of |paths| to an output of a row, if so many pixels side by side are 1, and all weights."""
    of = transforms(m)
    weights = [_size(row) for row in of.kernel]
    return max(
        _size(a * g * _size(row[first : first + present]) for a, g, row in zip(out, weights, of.data, strict=True))
        for out in of.output
        for first in range(m + 3 - present)
    )


def _size(numbers: Iterable[Fraction]) -> Fraction:
    return sum(map(abs, numbers), start=Fraction(0))


def _tiles(x: npt.NDArray[np.float64], axes: tuple[Axis, Axis], wrap: bool, m: int) -> npt.NDArray[np.float64]:
    """The tiles `(N, C, TH, TW, m + 2, m + 2)` of `x` with its padding, and zeros where tiles reach further."""
    if wrap:
        rows, columns = (axis.repeated() for axis in axes)
        x = x[:, :, rows[:, np.newaxis], columns]
    else:
        x = np.pad(x, ((0, 0), (0, 0), *((axis.before, axis.after) for axis in axes)))
    x = np.pad(x, ((0, 0), (0, 0), *((0, -axis.outputs % m) for axis in axes)))
    return sliding_window_view(x, (m + 2, m + 2), axis=(2, 3))[:, :, ::m, ::m]


def _transformed(matrix: Matrix, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`|matrix| @ values @ |matrix.T|`."""
    sizes = np.array([[float(abs(entry)) for entry in row] for row in matrix])
    return cast("npt.NDArray[np.float64]", sizes @ values @ sizes.T)
