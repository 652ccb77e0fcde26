"""Prose and the formulas in it: those between $ signs, and those that are written as they are spoken.

`1 <= N_k <= H, W` and `delta_m^l` become LaTeX; letters that stand alone are formulas too, except the words a and I.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

#: A stretch of prose: `code`, a formula $...$.
_MARKED = re.compile(r"`([^`]+)`|\$([^$]+)\$")

_GREEK = {"delta": r"\delta", "eta": r"\eta"}
_LETTER = re.compile(
    r"(?<![A-Za-z0-9_\\'.])(?<![Oo]utput )(delta|eta|dy|floor(?=\()|[A-Za-z])(?![A-Za-z0-9])(?!\.[A-Za-z])"
    r"((?:'(?![A-Za-z]))*(?:_(?:\{[^{}]*\}|[A-Za-z0-9]+))?(?:\^(?:\{[^{}]*\}|[A-Za-z0-9]))?)"
)
_NUMBER = re.compile(r"(?<![A-Za-z0-9_.])\d+(?![A-Za-z0-9_]|\.\d)")
_WORDS = frozenset({"a", "A", "I"})  # letters only where something follows: a', a(c)
#: What stands between operands, longest first, and its LaTeX.
_BETWEEN = {
    " <= ": r" \le ",
    " >= ": r" \ge ",
    " .. ": r", \ldots, ",
    " mod ": r" \bmod ",
    " x ": r" \times ",
    " < ": " < ",
    " > ": " > ",
    " = ": " = ",
    " + ": " + ",
    " - ": " - ",
    " * ": r" \cdot ",
    " / ": " / ",
    ", ": ", ",
    "+": "+",
    "-": "-",
    "": "",
    " ": r"\, ",
}
#: LaTeX that a terminal need not show.
_COMMAND = re.compile(r"\\operatorname\{(\w+)\}|\\([A-Za-z]+)|\\[,:;! ]")

Found = tuple[int, str]  # where it ends, and its LaTeX


def stretches(text: str) -> list[tuple[str, str]]:
    """Prose as `("text" | "code" | "math", content)`."""
    parts: list[tuple[str, str]] = []
    end = 0
    for match in _MARKED.finditer(text):
        parts += _found(text[end : match.start()])
        parts.append(("code", match[1]) if match[1] else ("math", match[2]))
        end = match.end()
    return [(kind, content) for kind, content in (*parts, *_found(text[end:])) if content]


def spoken(text: str) -> str:
    """Prose for a terminal: formulas without marks and backslashes."""
    return _MARKED.sub(lambda match: match[1] or _COMMAND.sub(r"\1\2", match[2]), text)


def _found(text: str) -> Iterator[tuple[str, str]]:
    """Text and the formulas in it."""
    start = at = 0
    while at < len(text):
        formula = _formula(text, at) if _starts(text, at) else None
        if formula is None:
            at += 1
            continue
        end, tex = formula
        if not tex.isdigit():
            yield "text", text[start:at]
            yield "math", tex
            start = end
        at = end
    yield "text", text[start:]


def _starts(text: str, at: int) -> bool:
    """Whether a formula may begin here: not inside a word, nor with what a word applies to."""
    return at == 0 or not (text[at - 1].isalnum() or text[at - 1] in "_\\")


def _formula(text: str, at: int) -> Found | None:
    """The longest formula that begins at a place."""
    found = _operand(text, at)
    while found is not None and (longer := _continued(text, *found)) is not None:
        found = longer
    return found


def _continued(text: str, end: int, tex: str) -> Found | None:
    for sign, latex in _BETWEEN.items():
        following = _operand(text, end + len(sign)) if text.startswith(sign, end) else None
        if following is None or (not sign and not _adjacent(text, end)):
            continue
        if sign in ("", " ", ", ") and following[1].isdigit():
            continue  # a list or a sentence, and no product
        return following[0], tex + latex + following[1]
    return None


def _adjacent(text: str, at: int) -> bool:
    """Whether a product may be written without a sign here: )( only."""
    return text[at - 1 : at + 1] == ")("


def _operand(text: str, at: int) -> Found | None:
    if at < len(text) and text[at] == "(":
        return _group(text, at)
    if number := _NUMBER.match(text, at):
        return number.end(), number[0]
    if (letter := _LETTER.match(text, at)) is None:
        return None
    argument = _group(text, letter.end())
    if argument is None and letter[0] in _WORDS:
        return None
    end, inside = argument or (letter.end(), "")
    if letter[1] == "floor":
        return None if argument is None else (end, rf"\lfloor {inside[1:-1]} \rfloor")
    return end, _GREEK.get(letter[1], letter[1]) + letter[2] + inside


def _group(text: str, at: int) -> Found | None:
    """A formula in brackets, all that stands in them: `(N_k - 1, 0)`."""
    if not text.startswith("(", at):
        return None
    inside = _formula(text, at + 1)
    if inside is None or not text.startswith(")", inside[0]):
        return None
    return inside[0] + 1, f"({inside[1]})"
