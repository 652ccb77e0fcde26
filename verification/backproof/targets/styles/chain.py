"""What joins layers to a chain, in whatever style the layers are written: ACTIVATIONS, delta, output_delta, error.

All are optional.  What cannot be bound is left out, and is listed with the reason.
"""

from __future__ import annotations

from dataclasses import replace

from backproof.targets.declarations import Declarations
from backproof.targets.errors import TargetError
from backproof.targets.loading import Loaded
from backproof.targets.reading import bind_function
from backproof.targets.styles.activations import NONE, bound_activations, read_activations
from backproof.targets.styles.functions import plain
from backproof.targets.styles.layer import Layer


def with_chain(layer: Layer, loaded: Loaded, declared: Declarations) -> Layer:
    """The layer with the functions of the chain that its target has.

    Raises:
        TargetError: nothing else is bound, and none of these can be.
    """
    pairs, gaps = read_activations(loaded.constants)
    bound, functions = bound_activations(pairs, layer.arrays)
    for role, function in loaded.chain.items():
        try:
            bound[role] = bind_function(role, function, declared)
        except TargetError as error:
            if role != "error":  # others mean other things by it
                gaps = (*gaps, f"{role}: {error}")
            continue
        functions[role] = plain(function, bound[role], layer.axes, layer.arrays)
    if not layer.bound and not bound:
        raise TargetError("; ".join(gap for gap in gaps if gap != NONE))
    bound, functions = {**layer.bound, **bound}, {**layer.functions, **functions}
    return replace(layer, bound=bound, functions=functions, activations=pairs, gaps=gaps)
