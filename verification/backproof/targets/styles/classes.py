"""Layer classes: `Conv2D(in_channels, out_channels, kernel_size, stride=1)` with `forward(x)` and `backward(dy)`.

The layer's weights are overwritten before every call.  Its gradients are returned by backward, left in attributes, or
applied: `backward(dy, learning_rate)` is called with 1, and dw is the difference of w before and after, which is exact
on integers.  Where weights and gradients lie is found once, at a shape whose dimensions all differ.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from backproof.contract import AnyGeometry, Geometry
from backproof.targets.axes import Axes
from backproof.targets.binding import BoundFunction, BoundParameter
from backproof.targets.blame import describe
from backproof.targets.declarations import Declarations
from backproof.targets.errors import AnswerError, TargetError
from backproof.targets.styles import trials
from backproof.targets.styles.construction import Given, Maker, constructor, fixed_levels, fixed_options, of_instance
from backproof.targets.styles.keeping import Kept, Methods, keeps, methods_of, run_backward, run_forward, write
from backproof.targets.styles.layer import Layer, Parts
from backproof.targets.styles.places import Place, is_parameter, places


def class_layer(layer: Any, declared: Declarations, root: Path) -> Layer:
    """Bind a layer class, or an instance of one.

    Raises:
        TargetError: a parameter is not known, or the weights cannot be found.
    """
    kind = layer if inspect.isclass(layer) else type(layer)
    methods = methods_of(kind)
    made = constructor(kind) if inspect.isclass(layer) else of_instance(layer)
    candidates: list[tuple[Layer, int]] = []
    refusals: list[str] = []
    reasons: list[str] = []
    for maker, geometry in _makers(layer, made, declared):
        try:
            kept = keeps(maker, methods, geometry, declared)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the target's, or that nothing was found
            (refusals if isinstance(error, TargetError) else reasons).append(describe(error, root))
            continue
        candidate = _layer(maker, methods, kept, geometry, isinstance(maker, Given), declared)
        candidates.append((candidate, len(kept.sources)))
    if not candidates:
        raise TargetError(_why(kind, made, refusals, reasons))
    # The forms with which most gradients were found, the fullest of equals.
    return max(candidates, key=lambda item: item[1])[0]


def _why(kind: type, made: BoundFunction, refusals: list[str], reasons: list[str]) -> str:
    """What is missing, where it could be constructed and called; else what its code raised, in the plainest form."""
    if refusals:
        return refusals[0].removeprefix("TargetError: ")
    advice = f"write `conv = {kind.__name__}(...)` in the file and name the instance, with :conv"
    return f"{made.display} could not be constructed and called on a small image: {reasons[-1]}; {advice}"


def _makers(layer: Any, made: BoundFunction, declared: Declarations) -> Iterator[tuple[Maker | Given, Geometry]]:
    """Ways to make a layer, with a geometry that tells them apart; the plainest geometries last."""
    axes = Axes(declared.layout, declared.weights or "OIHW", declared.bias or "O")
    if not inspect.isclass(layer):
        yield Given(layer, made, axes), _geometry_of(layer, declared, axes)
        return
    probe = replace(made, role="forward")
    shapes: tuple[list[Any], list[Any]] = ([], [])
    for forms in trials.variants({"forward": probe}):
        maker = Maker(layer, forms["forward"], axes)
        stand_in = Layer("", forms, {}, axes, bias="optional")
        for number, geometry in enumerate(trials.geometries(stand_in)):
            shapes[number].append((maker, geometry))
    yield from (*shapes[0], *shapes[1])


# ---- the calls


class Calls:
    """Forward and backward of layers that are made, written to, and asked for their gradients."""

    def __init__(self, maker: Maker | Given, methods: Methods, kept: Kept) -> None:
        self._maker, self._methods, self._kept = maker, methods, kept
        self.updates = "update" in kept.sources.values()
        self.parts = Parts()

    def forward(self, geometry: AnyGeometry, values: Mapping[str, Any]) -> Any:
        """`y`."""
        return self._run(geometry, values)[1]

    def backward(self, geometry: AnyGeometry, values: Mapping[str, Any]) -> dict[str, Any]:
        """The gradients that there are, by quantity."""
        kept = self._kept
        with self.parts.before("forward", then="backward"):
            layer, _ = self._run(geometry, values)
        self._clear(layer, values)
        before = {role: np.array(values[role]) for role in ("w", "b") if role in values}
        answer = run_backward(layer, self._methods, _convolution(geometry), values)
        items = list(answer) if isinstance(answer, tuple | list) else [answer]
        found: dict[str, Any] = {}
        for quantity, source in kept.sources.items():
            role = quantity.removeprefix("d")
            if isinstance(source, int):
                found[quantity] = items[source] if source < len(items) else None
            elif isinstance(source, Place):
                found[quantity] = source.read(layer)
            elif role in before:
                place = kept.w if role == "w" else kept.b
                found[quantity] = before[role] - place.read(layer) if place is not None else None
        if all(value is None for value in found.values()):
            raise AnswerError("backward", "dx", _nothing(answer))
        return found

    def _run(self, geometry: AnyGeometry, values: Mapping[str, Any]) -> tuple[Any, Any]:
        layer = self._maker.layer(_convolution(geometry))
        write(layer, self._kept.w, self._kept.b, values, copy=self.updates)
        y = run_forward(layer, self._methods, _convolution(geometry), values["x"])
        written = self._kept.w.read(layer)
        if written is not values["w"] and not np.array_equal(written, values["w"]):
            raise AnswerError(
                "forward",
                "y",
                f"does not come from the weights: forward changed the attribute {self._kept.w} that it was to use",
            )
        return layer, y

    def _clear(self, layer: Any, values: Mapping[str, Any]) -> None:
        """Gradients that add up over calls start from zero, as they do after an optimizer's step."""
        for quantity, source in self._kept.sources.items():
            if isinstance(source, Place) and quantity != "dx":
                old = source.read(layer)
                if isinstance(old, np.ndarray):
                    source.write(layer, np.zeros(old.shape, values["w"].dtype))


