"""Whole networks of a target's own functions: each variable that is returned is compared, exactly.

One program runs in the worker: what forward returns is handed to the activation, that to the pooling and to the layer
above, and all of it again to the gradients, in the memory in which it was returned.  So a function that overwrites what
it is handed, or what it returned before, spoils what is still needed, and is caught at that step.  The first step that
goes wrong is blamed; what follows from it is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from backproof.cases.networks import Network, NetworkCase, NoRoomError, network
from backproof.checks.bench import Bench, Wrong, compare, misbehaviour
from backproof.checks.hunt import Family
from backproof.checks.network_space import NetworkSpace
from backproof.checks.programs import Parts, named, parts_of, program
from backproof.targets.calls import Crashed, Excluded, NotSupported, Step, TimedOut, Trail
from backproof.targets.styles.glue import GLUE


def families(bench: Bench, examples: int) -> list[Family[NetworkCase]]:
    """Networks, with so many random ones, where the target has forward and gradients that can be put together."""
    parts = parts_of(bench.target)
    if isinstance(parts, str):
        bench.tally.not_supported[f"networks: {parts}"] += 1
        return []
    space = NetworkSpace(bench, parts.pools)
    try:
        fixed = space.fixed(bench.seed)
    except NoRoomError as error:
        bench.tally.not_supported[f"networks: {error}"] += 1
        return []
    return [
        Family(
            quantities=parts.quantities,
            fixed=fixed,
            search=examples,
            sizes=space.sizes,
            case=space.case,
            attempt=_Attempts(bench, parts),
            simpler=space.simpler,
            arrays=lambda case: network(case).arrays,
        )
    ]


class _Attempts:
    """Runs networks; not again where a function that ended the process, or did not return, has been told."""

    def __init__(self, bench: Bench, parts: Parts) -> None:
        self.bench, self.parts = bench, parts
        self.fatal: set[str] = set()

    def __call__(self, case: NetworkCase, wanted: Iterable[str]) -> list[Wrong]:
        """The first thing that is wrong, if any."""
        if self.fatal and not self.fatal & set(wanted):
            return []
        drawn = network(case)
        self.bench.tally.examples += 1
        planned = program(self.parts, drawn)
        first = next(_judged(self.bench, drawn, planned.steps, self.bench.target.follow(planned)), None)
        if first is None:
            return []
        if first.kind in ("crashed", "timed out"):
            self.fatal = set(first.quantity.split("+"))
        return [first]


def _judged(bench: Bench, drawn: Network, steps: Sequence[Step], trail: Trail) -> Iterator[Wrong]:
    """What is wrong, in the order of the steps."""
    for number, step in enumerate(steps):
        if trail.stopped == number:
            yield from _stopped(bench, step, trail.reply)
            return
        for quantity, name in step.outputs if step.function not in GLUE else ():  # ours is no evidence
            told = named(step, quantity)
            if name not in trail.values:
                if isinstance(trail.reply, Crashed | TimedOut):
                    continue  # the process ended, and all values with it
                text = f"{step.function} returned no {quantity}; return an array of shape {drawn.expected[name].shape}"
                yield Wrong("malformed", told, step.function, text)
                continue
            bench.tally.comparisons[told] += 1
            bench.tally.without_evidence[told] += not drawn.evidence.get(name, True)
            wrong = compare(told, step.function, trail.values[name], drawn.expected[name])
            if wrong is not None:
                yield _placed(wrong, name, len(drawn.case.layers))
        yield from _overwritten(steps, number, trail)


def _stopped(bench: Bench, step: Step, reply: Any) -> Iterator[Wrong]:
    if isinstance(reply, Excluded):
        bench.tally.excluded[reply.defect] += 1
    elif isinstance(reply, NotSupported):
        bench.tally.not_supported[f"{reply.function}: {reply.reason}"] += 1
    else:
        yield from misbehaviour(reply, [named(step, quantity) for quantity, _ in step.outputs])


def _placed(wrong: Wrong, name: str, layers: int) -> Wrong:
    layer = name.lstrip("abcdefghijklmnopqrstuvwxyzE")
    where = f"in layer {layer} of {layers}" if layer else "at the end of the network"
    text = f"{where}; all that went into {wrong.function} was right, in the memory in which it had been returned"
    return replace(wrong, details=(*wrong.details, text))


def _overwritten(steps: Sequence[Step], number: int, trail: Trail) -> Iterator[Wrong]:
    step = steps[number]
    for at, name in trail.overwritten:
        if at != number:
            continue
        role = next((role for role, variable in step.inputs if variable == name), None)
        if role is not None:
            text = f"{step.function} wrote to its input {role}, which is {name} of the network; work on a copy"
            yield Wrong("mutated", role, step.function, text)
        else:
            quantity = next((named(s, q) for s in steps for q, variable in s.outputs if variable == name), name)
            text = f"{step.function} wrote over {name} of the network, which was returned before; return new arrays"
            yield Wrong("reused", quantity, step.function, text)
