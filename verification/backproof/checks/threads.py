"""Two threads at once: each call comes to what it comes to alone, whatever another thread calls meanwhile.

    forward(x, w, b) || forward(x', w', b')        and so for every gradient and every pooling

Tried are only targets that declare THREAD_SAFE = True.  Two threads of the worker call the same function, on other
numbers of the same shapes and on shapes for which memory kept between calls would be shared; they begin together, or
one is stopped in the middle while the other runs (`targets.together`).  Results are compared exactly with those of the
same calls alone.

A race is a matter of chance: a pass says that none was seen in so many rounds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from backproof.cases.pairs import Pair, pairs, pool_pairs, simpler_pairs
from backproof.cases.pool_sequences import pool_bases
from backproof.cases.pooling import PoolCase
from backproof.cases.sequences import CallSequence, Step
from backproof.cases.shrink import shrink
from backproof.checks.bench import (
    EQUATIONS,
    Bench,
    Check,
    Found,
    Tally,
    Wrong,
    compare,
    misbehaviour,
    of_pooling,
    rounded,
)
from backproof.checks.memories import kept_of
from backproof.contract import QUANTITIES
from backproof.events import NOT_ASKED
from backproof.targets.calls import Request, Results
from backproof.targets.roles import FUNCTIONS

#: How often each pair of calls is made together; more often where it has failed before, to see it again.
ROUNDS, AGAIN = 12, 80
#: Smaller pairs that are tried for a failure.
TRIES = 16


def run(bench: Bench) -> None:
    """Every function of the target beside itself, until it fails; what failed is made smaller and told."""
    if not bench.binding.thread_safe:
        bench.tally.not_supported[f"{NOT_ASKED}declare THREAD_SAFE = True to have two threads tried"] += 1
        return
    tried = [pair for pair in _pairs(bench) if _possible(bench, pair)]
    failed: set[tuple[str, str]] = set()
    asked: Counter[str] = Counter()
    for number, pair in enumerate(tried):
        (function,) = pair.step.functions
        if function in {name for _, name in failed}:
            continue
        bench.tally.examples += 1
        for shown, wrong in _attempt(bench, pair, ROUNDS, asked[function] * ROUNDS // 2):
            if not wrong.parts <= failed:
                failed |= wrong.parts
                bench.report(_smallest(bench, shown, wrong))
        asked[function] += 1
        bench.progress(number + 1, len(tried))


def _pairs(bench: Bench) -> Iterator[Pair]:
    if functions := list(dict.fromkeys(f for route in bench.routes() for f in route.values())):
        yield from pairs(bench.space, functions, bench.seed)
    pools, binding = bench.pools(), bench.binding
    bases = pool_bases(pools, bench.accepts, dtypes=binding.dtypes, ties=binding.pooling.ties, seed=bench.seed)
    yield from pool_pairs({case.geometry.kind: case for case in bases}, pools, bench.accepts)


def _possible(bench: Bench, pair: Pair) -> bool:
    return all(bench.accepts(step.case.geometry) and step.case.dtype in bench.binding.dtypes for step in pair.steps)


def _attempt(bench: Bench, pair: Pair, rounds: int, skipped: int = 0) -> Iterator[tuple[Pair, Wrong]]:
    """What is wrong with either call, beside the pair in which that is the first; alone, both return something."""
    for shown, wrong in _called(bench, pair, rounds, skipped):
        case = shown.step.case
        yield shown, of_pooling(wrong, case.geometry.kind) if isinstance(case, PoolCase) else wrong


def _called(bench: Bench, pair: Pair, rounds: int, skipped: int) -> Iterator[tuple[Pair, Wrong]]:
    requests = [_request(step) for step in pair.steps]
    alone = [bench.call(r.geometry, dict(r.arrays), r.functions) for r in requests]
    if not all(isinstance(reply, Results) for reply in alone):
        return  # other checks report it
    replies = bench.target.together(requests, rounds, skipped)
    for step, beside, reply, due in zip(pair.steps, reversed(pair.steps), replies, alone, strict=True):
        shown, function = Pair(step, beside), step.functions[0]
        if not isinstance(reply, Results):
            wanted = [q for q in FUNCTIONS[function].returns if q in step.drawn().expected]
            for wrong in misbehaviour(reply, wanted):
                yield shown, _in_threads(wrong, f"with two threads at once, {wrong.summary}")
        elif isinstance(due, Results):
            yield from ((shown, wrong) for wrong in _compared(bench, shown, function, reply, due))


def _request(step: Step) -> Request:
    """The call of a step; a cotangent or an image that its function does not take does no harm."""
    drawn = step.drawn()
    return Request(step.case.geometry, drawn.arrays, {}, step.functions)


def _compared(bench: Bench, pair: Pair, function: str, reply: Results, due: Results) -> Iterator[Wrong]:
    for quantity, expected in due.values.items():
        bench.tally.comparisons[quantity] += 1
        actual = reply.values.get(quantity, expected[:0])
        wrong = compare(quantity, function, rounded(bench.binding, actual), rounded(bench.binding, expected))
        if wrong is not None:
            kept = kept_of([(CallSequence((pair.beside, pair.step)), actual)], quantity)
            details = (kept.replace("an earlier call", "the other thread's call"),) if kept else ()
            text = wrong.summary.replace("the specification", "what the same call returns alone")
            yield _in_threads(replace(wrong, details=details), f"{text}, while another thread calls {function}")
    for role in set(reply.mutated) - set(due.mutated):
        text = f"with two threads at once, {function} wrote to its input {role}"
        yield Wrong("mutated in two threads", role, function, text)


def _in_threads(wrong: Wrong, summary: str) -> Wrong:
    return replace(wrong, kind=f"{wrong.kind} in two threads", summary=summary)


def _smallest(bench: Bench, pair: Pair, wrong: Wrong) -> Found:
    """The simplest pair that failed in the same way; a race may not be seen again in each that has it."""
    counted, bench.tally = bench.tally, Tally()  # what is made again is no evidence
    seen = {pair: (pair, wrong)}

    def fails(candidate: Pair) -> bool:
        if not _possible(bench, candidate):
            return False
        for shown, found in _attempt(bench, candidate, AGAIN):
            if found.kind == wrong.kind and found.parts & wrong.parts:
                seen[candidate] = (shown, found)
                return True
        return False

    tries = 0 if wrong.kind.startswith("timed out") else TRIES
    smallest, told = seen[shrink(pair, simpler_pairs, fails, tries)]
    bench.tally = counted
    return Found(told, smallest, smallest.step.drawn().arrays, counted.examples)


CHECK = Check(
    "threads",
    "Two threads at once",
    tuple(dict.fromkeys(e for q in QUANTITIES for e in EQUATIONS[q])),
    run,
    specified=False,
)
