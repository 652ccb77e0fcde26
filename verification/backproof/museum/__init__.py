"""A museum of bugs that were made: each is a target that `backproof check` must reject.

    backproof check backproof.museum:L005

Ids with an L are bugs of released libraries, those with an H are made by hand again and again, and those with a P were
added for the options and conventions of pooling.  `MUSEUM` has those that
a call can show; `NOT_EXPRESSIBLE` says of the others why none can.
"""

from __future__ import annotations

from backproof.museum import (  # noqa: F401  each registers its mutants
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
_ACTIVATION = "there is no activation in a convolution layer's calls"
_NETWORK = "it is in how a network uses its layers"

#: Why no call shows a bug, by its id.
NOT_EXPRESSIBLE: dict[str, str] = {
    "L023": _SAME,
    "L041": "gradients are returned here; adding them up is the caller's",
    "L052": _SAME,
    "L083": "there is no adaptive pooling",
    "L100": _ACTIVATION,
    "L101": _ACTIVATION,
    "L102": _ACTIVATION,
    "L104": _ACTIVATION,
    "L109": _ACTIVATION,
    "H014": _SAME,
    "H027": _NETWORK,
    "H038": _ACTIVATION,
    "H039": _ACTIVATION,
    "H040": _ACTIVATION,
    "H041": _ACTIVATION,
    "H042": _ACTIVATION,
    "H043": _NETWORK,
    "H052": "it only rounds more: where no sum rounds, which is where results are compared, it is right",
}


def __getattr__(name: str) -> type[Convolution]:
    """A mutant by its id, so that `backproof.museum:L005` is a target."""
    if name in MUSEUM:
        return MUSEUM[name].layer
    raise AttributeError(f"the museum has no mutant {name!r}; its ids are {', '.join(MUSEUM)}")
