r"""The tokens of a formula's LaTeX, each with its place; a cursor over them; the error that shows a place.

Spacing is dropped, `\left (` becomes `\left(`, and a command that formulas here do not use is an error.
"""

from __future__ import annotations

import re
from typing import NoReturn

_LETTERS = "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi psi omega"
GREEK = frozenset(rf"\{letter}" for letter in _LETTERS.split())
#: What opens a group of its own, and what must close it.
CLOSING = {"(": ")", r"\left(": r"\right)", r"\lfloor": r"\rfloor", r"\left\lfloor": r"\right\rfloor"}
ALIGNED, END_ALIGNED, ROT = r"\begin{aligned}", r"\end{aligned}", r"\operatorname{rot}"
TEXT = r"\text{"

_KNOWN = GREEK | {*CLOSING, *CLOSING.values(), ALIGNED, END_ALIGNED, ROT, r"\\"}
_KNOWN |= {r"\sum", r"\max", r"\frac", r"\partial", r"\cdot", r"\ldots", r"\underbrace"}
_TOKEN = re.compile(
    r"(?P<space>(?:\s|\\[,:;! ]|\\quad(?![A-Za-z]))+)"
    r"|(?P<delimiter>\\(?:left|right)\s*(?:[()]|\\[lr]floor(?![A-Za-z])))"
    r"|(?P<text>\\text\{[^{}\\]*\})"
    r"|(?P<command>\\(?:operatorname|begin|end)\{[^{}]*\}|\\[A-Za-z]+|\\.)"
    r"|(?P<other>[0-9]+|[A-Za-z]|[-+=,(){}_^/&'])"
)
_WIDTH = 100  # characters of the formula that an error shows


class LatexError(ValueError):
    """LaTeX that cannot be read: the message shows the formula's line and, with a caret, the place `at` in it."""

    def __init__(self, message: str, tex: str, at: int) -> None:
        start = tex.rfind("\n", 0, at) + 1
        line = tex[start:].split("\n", 1)[0].replace("\t", " ")
        left = max(0, min(at - start - _WIDTH // 2, len(line) - _WIDTH))
        super().__init__(f"{message}\n  {line[left : left + _WIDTH]}\n  {' ' * (at - start - left)}^")
        self.at = at
        self._given = message, tex, at

    def __reduce__(self) -> tuple[type[LatexError], tuple[str, str, int]]:
        """Made again in another process from what it was made of."""
        return LatexError, self._given


def tokens(tex: str) -> list[tuple[str, int]]:
    """Each token with its place; the last one is empty and stands at the end.

    Raises:
        LatexError: Something is not known.
    """
    found: list[tuple[str, int]] = []
    at = 0
    while at < len(tex):
        match = _TOKEN.match(tex, at)
        if match is None:
            raise LatexError(f"the character {tex[at]!r} has no meaning in these formulas", tex, at)
        token = match[0]
        if match["command"] and token not in _KNOWN:
            known = " ".join(sorted(one for one in _KNOWN - GREEK if one.startswith("\\")))
            raise LatexError(f"unknown command {token}; known are {known} and Greek letters", tex, at)
        if match["delimiter"]:
            token = "".join(token.split())
        if not match["space"]:
            found.append((token, at))
        at = match.end()
    return [*found, ("", len(tex))]


class Cursor:
    """The tokens of a formula, and which of them comes next."""

    def __init__(self, tex: str) -> None:
        self.tex = tex
        self.tokens = tokens(tex)
        self.position = 0

    @property
    def token(self) -> str:
        """The next token; an empty string at the end."""
        return self.tokens[self.position][0]

    def take(self, *wanted: str) -> str:
        """Step over the next token if it is one of these; otherwise stay, and return an empty string."""
        token = self.token
        self.position += token in wanted
        return token if token in wanted else ""

    def expect(self, *wanted: str) -> str:
        """Step over the next token, which must be one of these."""
        return self.take(*wanted) or self.fail(" or ".join(wanted))

    def end(self, expected: str) -> None:
        """Complain unless no token is left."""
        if self.token:
            self.fail(expected)

    def fail(self, expected: str, position: int | None = None) -> NoReturn:
        """Say what was expected at the next token, or at an earlier position."""
        token, at = self.tokens[self.position if position is None else position]
        raise LatexError(f"expected {expected}, " + (f"found {token}" if token else "but here it ends"), self.tex, at)
