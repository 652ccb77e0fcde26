"""Where an object keeps its arrays: attributes, entries of dictionaries, and what those hold as `.data` or `.grad`.

A `Place` is a way to an array, such as `W`, `params["w"]` or `weight.grad`; it is found by its name and by the array's
shape, and can be read and written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from backproof.targets.layouts import Array

#: Names of what a layer keeps, in lower case, without underscores.
NAMES: dict[str, tuple[str, ...]] = {
    "x": ("x", "input", "inputs", "image"),
    "w": ("w", "weight", "weights", "kernel", "kernels", "filter", "filters"),
    "b": ("b", "bias", "biases"),
}
_HELD = ("data", "value")
_GRADIENT_PREFIXES = ("d", "grad", "delta", "gradient", "g", "dl", "dld", "dldl")
_GRADIENT_SUFFIXES = ("grad", "grads", "gradient", "gradients")
_GRADIENT_DICTIONARIES = ("grads", "grad", "gradients", "gradient", "g", "d")


@dataclass(frozen=True, slots=True)
class Place:
    """Steps from an object to an array: `("attribute", name)` or `("key", key)`."""

    steps: tuple[tuple[str, Any], ...]

    def read(self, holder: Any) -> Any:
        """What lies there; None where nothing does."""
        for kind, name in self.steps:
            holder = getattr(holder, name, None) if kind == "attribute" else _entry(holder, name)
        return holder

    def write(self, holder: Any, value: Any) -> None:
        """Put something there."""
        for kind, name in self.steps[:-1]:
            holder = getattr(holder, name) if kind == "attribute" else holder[name]
        kind, name = self.steps[-1]
        if kind == "attribute":
            setattr(holder, name, value)
        else:
            holder[name] = value

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the steps as they are compared: lower case, no underscores."""
        return tuple(str(name).lower().replace("_", "") for _, name in self.steps)

    def __str__(self) -> str:
        parts = (f".{name}" if kind == "attribute" else f"[{name!r}]" for kind, name in self.steps)
        return "".join(parts).removeprefix(".").replace("'", '"')


def _entry(holder: Any, key: Any) -> Any:
    return holder.get(key) if isinstance(holder, dict) else None


def places(holder: Any) -> Iterator[tuple[Place, Array]]:
    """Every array of an object, with the way to it."""
    for name, value in _attributes(holder):
        steps = (("attribute", name),)
        yield from _arrays(steps, value)
        if isinstance(value, dict):
            for key, item in value.items():
                yield from _arrays((*steps, ("key", key)), item)


def _attributes(holder: Any) -> Iterator[tuple[str, Any]]:
    names = [*getattr(holder, "__dict__", {}), *(s for k in type(holder).__mro__ for s in getattr(k, "__slots__", ()))]
    yield from ((name, getattr(holder, name)) for name in names if hasattr(holder, name))


def _arrays(steps: tuple[tuple[str, Any], ...], value: Any) -> Iterator[tuple[Place, Array]]:
    if _is_array(value):
        yield Place(steps), value
    elif not isinstance(value, dict):
        for name in (*_HELD, "grad", "gradient"):
            held = getattr(value, name, None)
            if isinstance(held, np.ndarray) and _is_array(held):
                yield Place((*steps, ("attribute", name))), held


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "iuf"


def is_parameter(place: Place, role: str) -> bool:
    """Whether a place is called like `w` or `b`: `W`, `_weights`, `params["w"]`, `weight.data`."""
    names = place.names[:-1] if place.names[-1] in _HELD and len(place.names) > 1 else place.names
    return names[-1] in NAMES[role] and not any(name in _GRADIENT_DICTIONARIES for name in names[:-1])


def is_gradient(place: Place, role: str) -> bool:
    """Whether a place is called like the gradient of `w`: `dW`, `grad_w`, `weight_grad`, `grads["w"]`, `w.grad`."""
    *outer, last = place.names
    if last in ("grad", "gradient") and outer:
        return outer[-1] in NAMES[role]
    if last in NAMES[role]:
        return any(name in _GRADIENT_DICTIONARIES for name in outer)
    spelled = {f"{prefix}{name}" for prefix in _GRADIENT_PREFIXES for name in NAMES[role]}
    spelled |= {f"{name}{suffix}" for suffix in _GRADIENT_SUFFIXES for name in NAMES[role]}
    return last in spelled
