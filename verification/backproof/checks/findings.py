"""A failure as an event: what is wrong, the smallest case, and a program that shows it again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeAlias

import numpy as np

from backproof.cases.deltas import DeltaCase, PointCase
from backproof.cases.networks import NetworkCase
from backproof.cases.pairs import Pair
from backproof.cases.sequences import CallSequence
from backproof.checks.bench import EQUATIONS, Array, Check, Found
from backproof.events import Finding
from backproof.targets.binding import Binding

#: Arrays with more entries than this are redrawn by the reproducer, not written out.
WRITTEN_OUT = 400


def as_event(
    check: Check,
    found: Found,
    binding: Binding,
    declarations: Mapping[str, str],
    explanation: tuple[str, ...] = (),
) -> Finding:
    """The finding that a report shows; an explanation comes before the other details."""
    wrong = found.wrong
    return Finding(
        check=check.id,
        quantity=wrong.quantity,
        function=wrong.function,
        summary=wrong.summary,
        details=[*explanation, *wrong.details],
        equations=list(_equations(wrong.quantity, check)),
        case=found.case.as_dict(),
        index=list(wrong.index),
        expected=wrong.expected,
        actual=wrong.actual,
        wrong=wrong.wrong,
        compared=wrong.compared,
        after=found.after,
        reproducer=reproducer(found, binding, declarations),
    )


def _equations(quantity: str, check: Check) -> tuple[str, ...]:
    """Those of a quantity, such as "dw" or "max pooling dx"; else all that the check tests."""
    kind, pooling, _ = quantity.partition(" pooling ")
    return (f"{kind}-pooling",) if pooling else EQUATIONS.get(quantity, check.equations)


def reproducer(found: Found, binding: Binding, declarations: Mapping[str, str]) -> str:
    """A Python program that makes the failing call and prints what comes back."""
    functions = tuple(name for name in found.wrong.function.split("+") if binding.function(name))
    case = found.case
    if isinstance(case, NetworkCase):
        return _network(case, binding, declarations)
    if isinstance(case, CallSequence | Pair):
        calls = [(s.case.geometry, s.drawn().arrays, dict(s.case.layouts), s.functions) for s in case.steps]
    else:
        calls = [(case.geometry, found.arrays, dict(case.layouts), functions)]
    kind = type(calls[0][0]).__name__
    activation = f"our {case.activation}" if isinstance(case, DeltaCase | PointCase) else ""
    lines = [
        "import numpy as np",
        f"from backproof.contract import {kind}",
        "from backproof.targets.calls import Request",
        "from backproof.targets.process import Target",
        "",
        f"with Target.open({binding.name!r}{_declared(declarations)}) as target:",
        *(f"    {line}" for line in (_together(calls) if isinstance(case, Pair) else _in_turn(calls, activation))),
    ]
    if found.wrong.index:
        where = ", ".join(map(str, found.wrong.index))
        lines.append(f"# {found.wrong.quantity}[{where}] must be {found.wrong.expected}, and is {found.wrong.actual}")
    return "\n".join(lines) + "\n"


_Call: TypeAlias = tuple[Any, Mapping[str, Array], dict[str, str], tuple[str, ...]]


def _in_turn(calls: Sequence[_Call], activation: str) -> Iterator[str]:
    """The lines that make calls one after the other, and print what comes back."""
    for call in calls:
        yield from _request(*call, activation)
        yield "print(target.call(request))"


def _together(calls: Sequence[_Call]) -> Iterator[str]:
    """The lines that make calls at the same time; a race may take several runs to be seen."""
    yield "requests = []"
    for call in calls:
        yield from _request(*call)
        yield "requests.append(request)"
    yield "for alone, together in zip(map(target.call, requests), target.together(requests, rounds=1000)):"
    yield "    print(alone, together, sep='\\n')"


def _request(
    geometry: Any,
    arrays: Mapping[str, Array],
    layouts: dict[str, str],
    functions: tuple[str, ...],
    activation: str = "",
) -> Iterator[str]:
    yield f"geometry = {_without_defaults(geometry)}"
    yield "arrays = {"
    yield from (f"    {role!r}: {_literal(array)}," for role, array in arrays.items())
    yield "}"
    yield f"request = Request(geometry, arrays, {layouts!r}, {functions!r}{_named(activation)})"


def _declared(declarations: Mapping[str, str]) -> str:
    return f", declarations={dict(declarations)!r}" if declarations else ""


def _network(case: NetworkCase, binding: Binding, declarations: Mapping[str, str]) -> str:
    """The program of a network, whose data are drawn from the case."""
    layers = [f"    {layer!r}," for layer in case.layers]
    rest = ", ".join(f"{f.name}={getattr(case, f.name)!r}" for f in fields(case) if f.name != "layers")
    lines = [
        "from backproof.cases.networks import LayerLevels, NetworkCase, network",
        "from backproof.checks.programs import reproduced",
        "from backproof.targets.process import Target",
        "",
        "layers = (",
        *layers,
        ")",
        f"drawn = network(NetworkCase(layers, {rest}))",
        f"with Target.open({binding.name!r}{_declared(declarations)}) as target:",
        "    for step, name, actual in reproduced(target, drawn):",
        "        print(step.function, name, actual, drawn.expected[name], sep='\\n')",
    ]
    return "\n".join(lines) + "\n"


def _named(activation: str) -> str:
    return f", {activation!r}" if activation else ""


def _without_defaults(geometry: Any) -> str:
    """`Geometry(size=(1, 2), ...)`: what differs from its defaults."""
    given = {f.name: getattr(geometry, f.name) for f in fields(geometry)}
    told = ", ".join(f"{f.name}={given[f.name]!r}" for f in fields(geometry) if given[f.name] != f.default)
    return f"{type(geometry).__name__}({told})"


def _literal(array: Array) -> str:
    if array.size > WRITTEN_OUT:
        return f"...,  # {array.shape}, redrawn from the case's seed by backproof.cases"
    if array.size and np.isnan(array).all():
        return f'np.full({array.shape}, np.nan, dtype="{array.dtype}")'
    written = ", ".join(map(_number, array.ravel().tolist()))
    return f'np.array([{written}], dtype="{array.dtype}").reshape({array.shape})'


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "np.nan" if math.isnan(value) else "np.inf" if value > 0 else "-np.inf"
    return repr(int(value) if value.is_integer() and abs(value) < 2**53 else value)
