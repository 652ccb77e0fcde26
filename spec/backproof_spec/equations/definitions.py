"""Section "Convolution & (Cross-) Correlation": one image `i`, one kernel `k`."""

from __future__ import annotations

from backproof_spec.displays import DISPLAYS
from backproof_spec.equations.symbols import NW, H, W, equation, over_taps, x, xs, y, ys
from backproof_spec.model import FULL, VALID_S, Axis, Tensor

_tensors = {
    "i": Tensor("i", (Axis(H), Axis(W))),
    "k": Tensor("k", (Axis(NW), Axis(NW))),
    "v": Tensor("v", (FULL.axis(H, NW), FULL.axis(W, NW))),
    "l": Tensor("l", (VALID_S.axis(H, NW), VALID_S.axis(W, NW))),
}
_i, _k, _v, _l = (_tensors[name] for name in "ikvl")

CONVOLUTION = equation(
    "convolution",
    "Convolution",
    DISPLAYS["convolution"],
    _v[x, y],
    over_taps(_i[x - xs, y - ys] * _k[xs, ys]),
    _tensors,
    FULL,
)

CROSS_CORRELATION = equation(
    "cross-correlation",
    "Cross-correlation",
    DISPLAYS["cross-correlation"],
    _l[x, y],
    over_taps(_i[x + xs, y + ys] * _k[xs, ys]),
    _tensors,
    VALID_S,
)
