"""How every kernel is compiled: on its first call, cached on disk, and with IEEE arithmetic.

`fastmath` stays off: it would allow the compiler to assume that no value is NaN or infinite and to
reorder sums. Kernels take C-contiguous, aligned, writeable arrays only, so that one compilation per
dtype serves every caller.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """Compile `function` lazily, with an on-disk cache where one can be written."""
    try:
        return cast("Kernel", numba.njit(cache=True)(function))
    except RuntimeError:  # Numba found no folder that it may write to
        return cast("Kernel", numba.njit(function))
