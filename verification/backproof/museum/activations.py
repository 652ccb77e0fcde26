"""Bugs of activations and of their derivatives."""

from __future__ import annotations

import numpy as np

from backproof.contract import Geometry
from backproof.museum.mutant import Quantity, Trigger, mutant
from backproof.museum.reference import Array
from backproof.museum.reference_chain import Chain
from backproof.museum.witness import Call

_IMAGE = Geometry(size=(4, 4), bias=False)


def _at(function: str, values: str = "distinct", dtype: str = "float64") -> Call:
    return Call(f"activation {function}", _IMAGE, dtype, values=values)


class _NegativeSlope(Chain):
    """A leaky ReLU that falls for c < 0."""

    SLOPE = -0.25


class _NoSlope(Chain):
    """A leaky ReLU of slope 0."""

    SLOPE = 0.0


class _NegativeAlpha(Chain):
    """An ELU that is positive for c < 0."""

    ALPHA = -0.5


@mutant(
    "pytorch/pytorch#31938, BVLC/caffe#2413",
    Quantity.DERIVATIVE,
    Trigger.VALUES,
    shows=_at("leaky_relu derivative"),
    hidden=_at("leaky_relu derivative", "positive"),
)
class L100(_NegativeSlope):
    """The gradient of the leaky ReLU goes by the sign of the output; with a negative slope, that is positive."""

    def _leaky_relu_derivative(self, c: Array) -> Array:
        return np.where(self._leaky_relu(c) > 0, 1, self.SLOPE).astype(c.dtype)


@mutant(
    "chainer/chainer#5898",
    Quantity.DERIVATIVE,
    Trigger.VALUES,
    shows=_at("leaky_relu derivative"),
    hidden=_at("leaky_relu derivative", "positive"),
)
class L101(_NoSlope):
    """The mask of the leaky ReLU is y >= 0; with slope 0, that holds everywhere."""

    def _leaky_relu_derivative(self, c: Array) -> Array:
        return np.where(self._leaky_relu(c) >= 0, 1, self.SLOPE).astype(c.dtype)


@mutant(
    "pytorch/pytorch#47671",
    Quantity.DERIVATIVE,
    Trigger.VALUES,
    shows=_at("elu derivative"),
    hidden=_at("elu derivative", "positive"),
)
class L102(_NegativeAlpha):
    """The gradient of the ELU is read off its output, y + alpha or 1; with alpha < 0, y is positive for c < 0."""

    def _elu_derivative(self, c: Array) -> Array:
        y = self._elu(c)
        return np.where(y > 0, 1, y + self.ALPHA).astype(c.dtype)


@mutant(
    "PaddlePaddle/Paddle#79351",
    Quantity.ACTIVATION,
    Trigger.VALUES,
    shows=_at("relu", "one NaN"),
    hidden=_at("relu"),
)
class L104(Chain):
    """ReLU makes 0 of NaN."""

    def _relu(self, c: Array) -> Array:
        return np.where(c > 0, c, c.dtype.type(0))


@mutant(
    "tenstorrent/tt-metal#56405",
    Quantity.DERIVATIVE,
    Trigger.VALUES,
    shows=_at("tanh derivative", "tenths"),
    hidden=_at("tanh derivative", "thousands"),
)
class L109(Chain):
    """The derivative of tanh is a table's, a thousandth too small around 0."""

    def _tanh_derivative(self, c: Array) -> Array:
        slope: Array = super()._tanh_derivative(c) * (1 - 8e-4 * np.exp(-c * c))
        return slope.astype(c.dtype)


@mutant(
    "davidrmiller/neural2d#40, math.techqa.club 4158072",
    Quantity.DERIVATIVE,
    Trigger.VALUES,
    shows=_at("tanh derivative"),
    hidden=_at("tanh derivative", "zero"),
)
class H038(Chain):
    """a'(o) in place of a'(c): the derivative is handed the output."""

    def _tanh_derivative(self, c: Array) -> Array:
        return super()._tanh_derivative(np.tanh(c))


@mutant(
    "classic: math.techqa.club 4158072",
    Quantity.DERIVATIVE,
    Trigger.ALWAYS,
    shows=_at("sigmoid derivative"),
)
class H039(Chain):
    """c * (1 - c), where c is the pre-activation: a' is written in terms of the output, and is handed c."""

    def _sigmoid_derivative(self, c: Array) -> Array:
        slope: Array = c * (1 - c)
        return slope


@mutant(
    "gy910210/neural-network-from-scratch#2, scutan90/DeepLearning-500-questions#544",
    Quantity.DERIVATIVE,
    Trigger.VALUES,
    shows=_at("tanh derivative"),
    hidden=_at("tanh derivative", "zero"),
)
class H040(Chain):
    """The derivative of tanh is that of tan: 1 + tanh^2."""

    def _tanh_derivative(self, c: Array) -> Array:
        slope: Array = 1 + np.tanh(c) ** 2
        return slope