def _convolution(geometry: AnyGeometry) -> Geometry:
    if not isinstance(geometry, Geometry):
        raise TypeError("a convolution layer was asked for something else")
    return geometry


def _nothing(answer: Any) -> str:
    told = "None" if answer is None else f"a {type(answer).__name__}"
    return f"returned {told}, and no attribute such as dx, dw or grads['w'] holds a gradient; return (dx, dw, db)"


# ---- the binding


def _layer(
    maker: Maker | Given, methods: Methods, kept: Kept, geometry: Geometry, given: bool, declared: Declarations
) -> Layer:
    maker.axes = kept.axes
    calls = Calls(maker, methods, kept)
    functions: dict[str, Callable[..., Any]] = {"forward": calls.forward, "backward": calls.backward}
    return Layer(
        style="a layer instance" if given else "a layer class",
        bound=_bound(maker, methods, kept),
        functions=functions,
        axes=kept.axes,
        parts=calls.parts,
        notes=tuple(_notes(kept, maker)),
        bias="never" if kept.b is None else "optional" if maker.bias else "always",
        updates=calls.updates,
        fixed=fixed_levels(geometry) if given else (),
    )


def _bound(maker: Maker | Given, methods: Methods, kept: Kept) -> dict[str, BoundFunction]:
    """Forward takes what the constructor takes; its weights are those of the layer."""
    taken = [*maker.bound.parameters, *methods.bound_forward.parameters, BoundParameter(str(kept.w), "w")]
    if kept.b is not None:
        taken.append(BoundParameter(str(kept.b), "b"))
    forward = BoundFunction("forward", f"{maker.bound.display}.{methods.forward}(x)", tuple(taken))
    backward = replace(methods.bound_backward, role="backward", after_forward=True)
    return {"forward": forward, "backward": backward}


def _notes(kept: Kept, maker: Maker | Given) -> Iterator[str]:
    yield f"w: attribute {kept.w}, axes {kept.axes.weights}; overwritten before every call"
    if kept.b is not None:
        yield f"b: attribute {kept.b}, shape {kept.axes.bias}; overwritten before every call"
    for quantity in ("dx", "dw", *(("db",) if kept.b is not None else ())):
        source = kept.sources.get(quantity)
        if source is None:
            yield f"{quantity}: not found; backward neither returns it nor leaves it in an attribute such as {quantity}"
        elif isinstance(source, int):
            yield f"{quantity}: returned by backward"
        elif isinstance(source, Place):
            yield f"{quantity}: attribute {source} after backward"
        else:
            place = kept.w if quantity == "dw" else kept.b
            yield f"{quantity}: {place} before backward minus after, with a learning rate of 1"


def _geometry_of(instance: Any, declared: Declarations, axes: Axes) -> Geometry:
    """The shapes that an instance is made for: its weights' and its options'."""
    called = [array for place, array in places(instance) if is_parameter(place, "w")]
    if not called:
        kept = ", ".join(str(place) for place, _ in places(instance)) or "no arrays"
        raise TargetError(f"{type(instance).__name__} object: no attribute is called like weights; it keeps {kept}")
    letters = axes.weights.replace(",", "")
    sizes = dict(zip(letters, called[0].shape, strict=False))
    options = fixed_options(instance, declared)
    kernel = (sizes.get("H", 1), sizes.get("W", 1))
    groups = options["groups"]
    return Geometry(
        batch=2,
        in_channels=sizes.get("I", 1) * groups,
        out_channels=sizes.get("O", 1),
        size=tuple(options["dilation"][a] * (kernel[a] - 1) + 5 + a for a in (0, 1)),
        kernel_size=kernel,
        stride=options["stride"],
        padding=options["padding"],
        dilation=options["dilation"],
        groups=groups,
        bias=any(is_parameter(place, "b") for place, _ in places(instance)),
    )
