"""One example of a convolution: call the target, hold every quantity to the specification, exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable

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


def judge(
    bench: Bench,
    drawn: Example,
    functions: dict[str, str],
    expected: dict[str, Array],
    settled: Callable[[str, Array], Array] = lambda quantity, actual: actual,
) -> Iterable[Wrong]:
    """Compare `quantity -> function` with the expected values; a function that fails leaves the others to be tried.

    `settled` makes of an actual value what is compared, where several are right.
    """
    layouts = dict(drawn.case.layouts)
    left = list(dict.fromkeys(functions.values()))
    while left:
        reply = bench.call(drawn.case.geometry, drawn.arrays, left, layouts)
        if isinstance(reply, Results):
            for quantity, function in functions.items():
                if function in left:
                    yield from _compared(bench, drawn, quantity, function, reply, expected, settled)
            return
        failed = getattr(reply, "function", None)
        if failed not in left:  # excluded as a whole, or forward failed, which had to come first
            if isinstance(reply, Crashed | TimedOut):
                yield from misbehaviour(reply, [q for q, f in functions.items() if f in left])
            return
        yield from misbehaviour(reply, [q for q, f in functions.items() if f == failed])
        left.remove(failed)


def _compared(
    bench: Bench,
    drawn: Example,
    quantity: str,
    function: str,
    reply: Results,
    expected: dict[str, Array],
    settled: Callable[[str, Array], Array],
) -> Iterable[Wrong]:
    if quantity not in reply.values:
        summary = f"{function} returned no {quantity}"
        yield Wrong("malformed", quantity, function, f"{summary}; return an array of shape {expected[quantity].shape}")
        return
    bench.tally.comparisons[quantity] += 1
    if not drawn.evidence[quantity]:
        bench.tally.without_evidence[quantity] += 1
    actual = rounded(bench.binding, reply.values[quantity])
    wrong = compare(quantity, function, settled(quantity, actual), expected[quantity])
    if wrong is not None:
        yield wrong
