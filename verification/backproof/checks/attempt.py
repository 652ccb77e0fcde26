"""One example of a convolution: call the target, hold every quantity to the specification, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backproof.cases.data import Array, Example, example
from backproof.cases.levels import Case
from backproof.checks.bench import Bench, Wrong, compare, misbehaviour, rounded
from backproof.targets.calls import Crashed, Results, TimedOut


def attempt(bench: Bench, route: dict[str, str], case: Case, wanted: Iterable[str]) -> list[Wrong]:
    """What is wrong with the wanted quantities of a route (`quantity -> function`) at a case: one example."""
    drawn = example(case)
    bench.tally.examples += 1
    functions = {q: route[q] for q in wanted if q in drawn.expected}
    return list(judge(bench, drawn, functions, drawn.expected))


def judge(bench: Bench, drawn: Example, functions: dict[str, str], expected: dict[str, Array]) -> Iterable[Wrong]:
    """Compare `quantity -> function` with the expected values; a function that fails leaves the others to be tried."""
    for answer in answers(bench, drawn.case, drawn.arrays, functions):
        if isinstance(answer, Wrong):
            yield answer
        else:
            yield from _compared(bench, drawn, *answer, expected)


def answers(
    bench: Bench, case: Case, arrays: dict[str, Array], functions: dict[str, str]
) -> Iterator[Wrong | tuple[str, str, Results]]:
    """Per quantity its function and what that returned, or what it did instead."""
    layouts = dict(case.layouts)
    left = list(dict.fromkeys(functions.values()))
    while left:
        reply = bench.call(case.geometry, arrays, left, layouts)
        if isinstance(reply, Results):
            yield from ((quantity, function, reply) for quantity, function in functions.items() if function in left)
            return
        failed = getattr(reply, "function", None)
        if failed not in left:  # excluded as a whole, or forward failed, which had to come first
            if isinstance(reply, Crashed | TimedOut):
                yield from misbehaviour(reply, [q for q, f in functions.items() if f in left])
            return
        yield from misbehaviour(reply, [q for q, f in functions.items() if f == failed])
        left.remove(failed)


def _compared(
    bench: Bench, drawn: Example, quantity: str, function: str, reply: Results, expected: dict[str, Array]
) -> Iterable[Wrong]:
    if quantity not in reply.values:
        yield missing(quantity, function, expected[quantity].shape)
        return
    bench.tally.comparisons[quantity] += 1
    if not drawn.evidence[quantity]:
        bench.tally.without_evidence[quantity] += 1
    if quantity in drawn.chances and bench.binding.algorithm == "direct":  # what was rounded may hide a difference
        bench.tally.chances.add(quantity, function, drawn.case, drawn.chances[quantity])
    actual = rounded(bench.binding, reply.values[quantity])
    wrong = compare(quantity, function, actual, expected[quantity])
    if wrong is not None:
        yield wrong


def missing(quantity: str, function: str, shape: tuple[int, ...]) -> Wrong:
    """A quantity that a function should have returned."""
    summary = f"{function} returned no {quantity}; return an array of shape {shape}"
    return Wrong("malformed", quantity, function, summary)
