"""One pixel or cotangent of a pooling that is NaN or infinite, and the results that it reaches, which no other may be.

    poisoned   reaches
    x          y    sum, average: every window that holds it; max: the same with NaN and +inf, which win
               dx   max: the pixel receives the cotangents of its windows; sum, average: nothing depends on x
    dy         dx   sum, average: the pixels of its window; max: the winner, and no other

To the oracle, what wins is a number above all others.  Padding and what lies between the taps of a dilated window take
no part, and so is never reached.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backproof.cases.data import Array, Example
from backproof.cases.poison import VALUES, OneEntry, Poisoned
from backproof.cases.pool_data import INFINITY, pool_example
from backproof.cases.pooling import PoolCase, simpler_pool_cases
from backproof.contract import PoolGeometry
from backproof_spec import oracle


@dataclass(frozen=True, slots=True)
class PoolPoisonCase(OneEntry[PoolCase]):
    """Of a pooling, in `x` or `dy`."""

    @property
    def geometry(self) -> PoolGeometry:
        """That of the case."""
        return self.case.geometry


def pool_poisoned(case: PoolPoisonCase, drawn: Example) -> Poisoned:
    """The data of a case with its poison, and what the specification makes of them."""
    g, options = case.geometry, case.geometry.options()
    arrays = {role: array.copy() for role, array in drawn.arrays.items()}
    arrays[case.role][case.index] = VALUES[case.value]
    expected = dict(drawn.expected)
    only = np.zeros(g.shape_of(case.role), dtype=np.int64)
    only[case.index] = 1
    x, dy = (drawn.arrays[role].astype(np.int64) for role in ("x", "dy"))
    # How many of its products a result has; averages have those of sums.
    if case.role == "dy":
        kind = "max" if g.kind == "max" else "sum"
        reached = oracle.pooling_gradient(kind, only, x, **_of_sums(options))
        expected["dx"] = _where(reached > 0, case, expected["dx"])
    elif g.kind == "max":
        x[case.index] = INFINITY
        y = oracle.pooling("max", x, **options)
        expected["y"] = _where(y == INFINITY, case, expected["y"])
        expected["dx"] = oracle.pooling_gradient("max", dy, x, **options).astype(case.case.dtype)
    else:
        expected["y"] = _where(oracle.pooling("sum", only, **_of_sums(options)) > 0, case, expected["y"])
    return Poisoned(arrays, expected, {})


def _of_sums(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "count_include_pad"}


def _where(reached: Array, case: PoolPoisonCase, values: Array) -> Array:
    return np.where(reached, np.array(VALUES[case.value], values.dtype), values)


def pool_poison_cases(geometries: Sequence[PoolGeometry], dtypes: Sequence[str], seed: int) -> Iterator[PoolPoisonCase]:
    """NaN in a pixel and in a cotangent, and an infinity, somewhere at every geometry."""
    rng = np.random.default_rng(seed)
    for number, geometry in enumerate(geometries):
        case = PoolCase(geometry, dtypes[number % len(dtypes)], seed=seed + number)
        infinity = "inf" if geometry.kind == "max" or number % 2 else "-inf"
        for role, value in (("x", "nan"), ("dy", "nan"), ("x", infinity), ("dy", infinity)):
            yield PoolPoisonCase(case, role, value, int(rng.integers(2**32)))


def simpler_pool_poison(case: PoolPoisonCase) -> Iterator[PoolPoisonCase]:
    """The first entry, then simpler cases."""
    if case.position:
        yield replace(case, position=0)
    for simpler in simpler_pool_cases(case.case):
        yield replace(case, case=simpler)


def clean(case: PoolPoisonCase) -> Example:
    """The example without its poison."""
    return pool_example(case.case)
