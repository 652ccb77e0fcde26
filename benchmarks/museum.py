"""After how many examples the check `exact` alone kills each mutant of the museum and each foreign one.

    python benchmarks/museum.py             # writes benchmarks/results/museum.json

The cases are those of the check in its default profile: its part of the fixed set, then random levels.  Mutants are
called in this process, laid out and bound as in a worker.  What only pools is left out; none of them was used by
`distil`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from distillation.candidates import random_rows

from backproof.cases.data import example
from backproof.cases.designs import fixed_set
from backproof.cases.levels import Case, Space, space
from backproof.contract import ORIENTATIONS
from backproof.museum import MUSEUM, Quantity
from backproof.museum.foreign import FOREIGN
from backproof.options import PROFILES
from backproof.targets.arena import Arena, aligned, write
from backproof.targets.calls import Excluded, NotSupported
from backproof.targets.messages import Call, Load, Returned
from backproof.targets.session import Session

SEEDS = (1, 2, 3)
EXAMPLES = PROFILES["default"]
OUTPUT = Path(__file__).parent / "results" / "museum.json"


def targets() -> Iterator[str]:
    """Every mutant that convolves, as a target."""
    for mutant in MUSEUM.values():
        if mutant.quantity not in (Quantity.POOL, Quantity.POOL_GRADIENT):
            yield mutant.target
    for foreign in FOREIGN.values():
        if foreign.kind != "pooling":
            yield f"backproof.museum.foreign:{type(foreign.target).__name__}"


def first_kill(target: str, seed: int) -> int:
    """The number of the first example that shows the mutant, from 1; 0 where none does."""
    session, arena = Session.load(Load(target, {}, tuple(sys.path)), lambda message: None), Arena()
    binding = session.binding
    chosen = "orientation" in dict(binding.options)
    orientations = ORIENTATIONS if chosen else (binding.orientation or "cross-correlation",)
    whole = space(
        lambda g: binding.refuses(g) is None,
        orientations=orientations,
        dtypes=binding.dtypes,
        layouts=binding.layouts,
        fixed=dict(binding.fixed),
    )
    try:
        return next((k for k, case in enumerate(_cases(whole, seed), 1) if _shows(session, arena, case)), 0)
    finally:
        arena.close()


def _cases(whole: Space, seed: int) -> list[Case]:
    fixed = fixed_set(whole, whole.accepts, seed)[: 3 * EXAMPLES // 4]
    return [*fixed, *random_rows(seed, EXAMPLES, whole)]


def _shows(session: Session, arena: Arena, case: Case) -> bool:
    drawn, bound = example(case), {function.role for function in session.binding.functions}
    singles = ("input_gradient", "weight_gradient", "bias_gradient")
    routes = [("forward", "backward"), ("forward", *singles)] if "backward" in bound else [("forward", *singles)]
    for route in routes:
        functions = tuple(name for name in route if name in bound and (name != "bias_gradient" or case.geometry.bias))
        answer = session.answer(_call(arena, case, functions))
        if isinstance(answer, NotSupported | Excluded):
            continue
        if not isinstance(answer, Returned):
            return True
        memory = arena.reserve(0)
        for quantity, slot in answer.slots.items():
            found = np.ndarray(slot.shape, slot.dtype, memory.buf, slot.offset)
            if quantity in drawn.expected and not np.array_equal(found, drawn.expected[quantity]):
                return True
    return False


def _call(arena: Arena, case: Case, functions: tuple[str, ...]) -> Call:
    arrays = example(case).arrays
    room = sum(aligned(array.nbytes) for array in arrays.values())
    memory = arena.reserve(2 * room + 16 * case.geometry.batch * int(np.prod(case.geometry.y_shape[1:])) + 4096)
    offset, inputs = 0, {}
    for role, array in arrays.items():
        inputs[role] = write(memory, offset, array)
        offset += aligned(array.nbytes)
    return Call(case.geometry, functions, inputs, {role: case.layout(role) for role in arrays}, memory.name, room)


def main() -> None:
    """Measure and write."""
    kills = {target: [first_kill(target, seed) for seed in SEEDS] for target in targets()}
    firsts = np.array([first for row in kills.values() for first in row if first])
    result: dict[str, Any] = {
        "mutants": len(kills),
        "seeds": list(SEEDS),
        "runs": sum(map(len, kills.values())),
        "killed": len(firsts),
        "examples_to_kill": {
            "median": float(np.median(firsts)),
            "mean": round(float(firsts.mean()), 2),
            "p99": float(np.percentile(firsts, 99)),
            "max": int(firsts.max()),
        },
        "not_always_killed": {target: row for target, row in kills.items() if not all(row)},
        "examples": kills,
    }
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
