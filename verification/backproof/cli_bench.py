"""`backproof bench`: how fast `backproof_impl` is beside PyTorch, JAX and SciPy.

The measuring is in `backproof_bench`, which this command reaches by its name alone.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from backproof.cli_run import fail, one_message

EXIT_STATUS = """\b
Exit status:
  0    everything was measured, whatever the ratios
  1    a result of backproof_impl was rejected: its error is not credible
  2    the command could not run
  130  interrupted (Ctrl-C); with --json, the same command goes on
"""


DTYPES = ("float32", "float64")


@click.command(epilog=EXIT_STATUS)
@click.option("--quick", is_flag=True, help="A few layers in float32, fewer rounds, one thread: below a minute.")
@click.option("--tuning", is_flag=True, help="The layers for tuning constants, which no report shows.")
@click.option("--only", metavar="NAME", multiple=True, help="Layers whose name contains this. Repeatable.")
@click.option("--dtype", "dtypes", type=click.Choice(DTYPES), multiple=True, help="Both unless given.")
@click.option("--threads", type=click.IntRange(min=1), multiple=True, help="Numbers of threads; 1 and 2 unless given.")
@click.option(
    "--baseline",
    "baselines",
    metavar="NAME",
    multiple=True,
    help="torch, torch-channels-last, jax or scipy; all that are installed unless given. Repeatable.",
)
@click.option(
    "--json",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save the results to this file, row by row; the same command goes on where it was interrupted.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write speed.md and its plots to this folder.",
)
@click.option("--render", is_flag=True, help="Measure nothing: write the page of --json to --output (reports).")
def bench(
    quick: bool,
    tuning: bool,
    only: tuple[str, ...],
    dtypes: tuple[str, ...],
    threads: tuple[int, ...],
    baselines: tuple[str, ...],
    file: Path | None,
    output: Path | None,
    render: bool,
) -> None:
    """Measure how fast backproof_impl is, layer by layer, beside PyTorch, JAX and SciPy.

    Ratios are the baseline's time over ours in the same round; the full run takes some ten minutes.
    """
    from backproof.environment import describe

    command: Any = import_module("backproof_bench.command")
    try:
        if render:
            with one_message(f"cannot write to {output or Path('reports')}; choose another folder with --output"):
                _wrote(command.render(None, output or Path("reports"), file))
            return
        options = command.Options(
            quick=quick,
            tuning=tuning,
            only=only,
            dtypes=tuple(dict.fromkeys(dtypes)) or DTYPES[: 1 if quick else 2],
            threads=command.threads(threads or ((1,) if quick else ())),
            baselines=command.baselines(baselines),
        )
        with one_message("cannot write the results; choose another file with --json, or folder with --output"):
            status = command.bench(options, describe(), file, output)
    except command.BenchError as error:
        fail(str(error))
    sys.exit(status)


def _wrote(paths: list[Path]) -> None:
    for path in paths:
        click.echo(f"report: {path.as_posix()}")
