"""Layers that are wrong in a hundred programmers' ways, written without sight of the verifier's checks.

`FOREIGN` has every mutant by its id.  Each can be named as a target by its class, as in
`backproof check backproof.museum.foreign:RotationForgotten`.
"""

from __future__ import annotations

from typing import Any

# Each module registers its mutants in FOREIGN when it is imported.
from backproof.museum.foreign import channels, gates, indices, memory, numbers, options, pooling, post, rare
from backproof.museum.foreign.entry import FOREIGN, Foreign, Witness

__all__ = [
    "FOREIGN",
    "Foreign",
    "Witness",
    "channels",
    "gates",
    "indices",
    "memory",
    "numbers",
    "options",
    "pooling",
    "post",
    "rare",
]


def __getattr__(name: str) -> Any:
    """The target whose class has this name, as if nothing had been called yet."""
    for mutant in FOREIGN.values():
        if type(mutant.target).__name__ == name:
            return type(mutant.target)()
    raise AttributeError(f"no foreign mutant is called {name!r}; FOREIGN has them all")
