"""PyTorch's activations, differentiated by `torch.autograd`, for the target `torch`.

The derivative is taken against a cotangent of ones.  Tensors share the arrays' memory, strides included.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812 - the library's own convention

from backproof.targets.adapters.pytorch_arrays import Array, Tensor, array_of, gradient, tensor_of

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
            return array_of(function(tensor_of(c)))

    def derivative(c: Array) -> Array:
        return gradient(function, c)

    return activation, derivative


ACTIVATIONS = {name: _pair(function) for name, function in FUNCTIONS.items()}
