"""Arrays of NumPy, PyTorch and JAX, and differentiation by the library (which only a target imports)."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from backproof.targets.errors import TargetError


class NumPy:
    """Arrays as they come."""

    name = "numpy"
    layouts_excluded: tuple[str, ...] = ()
    dtypes: tuple[str, ...] | None = None

    def given(self, value: Any) -> Any:
        """A NumPy array (or a list of lists of them) as the library takes it."""
        return value

    def taken(self, value: Any) -> Any:
        """What a function returned, with NumPy arrays."""
        return value

    def gradients(self, function: Callable[..., Any], operands: Mapping[str, Any], dy: Any) -> dict[str, Any]:
        """dx, dw, db of `function(**operands)` for a cotangent.

        Raises:
            TargetError: NumPy does not differentiate.
        """
        raise TargetError("NumPy does not differentiate")


class Torch(NumPy):
    """Tensors in the arrays' memory, with their strides, of which none may be negative."""

    name = "torch"
    layouts_excluded = ("reversed",)

    def given(self, value: Any) -> Any:
        """A tensor, without a copy."""
        if isinstance(value, list):
            return [self.given(item) for item in value]
        if not isinstance(value, np.ndarray | np.generic):
            return value
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The given NumPy array is not writable")
            return sys.modules["torch"].from_numpy(np.asarray(value))

    def taken(self, value: Any) -> Any:
        """Tensors, in tuples and dictionaries too, as arrays in their memory."""
        if isinstance(value, tuple | list):
            return type(value)(self.taken(item) for item in value)
        return value.detach().numpy() if isinstance(value, sys.modules["torch"].Tensor) else value

    def gradients(self, function: Callable[..., Any], operands: Mapping[str, Any], dy: Any) -> dict[str, Any]:
        """By `torch.autograd.grad`; a gradient that it does not know is left out."""
        leaves = {role: _required(tensor) for role, tensor in operands.items()}
        flat = {role: _flat(leaf) for role, leaf in leaves.items()}
        y = function(**leaves)
        listed = [tensor for tensors in flat.values() for tensor in tensors]
        found = iter(sys.modules["torch"].autograd.grad(y, listed, dy, allow_unused=True))
        return {f"d{role}": _like(leaf, found) for role, leaf in leaves.items()}


def _required(value: Any) -> Any:
    if isinstance(value, list):
        return [_required(item) for item in value]
    return value.detach().requires_grad_()


def _flat(value: Any) -> list[Any]:
    return [tensor for item in value for tensor in _flat(item)] if isinstance(value, list) else [value]


def _like(leaf: Any, gradients: Any) -> Any:
    """Gradients in the nesting of a leaf."""
    if isinstance(leaf, list):
        return [_like(item, gradients) for item in leaf]
    gradient = next(gradients)
    return None if gradient is None else gradient.numpy()


class Jax(NumPy):
    """JAX copies what it is given: memory layouts do not reach it, and are not tried."""

    name = "jax"
    layouts_excluded = ("offset", "read-only", "F", "nhwc", "reversed", "broadcast", "sliced", "channel-slice")

    def __init__(self) -> None:
        wide = sys.modules["jax"].config.jax_enable_x64
        self.dtypes = None if wide else ("float32",)

    def given(self, value: Any) -> Any:
        """An array of JAX's."""
        if isinstance(value, list):
            return [self.given(item) for item in value]
        return sys.modules["jax"].numpy.asarray(value) if isinstance(value, np.ndarray | np.generic) else value

    def taken(self, value: Any) -> Any:
        """As NumPy arrays."""
        if isinstance(value, tuple | list):
            return type(value)(self.taken(item) for item in value)
        return np.asarray(value) if isinstance(value, sys.modules["jax"].Array) else value

    def gradients(self, function: Callable[..., Any], operands: Mapping[str, Any], dy: Any) -> dict[str, Any]:
        """By `jax.vjp`."""
        roles = list(operands)
        vjp = sys.modules["jax"].vjp
        _, pullback = vjp(lambda *values: function(**dict(zip(roles, values, strict=True))), *operands.values())
        return {f"d{role}": self.taken(value) for role, value in zip(roles, pullback(dy), strict=True)}


def library(declared: str | None, function: Callable[..., Any] | None) -> NumPy:
    """The library whose arrays a target takes: as declared, or as its forward's annotations say.

    Raises:
        TargetError: a library is declared that the target does not import.
    """
    name = declared or (_annotated(function) if function is not None else "numpy")
    if name != "numpy" and name not in sys.modules:
        raise TargetError(f"LIBRARY is {name}, and the target does not import {name}; import it there")
    return {"numpy": NumPy, "torch": Torch, "jax": Jax}[name]()


def _annotated(function: Callable[..., Any]) -> str:
    try:
        annotations = [item.annotation for item in inspect.signature(function).parameters.values()]
    except (ValueError, TypeError):
        return "numpy"
    told = " ".join(item if isinstance(item, str) else f"{item!r}" for item in annotations)
    if "torch" in sys.modules and "Tensor" in told:
        return "torch"
    return "jax" if "jax" in sys.modules and ("jax" in told or "jnp" in told) else "numpy"
