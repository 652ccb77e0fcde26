"""Grids as plain text, for Markdown and for the terminal: aligned columns, what matters in brackets."""

from __future__ import annotations

from collections.abc import Sequence

from backproof.edition import grids
from backproof.edition.grids import Cells
from backproof.edition.prose import spoken
from backproof_spec.derivation.edition import Claim, Example
from backproof_spec.proof.verdict import Counterexample


def worked(example: Example) -> str:
    """The inputs of an example, and the output."""
    return beside([*grids.inputs(example), grids.output(example)])


def planes(claim: Claim, example: Counterexample) -> str:
    """The arrays of a counterexample; empty where none has rows and columns."""
    return beside(grids.planes(claim, example))


def frames() -> str:
    """The three frames; pixels that are left out are blank."""
    return beside(grids.frames())


def beside(pictures: Sequence[Cells]) -> str:
    """Grids with their names, side by side."""
    blocks = [_block(cells) for cells in pictures]
    height = max((len(block) for block in blocks), default=0)
    widths = [max(map(len, block)) for block in blocks]
    padded = [[*block, *[""] * (height - len(block))] for block in blocks]
    lines = (zip(row, widths, strict=True) for row in zip(*padded, strict=True))
    return "\n".join("    ".join(text.ljust(width) for text, width in line).rstrip() for line in lines)


def _block(cells: Cells) -> list[str]:
    text = {place: f"[{value}]" if place in cells.marked else f" {value} " for place, value in cells.values.items()}
    width = max(map(len, [*text.values(), *(f" {column} " for column in cells.columns)]))
    edge = max(len(str(row)) for row in cells.rows)
    lines = [" " * edge + " |" + "".join(f" {column} ".rjust(width) for column in cells.columns)]
    for row in cells.rows:
        entries = (text.get((row, column), "").rjust(width) for column in cells.columns)
        lines.append(f"{row:>{edge}} |{''.join(entries)}".rstrip())
    return [spoken(f"${cells.tex}$") if cells.tex else cells.name, *lines]
