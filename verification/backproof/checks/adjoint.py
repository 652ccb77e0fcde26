"""Gradients against the target's own forward, at any size, by identities in which no specification occurs.

    <dy, y(x + v, w, b) - y(x, w, b)> = <dx, v>       and so for w and dw, b and db
    y(x) = 2*y(x + v) - y(x + 2*v)                    y has degree 1 in each of x, w and b
    d(dy) = d(dy + e) - d(e)                          dx, dw and db are linear in dy

On small integers these are exact, and each costs a few calls whatever the size; `finite_differences` moves every entry
by itself, and so stays with tiny shapes.  This is what verifies a target that declares SPECIFICATION = "none": a
linear operator of its own, such as a transposed convolution, whose results have the shape that forward gives them.

Where there is a specification, it decides who is to blame: forward, where the gradient is as specified.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from backproof.cases.data import Array, specified
from backproof.cases.designs import tiny
from backproof.cases.levels import Case
from backproof.cases.shrink import simpler_cases
from backproof.checks.bench import EQUATIONS, Bench, Check, Tally, Wrong, compare, misbehaviour, rounded
from backproof.checks.hunt import Family, hunt
from backproof.contract import QUANTITIES, Shape
from backproof.targets.calls import Raised, Results

#: Of the examples that a run asks for, one in so many: with a specification, and without one.
SHARE = {"convolution": 100, "none": 4}
#: And of the fixed set about so many; of a quick run, half as many.
CASES = {"convolution": 12, "none": 33}
#: Gradients with no more entries than this are searched for the first that is wrong.
_SEARCHED = 64
_LARGEST = 4

Arrays = dict[str, Array]


class _NoResultError(Exception):
    """A call gave no result; carries what is wrong with that."""

    def __init__(self, wrongs: list[Wrong]) -> None:
        self.wrongs = wrongs


def run(bench: Bench) -> None:
    """Hunt for identities that fail; with a specification briefly, each route with shapes of its own."""
    kind, routes, known = bench.binding.specification, bench.routes(), _Known()
    cases = _cases(bench)
    for number, route in enumerate(routes):
        hunt(bench, _family(bench, route, cases if kind == "none" else cases[number :: len(routes)], known))


def _cases(bench: Bench) -> list[Case]:
    """A few shapes with each option in turn; many, where no other check tries any."""
    everything = bench.fixed
    wanted = CASES[bench.binding.specification] // (1 if bench.examples else 2)
    step = len(everything) // wanted
    return [_small(case) for case in everything[:: max(step, 1)]]


def _small(case: Case) -> Case:
    return replace(case, profile="small", layouts=())


@dataclass(slots=True)
class _Known:
    """What forward showed: the shape of y, where there is no specification, and whether it was found not linear."""

    shapes: dict[Case, Shape] = field(default_factory=dict)
    crooked: bool = False


def _family(bench: Bench, route: dict[str, str], cases: list[Case], known: _Known) -> Family[Case]:
    def attempt(case: Case, wanted: Iterable[str]) -> Iterator[Wrong]:
        bench.tally.examples += 1
        try:
            yield from _identities(bench, route, case, list(wanted), known)
        except _NoResultError as error:
            yield from error.wrongs

    def simpler(case: Case) -> Iterator[Case]:
        for candidate in map(_small, simpler_cases(case)):
            if bench.accepts(candidate.geometry) and candidate.dtype in bench.binding.dtypes:
                yield candidate

    return Family(
        quantities=tuple(route),
        fixed=cases,
        search=bench.examples // SHARE[bench.binding.specification],
        sizes=(*bench.space.sizes, 1),
        case=lambda row, seed: _small(bench.space.case(row[:-1], seed)),
        attempt=attempt,
        simpler=simpler,
        arrays=lambda case: _drawn(case, known.shapes.get(case, case.geometry.y_shape))[0],
    )


def _drawn(case: Case, y_shape: Shape) -> tuple[Arrays, Arrays]:
    """Small integers for x, w, b and dy, and as many by which to move them."""
    rng = np.random.default_rng(case.seed)
    geometry = case.geometry
    shapes = {"x": geometry.x_shape, "w": geometry.w_shape, "b": geometry.b_shape, "dy": y_shape}
    roles = [role for role in shapes if role != "b" or geometry.bias]
    first, moves = (
        {role: rng.integers(-_LARGEST, _LARGEST, shapes[role], endpoint=True).astype(case.dtype) for role in roles}
        for _ in range(2)
    )
    return first, moves


# ---- the identities


def _identities(bench: Bench, route: dict[str, str], case: Case, wanted: list[str], known: _Known) -> Iterator[Wrong]:
    own = _Own(bench, case)
    y, y_shape = None, case.geometry.y_shape
    if bench.binding.function("forward") is not None:
        y = own.forward(_drawn(case, (0,))[0])
        if bench.binding.specification == "none":
            known.shapes[case] = y_shape = y.shape
    arrays, moves = _drawn(case, y_shape)
    if y is not None and y.shape != y_shape:
        yield compare("y", "forward", y, np.empty(y_shape)) or Wrong("shape", "y", "forward", "")
        return
    if y is not None and "y" in wanted:
        crooked = next(_degree_one(own, arrays, moves, y), None)
        if crooked is not None:
            known.crooked = True
            yield crooked
    asked = route if "y" in wanted else wanted  # forward is judged by all of them
    functions = {q: route[q] for q in asked if q != "y" and q.removeprefix("d") in arrays}
    if not functions:
        return
    gradients = own.gradients(arrays, arrays["dy"], functions)
    moved, along = (own.gradients(arrays, dy, functions) for dy in (arrays["dy"] + moves["dy"], moves["dy"]))
    for quantity, function in functions.items():
        role, gradient = quantity.removeprefix("d"), gradients[quantity]
        bench.tally.comparisons[quantity] += 1
        bench.tally.without_evidence[quantity] += not gradient.any()
        if gradient.shape != arrays[role].shape:
            yield compare(quantity, function, gradient, arrays[role]) or Wrong("shape", quantity, function, "")
        elif (wrong := compare(quantity, function, gradient, moved[quantity] - along[quantity])) is not None:
            yield _told(wrong, f"{quantity} is not linear in dy: it must be {quantity}(dy + e) - {quantity}(e)")
        elif y is not None and not known.crooked:
            wrong = _adjoint(own, arrays, moves[role], y, quantity, function, gradient)
            if wrong is not None:
                yield wrong


def belong(bench: Bench, case: Case) -> tuple[str, ...]:
    """The gradients, if all are adjoints of the target's own forward, at a case's shape and at tiny ones."""
    counted, bench.tally = bench.tally, Tally()
    try:
        shapes = [case.geometry, *(replace(g, bias=case.geometry.bias) for g in tiny(case.geometry.orientation))]
        cases = [Case(g, case.dtype, "small", seed=bench.seed + k) for k, g in enumerate(shapes) if bench.accepts(g)]
        route = {q: function for routed in bench.routes()[:1] for q, function in routed.items() if q != "y"}
        if not route:
            return ()
        wrong = next((w for c in cases for w in _identities(bench, route, c, list(route), _Known())), None)
        return () if wrong else tuple(route)
    except _NoResultError:
        return ()
    finally:
        bench.tally = counted


def _degree_one(own: _Own, arrays: Arrays, moves: Arrays, y: Array) -> Iterator[Wrong]:
    for role in [role for role in arrays if role != "dy"]:
        own.bench.tally.comparisons["y"] += 1
        own.bench.tally.without_evidence["y"] += not y.any()
        once, twice = (own.forward({**arrays, role: arrays[role] + k * moves[role]}) for k in (1, 2))
        if (wrong := compare("y", "forward", y, 2 * once - twice)) is not None:
            yield _told(wrong, f"y is not linear in {role}: y({role}) must be 2*y({role} + v) - y({role} + 2*v)")


def _adjoint(
    own: _Own, arrays: Arrays, move: Array, y: Array, quantity: str, function: str, gradient: Array
) -> Wrong | None:
    role = quantity.removeprefix("d")
    due = _inner(arrays["dy"], own.forward({**arrays, role: arrays[role] + move}) - y)
    if due == (given := _inner(gradient, move)):
        return None
    detail = f"<dy, y({role} + v) - y({role})> is {due:g}, and <{quantity}, v> is {given:g}"
    if own.bench.binding.specification != "none":
        expected = specified(own.case.geometry, {r: array.astype(np.int64) for r, array in arrays.items()})
        if np.array_equal(gradient, expected[quantity]):
            wrong = compare("y", "forward", y, expected["y"]) or Wrong("value", "y", "forward", "")
            text = f"{quantity}, which is as specified, is not the gradient of the target's own forward"
            return replace(wrong, summary=text, details=(detail,))
    wrong = Wrong("value", quantity, function, "", (detail,))
    return _located(own, arrays, y, gradient, wrong)


def _located(own: _Own, arrays: Arrays, y: Array, gradient: Array, wrong: Wrong) -> Wrong:
    """The first entry that is no derivative of forward, where there are few."""
    text, role = "is not the gradient of the target's own forward", wrong.quantity.removeprefix("d")
    if gradient.size > _SEARCHED:
        return replace(wrong, summary=f"{wrong.quantity} {text}")
    derivatives = np.empty(gradient.shape)
    for index in np.ndindex(gradient.shape):
        moved = arrays[role].copy()
        moved[index] += 1
        derivatives[index] = _inner(arrays["dy"], own.forward({**arrays, role: moved}) - y)
    found = compare(wrong.quantity, wrong.function, gradient, derivatives)
    if found is None:
        return replace(wrong, summary=f"{wrong.quantity} {text}")
    return _told(replace(found, details=wrong.details), f"{wrong.quantity} {text}")


def _told(wrong: Wrong, text: str) -> Wrong:
    return replace(wrong, summary=f"{text}, in {wrong.wrong} of {wrong.compared} entries")


def _inner(left: Array, right: Array) -> float:
    """Exact: integers far below 2**53."""
    return float((left.astype(np.float64) * right.astype(np.float64)).sum())


@dataclass(frozen=True, slots=True)
class _Own:
    """The target's own functions at a case."""

    bench: Bench
    case: Case

    def forward(self, arrays: Arrays) -> Array:
        """`y` of x, w and b."""
        return self._call({role: arrays[role] for role in arrays if role != "dy"}, {"y": "forward"})["y"]

    def gradients(self, arrays: Arrays, dy: Array, functions: dict[str, str]) -> Arrays:
        """Those of `quantity -> function` at x, w and b, for a cotangent."""
        return self._call({**arrays, "dy": dy}, functions)

    def _call(self, arrays: Arrays, functions: dict[str, str]) -> Arrays:
        reply = self.bench.call(self.case.geometry, arrays, list(dict.fromkeys(functions.values())))
        if isinstance(reply, Raised) and reply.type == "ValueError" and self.bench.binding.specification == "none":
            self.bench.tally.not_supported[f"{reply.function} raised ValueError: {reply.message}"] += 1
            raise _NoResultError([])  # what it takes is its own affair
        if not isinstance(reply, Results):
            failed = getattr(reply, "function", None)
            raise _NoResultError(misbehaviour(reply, [q for q, f in functions.items() if f == failed] or ["y"]))
        if lacking := [q for q in functions if q not in reply.values]:
            function = functions[lacking[0]]
            text = f"{function} returned no {lacking[0]}"
            raise _NoResultError([Wrong("malformed", lacking[0], function, text)])
        return {q: rounded(self.bench.binding, reply.values[q]).astype(np.float64) for q in functions}


CHECK = Check(
    "adjoint",
    "Gradients as adjoints of the target's own forward",
    tuple(dict.fromkeys(e for q in QUANTITIES for e in EQUATIONS[q])),
    run,
    specified=False,
)
