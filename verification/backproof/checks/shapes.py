"""The user's own shapes, completely: what is not tried at these is no shape, only data, layouts and dtypes.

Every quantity is held to the specification on independent draws, until an error that is bilinear at this shape would
have been missed with probability below 2**-40 (`cases.chances`), in both dtypes; then in every memory layout.  Small
results are compared entry by entry with the oracle, large ones by random projection (`projection`).  Where all pairs of
entries take no more than `basis.CALLS` calls, each is tried by itself, which proves this shape (`basis`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from backproof.cases.chances import log2, missed
from backproof.cases.data import amplitudes, example, products
from backproof.cases.data import draw as drawn_data
from backproof.cases.levels import Case
from backproof.cases.shapes import OwnShape
from backproof.cases.shrink import simpler_cases
from backproof.checks import basis, projection
from backproof.checks.attempt import attempt
from backproof.checks.bench import EQUATIONS, Bench, Check, Found, Wrong
from backproof.checks.hunt import Family, hunt
from backproof.contract import Geometry

#: An error is missed with probability below 2**-BITS.
BITS = 40
#: Products of a forward pass up to which every entry is compared by itself.
ENTRYWISE = 2**20


def run(bench: Bench) -> None:
    """Each shape in each orientation that it leaves open."""
    asked = [(own, geometry) for own in bench.shapes for geometry in _geometries(bench, own)]
    for own, geometry in asked:
        bench.tally.shapes.append(_verify(bench, own, geometry))


def _geometries(bench: Bench, own: OwnShape) -> list[Geometry]:
    bias = bench.binding.bias != "never" if own.bias is None else own.bias
    orientations = bench.orientations if own.orientation is None else (own.orientation,)
    return [replace(own.geometry, bias=bias, orientation=orientation) for orientation in orientations]


def _verify(bench: Bench, own: OwnShape, g: Geometry) -> dict[str, Any]:
    """One shape, as the report has it: `method`, `calls`, the bounds, and the reason for what was not done."""
    record: dict[str, Any] = {
        "shape": own.text,
        "geometry": g.as_dict(),
        "dtypes": [dtype for dtype in own.dtypes or bench.binding.dtypes if dtype in bench.binding.dtypes],
        "products": _products(g),
        "verdict": "not verified",
        "method": "none",
        "calls": 0,
        "log2_missed": {},
        "log2_layouts": {},
        "log2_linear": 0.0,
        "reason": "",
    }
    reason = bench.binding.refuses(g) or _no_dtype(bench, own) or _no_range(g, record["dtypes"])
    if reason:
        bench.tally.not_supported[f"shape {own.text}: {reason}"] += 1
        return {**record, "reason": reason}
    calls, findings, compared = bench.tally.calls, bench.tally.findings, bench.tally.comparisons.total()
    told = replace(bench, report=lambda found: bench.report(_at(own, found)), database=None)
    for route in bench.routes():
        hunt(told, _family(told, route, g, record["dtypes"]))
    record["method"] = "projection" if _large(g) else "draws"
    if bench.tally.findings == findings and bench.tally.comparisons.total() > compared:
        record |= _further(told, g, record["dtypes"])
    if bench.tally.findings > findings:
        record["verdict"] = "failed"
    return record | {"calls": bench.tally.calls - calls}


def _further(bench: Bench, g: Geometry, dtypes: list[str]) -> dict[str, Any]:
    """What examples without a finding are worth, and the proof, or why there is none."""
    if bench.binding.algorithm == "direct" and (reason := _lacking(bench, g, dtypes)):
        return {"reason": reason}
    done: dict[str, Any] = {
        "verdict": "passed",
        "log2_missed": _bounds(bench, g, plain=True),
        "log2_layouts": _bounds(bench, g, plain=False),
    }
    try:
        return done | {"method": "proof", "log2_linear": log2(_proved(bench, g, dtypes))}
    except basis.NoProofError as error:
        return done | {"reason": str(error)}


def _proved(bench: Bench, g: Geometry, dtypes: list[str]) -> float:
    """The bits of the test of linearity.

    Raises:
        NoProofError: Why there is no proof.
    """
    if bench.binding.algorithm != "direct":
        raise basis.NoProofError("no proof: an indirect algorithm rounds")
    routes = [_computed(route, g) for route in bench.routes()]
    needed = sum(basis.calls(g, route) for route in routes)
    if needed > basis.CALLS:
        raise basis.NoProofError(f"no proof: all pairs of entries are {needed:,} calls, more than {basis.CALLS:,}")
    cases = [Case(g, dtype, "wide", seed=bench.seed) for dtype in dtypes]
    return min(basis.prove(bench, route, case, BITS) for route in routes for case in cases)


def _computed(route: dict[str, str], g: Geometry) -> dict[str, str]:
    return {quantity: function for quantity, function in route.items() if quantity != "db" or g.bias}


# ---- draws


def _family(bench: Bench, route: dict[str, str], g: Geometry, dtypes: list[str]) -> Family[Case]:
    return Family(
        quantities=tuple(_computed(route, g)),
        fixed=list(_cases(bench, g, dtypes)),
        search=0,
        sizes=(),
        case=lambda row, seed: Case(g, seed=seed),
        attempt=lambda case, wanted: _attempt(bench, route, case, wanted),
        simpler=lambda case: (
            c for c in simpler_cases(case) if bench.accepts(c.geometry) and c.dtype in bench.binding.dtypes
        ),
        arrays=lambda case: drawn_data(case).arrays() if _large(case.geometry) else example(case).arrays,
    )


def _attempt(bench: Bench, route: dict[str, str], case: Case, wanted: Iterable[str]) -> list[Wrong]:
    way = projection.attempt if _large(case.geometry) else attempt
    return way(bench, route, case, wanted)


def _cases(bench: Bench, g: Geometry, dtypes: list[str]) -> Iterator[Case]:
    """Plain memory first; a large shape takes its other layouts once each."""
    seed = bench.seed
    for layout in ("C", *(name for name in bench.binding.layouts if name != "C")):
        for dtype in dtypes:
            roles = ("dy",) if layout == "broadcast" else ("x", "w", "dy")
            laid = () if layout == "C" else tuple((role, layout) for role in roles)
            free = projection.HEADROOM if _large(g) and dtype == "float64" else 0
            case = Case(g, dtype, "wide", laid, headroom=max(free, bench.space.headroom))
            for _ in range(1 if laid and _large(g) else _draws(case)):
                seed += 1
                yield replace(case, seed=seed)


def _draws(case: Case) -> int:
    """How many examples it takes until a bilinear error is missed with probability below 2**-BITS."""
    largest = amplitudes(case.profile, case.dtype, products(case.geometry), case.headroom)
    if case.geometry.bias:
        largest = {**largest, "b": largest["x"] * largest["w"]}
    chances = (projection.chances if _large(case.geometry) else missed)(case, largest)
    worst = max(chance for quantity, chance in chances.items() if quantity != "db" or case.geometry.bias)
    return math.floor(BITS / -math.log2(worst)) + 1


def _bounds(bench: Bench, g: Geometry, *, plain: bool) -> dict[str, float]:
    """Per quantity the largest bound over functions and dtypes, in plain memory or over all other layouts."""
    bounds = {}
    for quantity, configurations in bench.tally.chances.bits.items():
        totals = [
            sum(seeds.values())
            for (_, geometry, _, layouts), seeds in configurations.items()
            if geometry == g and (not layouts) == plain
        ]
        if totals:
            bounds[quantity] = log2(min(totals))
    return bounds


def _products(g: Geometry) -> int:
    """Products of a forward pass, those with padding included."""
    return math.prod(g.y_shape) * math.prod(g.w_shape[1:])


def _large(g: Geometry) -> bool:
    return _products(g) > ENTRYWISE


def _no_dtype(bench: Bench, own: OwnShape) -> str:
    lacking = [dtype for dtype in own.dtypes or () if dtype not in bench.binding.dtypes]
    return f"the target does not support {', '.join(lacking)}" if lacking else ""


def _no_range(g: Geometry, dtypes: list[str]) -> str:
    try:
        for dtype in dtypes:
            amplitudes("wide", dtype, products(g), projection.HEADROOM if dtype == "float64" else 0)
    except ValueError as error:
        return str(error)
    return ""


def _lacking(bench: Bench, g: Geometry, dtypes: list[str]) -> str:
    """What was asked for in plain memory and gave no result: a known defect, or NotImplementedError."""
    tried, none = bench.tally.chances.bits, dict[Any, Any]()
    lacking = [
        f"{quantity} by {function} in {dtype}"
        for route in bench.routes()
        for quantity, function in _computed(route, g).items()
        for dtype in dtypes
        if (function, g, dtype, ()) not in tried.get(quantity, none)
    ]
    return f"no result for {', '.join(lacking)}" if lacking else ""


def _at(own: OwnShape, found: Found) -> Found:
    """A finding says at which shape it was seen; its case may be a smaller one."""
    wrong = found.wrong
    return replace(found, wrong=replace(wrong, details=(*wrong.details, f"first seen at the shape {own.text}")))


CHECK = Check(
    "shapes",
    "Your own shapes, completely",
    tuple(dict.fromkeys(e for equations in EQUATIONS.values() for e in equations)),
    run,
    of_shapes=True,
)
