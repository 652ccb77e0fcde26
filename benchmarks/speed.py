"""How fast `backproof_impl` is beside PyTorch, layer by layer, on one thread.

    python benchmarks/speed.py              every layer, both dtypes (some minutes)
    python benchmarks/speed.py --quick      a few layers, float32
    python benchmarks/speed.py --tuning     the layers on which constants may be tuned, which no report shows

A row is a layer and one of its three sums.  Both sides get the same contiguous NCHW arrays, and allocate their results;
packing of weights is part of the time.  What is timed is the processor time of this thread, in rounds: ours, theirs,
and a probe of the peak (fused multiply-adds in registers).  The ratio is the median over rounds of theirs/ours: above
1, ours is faster.  `peak` is the fraction of the probe's best that our multiply-adds, those with padding included,
reach.  Errors are the largest differences from PyTorch's float64, for ours and theirs; in float64 theirs is 0 by
construction.

Memory is pooled: glibc keeps what is freed, so that neither side pays for fresh pages.  `--malloc default` leaves it
as a process finds it.  Page faults of both sides are counted.  On a busy machine ratios are noisy: the load is printed.
"""

from __future__ import annotations

import os
import sys

ONE_THREAD = {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
POOLED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000", "MALLOC_TOP_PAD_": "268435456"}
wanted = ONE_THREAD | ({} if "default" in sys.argv else POOLED)
if any(os.environ.get(name) != value for name, value in wanted.items()):
    # these are read when a process starts
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | wanted)

import argparse  # noqa: E402
import math  # noqa: E402
import resource  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from typing import Any, NamedTuple  # noqa: E402

import numba  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from numba import types  # noqa: E402
from numba.core import cgutils  # noqa: E402
from numba.extending import intrinsic  # noqa: E402

from backproof_impl import forward, input_gradient, weight_gradient  # noqa: E402
from backproof_impl.kernels.processor import description, processor  # noqa: E402
from backproof_impl.kernels.tile import Vectors, pointer_to  # noqa: E402


class Layer(NamedTuple):
    """A batch, and a convolution layer on it."""

    name: str
    N: int
    C: int
    H: int
    O: int  # noqa: E741
    k: int
    stride: int = 1
    padding: int = 0
    groups: int = 1


REPORTED = (
    Layer("tiny", 1, 1, 4, 2, 3),
    Layer("LeNet conv1", 32, 1, 28, 6, 5),
    Layer("LeNet conv2", 32, 6, 12, 16, 5),
    Layer("VGG-16 conv1_1", 1, 3, 224, 64, 3, 1, 1),
    Layer("VGG-16 conv2_2", 1, 128, 112, 128, 3, 1, 1),
    Layer("ResNet-50 conv1", 1, 3, 224, 64, 7, 2, 3),
    Layer("ResNet-50 conv2 3x3", 2, 64, 56, 64, 3, 1, 1),
    Layer("ResNet-50 conv3 3x3", 2, 128, 28, 128, 3, 1, 1),
    Layer("ResNet-50 conv3 3x3 /2", 2, 128, 56, 128, 3, 2, 1),
    Layer("ResNet-50 conv4 3x3", 2, 256, 14, 256, 3, 1, 1),
    Layer("ResNet-50 conv5 3x3", 2, 512, 7, 512, 3, 1, 1),
    Layer("ResNet-50 conv2 1x1", 2, 64, 56, 256, 1),
    Layer("ResNet-50 conv4 1x1", 2, 1024, 14, 256, 1),
    Layer("MobileNetV2 depthwise", 2, 144, 56, 144, 3, 1, 1, 144),
    Layer("MobileNetV2 depthwise /2", 2, 576, 14, 576, 3, 2, 1, 576),
    Layer("MobileNetV2 1x1", 2, 24, 56, 144, 1),
    Layer("ConvNeXt depthwise", 2, 384, 14, 384, 7, 1, 3, 384),
    Layer("ResNeXt grouped", 2, 128, 28, 128, 3, 1, 1, 32),
)
TUNING = (
    Layer("small", 16, 4, 20, 12, 3),
    Layer("middle", 2, 96, 40, 96, 3, 1, 1),
    Layer("deep", 2, 320, 10, 320, 3, 1, 1),
    Layer("strided", 2, 48, 44, 80, 5, 2, 2),
    Layer("pointwise", 2, 160, 30, 320, 1),
    Layer("depthwise", 2, 96, 36, 96, 5, 1, 2, 96),
)
QUICK = ("LeNet conv1", "LeNet conv2", "ResNet-50 conv2 3x3", "ResNet-50 conv2 1x1", "MobileNetV2 depthwise")
Call = Callable[[], Any]


@dataclass(frozen=True)
class Work:
    """One sum of one layer: our call, theirs, the exact result, and the number of multiply-adds."""

    name: str
    ours: Call
    theirs: Call
    exact: np.ndarray[Any, Any]
    multiply_adds: int


