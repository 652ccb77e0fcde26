"""`backproof_impl` through its public functions, with its algorithms; and the probes of what the processor can do."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from backproof_impl import forward, input_gradient, weight_gradient
from backproof_impl.kernels.processor import description, processor
from backproof_impl.kernels.tile import Vectors, pointer_to

from ..layers import Arrays, Layer, Quantity
from . import OURS, WINOGRAD, Calls, Sides

VERSION = f"numba {numba.__version__}"
CHAINS = 12  # more than the latency of a multiply-add times how many can begin at once


def setup(threads: int) -> None:
    """The number of threads is in the environment."""


def mode() -> AbstractContextManager[Any]:
    """Nothing."""
    return nullcontext()


def kernels() -> str:
    """Which kernels this process uses, in words."""
    return description()


def sides(layer: Layer, data: Arrays) -> Sides:
    """The default algorithm, and Winograd's on layers for which it is meant, where there is one."""
    made: Sides = {OURS: _calls(layer, data)}
    functions: dict[Quantity, Callable[..., Any]] = {"y": forward, "dx": input_gradient, "dw": weight_gradient}
    takes = [q for q, function in functions.items() if "algorithm" in inspect.signature(function).parameters]
    if takes and (layer.k, layer.stride, layer.groups) == (3, 1, 1) and layer.H in (14, 28, 56):
        calls = _calls(layer, data, algorithm="winograd")
        made[WINOGRAD] = {quantity: calls[quantity] for quantity in takes}
    return made


def _calls(layer: Layer, data: Arrays, **algorithm: str) -> Calls:
    options: Any = {name: getattr(layer, name) for name in ("stride", "padding", "groups")}
    options |= {"orientation": "cross-correlation", **algorithm}
    x, w, b, dy = data.x, data.w, data.b, data.dy
    return {
        "y": lambda: forward(x, w, b, **options),
        "dx": lambda: input_gradient(dy, x, w, **options),
        "dw": lambda: weight_gradient(dy, x, w, **options),
    }


def peak(dtype: str) -> float:
    """Multiply-adds per nanosecond in registers: independent chains of them, for a quarter of a millisecond."""
    run, a = _probe(dtype)
    count = 100_000
    start = time.thread_time_ns()
    run(a, count)
    return CHAINS * len(a) * count / (time.thread_time_ns() - start)


@cache
def _probe(dtype: str) -> tuple[Callable[..., None], np.ndarray[Any, Any]]:
    lanes = max(processor().lanes(dtype), 1)

    def chains(_: Any, a: Any, count: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            vector = Vectors(context, builder, a.dtype, lanes)
            at = pointer_to(context, builder, a, args[0], args[1].type(0))
            factor, sums = vector.load(at), [cgutils.alloca_once(builder, vector.type) for _ in range(CHAINS)]
            for entry in sums:
                builder.store(vector.zero, entry)
            with cgutils.for_range(builder, args[1]):
                for entry in sums:
                    vector.accumulate(entry, factor, factor)
            total = factor
            for entry in sums:
                total = builder.fadd(total, builder.load(entry))
            vector.store(total, at)
            return context.get_dummy_value()

        return types.void(a, types.intp), codegen

    call: Any = intrinsic(chains)
    run = numba.njit(lambda a, count: call(a, count))
    a = np.full(lanes, 1e-3, dtype)
    run(a, 1)
    return run, a


def bandwidth() -> float:
    """Bytes per nanosecond that a copy between arrays larger than the caches reads and writes; the best of five."""
    source, target = np.ones(2**24), np.zeros(2**24)
    best = 0.0
    for _ in range(5):
        start = time.thread_time_ns()
        np.copyto(target, source)
        best = max(best, 2 * source.nbytes / (time.thread_time_ns() - start))
    return best
