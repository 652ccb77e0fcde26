"""The oracle in the form of a layer: convolution and pooling on arrays, with the frameworks' options.

Exact by default on int64 (the caller keeps sums below 2**63); `numbers="object"` computes with Python ints, Fractions
or polynomials.  Everything comes from `general-forward` and the pooling equations.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backproof_spec.equations import EQUATIONS
from backproof_spec.oracle.build import Numbers, Oracle, build
from backproof_spec.oracle.emit import Ties

Array = NDArray[Any]
Pair = tuple[int, int]


@cache
def _oracle(equation: str, numbers: Numbers, ties: Ties = "first") -> Oracle:
    """By id, since hashing an equation takes longer than a small call."""
    return build(EQUATIONS[equation], numbers, ties)


def _steps(stride: Pair, padding: tuple[Pair, Pair], dilation: Pair) -> dict[str, int]:
    (pt, pb), (pl, pr) = padding
    (sh, sw), (dh, dw) = stride, dilation
    return {"sh": sh, "sw": sw, "dh": dh, "dw": dw, "pt": pt, "pb": pb, "pl": pl, "pr": pr}


def convolution_sizes(
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    *,
    stride: Pair = (1, 1),
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    groups: int = 1,
    padding_mode: str = "zeros",
    orientation: str = "convolution",
) -> dict[str, int]:
    """The parameters of `general-forward` for `x (N, C, H, W)` and `w (O, C/groups, kh, kw)`."""
    batch, channels, height, width = x_shape
    out_channels, group_channels, kh, kw = w_shape
    if group_channels * groups != channels or out_channels % groups:
        raise ValueError(f"w of shape {w_shape} does not fit x of shape {x_shape} with groups (={groups})")
    return {
        "N": batch,
        "G": groups,
        "Cg": group_channels,
        "Og": out_channels // groups,
        "H": height,
        "W": width,
        "kh": kh,
        "kw": kw,
        **_steps(stride, padding, dilation),
        "flip": int(orientation == "convolution"),
        "wrap": int(padding_mode == "circular"),
    }


def convolution(x: Array, w: Array, b: Array | None = None, *, numbers: Numbers = "int64", **options: Any) -> Array:
    """`y (N, O, OH, OW)`; `options` as for `convolution_sizes`."""
    sizes = convolution_sizes(x.shape, w.shape, **options)
    bias = np.zeros(w.shape[0], dtype=np.int64) if b is None else b
    return _oracle("general-forward", numbers).forward({"x": x, "w": w, "b": bias}, sizes)


def convolution_gradients(
    dy: Array, x: Array, w: Array, *, numbers: Numbers = "int64", **options: Any
) -> tuple[Array, Array, Array]:
    """`dx, dw, db`: the gradients of `<dy, convolution(x, w, b)>`; `options` as for `convolution_sizes`."""
    sizes = convolution_sizes(x.shape, w.shape, **options)
    operands = {"x": x, "w": w, "b": np.zeros(w.shape[0], dtype=np.int64)}
    gradients = _oracle("general-forward", numbers).pullback(dy, operands, sizes)
    return gradients["x"], gradients["w"], gradients["b"]


def pooling_sizes(
    x_shape: tuple[int, ...],
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> dict[str, int]:
    """The parameters of the pooling equations for `x (N, C, H, W)`."""
    batch, channels, height, width = x_shape
    kh, kw = kernel_size
    image = {"N": batch, "C": channels, "H": height, "W": width, "kh": kh, "kw": kw}
    return {**image, **_steps(stride, padding, dilation), "ceil": int(ceil_mode), "include": int(count_include_pad)}


def pooling(kind: str, x: Array, *, numbers: Numbers = "int64", **options: Any) -> Array:
    """`y (N, C, OH, OW)` for kind "sum", "average" or "max"; `LOWEST` where a max window holds no pixel.

    `options` as for `pooling_sizes`.

    Raises:
        ValueError: An int64 average is no integer.
        ZeroDivisionError: An average without padding over a window that holds no pixel.
    """
    return _oracle(f"{kind}-pooling", numbers).forward({"x": x}, pooling_sizes(x.shape, **options))


def pooling_gradient(
    kind: str, dy: Array, x: Array, *, numbers: Numbers = "int64", ties: Ties = "first", **options: Any
) -> Array:
    """`dx`, shaped like `x`: the gradient of `<dy, pooling(x)>`; of a window's maxima, `ties` says which receive it.

    `options` as for `pooling_sizes`.

    Raises:
        ValueError, ZeroDivisionError: As `pooling`; an int64 share is no integer.
    """
    oracle = _oracle(f"{kind}-pooling", numbers, ties)
    return oracle.pullback(dy, {"x": x}, pooling_sizes(x.shape, **options))["x"]
