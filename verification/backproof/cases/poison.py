"""One entry that is NaN or infinite, and the results that it must, may and must not reach.

Every product of the sum counts, whatever its factors: 0 * NaN is NaN, and 0 * inf is too.  So NaN in a pixel makes all
outputs NaN whose window holds it, and no other.  Zeros that an algorithm puts in are the one thing left open, since the
specification has no product there and good libraries differ: around the image (a weight times padding is a product for
im2col, and none for a loop that skips what is outside), between the taps of a dilated kernel, between strided
cotangents, and between groups (XLA makes one dense kernel of them).  Hence two sets:

    must   entries with a product of the poisoned entry
    may    those where zeros put in by an algorithm may meet it: NaN is right there, and so is the plain value

    poisoned   reaches   may, besides must
    x          y         the whole span of a dilated kernel; of several groups, all channels
               dw        every tap of its channel; of several groups, everything
    w          y         every pixel of its output channel
               dx        every pixel of its input channel; of several groups, of the same channel in each
    dy         dx        as from x to y
               dw        every tap of its output channel; of several groups, everything
               db        -
    b          y         -

Who leaves out what is multiplied by zeros alone is found by operands that are *idle*: all that the poison meets is 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Generic, TypeVar

import numpy as np

from backproof.cases.data import Array, Example, example, specified
from backproof.cases.levels import Case
from backproof.cases.pooling import PoolCase
from backproof.cases.shrink import simpler_cases
from backproof.contract import Geometry

#: What an entry is replaced by.
VALUES = {"nan": np.nan, "inf": np.inf, "-inf": -np.inf}
#: Which quantities have products of an operand.
REACHES = {"x": ("y", "dw"), "w": ("y", "dx"), "b": ("y",), "dy": ("dx", "dw", "db")}
#: Which operands an operand is multiplied by.
MEETS = {"x": ("w", "dy"), "w": ("x", "dy"), "b": (), "dy": ("x", "w")}


C = TypeVar("C", Case, PoolCase)


@dataclass(frozen=True, slots=True)
class OneEntry(Generic[C]):
    """A case in which one entry of an operand, the `position`th in C order (modulo their number), has another value."""

    case: C
    role: str
    value: str = "nan"
    position: int = 0

    @property
    def layouts(self) -> tuple[tuple[str, str], ...]:
        """Those of the case."""
        return self.case.layouts

    @property
    def index(self) -> tuple[int, ...]:
        """Of the entry."""
        shape = self.case.geometry.shape_of(self.role)
        return tuple(int(i) for i in np.unravel_index(self.position % int(np.prod(shape)), shape))

    @property
    def entry(self) -> str:
        """`x[0, 0, 1, 2] = nan`, and what else is special."""
        return f"{self.role}[{', '.join(map(str, self.index))}] = {self.value}{self._beside}"

    @property
    def _beside(self) -> str:
        return ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for events."""
        return {**self.case.as_dict(), "poison": self.entry}


@dataclass(frozen=True, slots=True)
class PoisonCase(OneEntry[Case]):
    """Of a convolution; with `idle`, the operands that the entry is multiplied by are zero throughout."""

    idle: bool = False

    @property
    def geometry(self) -> Geometry:
        """That of the case."""
        return self.case.geometry

    @property
    def _beside(self) -> str:
        return f" ({' and '.join(MEETS[self.role])} all zero)" if self.idle else ""


@dataclass(frozen=True, slots=True)
class Poisoned:
    """A poisoned example: arrays, the right results, and the entries that `may` as well be NaN."""

    arrays: dict[str, Array]
    expected: dict[str, Array]
    may: dict[str, Array]


def clean_example(case: PoisonCase) -> Example:
    """The data of a case before its poison: as `example` draws them, idle operands apart."""
    drawn = example(case.case)
    if not case.idle:
        return drawn
    arrays = {r: np.zeros_like(a) if r in MEETS[case.role] else a for r, a in drawn.arrays.items()}
    results = specified(case.geometry, {role: array.astype(np.int64) for role, array in arrays.items()})
    expected = {quantity: results[quantity].astype(case.case.dtype) for quantity in drawn.expected}
    return Example(case.case, arrays, expected, {q: bool(value.any()) for q, value in expected.items()})


def poisoned(case: PoisonCase, drawn: Example) -> Poisoned:
    """Clean data with the poison of their case, and what the specification makes of them."""
    arrays = {role: array.copy() for role, array in drawn.arrays.items()}
    arrays[case.role][case.index] = VALUES[case.value]
    must, expected, may = reached(case.geometry, case.role, case.index), dict(drawn.expected), {}
    for quantity in [q for q in REACHES[case.role] if q in expected]:
        allowed = _widened(case, quantity, must[quantity])
        expected[quantity] = np.where(must[quantity], _values(case, drawn, quantity), expected[quantity])
        may[quantity] = allowed & ~must[quantity]
    return Poisoned(arrays, expected, may)


