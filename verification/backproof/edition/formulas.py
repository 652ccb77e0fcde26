"""LaTeX as SVG in the page: set by ziamath, in the colour of the text, each glyph drawn once for the whole page.

A formula stands on the baseline of its line, is measured in em, and has its LaTeX as its name for those who do not
see it.  The lines of `aligned` are formulas of their own, aligned where the LaTeX says `&`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from xml.etree import ElementTree as ET

import ziamath
from markupsafe import Markup

from backproof.edition.mathml import mathml

_EM = 24.0  # ziamath's units in one em, at the size asked for below
_NUMBER = re.compile(r"-?\d+\.\d+")
_ALIGNED = re.compile(r"\\begin\{(aligned|align\*?)\}(.*)\\end\{\1\}", re.DOTALL)
_PHONE = 17.0  # em of a formula that a small telephone shows without scrolling


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A formula's glyphs in a box, in em; `depth` is how far it goes below the baseline."""

    body: str
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
        self._glyphs: dict[str, tuple[str, str]] = {}  # as ziamath has it -> (our id, the outline)

    def inline(self, tex: str) -> Markup:
        """A formula in a line of text."""
        drawing = self._draw(tex)
        if drawing is None:
            return Markup('<code class="tex">{}</code>').format(tex)
        return Markup(_svg(drawing, tex))

    def block(self, tex: str) -> Markup:
        """A formula in a box of its own, which scrolls where the formula is wider than the page."""
        lines = _lines(tex)
        drawings = [[self._draw(part) for part in line] for line in lines]
        width = sum(max((d.width for d in column if d), default=0) for column in zip(*drawings, strict=True))
        rows = "".join(f'<span class="line">{"".join(map(self._part, line))}</span>' for line in lines)
        focus = ' tabindex="0" role="group" aria-label="Formula"' if width > _PHONE else ""
        kind = "formula aligned" if len(lines[0]) > 1 else "formula"
        return Markup(f'<div class="{kind}"{focus}>{rows}</div>')

    def _part(self, tex: str) -> str:
        return f"<span>{self.inline(tex) if tex else ''}</span>"

    def definitions(self) -> Markup:
        """The outlines of all glyphs that were used so far: the page needs them once, anywhere."""
        outlines = "".join(outline for _, outline in self._glyphs.values())
        return Markup(f'<svg class="glyphs" width="0" height="0" aria-hidden="true"><defs>{outlines}</defs></svg>')

    def _draw(self, tex: str) -> _Drawing | None:
        if tex not in self._drawn:
            try:
                self._drawn[tex] = self._set(tex) if tex else None
            except Exception as error:  # noqa: BLE001  # whatever a library raises for LaTeX that it does not know
                self.failed[tex] = f"{type(error).__name__}: {error}"
                self._drawn[tex] = None
        return self._drawn[tex]

    def _set(self, tex: str) -> _Drawing:
        root = ziamath.Math(mathml(tex), size=_EM, margin=0).svgxml()
        symbols = {str(e.get("id")): e for e in root if e.tag == "symbol"}
        left, top, width, height = (float(number) for number in root.get("viewBox", "").split())
        by_scale: dict[str, list[str]] = {}
        others = []
        for element in root:
            if element.tag == "use":
                scale, placed = self._glyph(element, symbols[element.get("href", "#")[1:]])
                by_scale.setdefault(scale, []).append(placed)
            elif element.tag != "symbol":
                others.append(_stroke(element))
        body = "".join(f'<g transform="scale({scale})">{"".join(uses)}</g>' for scale, uses in by_scale.items())
        box = f"{left:.2f} {top:.2f} {width:.2f} {height:.2f}"
        return _Drawing(body + "".join(others), box, width / _EM, height / _EM, (top + height) / _EM)

    def _glyph(self, use: ET.Element, symbol: ET.Element) -> tuple[str, str]:
        """The scale of a glyph, and where it stands at that scale."""
        left, top, width, _ = (float(number) for number in symbol.get("viewBox", "").split())
        scale = float(use.get("width", "0")) / width if width else 1.0
        x, y = float(use.get("x", "0")) / scale - left, float(use.get("y", "0")) / scale - top
        name = self._outline(str(symbol.get("id")), symbol)
        return f"{scale:.4g}", f'<use href="#{name}" x="{_short(x)}" y="{_short(y)}"/>'

    def _outline(self, identifier: str, symbol: ET.Element) -> str:
        paths = "".join(path.get("d", "") for path in symbol.iter("path"))
        key = f"{identifier} {paths}"  # stretched glyphs of different sizes may share their id
        if key not in self._glyphs:
            name = f"g-{len(self._glyphs)}"
            self._glyphs[key] = (name, f'<path id="{name}" d="{_rounded(paths)}"/>')
        return self._glyphs[key][0]


def _svg(drawing: _Drawing, tex: str) -> str:
    return (
        f'<svg class="math" role="img" aria-label="{escape(_spoken(tex))}" viewBox="{drawing.box}" '
        f'style="width:{drawing.width:.3f}em;height:{drawing.height:.3f}em;vertical-align:{-drawing.depth:.3f}em">'
        f"{drawing.body}</svg>"
    )


def _stroke(element: ET.Element) -> str:
    """A bar of a fraction, or whatever else is no glyph, in the colour of the text."""
    kept = {key: value for key, value in element.attrib.items() if key not in ("fill", "stroke")}
    attributes = "".join(f' {key}="{escape(value)}"' for key, value in kept.items())
    return f"<{element.tag}{attributes}/>"


def _rounded(path: str) -> str:
    short = _NUMBER.sub(lambda number: _short(float(number[0])), path)
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", short).replace(" -", "-")


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".").replace("-0", "0" if abs(number) < 0.005 else "-0")


def _lines(tex: str) -> list[list[str]]:
    """The lines of a formula, cut where they are aligned."""
    if (aligned := _ALIGNED.fullmatch(tex.strip())) is None:
        return [[tex.strip()]]
    lines = [line.strip() for line in aligned[2].split(r"\\") if line.strip()]
    if not any("&" in line for line in lines):
        return [[line] for line in lines]
    return [[part.strip() for part in (*line.split("&", 1), "")[:2]] for line in lines]


def _spoken(tex: str) -> str:
    return re.sub(r"\s+", " ", tex).strip()
