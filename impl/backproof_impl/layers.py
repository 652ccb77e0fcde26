"""Layers: `forward(x)` keeps what `backward(dy)` needs, which returns `dx` and stores the gradients.

A layer's parameters and their gradients are two dictionaries with the same keys, "w" and, with a bias,
"b"; layers without parameters have empty ones.  A backward call replaces the gradients of the one
before; nothing is accumulated.  A new kind of layer defines `_forward` and `_backward`.
"""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from . import convolution, pooling
from .activations import ACTIVATIONS
from .arrays import DTYPES, Array, check_dtypes, check_shape
from .dense import dense, dense_backward, flatten, flatten_gradient
from .geometry import (
    Algorithm,
    IntOrPair,
    Orientation,
    Padding,
    PaddingMode,
    check_choice,
    check_flag,
    check_groups,
    parse_count,
    parse_padding,
    parse_pair,
)

PoolingKind: TypeAlias = Literal["max", "average", "sum"]
Seed: TypeAlias = np.random.Generator | int | None


class Layer:
    """What all layers share: `parameters`, `gradients`, `forward`, `backward`, `step`."""

    def __init__(self) -> None:
        self.parameters: dict[str, Array] = {}
        self.gradients: dict[str, Array] = {}
        self._x: Array | None = None

    def forward(self, x: Array) -> Array:
        """Return the layer's output for `x`, and keep a copy of `x` for `backward`."""
        y = self._forward(x)
        self._x = np.array(x, order="C")
        return y

    def take(self, x: Array) -> Array:
        """Return what `forward` does, for an `x` that nobody changes any more: it is kept without a copy."""
        y = self._forward(x)
        self._x = x
        return y

    def backward(self, dy: Array) -> Array:
        """Return `dx` for the cotangent `dy` of the last output, and store the parameters' gradients.

        Raises RuntimeError where `forward` has not been called.
        """
        if self._x is None:
            raise RuntimeError(f"{type(self).__name__}.backward needs an input; call forward first")
        return self._backward(dy, self._x)

    def step(self, rate: float) -> None:
        """Descend: `w <- w - rate * dE/dw` for every parameter, in place.

        Raises RuntimeError where `backward` has not been called.
        """
        for name, value in self.parameters.items():
            if name not in self.gradients:
                raise RuntimeError(f"{type(self).__name__}.step needs gradients; call backward first")
            # in place, so that arrays taken from `parameters` stay the layer's own
            value -= rate * self.gradients[name]

    def _forward(self, x: Array) -> Array:
        raise NotImplementedError(f"{type(self).__name__} must define _forward(x)")

    def _backward(self, dy: Array, x: Array) -> Array:
        raise NotImplementedError(f"{type(self).__name__} must define _backward(dy, x)")

    def _store_gradients(self, dw: Array, db: Array | None) -> None:
        self.gradients = {"w": dw} if db is None else {"w": dw, "b": db}


