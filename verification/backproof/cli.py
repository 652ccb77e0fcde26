"""The command line: `backproof check TARGET`, `backproof show TARGET`, `backproof report FILE`.

Everything but click is imported by the command that needs it, so that `backproof --help` is immediate.
"""

from __future__ import annotations

import difflib
import math
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from rich.console import Console

    from backproof.events import Event
    from backproof.report.terminal import Terminal

PROFILES = ("quick", "default", "thorough", "nightly")  # those of the runner, which would take a second to import
INTERRUPTED = 130  # what shells report for a program ended by Ctrl-C
EXIT_STATUS = """\b
Exit status:
  0    everything asked for holds
  1    findings
  2    nothing could be verified, or the command could not run
  130  interrupted (Ctrl-C); what was found until then is in the report
"""
TARGET = """TARGET is a registered name (numba, numpy, torch, or of an installed package), a file my_conv.py or a module
package.module, either with :attribute or with :forward_name,backward_name."""


def main() -> NoReturn:
    """Entry point.  A mistake of ours is shown in full, with status 2: status 1 says that the target has findings."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # names in a target may not fit the encoding of a log
    try:
        raise SystemExit(cli(prog_name="backproof", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        raise SystemExit(2) from error
    except (click.Abort, KeyboardInterrupt) as error:
        click.echo("interrupted", err=True)
        raise SystemExit(INTERRUPTED) from error
    except Exception as error:
        traceback.print_exc()
        click.echo("backproof: this is a mistake in backproof, not in the target; please report it", err=True)
        raise SystemExit(2) from error


@click.group(epilog=EXIT_STATUS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="backproof")
def cli() -> None:
    """Verify convolution layers and their backpropagation, exactly, against their specification."""


def _declarations(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    declared: dict[str, str] = {}
    for text in values:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not (equals and key and value):
            raise click.BadParameter(f"{text!r} is not KEY=VALUE; write for example ORIENTATION=cross-correlation")
        if key in declared:
            raise click.BadParameter(f"{key} is given twice: {declared[key]!r} and {value!r}")
        declared[key] = value
    return declared


def _seconds(context: click.Context, parameter: click.Parameter, value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise click.BadParameter(f"{value} is not a number of seconds above 0")
    return value


_declare = click.option(
    "--declare",
    "declarations",
    metavar="KEY=VALUE",
    multiple=True,
    callback=_declarations,
    help="What signatures cannot say, e.g. ORIENTATION=cross-correlation. Repeatable.",
)


@cli.command(epilog=EXIT_STATUS, help=f"Verify TARGET and write a report.\n\n{TARGET}")
@click.argument("target")
@_declare
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="default",
    show_default=True,
    help="How much is tried.",
)
@click.option(
    "--examples",
    type=click.IntRange(min=0),
    help="Random examples on top of the fixed set, instead of the profile's number.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Repeat the run that had this seed.")
@click.option(
    "--time-limit",
    type=float,
    default=30.0,
    show_default=True,
    callback=_seconds,
    help="Seconds that one call of the target may take.",
)
@click.option(
    "--report-dir",
    type=click.Path(path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Folder of NAME.ndjson, written during the run, and NAME.html.",
)
@click.option("--check", "checks", metavar="ID", multiple=True, help="Run this check only. Repeatable.")
@click.option("-q", "--quiet", is_flag=True, help="Only findings and the verdict.")
def check(target: str, report_dir: Path, quiet: bool, checks: tuple[str, ...], **options: Any) -> None:
    """Verify TARGET; see the command's help."""
    from backproof.report.naming import stem
    from backproof.runner import CHECK_IDS, RunOptions

    _check_ids(checks, CHECK_IDS)
    run_options = RunOptions(target=target, checks=checks, **options)
    sys.exit(_run(run_options, report_dir / stem(target), quiet))


def _check_ids(given: tuple[str, ...], known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(near)}?" if near else f"the checks are {', '.join(known)}"
            raise click.BadParameter(f"there is no check {name!r}; {hint}", param_hint="--check")


def _run(options: Any, base: Path, quiet: bool) -> int:
    """Run, record, report; the exit status."""
    from backproof.report.ndjson import NdjsonWriter
    from backproof.report.terminal import Terminal
    from backproof.runner import run

    recording, page = base.with_name(f"{base.name}.ndjson"), base.with_name(f"{base.name}.html")
    events: list[Event] = []
    with ExitStack() as stack:
        stack.callback(_write_page, events, page)  # whatever happens: what there is can be read
        with _one_message(f"cannot write to {base.parent}; choose another folder with --report-dir"):
            writer = stack.enter_context(NdjsonWriter(recording))
        terminal = stack.enter_context(Terminal(_console(), report=page.as_posix(), quiet=quiet))

        def emit(event: Event) -> None:
            events.append(event)
            with _one_message(f"cannot write {recording}"):
                # A start alone says nothing, and would replace what the last run found.
                if len(events) == 2:
                    writer.write(events[0])
                if len(events) > 1:
                    writer.write(event)
            terminal.handle(event)

        with _target_errors():
            return _until_interrupted(lambda: run(options, emit, terminal.progress), terminal)


def _until_interrupted(run: Callable[[], int], terminal: Terminal) -> int:
    try:
        return run()
    except KeyboardInterrupt:
        terminal.interrupted()
        return INTERRUPTED


def _write_page(events: list[Event], page: Path) -> None:
    if len(events) > 1:  # the start alone is nothing to report
        _write(events, page, notes=())


@cli.command(help=f"Show what of TARGET is bound to what, and what will not be verified.\n\n{TARGET}")
@click.argument("target")
@_declare
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(target: str, declarations: dict[str, str], as_json: bool) -> None:
    """Show the binding of TARGET; see the command's help."""
    import json

    from backproof.report.binding import print_binding
    from backproof.targets.layouts import LAYOUTS
    from backproof.targets.process import Target

    with _target_errors(), Target.open(target, declarations=declarations) as opened:
        binding = asdict(opened.binding)
    excluded = [name for name in LAYOUTS if name not in binding["layouts"]]
    if as_json:
        click.echo(json.dumps({**binding, "layouts_excluded": excluded}, indent=2, ensure_ascii=False))
    else:
        print_binding(binding, _console(), excluded=excluded)


@cli.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page; FILE with the suffix .html unless given.",
)
def report(file: Path, output: Path | None) -> None:
    """Render the recording FILE (.ndjson) as HTML again."""
    from backproof.report.ndjson import read

    page = output or file.with_suffix(".html")
    if page == file:
        raise click.BadParameter(f"{page} is the recording itself; write the page elsewhere", param_hint="--output")
    try:
        recording = read(file)
    except (OSError, ValueError) as error:
        _fail(str(error))
    for note in recording.notes:
        click.echo(f"note: {note}", err=True)
    _write(list(recording.events), page, recording.notes)


def _write(events: list[Event], page: Path, notes: tuple[str, ...]) -> None:
    from backproof.report.html import write_html

    with _one_message(f"cannot write {page}"):
        write_html(events, page, notes=notes)
    click.echo(f"report: {page.as_posix()}")


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


@contextmanager
def _target_errors() -> Iterator[None]:
    from backproof.targets.errors import TargetError

    try:
        yield
    except TargetError as error:
        _fail(str(error))


@contextmanager
def _one_message(problem: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _fail(f"{problem} ({os.strerror(error.errno) if error.errno else error})")


def _fail(message: str) -> NoReturn:
    """Say why the command could not run; exit status 2."""
    click.echo(f"Error: {message}", err=True)
    sys.exit(2)
