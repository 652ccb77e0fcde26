"""The edition as one HTML page that needs nothing else: no script, no network, no other file.

The page is `templates/derivation.html.jinja`; this module hands it the `Edition`, formulas, pictures and words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from html import escape

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined, Template
from markupsafe import Markup

from backproof.edition import cases, figures, grids, overview, trouble, wording
from backproof.edition.formulas import Formulas
from backproof.edition.letters import Letters
from backproof.edition.prose import stretches
from backproof_spec.derivation.edition import NO_FRAME, Edition
from backproof_spec.proof.verdict import Status

_CLOSING = ").,;:"
_SHORT = 16  # signs of LaTeX that need no line break inside


def render(edition: Edition) -> str:
    """The page as text.

    Raises:
        ImportError: ziamath is not installed; `formulas` needs it.
    """
    formulas = Formulas()
    body = _template().render(
        edition=edition,
        formulas=formulas,
        figures=figures,
        grids=grids,
        words=wording,
        prose=_prose(formulas),
        letters=Letters.of,
        cases=cases,
        overview=overview,
        trouble=trouble,
        differing=trouble.disagreements(edition),
        Status=Status,
        NO_FRAME=NO_FRAME,
    )
    return body.replace("<!-- glyphs -->", str(formulas.definitions()), 1)


@lru_cache(maxsize=1)
def _template() -> Template:
    loader = PrefixLoader({"report": PackageLoader("backproof.report"), "edition": PackageLoader("backproof.edition")})
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("edition/derivation.html.jinja")


def _prose(formulas: Formulas) -> Callable[[str], Markup]:
    """Prose as HTML: its code, its formulas."""

    def stretch(kind: str, content: str) -> str:
        if kind == "math":
            return str(formulas.inline(content))
        return f"<code>{escape(content)}</code>" if kind == "code" else escape(content, quote=False)

    def html(text: str) -> Markup:
        told, before = "", ""
        for kind, content in stretches(text):
            if before and content[0] in _CLOSING:  # no line begins with what closes the one before
                told += f'<span class="nowrap">{before}{content[0]}</span>'
                before, content = "", content[1:]
            told += before
            shown = stretch(kind, content)
            before = shown if kind == "math" and len(content) < _SHORT else ""
            told += "" if before else shown
        return Markup(told + before)

    return html
