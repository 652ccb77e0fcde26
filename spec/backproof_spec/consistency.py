"""What the equations say about one another: where a relation fails at some shape, the specification is wrong.

No equation is its own witness.  The post's formulas are instances of the general one; each gradient formula equals the
derivative that SymPy takes of the forward formulas, without a chain rule; the poolings read the same windows, sum
pooling is a depthwise convolution with ones, and averages divide by as many pixels as it counts.  One index changed in
any equation breaks at least one relation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from backproof_spec.equations import EQUATIONS
from backproof_spec.equations.pooling import DIVISOR
from backproof_spec.model import Equation
from backproof_spec.oracle.build import Oracle, build
from backproof_spec.oracle.normal_form import SQUARE
from backproof_spec.oracle.symbolic import differentiate, generators

Array = NDArray[Any]
Equations = Mapping[str, Equation]
Sizes = dict[str, int]
Relation = Callable[[Equations, Sizes], Iterator[tuple[str, Array, Array]]]

#: H, W, N_w, units of layer l-1, l and l+1.
SWEEP: tuple[Sizes, ...] = tuple(
    dict(zip(("H", "W", "N_w", "units_prev", "units", "units_next"), sizes, strict=True))
    for sizes in (
        (1, 1, 1, 1, 1, 1),
        (2, 3, 2, 1, 2, 1),
        (3, 2, 2, 2, 1, 2),
        (3, 4, 3, 2, 2, 1),
        (2, 3, 1, 1, 2, 3),
    )
)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two sides of a relation that differ, and the sizes at which they do."""

    relation: str
    equation: str
    sizes: Sizes

    def __str__(self) -> str:
        sizes = ", ".join(f"{name}={value}" for name, value in self.sizes.items())
        return f"{self.relation}: {self.equation} disagrees at {sizes}"


def disagreements(equations: Equations = EQUATIONS, sweep: tuple[Sizes, ...] = SWEEP) -> Iterator[Disagreement]:
    """Every relation that some size of the sweep contradicts, as they are found."""
    for name, relation in RELATIONS.items():
        for sizes in sweep:
            for equation, left, right in relation(equations, sizes):
                if left.shape != right.shape or not np.array_equal(left, right):
                    yield Disagreement(name, equation, sizes)


def _oracle(equations: Equations, identifier: str) -> Oracle:
    return build(equations[identifier].with_activation(SQUARE), "object")


def _integers(oracle: Oracle, tensor: str, sizes: Sizes) -> Array:
    """Distinct, unordered integers in the shape of a tensor's box: no symmetry hides an index."""
    shape = oracle.shapes(sizes)[tensor]
    values = np.array([(7 * k * k + 11 * k + 3 + len(tensor)) % 1009 - 500 for k in range(int(np.prod(shape)))])
    return values.astype(object).reshape(shape)


def _operands(oracle: Oracle, sizes: Sizes) -> dict[str, Array]:
    return {tensor.name: _integers(oracle, tensor.name, sizes) for tensor in oracle.equation.tensors[1:]}


def _general(sizes: Sizes, equation: Equation, *, flip: int, channels: int = 1, units: int = 1) -> Sizes:
    """The parameters of the general equation that make it an equation of the post, in that equation's frame."""
    full = equation.frame is not None and equation.frame.name == "FULL"
    before = sizes["N_w"] - 1 if full else 0
    padding = dict.fromkeys(("pt", "pb", "pl", "pr"), before)
    steps = dict.fromkeys(("sh", "sw", "dh", "dw"), 1)
    kernel = {"kh": sizes["N_w"], "kw": sizes["N_w"]}
    image = {"N": 1, "G": 1, "Cg": channels, "Og": units, "H": sizes["H"], "W": sizes["W"]}
    return {**image, **kernel, **steps, **padding, "flip": flip, "wrap": 0}


# --- the post's convolutions are instances of the general equation ---


def _one_image(identifier: str, flip: int) -> Relation:
    def relation(equations: Equations, sizes: Sizes) -> Iterator[tuple[str, Array, Array]]:
        post = _oracle(equations, identifier)
        image, kernel = (_integers(post, name, sizes) for name in "ik")
        expected = _one_channel(equations, image, kernel, _general(sizes, post.equation, flip=flip))
        yield identifier, post.forward({"i": image, "k": kernel}, sizes), expected

    return relation


def _one_channel(equations: Equations, image: Array, kernel: Array, sizes: Sizes) -> Array:
    """One image with one kernel, no bias, by the general equation."""
    operands = {"x": image[None, None], "w": kernel[None, None], "b": np.array([0])}
    y: Array = _oracle(equations, "general-forward").forward(operands, sizes)
    return y[0, 0, :, :]


