"""Three-tap sums at `outputs` neighbouring places with `outputs + 2` products: the matrices, derived exactly.

Correlation is the transpose of the product of two polynomials, which is known from its values at as many points as it
has coefficients (Toom and Cook; the last point is infinity, the leading coefficient).  With `data`, `kernel` and
`output` called B^T, G and A^T in the literature::

    y[i] = sum over u of d[i + u] * g[u]          y = A^T ((G g) * (B^T d))
    Y = A^T ((G g G^T) * (B^T D B)) A             for rows and columns

    data[k]    the coefficients of  prod over j != k of (t - p[j]),  for infinity of the product over all j
    kernel[k]  1, p[k], p[k]^2,  over  prod over j != k of (p[k] - p[j])
    output[k]  1, p[k], p[k]^2, ...  as a column

Points come as pairs `p, -p`, whose rows (columns, of `output`) differ in the signs of every other entry: half the sums.
Rounding errors grow with the absolute values of these numbers: `POINTS` are those with small ones, whose powers are
exact in floating point (S. Winograd, *Arithmetic Complexity of Computations*, 1980; Lavin and Gray, 2016; Barabasz et
al., *Error Analysis and Improving the Accuracy of Winograd Convolution*, 2020).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations
from math import prod
from typing import Any, Protocol, TypeAlias

Matrix: TypeAlias = tuple[tuple[Fraction, ...], ...]

TAPS = 3
#: The finite points, by the number of outputs.
POINTS: dict[int, tuple[Fraction, ...]] = {
    2: (Fraction(0), Fraction(1), Fraction(-1)),
    4: (Fraction(0), Fraction(5, 8), Fraction(-5, 8), Fraction(3, 2), Fraction(-3, 2)),
}


@dataclass(frozen=True, slots=True)
class Transforms:
    """The matrices of a tile: `data (n, n)`, `kernel (n, 3)`, `output (n - 2, n)`."""

    data: Matrix
    kernel: Matrix
    output: Matrix


@cache
def transforms(outputs: int) -> Transforms:
    """The matrices for so many outputs, a key of `POINTS`."""
    points = POINTS[outputs]
    others = [[q for q in points if q != p] for p in points]
    data = [(*_coefficients(roots), Fraction(0)) for roots in others]
    scales = [prod((p - q for q in roots), start=Fraction(1)) for p, roots in zip(points, others, strict=True)]
    kernel = [_powers(p, TAPS, scale) for p, scale in zip(points, scales, strict=True)]
    values = [_powers(p, outputs) for p in points]
    return Transforms(
        (*data, _coefficients(points)),
        (*kernel, _last(TAPS)),
        tuple(zip(*values, _last(outputs), strict=True)),
    )


def _coefficients(roots: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Those of the product of all `t - root`, the constant one first."""
    found = [Fraction(1)]
    for root in roots:
        found = [up - root * here for up, here in zip([Fraction(0), *found], [*found, Fraction(0)], strict=True)]
    return tuple(found)


def _powers(point: Fraction, count: int, scale: Fraction = Fraction(1)) -> tuple[Fraction, ...]:
    return tuple(point**k / scale for k in range(count))


def _last(count: int) -> tuple[Fraction, ...]:
    return (*[Fraction(0)] * (count - 1), Fraction(1))


class Arithmetic(Protocol):
    """What `product` needs of the numbers in a vector: LLVM's registers, fractions, or counts of roundings."""

    def add(self, x: Any, y: Any) -> Any:
        """`x + y`."""

    def subtract(self, x: Any, y: Any) -> Any:
        """`x - y`."""

    def multiply(self, c: Fraction, x: Any) -> Any:
        """`c * x`."""

    def multiply_add(self, c: Fraction, x: Any, y: Any) -> Any:
        """`c * x + y`, rounded once."""


def product(matrix: Matrix, vector: Sequence[Any], arithmetic: Arithmetic) -> list[Any]:
    """`matrix @ vector`; what pairs of columns or of rows have in common is computed once."""
    columns, entries = [list(column) for column in zip(*matrix, strict=True)], list(vector)
    for p, q in _mirrored(columns):
        entries[p], entries[q] = arithmetic.add(vector[p], vector[q]), arithmetic.subtract(vector[p], vector[q])
        for i, (left, right) in enumerate(zip(columns[p], columns[q], strict=True)):
            columns[p][i], columns[q][i] = (left, Fraction(0)) if left == right else (Fraction(0), left)
    rows = list(zip(*columns, strict=True))
    results: list[Any] = [None] * len(rows)
    for p, q in _mirrored(rows):
        pairs = list(zip(rows[p], rows[q], strict=True))
        same = _sum([left if left == right else Fraction(0) for left, right in pairs], entries, arithmetic)
        opposite = _sum([left if left != right else Fraction(0) for left, right in pairs], entries, arithmetic)
        results[p], results[q] = arithmetic.add(same, opposite), arithmetic.subtract(same, opposite)
    return [_sum(row, entries, arithmetic) if done is None else done for row, done in zip(rows, results, strict=True)]


def _mirrored(vectors: Sequence[Sequence[Fraction]]) -> Iterator[tuple[int, int]]:
    """Pairs that are equal in some places and opposite in others."""
    for p, q in combinations(range(len(vectors)), 2):
        pairs = [(a, b) for a, b in zip(vectors[p], vectors[q], strict=True) if a or b]
        if all(abs(a) == abs(b) for a, b in pairs) and len({a == b for a, b in pairs}) == 2:
            yield p, q


def _sum(factors: Sequence[Fraction], entries: Sequence[Any], arithmetic: Arithmetic) -> Any:
    """The sum of `factors * entries`, of which at least one is not 0; what needs no product comes first."""
    terms = sorted(((c, x) for c, x in zip(factors, entries, strict=True) if c), key=lambda term: term[0] != 1)
    (c, x), *rest = terms
    total = x if c == 1 else arithmetic.multiply(c, x)
    for c, x in rest:
        if abs(c) == 1:
            total = arithmetic.add(total, x) if c == 1 else arithmetic.subtract(total, x)
        else:
            total = arithmetic.multiply_add(c, x, total)
    return total
