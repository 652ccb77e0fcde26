"""The adapters agree with sums of Python integers, and with each other; what they leave out they say."""

import itertools
from typing import Any

import numpy as np
import pytest

from backproof.contract import Geometry, PoolGeometry
from backproof.targets.adapters import plain_numpy
from backproof.targets.calls import Excluded, NotSupported, Request
from backproof.targets.layouts import LAYOUTS, legal
from backproof.targets.process import Target

#: Sizes, kernels, strides, padding and dilation differ along the two axes, and all leave remainders.
BASE: dict[str, Any] = {
    "batch": 2,
    "in_channels": 4,
    "out_channels": 6,
    "size": (5, 4),
    "kernel_size": (3, 2),
    "stride": (2, 1),
    "padding": ((2, 1), (0, 1)),
    "dilation": (1, 2),
}
GEOMETRIES = [
    Geometry(**BASE, groups=groups, padding_mode=mode, orientation=orientation, bias=bias)
    for groups, mode, (orientation, bias) in itertools.product(
        (1, 2),
        ("zeros", "circular"),
        [("convolution", True), ("cross-correlation", False), ("cross-correlation", True)],
    )
] + [
    Geometry(size=(2, 2), kernel_size=(3, 1), padding=((5, 4), (0, 3)), padding_mode="circular", stride=(3, 2)),
    Geometry(batch=0, size=(3, 3), kernel_size=(2, 2), orientation="cross-correlation"),
    Geometry(in_channels=3, out_channels=3, groups=3, size=(1, 7), kernel_size=(1, 3), padding=((0, 0), (4, 4))),
]
POOLS = [
    PoolGeometry(kind, 2, 2, (5, 4), (3, 2), stride, padding, dilation)
    for kind in ("max", "average", "sum")
    for stride, padding, dilation in [
        ((2, 1), ((1, 1), (1, 1)), (1, 1)),
        ((1, 2), ((2, 0), (0, 3)), (1, 1)),
        ((2, 2), ((3, 3), (2, 2)), (1, 1)),
        ((1, 1), ((1, 1), (1, 1)), (2, 3)),
        ((1, 1), ((1, 0), (1, 0)), (1, 2)),
    ]
]
#: The last windows overhang (rows: not the one that starts after the image), and averages leave the padding out.
POOLS += [
    PoolGeometry(kind, 2, 2, size, (2, 3), (2, 2), padding, (1, 1), True, inside)
    for kind in ("max", "average", "sum")
    for size, padding in [((5, 6), ((0, 0), (0, 0))), ((3, 6), ((1, 1), (1, 1))), ((4, 5), ((0, 1), (1, 0)))]
    for inside in ((True, False) if kind == "average" else (True,))
]


def integers(shape: tuple[int, ...], dtype: str = "float64", seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).integers(-9, 10, shape).astype(dtype)


def inputs(g: Geometry | PoolGeometry, dtype: str = "float64") -> dict[str, np.ndarray]:
    arrays = {"x": integers(g.x_shape, dtype), "dy": integers(g.y_shape, dtype, 1)}
    if isinstance(g, Geometry):
        arrays["w"] = integers(g.w_shape, dtype, 2)
        if g.bias:
            arrays["b"] = integers(g.b_shape, dtype, 3)
    return arrays


