"""LaTeX as MathML that ziamath sets well and quickly.

latex2mathml wraps every braced group in a row of its own, and ziamath lays out each row twice, so that a formula takes
time exponential in its depth; rows that only wrap are taken out.  Sums get their limits below and above, with a little
space to the next, and `\\left(` stays small around what is small.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from ziamath.tex import tex2mml

_LARGE = frozenset("∑∏")
_TALL = frozenset({"munder", "mover", "munderover", "mfrac", "mtable"})
_SPACED = frozenset({"mod", "∧", "∨", "⟹", "⟺", "⇒", "⇔"})
_FLOORS = frozenset("⌊⌋⌈⌉")  # letters to latex2mathml, which ziamath stretches; those of \left and \right are not
_UNDER = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
_NAMESPACE = re.compile(r' xmlns="[^"]*"')


def mathml(tex: str) -> ET.Element:
    """`tex` as a `<math>` element.

    Raises:
        Exception: latex2mathml cannot read it.
    """
    root = ET.fromstring(_NAMESPACE.sub("", tex2mml(tex)))
    _tidy(root)
    return root


def _tidy(element: ET.Element) -> None:
    for child in element:
        _tidy(child)
    if element.tag == "mi" and (element.text or "") in _FLOORS:
        element.tag = "mo"
        element.set("stretchy", "false")
    if element.tag in _UNDER and (element[0].text or "") in _LARGE:
        element.tag = _UNDER[element.tag]
    element[:] = [child[0] if child.tag == "mrow" and len(child) == 1 else child for child in element]
    if element.tag in ("mrow", "math"):
        element[:] = _spaced(list(_unwrapped(element)))


def _unwrapped(row: ET.Element) -> Iterable[ET.Element]:
    """The children of a row, without rows around them that decide nothing: only fences around something tall do."""
    for child in row:
        if child.tag != "mrow":
            yield child
        elif not any(_stretches(part) for part in child):
            yield from child
        elif not any(part.tag in _TALL for part in child.iter()):
            for part in child:
                if _stretches(part):
                    part.set("stretchy", "false")
            yield from child
        else:
            yield child


def _spaced(row: list[ET.Element]) -> list[ET.Element]:
    """A row with space after sums and around `mod` and the like, and none on top of a comma's own."""
    result: list[ET.Element] = []
    for part in row:
        after_comma = bool(result) and result[-1].tag == "mo" and result[-1].text == ","
        if part.tag == "mspace" and after_comma:
            continue
        if part.text in _SPACED and not (result and result[-1].tag == "mspace"):
            result += [_space("0.22em"), part, _space("0.22em")]
        elif part.tag in _UNDER.values() and part[0].text in _LARGE:
            result += [part, _space("0.17em")]
        else:
            result.append(part)
    return result


def _space(width: str) -> ET.Element:
    return ET.Element("mspace", width=width)


def _stretches(element: ET.Element) -> bool:
    return element.tag == "mo" and element.get("fence") == "true" and element.get("stretchy") != "false"
