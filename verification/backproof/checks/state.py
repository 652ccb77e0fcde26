"""Whether a target remembers: sequences of calls in one process, each compared exactly, whatever was called before.

`exact` calls one process many times too, and yet sees little of this: it never asks for the same again, hands backward
the arrays that forward has just seen, and takes a wrong value for a property of the case at hand.  Here calls come
back after others (`cases.sequences`), gradients are asked for after another forward, and buffers hold NaN.  A failure
is made again in fresh processes: a call that is wrong by itself is left to `exact`, of any other the shortest sequence
is told.  A result that lies in the memory of an earlier one is a failure too.

Threads are not tried: one call ends before the next begins.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

from backproof.cases.pool_sequences import fixed_pool_sequences
from backproof.cases.pooling import PoolCase
from backproof.cases.sequences import CallSequence, Step, fixed_sequences, random_sequence, simpler_sequences
from backproof.cases.shrink import shrink
from backproof.checks.bench import (
    EQUATIONS,
    Array,
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
from backproof.checks.hunt import in_turn
from backproof.checks.memories import kept_of
from backproof.contract import QUANTITIES
from backproof.targets.calls import Results
from backproof.targets.roles import FUNCTIONS

#: Replays of a failure, each of which starts a process.
TRIES = 24
#: Of the examples that a run asks for, one in so many is a sequence of three calls.
SHARE = 20


def run(bench: Bench) -> None:
    """Try fixed sequences and random ones, for each way in which the target computes gradients, and of poolings."""
    rng, lists = random.Random(bench.seed), list[list[CallSequence]]()
    for route in bench.routes():
        functions = tuple(dict.fromkeys(route.values()))
        gradients = tuple(f for f in functions if f != "forward" and not _pairs_itself(bench, f))
        sequences = fixed_sequences(bench.space, functions, gradients)
        sequences += [random_sequence(bench.space, functions, rng) for _ in range(bench.examples // SHARE)]
        lists.append([s for s in sequences if _possible(bench, s)])
    if pools := bench.pools():
        binding = bench.binding
        lists += fixed_pool_sequences(
            pools,
            bench.accepts,
            dtypes=binding.dtypes,
            layouts=binding.layouts,
            ties=binding.pooling.ties,
            seed=bench.seed,
        )
    _try(bench, in_turn(lists))


def _pairs_itself(bench: Bench, name: str) -> bool:
    """Whether a function works on what forward left behind, so that forward is called right before it."""
    function = bench.binding.function(name)
    return function is not None and function.after_forward


def _possible(bench: Bench, sequence: CallSequence) -> bool:
    dtypes = bench.binding.dtypes
    return all(bench.accepts(step.case.geometry) and step.case.dtype in dtypes for step in sequence.steps)


def _try(bench: Bench, sequences: Sequence[CallSequence]) -> None:
    """Earlier checks have used the process that is at hand: what fails in it must fail in a fresh one to be told."""
    counted = deepcopy(bench.tally)
    first = next(_failures(bench, sequences), None)
    if first is not None and bench.hasty:
        bench.report(_found(first[1], first[0], bench.tally.examples))
    elif first is not None:
        bench.target.renew()
        bench.tally = counted
        found = [_smallest(bench, *failure) for failure in _failures(bench, sequences)]
        for finding in found or [_by_chance(bench, *first)]:
            bench.report(finding)
    bench.progress(len(sequences), len(sequences))


def _failures(bench: Bench, sequences: Sequence[CallSequence]) -> Iterator[tuple[CallSequence, Wrong]]:
    """Each quantity of a function once, with all the calls that led to it; goes on in a fresh process."""
    history: list[Step] = []
    failed: set[tuple[str, str]] = set()
    for number, sequence in enumerate(sequences):
        bench.tally.examples += 1
        bench.progress(number, len(sequences))
        left = list(sequence.steps)
        while left:
            history.append(left.pop(0))
            wrongs = [wrong for wrong, _ in _call(bench, history[-1]) if not wrong.parts <= failed]
            for wrong in wrongs:
                failed |= wrong.parts
                yield CallSequence(tuple(history)), wrong
            if wrongs:  # again, for what has not failed yet
                bench.target.renew()
                history, left = [], list(sequence.steps)


def _call(bench: Bench, step: Step) -> list[tuple[Wrong, Array | None]]:
    """One step, and what is wrong with what it returned, beside that where values were compared."""
    found = _wrong(bench, step)
    if isinstance(step.case, PoolCase):
        kind = step.case.geometry.kind
        return [(of_pooling(wrong, kind), actual) for wrong, actual in found]
    return found


def _wrong(bench: Bench, step: Step) -> list[tuple[Wrong, Array | None]]:
    drawn = step.drawn()
    reply = bench.call(step.case.geometry, drawn.arrays, step.functions, dict(step.case.layouts))
    if step.poisoned:
        return []
    if not isinstance(reply, Results):
        failed = getattr(reply, "function", "")
        wanted = [q for q in FUNCTIONS[failed].returns if q in drawn.expected] if failed else []
        return [(wrong, None) for wrong in misbehaviour(reply, wanted)]
    wrongs: list[tuple[Wrong, Array | None]] = []
    for quantity, function in [(q, f) for f in step.functions for q in FUNCTIONS[f].returns if q in drawn.expected]:
        if quantity not in reply.values:
            continue
        bench.tally.comparisons[quantity] += 1
        bench.tally.without_evidence[quantity] += not drawn.evidence[quantity]
        actual = rounded(bench.binding, reply.values[quantity])
        if (wrong := compare(quantity, function, actual, drawn.expected[quantity])) is not None:
            wrongs.append((wrong, actual))
        if quantity in reply.reused and actual.size:
            text = f"{quantity} lies in memory that an earlier result still uses; return an array of its own"
            wrongs.append((Wrong("reused", quantity, function, text), None))
    return wrongs


# ---- a failure again, in fresh processes


def _smallest(bench: Bench, sequence: CallSequence, wrong: Wrong) -> Found:
    """The shortest sequence that fails in the same way; the call alone, where that fails too."""
    if wrong.kind == "timed out":  # to see it again would take as long again
        return _found(wrong, CallSequence(sequence.steps[-1:]), bench.tally.examples)
    counted, bench.tally = bench.tally, Tally()  # replays are no evidence
    try:
        return _shrunk(bench, sequence, wrong, counted.examples)
    finally:
        bench.tally = counted
        bench.target.renew()


def _shrunk(bench: Bench, sequence: CallSequence, wrong: Wrong, after: int) -> Found:
    seen: dict[CallSequence, _Failure] = {}

    def fails(candidate: CallSequence) -> bool:
        failure = _replay(bench, candidate, wrong)
        if failure is not None:
            seen[candidate] = failure
        return failure is not None

    def alone(step: Step) -> Found | None:
        failure = _replay(bench, CallSequence((step,)), wrong)
        return None if failure is None else _found(failure.wrong, failure.sequence, after)

    if (plain := alone(sequence.last)) is not None:
        return plain
    smallest = shrink(sequence, lambda s: (c for c in simpler_sequences(s) if _possible(bench, c)), fails, TRIES)
    if smallest not in seen and not fails(smallest):
        return _by_chance(bench, sequence, wrong)
    failure = seen.pop(smallest)
    plain = alone(failure.sequence.last)
    return plain or _found(_remembers(failure, list(seen.values())), failure.sequence, after)


@dataclass(frozen=True, slots=True)
class _Failure:
    """What is wrong with the last step of a sequence, and the values where those are."""

    wrong: Wrong
    sequence: CallSequence
    actual: Array | None


def _replay(bench: Bench, sequence: CallSequence, wrong: Wrong) -> _Failure | None:
    """What fails in the same way in a fresh process, with the steps up to there."""
    bench.target.renew()
    for k, step in enumerate(sequence.steps):
        for found, actual in _call(bench, step):
            if found.kind == wrong.kind and found.parts & wrong.parts:
                return _Failure(found, CallSequence(sequence.steps[: k + 1]), actual)
    return None


def _remembers(failure: _Failure, larger: list[_Failure]) -> Wrong:
    """What is wrong with a call that is right where nothing was called before it."""
    wrong = failure.wrong
    details = [f"called first in a process, {wrong.function} is right here"]
    values = [(f.sequence, f.actual) for f in (failure, *larger) if f.actual is not None]
    if wrong.kind == "value" and (kept := kept_of(values, wrong.quantity)) is not None:
        details.append(kept)
    if any(step.poisoned for step in failure.sequence.steps):
        details.append("an earlier call was handed nothing but NaN: what it left in a buffer is read, or added to")
    summary = wrong.summary if wrong.kind == "reused" else f"{wrong.summary}, but only after an earlier call"
    kind = wrong.kind if wrong.kind == "reused" else f"{wrong.kind} after other calls"
    return replace(wrong, kind=kind, summary=summary, details=(*wrong.details, *details))


def _by_chance(bench: Bench, sequence: CallSequence, wrong: Wrong) -> Found:
    """A failure that a fresh process does not show."""
    text = "it was not seen again in a fresh process: it depends on the calls of earlier checks, or on chance"
    told = replace(wrong, kind=f"{wrong.kind} once", details=(*wrong.details, text))
    return _found(told, CallSequence(sequence.steps[-2:]), bench.tally.examples)


def _found(wrong: Wrong, sequence: CallSequence, after: int) -> Found:
    return Found(wrong, sequence, sequence.last.drawn().arrays, after)


CHECK = Check(
    "state",
    "Nothing remembered from call to call",
    tuple(dict.fromkeys(e for q in QUANTITIES for e in EQUATIONS[q])),
    run,
)
