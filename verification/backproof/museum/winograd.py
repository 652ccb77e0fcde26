"""A bug of fast algorithms: they add and subtract pixels before they multiply."""

from __future__ import annotations

import numpy as np

from backproof.contract import Geometry, Pair
from backproof.museum.misread import window
from backproof.museum.mutant import Quantity, Trigger, mutant
from backproof.museum.reference import Array, Convolution, Options, gather, merge, pad, split, taps
from backproof.museum.witness import Call

WINOGRAD_CHANNELS = 4  # 128 in the report


@mutant(
    "tensorflow/tensorflow#60315",
    Quantity.Y,
    Trigger.VALUES,
    shows=Call("forward", Geometry(in_channels=4, size=(4, 4), kernel_size=(3, 3)), values="one infinity"),
    hidden=Geometry(in_channels=4, size=(4, 4), kernel_size=(3, 3)),
)
class L018(Convolution):
    """A fast algorithm subtracts pixels first, and makes NaN of infinity."""

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        y = super()._y(x, w, b, o)
        if w.shape[1] < WINOGRAD_CHANNELS or w.shape[2:] != (3, 3) or o.stride + o.dilation != (1, 1, 1, 1):
            return y
        with np.errstate(invalid="ignore"):
            fast = _winograd(pad(x, o), taps(w, o), o.groups, y.shape[2:])
        return np.where(np.isfinite(fast), y, fast)  # finite pixels: nothing but rounding, which is no bug


def _winograd(frame: Array, in_order: Array, groups: int, outputs: Pair) -> Array:
    """F(2 x 2, 3 x 3): 4 x 4 pixels for 2 x 2 outputs, with 16 products."""
    tiles: Pair = (-(-outputs[0] // 2), -(-outputs[1] // 2))
    pixels = gather(window(frame, (0, 0), (2 * tiles[0] + 2, 2 * tiles[1] + 2)), (4, 4), tiles, Options(stride=(2, 2)))
    for axis in (2, 3):
        p, q, r, s = np.moveaxis(pixels, axis, 0)
        pixels = np.stack([p - r, q + r, r - q, q - s], axis)
        p, q, r = np.moveaxis(in_order, axis, 0)
        in_order = np.stack([p, (p + q + r) / 2, (p - q + r) / 2, r], axis)
    products = np.einsum("ngcuvij,gocuv->ngouvij", split(pixels, groups), split(in_order, groups, 0))
    y = merge(products)
    for axis in (2, 3):
        p, q, r, s = np.moveaxis(y, axis, 0)
        y = np.stack([p + q + r, q - r - s], axis)
    y = y.transpose(0, 1, 4, 2, 5, 3).reshape(*y.shape[:2], 2 * tiles[0], 2 * tiles[1])
    return y[:, :, : outputs[0], : outputs[1]]
