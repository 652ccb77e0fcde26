"""`backproof mutants`: the museum against the checks, and the kill table."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backproof.cli_run import check_ids, console, fail, one_message
from backproof.settings import PROFILES

if TYPE_CHECKING:
    from rich.console import Console

    from backproof.kills.mutants import Mutant
    from backproof.kills.trial import Plan, Trial

EXIT_STATUS = """\b
Exit status:
  0    every mutant was killed
  1    some survived
  2    the command could not run
"""


@click.command(epilog=EXIT_STATUS)
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--profile", type=click.Choice(PROFILES), default="default", show_default=True, help="How much is tried.")
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="Runs of each mutant.")
@click.option("--first-seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the first run.")
@click.option(
    "--family",
    "families",
    type=click.Choice(["museum", "foreign", "synthetic"]),
    multiple=True,
    help="Mutants of this family; museum and foreign unless given. Repeatable.",
)
@click.option(
    "--synthetic", "count", type=click.IntRange(min=1), help="So many mutants of the grammar; 100 unless given."
)
@click.option("--literals", type=click.IntRange(min=0), default=2, show_default=True, help="Conditions of their gates.")
@click.option("--generator-seed", type=click.IntRange(min=0), default=0, show_default=True, help="What draws them.")
@click.option("--check", "checks", metavar="ID", multiple=True, help="Run this check only. Repeatable.")
@click.option("--matrix", is_flag=True, help="Run every check on every mutant, also when it is killed already.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes; as many as there are processors unless given.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the JSON to this file.")
@click.option("--write", is_flag=True, help="Record the result as the kill rate that reports show.")
def mutants(
    ids: tuple[str, ...],
    profile: str,
    seeds: int,
    first_seed: int,
    families: tuple[str, ...],
    count: int | None,
    literals: int,
    generator_seed: int,
    checks: tuple[str, ...],
    matrix: bool,
    jobs: int | None,
    as_json: bool,
    output: Path | None,
    write: bool,
) -> None:
    """Run the checks on layers that are known to be wrong, and show which check kills which.

    An ID is that of a mutant, such as L005, rotation-forgotten or s7_3_17; without any, all of the families.
    """
    from backproof.kills.data import as_json as encoded
    from backproof.kills.data import write_record
    from backproof.kills.results import results
    from backproof.kills.table import show
    from backproof.kills.trial import Plan
    from backproof.options import CHECK_IDS

    check_ids(checks, CHECK_IDS)
    if ids and (families or count):
        raise click.UsageError("ids name their mutants; leave out --family and --synthetic")
    if write and (ids or families or count or checks or matrix):
        raise click.UsageError("--write records all listed mutants and all checks; leave out what chooses some")
    chosen = _chosen(ids, families, count, literals, generator_seed)
    plan, clock = Plan(profile, checks, matrix), time.monotonic()
    trials = _run(chosen, range(first_seed, first_seed + seeds), plan, jobs or os.cpu_count() or 1, quiet=as_json)
    found = results(chosen, trials, plan, time.monotonic() - clock)
    if output is not None:
        with one_message(f"cannot write {output}"):
            output.write_text(encoded(found) + "\n", encoding="utf-8", newline="\n")
    if write:
        with one_message("cannot write the museum's record"):
            write_record(found)
    if as_json:
        click.echo(encoded(found))
    else:
        show(found, console())
    sys.exit(1 if found.survivors else 0)


def _chosen(
    ids: tuple[str, ...], families: tuple[str, ...], count: int | None, literals: int, seed: int
) -> list[Mutant]:
    from backproof.kills.mutants import LISTED, SYNTHETIC, UnknownMutantError, drawn, listed, named

    if ids:
        try:
            return named(ids)
        except UnknownMutantError as error:
            fail(str(error))
    wanted = families or (() if count else LISTED)
    chosen = listed(wanted)
    if count or SYNTHETIC in wanted:
        try:
            chosen += drawn(count or 100, literals, seed)
        except ValueError as error:
            fail(str(error))
    return chosen


def _run(chosen: list[Mutant], seeds: range, plan: Plan, jobs: int, *, quiet: bool) -> list[Trial]:
    """All trials, with a bar on a terminal."""
    from backproof.kills.campaign import campaign
    from backproof.targets.errors import TargetError

    try:
        ended = campaign(chosen, seeds, plan, jobs)
        return list(ended if quiet else _shown(ended, len(chosen) * len(seeds), console()))
    except TargetError as error:
        fail(str(error))


def _shown(trials: Iterable[Trial], total: int, on: Console) -> Iterable[Trial]:
    if not on.is_terminal:
        return trials
    from rich.progress import track

    return track(trials, "mutants", total=total, console=on, transient=True)
