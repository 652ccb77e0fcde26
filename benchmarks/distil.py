"""Choose the fixed set of cases by set cover over mutants of the grammar, and write it.

    python benchmarks/distil.py             # writes verification/backproof/cases/distilled.py

Greedy: at each step the case that adds most, where the first case that kills a mutant counts 1, the second and third
less.  So the first cases kill nearly everything, and the examples to a kill are few.  Minutes, on one core.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from distillation.candidates import candidates
from distillation.kills import MISTAKES, Tried
from numpy.typing import NDArray

from backproof.cases.levels import Case
from backproof.cases.rows import write_rows
from backproof.museum.synthetic import Synthetic, draw

SEED, CANDIDATES, ROWS = 1, 1500, 400
#: Training mutants by the number of their gates' literals.
TRAINING = {0: 500, 1: 1500, 2: 6000, 3: 7000, 4: 7000}
#: What another case that kills a mutant is worth, after none, one, two have killed it.
WORTH = np.array([1.0, 0.3, 0.1, 0.0])

OUTPUT = Path(__file__).parents[1] / "verification/backproof/cases/distilled.py"
_TEXT = '''"""The distilled cases, most useful first: {rows} of {candidates}, by set cover over {mutants} mutants.

Written by `python benchmarks/distil.py` (seed {seed}); do not edit.
"""

from __future__ import annotations

TABLE = """
{table}
"""
'''


def training(seed: int) -> list[Synthetic]:
    """The mutants to cover."""
    return [draw(seed, literals, number) for literals, count in TRAINING.items() for number in range(count)]


def cover(kills: NDArray[np.bool_], size: int) -> list[int]:
    """The numbers of `size` cases (columns), most useful first; fewer where no further one is of use."""
    count = np.zeros(len(kills), dtype=int)
    gain = WORTH[0] * kills.sum(axis=0)
    chosen: list[int] = []
    while len(chosen) < size and gain.max() > 1e-6:
        best = int(gain.argmax())
        chosen.append(best)
        killed = np.flatnonzero(kills[:, best])
        before, after = (WORTH[np.minimum(count[killed] + more, len(WORTH) - 1)] for more in (0, 1))
        gain += (after - before) @ kills[killed]
        count[killed] += 1
        gain[best] = -np.inf
    return chosen


def distil(seed: int, cases: Sequence[Case], mutants: Sequence[Synthetic], size: int) -> list[Case]:
    """The chosen cases, most useful first."""
    return [cases[k] for k in cover(Tried.at(cases).kills(mutants), size)]


def main() -> None:
    """Choose and write."""
    cases, mutants = candidates(SEED, CANDIDATES), training(SEED)
    print(f"{len(cases)} candidates, {len(MISTAKES)} mistakes, {len(mutants)} mutants", file=sys.stderr)
    chosen = distil(SEED, cases, mutants, ROWS)
    table, counts = write_rows(chosen), {"rows": len(chosen), "candidates": len(cases), "mutants": len(mutants)}
    OUTPUT.write_text(_TEXT.format(**counts, seed=SEED, table=table))


if __name__ == "__main__":
    main()
