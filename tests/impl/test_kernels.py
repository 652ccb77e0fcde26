"""The vector kernels: every tile and width against the plain loops, on integers; threads, NaN, accuracy, the cache."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from numba.core.errors import LoweringError

from backproof_impl import backward, convolution, depthwise, forward, plans, sums
from backproof_impl.kernels import choice
from backproof_impl.kernels import processor as processors
from backproof_impl.kernels import threads as threads_
from backproof_impl.kernels.choice import TILES, Tile, choose
from backproof_impl.kernels.processor import Processor

PLAIN = Processor(0, 0, "the test's")
HOST = processors.processor()
needs_vectors = pytest.mark.skipif(HOST.bits == 0, reason=f"no vector kernels here: {HOST.reason}")

# shapes of x and w, and options: among them single pixels, rows shorter than any vector, tails of most lengths,
# strides, dilation, kernels larger than the image, groups, depthwise, a kernel of one tap, small and large batches, few
# channels with a stride
GEOMETRIES = [
    ((1, 1, 1, 1), (1, 1, 1, 1), {}),
    ((2, 3, 1, 7), (5, 3, 1, 3), {"padding": (0, 1)}),
    ((1, 2, 9, 1), (17, 2, 4, 1), {"padding": ((3, 0), (0, 0))}),
    ((3, 2, 7, 7), (33, 2, 3, 3), {"padding": 1}),
    ((1, 5, 6, 23), (9, 5, 3, 2), {"stride": (3, 2), "padding": ((0, 2), (1, 0))}),
    ((2, 4, 11, 18), (6, 4, 2, 3), {"dilation": (2, 3), "padding": 2}),
    ((1, 3, 2, 2), (4, 3, 5, 5), {"padding": 3}),
    ((2, 6, 8, 9), (40, 3, 3, 3), {"groups": 2, "stride": (1, 3)}),
    ((1, 3, 13, 14), (6, 3, 5, 3), {"stride": 2, "padding": 1}),
    ((2, 64, 3, 5), (320, 32, 1, 1), {"groups": 2}),
    ((2, 19, 6, 9), (19, 1, 3, 3), {"groups": 19, "padding": 1, "stride": 2}),
    ((2, 9, 4, 1), (9, 1, 3, 3), {"groups": 9, "stride": (2, 3), "padding": ((0, 4), (0, 2)), "dilation": (2, 1)}),
    ((1, 2, 1, 4), (2, 2, 1, 1), {"stride": 3, "padding": ((1, 0), (0, 0))}),
    ((1, 9, 5, 20), (9, 1, 2, 4), {"groups": 9, "padding": ((0, 1), (2, 0)), "dilation": (2, 1)}),
    ((2, 5, 8, 21), (5, 1, 3, 3), {"groups": 5, "padding": 1, "stride": 2}),
    ((2, 70, 5, 13), (34, 70, 1, 1), {}),
    ((1, 3, 9, 12), (20, 3, 1, 1), {"stride": (2, 3)}),
    ((1, 130, 4, 5), (3, 130, 3, 3), {"padding": 1}),
    ((40, 2, 3, 3), (19, 2, 2, 2), {"padding_mode": "circular", "padding": 4}),
    ((1, 1, 70, 80), (2, 1, 3, 3), {"padding": ((5, 1), (0, 9))}),
    # one tap: several images in a tile, more channels than a panel has, more weights than the cache, images of a row
    ((9, 3, 2, 3), (11, 3, 1, 1), {}),
    ((3, 300, 5, 5), (20, 300, 1, 1), {}),
    ((3, 1400, 3, 17), (400, 700, 1, 1), {"groups": 2}),
    # the weight gradient of more images than are taken at a time, with and without padding
    ((9, 40, 6, 6), (70, 40, 3, 3), {"padding": 1}),
    ((9, 20, 8, 8), (70, 20, 3, 3), {}),
]
SMALLER = GEOMETRIES[:17]


def all_results(integers, geometry, dtype, orientation="convolution", spoil=None):
    """y, dx, dw and db; `spoil` may change x, w and dy before."""
    x_shape, w_shape, options = geometry
    x, w, b = (integers(shape, dtype) for shape in (x_shape, w_shape, w_shape[:1]))
    y_shape = forward(x, w, b, orientation=orientation, **options).shape
    dy = integers(y_shape, dtype)
    if spoil is not None:
        spoil(x, w, dy)
    y = forward(x, w, b, orientation=orientation, **options)
    return y, *backward(dy, x, w, b, orientation=orientation, **options)


@pytest.fixture
def use(monkeypatch):
    """`use(processor, tile)`: compute with these; where `tile` cannot do something, with what is chosen."""

    def use(processor, tile=None):
        convolution._plans.clear()
        monkeypatch.setattr(convolution, "processor", lambda: processor)

        def forced(registers, width, channels, pixels, work, stretched=None, *terms, **few):
            if tile is None or (tile.lanes == "pixels" and stretched is None):
                return choose(registers, width, channels, pixels, work, stretched, *terms, **few)
            return tile

        monkeypatch.setattr(sums, "choose", forced)
        by_dots = choice.dots_are_faster if tile is None else lambda *_: tile.lanes == "pixels"
        monkeypatch.setattr(sums, "dots_are_faster", by_dots)

    yield use
    convolution._plans.clear()


def assert_same(actual, expected, case):
    for name, a, b in zip(("y", "dx", "dw", "db"), actual, expected, strict=True):
        assert a.dtype == b.dtype, case
        assert np.array_equal(a, b, equal_nan=True), (name, case)


@needs_vectors
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("tile", [None, Tile("channels", *min(TILES["channels", HOST.registers or 32]))], ids=str)
def test_tiles_agree_with_the_plain_loops(integers, use, tile, dtype):
    for i, geometry in enumerate(GEOMETRIES):
        orientation = ("convolution", "cross-correlation")[i % 2]
        use(PLAIN)
        expected = all_results(integers, geometry, dtype, orientation)
        use(HOST, tile)
        assert_same(all_results(integers, geometry, dtype, orientation), expected, geometry)


@pytest.mark.slow
@needs_vectors
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("registers", [16, 32])
@pytest.mark.parametrize("bits", [128, 256, 512])
def test_every_width_and_tile_agrees_with_the_plain_loops(integers, use, bits, registers, dtype):
    for (kind, count), sizes in TILES.items():
        if count != registers:
            continue
        for size in sizes:
            for geometry in SMALLER:
                use(PLAIN)
                expected = all_results(integers, geometry, dtype)
                use(Processor(bits, registers, "the test's"), Tile(kind, *size))
                assert_same(all_results(integers, geometry, dtype), expected, (kind, size, geometry))


@pytest.mark.slow
@pytest.mark.parametrize("bits", [0, 128, 256, 512])
def test_a_check_of_every_width_passes(bits, tmp_path):
    if bits and not HOST.bits:
        pytest.skip(HOST.reason)
    command = [sys.executable, "-m", "backproof", "check", "numba", "--profile", "quick", "--report-dir", tmp_path]
    command += ["--shape", "x=19,6,9,9 w=5,6,4,4 padding=3,0,0,1"]  # images in the lanes
    done = subprocess.run(
        command, env=os.environ | {processors.VARIABLE: str(bits)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert f"vector kernels of {bits} bits" in done.stdout if bits else "plain loops" in done.stdout


@needs_vectors
@pytest.mark.parametrize(
    ("x_shape", "w_shape", "groups"),
    [((3, 6, 20, 31), (70, 6, 3, 3), 1), ((3, 37, 9, 11), (37, 1, 3, 3), 37), ((3, 1, 20, 31), (5, 1, 3, 3), 1)],
)
def test_the_same_bits_for_any_number_of_threads(use, monkeypatch, x_shape, w_shape, groups):
    rng = np.random.default_rng(7)
    x, w = (rng.standard_normal(shape).astype(np.float32) for shape in (x_shape, w_shape))
    dy = rng.standard_normal((x_shape[0], w_shape[0], *x_shape[2:])).astype(np.float32)
    use(HOST)
    results = []
    for threads in (1, 2, 3, 1):
        for module in (sums, depthwise):
            monkeypatch.setattr(module, "threads_for", lambda *_, threads=threads: threads)
        convolution._plans.clear()
        results.append((forward(x, w, padding=1, groups=groups), *backward(dy, x, w, padding=1, groups=groups)[:2]))
    for other in results[1:]:
        assert [a.tobytes() for a in other] == [a.tobytes() for a in results[0]]


@needs_vectors
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", [0, 1, 2])
def test_bad_numbers_reach_what_they_reach_in_the_plain_loops(integers, use, where, bad):
    def spoil(*arrays):
        arrays[where].reshape(-1)[arrays[where].size // 2] = bad

    for geometry in GEOMETRIES:
        use(PLAIN)
        expected = all_results(integers, geometry, np.float32, spoil=spoil)
        use(HOST)
        assert_same(all_results(integers, geometry, np.float32, spoil=spoil), expected, geometry)


@pytest.mark.torch
def test_errors_of_long_sums_are_at_most_twice_those_of_torch():
    torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")
    rng = np.random.default_rng(3)
    x, w = (rng.standard_normal(shape).astype(np.float32) for shape in ((1, 256, 14, 14), (64, 256, 3, 3)))
    exact = torch.conv2d(*(torch.from_numpy(a.astype(np.float64)) for a in (x, w)), padding=1).numpy()
    theirs = torch.conv2d(*map(torch.from_numpy, (x, w)), padding=1).numpy()
    ours = forward(x, w, padding=1, orientation="cross-correlation")
    for norm in (np.max, np.mean):
        assert norm(np.abs(ours - exact)) <= 2 * norm(np.abs(theirs - exact))


def test_what_a_processor_offers():
    x86 = "x86_64-unknown-linux-gnu"
    host = processors._host
    assert host(x86, frozenset({"fma", "avx2", "avx512f", "avx512vl"})).bits == 512
    assert host(x86, frozenset({"fma", "avx2", "avx512f"})).bits == 256
    assert host(x86, frozenset({"avx2"})) == Processor(0, 0, "no fused multiply-add of vectors on x86_64")
    assert host("arm64-apple-darwin", frozenset()) == Processor(128, 32, "NEON")
    assert host("riscv64-unknown-linux", frozenset()).bits == 0
    assert Processor(512, 32, "").lanes(np.float32) == 16


def test_the_width_can_be_set(monkeypatch):
    monkeypatch.setattr(processors, "_target", lambda: ("x86_64-unknown", frozenset({"fma", "avx2"})))
    for asked, expected in (("128", 128), ("0", 0)):
        monkeypatch.setenv(processors.VARIABLE, asked)
        assert processors.processor.__wrapped__().bits == expected
    monkeypatch.setenv(processors.VARIABLE, "64")
    with pytest.raises(ValueError, match=r"^BACKPROOF_VECTOR_BITS must be one of 0, 128, 256, 512, got '64'$"):
        processors.processor.__wrapped__()


@pytest.fixture
def no_failures():
    yield
    processors._failures.clear()
    processors.processor.cache_clear()
    convolution._plans.clear()


@needs_vectors
def test_kernels_that_do_not_compile_give_way_to_the_plain_loops(integers, use, monkeypatch, no_failures):
    def fails(*_):
        raise LoweringError("no such instruction")

    assert processors.description().startswith(f"vector kernels of {HOST.bits} bits (")
    for geometry in GEOMETRIES[:3]:
        use(PLAIN)
        expected = all_results(integers, geometry, np.float32)
        use(HOST)
        monkeypatch.setattr(plans, "Correlation", fails)
        monkeypatch.setattr(plans, "WeightGradient", fails)
        assert_same(all_results(integers, geometry, np.float32), expected, geometry)
    assert processors.description() == "plain loops (the vector kernels do not compile: LoweringError)"


CALLS = """
import sys
import numpy as np
from backproof_impl import backward, forward, weight_gradient
from backproof_impl.kernels import batch, batch_gradient, correlation, dots
from backproof_impl.kernels import weight_gradient as weights
made = []
for module in (batch, batch_gradient, correlation, dots, weights):
    module.VERSION += int(sys.argv[1])
    for name in ("channel_lanes", "pixel_lanes", "image_lanes"):
        if hasattr(module, name):
            factory = getattr(module, name)
            setattr(module, name, lambda *sizes, factory=factory: made.append(factory(*sizes)) or made[-1])
