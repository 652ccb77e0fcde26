"""How a run begins: what was asked for, how the target was bound, and the bench that its checks work at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from backproof import environment
from backproof.cases.levels import space
from backproof.cases.shapes import own_shape
from backproof.checks import Bench
from backproof.checks.orientation import infer
from backproof.contract import ORIENTATIONS, Orientation
from backproof.events import FORMAT, RunStarted, TargetBound
from backproof.kill_record import kill_rate
from backproof.options import RunOptions
from backproof.targets.binding import Binding
from backproof.targets.layouts import LAYOUTS
from backproof.targets.process import Target
from backproof.targets.roles import CONVOLUTIONS


def started(options: RunOptions, examples: int, seed: int) -> RunStarted:
    """The first event."""
    return RunStarted(
        format=FORMAT,
        backproof=environment.version("backproof"),
        target=options.target,
        declarations=dict(options.declarations),
        profile=options.profile,
        examples=examples,
        seed=seed,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        environment=environment.describe(),
        expect_fail=dict(options.expect_fail),
        strict=options.strict,
        shapes=[own_shape(shape).text for shape in options.shapes],
        museum=kill_rate(),
    )


def orientations(target: Target) -> tuple[tuple[Orientation, ...], Literal["declared", "inferred", "unknown"]]:
    """The orientations to hold the target to, and how they are known."""
    binding = target.binding
    if "orientation" in dict(binding.options):
        return ORIENTATIONS, "declared"
    if binding.orientation is not None:
        return (binding.orientation,), "declared"
    inferred = infer(target)
    # Where forward agrees with neither it is wrong; it is then measured against what every framework computes.
    return (inferred or "cross-correlation",), "inferred" if inferred else "unknown"


def bench_of(target: Target, held_to: tuple[Orientation, ...], examples: int, seed: int) -> Bench:
    """A bench for a target, with all levels that it supports; what it finds goes nowhere as yet."""
    binding = target.binding
    convolves = any(function.role in (*CONVOLUTIONS, "delta") for function in binding.functions)
    return Bench(
        target=target,
        space=space(
            lambda g: not convolves or binding.refuses(g) is None,  # what only pools is asked for no convolution
            orientations=held_to,
            dtypes=binding.dtypes,
            layouts=binding.layouts,
            direct=binding.algorithm == "direct" and not binding.updates,
            fixed=dict(binding.fixed),
        ),
        orientations=held_to,
        examples=examples,
        seed=seed,
        report=lambda found: None,
        progress=lambda done, total: None,
    )


def bound(binding: Binding, orientations: tuple[Orientation, ...], known: str) -> TargetBound:
    """A binding as an event."""
    return TargetBound(
        name=binding.name,
        origin=binding.origin,
        version=binding.version,
        orientation="unknown" if known == "unknown" else "both" if len(orientations) > 1 else orientations[0],
        orientation_inferred=known == "inferred",
        functions=[
            {
                "role": function.role,
                "display": function.display,
                "parameters": [
                    parameter.name if parameter.name == parameter.role else f"{parameter.name} ({parameter.role})"
                    for parameter in function.parameters
                ],
            }
            for function in binding.functions
        ],
        options={option: str(form) for option, form in binding.options},
        bias=binding.bias,
        dtypes=list(binding.dtypes),
        padding_modes=list(binding.padding_modes),
        layouts=list(binding.layouts),
        layouts_excluded=[layout for layout in LAYOUTS if layout not in binding.layouts],
        known_defects=[
            {"name": name, "summary": summary, "script": script} for name, summary, script in binding.known_defects
        ],
        not_bound=list(binding.not_bound),
    )