def _single_input(equations: Equations, sizes: Sizes) -> Iterator[tuple[str, Array, Array]]:
    post = _oracle(equations, "single-input")
    operands = _operands(post, sizes)
    fixed = _general(sizes, post.equation, flip=1)
    pairs = zip(operands["o_prev"], operands["w"], strict=True)
    expected = [[_one_channel(equations, image, kernel, fixed) for kernel in kernels] for image, kernels in pairs]
    yield "single-input", post.forward(operands, sizes), np.array(expected, dtype=object)


def _complete_input(equations: Equations, sizes: Sizes) -> Iterator[tuple[str, Array, Array]]:
    post = _oracle(equations, "complete-input")
    operands = _operands(post, sizes)
    general = _oracle(equations, "general-forward").forward(
        {"x": operands["o_prev"][None], "w": operands["w"].swapaxes(0, 1), "b": operands["b"]},
        _general(sizes, post.equation, flip=1, channels=sizes["units_prev"], units=sizes["units"]),
    )
    yield "complete-input", post.forward(operands, sizes), general[0]
    single = _oracle(equations, "single-input")
    if single.equation.frame == post.equation.frame:
        summed = single.forward(operands, sizes).sum(axis=0) + operands["b"][:, None, None]
        yield "single-input, summed", post.forward(operands, sizes), summed


# --- each gradient formula is the derivative of the forward formulas ---


def _weight_and_bias_gradient(identifier: str) -> Relation:
    """`dE/dw` and `dE/db` for an E with arbitrary `delta = dE/dc`: a linear E suffices, and SymPy differentiates it."""

    def relation(equations: Equations, sizes: Sizes) -> Iterator[tuple[str, Array, Array]]:
        gradient = _oracle(equations, identifier)
        variable = "db" if identifier == "bias-gradient" else "dw"
        delta = _integers(gradient, "delta", sizes)
        layer = _oracle(equations, "complete-input")
        operands = _operands(layer, sizes)
        symbols = generators({name: operands[name].shape for name in ("w", "b")})
        c = layer.forward({**operands, **symbols}, sizes)
        c, d = _common_pixels(c, delta, sizes)
        derivative = differentiate((c * d).sum(), symbols[variable[1:]])
        given = {name: array for name, array in {**operands, "delta": delta}.items() if name in _reads(gradient)}
        yield identifier, gradient.forward(given, sizes), derivative

    return relation


def _reads(oracle: Oracle) -> set[str]:
    return {tensor.name for tensor in oracle.equation.tensors[1:]}


def _common_pixels(c: Array, delta: Array, sizes: Sizes) -> tuple[Array, Array]:
    """The pixels of `c` that `delta`'s frame keeps: E does not depend on the others."""
    if c.shape == delta.shape:
        return c, delta
    edge = sizes["N_w"] - 1
    return c[:, edge : c.shape[1] - edge, edge : c.shape[2] - edge], delta


def _deltas(equations: Equations, sizes: Sizes) -> Iterator[tuple[str, Array, Array]]:
    """`dE/dc^l` through a(.) and the convolution of layer l+1, for arbitrary `dE/dc^{l+1}`."""
    post = _oracle(equations, "deltas")
    operands = _operands(post, sizes)
    c = generators({"c": operands["c"].shape})["c"]
    upper = {**sizes, "units_prev": sizes["units"], "units": sizes["units_next"]}
    layer = _oracle(equations, "complete-input")
    o = _oracle(equations, "output")
    below = {**sizes, "N_w": 1}  # a(c) of an H x W image, whatever the frame
    activated = o.forward({"c": c}, below)
    bias = np.zeros(sizes["units_next"], dtype=object)
    c_next = layer.forward({"o_prev": activated, "w": operands["w_next"], "b": bias}, upper)
    c_next, delta_next = _common_pixels(c_next, operands["delta_next"], sizes)
    derivative = differentiate((c_next * delta_next).sum(), c)
    value = post.forward({**operands, "c": c}, sizes)
    yield "deltas", value, derivative


def _output_delta(equations: Equations, sizes: Sizes) -> Iterator[tuple[str, Array, Array]]:
    post = _oracle(equations, "output-delta")
    c = generators({"c": post.shapes(sizes)["c"]})["c"]
    t = _integers(post, "t", sizes)
    o = _oracle(equations, "output").forward({"c": c}, sizes)
    error = _oracle(equations, "error").forward({"t": t, "o": o}, sizes)[0]
    yield "output-delta", post.forward({"c": c, "t": t}, sizes), differentiate(error, c)


# --- pooling ---


def _pooling_sizes(sizes: Sizes, stride: int, padding: int) -> Sizes:
    kernel = sizes["N_w"]
    image = {"N": 2, "C": sizes["units"], "H": kernel * sizes["H"], "W": kernel * sizes["W"]}
    steps = {"kh": kernel, "kw": kernel, "sh": stride, "sw": stride, "dh": 1, "dw": 1}
    return {**image, **steps, **dict.fromkeys(("pt", "pb", "pl", "pr"), padding), "ceil": 0, "include": 1}