@mutant(
    "classic: uptake/numpynet#35, runxinzhi.com MTCNN notes",
    Quantity.DERIVATIVE,
    Trigger.VALUES,
    shows=_at("relu derivative", "zero"),
    hidden=_at("relu derivative"),
)
class H041(Chain):
    """The derivative of ReLU is 1 at 0."""

    def _relu_derivative(self, c: Array) -> Array:
        return (c >= 0).astype(c.dtype)


@mutant(
    "stackoverflow.com/questions/50121887",
    Quantity.DERIVATIVE,
    Trigger.STATE,
    shows=(_at("relu derivative"), _at("relu")),
    hidden=(_at("relu derivative", "equal"), _at("relu", "equal")),
)
class H042(Chain):
    """The derivative of ReLU is computed in place, where the next layer still needs the values."""

    def _relu_derivative(self, c: Array) -> Array:
        c[c > 0] = 1
        c[c <= 0] = 0
        return c.copy()


# ---- more of the kind


@mutant(
    "classic", Quantity.DERIVATIVE, Trigger.VALUES, shows=_at("tanh derivative"), hidden=_at("tanh derivative", "zero")
)
class C001(Chain):
    """1 - tanh, where 1 - tanh^2 is meant."""

    def _tanh_derivative(self, c: Array) -> Array:
        slope: Array = 1 - np.tanh(c)
        return slope


@mutant(
    "classic",
    Quantity.ACTIVATION,
    Trigger.VALUES,
    shows=_at("tanh"),
    hidden=_at("tanh", "zero"),
)
class C002(Chain):
    """The activation is applied twice."""

    def _tanh(self, c: Array) -> Array:
        return np.tanh(np.tanh(c))


@mutant(
    "classic", Quantity.ACTIVATION, Trigger.VALUES, shows=_at("sigmoid", "thousands"), hidden=_at("sigmoid", "zero")
)
class C003(Chain):
    """exp(c) / (1 + exp(c)), which is infinity over infinity."""

    def _sigmoid(self, c: Array) -> Array:
        with np.errstate(all="ignore"):
            o: Array = np.exp(c) / (1 + np.exp(c))
            return o


@mutant(
    "classic", Quantity.ACTIVATION, Trigger.VALUES, shows=_at("softplus", "thousands"), hidden=_at("softplus", "zero")
)
class C004(Chain):
    """log(1 + exp(c)), which overflows."""

    def _softplus(self, c: Array) -> Array:
        with np.errstate(over="ignore"):
            o: Array = np.log(1 + np.exp(c))
            return o


@mutant(
    "classic",
    Quantity.DERIVATIVE,
    Trigger.VALUES,
    shows=_at("square derivative"),
    hidden=_at("square derivative", "zero"),
)
class C005(Chain):
    """The 2 of the derivative of c^2 is missing."""

    def _square_derivative(self, c: Array) -> Array:
        return c.copy()


@mutant(
    "classic",
    Quantity.ACTIVATION,
    Trigger.DTYPE,
    shows=_at("tanh"),
    hidden=_at("tanh", dtype="float32"),
)
class C006(Chain):
    """tanh is computed in float32, whatever the dtype."""

    def _tanh(self, c: Array) -> Array:
        return np.tanh(c.astype(np.float32)).astype(c.dtype)


@mutant(
    "classic",
    Quantity.DERIVATIVE,
    Trigger.VALUES,
    shows=_at("leaky_relu derivative"),
    hidden=_at("leaky_relu derivative", "positive"),
)
class C007(Chain):
    """The slope of the leaky ReLU is forgotten in its derivative."""

    def _leaky_relu_derivative(self, c: Array) -> Array:
        return (c > 0).astype(c.dtype)


@mutant(
    "classic",
    Quantity.DERIVATIVE,
    Trigger.VALUES,
    shows=_at("elu derivative"),
    hidden=_at("elu derivative", "positive"),
)
class C008(Chain):
    """The derivative of the ELU is its value, alpha * (exp(c) - 1)."""

    def _elu_derivative(self, c: Array) -> Array:
        return np.where(c > 0, c.dtype.type(1), self._elu(c))


@mutant(
    "classic",
    Quantity.DERIVATIVE,
    Trigger.VALUES,
    shows=_at("relu derivative"),
    hidden=_at("relu derivative", "negative"),
)
class C009(Chain):
    """The derivative of ReLU is its value."""

    def _relu_derivative(self, c: Array) -> Array:
        return np.maximum(c, 0)
