"""Layers that compute another operator than they should, with the right gradient of that other operator.

No check of a gradient against the layer's own forward can see them: what it differentiates is what it compares with.
"""

from __future__ import annotations

from dataclasses import replace

from backproof.museum.reference import Array, Convolution, Options, merge, split


class Flipped(Convolution):
    """A convolution where a cross-correlation is asked for, and the other way round."""

    def _read(self, o: Options) -> Options:
        other = {"convolution": "cross-correlation", "cross-correlation": "convolution"}
        return replace(o, orientation=other[o.orientation])

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        return super()._y(x, w, b, self._read(o))

    def _dx(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return super()._dx(dy, x, w, self._read(o))

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return super()._dw(dy, x, w, self._read(o))


class PaddingReversed(Flipped):
    """What belongs at the top is put at the bottom, and left and right are exchanged."""

    def _read(self, o: Options) -> Options:
        rows, columns = o.padding
        return replace(o, padding=((rows[1], rows[0]), (columns[1], columns[0])))


class ZerosForCircular(Flipped):
    """Circular padding is zero padding."""

    def _read(self, o: Options) -> Options:
        return replace(o, padding_mode="zeros")


class KernelTransposed(Convolution):
    """Square kernels are transposed."""

    def _read(self, w: Array) -> Array:
        return w.swapaxes(2, 3) if w.shape[2] == w.shape[3] else w

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        return super()._y(x, self._read(w), b, o)

    def _dx(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return super()._dx(dy, x, self._read(w), o)

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return self._read(super()._dw(dy, x, self._read(w), o))


class ChannelsReversed(KernelTransposed):
    """The input channels of the weights are counted from the last one."""

    def _read(self, w: Array) -> Array:
        return w[:, ::-1]


class GroupsInterleaved(Convolution):
    """Output channel o belongs to group o % groups, where groups are blocks."""

    def _outer(self, y: Array, groups: int) -> Array:
        return merge(split(y, groups).swapaxes(1, 2)) if groups > 1 else y

    def _inner(self, dy: Array, groups: int) -> Array:
        return merge(split(dy, dy.shape[1] // groups).swapaxes(1, 2)) if groups > 1 else dy

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        y = self._outer(super()._y(x, w, None, o), o.groups)
        return y if b is None else y + b[:, None, None]

    def _dx(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return super()._dx(self._inner(dy, o.groups), x, w, o)

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return super()._dw(self._inner(dy, o.groups), x, w, o)


ALL: dict[str, type[Convolution]] = {
    cls.__name__: cls
    for cls in (Flipped, PaddingReversed, ZerosForCircular, KernelTransposed, ChannelsReversed, GroupsInterleaved)
}
