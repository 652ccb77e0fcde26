"""Convolution layers to try the peers on: the museum's and the foreign mutants, consistent mistakes, and right ones.

A `Layer` calls a target's NumPy functions in this process, with as many of the options as its signature has.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backproof.contract import Geometry, Orientation
from backproof.museum import MUSEUM
from backproof.museum.foreign import FOREIGN, Foreign
from backproof.museum.reference import Convolution
from parts import consistent
from parts.machine import ROOT

Array = NDArray[Any]

CONSISTENT = "benchmarks/parts/consistent.py"
OWN = "benchmarks/implementations"
_NEUTRAL = Geometry().options()
QUANTITIES = ("y", "dx", "dw", "db")

#: What the museum's triggers and the foreign kinds have in common: when a mutant is wrong.
TRIGGERS = {
    "ALWAYS": "always", "post": "always", "index": "always",
    "ANISOTROPY": "shape", "COUNT": "shape", "STEP": "shape", "KERNEL": "shape", "BORDER": "shape", "TILE": "shape",
    "option": "shape", "channel": "shape", "shape gate": "shape", "rare": "shape",
    "LAYOUT": "memory layout", "layout": "memory layout",
    "DTYPE": "values and dtypes", "VALUES": "values and dtypes",
    "value": "values and dtypes", "number": "values and dtypes",
    "STATE": "state", "state": "state",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subject:
    """Something to check: `make()` is a fresh layer, `target` what `backproof check` takes; `quantity` "" if right.

    `base()` is the right layer that a mutant spoils.
    """

    id: str
    family: str
    quantity: str
    trigger: str
    target: str
    make: Callable[[], Layer]
    base: Callable[[], Layer] | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """The options of a layer's functions, each in the form of its annotation, and its orientation where it has one."""

    forms: tuple[tuple[str, str], ...]
    orientation: Orientation | None

    @classmethod
    def of(cls, target: Any) -> Signature:
        """By the parameters of `forward`."""
        parameters = inspect.signature(target.forward).parameters
        forms = tuple((name, str(parameters[name].annotation)) for name in _NEUTRAL if name in parameters)
        return cls(forms, getattr(target, "ORIENTATION", None))

    def takes(self, g: Geometry) -> bool:
        """Whether there is a place for every option of a geometry."""
        forms, options = dict(self.forms), g.options()
        if "orientation" not in forms and options.pop("orientation") != self.orientation:
            return False
        missing = any(name not in forms and value != _NEUTRAL[name] for name, value in options.items())
        return not missing and None not in self.options(g).values()

    def options(self, g: Geometry) -> dict[str, Any]:
        """The keyword arguments of a call; None where there is no form for a value."""
        options = g.options()
        return {name: _told(form, options[name]) for name, form in self.forms}


def _told(form: str, value: Any) -> Any:
    """A number, pair or four sides as the annotation wants it."""
    if form in ("Pair", "int") and isinstance(value, tuple) and isinstance(value[0], tuple):  # padding
        value = (value[0][0], value[1][0]) if all(a == b for a, b in value) else (None, 0)
    if form == "int" and isinstance(value, tuple):
        value = value[0] if value[0] == value[1] else None
    return None if value == (None, 0) else value


class Layer:
    """A target's functions in canonical form: geometries in, arrays out."""

    def __init__(self, target: Any) -> None:
        self.target = target
        self.signature = Signature.of(target)

    def forward(self, g: Geometry, x: Array, w: Array, b: Array) -> Array:
        """`y`."""
        y: Array = self.target.forward(x, w, b, **self.signature.options(g))
        return y

    def backward(self, g: Geometry, dy: Array, x: Array, w: Array, b: Array) -> tuple[Array, Array, Array]:
        """`dx, dw, db`."""
        options = self.signature.options(g)
        if hasattr(self.target, "backward"):
            dx, dw, db = self.target.backward(dy, x, w, b, **options)
            return dx, dw, db
        dx, dw = (getattr(self.target, f"{n}_gradient")(dy, x, w, **options) for n in ("input", "weight"))
        return dx, dw, self.target.bias_gradient(dy)


def subjects() -> list[Subject]:
    """Every convolution mutant, then the consistent mistakes."""
    reference = _maker(Convolution)
    museum = [
        Subject(m.id, "museum", m.quantity.value, _when(m.trigger.name), m.target, _maker(m.layer), reference)
        for m in MUSEUM.values()
        if m.quantity.value in QUANTITIES
    ]
    foreign = [_foreign(f) for f in FOREIGN.values() if f.quantity in QUANTITIES]
    both = [
        Subject(
            name, "consistent", "y, dx, dw", "shape", f"{ROOT / 'benchmarks/parts/consistent.py'}:{name}", _maker(c)
        )
        for name, c in consistent.ALL.items()
    ]
    return museum + foreign + both


def right() -> list[Subject]:
    """Right layers with backward code of their own."""
    modules = {
        "numba": "backproof_impl",
        "numpy": "backproof.targets.adapters.plain_numpy",
        "torch": "backproof.targets.adapters.pytorch",
        **{f"{OWN}/{name}.py": f"implementations.{name}" for name in ("im2col", "toeplitz", "windows")},
    }
    return [
        Subject(
            id=name,
            family="right",
            quantity="",
            trigger="",
            target=str(ROOT / name) if name.endswith(".py") else name,
            make=lambda module=module: Layer(importlib.import_module(module)),  # type: ignore[misc]
        )
        for name, module in modules.items()
    ]


def data(g: Geometry, seed: int) -> tuple[Array, Array, Array]:
    """`x, w, b` as a test draws them: normally distributed."""
    rng = np.random.default_rng(seed)
    x, w, b = (rng.standard_normal(g.shape_of(role)) for role in ("x", "w", "b"))
    return x, w, b


@cache
def _maker(cls: type) -> Callable[[], Layer]:
    """The same for the same class, so that what is known of a base is known by it."""
    return lambda: Layer(cls())


def _when(kind: str) -> str:
    return TRIGGERS.get(kind, kind.lower())


def _foreign(mutant: Foreign) -> Subject:
    cls = type(mutant.target)
    target = f"backproof.museum.foreign:{cls.__name__}"
    trigger = _when(mutant.kind)
    return Subject(mutant.id, "foreign", mutant.quantity, trigger, target, _maker(cls), _maker(mutant.base))
