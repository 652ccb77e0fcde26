"""The same layer in each library: one module for each, which only its own process imports.

A module has `VERSION`; `setup(threads)`, called once; `mode()`, a context in which its calls are made; and
`sides(layer, data)`: for each of its sides the calls for y, dx and dw, or the reason why it has none.  Every call
allocates its result, and whatever a library does to layouts and weights is part of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..layers import Quantity

Calls: TypeAlias = dict[Quantity, Callable[[], Any]]
Sides: TypeAlias = dict[str, Calls | str]


@dataclass(frozen=True, slots=True)
class Baseline:
    """Something to be compared with: the `library`'s module here, what it imports, and the extra that installs it."""

    library: str
    imports: str
    extra: str


OURS, WINOGRAD, ALONE = "ours", "ours, Winograd", "ours, 1 thread"
#: What the name of a side ends with where memory is not pooled.
DEFAULT = ", default allocator"

#: By the name of the side.
BASELINES = {
    "torch": Baseline("pytorch", "torch", "torch"),
    "torch-channels-last": Baseline("pytorch", "torch", "torch"),
    "jax": Baseline("xla", "jax", "jax"),
    "scipy": Baseline("signal", "scipy", "scipy"),
}
