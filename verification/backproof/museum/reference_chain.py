"""A plain right chain of layers for the mutants of it: activations, deltas, output delta and error.

    E = 1/2 * sum((t - o)**2)      output_delta = (o - t) * a'(c)      delta = dx * a'(c)

ACTIVATIONS has each pair (a, a') as two steps that a mutant replaces one at a time.  Written from `contract` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backproof.contract import Padding, Pair
from backproof.museum.reference import NO_PADDING, Array, Convolution, Options

Derivative = Callable[[Array], Array]


class Chain(Convolution):
    """The canonical functions of a convolution, and those that join layers."""

    SLOPE = 0.125
    ALPHA = 1.0

    # ---- activations

    def _relu(self, c: Array) -> Array:
        return np.maximum(c, 0)

    def _relu_derivative(self, c: Array) -> Array:
        return (c > 0).astype(c.dtype)

    def _leaky_relu(self, c: Array) -> Array:
        with np.errstate(invalid="ignore"):  # 0 times infinity
            return np.where(c > 0, c, c.dtype.type(self.SLOPE) * c)

    def _leaky_relu_derivative(self, c: Array) -> Array:
        return np.where(c > 0, 1, self.SLOPE).astype(c.dtype)

    def _elu(self, c: Array) -> Array:
        return np.where(c > 0, c, c.dtype.type(self.ALPHA) * np.expm1(np.minimum(c, 0)))

    def _elu_derivative(self, c: Array) -> Array:
        return np.where(c > 0, 1, self.ALPHA * np.exp(np.minimum(c, 0))).astype(c.dtype)

    def _tanh(self, c: Array) -> Array:
        return np.tanh(c)

    def _tanh_derivative(self, c: Array) -> Array:
        slope: Array = 1 - np.tanh(c) ** 2
        return slope

    def _sigmoid(self, c: Array) -> Array:
        e = np.exp(-np.abs(c))
        return np.where(c > 0, 1 / (1 + e), e / (1 + e))

    def _sigmoid_derivative(self, c: Array) -> Array:
        s = Chain._sigmoid(self, c)
        slope: Array = s * (1 - s)
        return slope

    def _softplus(self, c: Array) -> Array:
        o: Array = np.logaddexp(c, c.dtype.type(0))
        return o

    def _softplus_derivative(self, c: Array) -> Array:
        return Chain._sigmoid(self, c)

    def _square(self, c: Array) -> Array:
        with np.errstate(over="ignore"):
            return c * c

    def _square_derivative(self, c: Array) -> Array:
        with np.errstate(over="ignore"):
            return 2 * c

    @property
    def ACTIVATIONS(self) -> dict[str, tuple[Derivative, Derivative]]:  # noqa: N802 - a constant of a target
        """The pairs by name."""
        names = ("relu", "leaky_relu", "elu", "tanh", "sigmoid", "softplus", "square")
        return {name: (getattr(self, f"_{name}"), getattr(self, f"_{name}_derivative")) for name in names}

    # ---- the chain

    def _delta(self, dx: Array, c: Array, activation_derivative: Derivative) -> Array:
        """From the gradient of the activation's output to that of the pre-activation."""
        delta: Array = dx * activation_derivative(c)
        return delta

    def delta(
        self,
        delta_next: Array,
        w_next: Array,
        c: Array,
        *,
        activation_derivative: Derivative,
        stride: Pair = (1, 1),
        padding: Padding = NO_PADDING,
        dilation: Pair = (1, 1),
        groups: int = 1,
        padding_mode: str = "zeros",
        orientation: str = "convolution",
    ) -> Array:
        """`delta`, shaped like `c`."""
        o = Options(stride, padding, dilation, groups, padding_mode, orientation)
        return self._delta(self._dx_below(delta_next, c, w_next, o), c, activation_derivative)

    def _dx_below(self, delta_next: Array, c: Array, w_next: Array, o: Options) -> Array:
        """The gradient of the activation's output, from the layer above."""
        return self._dx(delta_next, c, w_next, o)

    def output_delta(self, o: Array, t: Array, c: Array, *, activation_derivative: Derivative) -> Array:
        """`(o - t) * a'(c)`."""
        return self._output_delta(o, t, c, activation_derivative)

    def _output_delta(self, o: Array, t: Array, c: Array, activation_derivative: Derivative) -> Array:
        delta: Array = (o - t) * activation_derivative(c)
        return delta

    def error(self, o: Array, t: Array) -> Any:
        """`1/2 * sum((t - o)**2)`."""
        return self._error(o, t)

    def _error(self, o: Array, t: Array) -> Any:
        return ((t - o) ** 2).sum() / 2
