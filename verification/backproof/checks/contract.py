"""What an implementation promises besides values: shapes, dtypes, inputs left alone, results of its own.

y and the gradients have x's dtype; no input is written to; an empty batch works; a geometry in which no window
    fits is refused.

The same holds of poolings (`pool_contract`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from backproof.cases.data import Array, example
from backproof.cases.designs import tiny, twins
from backproof.cases.levels import Case
from backproof.checks import pool_contract
from backproof.checks.bench import Bench, Check, Found, Wrong
from backproof.checks.rules import broken
from backproof.contract import Geometry
from backproof.targets.calls import Results


def run(bench: Bench) -> None:
    """Each rule over a few shapes, every dtype and layout; each broken rule reported once per quantity."""
    for wrong, case, arrays in _refusals(bench):
        bench.report(Found(wrong, case, arrays, bench.tally.examples))
    pool_contract.run(bench)
    reported: set[tuple[str, str, str]] = set()
    worked: set[str] = set()
    cases = [(route, case) for route in bench.routes() for case in _cases(bench)]
    for number, (route, case) in enumerate(cases):
        for wrong in broken(bench, route, example(case), worked):
            rule = (wrong.kind, wrong.quantity, wrong.function)
            if rule not in reported:
                reported.add(rule)
                bench.report(Found(wrong, case, example(case).arrays, bench.tally.examples))
        bench.progress(number + 1, len(cases) + 1)
    bench.progress(len(cases) + 1, len(cases) + 1)


def _cases(bench: Bench) -> Iterator[Case]:
    bias = bench.space.factors["bias"][-1]
    shapes = [*tiny(bench.orientations[0]), *twins(bench.orientations[0])[:2]]
    geometries = [g for g in (replace(shape, bias=bias) for shape in shapes) if bench.accepts(g)]
    geometries = geometries or [bench.space.case(tuple(0 for _ in bench.space.sizes), bench.seed).geometry]
    dtypes, layouts = bench.space.factors["dtype"], bench.space.factors["x_layout"]
    for number, (dtype, geometry) in enumerate(product(dtypes, geometries[:4])):
        yield Case(geometry, dtype, "small", seed=bench.seed + number)
    for dtype, layout in product(dtypes, layouts[1:]):
        yield Case(geometries[0], dtype, "small", (("x", layout), ("w", layout)), bench.seed)
    for dtype, geometry in product(dtypes, geometries[:2]):
        yield Case(replace(geometry, batch=0), dtype, "small", seed=bench.seed)


def _refusals(bench: Bench) -> Iterator[tuple[Wrong, Case, dict[str, Array]]]:
    """A kernel larger than the padded image: by one pixel, and by less than the stride (where truncation gives 1)."""
    bias = bench.space.factors["bias"][-1]
    too_small = (
        Geometry(1, 1, 1, (1, 2), (2, 2), orientation=bench.orientations[0], bias=bias),
        Geometry(1, 1, 1, (2, 2), (3, 3), stride=(2, 2), orientation=bench.orientations[0], bias=bias),
    )
    for geometry in filter(bench.accepts, too_small):
        case = Case(geometry, bench.space.factors["dtype"][0], "small")
        whole = example(replace(case, geometry=replace(geometry, size=geometry.kernel_size)))
        rows, columns = geometry.size
        arrays = {**whole.arrays, "x": whole.arrays["x"][:, :, :rows, :columns].copy()}
        del arrays["dy"]
        bench.tally.examples += 1
        reply = bench.call(geometry, arrays, ["forward"])
        if isinstance(reply, Results) and reply.values.get("y", arrays["x"]).size:
            bench.tally.comparisons["y"] += 1
            shape = reply.values["y"].shape
            summary = (
                f"forward returned y of shape {shape} for an image of {geometry.size} and a kernel of "
                f"{geometry.kernel_size}, where no window fits; raise ValueError"
            )
            yield Wrong("not refused", "y", "forward", summary, expected="ValueError", actual=str(shape)), case, arrays
            return


CHECK = Check("contract", "Shapes, dtypes, inputs, the empty batch", (), run)
