"""One target on the command line: run, record, show, write the page; and what its options come to."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from backproof.settings import Settings, SettingsError, TargetSettings, read_settings, validated

if TYPE_CHECKING:
    from rich.console import Console

    from backproof.events import Event
    from backproof.options import RunOptions
    from backproof.report.terminal import Terminal

INTERRUPTED = 130  # what shells report for a program ended by Ctrl-C


def settings_here() -> Settings:
    """The settings of the current folder, or one message and exit status 2."""
    try:
        settings = read_settings(Path())
        return validated(settings) if settings.targets else settings
    except SettingsError as error:
        fail(str(error))


def check_ids(given: tuple[str, ...], known: tuple[str, ...]) -> None:
    """Refuse the id of a check that does not exist.

    Raises:
        click.BadParameter: With the nearest ids.
    """
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(near)}?" if near else f"the checks are {', '.join(known)}"
            raise click.BadParameter(f"there is no check {name!r}; {hint}", param_hint="--check")


def combined(given: Mapping[str, Any], settings: Settings, target: TargetSettings) -> RunOptions:
    """Options of a run: those given on the command line, else those of the settings, else the runner's defaults."""
    from backproof.cases.shapes import EXAMPLE
    from backproof.options import RunOptions

    shapes = (*given["shape"], *given["shapes_file"]) or (*settings.shapes, *target.shapes)
    checks = (*given["checks"], *(("shapes",) if given["only_shapes"] else ()))
    if "shapes" in checks and not shapes:
        fail(f"there is no shape to verify; write one, such as --shape {EXAMPLE!r}")
    written = {key: getattr(settings, key) for key in ("profile", "examples", "seed", "time_limit", "strict")}
    merged = {key: given[key] if given.get(key) is not None else value for key, value in written.items()}
    return RunOptions(
        target.target,
        declarations={**target.declarations, **given["declarations"]},
        expect_fail={**target.expect_fail, **given["expect_fail"]},
        checks=checks,
        shapes=shapes,
        **{key: value for key, value in merged.items() if value is not None},
    )


def verify(options: RunOptions, base: Path, quiet: bool) -> int:
    """Run, record in `base`.ndjson, report in `base`.html; the exit status."""
    from backproof.report.ndjson import NdjsonWriter
    from backproof.report.terminal import Terminal
    from backproof.runner import run
    from backproof.targets.errors import TargetError

    recording, page = base.with_name(f"{base.name}.ndjson"), base.with_name(f"{base.name}.html")
    events: list[Event] = []
    with ExitStack() as stack:
        stack.callback(_write_some, events, page)  # whatever happens: what there is can be read
        with one_message(f"cannot write to {base.parent}; choose another folder with --report-dir"):
            writer = stack.enter_context(NdjsonWriter(recording))
        terminal = stack.enter_context(Terminal(console(), report=page.as_posix(), quiet=quiet))

        def emit(event: Event) -> None:
            events.append(event)
            with one_message(f"cannot write {recording}"):
                # A start alone says nothing, and would replace what the last run found.
                if len(events) == 2:
                    writer.write(events[0])
                if len(events) > 1:
                    writer.write(event)
            terminal.handle(event)

        try:
            return _until_interrupted(lambda: run(options, emit, terminal.progress), terminal)
        except TargetError as error:
            click.echo(f"Error: {error}", err=True)
            return 2


def _until_interrupted(run: Callable[[], int], terminal: Terminal) -> int:
    try:
        return run()
    except KeyboardInterrupt:
        terminal.interrupted()
        return INTERRUPTED


def _write_some(events: list[Event], page: Path) -> None:
    if len(events) > 1:  # the start alone is nothing to report
        write_page(events, page, notes=())


def write_page(events: list[Event], page: Path, notes: tuple[str, ...]) -> None:
    """Render events as HTML, and say where."""
    from backproof.report.html import write_html

    with one_message(f"cannot write {page}"):
        write_html(events, page, notes=notes)
    click.echo(f"report: {page.as_posix()}")


def console() -> Console:
    """The terminal; what is printed is never taken for markup."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


@contextmanager
def one_message(problem: str) -> Iterator[None]:
    """Errors of the operating system as one message and exit status 2."""
    try:
        yield
    except OSError as error:
        fail(f"{problem} ({os.strerror(error.errno) if error.errno else error})")


def fail(message: str) -> NoReturn:
    """Say why the command could not run; exit status 2."""
    click.echo(f"Error: {message}", err=True)
    sys.exit(2)
