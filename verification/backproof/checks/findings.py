"""A failure as an event: what is wrong, the smallest case, and a program that shows it again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

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
        equations=list(EQUATIONS.get(wrong.quantity, check.equations)),
        case=found.case.as_dict(),
        index=list(wrong.index),
        expected=wrong.expected,
        actual=wrong.actual,
        wrong=wrong.wrong,
        compared=wrong.compared,
        after=found.after,
        reproducer=reproducer(found, binding, declarations),
    )


def reproducer(found: Found, binding: Binding, declarations: Mapping[str, str]) -> str:
    """A Python program that makes the failing call and prints what comes back."""
    functions = tuple(name for name in found.wrong.function.split("+") if binding.function(name))
    case = found.case
    if isinstance(case, CallSequence):
        calls = [(s.case.geometry, s.drawn().arrays, dict(s.case.layouts), s.functions) for s in case.steps]
    else:
        calls = [(case.geometry, found.arrays, dict(case.layouts), functions)]
    kind = type(calls[0][0]).__name__
    declared = f", declarations={dict(declarations)!r}" if declarations else ""
    lines = [
        "import numpy as np",
        f"from backproof.contract import {kind}",
        "from backproof.targets.calls import Request",
        "from backproof.targets.process import Target",
        "",
        f"with Target.open({binding.name!r}{declared}) as target:",
        *(f"    {line}" for call in calls for line in _call(*call)),
    ]
    if found.wrong.index:
        where = ", ".join(map(str, found.wrong.index))
        lines.append(f"# {found.wrong.quantity}[{where}] must be {found.wrong.expected}, and is {found.wrong.actual}")
    return "\n".join(lines) + "\n"


def _call(geometry: Any, arrays: Mapping[str, Array], layouts: dict[str, str], functions: tuple[str, ...]) -> list[str]:
    """The lines that make one call and print what comes back."""
    return [
        f"geometry = {_without_defaults(geometry)}",
        "arrays = {",
        *(f"    {role!r}: {_literal(array)}," for role, array in arrays.items()),
        "}",
        f"print(target.call(Request(geometry, arrays, {layouts!r}, {functions!r})))",
    ]


def _without_defaults(geometry: Any) -> str:
    """`Geometry(size=(1, 2), ...)`: what differs from its defaults."""
    given = {f.name: getattr(geometry, f.name) for f in fields(geometry)}
    told = ", ".join(f"{f.name}={given[f.name]!r}" for f in fields(geometry) if given[f.name] != f.default)
    return f"{type(geometry).__name__}({told})"


def _literal(array: Array) -> str:
    if array.size > WRITTEN_OUT:
        return f"...,  # {array.shape}, redrawn from the case's seed: backproof.cases.data.example"
    if array.size and np.isnan(array).all():
        return f'np.full({array.shape}, np.nan, dtype="{array.dtype}")'
    written = ", ".join(map(_number, array.ravel().tolist()))
    return f'np.array([{written}], dtype="{array.dtype}").reshape({array.shape})'


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "np.nan" if math.isnan(value) else "np.inf" if value > 0 else "-np.inf"
    return repr(int(value) if value.is_integer() and abs(value) < 2**53 else value)
