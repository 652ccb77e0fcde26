"""Shared memory that holds the arrays of one call at a time."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np

from backproof.targets.errors import TargetError
from backproof.targets.layouts import ALIGNMENT, Array

_LINUX_SHARED_MEMORY = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a C-order array lies in the arena; `dtype` as in `numpy.dtype.str`."""

    offset: int
    shape: tuple[int, ...]
    dtype: str


def aligned(size: int) -> int:
    """`size` rounded up to the alignment of a slot."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def view(memory: SharedMemory, slot: Slot) -> Array:
    """The array in a slot.  Views must be gone before the memory is closed: copy, and keep none."""
    return np.ndarray(slot.shape, np.dtype(slot.dtype), buffer=memory.buf, offset=slot.offset)


def write(memory: SharedMemory, offset: int, values: Array) -> Slot:
    """Copy `values` to `offset`."""
    slot = Slot(offset, tuple(values.shape), values.dtype.str)
    view(memory, slot)[...] = values
    return slot


class Arena:
    """The parent's side: owns the memory, which grows by being made anew."""

    def __init__(self) -> None:
        self._memory: SharedMemory | None = None

    def reserve(self, size: int) -> SharedMemory:
        """Memory of at least `size` bytes; what it held before is lost.

        Raises:
            TargetError: the system has not that much shared memory.
        """
        if self._memory is None or self._memory.size < size:
            self.close()
            size = max(2 * size, 1 << 16)
            _require(size)
            # Tracked, so that it is removed even where this process is killed.
            self._memory = SharedMemory(create=True, size=size)
        return self._memory

    def close(self) -> None:
        """Give the memory back."""
        if self._memory is not None:
            self._memory.close()
            self._memory.unlink()
            self._memory = None


def _require(size: int) -> None:
    """Linux hands out pages that it does not have, and kills whoever writes to them (containers: 64 MiB)."""
    if _LINUX_SHARED_MEMORY.is_dir() and (free := shutil.disk_usage(_LINUX_SHARED_MEMORY).free) < size:
        raise TargetError(
            f"a call needs {size >> 20} MiB of shared memory, and {_LINUX_SHARED_MEMORY} has {free >> 20} MiB free; "
            "enlarge it (docker run --shm-size=2g) or check smaller layers"
        )


@contextlib.contextmanager
def _untracked() -> Iterator[dict[str, Any]]:
    """Attaching must not make the child's resource tracker remove memory that the parent owns."""
    if sys.version_info >= (3, 13):
        yield {"track": False}
        return
    register = resource_tracker.register
    resource_tracker.register = lambda name, rtype: None
    try:
        yield {}
    finally:
        resource_tracker.register = register


class Attachment:
    """The worker's side: attached to the memory that the parent named last."""

    def __init__(self) -> None:
        self._memory: SharedMemory | None = None

    def to(self, name: str) -> SharedMemory:
        """The memory of that name."""
        if self._memory is None or self._memory.name != name:
            if self._memory is not None:
                self._memory.close()
            with _untracked() as options:
                self._memory = SharedMemory(name=name, **options)
        return self._memory
