"""No kernel reads before or behind its arrays: a page that may not be read lies there, and would end the process.

So it is with what the kernel of strided input gradients writes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CALLS = """
import ctypes, mmap, sys
from types import SimpleNamespace
import numpy as np
from backproof_impl import backward, forward, strided

libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, *[ctypes.c_size_t] * 5]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
PAGE = mmap.PAGESIZE


def guarded(shape, dtype, at_end):
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    room = -(-size // PAGE) * PAGE
    rights, kind = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    begin = libc.mmap(None, room + 2 * PAGE, rights, kind, -1, 0)
    for page in (begin, begin + PAGE + room):
        assert libc.mprotect(page, PAGE, 0) == 0
    memory = (ctypes.c_char * size).from_address(begin + PAGE + (room - size if at_end else 0))
    array = np.frombuffer(memory, dtype).reshape(shape)
    array[...] = 1
    return array


if sys.argv[1] == "beyond":
    a = guarded((3,), np.float32, True)
    ctypes.c_float.from_address(a.ctypes.data + a.nbytes).value
geometries = [
    ((3, 5, 22, 22), (70, 5, 3, 4), {"stride": (2, 1)}),
    ((5, 40, 5, 13), (34, 40, 1, 1), {}),
    ((3, 3, 9, 11), (5, 3, 3, 3), {"stride": 2, "padding": 1}),
    ((2, 37, 6, 9), (37, 1, 3, 3), {"groups": 37, "padding": 1}),
    ((1, 1, 3, 3), (1, 1, 2, 2), {}),
    ((2, 3, 31, 33), (9, 3, 5, 5), {"stride": 2, "padding": 2}),
    ((1, 9, 16, 40), (13, 9, 2, 3), {"stride": 3, "padding": ((0, 1), (1, 0))}),
    ((31, 6, 9, 9), (6, 6, 4, 4), {"padding": ((3, 0), (0, 1))}),  # images in the lanes, and for weights
    ((31, 1, 12, 20), (6, 1, 5, 5), {}),
]
for x_shape, w_shape, options in geometries:
    for dtype in (np.float32, np.float64):
        for at_end in (True, False):
            x, w, b = (guarded(shape, dtype, at_end) for shape in (x_shape, w_shape, w_shape[:1]))
            strided.np = SimpleNamespace(**vars(np) | {"empty": lambda *made, at_end=at_end: guarded(*made, at_end)})
            y = forward(x, w, b, **options)
            backward(guarded(y.shape, dtype, at_end), x, w, b, **options)
"""


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="memory is protected as on Linux")
def test_kernels_reach_nothing_beyond_their_arrays():
    for what, status in (("beyond", -11), ("calls", 0)):
        done = subprocess.run([sys.executable, "-c", CALLS, what], env=os.environ, capture_output=True, check=False)
        assert done.returncode == status, done.stderr
