"""Layouts have the strides that they promise, hold the values, and stand in NaN."""

import numpy as np
import pytest

from backproof.targets.layouts import ALIGNMENT, LAYOUTS, MARGIN, layout_of, legal, place

STRIDES = {  # in elements, of an array (2, 3, 4, 5)
    "C": (60, 20, 5, 1),
    "offset": (60, 20, 5, 1),
    "read-only": (60, 20, 5, 1),
    "F": (1, 2, 6, 24),
    "nhwc": (60, 1, 15, 3),
    "reversed": (-60, -20, -5, -1),
    "broadcast": (0, 0, 0, 0),
    "sliced": (960, 160, 20, 2),
    "channel-slice": (100, 1, 25, 5),
}


def values(layout: str, dtype: str, shape: tuple[int, ...] = (2, 3, 4, 5)) -> np.ndarray:
    if layout == "broadcast":
        return np.full(shape, 7, dtype)
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


def test_every_layout_is_known_here():
    assert tuple(STRIDES) == LAYOUTS


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_place(layout, dtype):
    wanted = values(layout, dtype)
    placed = place(wanted, layout)
    assert placed.array.shape == wanted.shape
    assert placed.array.dtype == wanted.dtype
    assert tuple(step // wanted.itemsize for step in placed.array.strides) == STRIDES[layout]
    assert placed.array.flags.writeable == (layout != "read-only")
    np.testing.assert_array_equal(placed.array, wanted)
    assert np.shares_memory(placed.array, placed.memory)
    assert not np.shares_memory(placed.array, wanted)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_everything_else_is_nan(layout):
    placed = place(values(layout, "float32"), layout)
    distinct = 1 if layout == "broadcast" else placed.array.size
    assert np.count_nonzero(~np.isnan(placed.memory)) == distinct
    margin = MARGIN // placed.memory.itemsize
    assert np.isnan(placed.memory[:margin]).all()
    assert np.isnan(placed.memory[-margin + ALIGNMENT // placed.memory.itemsize :]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_alignment(dtype):
    wanted = values("C", dtype)
    assert place(wanted, "C").array.ctypes.data % ALIGNMENT == 0
    assert place(wanted, "offset").array.ctypes.data % ALIGNMENT == wanted.itemsize


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "broadcast"])
@pytest.mark.parametrize("shape", [(0, 3, 4, 5), (1, 1, 1, 1), (2, 1, 0, 3)])
def test_empty_and_single(layout, shape):
    np.testing.assert_array_equal(place(values(layout, "float32", shape), layout).array, values("C", "float32", shape))


def test_legal():
    assert legal("broadcast", np.ones((2, 3)))
    assert not legal("broadcast", np.array([1.0, 2.0]))
    assert not legal("broadcast", np.ones((0, 3)))
    assert not legal("broadcast", np.full(3, np.nan)), "NaN does not equal itself"
    assert not legal("nhwc", np.ones(3))
    assert legal("sliced", np.ones(3))


def test_integers_stand_in_their_largest_value():
    placed = place(np.zeros(3, np.int32), "sliced")
    assert np.count_nonzero(placed.memory == np.iinfo(np.int32).max) == placed.memory.size - 3


def test_errors():
    with pytest.raises(ValueError, match=r"layout must be one of C, offset, .*, not 'nchw'"):
        place(np.ones(3), "nchw")
    with pytest.raises(ValueError, match=r"layout 'nhwc' cannot hold this array of shape \(3,\)"):
        place(np.ones(3), "nhwc")


@pytest.mark.parametrize("layout", ["C", "nhwc", "F", "sliced", "channel-slice", "reversed"])
def test_a_layout_is_known_by_its_strides(layout):
    assert layout_of(place(np.arange(120.0).reshape(2, 3, 4, 5), layout).array) == layout


def test_a_layout_without_a_name_is_called_by_its_order():
    wide = np.zeros((4, 6, 8, 10))
    assert layout_of(wide[:, ::3, ::2, ::5]) == "sliced"
    assert layout_of(np.zeros((1, 2, 3, 4))[:, :, ::-1, ::-1][..., ::-1][:, :, ::-1]) == "C"
