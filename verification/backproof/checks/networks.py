"""Whole networks of a target's own functions: each variable that is returned is compared, exactly.

One program runs in the worker: what forward returns is handed to the activation, that to the pooling and to the layer
above, and all of it again to the gradients, in the memory in which it was returned.  So a function that overwrites what
it is handed, or what it returned before, spoils what is still needed, and is caught at that step.  The first step that
goes wrong is blamed; what follows from it is not looked at.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from backproof.cases.data import Array
from backproof.cases.networks import (
    LayerLevels,
    Network,
    NetworkCase,
    NoRoomError,
    geometries,
    network,
    simpler_networks,
)
from backproof.cases.polynomials import POLYNOMIALS, degree
from backproof.checks import bench as benches
from backproof.checks.bench import Bench, Wrong, compare, misbehaviour
from backproof.checks.hunt import Family, hunt
from backproof.checks.programs import Parts, named, parts_of, program
from backproof.targets.calls import Excluded, NotSupported, Step, Trail

#: name -> levels, ordered from simple to complex, as far as the target's own levels have them.
_KERNELS = ((1, 1), (2, 2), (1, 2), (2, 1), (3, 2), (2, 3))
_LAYER: dict[str, tuple[Any, ...]] = {
    "kernel": _KERNELS,
    "stride": ((1, 1), (1, 2), (2, 1), (2, 2)),
    "dilation": ((1, 1), (2, 1), (1, 2)),
    "padding": ("none", "one", "uneven", "full"),
    "padding_mode": ("zeros", "circular"),
    "width": (1, 2, 3),
    "groups": (1, 2),
    "activation": POLYNOMIALS,
}
_WHOLE: dict[str, tuple[Any, ...]] = {
    "output": ((1, 1), (2, 2), (1, 2), (3, 2)),
    "in_channels": (1, 2, 3),
    "batch": (1, 2, 3),
}
_LARGEST = 900  # pixels of an image: networks are small


def run(bench: Bench) -> None:
    """Hunt in networks, where the target has forward and gradients that can be put together."""
    parts = parts_of(bench.target)
    if isinstance(parts, str):
        bench.tally.not_supported[f"networks: {parts}"] += 1
        return
    hunt(bench, _family(bench, parts))


def rounded(bench: Bench, actual: Array) -> Array:
    """Only results of an algorithm that rounds are rounded."""
    return benches.rounded(bench.binding, actual)


# ---- cases


def _family(bench: Bench, parts: Parts) -> Family[NetworkCase]:
    factors = _factors(bench, parts)
    rng = random.Random(20)
    fixed = []
    for k, powers in enumerate([*product(POLYNOMIALS, repeat=2), *_TRIPLES]):
        row = [rng.randrange(len(levels)) for levels in factors.values()]
        for level, name in enumerate(powers):
            row[list(factors).index(f"activation {level}")] = factors[f"activation {level}"].index(name)
        row[0] = factors["layers"].index(len(powers))
        fixed.append(_case(bench, factors, row, bench.seed + k))

    def simpler(case: NetworkCase) -> Iterator[NetworkCase]:
        return (c for c in simpler_networks(case) if _possible(bench, c))

    return Family(
        quantities=parts.quantities,
        fixed=fixed,
        sizes=tuple(len(levels) for levels in factors.values()),
        case=lambda row, seed: _case(bench, factors, row, seed),
        attempt=_Attempts(bench, parts),
        simpler=simpler,
        arrays=lambda case: network(case).arrays,
    )


_TRIPLES = (("relu", "identity", "square"), ("leaky_relu", "relu", "identity"), ("square", "leaky_relu", "relu"))


def _factors(bench: Bench, parts: Parts) -> dict[str, tuple[Any, ...]]:
    known = bench.space.factors
    layer = {name: tuple(v for v in values if name not in known or v in known[name]) for name, values in _LAYER.items()}
    layer = {name: levels or known[name][:1] for name, levels in layer.items()}
    layer["groups"] = tuple(sorted({groups for _, _, groups in known["channels"]} & {1, 2}))
    factors: dict[str, tuple[Any, ...]] = {"layers": (2, 3), **_WHOLE}
    for name in ("bias", "dtype", "orientation", "x_layout", "w_layout"):
        factors[name] = tuple(known[name])
    for k in range(3):
        factors |= {f"{name} {k}": levels for name, levels in layer.items()}
        factors[f"pool {k}"] = ("", *parts.pools)
    return factors


def _case(bench: Bench, factors: dict[str, tuple[Any, ...]], row: Sequence[int], seed: int) -> NetworkCase:
    """The network that a row of level numbers stands for, made simpler until it is possible and can be drawn."""
    levels = {name: factors[name][k] for name, k in zip(factors, row, strict=True)}
    layouts = tuple((role, levels[f"{role}_layout"]) for role in ("x", "w") if levels[f"{role}_layout"] != "C")
    layers: list[LayerLevels] = []
    channels = levels["in_channels"] * levels["groups 0"]
    for k in range(levels["layers"]):
        groups = levels[f"groups {k}"]
        above = levels[f"groups {k + 1}"] if k + 1 < levels["layers"] else 1
        layers.append(
            LayerLevels(
                out_channels=levels[f"width {k}"] * max(groups, above),
                **{n: levels[f"{n} {k}"] for n in ("kernel", "stride", "dilation", "padding", "padding_mode")},
                **{n: levels[f"{n} {k}"] for n in ("groups", "activation", "pool")},
            )
        )
    case = NetworkCase(
        tuple(layers),
        levels["output"],
        channels,
        levels["batch"],
        levels["bias"],
        levels["orientation"],
        levels["dtype"],
        layouts,
        seed,
    )
    return next(c for c in _weaker(case) if _possible(bench, c))


def _weaker(case: NetworkCase) -> Iterator[NetworkCase]:
    """The case; with smaller powers, the largest first; simpler and simpler."""
    yield case
    powers = [layer.activation for layer in case.layers]
    while max(map(degree, powers)) > 1:
        k = max(range(len(powers)), key=lambda n: degree(powers[n]))
        powers[k] = POLYNOMIALS[POLYNOMIALS.index(powers[k]) - 1]
        layers = (replace(layer, activation=a) for layer, a in zip(case.layers, powers, strict=True))
        case = replace(case, layers=tuple(layers))
        yield case
    layers = (replace(layer, padding="none", stride=(1, 1), dilation=(1, 1), pool="") for layer in case.layers)
    yield (case := replace(case, layers=tuple(layers)))
    if len(case.layers) > 2:
        yield (case := replace(case, layers=case.layers[1:], in_channels=case.layers[0].out_channels))
    seen = {case}
    while True:
        simpler = next((c for c in simpler_networks(case) if c not in seen), None)
        if simpler is None:
            return
        seen.add(simpler)
        yield (case := simpler)


def _possible(bench: Bench, case: NetworkCase) -> bool:
    if case.dtype not in bench.binding.dtypes:
        return False
    for convolution, pool in geometries(case):
        if min(convolution.output_size) < 1 or convolution.size[0] * convolution.size[1] > _LARGEST:
            return False
        if not bench.accepts(convolution) or (pool is not None and not bench.accepts(pool)):
            return False
    try:
        network(case)
    except NoRoomError:
        return False
    return True


# ---- one network


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
        for quantity, name in step.outputs:
            if name not in trail.values or name not in drawn.expected:
                continue
            told = named(step, quantity)
            bench.tally.comparisons[told] += 1
            bench.tally.without_evidence[told] += not drawn.evidence.get(name, True)
            wrong = compare(told, step.function, rounded(bench, trail.values[name]), drawn.expected[name])
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
