"""What the commands take: TARGET, which a shell completes, and the options that are read as KEY=VALUE."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from backproof.settings import PROFILES, SettingsError, read_settings


def targets(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What a shell completes as TARGET: registered names, names of the settings, Python files; else folders."""
    names = {*_registered(), *_of_settings()}
    found = sorted(name for name in names if name.startswith(incomplete)) + _files(incomplete)
    return [CompletionItem(text) for text in dict.fromkeys(found)] or [CompletionItem(incomplete, type="dir")]


def _registered() -> Iterable[str]:
    from importlib.metadata import entry_points

    return entry_points(group="backproof.implementations").names


def _of_settings() -> Iterable[str]:
    try:
        return read_settings(Path()).targets
    except SettingsError:  # `backproof check` says what is wrong; a shell is no place for it
        return ()


def _files(incomplete: str) -> list[str]:
    """Python files in the folder that is typed so far, written as they were begun."""
    folder, slash, begun = incomplete.rpartition("/")
    try:
        names = sorted(path.name for path in Path(folder + slash).glob("*.py"))
    except OSError:
        return []
    return [folder + slash + name for name in names if name.startswith(begun)]


def _pairs(values: tuple[str, ...], form: str, example: str) -> dict[str, str]:
    read: dict[str, str] = {}
    for text in values:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not (equals and key and value):
            raise click.BadParameter(f"{text!r} is not {form}; write for example {example}")
        if key in read:
            raise click.BadParameter(f"{key} is given twice: {read[key]!r} and {value!r}")
        read[key] = value
    return read


def _declarations(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    return _pairs(values, "KEY=VALUE", "ORIENTATION=cross-correlation")


def _expected(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    reasons = _pairs(values, "CHECK=REASON or CHECK:QUANTITY=REASON", 'exact:dw="issue 12"')
    if reasons:
        from backproof.expectations import Expectations
        from backproof.options import CHECK_IDS

        try:
            Expectations.of(reasons, CHECK_IDS)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
    return reasons


def _seconds(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise click.BadParameter(f"{value} is not a number of seconds above 0")
    return value


def _shapes(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    from backproof.cases.shapes import ShapeError, own_shape

    try:
        return tuple(own_shape(value).text for value in values)
    except ShapeError as error:
        raise click.BadParameter(str(error)) from error


def _shapes_file(context: click.Context, parameter: click.Parameter, value: Path | None) -> tuple[str, ...]:
    from backproof.cases.shapes import ShapeError, read_shapes

    try:
        return tuple(shape.text for shape in read_shapes(value)) if value else ()
    except ShapeError as error:
        raise click.BadParameter(str(error)) from error


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

declare: Decorator = click.option(
    "--declare",
    "declarations",
    metavar="KEY=VALUE",
    multiple=True,
    callback=_declarations,
    help="What signatures cannot say, e.g. ORIENTATION=cross-correlation. Repeatable.",
)

_RUN: tuple[Decorator, ...] = (
    declare,
    click.option("--profile", type=click.Choice(PROFILES), help='How much is tried; "default" unless given.'),
    click.option(
        "--examples",
        type=click.IntRange(min=0),
        help="Random examples on top of the fixed set, instead of the profile's number.",
    ),
    click.option("--seed", type=click.IntRange(min=0), help="Repeat the run that had this seed."),
    click.option(
        "--time-limit",
        type=float,
        callback=_seconds,
        help="Seconds that one call of the target may take; 30 unless given.",
    ),
    click.option(
        "--report-dir",
        type=click.Path(path_type=Path),
        help="Folder of NAME.ndjson, written during the run, and NAME.html; reports unless given.",
    ),
    click.option("--check", "checks", metavar="ID", multiple=True, help="Run this check only. Repeatable."),
    click.option(
        "--shape",
        "shape",
        metavar="SHAPE",
        multiple=True,
        callback=_shapes,
        help="Verify this shape of yours completely, e.g. 'x=1,3,8,8 w=4,3,3,3 stride=2 padding=1'. Repeatable.",
    ),
    click.option(
        "--shapes",
        "shapes_file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        callback=_shapes_file,
        help='The same for all of a TOML file: shapes = ["x=1,3,8,8 w=4,3,3,3", ...].',
    ),
    click.option("--only-shapes", is_flag=True, help="Run no other check than that of your shapes."),
    click.option(
        "--expect-fail",
        metavar="CHECK[:QUANTITY]=REASON",
        multiple=True,
        callback=_expected,
        help='A failure that is known, e.g. exact:dw="issue 12"; the run does not fail for it. Repeatable.',
    ),
    click.option(
        "--strict/--no-strict",
        default=None,
        help="Fail also for what was inferred, left out, or expected to fail and did not.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Only findings and the verdict."),
)


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """All options of `check`, in the order of its help; None, or empty, where they are not given."""
    for option in reversed(_RUN):
        command = option(command)
    return command
