"""Which mutants of the grammar die at which cases, counted without a worker: thousands of pairs per second.

A mutant is wrong where its gate holds and its mistake shows.  So the mistakes (primitive, quantity) are tried at each
case once, with the data, dtypes and memory layouts of the check, and the gates are asked about all cases at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from backproof.cases.data import example
from backproof.cases.levels import Case
from backproof.museum import synthetic
from backproof.museum.reference import Options
from backproof.museum.synthetic import LITERALS, PRIMITIVES, Operands, Site, Synthetic
from backproof.museum.synthetic.steps import compute, differs
from backproof.targets.layouts import place

#: Every mistake of every quantity.
MISTAKES = tuple((primitive, quantity) for primitive in PRIMITIVES for quantity in primitive.quantities)
_ROW = {mistake: row for row, mistake in enumerate(MISTAKES)}
_COLUMN = {literal: column for column, literal in enumerate(LITERALS)}


@dataclass
class Tried:
    """Cases, and what each mistake does there: `shows[mistake, case]`."""

    sites: list[Site]
    shows: NDArray[np.bool_]

    @classmethod
    def at(cls, cases: Sequence[Case]) -> Tried:
        """Try every mistake at each case."""
        sites, shows = [], np.zeros((len(MISTAKES), len(cases)), dtype=bool)
        for column, case in enumerate(cases):
            given, expected = _operands(case)
            site = given.site
            right = {quantity: compute(quantity, given, site) for quantity in expected}
            if wrong := [q for q in expected if not np.array_equal(right[q], expected[q])]:
                raise ArithmeticError(f"the unspoiled steps give another {wrong} than the specification at {case}")
            sites.append(site)
            for row, (primitive, quantity) in enumerate(MISTAKES):
                if quantity in right:
                    step, spoil = primitive.step, primitive.spoil
                    shows[row, column] = differs(step, spoil, quantity, given, site, right[quantity])
        return cls(sites, shows)

    @cached_property
    def literals(self) -> NDArray[np.bool_]:
        """`literals[literal, case]`: whether it holds there."""
        site = Site.many(self.sites)
        return np.array([np.broadcast_to(literal.holds(site), (len(self.sites),)) for literal in LITERALS])

    def kills(self, mutants: Iterable[Synthetic]) -> NDArray[np.bool_]:
        """`kills[mutant, case]`."""
        rows = []
        for mutant in mutants:
            row = self.shows[_ROW[mutant.primitive, mutant.quantity]]
            for literal in mutant.gate:
                row = row & self.literals[_COLUMN[literal]]
            rows.append(row)
        return np.array(rows)


def is_killed(mutant: Synthetic, case: Case) -> bool:
    """The same of one mutant at one case, by calling it as a check does."""
    (given, expected), quantity = _operands(case), mutant.quantity
    if quantity not in expected:
        return False
    layer, options = getattr(synthetic, mutant.name)(), case.geometry.options()
    y = layer.forward(given.x, given.w, given.b, **options)
    gradients = layer.backward(given.dy, given.x, given.w, given.b, **options)
    results = dict(zip(("y", "dx", "dw", "db"), (y, *gradients), strict=True))
    return not np.array_equal(results[quantity], expected[quantity])


def _operands(case: Case) -> tuple[Operands, dict[str, NDArray[np.generic]]]:
    drawn, g = example(case), case.geometry
    x, w, dy = (place(drawn.arrays[role], case.layout(role)).array for role in ("x", "w", "dy"))
    return Operands(x, w, drawn.arrays.get("b"), dy, Options(**g.options())), drawn.expected


def first_kills(kills: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The number of the first case that kills each mutant, from 1; 0 for survivors."""
    return np.where(kills.any(axis=1), kills.argmax(axis=1) + 1, 0)
