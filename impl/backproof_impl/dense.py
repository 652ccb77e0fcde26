"""Fully connected layers on vectors, and the step from feature maps to vectors.

A dense layer `y[n, o] = b[o] + sum over d of x[n, d] * w[o, d]` is the convolution of one image, whose channels are
the inputs and whose row of pixels is the batch, with 1x1 kernels, and is computed as one: the same kernels, hence the
same treatment of NaN, infinity, dtypes and memory layouts.

Shapes: `x, dx (N, D)`, `w, dw (O, D)`, `b, db (O,)`, `y, dy (N, O)`.  Raises TypeError for dtypes,
ValueError for shapes.
"""

from __future__ import annotations

import numpy as np

from . import convolution
from .arrays import Array, check_axes, check_dtypes, check_shape


def dense(x: Array, w: Array, b: Array | None = None) -> Array:
    """Return `y (N, O)`, that is `x @ w.T + b`."""
    _check(x, w, b)
    return _as_vectors(convolution.forward(_as_image(x), _as_kernels(w), b))


def dense_backward(dy: Array, x: Array, w: Array, b: Array | None = None) -> tuple[Array, Array, Array | None]:
    """Return `(dx, dw, db)` for the cotangent `dy (N, O)`; `db` is None where `b` is None."""
    check_dtypes(dy=dy, x=x, w=w, b=b)
    _check(x, w, b)
    check_shape("dy", dy, (x.shape[0], w.shape[0]), "the shape of y")
    dx, dw, db = convolution.backward(_as_image(dy), _as_image(x), _as_kernels(w), b)
    return _as_vectors(dx), dw.reshape(w.shape), db


def flatten(x: Array) -> Array:
    """Return the feature maps `x (N, C, H, W)` as new vectors `(N, C*H*W)`, in row-major order."""
    check_dtypes(x=x)
    check_axes("x", x, "N, C, H, W")
    N, C, H, W = x.shape
    return np.array(x, order="C").reshape(N, C * H * W)


def flatten_gradient(dy: Array, x: Array) -> Array:
    """Return the cotangent `dy (N, C*H*W)` as a new array shaped like `x (N, C, H, W)`."""
    check_dtypes(dy=dy, x=x)
    check_axes("x", x, "N, C, H, W")
    N, C, H, W = x.shape
    check_shape("dy", dy, (N, C * H * W), "one entry per pixel of x")
    return np.array(dy, order="C").reshape(x.shape)


def _as_image(vectors: Array) -> Array:
    """The batch as a row of pixels; no vectors are no images."""
    if not len(vectors):
        return vectors[:, :, np.newaxis, np.newaxis]
    return np.ascontiguousarray(vectors.T)[np.newaxis, :, np.newaxis]


def _as_kernels(w: Array) -> Array:
    return w[:, :, np.newaxis, np.newaxis]


def _as_vectors(image: Array) -> Array:
    vectors = image.transpose(0, 2, 3, 1).reshape(image.shape[0] * image.shape[3], image.shape[1])
    return np.ascontiguousarray(vectors)


def _check(x: Array, w: Array, b: Array | None) -> None:
    check_dtypes(x=x, w=w, b=b)
    check_axes("x", x, "N, D")
    check_axes("w", w, "O, D")
    if x.shape[1] != w.shape[1]:
        raise ValueError(f"w.shape[1] (={w.shape[1]}) must equal x.shape[1] (={x.shape[1]}), the number of inputs")
    if b is not None:
        check_shape("b", b, (w.shape[0],), "one entry per output")