def products(g: Geometry):
    """Index pairs of every product: `y[...] += x[...] * w[...]`, from the contract, in Python integers."""
    (top, _), (left, _) = g.padding
    inner, outer = g.in_channels // g.groups, g.out_channels // g.groups
    for n, o, i, j in np.ndindex(*g.y_shape):
        for c, u, v in np.ndindex(inner, *g.kernel_size):
            flipped = g.orientation == "convolution"
            tu, tv = (g.kernel_size[0] - 1 - u, g.kernel_size[1] - 1 - v) if flipped else (u, v)
            row = i * g.stride[0] + tu * g.dilation[0] - top
            column = j * g.stride[1] + tv * g.dilation[1] - left
            if g.padding_mode == "circular":
                row, column = row % g.size[0], column % g.size[1]
            if 0 <= row < g.size[0] and 0 <= column < g.size[1]:
                yield (n, o, i, j), (n, o // outer * inner + c, row, column), (o, c, u, v)


def expected(g: Geometry, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    x, w, dy = arrays["x"], arrays["w"], arrays["dy"]
    results = {"y": np.zeros(g.y_shape), "dx": np.zeros(g.x_shape), "dw": np.zeros(g.w_shape)}
    for at_y, at_x, at_w in products(g):
        results["y"][at_y] += x[at_x] * w[at_w]
        results["dx"][at_x] += dy[at_y] * w[at_w]
        results["dw"][at_w] += dy[at_y] * x[at_x]
    if g.bias:
        results["y"] += arrays["b"][:, None, None]
        results["db"] = dy.sum(axis=(0, 2, 3))
    return results


def expected_pool(g: PoolGeometry, x: np.ndarray, dy: np.ndarray) -> dict[str, np.ndarray]:
    y, dx = np.zeros(g.y_shape), np.zeros(g.x_shape)
    for n, c, i, j in np.ndindex(*g.y_shape):
        taps = [
            (
                n,
                c,
                i * g.stride[0] + u * g.dilation[0] - g.padding[0][0],
                j * g.stride[1] + v * g.dilation[1] - g.padding[1][0],
            )
            for u, v in np.ndindex(*g.kernel_size)
        ]
        (_, bottom), (_, right) = g.padding
        padded = [tap for tap in taps if tap[2] < g.size[0] + bottom and tap[3] < g.size[1] + right]
        taps = [tap for tap in taps if 0 <= tap[2] < g.size[0] and 0 <= tap[3] < g.size[1]]
        area = 1 if g.kind != "average" else len(padded if g.count_include_pad else taps)
        if g.kind == "max":
            y[n, c, i, j] = max((x[tap] for tap in taps), default=-np.inf)
            taps = [tap for tap in taps if x[tap] == y[n, c, i, j]][:1]
        else:
            y[n, c, i, j] = sum(x[tap] for tap in taps) / area
        for tap in taps:
            dx[tap] += dy[n, c, i, j] / area
    return {"y": y, "dx": dx}


def agree(results: dict[str, np.ndarray], wanted: dict[str, np.ndarray], exactly: bool = True) -> None:
    assert results.keys() == wanted.keys()
    for name, value in wanted.items():
        if exactly:
            np.testing.assert_array_equal(results[name], value, err_msg=name)
        else:  # an average of 6 rounds differently as a sum divided and as quotients added
            np.testing.assert_allclose(results[name], value, rtol=0, atol=16 * np.finfo(results[name].dtype).eps * 9)


def functions(g: Geometry | PoolGeometry) -> tuple[str, ...]:
    return ("forward", "backward") if isinstance(g, Geometry) else (f"{g.kind}_pool", f"{g.kind}_pool_gradient")


# ---- plain NumPy, in this process


@pytest.mark.parametrize("g", GEOMETRIES, ids=str)
def test_plain_numpy(g):
    arrays = inputs(g)
    x, w, b, dy = (arrays.get(name) for name in ("x", "w", "b", "dy"))
    gradients = dict(zip(("dx", "dw", "db"), plain_numpy.backward(dy, x, w, b, **g.options()), strict=True))
    results = {"y": plain_numpy.forward(x, w, b, **g.options()), **gradients}
    agree({name: value for name, value in results.items() if value is not None}, expected(g, arrays))


@pytest.mark.parametrize("g", POOLS, ids=str)
def test_plain_pooling(g):
    arrays = inputs(g)
    arrays["x"] //= 4  # many ties
    y = getattr(plain_numpy, f"{g.kind}_pool")(arrays["x"], **g.options())
    dx = getattr(plain_numpy, f"{g.kind}_pool_gradient")(arrays["dy"], arrays["x"], **g.options())
    agree({"y": y, "dx": dx}, expected_pool(g, **arrays), exactly=g.kind != "average")


def test_max_pool_of_nan_and_infinity():
    x = np.array([[[[1.0, np.nan, 3.0, -np.inf, -np.inf, 5.0]]]])
    y = plain_numpy.max_pool(x, kernel_size=(1, 2))
    np.testing.assert_array_equal(y, [[[[np.nan, 3.0, 5.0]]]])
    dx = plain_numpy.max_pool_gradient(np.array([[[[2.0, 3.0, 4.0]]]]), x, kernel_size=(1, 2))
    np.testing.assert_array_equal(dx, [[[[0, 2, 3, 0, 0, 4]]]])
    low = np.full((1, 1, 1, 2), -np.inf)
    dx = plain_numpy.max_pool_gradient(np.ones((1, 1, 1, 1)), low, kernel_size=(1, 2))
    np.testing.assert_array_equal(dx, [[[[1, 0]]]])


def test_no_window_fits():
    with pytest.raises(ValueError, match="the kernel spans 5 pixels, more than the 4 of the padded image"):
        plain_numpy.forward(np.ones((1, 1, 9, 3)), np.ones((1, 1, 1, 3)), padding=((0, 0), (1, 0)), dilation=(1, 2))


def test_results_have_the_dtype_of_x():
    g = GEOMETRIES[0]
    arrays = inputs(g, "float32")
    with Target.open("numpy") as target:
        reply = target.call(Request(g, arrays, functions=("forward", "backward")))
    assert {value.dtype.name for value in reply.values.values()} == {"float32"}


# ---- PyTorch


@pytest.fixture(scope="module")
def torch():
    pytest.importorskip("torch", reason="the extra `torch` is not installed")
    with Target.open("torch") as target:
        yield target


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_torch_convolution(torch, dtype):
    verified = 0
    for number, g in enumerate(GEOMETRIES):
        if g.orientation == "convolution":
            assert torch.binding.refuses(g) == "forward computes a cross-correlation, not a convolution"
            continue
        arrays = inputs(g, dtype)
        layouts = {}
        for turn, (role, array) in enumerate(arrays.items()):
            choice = [name for name in torch.binding.layouts if legal(name, array)]
            layouts[role] = choice[(number + turn) % len(choice)]
        reply = torch.call(Request(g, arrays, layouts, functions(g)))
        agree(reply.values, expected(g, arrays))
        assert (reply.mutated, reply.reused) == ((), ())
        assert {value.dtype.name for value in reply.values.values()} == {dtype}
        verified += 1
    assert verified == 9


@pytest.mark.torch
def test_torch_pooling(torch):
    excluded = []
    for g in POOLS:
        if g.kind != "max" and g.dilation != (1, 1):
            assert "has no parameter for dilation" in torch.binding.refuses(g)
            continue
        arrays = inputs(g)
        reply = torch.call(Request(g, arrays, functions=functions(g)))
        if isinstance(reply, Excluded):
            excluded.append(g)
            continue
        if isinstance(reply, NotSupported):  # padding that the adapter has to make is an image's to the library
            assert (g.padding, g.count_include_pad) == (((0, 1), (1, 0)), False)
            continue
        agree(reply.values, expected_pool(g, **arrays), exactly=g.kind != "average")
    assert excluded == []


@pytest.mark.torch
def test_torch_says_what_it_leaves_out(torch):
    assert torch.binding.layouts == tuple(name for name in LAYOUTS if name != "reversed")
    assert torch.binding.orientation == "cross-correlation"
    assert [name for name, _, _ in torch.binding.known_defects] == list("ABCEFGP")
    g = Geometry(size=(2, 2), padding=((0, 3), (0, 0)), padding_mode="circular", orientation="cross-correlation")
    reply = torch.call(Request(g, inputs(g)))
    assert reply == NotSupported("forward", "circular padding wider than the image, which wraps more than once")
    pool = PoolGeometry("max", 1, 5, (1, 1), (2, 2), (1, 1), ((1, 1), (1, 1)), (2, 2))
    reply = torch.call(Request(pool, inputs(pool), functions=("max_pool", "max_pool_gradient")))
    assert reply == Excluded("P")
    assert torch.restarts == 0
