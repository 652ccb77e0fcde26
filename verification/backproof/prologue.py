"""What a run says before its first check: what was asked for, and how the target was bound."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from backproof import environment
from backproof.cases.shapes import own_shape
from backproof.checks.orientation import infer
from backproof.contract import ORIENTATIONS, Orientation
from backproof.events import FORMAT, RunStarted, TargetBound
from backproof.options import RunOptions
from backproof.targets.binding import Binding
from backproof.targets.layouts import LAYOUTS
from backproof.targets.process import Target


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
