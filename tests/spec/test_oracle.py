"""The generated oracle against loops written here from the contract, for every option; and its refusals."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from backproof_spec import EQUATIONS, oracle
from backproof_spec.equations import general
from backproof_spec.oracle.build import build
from backproof_spec.oracle.emit import code, forward_source
from backproof_spec.oracle.layers import convolution_sizes
from backproof_spec.oracle.normal_form import normal_form
from backproof_spec.oracle.symbolic import error_polynomial

GEOMETRIES = [
    # x shape, w shape, stride, padding, dilation, groups
    ((1, 1, 1, 1), (1, 1, 1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    ((2, 2, 4, 5), (3, 2, 3, 2), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    ((2, 4, 5, 4), (6, 2, 2, 3), (2, 1), ((1, 0), (0, 3)), (1, 2), 2),
    ((1, 3, 6, 7), (3, 1, 2, 2), (3, 2), ((2, 1), (1, 2)), (2, 3), 3),
    ((1, 2, 1, 2), (2, 2, 3, 3), (1, 2), ((4, 2), (3, 3)), (1, 1), 1),
]
MODES = list(itertools.product(("zeros", "circular"), ("convolution", "cross-correlation")))


def plain(x, w, b, stride, padding, dilation, groups, padding_mode, orientation):
    """The contract's formula as loops; returns y and the list of products (output, input, weight) it is made of."""
    (N, _, H, W), (O, Cg, kh, kw) = x.shape, w.shape  # noqa: E741
    (pt, pb), (pl, pr) = padding
    OH = (H + pt + pb - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    OW = (W + pl + pr - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y, products = np.zeros((N, O, OH, OW), dtype=np.int64) + b[:, None, None], []
    for n, o, i, j, c, u, v in itertools.product(*map(range, (N, O, OH, OW, Cg, kh, kw))):
        tu, tv = (u, v) if orientation == "cross-correlation" else (kh - 1 - u, kw - 1 - v)
        r, s = i * stride[0] + tu * dilation[0] - pt, j * stride[1] + tv * dilation[1] - pl
        if padding_mode == "circular":
            r, s = r % H, s % W
        if 0 <= r < H and 0 <= s < W:
            source, weight = (n, o // (O // groups) * Cg + c, r, s), (o, c, u, v)
            y[n, o, i, j] += x[source] * w[weight]
            products.append(((n, o, i, j), source, weight))
    return y, products


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=lambda g: f"x{g[0]} w{g[1]}")
@pytest.mark.parametrize(("padding_mode", "orientation"), MODES)
def test_convolution_and_its_gradients(geometry, padding_mode, orientation) -> None:
    x_shape, w_shape, stride, padding, dilation, groups = geometry
    random = np.random.default_rng(1)
    x, w, b = (random.integers(-99, 99, shape) for shape in (x_shape, w_shape, w_shape[:1]))
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    options |= {"padding_mode": padding_mode, "orientation": orientation}
    y, products = plain(x, w, b, **options)
    np.testing.assert_array_equal(oracle.convolution(x, w, b, **options), y)

    dy = random.integers(-99, 99, y.shape)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for out, source, weight in products:
        dx[source] += dy[out] * w[weight]
        dw[weight] += dy[out] * x[source]
    for found, expected in zip(
        oracle.convolution_gradients(dy, x, w, **options), (dx, dw, dy.sum((0, 2, 3))), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("change", ["sh", "dh", "pt", "pl", "Cg", "flip", "wrap", "H"])
def test_a_general_equation_that_misuses_a_parameter_is_noticed(change: str) -> None:
    """The post sees only stride 1 and one group: these mutants differ from the loops above instead."""
    symbol = next(p for p in general.FORWARD.parameters if p.name == change)
    total = next(a for a in general.FORWARD.rhs.args if isinstance(a, sp.Sum))
    bias = general.FORWARD.rhs - total
    mutant = general.FORWARD.with_rhs(sp.Sum(total.function.subs(symbol, symbol + 1), *total.limits) + bias)
    x, w, b = np.arange(1, 49).reshape(1, 4, 3, 4) ** 2, np.arange(1, 65).reshape(8, 2, 2, 2) ** 3, np.arange(8)
    options = {"stride": (2, 1), "padding": ((1, 2), (1, 0)), "dilation": (2, 1), "groups": 2}
    options |= {"padding_mode": "circular", "orientation": "convolution"}
    right, _ = plain(x, w, b, **options)
    sizes = convolution_sizes(x.shape, w.shape, **options)
    assert np.array_equal(build(general.FORWARD, "object").forward({"x": x, "w": w, "b": b}, sizes), right)
    assert not np.array_equal(build(mutant, "object").forward({"x": x, "w": w, "b": b}, sizes), right)


def test_fractions() -> None:
    x = np.array([Fraction(1, 3), Fraction(2, 7)], dtype=object).reshape(1, 1, 1, 2)
    w = np.array([Fraction(5, 2), Fraction(1, 9)], dtype=object).reshape(1, 1, 1, 2)
    y = oracle.convolution(x, w, numbers="object")
    assert y.item() == Fraction(1, 3) * Fraction(1, 9) + Fraction(2, 7) * Fraction(5, 2)
    _, dw, _ = oracle.convolution_gradients(np.array([[[[Fraction(1, 2)]]]]), x, w, numbers="object")
    assert dw.ravel().tolist() == [Fraction(1, 7), Fraction(1, 6)]


def test_pooling() -> None:
    x = np.array([[6, 12, -6], [12, 0, 18]]).reshape(1, 1, 2, 3)
    window = {"kernel_size": (2, 2), "stride": (1, 1)}
    assert oracle.pooling("sum", x, **window).ravel().tolist() == [30, 24]
    assert oracle.pooling("max", x, **window).ravel().tolist() == [12, 18]
    half = oracle.pooling("average", x, numbers="object", **window)
    assert half.ravel().tolist() == [Fraction(15, 2), 6]
    dy = np.array([4, 8]).reshape(1, 1, 1, 2)
    assert oracle.pooling_gradient("sum", dy, x, **window).ravel().tolist() == [4, 12, 8, 4, 12, 8]
    assert oracle.pooling_gradient("average", dy, x, **window).ravel().tolist() == [1, 3, 2, 1, 3, 2]
    assert oracle.pooling_gradient("max", dy, x, **window).ravel().tolist() == [0, 4, 0, 0, 0, 8], "first of the ties"


def test_a_window_wholly_in_the_padding() -> None:
    x = np.array([[[[-5]]]])
    window = {"kernel_size": (1, 1), "stride": (1, 1), "padding": ((0, 0), (1, 0))}
    assert oracle.pooling("max", x, **window).ravel().tolist() == [oracle.LOWEST, -5]
    assert oracle.pooling_gradient("max", np.array([[[[7, 9]]]]), x, **window).item() == 9


def starts(size: int, kernel: int, stride: int, sides: tuple[int, int], dilation: int) -> list[int]:
    """Of the windows of ceil mode, one after the other: the last may overhang, and never starts after the image."""
    start, whole, found = 0, size + sum(sides), list[int]()
    while True:
        reach = start + dilation * (kernel - 1) + 1
        if reach > whole and (reach - stride >= whole or start >= size + sides[0]):
            return found
        found.append(start - sides[0])
        start += stride


@pytest.mark.parametrize("include", [True, False])
def test_windows_that_overhang(include: bool) -> None:
    """Against loops over the definition, in all small geometries."""
    axes = list(itertools.product((1, 4, 5), (1, 2, 3), (1, 2, 3), ((0, 0), (1, 0), (0, 1), (1, 1), (0, 3)), (1, 2)))
    rng = np.random.default_rng(4)
    for size, kernel, stride, sides, dilation in axes:
        found = starts(size, kernel, stride, sides, dilation)
        window = {"kernel_size": (1, kernel), "stride": (1, stride), "dilation": (1, dilation)}
        options = {**window, "padding": ((0, 0), sides), "ceil_mode": True}
        x = rng.integers(-9, 9, (1, 1, 1, size)) * 6
        if not found:
            assert oracle.pooling("sum", x, **options).size == 0
            continue
        taps = [[start + dilation * u for u in range(kernel)] for start in found]
        inside = [[p for p in pixels if 0 <= p < size] for pixels in taps]
        counted = inside if not include else [[p for p in pixels if p < size + sides[1]] for pixels in taps]
        sums = [sum(x[0, 0, 0, p] for p in pixels) for pixels in inside]
        assert oracle.pooling("sum", x, **options).ravel().tolist() == sums
        highest = [max((x[0, 0, 0, p] for p in pixels), default=oracle.LOWEST) for pixels in inside]
        assert oracle.pooling("max", x, **options).ravel().tolist() == highest
        if all(counted):
            means = [total // len(pixels) for total, pixels in zip(sums, counted, strict=True)]
            assert oracle.pooling("average", x, count_include_pad=include, **options).ravel().tolist() == means
            dy, dx = np.full((1, 1, 1, len(found)), 6), np.zeros(size)
            for pixels, divisor in zip(inside, map(len, counted), strict=True):
                dx[pixels] += 6 // divisor
            gradient = oracle.pooling_gradient("average", dy, x, count_include_pad=include, **options)
            assert gradient.ravel().tolist() == dx.tolist()


def test_an_average_of_no_pixel_is_refused() -> None:
    window = {"kernel_size": (1, 1), "stride": (1, 1), "padding": ((0, 0), (1, 0)), "count_include_pad": False}
    with pytest.raises(ZeroDivisionError):
        oracle.pooling("average", np.array([[[[3]]]]), **window)


@pytest.mark.parametrize(
    ("ties", "dx"),
    [("first", [12, 0, 0, 24]), ("last", [0, 0, 12, 24]), ("split", [6, 0, 6, 24]), ("every", [12, 0, 12, 24])],
)
def test_ties(ties: oracle.Ties, dx: list[int]) -> None:
    x, dy = np.array([[[[5, 2, 5, 7]]]]), np.array([[[[12, 24]]]])
    found = oracle.pooling_gradient("max", dy, x, kernel_size=(1, 3), stride=(1, 1), ties=ties)
    assert found.ravel().tolist() == dx


def test_an_inexact_share_is_refused() -> None:
    x, dy = np.array([[[[5, 5]]]]), np.array([[[[3]]]])
    with pytest.raises(ValueError, match="divides integers exactly or not at all"):
        oracle.pooling_gradient("max", dy, x, kernel_size=(1, 2), stride=(1, 1), ties="split")


def test_an_inexact_average_is_refused() -> None:
    with pytest.raises(ValueError, match="divides integers exactly or not at all"):
        oracle.pooling("average", np.array([[[[1, 2]]]]), kernel_size=(1, 2), stride=(1, 1))


def test_a_wrong_shape_and_a_missing_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"w of shape \(3, 1, 1, 1\) does not fit x of shape \(1, 2, 3, 3\)"):
        oracle.convolution(np.zeros((1, 2, 3, 3)), np.zeros((3, 1, 1, 1)))
    with pytest.raises(
        ValueError, match=r"y has shape \(1, 1, 2, 2\); equation 'general-forward' needs \(1, 1, 3, 3\)"
    ):
        oracle.convolution_gradients(np.zeros((1, 1, 2, 2)), np.zeros((1, 1, 3, 3)), np.zeros((1, 1, 1, 1)))
    with pytest.raises(ValueError, match="needs a value for W, N_w"):
        build(EQUATIONS["convolution"]).forward({}, {"H": 1})


def test_only_sums_of_products_become_code() -> None:
    with pytest.raises(TypeError, match="no sum of products"):
        normal_form(EQUATIONS["output"])
    with pytest.raises(TypeError, match="not integer arithmetic"):
        code(sp.Symbol("H", integer=True) / 2)


def test_the_source_reads_like_the_equation() -> None:
    source = forward_source(EQUATIONS["convolution"])
    assert source.startswith("def forward(v, i, k, H, W, N_w, ")
    assert "for x_ in range(0, N_w):" in source


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "options"),
    [
        ((1, 1, 2, 2), (1, 1, 2, 1), {"orientation": "convolution"}),
        ((1, 2, 2, 3), (2, 1, 1, 2), {"groups": 2, "stride": (1, 2), "padding": ((1, 0), (0, 1))}),
        ((2, 1, 2, 1), (1, 1, 2, 2), {"padding_mode": "circular", "padding": ((0, 1), (1, 1)), "dilation": (1, 2)}),
    ],
)
def test_the_product_rule_is_what_sympy_differentiates(x_shape, w_shape, options) -> None:
    symbolic = error_polynomial(x_shape, w_shape, **options)
    random = np.random.default_rng(2)
    shapes = {"x": x_shape, "w": w_shape, "b": w_shape[:1], "t": symbolic.output.shape}
    values = {name: random.integers(-99, 99, shape) for name, shape in shapes.items()}
    gradients = symbolic.gradients(values)
    y = oracle.convolution(values["x"], values["w"], values["b"], **options)
    expected = oracle.convolution_gradients(y - values["t"], values["x"], values["w"], **options)
    for name, array in zip(("dx", "dw", "db"), expected, strict=True):
        np.testing.assert_array_equal(gradients[name], array)


def test_generated_files_are_found_again_in_another_process(tmp_path) -> None:
    program = (
        "import numpy as np; from backproof_spec import oracle; print(oracle.convolution(*[np.ones((1,1,1,1))]*2))"
    )
    environment = {**os.environ, "BACKPROOF_CACHE_DIR": str(tmp_path)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True)
    (source,) = (tmp_path / "oracle").glob("*.py")
    compiled = list((tmp_path / "oracle" / "__pycache__").glob("*.nbc"))
    assert source.name.startswith("backproof_oracle_general_forward_")
    assert len(compiled) == 1, "only forward was compiled, once"
