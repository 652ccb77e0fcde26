"""The command line: `backproof check TARGET`, `show TARGET`, `init`, `report FILE`, `derive`, `mutants`, `bench`,
`completion`.

Everything but click is imported by the command that needs it, so that `backproof --help` is immediate.
"""

from __future__ import annotations

import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from backproof.cli_bench import bench
from backproof.cli_derive import derive
from backproof.cli_mutants import mutants
from backproof.cli_options import declare, run_options, targets
from backproof.cli_run import (
    INTERRUPTED,
    check_ids,
    combined,
    console,
    fail,
    one_message,
    settings_here,
    verify,
    write_page,
)

if TYPE_CHECKING:
    from backproof.settings import Settings, TargetSettings

EXIT_STATUS = """\b
Exit status:
  0    everything asked for holds
  1    findings
  2    nothing could be verified, or not all of your own shapes, or the command could not run
  130  interrupted (Ctrl-C); what was found until then is in the report
"""
TARGET = """TARGET is a registered name (numba, numpy, torch, jax, scipy-signal, ...), a file my_conv.py or a module
package.module, either with :attribute or with :forward_name,backward_name, or a name of [tool.backproof.targets] in
pyproject.toml."""
NO_TARGET = """\
there is no TARGET, and {where}; write for example `backproof check my_conv.py`, or in pyproject.toml

    [tool.backproof.targets.my_conv]
    target = "my_conv.py"
"""


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


@cli.command(
    epilog=EXIT_STATUS,
    help=f"""Verify TARGET and write a report.

{TARGET} Without TARGET, all of these are verified, and the exit status is the worst.

Options override [tool.backproof] in pyproject.toml.""",
)
@click.argument("target", shell_complete=targets, required=False)
@run_options
def check(target: str | None, quiet: bool, **given: Any) -> None:
    """Verify TARGET; see the command's help."""
    from backproof.options import CHECK_IDS
    from backproof.report.naming import stem

    check_ids(given["checks"], CHECK_IDS)
    settings = settings_here()
    report_dir = given["report_dir"] or settings.report_dir or Path("reports")
    worst = 0
    for one in [settings.find(target)] if target else _all(settings):
        status = verify(combined(given, settings, one), report_dir / stem(one.name), quiet)
        worst = max(worst, status)
        if status == INTERRUPTED:
            break
    sys.exit(worst)


def _all(settings: Settings) -> list[TargetSettings]:
    if not settings.targets:
        where = "no pyproject.toml here or above has [tool.backproof]"
        fail(NO_TARGET.format(where=f"{settings.file} names no targets" if settings.file else where))
    return list(settings.targets.values())


@cli.command(help=f"Show what of TARGET is bound to what, and what will not be verified.\n\n{TARGET}")
@click.argument("target", shell_complete=targets)
@declare
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(target: str, declarations: dict[str, str], as_json: bool) -> None:
    """Show the binding of TARGET; see the command's help."""
    import json

    from backproof.report.binding import print_binding
    from backproof.targets.errors import TargetError
    from backproof.targets.layouts import LAYOUTS
    from backproof.targets.process import Target

    one = settings_here().find(target)
    try:
        with Target.open(one.target, declarations={**one.declarations, **declarations}) as opened:
            binding = asdict(opened.binding)
    except TargetError as error:
        fail(str(error))
    excluded = [name for name in LAYOUTS if name not in binding["layouts"]]
    if as_json:
        click.echo(json.dumps({**binding, "layouts_excluded": excluded}, indent=2, ensure_ascii=False))
    else:
        print_binding(binding, console(), excluded=excluded)


@cli.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default=Path("my_conv.py"))
@click.option("--force", is_flag=True, help="Overwrite what is there.")
def init(file: Path, force: bool) -> None:
    """Write FILE (my_conv.py), a layer whose gradients are left to you, and a test that verifies it."""
    from backproof.scaffold import ScaffoldError, next_commands, write

    try:
        with one_message(f"cannot write {file}"):
            written = write(file, force=force)
    except ScaffoldError as error:
        fail(str(error))
    for path in written:
        click.echo(f"wrote {path.as_posix()}")
    click.echo(next_commands(*written))


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
        fail(str(error))
    for note in recording.notes:
        click.echo(f"note: {note}", err=True)
    write_page(list(recording.events), page, recording.notes)


cli.add_command(derive)
cli.add_command(mutants)
cli.add_command(bench)


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a script that lets SHELL complete commands, options and targets.

    \b
    bash:  backproof completion bash >> ~/.bashrc
    zsh:   backproof completion zsh >> ~/.zshrc
    fish:  backproof completion fish > ~/.config/fish/completions/backproof.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        fail(f"this version of click has no completion for {shell}; update click")
    click.echo(kind(cli, {}, "backproof", "_BACKPROOF_COMPLETE").source())
