"""The gradients against SymPy's own derivatives of E, on small shapes: no chain rule is written anywhere.

E = 1/2 * sum (t - y)^2,   dE/dx, dE/dw, dE/db by sympy's differentiation of that polynomial,   dy = y - t
"""

from __future__ import annotations

from dataclasses import replace

from backproof.cases.data import Array, Example, example
from backproof.cases.designs import tiny
from backproof.cases.levels import Case
from backproof.checks.attempt import judge
from backproof.checks.bench import Bench, Check, Found
from backproof.contract import Geometry
from backproof_spec.oracle.symbolic import error_polynomial


def run(bench: Bench) -> None:
    """Compare at every tiny geometry that the target accepts; the first failure of each quantity is reported."""
    bias = bench.space.factors["bias"][-1]
    geometries = [replace(g, bias=bias) for orientation in bench.orientations for g in tiny(orientation)]
    routes = [(route, g) for route in bench.routes() for g in geometries if bench.accepts(g)]
    failed: set[tuple[str, str]] = set()
    for number, (route, geometry) in enumerate(routes):
        drawn = derivatives(Case(geometry, bench.space.factors["dtype"][0], "small", seed=bench.seed + number))
        bench.tally.examples += 1
        report_gradients(bench, drawn, route, failed, "differs from SymPy's derivative of E")
        bench.progress(number + 1, len(routes))


def report_gradients(
    bench: Bench, drawn: Example, route: dict[str, str], failed: set[tuple[str, str]], difference: str
) -> None:
    """Hold a route's gradients to an example; each (quantity, function) is reported once, then left out."""
    functions = {q: f for q, f in route.items() if q in drawn.expected and (q, f) not in failed}
    for wrong in judge(bench, drawn, functions, drawn.expected):
        failed.update((quantity, wrong.function) for quantity in wrong.quantity.split("+"))
        summary = wrong.summary.replace("differs from the specification", difference)
        bench.report(Found(replace(wrong, summary=summary), drawn.case, drawn.arrays, bench.tally.examples))


def derivatives(case: Case) -> Example:
    """A case whose cotangent is `y - t`, and whose expected gradients SymPy differentiated."""
    drawn = example(case)
    target = drawn.arrays["dy"]  # any integers of y's shape
    cotangent = drawn.expected["y"] - target
    values = {role: drawn.arrays[role].astype(int) for role in drawn.arrays if role != "dy"} | {"t": target.astype(int)}
    expected = _gradients(case.geometry, values)
    arrays = {**drawn.arrays, "dy": cotangent}
    return Example(
        case,
        arrays,
        {q: expected[q].astype(case.dtype) for q in drawn.expected if q != "y"},
        {q: bool(expected[q].any()) for q in drawn.expected if q != "y"},
    )


def _gradients(geometry: Geometry, values: dict[str, Array]) -> dict[str, Array]:
    values.setdefault("b", values["w"].reshape(geometry.out_channels, -1)[:, 0] * 0)
    polynomial = error_polynomial(geometry.x_shape, geometry.w_shape, **geometry.options())
    return polynomial.gradients(values)


CHECK = Check(
    "symbolic",
    "Gradients against SymPy's derivatives of E",
    ("error", "deltas", "weight-gradient", "bias-gradient"),
    run,
)