@lru_cache(maxsize=64)
def _ones(geometry: Geometry, role: str, index: tuple[int, ...]) -> dict[str, Array]:
    """The quantities of arrays of ones, of which one has nothing but one entry: its products, counted."""
    ones = {name: np.ones(geometry.shape_of(name), dtype=np.int64) for name in ("x", "w", "dy")}
    ones["b"] = np.zeros(geometry.b_shape, dtype=np.int64)
    if role == "b":
        ones["x"][...] = 0
    ones[role] = _only(geometry, role, index)
    return specified(geometry, ones)


def _only(geometry: Geometry, role: str, index: tuple[int, ...]) -> Array:
    only = np.zeros(geometry.shape_of(role), dtype=np.int64)
    only[index] = 1
    return only


def reached(geometry: Geometry, role: str, index: tuple[int, ...]) -> dict[str, Array]:
    """Per quantity, which of its entries have a product of this entry."""
    counts = _ones(geometry, role, index)
    return {quantity: counts[quantity] > 0 for quantity in REACHES[role]}


def _values(case: PoisonCase, drawn: Example, quantity: str) -> Array:
    """What the products of the poison add up to: infinite with the sign of the other factor, else NaN."""
    if case.value == "nan":
        return np.full(drawn.expected[quantity].shape, np.nan, drawn.case.dtype)
    operands = {role: np.sign(array).astype(np.int64) for role, array in drawn.arrays.items()}
    operands["b"] = np.zeros(case.geometry.b_shape, dtype=np.int64)
    if case.role == "b":
        operands["x"][...] = 0
    operands[case.role] = _only(case.geometry, case.role, case.index)
    signs = specified(case.geometry, operands)[quantity]  # of at most one product: see `poison_case`
    with np.errstate(invalid="ignore"):
        values: Array = (signs * VALUES[case.value]).astype(drawn.case.dtype)
    return values


def _widened(case: PoisonCase, quantity: str, must: Array) -> Array:
    """Must, and the entries that the poison reaches where zeros put in by an algorithm meet it."""
    g, wide, at = case.geometry, must.copy(), case.index
    inputs = g.in_channels // g.groups
    match case.role, quantity:
        case ("x", "y") | ("dy", "dx"):
            wide |= reached(_dense(g), case.role, at)[quantity]
        case ("x" | "dy", "dw") if g.groups > 1:
            wide[...] = True
        case "x", "dw":
            wide[:, at[1]] = True
        case "dy", "dw":
            wide[at[1]] = True
        case "w", "y":
            wide[:, at[0]] = True
        case "w", "dx" if g.groups > 1:
            wide[:, at[1] :: inputs] = True
        case "w", "dx":
            wide[:, at[1]] = True
    return wide


def _dense(g: Geometry) -> Geometry:
    """The same windows with a tap at every pixel that a dilated kernel spans, and with all channels in one group."""
    rows, columns = (d * (k - 1) + 1 for k, d in zip(g.kernel_size, g.dilation, strict=True))
    return replace(g, kernel_size=(rows, columns), dilation=(1, 1), groups=1)


# ---- cases to try


def poison_cases(cases: Sequence[Case], seed: int) -> Iterator[PoisonCase]:
    """NaN in each operand, and an infinity, somewhere at every case; and NaN that meets zeros alone."""
    rng = np.random.default_rng(seed)
    for number, case in enumerate(cases):
        for role in [role for role in REACHES if role != "b" or case.geometry.bias]:
            for value in ("nan", ("inf", "-inf")[number % 2]):
                yield poison_case(case, role, value, int(rng.integers(2**32)))
            if MEETS[role]:
                yield replace(poison_case(case, role, "nan", int(rng.integers(2**32))), idle=True)


def poison_case(case: Case, role: str, value: str, position: int) -> PoisonCase:
    """On small integers in plain memory.

    Without a bias, x is poisoned instead.  A circular image may meet a pixel with several taps, whose infinities may
    cancel: NaN there.
    """
    role = role if role != "b" or case.geometry.bias else "x"
    value = value if case.geometry.padding_mode == "zeros" else "nan"
    return PoisonCase(replace(case, profile="small", layouts=()), role, value, position)


def simpler_poison_cases(case: PoisonCase) -> Iterator[PoisonCase]:
    """Operands that are not idle, the first entry, then simpler cases."""
    if case.idle:
        yield replace(case, idle=False)
    if case.position:
        yield replace(case, position=0)
    for simpler in simpler_cases(case.case):
        if case.role != "b" or simpler.geometry.bias:
            yield replace(case, case=simpler)
