"""A mutant: a bug that somebody made, written into the reference, and where it shows.

    @mutant("pytorch/pytorch#1", Quantity.Y, Trigger.TILE, shows=Geometry(...), hidden=Geometry(...))
    class L005(Convolution):
        def _y(self, x, w, b, o): ...

The class's docstring is the title.  A class has the canonical functions, so that it is a target:
`backproof check backproof.museum:L005`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from backproof.contract import Geometry, PoolGeometry
from backproof.museum.reference import Convolution
from backproof.museum.witness import Call

Place: TypeAlias = Geometry | PoolGeometry | Call | tuple[Call, ...]


class Quantity(StrEnum):
    """What a mutant computes wrongly."""

    Y = "y"
    DX = "dx"
    DW = "dw"
    DB = "db"
    POOL = "pool"
    POOL_GRADIENT = "pool gradient"
    ACTIVATION = "activation"
    DERIVATIVE = "derivative of an activation"
    DELTA = "delta"
    OUTPUT_DELTA = "output delta"
    ERROR = "E"


class Trigger(StrEnum):
    """When a mutant is wrong: in no other calls, but not in all of these."""

    ALWAYS = "always"
    ANISOTROPY = "height and width differ"
    COUNT = "several channels, groups or samples, or only one"
    STEP = "stride, dilation, or a remainder"
    KERNEL = "an even kernel, or 1 x 1"
    BORDER = "padding, or the image's border"
    TILE = "a size beyond a tile or a limit, or not divisible"
    LAYOUT = "memory that is not in C order"
    DTYPE = "one dtype"
    STATE = "what happened before"
    VALUES = "special values"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A bug: its `source` is the thread that reports it, `layer` the wrong implementation.

    At the calls of `witness` it differs from the reference; at those of `agreement` it does not (none: it always does).
    """

    id: str
    title: str
    source: str
    quantity: Quantity
    trigger: Trigger
    layer: type[Convolution]
    witness: tuple[Call, ...]
    agreement: tuple[Call, ...] = ()

    @property
    def target(self) -> str:
        """What `backproof check` takes."""
        return f"backproof.museum:{self.id}"


#: Every mutant, by its id.
MUSEUM: dict[str, Mutant] = {}

_FUNCTIONS = {
    Quantity.Y: "forward",
    Quantity.DX: "input_gradient",
    Quantity.DW: "weight_gradient",
    Quantity.DB: "bias_gradient",
    Quantity.DELTA: "delta",
    Quantity.OUTPUT_DELTA: "output_delta",
    Quantity.ERROR: "error",
}


def mutant(
    source: str,
    quantity: Quantity,
    trigger: Trigger,
    *,
    shows: Place,
    hidden: Place | None = None,
) -> Callable[[type[Convolution]], type[Convolution]]:
    """Register a class under its name; `shows` and `hidden` are the mutant's witness and agreement.

    A geometry stands for one call of the function that computes the quantity.
    """

    def register(layer: type[Convolution]) -> type[Convolution]:
        name, title = layer.__name__, (layer.__doc__ or "").partition("\n")[0].rstrip(".")
        if name in MUSEUM:
            raise ValueError(f"{name} is the mutant {MUSEUM[name].title!r} already; rename {title!r}")
        agreement = () if hidden is None else _calls(hidden, quantity)
        MUSEUM[name] = Mutant(name, title, source, quantity, trigger, layer, _calls(shows, quantity), agreement)
        return layer

    return register


def _calls(place: Place, quantity: Quantity) -> tuple[Call, ...]:
    if isinstance(place, tuple):
        return place
    if isinstance(place, Call):
        return (place,)
    if isinstance(place, Geometry):
        return (Call(_FUNCTIONS[quantity], place),)
    suffix = "_gradient" if quantity is Quantity.POOL_GRADIENT else ""
    return (Call(f"{place.kind}_pool{suffix}", place),)
