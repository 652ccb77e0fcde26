"""Bugs of the deltas, of the output delta and of the error."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from backproof.contract import ORIENTATIONS, Geometry
from backproof.museum.mutant import Quantity, Trigger, mutant
from backproof.museum.reference import Array, Options
from backproof.museum.reference_chain import Chain, Derivative

_LAYER = Geometry(2, 2, 3, (4, 4), (2, 2), bias=False)


@mutant(
    "classic: jiexunsee/Neural-Network-with-Python#1, Bot-Academy/NeuralNetworkFromScratch#3",
    Quantity.OUTPUT_DELTA,
    Trigger.ALWAYS,
    shows=_LAYER,
)
class H043(Chain):
    """The output delta is o - t, without a'(c)."""

    def _output_delta(self, o: Array, t: Array, c: Array, activation_derivative: Derivative) -> Array:
        delta: Array = o - t
        return delta


@mutant(
    "d2l-ai/d2l-en#1000, borgwang/tinynn#12",
    Quantity.OUTPUT_DELTA,
    Trigger.COUNT,
    shows=_LAYER,
    hidden=replace(_LAYER, batch=1),
)
class H027(Chain):
    """Averaged twice: the error's gradient is divided by N, and so is what is handed on."""

    def _output_delta(self, o: Array, t: Array, c: Array, activation_derivative: Derivative) -> Array:
        return super()._output_delta(o, t, c, activation_derivative) / len(o) / len(o)


# ---- more of the kind


@mutant("classic", Quantity.OUTPUT_DELTA, Trigger.COUNT, shows=_LAYER, hidden=replace(_LAYER, batch=1))
class C020(Chain):
    """The output delta is divided by N, where the error is a sum."""

    def _output_delta(self, o: Array, t: Array, c: Array, activation_derivative: Derivative) -> Array:
        return super()._output_delta(o, t, c, activation_derivative) / len(o)


@mutant("classic", Quantity.OUTPUT_DELTA, Trigger.ALWAYS, shows=_LAYER)
class C021(Chain):
    """t - o: the sign of the output delta."""

    def _output_delta(self, o: Array, t: Array, c: Array, activation_derivative: Derivative) -> Array:
        return super()._output_delta(t, o, c, activation_derivative)


@mutant("classic", Quantity.OUTPUT_DELTA, Trigger.ALWAYS, shows=_LAYER)
class C022(Chain):
    """2 (o - t): the 1/2 of the error is forgotten."""

    def _output_delta(self, o: Array, t: Array, c: Array, activation_derivative: Derivative) -> Array:
        return 2 * super()._output_delta(o, t, c, activation_derivative)


@mutant("classic: davidrmiller/neural2d#40", Quantity.OUTPUT_DELTA, Trigger.ALWAYS, shows=_LAYER)
class C023(Chain):
    """a'(o), where a'(c) is meant."""

    def _output_delta(self, o: Array, t: Array, c: Array, activation_derivative: Derivative) -> Array:
        return super()._output_delta(o, t, o, activation_derivative)


@mutant("classic", Quantity.OUTPUT_DELTA, Trigger.ALWAYS, shows=_LAYER)
class C024(Chain):
    """The mask of a ReLU, whatever the activation."""

    def _output_delta(self, o: Array, t: Array, c: Array, activation_derivative: Derivative) -> Array:
        delta: Array = (o - t) * (o > 0)
        return delta


@mutant("classic", Quantity.DELTA, Trigger.ALWAYS, shows=_LAYER)
class C025(Chain):
    """a' is missing from the recursion."""

    def _delta(self, dx: Array, c: Array, activation_derivative: Derivative) -> Array:
        return dx


@mutant("classic", Quantity.DELTA, Trigger.ALWAYS, shows=_LAYER)
class C026(Chain):
    """a' squared: it has been multiplied already."""

    def _delta(self, dx: Array, c: Array, activation_derivative: Derivative) -> Array:
        return super()._delta(super()._delta(dx, c, activation_derivative), c, activation_derivative)


@mutant("classic", Quantity.DELTA, Trigger.ALWAYS, shows=_LAYER)
class C027(Chain):
    """The derivative is taken of the gradient, not of c."""

    def _delta(self, dx: Array, c: Array, activation_derivative: Derivative) -> Array:
        return super()._delta(dx, dx, activation_derivative)


@mutant("classic", Quantity.DELTA, Trigger.KERNEL, shows=_LAYER, hidden=replace(_LAYER, kernel_size=(1, 1)))
class C028(Chain):
    """The kernel is not flipped on the way back."""

    def _dx_below(self, delta_next: Array, c: Array, w_next: Array, o: Options) -> Array:
        other = next(item for item in ORIENTATIONS if item != o.orientation)
        return super()._dx_below(delta_next, c, w_next, replace(o, orientation=other))


@mutant(
    "classic",
    Quantity.DELTA,
    Trigger.COUNT,
    shows=replace(_LAYER, out_channels=2),
    hidden=_LAYER,
)
class C029(Chain):
    """Units of the two layers are exchanged in the weights, where there are as many."""

    def _dx_below(self, delta_next: Array, c: Array, w_next: Array, o: Options) -> Array:
        square = w_next.shape[0] == w_next.shape[1]
        return super()._dx_below(delta_next, c, w_next.swapaxes(0, 1) if square else w_next, o)


@mutant("classic", Quantity.DELTA, Trigger.KERNEL, shows=_LAYER, hidden=replace(_LAYER, kernel_size=(1, 1)))
class C030(Chain):
    """The delta of another frame: pixels of the layer above are counted from the kernel's last tap."""

    def _dx_below(self, delta_next: Array, c: Array, w_next: Array, o: Options) -> Array:
        dx = super()._dx_below(delta_next, c, w_next, o)
        return np.roll(dx, (w_next.shape[2] - 1, w_next.shape[3] - 1), axis=(2, 3))


@mutant("classic", Quantity.DELTA, Trigger.COUNT, shows=_LAYER, hidden=replace(_LAYER, out_channels=1))
class C031(Chain):
    """Averaged over the units of the layer above."""

    def _dx_below(self, delta_next: Array, c: Array, w_next: Array, o: Options) -> Array:
        return super()._dx_below(delta_next, c, w_next, o) / len(w_next)


@mutant("classic", Quantity.DELTA, Trigger.STATE, shows=_LAYER, hidden=replace(_LAYER, out_channels=1, in_channels=2))
class C032(Chain):
    """What the layer above handed down is scaled in place, where its own gradients still need it."""

    def _dx_below(self, delta_next: Array, c: Array, w_next: Array, o: Options) -> Array:
        dx = super()._dx_below(delta_next, c, w_next, o)
        if len(w_next) > 1:
            delta_next *= 0.5
        return dx


@mutant("classic", Quantity.ERROR, Trigger.ALWAYS, shows=_LAYER)
class C033(Chain):
    """The 1/2 of the error is forgotten."""

    def _error(self, o: Array, t: Array) -> Any:
        return ((t - o) ** 2).sum()


@mutant("classic", Quantity.ERROR, Trigger.COUNT, shows=_LAYER, hidden=replace(_LAYER, batch=1))
class C034(Chain):
    """The error is a mean over the batch."""

    def _error(self, o: Array, t: Array) -> Any:
        return super()._error(o, t) / len(o)


@mutant("classic", Quantity.ERROR, Trigger.ALWAYS, shows=_LAYER)
class C035(Chain):
    """The sum is squared, not what is summed."""

    def _error(self, o: Array, t: Array) -> Any:
        return (t - o).sum() ** 2 / 2
