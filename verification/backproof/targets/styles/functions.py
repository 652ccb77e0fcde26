"""Plain functions, and cached ones: `forward(...) -> (y, cache)`, `backward(dy, cache) -> dx, dw, db`.

Cached functions are called in pairs: before every backward, forward is called on the same data.  A forward alone, on
tensors of PyTorch or arrays of JAX, is differentiated by that library.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from backproof.contract import AnyGeometry, Geometry
from backproof.targets import calling
from backproof.targets.axes import BIASES, Axes
from backproof.targets.binding import BoundFunction, BoundParameter
from backproof.targets.calling import Function
from backproof.targets.calls import Raised
from backproof.targets.declarations import Declarations
from backproof.targets.errors import AnswerError, TargetError
from backproof.targets.forms import Form
from backproof.targets.reading import bind_function
from backproof.targets.roles import GRADIENTS
from backproof.targets.styles import trials
from backproof.targets.styles.dictionaries import Recorder, dictionary_of, expanded, signature_of
from backproof.targets.styles.layer import Layer, Parts
from backproof.targets.styles.libraries import NumPy, Torch, library

Functions = Mapping[str, Callable[..., Any]]


def functions_layer(functions: Functions, declared: Declarations, root: Path, may_try: bool) -> Layer:
    """Bind functions by canonical name; where nothing `may_try` them, by signatures and declarations alone.

    Raises:
        TargetError: a parameter, a key of a dictionary or a library is not known.
    """
    arrays = library(declared.library, functions.get("forward"))
    bound = {role: bind_function(role, function, declared) for role, function in functions.items()}
    if any(function.after_forward for function in bound.values()) and "forward" not in bound:
        raise TargetError(f"{_display(bound)} takes a cache, and there is no forward to fill it")
    if "forward" not in bound:
        return _layer(functions, bound, _axes(declared), arrays)
    if (
        may_try
        and declared.library is None
        and arrays.name == "numpy"
        and _wants_tensors(functions, bound, declared, root)
    ):
        arrays = Torch()
    bound, notes = _with_entries(functions, bound, declared, root if may_try else None, arrays)
    if not _doubtful(bound, declared):
        return replace(_layer(functions, bound, _axes(declared), arrays), notes=notes)
    if not may_try:
        notes = (*notes, "nothing was tried, since a trial ended the process: the fullest forms are assumed")
        return replace(_layer(functions, bound, _axes(declared), arrays), notes=notes)
    layers = [_layer(functions, forms, axes, arrays) for forms, axes in _candidates(bound, declared)]
    layer, failure = trials.choose(layers, root)
    return replace(layer, notes=(*notes, *_found(layer, bound, declared, failure)))


def _layer(functions: Functions, bound: Mapping[str, BoundFunction], axes: Axes, arrays: NumPy) -> Layer:
    parts = Parts()
    cached = any(function.after_forward for function in bound.values())
    made: dict[str, Function] = {}
    for role, function in functions.items():
        if bound[role].after_forward:
            forward = functions["forward"]
            made[role] = _after_forward(function, bound[role], forward, bound["forward"], axes, arrays, parts)
        else:
            made[role] = plain(function, bound[role], axes, arrays, has_cache=cached and role == "forward")
    style = "cached functions" if cached else "plain functions"
    bound = dict(bound)
    if arrays.name != "numpy" and not any(role in functions for role in GRADIENTS):
        style = f"forward, differentiated by {arrays.name}"
        made["backward"] = _differentiated(functions["forward"], bound["forward"], axes, arrays)
        bound["backward"] = _pullback(bound["forward"], arrays)
    excluded, dtypes = arrays.layouts_excluded, arrays.dtypes
    return Layer(style, bound, made, axes, parts, layouts_excluded=excluded, dtypes=dtypes, arrays=arrays)


# ---- the functions


def plain(
    function: Callable[..., Any], bound: BoundFunction, axes: Axes, arrays: NumPy, has_cache: bool = False
) -> Function:
    """A function as the session calls it; where it `has_cache`, that is left out."""

    def call(geometry: AnyGeometry, values: Mapping[str, Any]) -> Any:
        answer = _call(function, bound, geometry, values, axes, arrays)
        return arrays.taken(_split(answer)[0] if has_cache else answer)

    return call


def _after_forward(
    function: Callable[..., Any],
    bound: BoundFunction,
    forward: Callable[..., Any],
    bound_forward: BoundFunction,
    axes: Axes,
    arrays: NumPy,
    parts: Parts,
) -> Function:
    def call(geometry: AnyGeometry, values: Mapping[str, Any]) -> Any:
        with parts.before("forward", then=bound.role):
            _, cache = _split(_call(forward, bound_forward, geometry, values, axes, arrays))
        answer = _call(function, bound, geometry, {**values, "cache": cache}, axes, arrays)
        return arrays.taken(answer)

    return call


def _differentiated(function: Callable[..., Any], bound: BoundFunction, axes: Axes, arrays: NumPy) -> Function:
    def call(geometry: AnyGeometry, values: Mapping[str, Any]) -> Any:
        def forward(**operands: Any) -> Any:
            positional, keywords = bound.arguments(geometry, {**_shapes(geometry, axes), **operands})
            return function(*positional, **keywords)

        operands = {role: arrays.given(value) for role, value in values.items() if role in ("x", "w", "b")}
        return arrays.gradients(forward, operands, arrays.given(values["dy"]))

    return call


def _pullback(forward: BoundFunction, arrays: NumPy) -> BoundFunction:
    how = "torch.autograd.grad" if arrays.name == "torch" else "jax.vjp"
    return BoundFunction("backward", f"{how} of {forward.display}", (BoundParameter("dy", "dy"),), after_forward=True)


def _call(
    function: Callable[..., Any],
    bound: BoundFunction,
    geometry: AnyGeometry,
    values: Mapping[str, Any],
    axes: Axes,
    arrays: NumPy,
) -> Any:
    converted = {role: arrays.given(value) for role, value in values.items()}
    positional, keywords = bound.arguments(geometry, {**_shapes(geometry, axes), **converted})
    return function(*positional, **keywords)


def _shapes(geometry: AnyGeometry, axes: Axes) -> dict[str, Any]:
    """Shapes as the target numbers them."""
    if axes.canonical or not isinstance(geometry, Geometry):
        return {}
    return {"x_shape": axes.shape("x", geometry.x_shape), "w_shape": axes.shape("w", geometry.w_shape)}


def _split(answer: Any) -> tuple[Any, Any]:
    """`y` and the cache."""
    if isinstance(answer, tuple | list) and len(answer) == 2:
        return answer[0], answer[1]
    what = f"a {type(answer).__name__}" + (f" of {len(answer)}" if isinstance(answer, tuple | list) else "")
    raise AnswerError("forward", "y", f"returned {what}; backward takes a cache: return (y, cache)")


# ---- what is tried


def _axes(declared: Declarations) -> Axes:
    weights = declared.weights or ("HWIO" if declared.layout in ("NHWC", "HWC") else "OIHW")
    if declared.weights is None and declared.layout == "HW":
        weights = "HW"
    return Axes(declared.layout, weights, declared.bias or "O")


def _doubtful(bound: Mapping[str, BoundFunction], declared: Declarations) -> bool:
    """Whether a trial is needed: canonical functions whose defaults show everything are not called to be bound."""
    cached = any(function.after_forward for function in bound.values())
    return cached or bool(trials.undetermined(bound)) or not _axes(declared).canonical


def _candidates(
    bound: Mapping[str, BoundFunction], declared: Declarations
) -> Iterator[tuple[dict[str, BoundFunction], Axes]]:
    axes = _axes(declared)
    tried = declared.bias is None and bound["forward"].takes("b")
    biases = [axes.bias] if not tried else [form for form in BIASES if form != "scalar" or axes.weights == "HW"]
    for bias in biases:
        for forms in trials.variants(bound):
            yield forms, replace(axes, bias=bias)


def _found(
    layer: Layer, bound: Mapping[str, BoundFunction], declared: Declarations, failure: str | None
) -> Iterator[str]:
    if failure is not None:
        yield f"no trial succeeded, so that forms are guessed: {failure}"
        return
    forms = layer.bound["forward"].options
    if named := [f"{option} as {forms[option]}" for option in trials.undetermined(bound) if option in forms]:
        yield f"found by trying: {', '.join(named)}"
    if declared.bias is None and layer.axes.bias != "O":
        yield f"b: found by trying, BIAS = {layer.axes.bias!r}"


def _with_entries(
    functions: Functions, bound: dict[str, BoundFunction], declared: Declarations, root: Path | None, arrays: NumPy
) -> tuple[dict[str, BoundFunction], tuple[str, ...]]:
    """Every dictionary of options taken apart into its entries."""
    having = {role: item for role, function in bound.items() if (item := dictionary_of(function)) is not None}
    if not having:
        return bound, ()
    notes: tuple[str, ...] = ()
    keys = declared.parameters
    shown = [_default(functions[role], item.name) for role, item in having.items()]
    if keys is None and any(shown):
        keys = signature_of(next(item for item in shown if item))
    if keys is None:
        found = [] if root is None else _asked(functions, bound, declared, root, arrays)
        keys, notes = signature_of(found), (f"keys of {_named(having)}: found by trying",)
    return {role: expanded(function, keys) for role, function in bound.items()}, notes


def _named(having: Mapping[str, Any]) -> str:
    return " and ".join(dict.fromkeys(item.name for item in having.values()))


def _default(function: Callable[..., Any], name: str) -> dict[str, Any] | None:
    try:
        default = inspect.signature(function).parameters[name].default
    except (ValueError, TypeError, KeyError):
        return None
    return default if isinstance(default, dict) and default else None


def _asked(
    functions: Functions, bound: dict[str, BoundFunction], declared: Declarations, root: Path, arrays: NumPy
) -> list[str]:
    """The keys that the functions ask a dictionary for."""
    asked: dict[str, None] = {}
    unknown: dict[str, None] = {}
    reason: str | None = None
    forms: tuple[Form, ...] = ("int", "pair", "sides")
    for form in forms:
        for axes in dict.fromkeys(axes for _, axes in _candidates(bound, declared)):
            layer = _layer(functions, bound, axes, arrays)
            geometry = trials.geometries(layer)[1]
            recorder = Recorder(geometry, form)
            reason = _record(layer, geometry, recorder, root) or reason
            asked |= recorder.asked
            unknown |= recorder.unknown
    if not asked:
        having = next(item for function in bound.values() if (item := dictionary_of(function)) is not None)
        told = f" (it reads {', '.join(map(repr, unknown))})" if unknown else f" ({reason})" if reason else ""
        raise TargetError(
            f"{bound['forward'].display}: which keys {having.name} has could not be found by trying{told}; "
            'declare them: PARAMETERS = "stride, pad"'
        )
    return list(asked)


def _record(layer: Layer, geometry: Geometry, recorder: Recorder, root: Path) -> str | None:
    """Call everything with the recorder for a dictionary; why a call failed, if one did."""
    for role in ("forward", *GRADIENTS):
        if role not in layer.functions:
            continue
        function = layer.functions[role]
        outcome = calling.call(
            lambda told, values, function=function: function(told, {**values, "dictionary": recorder}),  # type: ignore[misc]
            layer.bound[role],
            geometry,
            trials.inputs(geometry),
            {},
            root,
            layer.axes,
        )
        if not isinstance(outcome, calling.Outcome):
            return trials.described(outcome)
    return None


def _wants_tensors(functions: Functions, bound: dict[str, BoundFunction], declared: Declarations, root: Path) -> bool:
    """Whether forward, alone in a module that imports torch, refuses an array because it is no tensor."""
    if "torch" not in sys.modules or any(role in functions for role in GRADIENTS) or dictionary_of(bound["forward"]):
        return False
    layer = _layer(functions, bound, _axes(declared), NumPy())
    geometry = trials.geometries(layer)[1]
    arrays = trials.inputs(geometry)
    outcome = calling.call(layer.functions["forward"], bound["forward"], geometry, arrays, {}, root, layer.axes)
    return isinstance(outcome, Raised) and outcome.type in ("TypeError", "AttributeError")


def _display(bound: Mapping[str, BoundFunction]) -> str:
    return next(function.display for function in bound.values() if function.after_forward)
