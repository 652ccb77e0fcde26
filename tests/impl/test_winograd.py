"""Winograd's algorithm: its matrices exactly, its kernels against the plain loops, its errors against their bound."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import product as every
from pathlib import Path

import numpy as np
import pytest

from backproof_impl import Convolution, backward, convolution, forward, input_gradient, winograd, winograd_error_bound
from backproof_impl.kernels import processor as processors
from backproof_impl.kernels import toom_cook, transforms
from backproof_impl.kernels.processor import Processor
from backproof_impl.kernels.toom_cook import POINTS, product
from backproof_impl.winograd import tile_size
from backproof_impl.winograd_error import error_growth, factors, gamma

PLAIN = Processor(0, 0, "the test's")
HOST = processors.processor()
needs_vectors = pytest.mark.skipif(HOST.bits == 0, reason=f"no vector kernels here: {HOST.reason}")
ALGORITHMS = ("winograd", "winograd-2x2")

# shapes of x and w, and options: one pixel, images smaller than a tile and than a window, tails of tiles on both axes,
# channels for more than one vector of either kind, groups, depthwise, padding that is cut off in the input gradient
GEOMETRIES = [
    ((1, 1, 3, 3), (1, 1, 3, 3), {}),
    ((2, 17, 1, 1), (3, 17, 3, 3), {"padding": 1}),
    ((3, 2, 2, 5), (33, 2, 3, 3), {"padding": ((1, 2), (0, 1))}),
    ((2, 3, 9, 11), (5, 3, 3, 3), {"padding": 2}),
    ((1, 4, 6, 13), (6, 2, 3, 3), {"groups": 2, "padding": (1, 0)}),
    ((1, 3, 8, 7), (3, 1, 3, 3), {"groups": 3, "padding": ((3, 0), (5, 4))}),
    ((2, 2, 3, 4), (2, 2, 3, 3), {"padding_mode": "circular", "padding": ((4, 1), (1, 2))}),
    ((1, 40, 5, 19), (18, 40, 3, 3), {"padding": 1}),
]


@pytest.fixture
def use(monkeypatch):
    """`use(processor)`: compute with it; `blocks`: in as many items, bands and chunks as small shapes have."""

    def use(processor, blocks=False):
        convolution._plans.clear()
        monkeypatch.setattr(convolution, "processor", lambda: processor)
        for name, value in (("CHUNK", 16), ("BLOCK", 1), ("FEWEST", 2)) if blocks else ():
            monkeypatch.setattr(winograd, name, value)

    yield use
    convolution._plans.clear()


# ---- the matrices


class Exactly:
    """Arithmetic on fractions."""

    add, subtract = staticmethod(lambda x, y: x + y), staticmethod(lambda x, y: x - y)
    multiply = staticmethod(lambda c, x: c * x)
    multiply_add = staticmethod(lambda c, x, y: c * x + y)


class Absolutely(Exactly):
    """Sums of |paths|."""

    subtract = staticmethod(lambda x, y: x + y)
    multiply = staticmethod(lambda c, x: abs(c) * x)
    multiply_add = staticmethod(lambda c, x, y: abs(c) * x + y)


def unit(size, k):
    return [Fraction(int(i == k)) for i in range(size)]


def is_correlation(data, kernel, output):
    """Whether `output @ ((kernel @ g) * (data @ d))` is the correlation; for bilinear maps, unit vectors do."""
    n = len(data)
    for j, u in every(range(n), range(3)):
        d, g = product(data, unit(n, j), Exactly), product(kernel, unit(3, u), Exactly)
        y = product(output, [a * b for a, b in zip(d, g, strict=True)], Exactly)
        if y != [int(j == i + u) for i in range(n - 2)]:
            return False
    return True


@pytest.mark.parametrize("m", POINTS)
def test_the_transforms_are_a_correlation_for_all_inputs(m):
    of = toom_cook.transforms(m)
    assert is_correlation(of.data, of.kernel, of.output)


@pytest.mark.parametrize("m", POINTS)
@pytest.mark.parametrize("name", ["data", "kernel", "output"])
def test_a_change_of_any_entry_breaks_them(m, name):
    of = toom_cook.transforms(m)
    matrix = getattr(of, name)
    for i, j in every(range(len(matrix)), range(len(matrix[0]))):
        rows = [list(row) for row in matrix]
        rows[i][j] += Fraction(1, 1000)
        changed = replace(of, **{name: tuple(map(tuple, rows))})
        assert not is_correlation(changed.data, changed.kernel, changed.output), (i, j)


@pytest.mark.parametrize("m", POINTS)
@pytest.mark.parametrize("kind", [transforms.DATA, transforms.KERNEL, transforms.OUTPUT])
def test_shared_sums_are_the_products_of_the_matrix_and_nothing_cancels_in_them(m, kind):
    matrix = transforms.matrix_of(kind, m)
    for k in range(len(matrix[0])):
        one = unit(len(matrix[0]), k)
        assert product(matrix, one, Exactly) == [row[k] for row in matrix]
        assert product(matrix, one, Absolutely) == [abs(row[k]) for row in matrix]


@pytest.mark.parametrize("m", POINTS)
def test_transforms_of_images_and_results_are_exact_numbers(m):
    of = toom_cook.transforms(m)
    assert all(Fraction(float(np.float32(c))) == c for matrix in (of.data, of.output) for row in matrix for c in row)


def test_small_images_have_small_tiles():
    assert [tile_size("winograd", size, size) for size in (1, 2, 3, 4, 6, 7, 14)] == [2, 2, 4, 4, 2, 4, 4]
    assert tile_size("winograd-2x2", 56, 56) == 2


# ---- the kernels


def results(integers, geometry, dtype, algorithm="direct", orientation="convolution"):
    x_shape, w_shape, options = geometry
    x, w, b = (integers(shape, dtype) for shape in (x_shape, w_shape, w_shape[:1]))
    options = options | {"algorithm": algorithm, "orientation": orientation}
    y = forward(x, w, b, **options)
    dy = integers(y.shape, dtype)
    dx, dw, db = backward(dy, x, w, b, **options)
    assert np.array_equal(dx, input_gradient(dy, x, w, **options))
    return y, dx, dw, db


def agree(integers, use, processor, dtype, algorithm, blocks=False):
    """On integers below 5, errors are below a half, so that the nearest integers are the exact results."""
    for k, geometry in enumerate(GEOMETRIES):
        orientation = ("convolution", "cross-correlation")[k % 2]
        use(PLAIN)
        expected = results(integers, geometry, dtype, orientation=orientation)
        use(processor, blocks)
        for actual, exact in zip(results(integers, geometry, dtype, algorithm, orientation), expected, strict=True):
            assert actual.dtype == dtype
            assert np.array_equal(actual if algorithm == "winograd-2x2" else np.rint(actual), exact), geometry


@needs_vectors
@pytest.mark.parametrize(
    ("algorithm", "dtype", "blocks"),
    [("winograd", np.float32, False), ("winograd", np.float32, True), ("winograd-2x2", np.float64, True)],
)
def test_results_are_those_of_the_plain_loops(integers, use, algorithm, dtype, blocks):
    agree(integers, use, HOST, dtype, algorithm, blocks)


@pytest.mark.slow
@needs_vectors
@pytest.mark.parametrize("blocks", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("registers", [16, 32])
@pytest.mark.parametrize("bits", [128, 256, 512])
def test_results_of_every_width_are_those_of_the_plain_loops(integers, use, bits, registers, algorithm, dtype, blocks):
    agree(integers, use, Processor(bits, registers, "the test's"), dtype, algorithm, blocks)


@pytest.mark.slow
@needs_vectors
@pytest.mark.parametrize("bits", [128, 256, 512])
@pytest.mark.parametrize("target", ALGORITHMS)
def test_a_check_of_every_width_passes(target, bits, tmp_path):
    command = [sys.executable, "-m", "backproof", "check", target, "--profile", "quick", "--report-dir", tmp_path]
    done = subprocess.run(
        command, env=os.environ | {processors.VARIABLE: str(bits)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@needs_vectors
def test_the_same_bits_for_any_number_of_threads_and_any_batch(use, monkeypatch):
    rng = np.random.default_rng(7)
    x, w = (rng.standard_normal(shape).astype(np.float32) for shape in ((3, 18, 9, 10), (40, 18, 3, 3)))
    found = []
    for threads, blocks in ((1, False), (2, False), (3, True), (1, True)):
        use(HOST, blocks)
        monkeypatch.setattr(winograd, "CHUNK", 16)
        monkeypatch.setattr(winograd, "threads_for", lambda *_, threads=threads: threads)
        found.append(forward(x, w, padding=1, algorithm="winograd"))
    found.append(np.concatenate([forward(x[n : n + 1], w, padding=1, algorithm="winograd") for n in range(3)]))
    assert len({y.tobytes() for y in found}) == 1


@pytest.mark.parametrize(
    ("w_shape", "options"),
    [((3, 2, 2, 3), {}), ((3, 2, 3, 3), {"stride": (1, 2)}), ((3, 2, 3, 3), {"dilation": (2, 1)})],
)
def test_elsewhere_results_are_those_of_the_direct_kernels(w_shape, options):
    rng = np.random.default_rng(1)
    x, w = (rng.standard_normal(shape) for shape in ((2, 2, 8, 9), w_shape))
    direct, other = (forward(x, w, algorithm=name, **options) for name in ("direct", "winograd"))
    assert np.array_equal(direct, other)
    gradients = [input_gradient(direct, x, w, algorithm=name, **options) for name in ("direct", "winograd")]
    assert np.array_equal(*gradients)


@needs_vectors
def test_the_algorithm_is_what_is_computed_with():
    """Elsewhere the two give different bits."""
    rng = np.random.default_rng(1)
    x, w = (rng.standard_normal(shape).astype(np.float32) for shape in ((1, 2, 8, 9), (3, 2, 3, 3)))
    assert len({forward(x, w, algorithm=name).tobytes() for name in ("direct", *ALGORITHMS)}) == 3
    layer = Convolution(2, 3, 3, algorithm="winograd", bias=False, dtype=np.float32)
    layer.parameters["w"][...] = w
    assert layer.forward(x).tobytes() == forward(x, w, algorithm="winograd").tobytes()
    dy = rng.standard_normal((1, 3, 6, 7)).astype(np.float32)
    assert layer.backward(dy).tobytes() == input_gradient(dy, x, w, algorithm="winograd").tobytes()


def test_an_unknown_algorithm_is_refused():
    x, w = np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3))
    message = r"^algorithm must be 'direct' or 'winograd' or 'winograd-2x2', got 'fft'$"
    for call in (
        lambda: forward(x, w, algorithm="fft"),
        lambda: backward(np.ones((1, 1, 2, 2)), x, w, algorithm="fft"),
        lambda: input_gradient(np.ones((1, 1, 2, 2)), x, w, algorithm="fft"),
        lambda: Convolution(1, 1, 3, algorithm="fft"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


# ---- the bound


def real(rng, shape, kind):
    """Normal numbers; or such that all terms are alike and cancel; or with exponents far apart."""
    values = rng.standard_normal(shape)
    if kind == "alternating":
        return (1 - 2 * (np.indices(shape).sum(axis=0) % 2)) * (1 + 2.0**-6 * values)
    return np.ldexp(values, rng.integers(-12, 12, shape)) if kind == "spread" else values


def share_of_bound(kind, geometry, algorithm, orientation):
    x_shape, w_shape, options = geometry
    rng = np.random.default_rng(0)
    x, w, b = (real(rng, shape, kind).astype(np.float32) for shape in (x_shape, w_shape, w_shape[:1]))
    options = options | {"orientation": orientation}
    y = forward(x, w, b, algorithm=algorithm, **options)
    exact = forward(*(a.astype(np.float64) for a in (x, w, b)), **options)
    bound = winograd_error_bound(x, w, b, algorithm=algorithm, **options)
    assert bound.shape == y.shape
    return float((abs(y - exact) / bound).max())


@needs_vectors
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", ["normal", "alternating", "spread"])
def test_errors_stay_within_the_bound_and_make_use_of_it(kind, algorithm):
    shares = [
        share_of_bound(kind, geometry, algorithm, ("convolution", "cross-correlation")[k % 2])
        for k, geometry in enumerate(GEOMETRIES)
    ]
    assert max(shares) <= 1
    assert min(shares) > 2**-12
    assert max(shares) > 2**-6


def worst_tile(m):
    """A tile and a kernel whose paths to the last output all have one sign, one dimension at a time."""
    of = toom_cook.transforms(m)
    k = int(
        np.argmax(
            [
                abs(a) * sum(map(abs, g)) * sum(map(abs, d))
                for a, g, d in zip(of.output[-1], of.kernel, of.data, strict=True)
            ]
        )
    )
    d, g = (np.array([1.0 if c >= 0 else -1.0 for c in row]) for row in (of.data[k], of.kernel[k]))
    return np.outer(d, d), np.outer(g, g)


@needs_vectors
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_errors_of_data_made_to_be_wrong_stay_within_the_bound(algorithm):
    d, g = worst_tile(2 if algorithm == "winograd-2x2" else 4)
    rng = np.random.default_rng(5)
    for channels in (1, 70):
        x, w = (
            np.broadcast_to(a, (1, channels, *a.shape)) * (1 + rng.random((1, channels, *a.shape)) / 1024)
            for a in (d, g)
        )
        x, w = x.astype(np.float32), w.astype(np.float32)
        y = forward(x, w, algorithm=algorithm, orientation="cross-correlation")
        exact = forward(x.astype(np.float64), w.astype(np.float64), orientation="cross-correlation")
        bound = winograd_error_bound(x, w, algorithm=algorithm, orientation="cross-correlation")
        assert (abs(y - exact) <= bound).all()


@needs_vectors
@pytest.mark.parametrize("padding", [((0, 0), (0, 0)), ((1, 1), (1, 1)), ((1, 2), (0, 1)), ((2, 2), (2, 2))])
def test_the_bound_of_the_other_orientation_holds_for_the_input_gradient(padding):
    rng = np.random.default_rng(3)
    x, w = (rng.standard_normal(shape).astype(np.float32) for shape in ((2, 3, 9, 8), (5, 3, 3, 3)))
    dy = rng.standard_normal(forward(x, w, padding=padding).shape).astype(np.float32)
    dx = input_gradient(dy, x, w, padding=padding, algorithm="winograd")
    exact = input_gradient(*(a.astype(np.float64) for a in (dy, x, w)), padding=padding)
    rest = tuple((2 - before, 2 - after) for before, after in padding)
    bound = winograd_error_bound(dy, w.swapaxes(0, 1), padding=rest, orientation="cross-correlation")
    assert (abs(dx - exact) <= bound).all()


@pytest.mark.parametrize("m", POINTS)
@pytest.mark.parametrize("name", ["data", "kernel", "output"])
def test_the_bound_rejects_a_wrong_transform(m, name, monkeypatch):
    """Each number that is off by 2**-10 of itself is found on a tile of normal numbers (the transforms in float64)."""
    of = toom_cook.transforms(m)
    rng = np.random.default_rng(2)
    x, w = (
        rng.standard_normal((1, 1, m + 2, m + 2)).astype(np.float32),
        rng.standard_normal((1, 1, 3, 3)).astype(np.float32),
    )
    bound = winograd_error_bound(
        x, w, orientation="cross-correlation", algorithm="winograd-2x2" if m == 2 else "winograd"
    )[0, 0]

    def error(changed):
        B, G, A = (np.array(matrix, dtype=float) for matrix in (changed.data, changed.kernel, changed.output))
        y = A @ ((G @ w[0, 0].astype(float) @ G.T) * (B @ x[0, 0].astype(float) @ B.T)) @ A.T
        return abs(y - forward(x.astype(float), w.astype(float), orientation="cross-correlation")[0, 0])

    assert (error(of) < 1e-12).all()
    matrix = getattr(of, name)
    for i, j in every(range(len(matrix)), range(len(matrix[0]))):
        if matrix[i][j]:
            rows = [list(row) for row in matrix]
            rows[i][j] *= 1 + Fraction(1, 1024)
            assert (error(replace(of, **{name: tuple(map(tuple, rows))})) > bound).any(), (i, j)


def test_numbers_of_factors_are_those_counted_by_hand():
    """F(2, 3): an addition in B^T; in G a product with 1/2, a multiply-add, an addition; in A^T two additions."""
    assert factors(2, 1, np.float32) == 2 * (1 + 3 + 2) + 1 + 1
    assert factors(2, 130, np.float32) == 2 * (1 + 3 + 2) + 64 + 3
    assert gamma(3, np.float32) == pytest.approx(3 * 2**-24, rel=1e-6)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_growth_that_is_declared_covers_the_bound(algorithm):
    one_pixel = [((1, 1, 1, 1), (1, 1, 3, 3), {"padding": ((k, 5 - k),) * 2}) for k in range(6)]
    growth, used = error_growth(algorithm), 0.0
    for x_shape, w_shape, options in (*GEOMETRIES, *one_pixel):
        x, w = np.ones(x_shape, np.float32), np.ones(w_shape, np.float32)
        terms = float(forward(x.astype(np.float64), w.astype(np.float64), **options).max())  # K, the most of a sum
        bound = winograd_error_bound(x, w, algorithm=algorithm, **options).max()
        used = max(used, bound / (gamma(int(terms), np.float32) * terms) / growth)
    assert 0.9 < used <= 1


def test_the_documentation_has_these_numbers():
    text = (Path(__file__).parents[2] / "docs" / "winograd.md").read_text(encoding="utf-8")
    assert f"{error_growth('winograd')} for 4 x 4, {error_growth('winograd-2x2')} for 2 x 2" in text
    for m in POINTS:
        constant = factors(m, 1, np.float32) - 2
        assert f"{constant} + min(C, 64) + ceil(C/64)     for" in text
        assert {factors(m, c, dtype) for c in (65,) for dtype in (np.float32, np.float64)} == {constant + 64 + 2}


@pytest.mark.parametrize(
    ("w", "algorithm", "message"),
    [
        (np.ones((2, 1, 3, 2)), "winograd", "there is no Winograd for a kernel of 3 x 2 with algorithm 'winograd'"),
        (np.ones((2, 1, 3, 3)), "direct", "there is no Winograd for a kernel of 3 x 3 with algorithm 'direct'"),
        (np.ones((2, 1, 3, 3)), "fft", "algorithm must be 'direct' or"),
    ],
)
def test_where_there_is_no_bound(w, algorithm, message):
    with pytest.raises(ValueError, match=message):
        winograd_error_bound(np.ones((1, 1, 5, 5)), w, algorithm=algorithm)
