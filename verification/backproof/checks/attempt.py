"""One example of a convolution: call the target, hold every quantity to the specification, exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from backproof.cases.data import Array, Example, example
from backproof.cases.levels import Case
from backproof.checks.bench import Bench, Wrong, compare, misbehaviour, rounded
from backproof.targets.calls import Crashed, Results, TimedOut

#: A quantity, the function that was asked for it, and what it returned; None where that has no such quantity.
Returned: TypeAlias = tuple[str, str, Array | None]


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
    """Compare `quantity -> function` with the expected values.

    `settled` makes of an actual value what is compared, where several are right.
    """
    for item in results(bench, drawn.case, drawn.arrays, functions):
        if isinstance(item, Wrong):
            yield item
            continue
        quantity, function, actual = item
        if actual is None:
            yield missing(quantity, function, expected[quantity].shape)
            continue
        bench.tally.comparisons[quantity] += 1
        if not drawn.evidence[quantity]:
            bench.tally.without_evidence[quantity] += 1
        if quantity in drawn.chances and bench.binding.algorithm == "direct":  # what was rounded may hide a difference
            bench.tally.chances.add(quantity, function, drawn.case, drawn.chances[quantity])
        value = settled(quantity, rounded(bench.binding, actual))
        wrong = compare(quantity, function, value, expected[quantity])
        if wrong is not None:
            yield wrong


def results(bench: Bench, case: Any, arrays: dict[str, Array], functions: dict[str, str]) -> Iterator[Wrong | Returned]:
    """What `quantity -> function` gives; a function that fails leaves the others to be tried."""
    layouts = dict(case.layouts)
    left = list(dict.fromkeys(functions.values()))
    while left:
        reply = bench.call(case.geometry, arrays, left, layouts)
        if isinstance(reply, Results):
            yield from ((q, f, reply.values.get(q)) for q, f in functions.items() if f in left)
            return
        failed = getattr(reply, "function", None)
        if failed not in left:  # excluded as a whole, or forward failed, which had to come first
            if isinstance(reply, Crashed | TimedOut):
                yield from misbehaviour(reply, [q for q, f in functions.items() if f in left])
            return
        yield from misbehaviour(reply, [q for q, f in functions.items() if f == failed])
        left.remove(failed)


def missing(quantity: str, function: str, shape: tuple[int, ...]) -> Wrong:
    """A function returned everything but this quantity."""
    summary = f"{function} returned no {quantity}; return an array of shape {shape}"
    return Wrong("malformed", quantity, function, summary)
