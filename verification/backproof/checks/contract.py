"""What an implementation promises besides values: shapes, dtypes, inputs left alone, results of its own.

y and the gradients have x's dtype; no input is written to; an empty batch works; a geometry in which no window
    fits is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from backproof.cases.data import Array, example
from backproof.cases.designs import tiny, twins
from backproof.cases.levels import Case
from backproof.checks.bench import Bench, Check, Found, Wrong, misbehaviour
from backproof.contract import Geometry
from backproof.targets.calls import Results


def run(bench: Bench) -> None:
    """Each rule over a few shapes, every dtype and layout; each broken rule reported once per quantity."""
    reported: set[tuple[str, str, str]] = set()
    worked: set[str] = set()
    cases = [(route, case) for route in bench.routes() for case in _cases(bench)]
    for number, (route, case) in enumerate(cases):
        for wrong in _broken(bench, route, case, worked):
            rule = (wrong.kind, wrong.quantity, wrong.function)
            if rule not in reported:
                reported.add(rule)
                bench.report(Found(wrong, case, example(case).arrays, bench.tally.examples))
        bench.progress(number + 1, len(cases) + 1)
    for wrong, case, arrays in _refusals(bench):
        bench.report(Found(wrong, case, arrays, bench.tally.examples))
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


def _broken(bench: Bench, route: dict[str, str], case: Case, worked: set[str]) -> Iterator[Wrong]:
    """Each function is called by itself, so that the right one is blamed."""
    drawn = example(case)
    bench.tally.examples += 1
    for function in dict.fromkeys(route.values()):
        functions = {quantity: function for quantity, name in route.items() if name == function}
        reply = bench.call(case.geometry, drawn.arrays, [function], dict(case.layouts))
        if isinstance(reply, Results):
            worked.add(function)
            yield from _rules(bench, case, reply, functions)
        elif case.geometry.batch == 0 and function in worked:  # elsewhere the exact check reports it
            for wrong in misbehaviour(reply, list(functions)):
                yield replace(wrong, kind="empty batch", summary=f"with an empty batch (N = 0), {wrong.summary}")


def _rules(bench: Bench, case: Case, reply: Results, functions: dict[str, str]) -> Iterator[Wrong]:
    for quantity, function in functions.items():
        if quantity not in reply.values:
            continue
        value, shape = reply.values[quantity], case.geometry.shape_of(quantity)
        bench.tally.comparisons[quantity] += 1
        if str(value.dtype) != case.dtype:
            text = f"{quantity} has dtype {value.dtype} where x has {case.dtype}; return x's dtype"
            yield Wrong("dtype", quantity, function, text, expected=case.dtype, actual=str(value.dtype))
        if value.shape != shape:
            text = f"{quantity} has shape {value.shape}; it must have shape {shape}"
            yield Wrong("shape", quantity, function, text, expected=str(shape), actual=str(value.shape))
        elif case.geometry.batch == 0 and value.any():
            text = f"with an empty batch (N = 0), {quantity} is not zero"
            yield Wrong("empty batch", quantity, function, text, expected="0", actual=repr(value.flat[0].item()))
    function = next(iter(functions.values()))
    for role in reply.mutated:
        text = f"{function} wrote to its input {role}, or to the memory around it; work on a copy"
        yield Wrong("mutated", role, function, text)
    for quantity in reply.aliased:
        if case.geometry.batch:
            text = f"{quantity} shares memory with an input; return an array of its own"
            yield Wrong("aliased", quantity, function, text)
    for quantity in reply.reused:
        text = f"{quantity} is returned in memory that an earlier result still uses; return an array of its own"
        yield Wrong("reused", quantity, function, text)


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
