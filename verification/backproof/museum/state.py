"""Bugs of what outlives a call: buffers, caches, and the caller's own arrays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from backproof.contract import Geometry
from backproof.museum.mutant import Quantity, Trigger, mutant
from backproof.museum.reference import Array, Convolution, Options, gather, pad, taps
from backproof.museum.witness import Call

_LAYER = Geometry(in_channels=2, out_channels=2, size=(3, 3), kernel_size=(2, 2))
_FORWARD = Call("forward", _LAYER)


@mutant(
    "ggml-org/ggml#274",
    Quantity.Y,
    Trigger.TILE,
    shows=(Call("forward", Geometry(in_channels=4, size=(3, 3), kernel_size=(3, 3))), _FORWARD),
    hidden=_FORWARD,
)
class L019(Convolution):
    """Rows of patches are rounded up to 32 numbers; what lies between is left from longer rows."""

    def __init__(self) -> None:
        self._patch, self._weights = np.zeros(0), np.zeros(0)

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        used = w[0].size
        length = -(-used // 32) * 32
        missing = max(length - self._patch.size, 0)
        self._patch, self._weights = np.pad(self._patch, (0, missing)), np.pad(self._weights, (0, missing))
        rest = self._patch[used:length] @ self._weights[used:length]
        y: Array = super()._y(x, w, b, o) + x.dtype.type(rest)
        if y.size:
            patches = gather(pad(x, o), w.shape[2:], y.shape[2:], o)
            self._patch[:used] = patches[-1, -w.shape[1] :, :, :, -1, -1].ravel()
            self._weights[:used] = taps(w, o)[-1].ravel()
        return y


@mutant(
    "FluxML/NNlib.jl#114",
    Quantity.Y,
    Trigger.STATE,
    shows=(_FORWARD, _FORWARD),
    hidden=Call("forward", replace(_LAYER, orientation="cross-correlation")),
)
class L026(Convolution):
    """The caller's weights are flipped in place."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        if o.orientation == "convolution":
            w[...] = w[:, :, ::-1, ::-1]
        return super()._y(x, w, b, replace(o, orientation="cross-correlation"))


@mutant(
    "FluxML/NNlib.jl#158",
    Quantity.Y,
    Trigger.STATE,
    shows=Geometry(batch=2, size=(2, 2)),
    hidden=Geometry(batch=1, size=(2, 2)),
)
class L027(Convolution):
    """Two threads share a buffer of patches; here the second always writes before the first has read."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        overwritten = np.minimum(np.arange(len(x)) | 1, max(len(x) - 1, 0))
        return super()._y(x[overwritten], w, b, o)


@mutant(
    "apache/mxnet#15464",
    Quantity.DB,
    Trigger.STATE,
    shows=_LAYER,
    hidden=(Call("weight_gradient", _LAYER), Call("bias_gradient", _LAYER)),
)
class L043(Convolution):
    """The bias gradient comes with the weights' only; asked for alone, it is what was there."""

    def __init__(self) -> None:
        self._last = np.zeros(0)

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        self._last = super()._db(dy)
        return super()._dw(dy, x, w, o)

    def _db(self, dy: Array) -> Array:
        known = self._last.shape == dy.shape[1:2]
        return self._last.astype(dy.dtype) if known else np.zeros(dy.shape[1], dy.dtype)


@mutant(
    "AlexeyAB/darknet#7320",
    Quantity.DX,
    Trigger.STATE,
    shows=(Call("input_gradient", _LAYER), Call("input_gradient", _LAYER, seed=1)),
    hidden=Call("input_gradient", _LAYER),
)
class L068(Convolution):
    """The image's gradient is in a buffer of the layer, which the next call clears."""

    def __init__(self) -> None:
        self._delta: dict[Any, Array] = {}

    def _dx(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        delta = self._delta.setdefault((x.shape, dy.dtype), np.empty(x.shape, dy.dtype))
        delta[...] = 0
        delta += super()._dx(dy, x, w, o)
        return delta


@mutant(
    "symengine/symengine#1453, Qiskit/qiskit-aer#1461, neuro-ml/imops#37",
    Quantity.Y,
    Trigger.VALUES,
    shows=Call("forward", replace(_LAYER, bias=False), values="subnormal"),
    hidden=_FORWARD,
)
class L070(Convolution):
    """The whole process flushes subnormal numbers to zero."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        return _flushed(super()._y(_flushed(x), _flushed(w), None if b is None else _flushed(b), o))

    def _dx(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return _flushed(super()._dx(_flushed(dy), x, _flushed(w), o))

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return _flushed(super()._dw(_flushed(dy), _flushed(x), w, o))


def _flushed(a: Array) -> Array:
    return np.where(abs(a) < np.finfo(a.dtype).tiny, a.dtype.type(0), a)
