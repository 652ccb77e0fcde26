"""A network as a program of the target's functions, and of ours where it has none.

y of layer l          forward(x, w, b)                                c_l
activation            the target's own, where it is one of ours too     o_l
pooling               max_pool, sum_pool                                p_l
output delta          output_delta(o, t, c), else (o - t) * a'(c)       delta_L
delta                 delta(delta_next, w_next, c), else dx * a'(c)     delta_l
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from backproof.cases.networks import Network, geometries
from backproof.cases.polynomials import POLYNOMIALS, Scaled, activated, slope
from backproof.checks.bench import Array, routes
from backproof.contract import Points, PoolGeometry
from backproof.targets.calls import Program, Request, Results, Step
from backproof.targets.process import Target
from backproof.targets.roles import activation_roles

_POOLS: tuple[Literal["sum", "max"], ...] = ("sum", "max")
_NAMES = {
    "identity": ("identity", "linear"),
    "relu": ("relu",),
    "leaky_relu": ("leaky_relu", "leakyrelu", "lrelu"),
    "square": ("square",),
    "cube": ("cube",),
}


@dataclass(frozen=True, slots=True)
class Parts:
    """What of a network the target has.

    Attributes:
        gradients: The functions for dx, dw and db, each with the quantities that it is asked for.
        functions: All that are bound, by canonical name; the value says whether it takes a' as values.
        activations: Names of the target's activations, by that of ours which they are, exactly.
        pools: Kinds of pooling.
    """

    gradients: Mapping[str, tuple[str, ...]]
    functions: Mapping[str, bool]
    activations: Mapping[str, str]
    pools: tuple[str, ...]

    @property
    def quantities(self) -> tuple[str, ...]:
        """What can fail."""
        own = [role.removeprefix("activation ") for n in self.activations.values() for role in activation_roles(n)]
        pooled = [f"{kind} pooling {q}" for kind in self.pools for q in ("y", "dx")]
        chain = [
            q for q, f in (("delta", "delta"), ("output delta", "output_delta"), ("E", "error")) if f in self.functions
        ]
        return ("y", "dx", "dw", "db", *chain, *own, *pooled, *INPUTS)


#: Roles that a function may overwrite.
INPUTS = ("x", "w", "b", "dy", "delta_next", "w_next", "c", "o", "t", "da")


def parts_of(target: Target) -> Parts | str:
    """The parts, or why there are no networks of this target's."""
    binding = target.binding
    functions = {function.role: function.takes("da") for function in binding.functions}
    route = next(iter(routes(binding)), {})
    if not {"y", "dx", "dw"} <= set(route):
        return "they take forward and its gradients"
    if binding.fixed:
        return "an instance is one layer" if "channels" in dict(binding.fixed) else "they have kernels of several sizes"
    if binding.algorithm != "direct" or binding.updates:
        return "what is rounded in one layer is not exact in the next"
    gradients: dict[str, tuple[str, ...]] = {}
    for quantity in ("dw", "db", "dx"):  # a function that is not written yet ends a network
        if quantity in route:
            gradients[route[quantity]] = (*gradients.get(route[quantity], ()), quantity)
    pools = tuple(
        kind
        for kind in _POOLS
        if {f"{kind}_pool", f"{kind}_pool_gradient"} <= set(functions)
        and binding.refuses(PoolGeometry(kind, 1, 1, (2, 2), (2, 2), (2, 2))) is None
    )
    return Parts(gradients, functions, _own(target), pools)


def _own(target: Target) -> dict[str, str]:
    """Activations of the target that are one of ours: by name, and at a few points."""
    c = Scaled(np.array([-3, -1, 0, 1, 2]))
    found: dict[str, str] = {}
    for ours in POLYNOMIALS:
        name = next((n for n in target.binding.activations if n.lower() in _NAMES[ours]), None)
        if name is None:
            continue
        arrays = {"c": c.floats(target.binding.dtypes[0])}
        reply = target.call(Request(Points((5,)), arrays, {}, activation_roles(name)))
        if isinstance(reply, Results) and not reply.mutated and _agrees(reply, activated(ours, c), slope(ours, c)):
            found[ours] = name
    return found


def _agrees(reply: Results, o: Scaled, da: Scaled) -> bool:
    """A slope that is not ours is no mistake; what else is wrong is left to the check of activations."""
    return np.array_equal(reply.values["o"], o.floats()) and np.array_equal(reply.values["da"], da.floats())


def named(step: Step, quantity: str) -> str:
    """A quantity as the checks of single functions call it."""
    if step.function.startswith("activation "):
        return step.function.removeprefix("activation ")
    if "_pool" in step.function:
        return f"{step.function.partition('_')[0]} pooling {quantity}"
    return quantity


def program(parts: Parts, drawn: Network) -> Program:
    """The calls of one step of training, without the update."""
    return _Writer(parts, drawn).program()


def reproduced(target: Target, drawn: Network) -> Iterator[tuple[Step, str, Array]]:
    """Each step of a network with the variables that came of it, up to the first that gave none."""
    parts = parts_of(target)
    if isinstance(parts, str):
        raise ValueError(f"{target.binding.name} makes no networks: {parts}")
    planned = program(parts, drawn)
    trail = target.follow(planned)
    for step in planned.steps:
        yield from ((step, name, trail.values[name]) for _, name in step.outputs if name in trail.values)


