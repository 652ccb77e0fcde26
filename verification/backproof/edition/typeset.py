"""One formula set by ziamath: which glyphs stand where.  What is set once is kept for as long as the program runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from html import escape
from xml.etree import ElementTree as ET

from ziamath.zmath import Math

from backproof.edition.mathml import mathml

EM = 24.0  # ziamath's units in one em, at the size asked for below

Box = tuple[float, float, float, float]  # left, top, width, height, in units


@dataclass(frozen=True, slots=True)
class Glyph:
    """A glyph of a font: its id, which stretched glyphs of different sizes may share, and its outline."""

    identifier: str
    outline: str


@dataclass(frozen=True, slots=True)
class Line:
    """Glyphs of one size on one line: where their baseline is, and each glyph's place in units of that size."""

    scale: float
    y: float
    glyphs: tuple[tuple[Glyph, float], ...]


@dataclass(frozen=True, slots=True)
class Typeset:
    """A formula: its box around the baseline y = 0, its glyphs, and its strokes (bars of fractions) as SVG."""

    box: Box
    lines: tuple[Line, ...]
    strokes: str


@cache
def typeset(tex: str) -> Typeset:
    """The formula `tex`.

    Raises:
        Exception: latex2mathml or ziamath cannot read it.
    """
    root = Math(mathml(tex), size=EM, margin=0).svgxml()
    symbols = {str(e.get("id")): e for e in root if e.tag == "symbol"}
    lines: dict[tuple[float, float], list[tuple[Glyph, float]]] = {}
    for use in (e for e in root if e.tag == "use"):
        symbol = symbols[use.get("href", "#")[1:]]
        left, top, width, _ = _box(symbol)
        scale = float(use.get("width", "0")) / width if width else 1.0
        y = float(use.get("y", "0")) - top * scale
        x = float(use.get("x", "0")) / scale - left
        lines.setdefault((round(scale, 2), round(y, 1)), []).append((_glyph(symbol), x))
    placed = tuple(Line(scale, y, tuple(glyphs)) for (scale, y), glyphs in lines.items())
    return Typeset(_box(root), placed, "".join(_stroke(e) for e in root if e.tag not in ("symbol", "use")))


def _glyph(symbol: ET.Element) -> Glyph:
    return Glyph(str(symbol.get("id")), "".join(path.get("d", "") for path in symbol.iter("path")))


def _box(element: ET.Element) -> Box:
    left, top, width, height = (float(number) for number in element.get("viewBox", "").split())
    return left, top, width, height


def _stroke(element: ET.Element) -> str:
    """A bar of a fraction, or whatever else is no glyph, in the colour of the text."""
    kept = {key: value for key, value in element.attrib.items() if key not in ("fill", "stroke")}
    attributes = "".join(f' {key}="{escape(value)}"' for key, value in kept.items())
    return f"<{element.tag}{attributes}/>"
