"""Activations of a target, `ACTIVATIONS = {name: (a, a')}`, and ours, which are exact on integers (in the worker).

Both functions of a pair take the pre-activation c and return an array of its shape and dtype.  Ours are polynomials, or
polynomials on both sides of 0, with coefficients of few bits: a chain of layers that has them has no rounding.  At 0,
the derivative is the one from the left.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

from backproof.contract import AnyGeometry
from backproof.targets.binding import BoundFunction, BoundParameter
from backproof.targets.calling import Function
from backproof.targets.layouts import Array
from backproof.targets.roles import activation_roles
from backproof.targets.styles.libraries import NumPy

Pair: TypeAlias = tuple[Callable[..., Any], Callable[..., Any]]

NONE = "activations: no ACTIVATIONS"
_WRITE = 'write ACTIVATIONS = {"relu": (relu, relu_derivative)}, both functions of the pre-activation c'
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

#: Slope of our leaky ReLU for c <= 0: a power of two.
SLOPE = 0.25

#: Ours by name, from the simple to the complex.
OURS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "identity": (lambda c: c.copy(), np.ones_like),
    "relu": (lambda c: np.maximum(c, 0), lambda c: (c > 0).astype(c.dtype)),
    "leaky_relu": (
        lambda c: np.where(c > 0, c, c.dtype.type(SLOPE) * c),
        lambda c: np.where(c > 0, c.dtype.type(1), c.dtype.type(SLOPE)),
    ),
    "square": (lambda c: c * c, lambda c: 2 * c),
    "cube": (lambda c: c * c * c, lambda c: 3 * c * c),
}


def read_activations(constants: Mapping[str, Any]) -> tuple[dict[str, Pair], tuple[str, ...]]:
    """The pairs that a target hands in, and why others cannot be called, each reason with what to write."""
    table = constants.get("ACTIVATIONS")
    if table is None:
        return {}, (NONE,)
    if not isinstance(table, Mapping):
        return {}, (f"ACTIVATIONS is of type {type(table).__name__}, not a dictionary; {_WRITE}",)
    pairs: dict[str, Pair] = {}
    reasons: list[str] = []
    for name, entry in table.items():
        problem = next(_problems(name, entry), None)
        if problem is None:
            pairs[name] = (entry[0], entry[1])
        else:
            reasons.append(f"ACTIVATIONS[{name!r}]: {problem}; {_WRITE}")
    return pairs, (*reasons, *(() if table else (f"ACTIVATIONS is empty; {_WRITE}",)))


def _problems(name: Any, entry: Any) -> Iterator[str]:
    if not isinstance(name, str):
        yield f"the name is of type {type(name).__name__}, not a text"
    if not isinstance(entry, tuple | list) or len(entry) != 2:
        what = f"{len(entry)} items" if isinstance(entry, tuple | list) else f"of type {type(entry).__name__}"
        yield f"it is {what}, not a pair (a, a')"
        return
    for function, what in zip(entry, ("a", "a'"), strict=True):
        if not callable(function):
            yield f"{what} is {function!r}, not a function"
            return
        required = _required(function)
        if len(required) != 1:
            taken = f"takes {', '.join(required)}" if required else "takes no array"
            yield f"{what}, {_name(function)}, {taken}; it must take c alone"


def _required(function: Callable[..., Any]) -> list[str]:
    """The parameters without which it cannot be called; what cannot be read is taken for one."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError):
        return ["c"]
    without = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    takes_one = any(p.kind in (*_POSITIONAL, p.VAR_POSITIONAL) for p in parameters)
    return without or (["c"] if takes_one else [])


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)


def bound_activations(pairs: Mapping[str, Pair], arrays: NumPy) -> tuple[dict[str, BoundFunction], dict[str, Function]]:
    """Both functions of each pair, by their canonical names; `arrays` is the library whose arrays they take."""
    bound: dict[str, BoundFunction] = {}
    functions: dict[str, Function] = {}
    for name, pair in pairs.items():
        for role, function in zip(activation_roles(name), pair, strict=True):
            bound[role] = BoundFunction(role, f"{_name(function)}(c)", (BoundParameter("c", "c"),))
            functions[role] = _on_points(function, arrays)
    return bound, functions


def _on_points(function: Callable[..., Any], arrays: NumPy) -> Function:
    def call(geometry: AnyGeometry, values: Mapping[str, Any]) -> Any:
        return arrays.taken(function(arrays.given(values["c"])))

    return call


def derivative(name: str, pairs: Mapping[str, Pair], arrays: NumPy) -> Callable[..., Any]:
    """The function a' to hand to the target: its own, or ours (`"our square"`), on its library's arrays."""
    if name.startswith("our "):
        ours = OURS[name.removeprefix("our ")][1]
        return lambda c: arrays.given(ours(arrays.taken(c)))
    return pairs[name][1]
