"""Arrays as PyTorch's tensors and back, and its gradients, for `pytorch` and `pytorch_activations`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch

Array: TypeAlias = np.ndarray[Any, Any]
Tensor: TypeAlias = Any


def gradient(function: Callable[[Tensor], Tensor], x: Array, dy: Array | None = None) -> Array:
    """That of `<dy, function(x)>`, by `torch.autograd.grad`; without a cotangent, ones are taken."""
    tensor = tensor_of(x).requires_grad_()
    y = function(tensor)
    cotangent = torch.ones_like(y) if dy is None else tensor_of(dy)
    return array_of(torch.autograd.grad(y, [tensor], grad_outputs=cotangent)[0])


def tensor_of(array: Array) -> Tensor:
    """A tensor in the array's memory, with its strides."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")  # nothing here writes
        return torch.from_numpy(array)


def array_of(tensor: Tensor) -> Array:
    """An array in the tensor's memory."""
    array: Array = tensor.detach().numpy()
    return array