class _Writer:
    """Writes the steps; variables are named as in `cases.networks`."""

    def __init__(self, parts: Parts, drawn: Network) -> None:
        self.parts, self.drawn = parts, drawn
        self.steps: list[Step] = []
        self.shapes = geometries(drawn.case)
        self.layers = len(self.shapes)

    def program(self) -> Program:
        below = "x1"
        inputs = {}
        for k in range(1, self.layers + 1):
            inputs[k] = below
            below = self._forward(k, below)
        if "error" in self.parts.functions:
            self._points("error", {"o": f"o{self.layers}", "t": "t"}, {"E": "E"}, self.layers)
        self._output_delta()
        for k in range(self.layers, 0, -1):
            self._backward(k, inputs[k])
            if k > 1:
                self._delta(k - 1)
        case = self.drawn.case
        layouts = {name: dict(case.layouts).get(name[0], "C") for name in self.drawn.arrays if name[0] in "xw"}
        return Program(tuple(self.steps), self.drawn.arrays, layouts)

    def _forward(self, k: int, below: str) -> str:
        (g, pool), layer = self.shapes[k - 1], self.drawn.case.layers[k - 1]
        self._add("forward", g, {"x": below, **self._parameters(k)}, {"y": f"c{k}"})
        own = self.parts.activations.get(layer.activation)
        function = activation_roles(own)[0] if own else f"our {layer.activation}"
        self._points(function, {"c": f"c{k}"}, {"o": f"o{k}"}, k)
        if pool is None:
            return f"o{k}"
        self._add(f"{pool.kind}_pool", pool, {"x": f"o{k}"}, {"y": f"p{k}"})
        return f"p{k}"

    def _output_delta(self) -> None:
        k = self.layers
        operands = {"o": f"o{k}", "t": "t", "c": f"c{k}"}
        if "output_delta" in self.parts.functions:
            self._chain("output_delta", Points(self.shapes[-1][0].y_shape), operands, "output delta", k)
            return
        self._points("subtract", {"o": f"o{k}", "t": "t"}, {"do": f"do{k}"}, k)
        self._times(k)

    def _delta(self, k: int) -> None:
        above, pool = self.shapes[k][0], self.shapes[k - 1][1]
        if pool is None and "delta" in self.parts.functions:
            operands = {"delta_next": f"delta{k + 1}", "w_next": f"w{k + 1}", "c": f"c{k}"}
            if above.bias:
                operands["b"] = f"b{k + 1}"
            self._chain("delta", above, operands, "delta", k)
            return
        if pool is not None:
            self._add(f"{pool.kind}_pool_gradient", pool, {"dy": f"dx{k + 1}", "x": f"o{k}"}, {"dx": f"do{k}"})
        self._times(k, f"do{k}" if pool is not None else f"dx{k + 1}")

    def _backward(self, k: int, below: str) -> None:
        g = self.shapes[k - 1][0]
        operands = {"dy": f"delta{k}", "x": below, **self._parameters(k)}
        for function, quantities in self.parts.gradients.items():
            wanted = [q for q in quantities if q != "db" or g.bias]
            if wanted:
                self._add(function, g, operands, {q: f"{q}{k}" for q in wanted})

    def _chain(self, function: str, geometry: object, operands: dict[str, str], quantity: str, k: int) -> None:
        """`delta` or `output_delta`, with a' as a function or as values."""
        if self.parts.functions[function]:
            self._slopes(k)
            operands = {**operands, "da": f"da{k}"}
        activation = self.parts.activations.get(self.drawn.case.layers[k - 1].activation)
        name = activation or f"our {self.drawn.case.layers[k - 1].activation}"
        self._add(function, geometry, operands, {quantity: f"delta{k}"}, name)

    def _times(self, k: int, gradient: str = "") -> None:
        self._slopes(k)
        self._points("multiply", {"do": gradient or f"do{k}", "da": f"da{k}"}, {"delta": f"delta{k}"}, k)

    def _slopes(self, k: int) -> None:
        activation = self.drawn.case.layers[k - 1].activation
        own = self.parts.activations.get(activation)
        function = activation_roles(own)[1] if own else f"our {activation} derivative"
        self._points(function, {"c": f"c{k}"}, {"da": f"da{k}"}, k)

    def _parameters(self, k: int) -> dict[str, str]:
        parameters = {"w": f"w{k}", "b": f"b{k}"}
        return {role: name for role, name in parameters.items() if name in self.drawn.arrays}

    def _points(self, function: str, inputs: dict[str, str], outputs: dict[str, str], k: int) -> None:
        self._add(function, Points(self.shapes[k - 1][0].y_shape), inputs, outputs)

    def _add(
        self, function: str, geometry: object, inputs: dict[str, str], outputs: dict[str, str], activation: str = ""
    ) -> None:
        self.steps.append(
            Step(function, geometry, tuple(inputs.items()), tuple(outputs.items()), activation)  # type: ignore[arg-type]
        )
