"""How a foreign mutant is written down: a class that spoils a right layer, with the story of the mistake.

A *foreign* mutant is written without sight of the verifier's checks.  Each is a subclass of one of the right layers in
`bases`, `windows` and `pools`, and is registered by the decorator `wrong`; its docstring is the story.  The *witness*
says where it really differs from its base: calls made one after the other on one instance, with a kind of data and of
memory layout.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from numpy.typing import NDArray

from backproof.contract import Geometry, PoolGeometry

Array: TypeAlias = NDArray[Any]
Kind: TypeAlias = Literal[
    "post", "index", "option", "channel", "number", "value", "state", "layout", "shape gate", "pooling", "rare"
]
Data: TypeAlias = Literal[
    "small",
    "large",
    "halves",
    "tiny",
    "negative",
    "constant",
    "cancelling",
    "last only",
    "symmetric",
    "not a number",
]
DType: TypeAlias = Literal["float32", "float64"]
Layout: TypeAlias = Literal["C", "F"]
T = TypeVar("T", bound=type)


@dataclass(frozen=True, slots=True)
class Witness:
    """Calls at which a mutant differs from its base.

    Each geometry stands for a forward and a backward pass (or a pooling and its gradient) on fresh data; all results
    are looked at after the last call.  With `refilled`, every call finds its arguments in the same memory.
    """

    calls: tuple[Geometry | PoolGeometry, ...]
    data: Data = "small"
    layout: Layout = "C"
    dtype: DType = "float64"
    refilled: bool = False


@dataclass(frozen=True, slots=True)
class Foreign:
    """One mutant: who errs how, in which quantity, and where it shows."""

    id: str
    title: str
    kind: Kind
    #: `y`, `dx`, `dw`, `db`, or the name of a pooling function.
    quantity: str
    story: str
    #: An instance with the canonical functions; whatever a mutant remembers is in it, so `type(target)()` is fresh.
    target: Any
    #: The right layer that was spoiled.
    base: type
    witness: Witness
    #: Wrong at every call, so that there is nowhere to agree with the base.
    always: bool = False


#: Every mutant by its id, in the order in which their modules are imported.
FOREIGN: dict[str, Foreign] = {}


def wrong(
    title: str,
    kind: Kind,
    quantity: str,
    *calls: Geometry | PoolGeometry,
    data: Data = "small",
    layout: Layout = "C",
    dtype: DType = "float64",
    refilled: bool = False,
    always: bool = False,
) -> Callable[[T], T]:
    """Register the decorated class; its id is its name in kebab case, its base is its first parent."""

    def register(mutant: T) -> T:
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", mutant.__name__).lower()
        if name in FOREIGN:
            raise ValueError(f"two foreign mutants are called {name!r}; rename the class {mutant.__name__}")
        story = " ".join((inspect.getdoc(mutant) or "").split())
        witness = Witness(calls, data, layout, dtype, refilled)
        base = mutant.__bases__[0]
        FOREIGN[name] = Foreign(name, title, kind, quantity, story, mutant(), base, witness, always)
        return mutant

    return register
