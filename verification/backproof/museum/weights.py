"""Bugs of the gradients of the weights and of the bias."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backproof.contract import Geometry
from backproof.museum.misread import window
from backproof.museum.mutant import Quantity, Trigger, mutant
from backproof.museum.reference import Array, Convolution, Options, frame_size, gather, meet, pad, taps
from backproof.museum.witness import Call

SAMPLE_COUNT = 64  # 2**16 in the report


def _gradient(frame: Array, dy: Array, w: Array, o: Options) -> Array:
    """`dw` from a frame that need not be the right one."""
    return taps(meet(gather(frame, w.shape[2:], dy.shape[2:], o), dy, o.groups), o)


@mutant(
    "apple/tensorflow_macos#230",
    Quantity.DW,
    Trigger.COUNT,
    shows=Geometry(in_channels=2, size=(3, 3), kernel_size=(2, 2)),
    hidden=Geometry(size=(3, 3), kernel_size=(2, 2)),
)
class L029(Convolution):
    """The gradient is produced as (kh, kw, C), and reshaped to (C, kh, kw)."""

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return super()._dw(dy, x, w, o).transpose(0, 2, 3, 1).reshape(w.shape)


@mutant(
    "pytorch/pytorch#51430",
    Quantity.DW,
    Trigger.COUNT,
    shows=Geometry(in_channels=2, out_channels=4, groups=2, size=(2, 2)),
    hidden=Geometry(in_channels=2, out_channels=2, groups=2, size=(2, 2)),
)
class L030(Convolution):
    """The cotangent's channels are split as (O/g, g), where groups are blocks."""

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        n, channels, *plane = dy.shape
        interleaved = dy.reshape(n, channels // o.groups, o.groups, *plane).swapaxes(1, 2)
        return super()._dw(interleaved.reshape(dy.shape), x, w, o)


@mutant(
    "meta-pytorch/opacus#245, tracel-ai/burn#1891",
    Quantity.DW,
    Trigger.STEP,
    shows=Geometry(size=(5, 5), kernel_size=(2, 2), stride=(2, 2)),
    hidden=Geometry(size=(4, 4), kernel_size=(2, 2), stride=(2, 2)),
)
class L031(Convolution):
    """A correlation with the dilated cotangent is too large by the remainder, and trimmed at the front."""

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        if o.dilation != (1, 1):
            return super()._dw(dy, x, w, o)
        size = frame_size(x.shape[2:], o)
        rows, columns = ((size[a] - w.shape[2 + a]) % o.stride[a] for a in (0, 1))
        return _gradient(window(pad(x, o), (rows, columns), size), dy, w, o)


@mutant(
    "iree-org/iree#23786",
    Quantity.DW,
    Trigger.STEP,
    shows=Geometry(in_channels=4, out_channels=2, groups=2, size=(3, 3), stride=(2, 2)),
    hidden=Geometry(in_channels=2, out_channels=2, groups=2, size=(3, 3), stride=(2, 2)),
)
class L032(Convolution):
    """Groups of several channels ignore the stride."""

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        stride = (1, 1) if o.groups > 1 and w.shape[1] > 1 else o.stride
        return _gradient(pad(x, o), dy, w, replace(o, stride=stride))


@mutant(
    "pytorch/pytorch#96225",
    Quantity.DW,
    Trigger.TILE,
    shows=Geometry(batch=64, size=(2, 2)),
    hidden=Geometry(batch=63, size=(2, 2)),
)
class L033(Convolution):
    """The number of samples overflows."""

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        kept = len(x) % SAMPLE_COUNT
        return super()._dw(dy[:kept], x[:kept], w, o)


@mutant(
    "Maratyszcza/NNPACK#15",
    Quantity.DW,
    Trigger.ANISOTROPY,
    shows=Geometry(size=(3, 4), kernel_size=(2, 2)),
    hidden=Geometry(size=(3, 3), kernel_size=(2, 2)),
)
class L037(Convolution):
    """Height and width of the kernel are exchanged unless everything is square."""

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        (height, width), (kh, kw) = x.shape[2:], w.shape[2:]
        if (height, kh) == (width, kw):
            return super()._dw(dy, x, w, o)
        reach = sum(frame_size((height, width), o)) + max(o.dilation) * (kh + kw)
        frame = window(pad(x, o), (0, 0), (reach, reach))
        patches = gather(frame, (kw, kh), dy.shape[2:], o).swapaxes(2, 3)
        return taps(meet(patches, dy, o.groups), o)


@mutant(
    "LBANN/lbann#1022",
    Quantity.DW,
    Trigger.COUNT,
    shows=Geometry(batch=2, size=(2, 2)),
    hidden=Geometry(size=(2, 2)),
)
class L039(Convolution):
    """Every sample scales the sum by 0, as the first one should: only the last is left."""

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return super()._dw(dy[-1:], x[-1:], w, o)


@mutant(
    "pytorch/pytorch#68048",
    Quantity.DB,
    Trigger.DTYPE,
    shows=Call("bias_gradient", Geometry(batch=3, size=(32, 32)), dtype="float32", values="equal"),
    hidden=Call("bias_gradient", Geometry(batch=3, size=(32, 32)), values="equal"),
)
class L044(Convolution):
    """The sum has the storage's narrow type: at 2048, adding 1 changes nothing."""

    def _db(self, dy: Array) -> Array:
        if dy.dtype != np.float32:
            return super()._db(dy)
        terms = dy.transpose(1, 0, 2, 3).reshape(dy.shape[1], -1)
        total = np.zeros(dy.shape[1], np.float16)
        with np.errstate(over="ignore", invalid="ignore"):
            for term in terms.T:
                total = (total + term).astype(np.float16)
        return total.astype(dy.dtype)


@mutant(
    "mlpack/mlpack#3679",
    Quantity.DB,
    Trigger.COUNT,
    shows=Geometry(batch=2, size=(2, 2)),
    hidden=Geometry(size=(2, 2)),
)
class L046(Convolution):
    """The bias gets the cotangent of one sample."""

    def _db(self, dy: Array) -> Array:
        return super()._db(dy[:1])


@mutant(
    "classic: Brandon Rohrer, End-to-End ML course 321/322 postscript",
    Quantity.DW,
    Trigger.ALWAYS,
    shows=Geometry(size=(3, 3), kernel_size=(2, 2)),
)
class H007(Convolution):
    """The two arguments of the correlation are exchanged: the gradient is reversed."""

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return super()._dw(dy, x, w, o)[:, :, ::-1, ::-1]


@mutant(
    "classic: sebgao/cTensor#3",
    Quantity.DW,
    Trigger.STEP,
    shows=Geometry(size=(4, 4), kernel_size=(2, 2), stride=(2, 2)),
    hidden=Geometry(size=(4, 4), kernel_size=(2, 2)),
)
class H016(Convolution):
    """A stride takes no dilation of the cotangent: it meets adjacent pixels."""

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return _gradient(pad(x, o), dy, w, replace(o, stride=(1, 1)))


@mutant(
    "classic: constructed; context HomericIntelligence/Odyssey#3817/#3868",
    Quantity.DW,
    Trigger.BORDER,
    shows=Geometry(size=(2, 2), padding=((1, 1), (1, 1))),
    hidden=Geometry(size=(2, 2)),
)
class H017(Convolution):
    """The image is taken as it was before padding."""

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return _gradient(window(x, (0, 0), frame_size(x.shape[2:], o)), dy, w, o)


@mutant(
    "classic: snuspl/cruise#800, jimfleming/differentiation#1",
    Quantity.DB,
    Trigger.COUNT,
    shows=Geometry(batch=2, out_channels=2, size=(2, 2)),
    hidden=Geometry(batch=3, out_channels=2, size=(2, 2)),
)
class H022(Convolution):
    """The sum for the bias is over the channels, where their number is that of the samples."""

    def _db(self, dy: Array) -> Array:
        return dy.sum((1, 2, 3)) if dy.shape[0] == dy.shape[1] else super()._db(dy)


@mutant(
    "classic: loliot.net conv2d notes",
    Quantity.DB,
    Trigger.ALWAYS,
    shows=Geometry(size=(2, 2)),
)
class H023(Convolution):
    """One bias per position, as if it were not shared: the last position's is returned."""

    def _db(self, dy: Array) -> Array:
        return super()._db(dy[:, :, -1:, -1:])


@mutant(
    "classic: deeplearning4j/deeplearning4j#1452",
    Quantity.DW,
    Trigger.COUNT,
    shows=Geometry(out_channels=2, size=(2, 2)),
    hidden=Geometry(batch=2, out_channels=2, size=(2, 2)),
)
class H028(Convolution):
    """A batch of one loses its axis, and the gradient is averaged over the channels."""

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        counted = np.squeeze(dy).shape[:1] or (1,)
        return super()._dw(dy * dy.dtype.type(len(dy)) / dy.dtype.type(counted[0]), x, w, o)
