"""A feed-forward network: layers in a row, trained on the post's error by gradient descent.

`backward` is the chain rule: the cotangent of the output goes through the layers from last to first,
and what leaves one layer as `dx` enters the one below it as `dy`.
"""

from __future__ import annotations

from collections.abc import Sequence

from .arrays import Array
from .layers import Layer
from .loss import half_squared_error, half_squared_error_gradient


class Network:
    """Layers applied one after the other; raises ValueError where there are none."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = tuple(layers)
        if not self.layers:
            raise ValueError("a network must have at least 1 layer, got 0")
        if len(set(map(id, self.layers))) < len(self.layers):
            raise ValueError("a layer must appear only once, because it keeps one input; construct another")

    def forward(self, x: Array) -> Array:
        """Return the output `o` of the last layer for a batch `x`."""
        first, *others = self.layers
        x = first.forward(x)
        for layer in others:
            x = layer.take(x)  # what the one below it has just made
        return x

    def backward(self, do: Array) -> Array:
        """Return `dx` for the cotangent `do` of the last output; every layer stores its gradients.

        Raises RuntimeError where `forward` has not been called.
        """
        for layer in reversed(self.layers):
            do = layer.backward(do)
        return do

    def step(self, rate: float) -> None:
        """Descend: `w <- w - rate * dE/dw` for every parameter of every layer.

        Raises RuntimeError where `backward` has not been called.
        """
        for layer in self.layers:
            layer.step(rate)

    def train_step(self, x: Array, t: Array, rate: float) -> float:
        """Descend once on `E = 1/2 * sum((t - o)**2)` over the batch; return `E` before the step."""
        o = self.forward(x)
        self.backward(half_squared_error_gradient(o, t))
        self.step(rate)
        return float(half_squared_error(o, t))
