"""Calls at which a mutant is held against the reference: sequences, with the caller's memory laid out as given.

Arrays are made once for all calls that agree in geometry, dtype, layouts, values and seed, as a caller would make them;
what came out, and what became of the operands, is looked at when the last call has returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from backproof.contract import Geometry, PoolGeometry, Shape
from backproof.museum.reference import Array
from backproof.targets.layouts import place

Outcome: TypeAlias = Array | type[Exception]

_OPERANDS = {
    "forward": ("x", "w", "b"),
    "backward": ("dy", "x", "w", "b"),
    "input_gradient": ("dy", "x", "w"),
    "weight_gradient": ("dy", "x", "w"),
    "bias_gradient": ("dy",),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call; `values` names the values of x (or of dy, for the bias gradient), `layouts` are by role."""

    function: str
    geometry: Geometry | PoolGeometry
    dtype: str = "float64"
    layouts: tuple[tuple[str, str], ...] = ()
    values: str = "distinct"
    seed: int = 0


#: Values by name, of as many numbers; `distinct` are integers, no two alike, with signs.
VALUES: dict[str, Callable[[Array], Array]] = {
    "distinct": lambda integers: integers,
    "positive": abs,
    "negative": lambda integers: -abs(integers),
    "equal": np.ones_like,
    "zero": np.zeros_like,
    "fractions": lambda integers: integers + 2.0**-12,
    "one infinity": lambda integers: np.where(integers == integers.max(), np.inf, integers),
    "one not a number": lambda integers: np.where(integers == integers.max(), np.nan, integers),
    "minus infinity": lambda integers: np.full_like(integers, -np.inf),
    "one NaN": lambda integers: np.where(integers == integers.max(), np.nan, integers),
    "thousands": lambda integers: 1000.0 * integers,
    "tenths": lambda integers: integers / 10,
    "subnormal": lambda integers: integers * float(np.finfo(np.float64).smallest_subnormal),
}


def outcomes(layer: Any, calls: Iterable[Call]) -> list[Outcome]:
    """What each call returned or raised, and then every operand, as they are when the last call has returned."""
    operands: dict[Call, dict[str, Array]] = {}
    results: list[Outcome] = []
    for call in calls:
        arrays = operands.setdefault(replace(call, function=""), _arrays(call))
        results += _call(layer, call, arrays)
    return results + [array for arrays in operands.values() for array in arrays.values()]


def same(left: list[Outcome], right: list[Outcome]) -> bool:
    """Whether two lists of outcomes agree in every bit that counts: NaN equals NaN, 0 equals -0."""
    return len(left) == len(right) and all(_alike(a, b) for a, b in zip(left, right, strict=True))


def _call(layer: Any, call: Call, arrays: dict[str, Array]) -> list[Outcome]:
    if call.function in _CHAIN or call.function.startswith("activation "):
        return _chain(layer, call, arrays)
    names = _OPERANDS.get(call.function, ("dy", "x") if call.function.endswith("gradient") else ("x",))
    options = {} if call.function == "bias_gradient" else call.geometry.options()
    try:
        with np.errstate(all="ignore"):  # what a caller sees are values
            result = getattr(layer, call.function)(*(arrays.get(name) for name in names), **options)
    except Exception as error:  # noqa: BLE001  whatever a mutant raises is its outcome
        return [type(error)]
    return [item for item in (result if isinstance(result, tuple) else (result,)) if item is not None]


_CHAIN = ("delta", "output_delta", "error")


def _steep(c: Array) -> Array:
    """The derivative of c^2 + 3 c: nowhere alike on both sides of 0."""
    slope: Array = 2 * c + 3
    return slope


def _chain(layer: Any, call: Call, arrays: dict[str, Array]) -> list[Outcome]:
    """A function of the chain: x is the pre-activation c, and o and t come of it."""
    c = arrays["x"]
    with np.errstate(all="ignore"):
        o, t = c * c + 3 * c, 2 * c[::-1, ::-1, ::-1, ::-1] + 1
        try:
            if call.function == "delta":
                operands = (arrays["dy"], arrays["w"], c)
                result = layer.delta(*operands, activation_derivative=_steep, **call.geometry.options())
            elif call.function == "output_delta":
                result = layer.output_delta(o, t, c, activation_derivative=_steep)
            elif call.function == "error":
                result = layer.error(o, t)
            else:
                name, _, derivative = call.function.removeprefix("activation ").partition(" ")
                result = layer.ACTIVATIONS[name][bool(derivative)](c)
        except Exception as error:  # noqa: BLE001  whatever a mutant raises is its outcome
            return [type(error)]
    return [np.asarray(result), o, t]


def _arrays(call: Call) -> dict[str, Array]:
    rng = np.random.default_rng(call.seed)
    layouts, special = dict(call.layouts), "dy" if call.function == "bias_gradient" else "x"
    arrays = {}
    for role, shape in _shapes(call.geometry).items():
        integers = _distinct(rng, shape)
        if layouts.get(role) == "broadcast":
            integers = np.full(shape, 7.0)
        values = VALUES[call.values](integers) if role == special else integers
        arrays[role] = laid_out(values.astype(call.dtype), layouts.get(role, "C"))
    return arrays


def laid_out(values: Array, layout: str) -> Array:
    """A copy in a memory layout of that name."""
    return place(values, layout).array


def _shapes(g: Geometry | PoolGeometry) -> dict[str, Shape]:
    outputs = tuple(max(size, 1) for size in g.output_size)  # a call may be one that has to be refused
    if isinstance(g, PoolGeometry):
        return {"x": g.x_shape, "dy": (*g.x_shape[:2], *outputs)}
    shapes = {"x": g.x_shape, "w": g.w_shape, "dy": (g.batch, g.out_channels, *outputs)}
    return shapes | ({"b": g.b_shape} if g.bias else {})


def _distinct(rng: np.random.Generator, shape: Shape) -> Array:
    count = int(np.prod(shape))
    signed: Array = rng.permutation(np.arange(1.0, count + 1)) * rng.choice((-1.0, 1.0), size=count)
    return signed.reshape(shape)


def _alike(a: Outcome, b: Outcome) -> bool:
    if isinstance(a, type) or isinstance(b, type):
        return a is b
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)
