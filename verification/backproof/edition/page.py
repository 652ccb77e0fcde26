"""The edition as one HTML page that needs nothing else: no script, no network, no other file.

The page is `templates/derivation.html.jinja`; this module hands it the `Edition`, formulas, pictures and words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from html import escape

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined, Template
from markupsafe import Markup

from backproof.edition import figures, grids, wording
from backproof.edition.formulas import Formulas
from backproof_spec.derivation.edition import NO_FRAME, Claim, Edition, Grid
from backproof_spec.proof.verdict import Status

#: A letter with a subscript or a superscript in prose: N_w, c^{l+1}.
_SUBSCRIPT = re.compile(r"\b([A-Za-z])_([A-Za-z0-9]+)\b")
_SUPERSCRIPT = re.compile(r"\b([A-Za-z])\^(?:\{([^{}]+)\}|([A-Za-z0-9]+))")


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
        names=_names(edition),
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
    """Prose as HTML: its code, its $formulas$, its subscripts."""

    def stretch(kind: str, content: str) -> str:
        if kind == "math":
            return str(formulas.inline(content))
        if kind == "code":
            return f"<code>{escape(content)}</code>"
        text = _SUBSCRIPT.sub(r"<var>\1<sub>\2</sub></var>", escape(content, quote=False))
        return _SUPERSCRIPT.sub(r"<var>\1<sup>\2\3</sup></var>", text)

    return lambda text: Markup("".join(stretch(*part) for part in wording.stretches(text)))


def _names(edition: Edition) -> Callable[[Claim, str], str]:
    """`name(claim, "w")`: how a tensor is printed there, else elsewhere in the edition; empty where nowhere."""
    own = {(claim.id, grid.name): grid.tex for claim in edition.claims for grid in _grids(claim)}
    any_claim = {name: tex for (_, name), tex in own.items()}
    return lambda claim, name: own.get((claim.id, name)) or any_claim.get(name, "")


def _grids(claim: Claim) -> tuple[Grid, ...]:
    return (*claim.example.inputs, claim.example.output) if claim.example else ()
