"""Images of a batch in the lanes of vectors: against the plain loops, every tile and width, bands, and the choice."""

from __future__ import annotations

from itertools import zip_longest

import numpy as np
import pytest

from backproof_impl import backward, batch, batch_gradient, convolution, forward, plans, weight_gradient
from backproof_impl.batch import Batch, Tile, tile_for
from backproof_impl.batch_gradient import BatchWeightGradient, gradient_tile_for
from backproof_impl.kernels import processor as processors
from backproof_impl.kernels.choice import IMAGES, TAPS_OF_IMAGES
from backproof_impl.kernels.processor import Processor
from backproof_impl.windows import Windows

PLAIN = Processor(0, 0, "the test's")
HOST = processors.processor()
pytestmark = pytest.mark.skipif(HOST.bits == 0, reason=f"no vector kernels here: {HOST.reason}")

# tiles for float32
FORWARD, TAPS = Tile(HOST.lanes(np.float32), 6, 2), Tile(HOST.lanes(np.float32), 3, 5)
# shapes of x and w, and options: batches that fill the lanes or not, rows and columns that no tap reads, kernels larger
# than the image, chunks of channels of two sizes, groups, strides, dilation, copies of pixels
GEOMETRIES = [
    ((17, 2, 5, 9), (7, 2, 3, 2), {"padding": ((2, 0), (0, 3))}),
    ((16, 3, 6, 8), (9, 3, 5, 5), {}),
    ((35, 1, 4, 8), (1, 1, 3, 3), {"padding": ((5, 6), (6, 5))}),
    ((18, 3, 4, 8), (2, 3, 6, 9), {"padding": 4}),
    ((16, 130, 2, 8), (3, 130, 3, 3), {"padding": 1}),
    ((19, 4, 7, 17), (6, 2, 3, 3), {"groups": 2, "stride": (2, 1), "dilation": (1, 2), "padding": 1}),
    ((16, 2, 7, 18), (5, 2, 3, 4), {"stride": (3, 2), "padding": ((0, 1), (2, 1)), "dilation": (2, 1)}),
    ((18, 2, 8, 8), (5, 2, 4, 3), {"padding_mode": "circular", "padding": (3, 2)}),
]
# layers that have images in the lanes without being told, with vectors of 512 bits: for dx, and then for dw
CHOSEN = [
    ((35, 3, 9, 10), (8, 3, 3, 3), {"padding": 1}),
    ((31, 6, 9, 9), (6, 6, 4, 4), {"padding": ((3, 0), (0, 0))}),
    ((39, 4, 10, 8), (6, 4, 3, 3), {}),
]
CHOSEN_WEIGHTS = [
    ((31, 1, 12, 20), (6, 1, 5, 5), {}),
    ((31, 1, 12, 13), (6, 1, 5, 5), {"stride": (2, 1), "padding": ((1, 2), (2, 0))}),
]


@pytest.fixture
def use(monkeypatch):
    """`use(processor, tile, taps)`: compute with these, and with images in the lanes wherever the tiles allow it."""

    def use(processor, tile=None, taps=None):
        convolution._plans.clear()
        monkeypatch.setattr(convolution, "processor", lambda: processor)

        def forced(processor, dtype, N, rows, columns, *sizes):
            if tile is None or columns.stride > 1 or columns.outputs < tile.pixels or tile.lanes > N:
                return tile_for(processor, dtype, N, rows, columns, *sizes)
            return tile

        def forced_gradient(processor, dtype, N, *sizes):
            return taps if taps is not None and taps.lanes <= N else gradient_tile_for(processor, dtype, N, *sizes)

        monkeypatch.setattr(plans, "tile_for", forced)
        monkeypatch.setattr(plans, "gradient_tile_for", forced_gradient)

    yield use
    convolution._plans.clear()


def all_results(integers, geometry, dtype, orientation="convolution", spoil=None):
    """y, dx, dw and db; `spoil` may change x, w and dy before."""
    x_shape, w_shape, options = geometry
    x, w, b = (integers(shape, dtype) for shape in (x_shape, w_shape, w_shape[:1]))
    dy = integers(forward(x, w, b, orientation=orientation, **options).shape, dtype)
    if spoil is not None:
        spoil(x, w, dy)
    y = forward(x, w, b, orientation=orientation, **options)
    return y, *backward(dy, x, w, b, orientation=orientation, **options)


