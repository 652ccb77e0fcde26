"""The chain of layers, exactly: deltas, output delta and error, and whole small networks of the target's own functions.

    delta_l = dx(delta_(l+1), w_(l+1)) * a'(c_l)      delta_L = (o_L - t) * a'(c_L)      E = 1/2 * sum((t - o_L)**2)

Activations are polynomials, so that nothing is rounded: `cases.polynomials`.  In a network, functions are handed the
very arrays that others returned (`checks.networks`), which single calls never are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from backproof.cases.deltas import (
    POINT_FACTORS,
    DeltaCase,
    Drawn,
    PointCase,
    delta_example,
    point_case,
    point_example,
    simpler_deltas,
    simpler_points,
)
from backproof.cases.polynomials import POLYNOMIALS
from backproof.checks import networks
from backproof.checks.bench import Bench, Check, Wrong, compare, misbehaviour, rounded
from backproof.checks.hunt import Family, hunt
from backproof.checks.programs import INPUTS
from backproof.targets.calls import Results

#: Of the examples that a run asks for, one in so many.
_SHARE = 10
_EVERY = 2


def run(bench: Bench) -> None:
    """Hunt in each function of the chain that the target has, then in networks."""
    bound = {function.role for function in bench.binding.functions}
    points = {q: f for q, f in (("output delta", "output_delta"), ("E", "error")) if f in bound}
    families: list[Family[Any]] = [_points(bench, points)] if points else []
    families += [_deltas(bench)] if "delta" in bound else []
    hunt(bench, *families, *networks.families(bench, bench.examples // _SHARE))


def _polynomials(bench: Bench) -> tuple[str, ...]:
    """An algorithm that rounds is rounded to integers, of which a leaky ReLU's slope makes quarters."""
    return POLYNOMIALS if bench.space.headroom == 0 else tuple(p for p in POLYNOMIALS if p != "leaky_relu")


def _deltas(bench: Bench) -> Family[DeltaCase]:
    names = _polynomials(bench)
    fixed = [DeltaCase(case, names[k % len(names)]) for k, case in enumerate(bench.fixed[::_EVERY])]

    def case(row: Sequence[int], seed: int) -> DeltaCase:
        return DeltaCase(bench.space.case(row[:-1], seed), names[row[-1]])

    def attempt(case: DeltaCase, wanted: Iterable[str]) -> Iterator[Wrong]:
        return _judged(bench, case, _drawn(case), {q: "delta" for q in wanted if q == "delta"})

    def simpler(case: DeltaCase) -> Iterator[DeltaCase]:
        known = (c for c in simpler_deltas(case) if bench.accepts(c.geometry) and c.dtype in bench.binding.dtypes)
        return (c for c in known if c.activation in names)

    return Family(
        quantities=("delta", *INPUTS),
        fixed=fixed,
        search=bench.examples // _SHARE,
        sizes=(*bench.space.sizes, len(names)),
        case=case,
        attempt=attempt,
        simpler=simpler,
        arrays=lambda case: _drawn(case).arrays,
    )


def _drawn(case: DeltaCase) -> Drawn:
    """With the highest power of c for which sums leave room."""
    for name in POLYNOMIALS[POLYNOMIALS.index(case.activation) :: -1]:
        try:
            return delta_example(DeltaCase(case.above, name))
        except ValueError:
            if name == POLYNOMIALS[0]:
                raise
    raise AssertionError


def _points(bench: Bench, functions: dict[str, str]) -> Family[PointCase]:
    supported = {"dtype": bench.binding.dtypes, "layout": bench.binding.layouts}
    factors = {
        name: tuple(level for level in levels if name not in supported or level in supported[name])
        for name, levels in POINT_FACTORS.items()
    }
    shapes, dtypes, layouts = (len(factors[name]) for name in ("shape", "dtype", "layout"))
    powers = len(POLYNOMIALS)
    fixed = [
        point_case(factors, (k % shapes, (k + k // shapes) % powers, k % dtypes, k % layouts), bench.seed + k)
        for k in range(3 * shapes)
    ]

    def attempt(case: PointCase, wanted: Iterable[str]) -> Iterator[Wrong]:
        return _judged(bench, case, point_example(case), {q: functions[q] for q in wanted if q in functions})

    return Family(
        quantities=(*functions, *INPUTS),
        fixed=fixed,
        search=bench.examples // _SHARE,
        sizes=tuple(len(levels) for levels in factors.values()),
        case=lambda row, seed: point_case(factors, row, seed),
        attempt=attempt,
        simpler=lambda case: (c for c in simpler_points(case) if c.dtype in bench.binding.dtypes),
        arrays=lambda case: point_example(case).arrays,
    )


def _judged(bench: Bench, case: DeltaCase | PointCase, drawn: Drawn, functions: dict[str, str]) -> Iterator[Wrong]:
    bench.tally.examples += bool(functions)
    for quantity, function in functions.items():
        reply = bench.call(case.geometry, drawn.arrays, [function], dict(case.layouts), f"our {case.activation}")
        if not isinstance(reply, Results):
            yield from misbehaviour(reply, [quantity])
            continue
        bench.tally.comparisons[quantity] += 1
        bench.tally.without_evidence[quantity] += not drawn.evidence[quantity]
        wrong = compare(quantity, function, rounded(bench.binding, reply.values[quantity]), drawn.expected[quantity])
        if wrong is not None:
            yield wrong
        for role in reply.mutated:
            yield Wrong("mutated", role, function, f"{function} wrote to its input {role}; work on a copy")


CHECK = Check(
    "chain",
    "Deltas, error and whole networks, exactly",
    ("output", "error", "output-delta", "deltas", "weight-gradient", "bias-gradient"),
    run,
)
