"""Bugs of the forward pass."""

from __future__ import annotations

from math import prod

import numpy as np

from backproof.contract import Geometry
from backproof.museum.misread import window
from backproof.museum.mutant import Quantity, Trigger, mutant
from backproof.museum.reference import (
    Array,
    Convolution,
    Options,
    correlate,
    frame_size,
    gather,
    merge,
    outputs_of,
    pad,
    split,
    taps,
)
from backproof.museum.witness import Call

BATCH_LIMIT = 64  # 65535 in the report


@mutant(
    "pytorch/pytorch#21597",
    Quantity.Y,
    Trigger.TILE,
    shows=Geometry(in_channels=6, size=(3, 3), kernel_size=(2, 2)),
    hidden=Geometry(in_channels=3, size=(3, 3), kernel_size=(2, 2)),
)
class L005(Convolution):
    """The remainder of the channels after blocks of 4 is dropped."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        channels = w.shape[1]
        used = channels if channels < 4 else channels - channels % 4
        return super()._y(merge(split(x, o.groups)[:, :, :used]), w[:, :used], b, o)


@mutant(
    "Tencent/ncnn#1014",
    Quantity.Y,
    Trigger.TILE,
    shows=Geometry(out_channels=2, size=(3, 3)),
    hidden=Geometry(out_channels=2, size=(2, 2)),
)
class L007(Convolution):
    """Channel planes are padded to 4 numbers, but addressed as packed."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        y = super()._y(x, w, b, o)
        (batch, channels), plane = y.shape[:2], prod(y.shape[2:])
        memory = np.zeros((batch, channels, -(-plane // 4) * 4), y.dtype)
        memory[:, :, :plane] = y.reshape(batch, channels, plane)
        return memory.reshape(batch, -1)[:, : channels * plane].reshape(y.shape)


@mutant(
    "ARM-software/ComputeLibrary#78",
    Quantity.Y,
    Trigger.KERNEL,
    shows=Geometry(size=(3, 3), kernel_size=(2, 2)),
    hidden=Geometry(size=(3, 3), kernel_size=(2, 3)),
)
class L008(Convolution):
    """The last column lacks the last tap of an even kernel."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        y = super()._y(x, w, b, o)
        if w.shape[3] % 2 == 0:
            fewer = taps(w, o).copy()
            fewer[..., -1] = 0
            y[..., -1] = super()._y(x, taps(fewer, o), b, o)[..., -1]
        return y


@mutant(
    "tensorflow/tensorflow#9870",
    Quantity.Y,
    Trigger.TILE,
    shows=Geometry(batch=65, size=(2, 2)),
    hidden=Geometry(batch=64, size=(2, 2)),
)
class L011(Convolution):
    """Samples past the limit of a grid dimension are never written."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        y = super()._y(x, w, b, o)
        y[BATCH_LIMIT:] = 0
        return y


@mutant(
    "pytorch/pytorch#107514",
    Quantity.Y,
    Trigger.DTYPE,
    shows=Call("forward", Geometry(size=(2, 2)), dtype="float32", values="fractions"),
    hidden=Call("forward", Geometry(size=(2, 2)), values="fractions"),
)
class L016(Convolution):
    """Float32 operands keep 10 bits of their mantissas."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        return super()._y(_tensor_float(x), _tensor_float(w), b, o)


def _tensor_float(a: Array) -> Array:
    if a.dtype != np.float32:
        return a
    bits = np.ascontiguousarray(a).view(np.uint32) & np.uint32(0xFFFFE000)
    return bits.view(np.float32)


@mutant(
    "FluxML/NNlib.jl#104",
    Quantity.Y,
    Trigger.ANISOTROPY,
    shows=Geometry(size=(4, 4), kernel_size=(2, 3)),
    hidden=Geometry(size=(4, 5), kernel_size=(3, 3)),
)
class L021(Convolution):
    """The output's width is computed with the height's kernel, dilation and stride."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        rows, _ = outputs_of(x.shape[2:], w.shape[2:], o)
        height, width = frame_size(x.shape[2:], o)
        columns = max((width - o.dilation[0] * (w.shape[2] - 1) - 1) // o.stride[0] + 1, 0)
        needed = columns * o.stride[1] + o.dilation[1] * (w.shape[3] - 1)
        frame = window(pad(x, o), (0, 0), (height, needed))
        y = correlate(gather(frame, w.shape[2:], (rows, columns), o), taps(w, o), o.groups)
        return y if b is None else y + b[:, None, None]


@mutant(
    "pytorch/pytorch#9592",
    Quantity.Y,
    Trigger.STEP,
    shows=Geometry(size=(2, 2), kernel_size=(3, 3), stride=(2, 2)),
    hidden=Geometry(size=(3, 3), kernel_size=(3, 3), stride=(2, 2)),
)
class L024(Convolution):
    """A division that truncates finds room for a window where there is none."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        spans = [o.dilation[a] * (w.shape[2 + a] - 1) + 1 for a in (0, 1)]
        frame = frame_size(x.shape[2:], o)
        rows, columns = (int((frame[a] - spans[a]) / o.stride[a]) + 1 for a in (0, 1))
        if min(rows, columns) < 1 or all(frame[a] >= spans[a] for a in (0, 1)):
            return super()._y(x, w, b, o)
        seen = window(pad(x, o), (0, 0), (max(frame[0], spans[0]), max(frame[1], spans[1])))
        y = correlate(gather(seen, w.shape[2:], (rows, columns), o), taps(w, o), o.groups)
        return y if b is None else y + b[:, None, None]


@mutant(
    "classic: stackoverflow.com/questions/40247760",
    Quantity.Y,
    Trigger.ALWAYS,
    shows=Geometry(size=(3, 3), kernel_size=(2, 2)),
)
class H001(Convolution):
    """Convolve where the definition says correlate, or the other way round."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        return super()._y(x, w[:, :, ::-1, ::-1], b, o)


@mutant(
    "classic: Q&A \"scipy.signal's convolve isn't convolving the way it should\"",
    Quantity.Y,
    Trigger.COUNT,
    shows=Geometry(in_channels=2, size=(3, 3), kernel_size=(2, 2)),
    hidden=Geometry(size=(3, 3), kernel_size=(2, 2)),
)
class H002(Convolution):
    """A convolution in three dimensions reverses the channels as well."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        return super()._y(x, w[:, ::-1] if o.orientation == "convolution" else w, b, o)


@mutant(
    "classic: huggingface/candle#801, ariaghora/mint#1",
    Quantity.Y,
    Trigger.COUNT,
    shows=Geometry(in_channels=2, size=(3, 3), kernel_size=(2, 2)),
    hidden=Geometry(size=(3, 3), kernel_size=(2, 2)),
)
class H008(Convolution):
    """Patches are flattened (kh, kw, C), weights (C, kh, kw)."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        channels_last = taps(w, o).reshape(w.shape[0], *w.shape[2:], w.shape[1])
        return super()._y(x, taps(channels_last.transpose(0, 3, 1, 2), o), b, o)


@mutant(
    "classic: marcopeix/Deep_Learning_AI#1",
    Quantity.Y,
    Trigger.COUNT,
    shows=Geometry(in_channels=2, size=(2, 2)),
    hidden=Geometry(size=(2, 2)),
)
class H009(Convolution):
    """Reshape from NHWC to NCHW, where transpose is meant."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        return super()._y(x.transpose(0, 2, 3, 1).reshape(x.shape), w, b, o)


@mutant(
    "classic: constructed; context bentrevett/pytorch-sentiment-analysis#35, BVLC/caffe#988",
    Quantity.Y,
    Trigger.BORDER,
    shows=Geometry(size=(3, 3), kernel_size=(2, 2)),
    hidden=Call("forward", Geometry(size=(3, 3), kernel_size=(2, 2)), values="zero"),
)
class H019(Convolution):
    """Loops end at H - k: the last row and column are never computed."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        y = super()._y(x, w, b, o)
        nothing = y.dtype.type(0) if b is None else b[:, None]
        y[:, :, -1, :] = y[:, :, :, -1] = 0
        y[:, :, -1, :] += nothing
        y[:, :, :-1, -1] += nothing
        return y


@mutant(
    'classic: wkcn/mobula#1 "[bug] The bias in FullyConnected, Convolution and Transposed Convolution"',
    Quantity.Y,
    Trigger.COUNT,
    shows=Geometry(in_channels=2, size=(2, 2)),
    hidden=Geometry(in_channels=2, size=(2, 2), bias=False),
)
class H024(Convolution):
    """The bias is added once per input channel."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        return super()._y(x, w, None if b is None else w.shape[1] * b, o)
