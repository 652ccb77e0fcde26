"""Try how options, dictionaries and biases are taken, where no default and no declaration shows it.

A trial calls forward and backward once at a small shape whose dimensions all differ, and counts the results that have
the right shape.  Values are never looked at: what fits the shapes best is bound, and is then held to the specification.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from backproof.contract import Geometry, Padding, Pair
from backproof.targets import calling
from backproof.targets.binding import BoundFunction
from backproof.targets.calling import Outcome
from backproof.targets.calls import Malformed, NotSupported, Raised
from backproof.targets.forms import Form, alternatives
from backproof.targets.layouts import Array
from backproof.targets.styles.layer import Layer

_KERNEL: dict[Form, Pair] = {"int": (3, 3), "pair": (3, 2)}
_STRIDE: dict[Form, Pair] = {"int": (2, 2), "pair": (2, 1)}
_PADDING: dict[Form, Padding] = {"int": ((1, 1), (1, 1)), "pair": ((1, 1), (2, 2)), "sides": ((1, 2), (0, 1))}


def undetermined(bound: Mapping[str, BoundFunction]) -> tuple[str, ...]:
    """Options of the convolution whose form no default shows."""
    roles = (
        item.role
        for function in bound.values()
        if "pool" not in function.role
        for item in function.parameters
        if item.form is not None and item.required and len(alternatives(item.role)) > 1
    )
    return tuple(dict.fromkeys(roles))


def variants(bound: Mapping[str, BoundFunction]) -> Iterator[dict[str, BoundFunction]]:
    """The functions with every combination of forms of the undetermined options, the fullest first."""
    options = undetermined(bound)
    for forms in product(*(alternatives(option) for option in options)):
        chosen = dict(zip(options, forms, strict=True))
        yield {role: reformed(function, chosen) for role, function in bound.items()}


def reformed(function: BoundFunction, forms: Mapping[str, Form]) -> BoundFunction:
    """A function with other forms of those options that no default shows."""
    parameters = tuple(
        replace(item, form=forms[item.role]) if item.required and item.role in forms else item
        for item in function.parameters
    )
    return replace(function, parameters=parameters) if "pool" not in function.role else function


def geometries(layer: Layer) -> tuple[Geometry, Geometry]:
    """A shape that tells all dimensions and options of a layer apart, and the plainest one."""
    axes, forms = layer.axes, layer.bound["forward"].options
    rich = Geometry(
        batch=2,
        in_channels=3 if "C" in axes.data and "I" in axes.weights else 1,
        out_channels=4 if "C" in axes.data and "O" in axes.weights and axes.bias != "scalar" else 1,
        size=(7, 9),
        kernel_size=_KERNEL[forms.get("kernel_size", "pair")],
        stride=_STRIDE[forms["stride"]] if "stride" in forms else (1, 1),
        padding=_PADDING[forms["padding"]] if "padding" in forms else ((0, 0), (0, 0)),
        bias=takes_bias(layer),
    )
    plain = replace(rich, size=(6, 6), kernel_size=(3, 3), stride=(1, 1), padding=((0, 0), (0, 0)))
    return rich, plain


def choose(layers: Iterable[Layer], root: Path) -> tuple[Layer, str | None]:
    """The layer whose results have most often the right shape, the first of equals; and why none has any."""
    tried = list(layers)
    reason: str | None = None
    for number in (0, 1):
        best, most = tried[0], 0
        for layer in tried:
            geometry = geometries(layer)[number]
            score, failure = _score(layer, geometry, root)
            reason = reason or failure
            if score > most:
                best, most = layer, score
            if score == len(_wanted(layer, geometry)):
                break
        if most:
            return best, None
    return tried[0], reason


def takes_bias(layer: Layer) -> bool:
    """Whether a trial gives it a bias: wherever it takes one."""
    return layer.bias != "never" if layer.bias is not None else layer.bound["forward"].takes("b")


def _wanted(layer: Layer, geometry: Geometry) -> tuple[str, ...]:
    gradients = ("dx", "dw", "db") if geometry.bias else ("dx", "dw")
    return ("y", *gradients) if "backward" in layer.functions else ("y",)


def inputs(geometry: Geometry) -> dict[str, Array]:
    """Small integers for every role."""
    rng = np.random.default_rng(5)
    roles = ("x", "w", "b", "dy") if geometry.bias else ("x", "w", "dy")
    return {role: rng.integers(1, 5, geometry.shape_of(role)).astype(np.float64) for role in roles}


def _score(layer: Layer, geometry: Geometry, root: Path) -> tuple[int, str | None]:
    score, reason, arrays = 0, None, inputs(geometry)
    for role in ("forward", "backward"):
        if role not in layer.functions:
            continue
        outcome = calling.call(layer.functions[role], layer.bound[role], geometry, arrays, {}, root, layer.axes)
        if not isinstance(outcome, Outcome):
            return score, reason or described(outcome)
        for quantity, array in outcome.arrays.items():
            if array.shape == geometry.shape_of(quantity):
                score += 1
            else:
                expected = geometry.shape_of(quantity)
                reason = reason or f"{quantity} has shape {array.shape} where {expected} was expected"
    return score, reason


def described(outcome: Raised | NotSupported | Malformed) -> str:
    """What a call did instead of returning arrays, in a phrase."""
    if isinstance(outcome, Raised):
        place = f" ({outcome.where})" if outcome.where else ""
        return f"{outcome.function} raised {outcome.type}: {outcome.message}{place}"
    if isinstance(outcome, Malformed):
        return f"{outcome.function}: {outcome.quantity} {outcome.what}"
    return f"{outcome.function}: {outcome.reason}"
