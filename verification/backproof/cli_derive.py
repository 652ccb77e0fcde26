"""`backproof derive`: judge the equations, show what was found, write the two reports."""

from __future__ import annotations

import difflib
import os
import sys
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backproof.cli_run import console, fail, one_message

if TYPE_CHECKING:
    from backproof_spec.derivation.edition import Edition

EXIT_STATUS = """\b
Exit status:
  0    every claim was judged, whatever was found
  1    a printed formula says something else than what was judged
  2    the command could not run
"""
NEEDS = 'the derivation needs {missing}; install it with: pip install "backproof[derive]"'


@click.command(epilog=EXIT_STATUS)
@click.option("--equation", metavar="ID", help="One claim only, shown in full; nothing is written without --output.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the reports; reports unless given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else; write only with --output.")
def derive(equation: str | None, output: Path | None, as_json: bool) -> None:
    """Prove or refute every equation, for all sizes, and write derivation.html and derivation.md.

    The reports show each formula with its derivation, the smallest counterexample where it is wrong, what is proved
    instead, and an example with numbers.
    """
    writes = output is not None or not (as_json or equation)
    folder = output or Path("reports")
    _require(["z3", *(["ziamath"] if writes else [])])
    _check_id(equation)
    _check_formulas(equation)
    if writes:
        with _writing(folder):  # before the work, not after it
            folder.mkdir(parents=True, exist_ok=True)
    edition = _judged(equation)
    if as_json:
        from backproof.edition.data import as_json as encoded

        click.echo(encoded(edition.claims[0] if equation else edition))
    else:
        _show(edition, equation)
    if writes:
        for path in _write(edition, folder, equation):
            click.echo(f"report: {path.as_posix()}", err=as_json)
    from backproof.edition.trouble import disagreements

    sys.exit(1 if disagreements(edition) else 0)


def _require(modules: list[str]) -> None:
    if missing := [name for name in modules if find_spec(name) is None]:
        fail(NEEDS.format(missing=" and ".join(missing)))


def _check_id(equation: str | None) -> None:
    from backproof_spec.derivation.claims import CLAIMS

    if equation is not None and equation not in CLAIMS:
        near = difflib.get_close_matches(equation, CLAIMS, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else f"the claims are {', '.join(CLAIMS)}"
        fail(f"there is no claim {equation!r}; {hint}")


def _check_formulas(equation: str | None) -> None:
    """LaTeX that is no formula, say for want of a bracket, is told before the work and not in the midst of it."""
    from backproof_spec.derivation.claims import CLAIMS
    from backproof_spec.derivation.printed import printed
    from backproof_spec.derivation.tokens import LatexError

    for claim in CLAIMS.values() if equation is None else [CLAIMS[equation]]:
        for line in claim.lines:
            try:
                printed(claim, line)
            except LatexError as error:
                fail(f"the formula of {claim.id} cannot be read: {error}")


def _judged(equation: str | None) -> Edition:
    from rich.console import Console

    from backproof.edition.links import with_checks
    from backproof.edition.terminal import progress
    from backproof_spec.derivation.judge import judge_all

    with progress(Console(stderr=True, highlight=False, markup=False, emoji=False)) as report:
        return with_checks(judge_all(equation, report, processes=os.cpu_count() or 1))


def _show(edition: Edition, equation: str | None) -> None:
    from backproof.edition.terminal import print_edition, print_trouble
    from backproof.edition.terminal_claim import print_claim

    if equation is None:
        print_edition(edition, console())
    else:
        print_trouble(edition, console())
        print_claim(edition.claims[0], console())


def _write(edition: Edition, folder: Path, equation: str | None) -> list[Path]:
    """Both reports; those about one claim have its id in their names."""
    from backproof.edition import markdown, page

    base = folder / (f"derivation-{equation}" if equation else "derivation")
    texts = {".html": page.render(edition), ".md": markdown.render(edition)}
    with _writing(folder):
        for suffix, text in texts.items():
            Path(f"{base}{suffix}").write_text(text, encoding="utf-8", newline="\n")
    return [Path(f"{base}{suffix}") for suffix in texts]


def _writing(folder: Path) -> AbstractContextManager[None]:
    return one_message(f"cannot write to {folder}; choose another folder with --output")
