"""LaTeX as SVG in the page: set by ziamath, in the colour of the text, each glyph and each formula drawn once.

A formula stands on the baseline of its line, is measured in em, and has its LaTeX as its name for those who do not
see it.  The lines of `aligned` are formulas of their own, aligned where the LaTeX says `&`; a line may be broken
before `=`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from markupsafe import Markup

from backproof.edition.typeset import EM, Glyph, Line, typeset

_PHONE = 16.0  # em of a formula that a small telephone shows without scrolling
_SHORT = 32  # signs of LaTeX that a small telephone shows on one line
_NUMBER = re.compile(r"-?\d+\.\d+")
_ALIGNED = re.compile(r"\\begin\{(aligned|align\*?)\}(.*)\\end\{\1\}", re.DOTALL)
_NESTING = re.compile(r"\\[{}]|\\left\b|\\right\b|\\[A-Za-z]+|[{}=]")
_DEEPER = {"{": 1, "\\left": 1, "}": -1, "\\right": -1}


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A formula in the page: where its glyphs are, and its box in em; `depth` is how far it goes below the baseline."""

    identifier: str
    box: str
    width: float
    height: float
    depth: float


class Formulas:
    """The formulas of one page.

    Attributes:
        failed: LaTeX that could not be set -> why; the page shows its source instead.
    """

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}
        self._drawn: dict[str, _Drawing | None] = {}
        self._definitions: list[str] = []
        self._glyphs: dict[Glyph, str] = {}  # -> its id in the page

    def inline(self, tex: str) -> Markup:
        """A formula in a line of text."""
        pieces = [(piece, self._draw(piece)) for piece in _pieces(tex)]
        if any(drawing is None for _, drawing in pieces):
            return Markup('<code class="tex">{}</code>').format(tex)
        svgs = "".join(_svg(drawing) for _, drawing in pieces if drawing)
        return Markup(f'<span class="math" role="img" aria-label="{escape(_squeezed(tex))}">{svgs}</span>')

    def block(self, tex: str) -> Markup:
        """A formula in a box of its own, which scrolls where a piece of it is wider than the page."""
        lines = _lines(tex)
        rows = "".join(f'<span class="line">{"".join(map(self._cell, line))}</span>' for line in lines)
        widths = [[self._width(part) for part in line] for line in lines]
        wide = sum(max(column) for column in zip(*widths, strict=True)) > _PHONE
        focus = ' tabindex="0" role="group" aria-label="Formula"' if wide else ""
        kind = "formula aligned" if len(lines[0]) > 1 else "formula"
        return Markup(f'<div class="{kind}"{focus}>{rows}</div>')

    def definitions(self) -> Markup:
        """All glyphs and formulas that were used so far: the page needs them once, anywhere."""
        defined = "".join(self._definitions)
        return Markup(f'<svg class="glyphs" width="0" height="0" aria-hidden="true"><defs>{defined}</defs></svg>')

    def _cell(self, tex: str) -> str:
        return f"<span>{self.inline(tex) if tex else ''}</span>"

    def _width(self, tex: str) -> float:
        return max((drawing.width for piece in _pieces(tex) if (drawing := self._draw(piece))), default=0.0)

    def _draw(self, tex: str) -> _Drawing | None:
        if tex not in self._drawn:
            try:
                self._drawn[tex] = self._set(tex)
            except Exception as error:  # noqa: BLE001  # whatever a library raises for LaTeX that it does not know
                self.failed[tex] = f"{type(error).__name__}: {error}"
                self._drawn[tex] = None
        return self._drawn[tex]

    def _set(self, tex: str) -> _Drawing:
        formula = typeset(tex)
        identifier = f"f.{len(self._drawn)}"
        body = "".join(map(self._line, formula.lines)) + formula.strokes
        self._definitions.append(f'<g id="{identifier}">{body}</g>')
        left, top, width, height = formula.box
        box = f"{left:.1f} {top:.1f} {width:.1f} {height:.1f}"
        return _Drawing(identifier, box, width / EM, height / EM, (top + height) / EM)

    def _line(self, line: Line) -> str:
        uses = "".join(f'<use href="#{self._outline(glyph)}" x="{_short(x, 1)}"/>' for glyph, x in line.glyphs)
        return f'<g transform="matrix({line.scale} 0 0 {line.scale} 0 {line.y})">{uses}</g>'

    def _outline(self, glyph: Glyph) -> str:
        if glyph not in self._glyphs:
            self._glyphs[glyph] = f"g.{len(self._glyphs)}"
            self._definitions.append(f'<path id="{self._glyphs[glyph]}" d="{_rounded(glyph.outline)}"/>')
        return self._glyphs[glyph]


def _svg(drawing: _Drawing) -> str:
    style = f"width:{drawing.width:.2f}em;height:{drawing.height:.2f}em;vertical-align:{-drawing.depth:.2f}em"
    return f'<svg aria-hidden="true" viewBox="{drawing.box}" style="{style}"><use href="#{drawing.identifier}"/></svg>'


def _rounded(path: str) -> str:
    short = _NUMBER.sub(lambda number: _short(float(number[0])), path)
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", short).replace(" -", "-")


def _short(number: float, digits: int = 2) -> str:
    return f"{round(number, digits) + 0.0:.{digits}f}".rstrip("0").rstrip(".")  # + 0.0: no -0


# --- LaTeX, cut ---


def _lines(tex: str) -> list[list[str]]:
    """The lines of a formula, cut where they are aligned."""
    if (aligned := _ALIGNED.fullmatch(tex.strip())) is None:
        return [[tex.strip()]]
    lines = [line.strip() for line in aligned[2].split(r"\\") if line.strip()]
    if not any("&" in line for line in lines):
        return [[line] for line in lines]
    return [[part.strip() for part in (*line.split("&", 1), "")[:2]] for line in lines]


def _pieces(tex: str) -> list[str]:
    """A line cut before every `=` that stands in no braces or brackets; what is short stays whole."""
    if len(tex) <= _SHORT:
        return [tex]
    depth, cuts = 0, []
    for token in _NESTING.finditer(tex):
        depth += _DEEPER.get(token[0], 0)
        if token[0] == "=" and depth == 0:
            cuts.append(token.start())
    ends = [0, *cuts, len(tex)]
    pieces = [tex[start:end].strip() for start, end in pairwise(ends)]
    return [piece for piece in pieces if piece]


def _squeezed(tex: str) -> str:
    return re.sub(r"\s+", " ", tex).strip()
