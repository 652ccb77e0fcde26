"""Where a layer class keeps its weights and leaves its gradients, found by calling it once (see `classes`)."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backproof.contract import Geometry
from backproof.targets.axes import BIASES, WEIGHTS, Axes
from backproof.targets.binding import BoundFunction, BoundParameter
from backproof.targets.declarations import Declarations
from backproof.targets.errors import TargetError
from backproof.targets.finding import method
from backproof.targets.layouts import Array
from backproof.targets.reading import bind_signature
from backproof.targets.roles import BACKWARD_METHODS, FORWARD_METHODS
from backproof.targets.styles import trials
from backproof.targets.styles.construction import Given, Maker
from backproof.targets.styles.places import NAMES, Place, is_gradient, is_parameter, places

_RATES = ("learning_rate", "lr", "_learning_rate", "_lr", "eta", "alpha")


@dataclass(frozen=True, slots=True)
class Methods:
    """The two methods of a layer class, by name, with their parameters."""

    forward: str
    backward: str
    bound_forward: BoundFunction
    bound_backward: BoundFunction


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a layer keeps what: its weights and bias, and how each gradient is had.

    `sources`: by quantity, the position in what backward returns, a place, or "update".
    """

    w: Place
    b: Place | None
    axes: Axes
    sources: Mapping[str, int | Place | str]


def methods_of(kind: type) -> Methods:
    """The forward and backward methods of a class.

    Raises:
        TargetError: a parameter that is required is not known.
    """
    forward, backward = method(kind, FORWARD_METHODS), method(kind, BACKWARD_METHODS)
    if forward is None or backward is None:
        raise TargetError(f"{kind.__name__} has no method forward, or no method backward")
    return Methods(
        forward, backward, _method(kind, forward, "forward method"), _method(kind, backward, "backward method")
    )


def _method(kind: type, name: str, role: str) -> BoundFunction:
    """Bound by names, or, where it takes one argument only, by that."""
    signature = inspect.signature(getattr(kind, name))
    empty = inspect.Parameter.empty
    own = [item.replace(annotation=empty) for item in signature.parameters.values()][1:]
    display = f"{kind.__name__}.{name}({', '.join(map(str, own))})"
    required = [item for item in own if item.default is empty and item.kind is item.POSITIONAL_OR_KEYWORD]
    if own and len(required) == 1 and own[0] is required[0]:
        first = BoundParameter(own[0].name, "x" if role == "forward method" else "dy")
        rest = [item for item in own[1:] if role == "backward method"]
        optional = bind_signature("constructor", inspect.Signature(()), display).parameters
        rates = [BoundParameter(item.name, "learning_rate", keyword=True) for item in rest if item.name in _RATES]
        return BoundFunction(role, display, (first, *optional, *rates))
    return bind_signature(role, inspect.Signature(own), display)


def keeps(maker: Maker | Given, methods: Methods, geometry: Geometry, declared: Declarations) -> Kept:
    """Find where a layer keeps what.

    Raises:
        TargetError: no weights are found, or a bias of unknown shape.
    """
    layer = maker.layer(geometry)
    arrays = trials.inputs(geometry)
    x = _one(maker.axes, maker.axes.given("x", maker.axes.laid_out("x", arrays["x"])))
    if not any(is_parameter(place, "w") for place, _ in places(layer)):
        run_forward(layer, methods, geometry, x)  # some make their weights at the first call
    w, weights = _weights(layer, geometry, declared, maker)
    b, bias = _bias(layer, geometry, declared)
    axes = Axes(declared.layout, weights, bias)
    return Kept(w, b, axes, _sources(layer, methods, geometry, w, b, axes))


def _one(axes: Axes, array: Any) -> Any:
    return array if axes.batched else array[0]


def _weights(layer: Any, geometry: Geometry, declared: Declarations, maker: Maker | Given) -> tuple[Place, str]:
    """The place of the weights, and the order of their axes."""
    names = [declared.weights] if declared.weights else [name for name in WEIGHTS if "," not in name]
    called = [(place, array) for place, array in places(layer) if is_parameter(place, "w")]
    for name in names:
        axes = Axes(declared.layout, name)
        if axes.refuses(geometry) is None:
            for place, array in called:
                if array.shape == axes.shape("w", geometry.w_shape):
                    return place, name
    kind = type(layer).__name__
    if not called:
        kept = ", ".join(str(place) for place, _ in places(layer)) or "no arrays"
        raise TargetError(f"{kind}: no attribute is called like weights ({', '.join(NAMES['w'])}); it keeps {kept}")
    place, array = called[0]
    expected = Axes(declared.layout, names[0]).shape("w", geometry.w_shape)
    raise TargetError(
        f"{kind}: {place} has shape {array.shape}, where WEIGHTS = {names[0]!r} means {expected}; declare the order of "
        f"its axes, WEIGHTS = one of {', '.join(WEIGHTS)}"
    )


