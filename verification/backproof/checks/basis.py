"""A proof for one shape: each product of two entries by itself.

A bilinear map is known from its values on pairs of unit vectors.  So at a shape, if y is bilinear in x and w and linear
in b, dx bilinear in dy and w, dw in dy and x, db linear in dy, and none depends on anything else, then it is right if

    y(e_i, e_k, 0), y(0, 0, e_o)     dx(e_l, e_k)     dw(e_l, e_i)     db(e_l)

are what the specification says, for all i, k, l, o.  All of these are tried.  (Unit vectors in one argument only,
against random numbers in the other, would take fewer calls, but decide no more than the random examples do.)

That they are such maps is itself tried, exactly, on random integers: f(u + 2v) = f(u) + 2 f(v) in each argument, while
what a quantity must not depend on is drawn anew for each of the three calls.  If f is a polynomial of degree D in the
entries, and not linear in u, the difference of the two sides is a polynomial that is not 0, of degree D at most, and
vanishes with probability at most D/|S| (Schwartz and Zippel).  What remains assumed: the target is a function of its
arguments, without state, and no stranger one than a polynomial of degree `DEGREE`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np

from backproof.cases.data import Array, amplitudes, products, specified
from backproof.cases.levels import Case
from backproof.checks.bench import Bench, Found, compare, misbehaviour
from backproof.contract import Geometry
from backproof.targets.calls import Results

#: Calls of a proof, at most, for each dtype.
CALLS = 10_000
#: Polynomials of which degree the test of linearity would notice.
DEGREE = 8
#: The arguments in which a quantity is linear; y is so in (x, b) and (w, b) together.
FACTORS = {"y": ("x", "w"), "dx": ("dy", "w"), "dw": ("dy", "x"), "db": ("dy",)}


class NoProofError(Exception):
    """Why a shape could not be proved."""


def calls(g: Geometry, route: dict[str, str]) -> int:
    """How many calls all pairs take."""
    return sum(_pairs(g, [q for q, f in route.items() if f == function]) for function in set(route.values()))


def prove(bench: Bench, route: dict[str, str], case: Case, bits: float) -> float:
    """Try linearity, so often that more than `bits` are reached, then all pairs; the bits.

    Raises:
        NoProofError: Something is wrong, and was reported, or the range of the integers is too small.
    """
    largest = {role: a // 3 for role, a in amplitudes("wide", case.dtype, products(case.geometry)).items()}
    step = math.log2((2 * min(largest.values()) + 1) / DEGREE)
    if step < 1:
        raise NoProofError("no proof: the integers that stay exact are too few to tell what is linear")
    rounds = math.floor(bits / step) + 1
    for found in chain(_linear(bench, route, case, largest, rounds), _basis(bench, route, case)):
        bench.report(found)
        raise NoProofError("something is wrong here")
    return step * rounds


def _called(
    bench: Bench, function: str, quantities: list[str], case: Case, arrays: dict[str, Array]
) -> dict[str, Array] | Found:
    given = {role: array.astype(case.dtype) for role, array in arrays.items()}
    reply = bench.call(case.geometry, given, [function])
    if isinstance(reply, Results) and all(quantity in reply.values for quantity in quantities):
        return reply.values
    if wrong := misbehaviour(reply, quantities):
        return Found(wrong[0], case, given, bench.tally.examples)
    raise NoProofError(f"no proof: {function} gave no result for {', '.join(quantities)}")


# ---- linearity


def _linear(bench: Bench, route: dict[str, str], case: Case, largest: dict[str, int], rounds: int) -> Iterator[Found]:
    rng = np.random.default_rng((case.seed, 0x11EA))
    for _ in range(rounds):
        for quantity, function in route.items():
            for role in FACTORS[quantity]:
                if (found := _relation(bench, quantity, function, role, case, largest, rng)) is not None:
                    yield found


def _relation(
    bench: Bench,
    quantity: str,
    function: str,
    role: str,
    case: Case,
    largest: dict[str, int],
    rng: np.random.Generator,
) -> Found | None:
    """f(u + 2v) = f(u) + 2 f(v), u and v in the place of `role`."""

    def fresh() -> dict[str, Array]:
        ranges = {**largest, "b": largest["x"] * largest["w"]} if case.geometry.bias else largest
        return {r: rng.integers(-n, n, case.geometry.shape_of(r), endpoint=True) for r, n in ranges.items()}

    fixed = {r: array for r, array in fresh().items() if r in FACTORS[quantity] and r != role}
    first, second, both = ({**fresh(), **fixed} for _ in range(3))
    for varied in (role, "b") if quantity == "y" and case.geometry.bias else (role,):
        both[varied] = first[varied] + 2 * second[varied]
    values: list[Array] = []
    for arrays in (first, second, both):
        answer = _called(bench, function, [quantity], case, arrays)
        if isinstance(answer, Found):
            return answer
        values.append(answer[quantity].astype(np.float64))
    bench.tally.examples += 1
    bench.tally.comparisons[quantity] += 1
    wrong = compare(quantity, function, values[2], values[0] + 2 * values[1])
    if wrong is None:
        return None
    summary = f"{quantity} is not linear in {role}: f(u + 2v) differs from f(u) + 2 f(v), with u, v, u + 2v for {role}"
    given = {r: array.astype(case.dtype) for r, array in both.items()}
    return Found(replace(wrong, summary=summary), case, given, bench.tally.examples)


# ---- pairs


def _pairs(g: Geometry, quantities: list[str]) -> int:
    """Calls for all pairs of one function: gradients share theirs."""
    size = {role: math.prod(g.shape_of(role)) for role in ("x", "w", "b", "dy")}
    if quantities == ["y"]:
        return size["x"] * size["w"] + (size["b"] if g.bias else 0)
    return size["dy"] * max(size[role] if role != "dy" else 1 for q in quantities for role in FACTORS[q])


def _basis(bench: Bench, route: dict[str, str], case: Case) -> Iterator[Found]:
    for function in dict.fromkeys(route.values()):
        quantities = [q for q, f in route.items() if f == function]
        for arrays in _unit_vectors(case.geometry, quantities):
            expected = specified(case.geometry, arrays)
            values = _called(bench, function, quantities, case, arrays)
            if isinstance(values, Found):
                yield values
                return
            for quantity in quantities:
                wrong = compare(quantity, function, values[quantity], expected[quantity].astype(case.dtype))
                if wrong is not None:
                    given = {r: array.astype(case.dtype) for r, array in arrays.items()}
                    yield Found(wrong, case, given, bench.tally.examples)
        bench.tally.examples += _pairs(case.geometry, quantities)
        bench.tally.comparisons.update(dict.fromkeys(quantities, _pairs(case.geometry, quantities)))


def _unit_vectors(g: Geometry, quantities: list[str]) -> Iterator[dict[str, Array]]:
    """For y, pairs of x and w, then b alone; for gradients, each entry of dy with every entry of w and of x in turn."""
    zeros = {role: np.zeros(g.shape_of(role), np.int64) for role in ("x", "w", "dy", *(("b",) if g.bias else ()))}
    outer, inner = ("x", ["w"]) if quantities == ["y"] else ("dy", ["x", "w"])
    turns = max(zeros[r].size for q in quantities for r in FACTORS[q] if r in inner) if quantities != ["db"] else 1
    for k in range(zeros[outer].size):
        for turn in range(turns):
            yield {**zeros, outer: _unit(zeros[outer], k), **{r: _unit(zeros[r], turn) for r in inner}}
    if quantities == ["y"] and g.bias:
        yield from ({**zeros, "b": _unit(zeros["b"], k)} for k in range(zeros["b"].size))


def _unit(zeros: Array, k: int) -> Array:
    vector = zeros.copy()
    vector.flat[k % zeros.size] = 1
    return vector
