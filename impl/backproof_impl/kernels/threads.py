"""A range of independent items on several threads.

Compiled code runs without Python's lock, so plain threads do: there is no parallel runtime of our own that could
meet another library's (PyTorch's OpenMP) in one process, and waiting threads sleep.  Which thread computes
an item changes no bit of it.  The number of threads is Numba's setting, `NUMBA_NUM_THREADS`: the processors, unless the
environment says otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from numba import config

#: Bytes of the numbers that are multiplied below which handing work to a thread costs more than it saves.  Waking one
#: took some 80 microseconds: float32 layers of 9 million multiply-adds lost a tenth, those of 19 million won a fifth.
WORTHWHILE = 2**26


def threads_for(work: float, dtype: np.dtype[np.floating]) -> int:
    """How many threads to use for so many multiply-adds."""
    return 1 if work * dtype.itemsize < WORTHWHILE else int(config.NUMBA_NUM_THREADS)


def run(kernel: Callable[..., object], arguments: tuple[object, ...], items: int, threads: int) -> None:
    """Call `kernel(*arguments, start, stop)` on ranges that make up `range(items)`, the first on this thread."""
    threads = min(threads, items)
    if threads <= 1:
        kernel(*arguments, 0, items)
        return
    bounds = [items * i // threads for i in range(threads + 1)]
    others = [_pool().submit(kernel, *arguments, *bounds[i : i + 2]) for i in range(1, threads)]
    try:
        kernel(*arguments, *bounds[:2])
    finally:
        for other in others:
            other.result()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, config.NUMBA_NUM_THREADS - 1), "backproof")


if hasattr(os, "register_at_fork"):  # threads do not survive a fork: the child makes its own
    os.register_at_fork(after_in_child=_pool.cache_clear)