def _bias(layer: Any, geometry: Geometry, declared: Declarations) -> tuple[Place | None, str]:
    names = [declared.bias] if declared.bias else [name for name in BIASES if name != "scalar"]
    called = [(place, array) for place, array in places(layer) if is_parameter(place, "b")]
    for name in names:
        for place, array in called:
            if array.shape == Axes(bias=name).shape("b", geometry.b_shape):
                return place, name
    if called:
        place, array = called[0]
        raise TargetError(
            f"{type(layer).__name__}: {place} has shape {array.shape}, which is no bias of {geometry.out_channels} "
            f"output channels that is known (BIAS = {', '.join(BIASES)})"
        )
    return None, "O"


def _sources(
    layer: Any, methods: Methods, geometry: Geometry, w: Place, b: Place | None, axes: Axes
) -> dict[str, int | Place | str]:
    """How each gradient is had, by one call."""
    values = {role: axes.given(role, axes.laid_out(role, array)) for role, array in trials.inputs(geometry).items()}
    data = {role: _one(axes, value) for role, value in values.items() if role in ("x", "dy")}
    write(layer, w, b, values, copy=True)
    y = run_forward(layer, methods, geometry, data["x"])
    dy = np.ones_like(y) if getattr(y, "shape", None) != data["dy"].shape else data["dy"]
    before = {"dw": np.array(w.read(layer)), "db": np.array(None if b is None else b.read(layer))}
    answer = run_backward(layer, methods, geometry, {**data, "dy": dy})
    shapes = {quantity: axes.shape(quantity, geometry.shape_of(quantity)) for quantity in ("dx", "dw", "db")}
    found: dict[str, int | Place | str] = dict(_returned(answer, shapes))
    for quantity, place in (("dw", w), ("db", b)):
        if place is not None and quantity not in found and not np.array_equal(place.read(layer), before[quantity]):
            found[quantity] = "update"
    for quantity in ("dx", "dw", "db"):
        if quantity not in found and (kept := _attribute(layer, quantity, shapes[quantity])) is not None:
            found[quantity] = kept
    if b is None:
        found.pop("db", None)
    return found


def _returned(answer: Any, shapes: Mapping[str, tuple[int, ...]]) -> Iterator[tuple[str, int]]:
    """Which of the returned arrays is which: by shape, one alone being dx, else in the order dx, dw, db."""
    items = list(answer) if isinstance(answer, tuple | list) else [answer]
    known = [getattr(item, "shape", None) for item in items]
    if all(item is None for item in known):
        return
    by_shape = {
        quantity: index
        for quantity, shape in shapes.items()
        for index in range(len(known))
        if known[index] == shape and known.count(shape) == 1
    }
    in_order = dict(zip(shapes, range(len(items)), strict=False))
    yield from (by_shape if len(by_shape) == len(items) else in_order).items()


def _attribute(layer: Any, quantity: str, shape: tuple[int, ...]) -> Place | None:
    role = quantity.removeprefix("d")
    called = [(place, array) for place, array in places(layer) if is_gradient(place, role)]
    right = [place for place, array in called if array.shape == shape or array.size == np.prod(shape)]
    return right[0] if right else called[0][0] if called else None


def write(layer: Any, w: Place, b: Place | None, values: Mapping[str, Array], copy: bool) -> None:
    """Overwrite the parameters of a layer; with a `copy` where it changes them itself."""
    w.write(layer, values["w"].copy() if copy else values["w"])
    if b is not None and "b" in values:
        b.write(layer, values["b"].copy() if copy else values["b"])


def run_forward(layer: Any, methods: Methods, geometry: Geometry, x: Any) -> Any:
    """`y`, by the layer's own forward."""
    positional, keywords = methods.bound_forward.arguments(geometry, {"x": x})
    return getattr(layer, methods.forward)(*positional, **keywords)


def run_backward(layer: Any, methods: Methods, geometry: Geometry, values: Mapping[str, Any]) -> Any:
    """Whatever the layer's own backward returns; a learning rate is 1."""
    for name in _RATES:
        if isinstance(getattr(layer, name, None), int | float):
            setattr(layer, name, 1)
    positional, keywords = methods.bound_backward.arguments(geometry, {**values, "learning_rate": 1})
    return getattr(layer, methods.backward)(*positional, **keywords)
