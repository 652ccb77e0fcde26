"""PyTorch's activations, differentiated by `torch.autograd`, for the target `torch`.

The derivative is taken against a cotangent of ones.  Tensors share the arrays' memory, strides included.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the library's own convention

Array: TypeAlias = np.ndarray[Any, Any]
Tensor: TypeAlias = Any

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    # the default threshold of 20, beyond which it is c, is meant for float32: 2e-9 off in float64
    "softplus": lambda c: F.softplus(c, threshold=40),
    "silu": F.silu,
    "gelu": F.gelu,
    "softsign": F.softsign,
    "square": torch.square,
}


def _pair(function: Callable[[Tensor], Tensor]) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    def activation(c: Array) -> Array:
        with torch.no_grad():
            return _array(function(_tensor(c)))

    def derivative(c: Array) -> Array:
        tensor = _tensor(c).requires_grad_()
        o = function(tensor)
        return _array(torch.autograd.grad(o, [tensor], grad_outputs=torch.ones_like(o))[0])

    return activation, derivative


ACTIVATIONS = {name: _pair(function) for name, function in FUNCTIONS.items()}


def _tensor(array: Array) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")  # nothing here writes
        return torch.from_numpy(array)


def _array(tensor: Tensor) -> Array:
    array: Array = tensor.detach().numpy()
    return array
