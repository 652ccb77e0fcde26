"""A museum of bugs that were made: each is a target that `backproof check` must reject.

    backproof check backproof.museum:L005

Ids with an L are bugs of released libraries, those with an H are made by hand again and again, and so are those of the
chain of layers, with a C, and those of the options and conventions of pooling, with a P.  `MUSEUM` has those that a
call can show; `NOT_EXPRESSIBLE` says of the others why none can.
"""

from __future__ import annotations

from backproof.museum import (  # noqa: F401  each registers its mutants
    activations,
    chain,
    forward,
    inputs,
    inputs_classic,
    memory,
    pooling,
    pooling_options,
    state,
    state_pooling,
    weights,
    winograd,
)
from backproof.museum.mutant import MUSEUM, Mutant, Quantity, Trigger
from backproof.museum.reference import Convolution

__all__ = ["MUSEUM", "NOT_EXPRESSIBLE", "Mutant", "Quantity", "Trigger"]

_SAME = "padding is given in numbers here, never as SAME"

#: Why no call shows a bug, by its id.
NOT_EXPRESSIBLE: dict[str, str] = {
    "L023": _SAME,
    "L041": "gradients are returned here; adding them up is the caller's",
    "L052": _SAME,
    "L083": "there is no adaptive pooling",
    "H014": _SAME,
    "H052": "it only rounds more: where no sum rounds, which is where results are compared, it is right",
}


def __getattr__(name: str) -> type[Convolution]:
    """A mutant by its id, so that `backproof.museum:L005` is a target."""
    if name in MUSEUM:
        return MUSEUM[name].layer
    raise AttributeError(f"the museum has no mutant {name!r}; its ids are {', '.join(MUSEUM)}")