def works(layer: Layer, dtype: Any) -> Iterator[Work]:
    """The forward pass and the gradients for x and w of a layer on normally distributed data."""
    rng = np.random.default_rng(0)
    n, c, h, o, k, stride, padding, groups = layer[1:]
    x = rng.standard_normal((n, c, h, h)).astype(dtype)
    w = (rng.standard_normal((o, c // groups, k, k)) / math.sqrt(c // groups * k * k)).astype(dtype)
    b = rng.standard_normal(o).astype(dtype)
    options: dict[str, Any] = {
        "stride": stride,
        "padding": padding,
        "groups": groups,
        "orientation": "cross-correlation",
    }
    y = forward(x, w, b, **options)
    dy = rng.standard_normal(y.shape).astype(dtype)

    def of_torch(*arrays: np.ndarray[Any, Any]) -> tuple[Call, Call, Call]:
        tx, tw, tb, tdy = map(torch.from_numpy, arrays)
        rest = ([stride] * 2, [padding] * 2, [1, 1], False, [0, 0], groups)
        backward = torch.ops.aten.convolution_backward
        return (
            lambda: torch.conv2d(tx, tw, tb, stride, padding, 1, groups),
            lambda: backward(tdy, tx, tw, None, *rest, [True, False, False])[0],
            lambda: backward(tdy, tx, tw, None, *rest, [False, True, False])[1],
        )

    ours = (
        lambda: forward(x, w, b, **options),
        lambda: input_gradient(dy, x, w, **options),
        lambda: weight_gradient(dy, x, w, **options),
    )
    exact = of_torch(*(a.astype(np.float64) for a in (x, w, b, dy)))
    for name, mine, theirs, true in zip(("y", "dx", "dw"), ours, of_torch(x, w, b, dy), exact, strict=True):
        yield Work(name, mine, theirs, true().numpy(), y.size * c // groups * k * k)


def probe(dtype: Any) -> Callable[[], float]:
    """A function that measures multiply-adds per nanosecond in registers."""
    lanes = max(processor().lanes(dtype), 1)

    @intrinsic
    def chains(_: Any, a: Any, count: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            vector, at = (
                Vectors(context, builder, a.dtype, lanes),
                pointer_to(context, builder, a, args[0], args[1].type(0)),
            )
            factor, sums = vector.load(at), [cgutils.alloca_once(builder, vector.type) for _ in range(12)]
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

    run = numba.njit(lambda a, count: chains(a, count))
    a, count = np.full(lanes, 1e-3, dtype), 100_000
    run(a, 1)

    def measure() -> float:
        start = time.thread_time_ns()
        run(a, count)
        return 12 * lanes * count / (time.thread_time_ns() - start)

    return measure


def timed(call: Call, times: int) -> tuple[float, int]:
    """Nanoseconds of processor time of a call, and page faults of all of them."""
    faults, start = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt, time.thread_time_ns()
    for _ in range(times):
        call()
    spent = time.thread_time_ns() - start
    return spent / times, resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - faults


def row(layer: Layer, work: Work, dtype: Any, rounds: int, peak: Callable[[], float]) -> float:
    """Measure, print, and return the ratio."""
    errors = [np.abs(np.asarray(call()) - work.exact).max() for call in (work.ours, work.theirs)]
    once, _ = timed(work.ours, 1)
    times = max(1, min(1000, int(3e6 / once)))
    ours, theirs, peaks = [], [], []
    faults = [0, 0]
    for _ in range(rounds):
        peaks.append(peak())
        for side, call, into in ((0, work.ours, ours), (1, work.theirs, theirs)):
            spent, faulted = timed(call, times)
            into.append(spent)
            faults[side] += faulted
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    fraction = work.multiply_adds / statistics.median(ours) / max(peaks)
    print(
        f"{np.dtype(dtype).name}  {layer.name:25} {work.name:2}  {statistics.median(ours) / 1e3:9.1f} us  "
        f"{fraction:4.0%} of peak  ratio {statistics.median(ratios):5.2f} ({min(ratios):.2f} to {max(ratios):.2f})  "
        f"error {errors[0]:.1e} / {errors[1]:.1e}  faults {faults[0]} / {faults[1]}",
        flush=True,
    )
    return statistics.median(ratios)


def main() -> None:
    """Print the rows, and the geometric mean and the smallest ratio for each dtype and sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few layers in float32, three rounds")
    parser.add_argument("--tuning", action="store_true", help="the layers for tuning instead of those reported")
    parser.add_argument("--only", default="", help="layers whose name contains this")
    parser.add_argument("--dtype", choices=["float32", "float64"], action="append")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--malloc", choices=["pooled", "default"], default="pooled")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rounds = 3 if options.quick else options.rounds
    layers = TUNING if options.tuning else REPORTED
    print(f"{description()}; torch {torch.__version__}; numba {numba.__version__}; load {os.getloadavg()[0]:.1f}")
    for dtype in options.dtype or (["float32"] if options.quick else ["float32", "float64"]):
        peak, ratios = probe(dtype), {"y": [], "dx": [], "dw": []}
        for layer in layers:
            if options.only in layer.name and (not options.quick or layer.name in QUICK):
                with torch.inference_mode():
                    for work in works(layer, dtype):
                        ratios[work.name].append(row(layer, work, dtype, rounds, peak))
        for name, values in ratios.items():
            if values:
                mean = statistics.geometric_mean(values)
                print(
                    f"{dtype}  {name:2}  geometric mean {mean:.2f}, smallest {min(values):.2f}, of {len(values)} layers"
                )
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