x, w = np.ones((1, 2, 5, 6), np.float32), np.ones((3, 2, 3, 3), np.float32)
backward(forward(x, w), x, w)
x, w = np.ones((16, 4, 9, 9), np.float32), np.ones((6, 4, 4, 4), np.float32)
forward(x, w, padding=3)
x, w, dy = (np.ones(shape, np.float32) for shape in ((32, 1, 12, 20), (6, 1, 5, 5), (32, 6, 8, 16)))
weight_gradient(dy, x, w)
assert len(made) == 5, made
print(sum(sum(kernel.stats.cache_misses.values()) for kernel in set(made)))
"""


@needs_vectors
def test_compiled_code_is_found_by_other_processes_unless_its_sources_changed(tmp_path):
    def compiled(change):
        command, environment = (
            [sys.executable, "-c", CALLS, str(change)],
            os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
        )
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stderr.count("compiling convolution kernels for this processor, once") == (int(done.stdout) > 0)
        return int(done.stdout)

    first = compiled(0)
    assert first > 0
    assert compiled(0) == 0
    assert compiled(1) == first


@pytest.mark.parametrize(
    ("text", "size"), [("2048K\n", 2**21), ("1024K", 2**20), ("", 2**20), ("2M", 2**20), (None, 2**20)]
)
def test_the_second_level_cache_is_what_linux_says(monkeypatch, text, size):
    def read_text(_, encoding):
        if text is None:
            raise FileNotFoundError
        return text

    monkeypatch.setattr(processors.Path, "read_text", read_text)
    processors.second_level_cache.cache_clear()
    assert processors.second_level_cache() == size
    processors.second_level_cache.cache_clear()


def test_little_work_stays_on_one_thread(monkeypatch):
    monkeypatch.setattr(threads_.config, "NUMBA_NUM_THREADS", 3)
    for dtype, enough in ((np.float32, 2**24), (np.float64, 2**23)):
        assert [threads_.threads_for(work, np.dtype(dtype)) for work in (enough - 1, enough)] == [1, 3]
