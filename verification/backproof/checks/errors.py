"""How far results are from exact sums, against what their rounding allows, decided in integers (see `rounding`).

    |A - E| * (2**t - K)  <=  K*S + 2**t * (K * tiny/2)         in units of 2**p,  u = 2**-t

Floating point enters only where numbers are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import log2

import numpy as np

from backproof.cases.data import SMALLEST, Array
from backproof.cases.reals import PRECISION, Sums
from backproof.checks.bench import Wrong
from backproof.contract import QUANTITIES

#: Sums of at least so many terms are noted apart: the way in which a target adds up shows in them.
LONG = 1000
#: Relative errors, as `-log2`, that less exact formats leave: from, to, name.
_FORMATS = ((6, 10, "bfloat16"), (10, 15, "TF32 or float16"), (20, 32, "float32"))


@dataclass(frozen=True, slots=True)
class Errors:
    """Of each entry: whether it is `beyond` what is allowed, and what `share` of that it uses up.

    `relative`: the error over the sum of the absolute values of the entry's terms; `terms`: how many these are.
    """

    beyond: Array
    share: Array
    relative: Array
    terms: Array


def errors(actual: Array, sums: Sums, allowed: tuple[Array, Array], dtype: str, growth: int = 1) -> Errors:
    """Hold results to `K, S` of every entry (`allowed`); what is no finite number is beyond.

    `growth`: how many times `tiny/2` may be lost for each of the K terms.
    """
    bits, (terms, whole) = PRECISION[dtype], allowed
    with np.errstate(over="ignore"):
        scaled = np.ldexp(_real(actual), -sums.power)  # exact: only the exponent changes, and it grows
    finite = abs(scaled) < 2.0**900
    values = np.where(finite, scaled, 0).ravel().tolist()
    integers = [int(value) if value.is_integer() else Fraction(value) for value in values]
    off = abs(np.array(integers, dtype=object).reshape(actual.shape) - sums.exact)
    counts = terms.astype(object)
    tiny = growth << SMALLEST[dtype] - sums.power if sums.power < SMALLEST[dtype] else 0
    due, given = off * (2**bits - counts), counts * whole + 2**bits * (counts * tiny // 2)
    beyond = ~finite | (due > given).astype(bool)
    return Errors(beyond, np.where(finite, _over(due, given), np.inf), _over(off, sums.absolute), sums.terms)


def _real(actual: Array) -> Array:
    return np.real(actual).astype(np.float64)


def _over(numerators: Array, denominators: Array) -> Array:
    """As floating point, to be shown; 0 where nothing is off, infinite where nothing may be."""
    above, below = numerators.astype(np.float64), denominators.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(above == 0, 0.0, above / below)


def explained(quantity: str, function: str, actual: Array, sums: Sums, found: Errors, dtype: str) -> Wrong:
    """What is wrong, at the entry that is furthest beyond."""
    worst = np.unravel_index(np.argmax(np.where(found.beyond, found.share, -1)), actual.shape)
    index = tuple(int(i) for i in worst)
    exact = Fraction(sums.exact[index]) * Fraction(2) ** sums.power
    value, count = float(_real(actual)[index]), int(found.beyond.sum())
    details: list[str] = []
    lost = 0 < abs(exact) < Fraction(float(np.finfo(dtype).tiny))
    if np.isfinite(found.share[index]):
        terms = int(sums.terms[index])
        many = f"{terms} term" if terms == 1 else f"{terms} terms"
        off = float(abs(Fraction(value) - exact))
        details = [f"off by {off:.3g}, {found.share[index]:.3g} times what the rounding of {many} in {dtype} allows"]
        if lost:
            details.append("where subnormal numbers may be lost, declare FLUSHES_SUBNORMALS = True")
        else:
            details += _like(float(np.median(found.relative[found.beyond])), dtype)
    return Wrong(
        "flushed" if lost else "value",
        quantity,
        function,
        f"{quantity} is further off than rounding explains in {count} of {actual.size} entries",
        tuple(details),
        index=index,
        expected=repr(np.dtype(dtype).type(float(exact)).item()),
        actual=repr(value),
        wrong=count,
        compared=int(actual.size),
    )


def _like(relative: float, dtype: str) -> Iterator[str]:
    """Which less exact format leaves errors like these, if any does."""
    bits = -log2(relative) if 0 < relative < np.inf else 0.0
    for low, high, name in _FORMATS:
        if low <= bits < high and name != dtype:
            yield f"its relative errors are about {_power(relative)}, as {name} numbers leave them"


@dataclass(slots=True)
class Measured:
    """The largest errors of results that are right: of all, and of long sums apart."""

    share: dict[str, float] = field(default_factory=dict)
    relative: dict[tuple[str, bool, str], float] = field(default_factory=dict)

    def add(self, dtype: str, quantity: str, found: Errors) -> None:
        """Take the errors of one array into account."""
        self.share[dtype] = max(self.share.get(dtype, 0.0), float(found.share.max(initial=0.0)))
        for long in (False, True):
            counted = np.isfinite(found.relative) & (found.terms >= (LONG if long else 0))
            among = found.relative[counted]
            if among.size:
                key = (dtype, long, quantity)
                self.relative[key] = max(self.relative.get(key, 0.0), float(among.max()))

    def notes(self) -> list[str]:
        """A line for each dtype, and one for its long sums."""
        lines = []
        for dtype, share in self.share.items():
            for long, what in ((False, "sums of all lengths"), (True, f"sums of {LONG:,} terms and more")):
                known = [q for q in QUANTITIES if (dtype, long, q) in self.relative]
                told = ", ".join(f"{q} {_power(self.relative[dtype, long, q])}" for q in known)
                bound = "" if long else f"; at most {share:.2f} of the bound"
                if told:
                    lines.append(f"{dtype}, {what}: errors, over the sum of |terms|, up to {told}{bound}")
        return lines


def _power(relative: float) -> str:
    return f"2^{log2(relative):.1f}" if relative else "0"
