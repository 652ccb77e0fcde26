"""How every kernel is compiled: on its first call, cached on disk, and with IEEE arithmetic.

`fastmath` stays off: it would allow the compiler to assume that no value is NaN or infinite and to
reorder sums. Kernels take C-contiguous, aligned, writeable arrays only, so that one compilation per
dtype serves every caller.

Numba finds compiled code by the source of the function itself, not by that of what it calls.  Kernels that
call into other modules are therefore made by factories that pass `VERSION`, a checksum of all of this package, as a
variable of the closure, which is part of Numba's key.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


#: Division by zero is IEEE's, not Python's error: asking for each divisor would keep LLVM from using vectors.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def compiled(function: Kernel) -> Kernel:
    """Compile `function` lazily, with an on-disk cache where one can be written."""
    try:
        return cast("Kernel", numba.njit(cache=True, **_OPTIONS)(function))
    except RuntimeError:  # Numba found no folder that it may write to
        return cast("Kernel", numba.njit(**_OPTIONS)(function))


def _checksum_of_sources() -> int:
    """A number that changes with any source of this package; 0 where they cannot be read, as in a zip file."""
    try:
        return zlib.crc32(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
    except OSError:
        return 0


VERSION = _checksum_of_sources()
