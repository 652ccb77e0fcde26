"""The edition as one HTML page that needs nothing else: no script, no network, no other file.

The page is `templates/derivation.html.jinja`; this module hands it the `Edition`, the formulas, the pictures and the words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from html import escape

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined, Template
from markupsafe import Markup

from backproof.edition import figures, wording
from backproof.edition.formulas import Formulas
from backproof_spec.derivation.edition import NO_FRAME, Claim, Edition
from backproof_spec.proof.verdict import Status

#: A name with a subscript in prose: N_w, N_k.
_SUBSCRIPT = re.compile(r"\b([A-Za-z])_([A-Za-z0-9]+)\b")


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
        words=wording,
        prose=_prose(formulas),
        names=_names(edition),
        stated={(erratum.claim, erratum.row) for erratum in edition.errata},
        Status=Status,
        NO_FRAME=NO_FRAME,
    )
    return body.replace("<!-- glyphs -->", str(formulas.definitions()), 1)


def anchor(claim: str, row: str) -> str:
    """The anchor of a line; that of a claim is its id."""
    return f"{claim}.{row}"


@lru_cache(maxsize=1)
def _template() -> Template:
    loader = PrefixLoader({"report": PackageLoader("backproof.report"), "edition": PackageLoader("backproof.edition")})
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["anchor"] = anchor
    return environment.get_template("edition/derivation.html.jinja")


def _prose(formulas: Formulas) -> Callable[[str], Markup]:
    """Prose as HTML: its code, its $formulas$, its subscripts."""

    def stretch(kind: str, content: str) -> str:
        if kind == "math":
            return str(formulas.inline(content))
        if kind == "code":
            return f"<code>{escape(content)}</code>"
        return _SUBSCRIPT.sub(r"<var>\1<sub>\2</sub></var>", escape(content, quote=False))

    return lambda text: Markup("".join(stretch(*part) for part in wording.stretches(text)))


def _names(edition: Edition) -> Callable[[Claim, str], str]:
    """`name(claim, "w")`: how a tensor is printed there, else elsewhere in the edition; empty where nowhere."""
    own = {(claim.id, grid.name): grid.tex for claim in edition.claims for grid in _grids(claim)}
    any_claim = {name: tex for (_, name), tex in own.items()}
    return lambda claim, name: own.get((claim.id, name)) or any_claim.get(name, "")


def _grids(claim: Claim) -> tuple[figures.Grid, ...]:
    return (*claim.example.inputs, claim.example.output) if claim.example else ()
