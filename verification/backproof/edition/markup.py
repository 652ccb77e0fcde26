"""Text, formulas and tables as Markdown: formulas in fences of `math` and in $`...`$, which survive its other signs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from backproof.edition.prose import stretches
from backproof_spec.derivation.edition import Claim

#: Signs of Markdown and HTML that prose may contain.
_SIGNS = re.compile(r"([\\*_<>\[\]|#~])")


def prose(text: str) -> str:
    """Prose with its code and formulas; Markdown's signs in it are escaped."""
    shown = {"text": lambda t: _SIGNS.sub(r"\\\1", t), "code": lambda t: f"`{t}`", "math": inline}
    return "".join(shown[kind](content) for kind, content in stretches(text))


def title(claim: Claim) -> str:
    """As it is written: formulas in links and headings are not rendered everywhere."""
    return _SIGNS.sub(r"\\\1", claim.title)


def inline(tex: str) -> str:
    """A formula in a line of text."""
    return f"$`{' '.join(tex.split())}`$"


def display(tex: str) -> str:
    """A formula of its own."""
    return f"```math\n{tex.strip()}\n```"


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; cells are Markdown already."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