class Convolution(Layer):
    """Convolution of `x (N, in_channels, H, W)`; the options are those of `convolution.forward`.

    The weights `(out_channels, in_channels/groups, kh, kw)` are drawn uniformly from +-1/sqrt(inputs
    per output), by `rng` (a generator or a seed); the bias starts at 0.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        *,
        stride: IntOrPair = (1, 1),
        padding: Padding = ((0, 0), (0, 0)),
        dilation: IntOrPair = (1, 1),
        groups: int = 1,
        padding_mode: PaddingMode = "zeros",
        orientation: Orientation = "convolution",
        algorithm: Algorithm = "direct",
        bias: bool = True,
        dtype: npt.DTypeLike = np.float64,
        rng: Seed = None,
    ) -> None:
        super().__init__()
        in_channels = parse_count("in_channels", in_channels)
        out_channels = parse_count("out_channels", out_channels)
        groups = parse_count("groups", groups)
        check_groups(in_channels, out_channels, groups)
        check_choice("padding_mode", padding_mode, PaddingMode)
        check_choice("orientation", orientation, Orientation)
        check_choice("algorithm", algorithm, Algorithm)
        self.options: dict[str, Any] = {
            "stride": parse_pair("stride", stride),
            "padding": parse_padding(padding),
            "dilation": parse_pair("dilation", dilation),
            "groups": groups,
            "padding_mode": padding_mode,
            "orientation": orientation,
            "algorithm": algorithm,
        }
        shape = (out_channels, in_channels // groups, *parse_pair("kernel_size", kernel_size))
        self.parameters = _initial_parameters(shape, bias, dtype, rng)

    def _forward(self, x: Array) -> Array:
        return convolution.forward(x, self.parameters["w"], self.parameters.get("b"), **self.options)

    def _backward(self, dy: Array, x: Array) -> Array:
        w, b = self.parameters["w"], self.parameters.get("b")
        dx, dw, db = convolution.backward(dy, x, w, b, **self.options)
        self._store_gradients(dw, db)
        return dx


_POOLING = {
    "max": (pooling.max_pool, pooling.max_pool_gradient),
    "average": (pooling.average_pool, pooling.average_pool_gradient),
    "sum": (pooling.sum_pool, pooling.sum_pool_gradient),
}


class Pooling(Layer):
    """Pooling of `x (N, C, H, W)` by `kind`: "max", "average" or "sum"; options as in `pooling`."""

    def __init__(
        self,
        kind: PoolingKind,
        kernel_size: IntOrPair,
        *,
        stride: IntOrPair | None = None,
        padding: Padding = ((0, 0), (0, 0)),
        dilation: IntOrPair = (1, 1),
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        check_choice("kind", kind, PoolingKind)
        check_flag("ceil_mode", ceil_mode)
        self.kind = kind
        kernel = parse_pair("kernel_size", kernel_size)
        self.options: dict[str, Any] = {
            "kernel_size": kernel,
            "stride": kernel if stride is None else parse_pair("stride", stride),
            "padding": parse_padding(padding),
            "dilation": parse_pair("dilation", dilation),
            "ceil_mode": ceil_mode,
        }

    def _forward(self, x: Array) -> Array:
        pool, _ = _POOLING[self.kind]
        return pool(x, **self.options)

    def _backward(self, dy: Array, x: Array) -> Array:
        _, gradient = _POOLING[self.kind]
        return gradient(dy, x, **self.options)


class Activation(Layer):
    """An activation function on every entry of `x`, of any shape; `name` is a key of `ACTIVATIONS`."""

    def __init__(self, name: str) -> None:
        super().__init__()
        if name not in ACTIVATIONS:
            raise ValueError(f"name must be one of {', '.join(map(repr, ACTIVATIONS))}, got {name!r}")
        self.name = name

    def _forward(self, x: Array) -> Array:
        function, _ = ACTIVATIONS[self.name]
        return function(x)

    def _backward(self, dy: Array, x: Array) -> Array:
        _, derivative = ACTIVATIONS[self.name]
        check_dtypes(dy=dy, x=x)
        check_shape("dy", dy, x.shape, "the shape of y")
        with np.errstate(all="ignore"):  # infinity times 0 is NaN, silently, as in the kernels
            dx = derivative(x)
            return np.multiply(dy, dx, out=dx)


class Flatten(Layer):
    """Feature maps `x (N, C, H, W)` as vectors `(N, C*H*W)`."""

    def _forward(self, x: Array) -> Array:
        return flatten(x)

    def _backward(self, dy: Array, x: Array) -> Array:
        return flatten_gradient(dy, x)


class Dense(Layer):
    """A fully connected layer on vectors `x (N, in_features)`; weights `(out_features, in_features)`.

    They are drawn as those of `Convolution`.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        dtype: npt.DTypeLike = np.float64,
        rng: Seed = None,
    ) -> None:
        super().__init__()
        shape = (parse_count("out_features", out_features), parse_count("in_features", in_features))
        self.parameters = _initial_parameters(shape, bias, dtype, rng)

    def _forward(self, x: Array) -> Array:
        return dense(x, self.parameters["w"], self.parameters.get("b"))

    def _backward(self, dy: Array, x: Array) -> Array:
        dx, dw, db = dense_backward(dy, x, self.parameters["w"], self.parameters.get("b"))
        self._store_gradients(dw, db)
        return dx


def _initial_parameters(shape: tuple[int, ...], bias: bool, dtype: npt.DTypeLike, rng: Seed) -> dict[str, Array]:
    dtype = np.dtype(dtype)
    if dtype not in DTYPES:
        raise TypeError(f"dtype must be float32 or float64, got {dtype}")
    # 1/sqrt(inputs per output) keeps the variance of the outputs independent of the layer's width
    limit = 1 / math.sqrt(math.prod(shape[1:]))
    w = np.random.default_rng(rng).uniform(-limit, limit, shape).astype(dtype)
    return {"w": w, "b": np.zeros(shape[0], dtype)} if bias else {"w": w}
