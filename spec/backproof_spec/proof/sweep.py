"""The post's equations at every small shape, against a net's own derivatives: a second opinion without a solver.

Each equation is evaluated, through the code generated from it, on polynomials (see `net`) and compared, entry by entry,
with the true left-hand side.  In valid frames both layers keep valid pixels only, and each layer numbers the pixels of
its image from 0.  What holds in which frame is found, and so is the first shape at which an equation fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from time import perf_counter

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from backproof_spec.equations import backpropagation, feedforward
from backproof_spec.model import FRAMES, Equation, Frame
from backproof_spec.oracle.build import Oracle, build
from backproof_spec.proof.net import Net, Shape

Builder = Callable[[Frame], Equation]

#: The bounds of a sweep that takes seconds: `sweep(*QUICK)`.
QUICK = (3, 2, 2)

#: The equations that are compared, by id: each for any frame.
EQUATIONS: Mapping[str, Builder] = {
    "single-input": feedforward.single_input,
    "complete-input": feedforward.complete_input,
    "output": feedforward.output,
    "error": feedforward.error,
    "weight-gradient": backpropagation.weight_gradient,
    "weight-gradient-rot180": backpropagation.weight_gradient_rot180,
    "deltas": backpropagation.deltas,
    "output-delta": backpropagation.output_delta,
    "bias-gradient": backpropagation.bias_gradient,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one equation in one frame.

    Attributes:
        identities: How many entries were compared whose true value is not the zero polynomial.
        fails_at: The first shape at which the equation fails, or None.
    """

    identities: int = 0
    fails_at: Shape | None = None

    @property
    def holds(self) -> bool:
        """Whether no shape contradicts it, and some shape could have."""
        return self.fails_at is None and self.identities > 0


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What holds where; `table` is by equation id and name of the frame."""

    table: Mapping[tuple[str, str], Outcome]
    shapes: int
    seconds: float

    @property
    def identities(self) -> int:
        """How many polynomial identities were compared."""
        return sum(outcome.identities for outcome in self.table.values())


def _shapes(max_image: int, max_kernel: int, max_units: int) -> list[Shape]:
    """Every shape up to these bounds, small ones first."""
    bounds = {"max_image": max_image, "max_kernel": max_kernel, "max_units": max_units}
    for name, bound in bounds.items():
        if bound < 1:
            raise ValueError(f"{name} is {bound}; it has to be at least 1")
    image, kernel, units = (range(1, bound + 1) for bound in bounds.values())
    every = sorted(product(image, image, kernel, units, units, units), key=lambda sizes: (sum(sizes), sizes))
    return [Shape(H, W, size, (n, m, p)) for H, W, size, n, m, p in every]


def sweep(
    max_image: int = 5,
    max_kernel: int = 3,
    max_units: int = 2,
    frames: tuple[Frame, ...] = FRAMES,
    equations: Mapping[str, Builder] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SweepResult:
    """Compare equations at every shape in every frame; an equation that has failed in a frame is left alone there.

    Args:
        max_image: The largest height and width.
        max_kernel: The largest kernel.
        max_units: The most units of each layer.
        frames: The frames in which both layers are computed, one after the other.
        equations: What to compare, by the ids of `EQUATIONS`; all of them if None.
        progress: Called with the number of shapes done and their total.

    Raises:
        ValueError: A bound is below 1, or there is nothing to compare an equation with.
    """
    start = perf_counter()
    builders = EQUATIONS if equations is None else equations
    oracles = {(i, frame.name): _compiled(builder(frame)) for i, builder in builders.items() for frame in frames}
    table = {key: Outcome() for key in oracles}
    everything = _shapes(max_image, max_kernel, max_units)
    done = 0
    for shape in everything:
        open_frames = [f for f in frames if any(table[i, f.name].fails_at is None for i in builders)]
        if not open_frames:
            break
        nets = {full: Net(shape, full) for full in {f.name == "FULL" for f in open_frames}}
        for frame in open_frames:
            for key in ((identifier, frame.name) for identifier in builders):
                if table[key].fails_at is None:
                    table[key] = _compared(table[key], oracles[key], nets[frame.name == "FULL"])
        done += 1
        if progress:
            progress(done, len(everything))
    return SweepResult(table, done, perf_counter() - start)


def _compared(outcome: Outcome, oracle: Oracle, net: Net) -> Outcome:
    """The outcome after one more net, at each layer of which the equation speaks."""
    for sizes, operands, truth in net.cases(oracle.equation.id):
        value = oracle.forward(operands, sizes)
        outcome = replace(outcome, identities=outcome.identities + int(np.count_nonzero(truth)))
        if value.shape != truth.shape or not np.array_equal(value, truth):
            return replace(outcome, fails_at=net.shape)
    return outcome


def _compiled(equation: Equation) -> Oracle:
    """The equation as a function of the values and slopes of the activation, tensors like any other."""

    rhs = equation.rhs.replace(lambda e: isinstance(e, sp.Subs), lambda e: _prefixed("da", e.point[0]))
    rhs = rhs.replace(lambda e: isinstance(e, AppliedUndef), lambda e: _prefixed("a", e.args[0]))
    declared = {t.name: t for t in equation.tensors}
    for prefix, tensor in product(("a", "da"), equation.tensors):
        declared[f"{prefix}_{tensor.name}"] = replace(tensor, name=f"{prefix}_{tensor.name}")
    names = sorted({str(entry.base) for entry in rhs.atoms(sp.Indexed)})
    return build(replace(equation, rhs=rhs, tensors=(equation.tensors[0], *(declared[n] for n in names))), "object")


def _prefixed(prefix: str, read: sp.Indexed) -> sp.Indexed:
    return sp.IndexedBase(f"{prefix}_{read.base}")[read.indices]
