"""The rules of `contract` for poolings: every dtype and layout, the empty batch, and windows that do not fit.

y and dx have x's dtype; no input is written to; an empty batch works; a geometry in which no window fits is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from backproof.cases.pool_data import pool_example
from backproof.cases.pooling import PoolCase
from backproof.checks.bench import Bench, Found, Wrong, of_pooling
from backproof.checks.rules import broken
from backproof.contract import PoolGeometry
from backproof.targets.calls import Results

_SHAPES = (
    PoolGeometry(channels=2, size=(4, 6), kernel_size=(2, 3), stride=(2, 3)),
    PoolGeometry(batch=2, size=(3, 4), kernel_size=(2, 2), padding=((1, 1), (1, 1))),
    PoolGeometry(size=(2, 3), kernel_size=(1, 1)),  # nothing to pool: a copy, and no view
)

#: No window fits: by one pixel, by less than the stride, and where ceil mode does not help.
_TOO_SMALL = (
    PoolGeometry(size=(1, 2), kernel_size=(2, 2)),
    PoolGeometry(size=(2, 2), kernel_size=(3, 3), stride=(2, 2)),
    PoolGeometry(size=(1, 1), kernel_size=(4, 4), stride=(2, 2), ceil_mode=True),
)


def run(bench: Bench) -> None:
    """Each rule at a few cases; each broken rule reported once per quantity."""
    for kind in bench.pools():
        for found in _refusals(bench, kind):
            bench.report(found)
    reported: set[tuple[str, str, str]] = set()
    for kind, functions in bench.pools().items():
        worked: set[str] = set()
        for case in _cases(bench, kind):
            drawn = pool_example(case)
            for wrong in broken(bench, functions, drawn, worked):
                rule = (wrong.kind, wrong.quantity, wrong.function)
                if rule not in reported:
                    reported.add(rule)
                    bench.report(Found(of_pooling(wrong, kind), case, drawn.arrays, bench.tally.examples))


def _accepted(bench: Bench, kind: str, shapes: tuple[PoolGeometry, ...]) -> list[PoolGeometry]:
    counts = bench.binding.pooling.divisor == "kernel"
    held = (replace(g, kind=kind, count_include_pad=counts or kind != "average") for g in shapes)  # type: ignore[arg-type]
    return [g for g in held if bench.accepts(g)]


def _cases(bench: Bench, kind: str) -> Iterator[PoolCase]:
    geometries = _accepted(bench, kind, _SHAPES)
    dtypes, layouts = bench.binding.dtypes, [layout for layout in bench.binding.layouts if layout != "broadcast"]
    for number, (dtype, geometry) in enumerate(product(dtypes, geometries)):
        yield PoolCase(geometry, dtype, seed=bench.seed + number)
    for number, layout in enumerate(layouts if geometries else []):
        dtype = dtypes[number % len(dtypes)]
        yield PoolCase(geometries[0], dtype, layouts=(("x", layout), ("dy", layout)), seed=bench.seed)
    for dtype, geometry in product(dtypes, geometries[:2]):
        yield PoolCase(replace(geometry, batch=0), dtype, seed=bench.seed)


def _refusals(bench: Bench, kind: str) -> Iterator[Found]:
    function = f"{kind}_pool"
    for geometry in _accepted(bench, kind, _TOO_SMALL):
        case = PoolCase(geometry, bench.binding.dtypes[0])
        x = np.arange(1, 1 + np.prod(geometry.x_shape), dtype=case.dtype).reshape(geometry.x_shape)
        bench.tally.examples += 1
        reply = bench.call(geometry, {"x": x}, [function])
        if isinstance(reply, Results) and reply.values.get("y", x).size:
            bench.tally.comparisons["y"] += 1
            shape = reply.values["y"].shape
            summary = (
                f"{function} returned y of shape {shape} for an image of {geometry.size} and windows of "
                f"{geometry.kernel_size}, where none fits; raise ValueError"
            )
            wrong = Wrong("not refused", "y", function, summary, expected="ValueError", actual=str(shape))
            yield Found(of_pooling(wrong, kind), case, {"x": x}, bench.tally.examples)
            return
