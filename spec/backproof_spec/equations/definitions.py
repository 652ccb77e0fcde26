"""Section "Convolution & (Cross-) Correlation": one image `i`, one kernel `k`."""

from __future__ import annotations

from backproof_spec.equations.symbols import NW, H, W, equation, over_taps, x, xs, y, ys
from backproof_spec.model import FULL, VALID_S, Axis, Source, Tensor

SECTION = "Convolution & (Cross-) Correlation"

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
    Source(SECTION, r"v(x,y) = \sum_{x_k=0}^{N_k-1}\sum_{y_k=0}^{N_k-1} i(x-x_k,y-y_k)\,k(x_k,y_k)"),
    _v[x, y],
    over_taps(_i[x - xs, y - ys] * _k[xs, ys]),
    _tensors,
    FULL,
)

CROSS_CORRELATION = equation(
    "cross-correlation",
    "Cross-correlation",
    Source(SECTION, r"l(x,y) = \sum_{x_k=0}^{N_k-1}\sum_{y_k=0}^{N_k-1} i(x+x_k,y+y_k)\,k(x_k,y_k)"),
    _l[x, y],
    over_taps(_i[x + xs, y + ys] * _k[xs, ys]),
    _tensors,
    VALID_S,
)
