"""How every kernel is compiled: on its first call, cached on disk, and with IEEE arithmetic.

`fastmath` stays off: it would allow the compiler to assume that no value is NaN or infinite and to
reorder sums. Kernels take C-contiguous, aligned, writeable arrays only, so that one compilation per
dtype serves every caller.

Numba finds compiled code by the source of the function itself, not by that of what it calls.  Kernels that
call into other modules are therefore made by factories that pass `VERSION`, a checksum of all of this package, as a
variable of the closure, which is part of Numba's key.
"""

from __future__ import annotations

import logging
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import event
from numba.core.registry import cpu_target

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


class _Announcement(event.Listener):  # type: ignore[misc]
    """Tells, once, that kernels are being compiled: the first call with a new cache takes seconds."""

    told = False

    def on_start(self, event: Any) -> None:
        function = event.data["dispatcher"].py_func
        if not self.told and (function.__module__ or "").startswith(__package__ or ""):
            self.told = True
            logging.getLogger(__name__).warning(
                "compiling convolution kernels for this processor, once: they are kept on disk for other processes"
            )

    def on_end(self, event: Any) -> None:
        pass


event.register("numba:compile", _Announcement())


def compiled(function: Kernel) -> Kernel:
    """Compile `function` lazily, with an on-disk cache where one can be written."""
    try:
        return cast("Kernel", numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # Numba found no folder that it may write to
        return cast("Kernel", numba.njit(nogil=True)(function))


def for_types(kernel: Kernel, *types: Any) -> Kernel:
    """Compile `kernel` for arguments of these Numba types, and no others: a call with others raises TypeError."""
    dispatcher: Any = kernel
    with _lock:  # another thread's `disable_compile` must not come between
        if types not in dispatcher.overloads:
            dispatcher.disable_compile(False)
            dispatcher.compile(types)
            dispatcher.disable_compile()
    return kernel


_lock = threading.Lock()


def array_type(dtype: np.dtype[Any], axes: int) -> Any:
    """The Numba type of arrays that are C-contiguous, aligned and writeable."""
    return numba.types.Array(numba.from_dtype(dtype), axes, "C")


def _checksum_of_sources() -> int:
    """A number that changes with any source of this package; 0 where they cannot be read, as in a zip file."""
    try:
        return zlib.crc32(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
    except OSError:
        return 0


VERSION = _checksum_of_sources()

# Numba imports its own library when it first compiles a function or finds one in the cache, which takes longer than the
# rest of such a call: here it does so on import
cpu_target.typing_context.refresh()
cpu_target.target_context.refresh()
