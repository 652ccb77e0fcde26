"""The rules of `contract`, held against one call: shape, dtype, inputs left alone, results of their own, N = 0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from backproof.cases.data import Example
from backproof.cases.levels import Case
from backproof.checks.bench import Bench, Wrong, misbehaviour
from backproof.targets.calls import Results


def broken(bench: Bench, route: dict[str, str], drawn: Example, worked: set[str]) -> Iterator[Wrong]:
    """What each function of a route (`quantity -> function`) breaks at an example.

    Each is called by itself, so that the right one is blamed; `worked` collects those that have returned something.
    """
    case = drawn.case
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
