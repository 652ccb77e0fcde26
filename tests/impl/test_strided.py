"""Strided input gradients: their passes have every tap once; every form agrees with the plain loops, on integers."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from numba import njit

from backproof_impl import convolution, forward, input_gradient, strided, tables
from backproof_impl.geometry import Axis
from backproof_impl.kernels import processor as processors
from backproof_impl.kernels.choice import SMALL_TILES, TILES
from backproof_impl.kernels.moves import copy_apart, interleave
from backproof_impl.kernels.processor import Processor
from backproof_impl.passes import Form, Passes, best_passes
from backproof_impl.windows import phases

PLAIN = Processor(0, 0, "the test's")
HOST = processors.processor()
needs_vectors = pytest.mark.skipif(HOST.bits == 0, reason=f"no vector kernels here: {HOST.reason}")

# shapes of x and w, and options: rows of dx from one kind of columns, from two and from more, of most lengths; kinds
# that no tap reads, with more rows and columns than others; strides beyond the kernel; groups, dilation, padding
GEOMETRIES = [
    ((2, 3, 23, 26), (9, 3, 7, 7), {"stride": 2, "padding": 3}),
    ((1, 7, 11, 33), (10, 7, 3, 3), {"stride": 2, "padding": ((0, 1), (2, 0))}),
    ((3, 2, 12, 7), (5, 2, 4, 2), {"stride": (3, 1), "padding": ((2, 0), (0, 1))}),
    ((1, 5, 9, 40), (4, 5, 3, 5), {"stride": (1, 3), "padding": 1}),
    ((2, 6, 13, 14), (8, 3, 3, 3), {"stride": 2, "groups": 2, "dilation": (2, 3), "padding": 2}),
    ((1, 4, 20, 21), (6, 4, 1, 1), {"stride": (3, 2), "padding": ((1, 0), (1, 0))}),
    ((1, 1, 8, 9), (3, 1, 2, 3), {"stride": (5, 4), "dilation": (3, 1)}),
    ((2, 2, 1, 2), (3, 2, 1, 1), {"stride": 3}),
    ((1, 3, 5, 6), (4, 3, 3, 2), {"stride": (2, 1), "padding": 4, "padding_mode": "circular"}),
    ((1, 2, 3, 1), (2, 2, 1, 1), {"stride": (3, 2), "padding": ((1, 0), (1, 0))}),
    ((1, 1, 1, 1), (1, 1, 1, 1), {"stride": 9, "padding": 5}),
]
FORMS = [Form(8, 3, False), Form(6, 4, True), Form(2, 6, True)]


def forms(registers):
    sizes = [*TILES["pixels", registers], SMALL_TILES[registers]]
    return [Form(*size, halves) for size in sizes for halves in (False, True) if size[0] % 2 == 0 or not halves]


def gradient(integers, geometry, dtype, orientation="convolution", spoil=None):
    x_shape, w_shape, options = geometry
    x, w = integers(x_shape, dtype), integers(w_shape, dtype)
    dy = integers(forward(x, w, **options).shape, dtype)
    if spoil is not None:
        spoil(dy, w)
    return input_gradient(dy, x, w, orientation=orientation, **options)


@pytest.fixture
def use(monkeypatch):
    """`use(processor, form)`: compute with these, copying few rows and adding few products at a time.

    What is not written to is 77.
    """
    numpy = SimpleNamespace(**vars(np) | {"empty": lambda shape, dtype: np.full(shape, 77, dtype)})

    def use(processor, form=None):
        convolution._plans.clear()
        monkeypatch.setattr(convolution, "processor", lambda: processor)
        monkeypatch.setattr(tables, "BAND", 2**9)
        monkeypatch.setattr(strided, "CHUNK", 12)
        monkeypatch.setattr(strided, "np", numpy)
        forced = best_passes if form is None else lambda registers, lanes, channels, work, *kinds: Passes(form, *kinds)
        monkeypatch.setattr(strided, "best_passes", forced)

    yield use
    convolution._plans.clear()


@pytest.mark.parametrize("halves", [False, True])
def test_passes_have_every_tap_of_every_kind_once(halves):
    form = Form(6, 2, halves)
    for _, (_, _, *kernel), options in GEOMETRIES:
        strides, dilations = (np.broadcast_to(options.get(name, 1), 2) for name in ("stride", "dilation"))
        for size in ((9, 14), (30, 31), (1, 5)):
            axes = [
                Axis(*sizes, before=1, after=3, dilation=dilation)
                for *sizes, dilation in zip(size, kernel, strides, dilations, strict=True)
            ]
            if min(axis.outputs for axis in axes) < 1:
                continue
            rows, columns = (list(phases(axis, flip=True)) for axis in axes)
            if not any(rows) or not any(columns):
                continue
            passes = Passes(form, rows, columns, kernel[1], size)
            found = {}
            for some in passes.all:
                height = form.rows if some.whole else form.channels
                members = [some.taps[i : i + some.size] for i in range(0, len(some.taps), some.size)]
                assert len(members) * form.channels == height
                for i, taps in enumerate(members):
                    at = some.row + i * form.channels
                    assert some.begins == (at not in found)  # sums begin once, before others are added
                    found.setdefault(at, Counter()).update(taps)
            R, K = passes.kinds
            for r in range(R):
                for k in range(K):
                    down, across = rows[r % len(rows)], columns[k]
                    taps = Counter()
                    if down is not None and across is not None:
                        taps = Counter(np.add.outer(np.multiply(down.taps, kernel[1]), across.taps).flat)
                    assert found.get(passes.row(r, k), Counter()) == taps
            assert max(found) < passes.sums


@needs_vectors
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", [None, *FORMS] if HOST.registers == 32 else [None, *forms(16)[:3]], ids=str)
def test_forms_agree_with_the_plain_loops(integers, use, form, dtype):
    for i, geometry in enumerate(GEOMETRIES):
        orientation = ("convolution", "cross-correlation")[i % 2]
        use(PLAIN)
        expected = gradient(integers, geometry, dtype, orientation)
        use(HOST, form)
        assert np.array_equal(gradient(integers, geometry, dtype, orientation), expected), geometry


@pytest.mark.slow
@needs_vectors
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("registers", [16, 32])
@pytest.mark.parametrize("bits", [128, 256, 512])
def test_every_width_and_form_agrees_with_the_plain_loops(integers, use, bits, registers, dtype):
    for form in forms(registers):
        for geometry in GEOMETRIES:
            use(PLAIN)
            expected = gradient(integers, geometry, dtype)
            use(Processor(bits, registers, "the test's"), form)
            assert np.array_equal(gradient(integers, geometry, dtype), expected), (form, geometry)


@needs_vectors
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", [0, 1])
@pytest.mark.parametrize("threads", [1, 2])
def test_bad_numbers_reach_what_they_reach_in_the_plain_loops(integers, use, monkeypatch, threads, where, bad):
    monkeypatch.setattr(strided, "threads_for", lambda *_: threads)
    for geometry in GEOMETRIES:
        for first in (True, False):

            def spoil(*arrays, first=first):
                arrays[where].reshape(-1)[0 if first else arrays[where].size // 2] = bad

            use(PLAIN)
            expected = gradient(integers, geometry, np.float32, spoil=spoil)
            use(HOST, FORMS[1] if HOST.registers == 32 else None)
            assert np.array_equal(gradient(integers, geometry, np.float32, spoil=spoil), expected, equal_nan=True), (
                geometry
            )


@needs_vectors
@pytest.mark.parametrize(("channels", "groups"), [(3, 1), (40, 1), (8, 4)])
def test_the_same_bits_for_any_number_of_threads(use, monkeypatch, channels, groups):
    rng = np.random.default_rng(7)
    x, w = (rng.standard_normal(shape) for shape in ((1, channels, 20, 31), (20, channels // groups, 3, 3)))
    options = {"stride": 2, "padding": 1, "groups": groups}
    dy = rng.standard_normal(forward(x, w, **options).shape)
    use(HOST)
    results = []
    for band in (2**9, 2**19):  # some bands, and one, whose channels are shared out
        monkeypatch.setattr(tables, "BAND", band)
        for threads in (1, 2, 3):
            monkeypatch.setattr(strided, "threads_for", lambda *_, threads=threads: threads)
            convolution._plans.clear()
            results.append(input_gradient(dy, x, w, **options).tobytes())
    assert len(set(results)) == 1


def test_few_channels_share_tiles_and_many_do_not():
    for channels, halves in ((3, True), (64, False)):
        axis = Axis(56, 3, 2, 1, 1)
        kinds = list(phases(axis, flip=False))
        passes = best_passes(32, 16, channels, 1e9, kinds, kinds, 3, (56, 56))
        assert passes.form.halves == halves


@needs_vectors
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_runs_are_interleaved_and_nothing_else_is_written(dtype):
    lanes = HOST.lanes(dtype)

    @njit
    def both(source, even, odd, to, at, count):
        interleave(1, lanes, source, even, odd, to, at, count)

    source = np.arange(500, dtype=dtype)
    for count in range(1, 6 * lanes + 2):
        expected = np.full(count + 20, -1, dtype)
        expected[7 : 7 + count : 2] = source[3 : 3 + (count + 1) // 2]
        expected[8 : 7 + count : 2] = source[201 : 201 + count // 2]
        to = np.full(count + 20, -1, dtype)
        both(source, 3, 201, to, 7, count)
        assert np.array_equal(to, expected), count


def test_runs_are_copied_to_places_that_are_apart():
    @njit
    def copy(source, source_at, to, at, step, count):
        copy_apart(source, source_at, to, at, step, count)

    to = np.zeros(12)
    copy(np.arange(1.0, 9.0), 2, to, 1, 4, 3)
    assert np.array_equal(to, [0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0])