def made_by_batch():
    """Whether y, dx and dw are made with images in the lanes."""
    (plan,) = set(convolution._plans.values())
    dw = isinstance(plan._weight_gradient, BatchWeightGradient)
    return [isinstance(plan._forward, Batch), isinstance(plan._input_gradient, Batch), dw]


def assert_same(actual, expected, case):
    for name, a, b in zip(("y", "dx", "dw", "db"), actual, expected, strict=True):
        assert a.dtype == b.dtype, case
        assert np.array_equal(a, b, equal_nan=True), (name, case)


def assert_agrees(integers, use, processor, tile, taps, dtype):
    for i, geometry in enumerate(GEOMETRIES):
        orientation = ("convolution", "cross-correlation")[i % 2]
        use(PLAIN)
        expected = all_results(integers, geometry, dtype, orientation)
        use(processor, tile, taps)
        assert_same(all_results(integers, geometry, dtype, orientation), expected, (tile, taps, geometry))


@pytest.mark.parametrize("sums", [batch.SUMS, 1], ids=["images", "bands"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_images_in_lanes_agree_with_the_plain_loops(integers, use, monkeypatch, dtype, sums):
    monkeypatch.setattr(batch, "SUMS", sums)
    lanes = HOST.lanes(dtype)
    for some, tile, taps in ((lanes, (6, 2), (3, 5)), (lanes // 2 or 1, (1, 8), (4, 3))):
        assert_agrees(integers, use, HOST, Tile(some, *tile), Tile(some, *taps), dtype)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("registers", [16, 32])
@pytest.mark.parametrize("bits", [128, 256, 512])
def test_every_width_and_tile_agrees_with_the_plain_loops(integers, use, bits, registers, dtype):
    processor = Processor(bits, registers, "the test's")
    lanes = processor.lanes(dtype)
    for tile, taps in zip_longest(IMAGES[registers], TAPS_OF_IMAGES[registers], fillvalue=(1, 5)):
        assert_agrees(integers, use, processor, Tile(lanes, *tile), Tile(lanes, *taps), dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layers_with_images_in_lanes_by_choice(integers, use, dtype):
    for geometry in CHOSEN + CHOSEN_WEIGHTS:
        use(PLAIN)
        expected = all_results(integers, geometry, dtype)
        use(Processor(512, 32, "the test's"))
        assert_same(all_results(integers, geometry, dtype), expected, geometry)
        assert made_by_batch()[1 if geometry in CHOSEN else 2], geometry


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", [0, 1, 2])
def test_bad_numbers_reach_what_they_reach_in_the_plain_loops(integers, use, monkeypatch, where, bad, threads):
    for module in (batch, batch_gradient):
        monkeypatch.setattr(module, "threads_for", lambda *_: threads)

    def spoil(*arrays):
        arrays[where].reshape(-1)[arrays[where].size // 2] = bad

    for geometry in CHOSEN:
        use(PLAIN)
        expected = all_results(integers, geometry, np.float32, spoil=spoil)
        use(HOST, FORWARD, TAPS)
        assert_same(all_results(integers, geometry, np.float32, spoil=spoil), expected, geometry)
        assert all(made_by_batch())


def test_the_same_bits_for_any_number_of_threads(use, monkeypatch):
    rng = np.random.default_rng(7)
    x, w, dy = (
        rng.standard_normal(shape).astype(np.float32) for shape in ((35, 3, 9, 10), (8, 3, 3, 3), (35, 8, 9, 10))
    )
    results = []
    for threads in (1, 2, 3, 1):
        use(HOST, FORWARD, TAPS)
        for module in (batch, batch_gradient):
            monkeypatch.setattr(module, "threads_for", lambda *_, threads=threads: threads)
        results.append((forward(x, w, padding=1), *backward(dy, x, w, padding=1)[:2]))
        assert all(made_by_batch())
    for other in results[1:]:
        assert [a.tobytes() for a in other] == [a.tobytes() for a in results[0]]


def test_taps_on_padding_are_left_out():
    """Of 5 taps, a window that begins 4 before an image of 3 has the last, the next the last two, and so on."""
    windows = Windows(3, 9, 1, 4, (0, 1, 2, 3, 4), (4, 3, 2, 1, 0))
    assert batch._in_order(windows) == ([4, 3, 2, 1, 0], [0, 1, 2, 3, 4])
    taps = [(4, 1), (3, 2), (2, 3), (1, 3), (0, 3), (0, 2), (0, 1), (0, 0), (0, 0)]
    assert batch._taps_inside(windows) == taps
    assert batch._tiles(windows, 2) == [(0, 3, 2), (2, 1, 4), (4, 0, 3), (6, 0, 1), (7, 0, 0)]


def test_when_images_are_put_in_the_lanes():
    processor, dtype, taps = Processor(512, 32, "the test's"), np.dtype(np.float32), (0, 1, 2, 3, 4)
    padded = Windows(8, 12, 1, 4, taps, taps)

    def tile(N, windows=padded, channels=16, outputs=6):
        return tile_for(processor, dtype, N, windows, windows, 1, channels, outputs)

    assert tile(32) == Tile(16, 6, 2)
    assert tile(16).lanes == 16
    assert tile(15).lanes == 8
    assert tile(1) is None
    assert tile(32, Windows(24, 12, 2, 4, taps, taps)) is None  # with a stride
    assert tile(32, Windows(12, 12, 1, 0, (0,), (0,))) is None  # with one tap
    assert tile(32, Windows(5, 1, 1, 0, taps, taps)) is None  # shorter than all tiles
    assert tile(2, channels=1, outputs=1) is None  # small
    assert tile(32, channels=96) is not None
    assert tile(32, channels=256) is None  # copies too large for the cache
    assert tile(32, Windows(58, 56, 1, 0, (0, 1, 2), (0, 1, 2)), 64, 64) is None  # with neither padding nor short rows


@pytest.mark.torch
def test_errors_of_long_sums_are_at_most_twice_those_of_torch(use):
    torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")
    rng = np.random.default_rng(3)
    x, w = (rng.standard_normal(shape).astype(np.float32) for shape in ((16, 256, 6, 6), (8, 256, 3, 3)))
    exact = torch.conv2d(*(torch.from_numpy(a.astype(np.float64)) for a in (x, w)), padding=1).numpy()
    theirs = torch.conv2d(*map(torch.from_numpy, (x, w)), padding=1).numpy()
    use(HOST, FORWARD)
    ours = forward(x, w, padding=1, orientation="cross-correlation")
    for norm in (np.max, np.mean):
        assert norm(np.abs(ours - exact)) <= 2 * norm(np.abs(theirs - exact))


def test_when_images_are_put_in_the_lanes_for_the_weight_gradient():
    processor, dtype, taps = Processor(512, 32, "the test's"), np.dtype(np.float32), (0, 1, 2, 3, 4)
    small = Windows(28, 24, 1, 0, taps, taps)

    def tile(N, windows=small, channels=1, outputs=6):
        return gradient_tile_for(processor, dtype, N, windows, windows, 1, channels, outputs)

    assert tile(32) == Tile(16, 3, 5)
    assert tile(1) is None
    assert tile(32, Windows(24, 24, 1, 0, (0,), (0,))) is None  # with one tap
    assert tile(2, Windows(6, 2, 1, 0, taps, taps)) is None  # small
    assert tile(32, channels=64, outputs=64) is None  # channels fill the lanes
    assert tile(32, Windows(204, 200, 1, 0, taps, taps)) is None  # copies too large for the cache


def test_long_weight_gradients_are_summed_in_parts(use):
    """Their errors are a tenth of those of one sum after the other, where sums without parts have more than that."""
    rng = np.random.default_rng(3)
    shapes = ((16, 1, 120, 120), (3, 1, 3, 3), (16, 3, 118, 118))
    x, w, dy = (rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    use(PLAIN)
    exact = weight_gradient(*(a.astype(np.float64) for a in (dy, x, w)))
    plain = weight_gradient(dy, x, w)
    use(HOST, taps=TAPS)
    ours = weight_gradient(dy, x, w)
    for norm in (np.max, np.mean):
        assert norm(np.abs(ours - exact)) <= norm(np.abs(plain - exact)) / 10
