"""What a program computes itself, between the functions of a target that has none for it; exact on integers.

our square, our square derivative      an activation of ours and its derivative, of c
multiply                               u * v, the product of two arrays, as in delta = dx * a'(c)
subtract                               u - v, as in o - t
"""

from __future__ import annotations

from collections.abc import Callable

from backproof.targets.layouts import Array
from backproof.targets.styles.activations import OURS

#: By name; each takes arrays in the order of a step's inputs.
GLUE: dict[str, Callable[..., Array]] = {
    **{f"our {name}": pair[0] for name, pair in OURS.items()},
    **{f"our {name} derivative": pair[1] for name, pair in OURS.items()},
    "multiply": lambda u, v: u * v,
    "subtract": lambda u, v: u - v,
}
