"""What an example is worth: the chance that an error which is there shows nowhere in it, from above.

    e = Q(implementation) - Q(specification),   e != 0 as a form in the entries, e = 0 on the data drawn

At one shape y is bilinear in x and w plus linear in b, dx is bilinear in dy and w, dw in dy and x, db is linear in dy.
Let e be an error of the same kind: a product that is missing, added, taken twice or from elsewhere.  Entries are drawn
independently, and no value of an entry has more than probability p (`_heaviest`).

A linear form that is not 0 vanishes with probability at most p: some coefficient is not 0, and whatever the other
entries are, at most one value of its entry makes the sum 0.  A bilinear form is a linear form in u whose coefficients
are linear forms in v; one of these is not 0 as a form, is 0 with probability at most p_v, and if it is not, the form in
u vanishes with probability at most p_u.  Hence (Schwartz and Zippel, sharpened by treating the factors one by one)

    P(e = 0) <= p_u + p_v - p_u*p_v               = 2/|S| - 1/|S|**2 for integers uniform in a set S, where p = 1/|S|

and for y = B(x, w) + L(b) the larger of this and p_b, since L(b) = -B(x, w) for at most one value of an entry of b.
One product too few, e = x[0]*w[0], attains it: it is unseen where x[0] or w[0] is 0.

*distinct* data, a random order of 1..n with random signs, are not independent; but given the order the signs are, so
each entry has two values of probability 1/2: p = 1/2 is proved, and no more is claimed.  (An implementation that only
reads the wrong entry is always seen.)  An array laid out as *broadcast* is one number from 1..largest, as it must be in
this layout: e is a form in that number.

An array of zeros is never handed over, but one entry of it made the largest integer.  Every form without a constant is
0 on zeros, so that for these p stays what it is; for b, whose form has one, the probability of zeros is added.

Examples with different seeds are independent, so at one shape their chances multiply.  The error is that of exact
arithmetic: coefficients so close to the right ones that rounding hides the difference are none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import TypeAlias

from backproof.cases.levels import Case
from backproof.contract import Geometry

#: Of the profile "sparse": the probability with which an entry of x, w or dy is kept, and not 0.
KEPT = 0.3
#: A chance of 2**-20 is one in a million.
RARE = 20

#: What a target may treat in a way of its own: a function, a geometry, a dtype, memory layouts.
Configuration: TypeAlias = tuple[str, Geometry, str, tuple[tuple[str, str], ...]]


def missed(case: Case, largest: Mapping[str, int]) -> dict[str, float]:
    """Per quantity the bound for one example; `largest` holds the largest absolute integer of every array drawn."""
    p = {role: _heaviest(case, role, integer) for role, integer in largest.items()}
    bias = _heaviest_bias(case, largest["b"]) if "b" in p else 0.0
    return {
        "y": max(_either(p["x"], p["w"]), bias),
        "dx": _either(p["dy"], p["w"]),
        "dw": _either(p["dy"], p["x"]),
        "db": p["dy"],
    }


def _either(p: float, q: float) -> float:
    """1 - (1 - p)(1 - q), also where p and q are so small that 1 - p would be 1."""
    return p + q - p * q


def _heaviest(case: Case, role: str, largest: int) -> float:
    """The probability of an entry's most likely value, whatever the others are."""
    uniform = 1 / (2 * largest + 1)
    if case.layout(role) == "broadcast":
        return 1 / largest
    if _distinct(case, role, largest):
        return 1 / 2
    return 1 - KEPT + KEPT * uniform if case.profile == "sparse" and role != "b" else uniform


def _heaviest_bias(case: Case, largest: int) -> float:
    """The same for b, once zeros are replaced."""
    p = _heaviest(case, "b", largest)
    return p if _distinct(case, "b", largest) else min(1.0, p + p ** math.prod(case.geometry.b_shape))


def _distinct(case: Case, role: str, largest: int) -> bool:
    """Whether 1, 2, ... with random signs were drawn; more entries than there are integers are drawn uniformly."""
    return case.profile == "distinct" and math.prod(case.geometry.shape_of(role)) <= largest


def log2(bits: float) -> float:
    """The logarithm of a bound of so many bits, to three digits, rounded up."""
    return 0.0 - math.floor(1000 * bits) / 1000


@dataclass(slots=True)
class Evidence:
    """What examples come to: per quantity and configuration, in bits (`-log2` of the chance), by seed."""

    bits: dict[str, dict[Configuration, dict[int, float]]] = field(default_factory=dict)

    def add(self, quantity: str, function: str, case: Case, chance: float) -> None:
        """Count an example; drawn twice from one seed, it counts once."""
        configuration = (function, case.geometry, case.dtype, case.layouts)
        seeds = self.bits.setdefault(quantity, {}).setdefault(configuration, {})
        seeds[case.seed] = max(seeds.get(case.seed, 0.0), -math.log2(chance))

    def summary(self, quantity: str) -> dict[str, float]:
        """`configurations` tried; `log2_worst` and `log2_median` of the bounds; how many are `rare`, below 2**-20."""
        total = sorted(sum(seeds.values()) for seeds in self.bits[quantity].values())
        return {
            "configurations": len(total),
            "log2_worst": log2(total[0]),
            "log2_median": log2(median(total)),
            "rare": sum(bits > RARE for bits in total),
        }
