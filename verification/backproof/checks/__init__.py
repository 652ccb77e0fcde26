"""The checks: each a module that names the equations it tests, compares exactly, and reports the smallest failure.

`CHECKS` is the list in the order in which a run goes through it.
"""

from __future__ import annotations

from backproof.checks import (
    activations,
    adjoint,
    chain,
    contract,
    exact,
    finite_differences,
    locality,
    pooling,
    rounding,
    shapes,
    state,
    symbolic,
    threads,
)
from backproof.checks.bench import Bench, Check

CHECKS: tuple[Check, ...] = (
    exact.CHECK,
    contract.CHECK,
    symbolic.CHECK,
    finite_differences.CHECK,
    adjoint.CHECK,
    pooling.CHECK,
    activations.CHECK,
    chain.CHECK,
    state.CHECK,
    locality.CHECK,
    rounding.CHECK,
    threads.CHECK,
    shapes.CHECK,
)

__all__ = ["CHECKS", "Bench", "Check"]
