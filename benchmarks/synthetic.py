"""How many fresh mutants of the grammar die, by the number of their gates' literals, and after how many examples.

    python benchmarks/synthetic.py          # writes benchmarks/results/synthetic.json

The mutants and the random cases have seeds that `distil` never saw.  The cases are those of the check `exact`: its
fixed set, then random levels up to `EXAMPLES`.  Mutants that are right on the whole bounded domain of the grammar
(`domain`) are counted apart.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from distillation.candidates import random_rows
from distillation.kills import Tried, first_kills

from backproof.cases.designs import LEAST, fixed_set
from backproof.cases.levels import Space, space
from backproof.contract import DTYPES, ORIENTATIONS, Geometry
from backproof.museum.synthetic import draw
from backproof.museum.synthetic.domain import SIZE, Place, is_equivalent
from backproof.targets.layouts import LAYOUTS

SEED, EXAMPLES = 90_210, 1000
#: Mutants to draw by the number of literals.
DRAWN = {0: 300, 1: 500, 2: 700, 3: 800, 4: 800}
#: The same for targets that take less, on which the fixed set alone is tried.
DRAWN_LESS = {0: 100, 1: 150, 2: 150, 3: 150}

OUTPUT = Path(__file__).parent / "results" / "synthetic.json"


@dataclass(frozen=True, slots=True)
class Target:
    """What a target takes."""

    accepts: Callable[[Geometry], bool] = lambda geometry: True
    dtypes: tuple[str, ...] = DTYPES

    def space(self) -> Space:
        """Its levels."""
        return space(self.accepts, orientations=ORIENTATIONS, dtypes=self.dtypes, layouts=LAYOUTS)

    def takes(self, place: Place) -> bool:
        """Whether it can be called there."""
        return place.dtype in self.dtypes and self.accepts(place.geometry)


def square(g: Geometry) -> bool:
    """Kernels, strides and dilations alike along both axes, and one number of padding."""
    (top, bottom), (left, right) = g.padding
    return top == bottom == left == right and all(a == b for a, b in (g.kernel_size, g.stride, g.dilation))


def plain(g: Geometry) -> bool:
    """No options at all."""
    return g.stride == g.dilation == (1, 1) and g.padding == ((0, 0), (0, 0)) and g.groups == 1


LESS = {
    "square": Target(square),
    "no stride": Target(lambda g: g.stride == (1, 1)),
    "no options": Target(lambda g: plain(g) and g.padding_mode == "zeros"),
    "float64": Target(dtypes=("float64",)),
}


def measure(target: Target, seed: int, drawn: dict[int, int], examples: int) -> dict[str, Any]:
    """The table by literals, with the names of the survivors; by the fixed set alone where `examples` is 0."""
    whole = target.space()
    fixed = fixed_set(whole, whole.accepts, seed)
    tried = Tried.at([*fixed, *random_rows(seed, examples - len(fixed), whole)])
    table, firsts = {}, []
    for literals, count in drawn.items():
        mutants = [draw(seed, literals, number) for number in range(count)]
        first = first_kills(tried.kills(mutants))
        unseen = [m for m, f in zip(mutants, first, strict=True) if f == 0]
        survivors = [m for m in unseen if not is_equivalent(m.primitive, m.quantity, m.gate, target.takes)]
        firsts.append(first[first > 0])
        table[str(literals)] = {
            "mutants": len(firsts[-1]) + len(survivors),
            "equivalent": len(unseen) - len(survivors),
            "killed_least": int(np.count_nonzero(firsts[-1] <= LEAST)),
            "killed_fixed": int(np.count_nonzero(firsts[-1] <= len(fixed))),
            **({f"killed_{examples}": len(firsts[-1])} if examples > len(fixed) else {}),
            "examples_to_kill": _summary(firsts[-1]),
            "survivors": [f"{mutant.name}: {mutant.title}" for mutant in survivors],
        }
    return {"fixed_set": len(fixed), "literals": table, "examples_to_kill": _summary(np.concatenate(firsts))}


def _summary(first: Any) -> dict[str, float]:
    return {
        "median": float(np.median(first)),
        "mean": round(float(np.mean(first)), 2),
        "p99": float(np.percentile(first, 99)),
        "max": int(first.max()),
    }


def main() -> None:
    """Measure and write, the targets that take less one by one."""
    result = {"seed": SEED, "domain": SIZE, "least": LEAST, **measure(Target(), SEED, DRAWN, EXAMPLES), "less": {}}
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=1) + "\n")
    for name, target in LESS.items():
        result["less"][name] = measure(target, SEED + 1, DRAWN_LESS, examples=0)
        OUTPUT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