def _sum_pooling(equations: Equations, sizes: Sizes) -> Iterator[tuple[str, Array, Array]]:
    """Sum pooling is a depthwise cross-correlation with ones."""
    pool = _oracle(equations, "sum-pooling")
    shape = _pooling_sizes(sizes, stride=sizes["units"], padding=sizes["N_w"] // 2)
    x = _integers(pool, "x", shape)
    groups = {"G": shape["C"], "Cg": 1, "Og": 1, "flip": 0, "wrap": 0}
    ones = np.ones((shape["C"], 1, shape["kh"], shape["kw"]), dtype=object)
    depthwise = {"x": x, "w": ones, "b": np.zeros(shape["C"], dtype=object)}
    expected = _oracle(equations, "general-forward").forward(depthwise, {**shape, **groups})
    yield "sum-pooling", pool.forward({"x": x}, shape), expected


def _same_windows(equations: Equations, sizes: Sizes) -> Iterator[tuple[str, Array, Array]]:
    """Average and maximum pooling read the windows of sum pooling: symbolically, so for all sizes at once."""
    total = equations["sum-pooling"]
    maximum, average = equations["max-pooling"], equations["average-pooling"]
    for identifier, rhs in (
        ("max-pooling", sp.Sum(*maximum.rhs.args)),
        ("average-pooling", average.rhs * DIVISOR),
    ):
        yield identifier, np.array([equations[identifier].lhs, rhs]), np.array([total.lhs, total.rhs])


def _averages(equations: Equations, sizes: Sizes) -> Iterator[tuple[str, Array, Array]]:
    """An average is a sum over the number of pixels that sum pooling counts, with padding and without.

    A window that overhangs is one of an image which goes on with zeros; in that image, all windows fit.
    """
    total, average = _oracle(equations, "sum-pooling"), _oracle(equations, "average-pooling")
    for padding in (0, sizes["N_w"] // 2):
        shape = _pooling_sizes(sizes, stride=sizes["units"] + 1, padding=padding) | {"ceil": 1}
        x = _integers(total, "x", shape)
        sums = total.forward({"x": x}, shape)
        wide = shape | dict.fromkeys(("pt", "pb", "pl", "pr", "ceil"), 0)
        wide["H"], wide["W"] = ((count - 1) * shape["sh"] + shape["kh"] for count in sums.shape[2:])
        yield "sum-pooling", sums, total.forward({"x": _framed(x, padding, wide)}, wide)
        for include in (0, 1):
            counted = np.pad(np.ones_like(x), ((0, 0), (0, 0), *[(padding, padding)] * 2), constant_values=include)
            pixels = total.forward({"x": _framed(counted, 0, wide)}, wide)
            yield "average-pooling", average.forward({"x": x}, shape | {"include": include}) * pixels, sums


def _framed(image: Array, padding: int, wide: Sizes) -> Array:
    """The image in one of the wide sizes: zeros before it, and after it as many as there is room for."""
    frame = np.zeros((*image.shape[:2], wide["H"] + image.shape[2], wide["W"] + image.shape[3]), dtype=object)
    frame[:, :, padding : padding + image.shape[2], padding : padding + image.shape[3]] = image
    return frame[:, :, : wide["H"], : wide["W"]]


def _upscaling(equations: Equations, sizes: Sizes) -> Iterator[tuple[str, Array, Array]]:
    post, pool = _oracle(equations, "sum-pooling-gradient"), _oracle(equations, "sum-pooling")
    shape = _pooling_sizes(sizes, stride=sizes["N_w"], padding=0)
    dy = _integers(post, "dy", shape)
    expected = pool.pullback(dy, {"x": _integers(pool, "x", shape)}, shape)["x"]
    yield "sum-pooling-gradient", post.forward({"dy": dy}, shape), expected


RELATIONS: dict[str, Relation] = {
    "convolution is the general equation": _one_image("convolution", flip=1),
    "cross-correlation is the general equation": _one_image("cross-correlation", flip=0),
    "a single input is a convolution": _single_input,
    "the complete input is the general equation": _complete_input,
    "the weight gradient is dE/dw": _weight_and_bias_gradient("weight-gradient"),
    "the rot180 form is dE/dw": _weight_and_bias_gradient("weight-gradient-rot180"),
    "the bias gradient is dE/db": _weight_and_bias_gradient("bias-gradient"),
    "the deltas are dE/dc": _deltas,
    "the output delta is dE/dc": _output_delta,
    "sum pooling is a depthwise convolution with ones": _sum_pooling,
    "all poolings read the same windows": _same_windows,
    "averages divide by what sum pooling counts": _averages,
    "sum pooling's gradient upscales the error": _upscaling,
}
