"""`backproof derive`: its page, its Markdown, its JSON, what it prints and how it ends; the engine is a stand-in."""

from __future__ import annotations

import html
import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from itertools import combinations, pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from verification import editions
from verification.test_report_html import HOSTILE, Page, squeeze

from backproof import cli, cli_derive
from backproof.edition import cases, data, grids, markdown, overview, plain, trouble, wording
from backproof.edition.letters import Letters
from backproof.edition.links import with_checks
from backproof.edition.prose import spoken, stretches
from backproof_spec.derivation.edition import Claim, Edition, Erratum, Example, Grid, Product, Row
from backproof_spec.proof.verdict import Counterexample, Status, Verdict

ziamath = pytest.importorskip("ziamath", reason="needs the extra `derive`")
from backproof.edition import figures, page  # noqa: E402  # they need ziamath
from backproof.edition.formulas import Formulas  # noqa: E402

EDITION = editions.EDITION
LINKED = with_checks(EDITION)  # the command names the checks that there are


@pytest.fixture(scope="module")
def shown() -> Page:
    return Page(page.render(EDITION))


def formulas_of(edition: Edition) -> Iterator[str]:
    """All LaTeX of an edition that a report shows as a formula."""
    for claim in edition.claims:
        yield from filter(None, (claim.tex, *claim.ranges))
        for row in claim.rows:
            if not wording.repeats(claim, row):
                yield row.tex
            yield from (repair.tex for repair in row.repairs.values())


# --- the page as HTML ---


def test_the_page_needs_nothing_else(shown: Page) -> None:
    assert {tag for tag, _ in shown.tags} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
    } == set()
    assert [name for _, attributes in shown.tags for name in attributes if name.startswith("on") or name == "src"] == []
    assert all(str(attributes["href"]).startswith("#") for _, attributes in shown.tags if "href" in attributes)
    assert not re.search(r"url\(|@import|https?:", shown.html)


def test_every_link_and_every_glyph_has_its_target(shown: Page) -> None:
    ids = [attributes["id"] for _, attributes in shown.tags if "id" in attributes]
    targets = {str(attributes["href"])[1:] for _, attributes in shown.tags if "href" in attributes}
    assert len(ids) == len(set(ids))
    assert targets <= set(ids)
    assert {claim.id for claim in EDITION.claims} | {row.id for c in EDITION.claims for row in c.rows} <= set(ids)
    assert {"errata", "contents", "frames", "rests-on"} <= set(ids)


def test_headings_and_tables_are_in_order(shown: Page) -> None:
    levels = [int(tag[1]) for tag, _ in shown.tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all("scope" in attributes for tag, attributes in shown.tags if tag == "th")
    assert all("div" in around for tag, around in shown.inside if tag == "table")


def test_every_formula_is_there_with_its_latex_as_its_name(shown: Page) -> None:
    names = " ".join(str(a["aria-label"]) for _, a in shown.tags if a.get("role") == "img")
    parts = (
        part for tex in formulas_of(EDITION) for part in re.split(r"\\begin\{aligned\}|\\end\{aligned\}|\\\\|&", tex)
    )
    missing = [part for part in map(squeeze, parts) if part.strip() and part.strip() not in names]
    assert missing == []
    assert 'class="tex"' not in shown.html


TEXTS = {"title", "section", "place", "explanation", "assumptions", "reason", "notes", "text", "where"}
PARTS = {"claims", "rows", "assurances", "verdicts", "checks"}


def leaves(value: Any) -> Iterator[str]:
    """Every text of plain data that a report has to say, but LaTeX."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from leaves(item)
    elif is_dataclass(value):
        for field in fields(value):
            if field.name in TEXTS | PARTS:
                yield from leaves(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str) and value:
        yield value


def plain_text(text: str) -> str:
    """Prose without its marks: what stands in the page between formulas, as words."""
    return squeeze("".join(content for kind, content in stretches(text) if kind != "math")).replace("_", "")


def test_every_text_has_a_place(shown: Page) -> None:
    # formulas are pictures, and subscripts are elements of their own
    text = re.sub(r"\s+", "", shown.text.replace("_", ""))
    missing = [leaf for leaf in leaves(EDITION) if re.sub(r"\s+", "", plain_text(leaf)) not in text]
    assert missing == []


def test_the_summary_counts_by_the_worst_stated_line(shown: Page) -> None:
    assert squeeze("Claims 6 ✓ Proved 2 ✗ Refuted 3 ? Open 1 Errata 6") in shown.text
    assert editions.IDEA.status() is Status.PROVED  # its refuted line is not the post's
    assert "The post does not state this line; that it is refuted is no erratum." in shown.text


def test_a_verdict_is_said_in_words_and_with_a_sign(shown: Page) -> None:
    assert "✗ refuted in VALID_S ✓ proved in FULL and VALID_U" in shown.text
    badges = [str(a["class"]).split()[1] for _, a in shown.tags if str(a.get("class", "")).startswith("badge ")]
    assert set(badges) == {"proved", "refuted", "open"}
    # whatever the colour, the word is there
    for status in Status:
        assert shown.html.count(f'badge {status}"') <= shown.html.count(f"</span> {status}")


def said(text: str) -> str:
    """A page as it is heard: each formula is its LaTeX."""
    named = re.sub(r'<span class="math"[^>]*aria-label="([^"]*)">.*?</svg></span>', r"\1", text, flags=re.DOTALL)
    return squeeze(html.unescape(re.sub(r"<[^>]+>", "", named)))


def test_a_counterexample_names_sizes_index_entries_and_both_values(shown: Page) -> None:
    text = said(shown.html)
    case = "H = W = N_w = 2, M^{l-1} = M^l = 1, at x = y = 0; all entries are 0, except "
    assert case + "o_0^{l-1}(0, 0) = 1 and w_{0,0}^l(1, 1) = 1: the left side is 1, the right side is 0." in text
    assert "o = 0 (a unit of layer l+1); all entries are 0, except w_{0,0}^{l+1}(0, 0) = 1" in text
    assert "this term is 0, the line before has 1." in text
    assert "H = W = N_k = 1, at x = y = 0: the statement is false." in text


def test_what_is_said_follows_the_data() -> None:
    def changed(verdict: Verdict) -> Edition:
        row = replace(editions.MEAN.rows[0], verdicts={"FULL": verdict})
        return replace(EDITION, claims=(replace(editions.MEAN, rows=(row,)),), errata=())

    other = Counterexample({"H": 7}, {"x": 5}, {("b", (3,)): 1}, Fraction(1, 3), Fraction(-2))
    text = page.render(changed(Verdict(Status.REFUTED, 1, other)))
    refuted = said(text)
    assert "H = 7, at x = 5; all entries are 0, except b_3 = 1: the left side is 1/3, the right side is −2." in refuted
    assert "✓ Proved 0 ✗ Refuted 1" in squeeze(Page(text).text)
    assert "✓ Proved 1 ✗ Refuted 0" in squeeze(Page(page.render(changed(editions.PROVED))).text)


def test_a_formula_that_differs_from_its_encoding_is_shown() -> None:
    broken = differing(EDITION)
    assert "Read on its own, the printed line says something else than what was judged" in page.render(broken)
    assert "Read on its own, the printed line says something else" in markdown.render(broken)
    assert "says something else than" not in page.render(EDITION)


def differing(edition: Edition) -> Edition:
    row = editions.SINGLE_INPUT.rows[0]
    wrong = replace(row, reading={**row.reading, "FULL": row.verdicts["VALID_S"]})
    claims = tuple(replace(c, rows=(wrong,)) if c.id == "single-input" else c for c in edition.claims)
    return replace(edition, claims=claims)


def hostile(value: Any) -> Any:
    if is_dataclass(value) and isinstance(value, Claim | Row):
        names = (
            "title",
            "section",
            "place",
            "explanation",
            "assumptions",
            "reason",
            "notes",
            "tex",
            "ranges",
            "checks",
            "rows",
        )
        return replace(value, **{f.name: hostile(getattr(value, f.name)) for f in fields(value) if f.name in names})
    if isinstance(value, tuple):
        return tuple(hostile(item) for item in value)
    return HOSTILE if isinstance(value, str) else value


def test_hostile_text_is_only_text(shown: Page) -> None:
    strange = Page(page.render(replace(EDITION, claims=hostile(EDITION.claims), errata=())))
    assert {tag for tag, _ in strange.tags} <= {tag for tag, _ in shown.tags} | {"code"}
    assert not [name for _, attributes in strange.tags for name in attributes if name.startswith("on")]


def test_an_edition_of_the_size_of_a_real_one_is_a_page_under_3_mb() -> None:
    assert len(page.render(editions.large()).encode()) < 3_000_000


def test_a_claim_made_for_one_frame_is_judged_by_it(shown: Page) -> None:
    assert editions.WEIGHTS.status() is Status.PROVED
    assert replace(editions.WEIGHTS, claimed=()).status() is Status.REFUTED
    assert cases.faults(editions.WEIGHTS, editions.WEIGHTS.rows[0]) == []
    assert "Said of VALID_S" in squeeze(shown.text)
    assert "Said of VALID\\_S." in markdown.render(EDITION)


# --- formulas ---

CONSTRUCTS = (
    r"\underbrace{\frac{\partial E}{\partial c}}_{\delta_{m}^{l}\left(x',\, y' \right)}",
    r"\underbrace{\sum_{x',y'} o}_{\text{Cross-Correlation}}",
    r"\operatorname{rot}_{180}\left(\sum_{x} o\right)",
    r"\sum_{o}\sum_{\, x',\, y'}^{N_{w},N_{w}}\delta_{o}^{l+1}\left(x+x',\, y+y'\right)",
    r"w_{m,o}^{l+1}\left(x'',\: y''\right)+\ldots",
    r"\left\{ \left( 0, 0 \right) \ldots \left( N_k - 1, N_k - 1 \right) \right\}",
    r"\frac{1}{2} \left( t - o^L \right)^{2}",
    r"\left\lfloor \frac{H + 2p}{s} \right\rfloor + 1",
    r"\lfloor x / k \rfloor \cdot \max_{u,v} o",
    r"0 \le x < N_w \wedge x \bmod k \ne 0 \iff y",
)


@pytest.mark.parametrize("tex", CONSTRUCTS)
def test_what_the_post_uses_can_be_set(tex: str) -> None:
    formulas = Formulas()
    assert 'role="img"' in formulas.inline(tex)
    assert formulas.failed == {}
    heights = [float(h) for h in re.findall(r"height:([\d.]+)em", formulas.inline(tex))]
    assert all(0.3 < height < 7 for height in heights), heights  # a bracket that grows without bounds is seen


def test_latex_that_cannot_be_set_is_shown_as_it_is() -> None:
    formulas = Formulas()
    assert formulas.inline(r"\frac{<") == r'<code class="tex">\frac{&lt;</code>'
    assert list(formulas.failed) == [r"\frac{<"]


def test_a_glyph_and_a_formula_are_drawn_once() -> None:
    formulas = Formulas()
    formulas.inline("x + x")
    once = formulas.definitions()
    formulas.inline("x + x")
    assert formulas.definitions() == once
    formulas.inline("x - x")
    assert formulas.definitions().count("<path") == once.count("<path") + 1  # the minus


def test_the_lines_of_aligned_are_formulas_of_their_own() -> None:
    block = Formulas().block(r"\begin{aligned} a &= b \\ &= c + d \end{aligned}")
    assert re.findall('aria-label="([^"]*)"', block) == ["a", "= b", "= c + d"]
    assert 'class="formula aligned"' in block


def test_a_line_may_be_broken_before_an_equals_sign_that_stands_in_no_braces() -> None:
    block = Formulas().inline(r"a = \sum_{x=0}^{1} \left( b = c \right) = d")
    assert block.count("<svg") == 3


def test_only_a_wide_formula_can_be_scrolled_to() -> None:
    assert "tabindex" not in Formulas().block("a + b")
    assert 'tabindex="0"' in Formulas().block(" + ".join(["o(x, y)"] * 9))


# --- pictures ---


def tags(svg: str) -> dict[str, list[str]]:
    """Values of cells by the numbers of the products that read them."""
    found: dict[str, list[str]] = {}
    for group in re.findall(r"<g.*?</g>", svg):
        texts = re.findall(r"<text[^>]*>([^<]*)</text>", group)
        if 'class="tag"' in group:
            found.setdefault(texts[1], []).append(texts[0])
    return found


def test_cells_have_the_numbers_of_the_products_that_read_them() -> None:
    assert editions.SINGLE_INPUT.example is not None
    image, kernel = figures.inputs(editions.SINGLE_INPUT.example)
    assert tags(image.svg) == {"4": ["1"], "3": ["2"], "2": ["0"], "1": ["3"]}
    assert tags(kernel.svg) == {"1": ["1"], "2": ["−2"], "3": ["0"], "4": ["2"]}


def test_a_read_beyond_the_edge_is_drawn_there_and_is_0() -> None:
    assert editions.WEIGHTS.example is not None
    image, _ = grids.inputs(editions.WEIGHTS.example)
    assert image.outside == {(1, 2)}
    assert image.values[1, 2] == "0"
    assert image.readers[0, 1] == (1, 4)
    assert 'class="outside"' in figures.inputs(editions.WEIGHTS.example)[0].svg


def test_rows_and_columns_have_the_numbers_of_the_frame() -> None:
    moved = Example(
        "VALID_U", {}, {}, (Grid("o", "o", (1, -1), (("5", "6"),)),), Grid("c", "c", (1, 1), (("7",),)), (0, 0),
        (Product("1", (("o", (0, 1)),), ("6",)),), "6",
    )  # fmt: skip
    (cells,) = grids.inputs(moved)
    assert (cells.rows, cells.columns) == (range(1, 2), range(-1, 1))
    assert cells.marked == {(1, 0)}
    assert plain.worked(moved).splitlines()[2] == "1 |  5  [6]    1 |[7]"


def test_a_plane_is_as_large_as_its_tensor() -> None:
    boxes = {"o": ((0, 3), (0, 2), (-1, 2)), "b": ((0, 1),)}
    example = Counterexample({}, {}, {("o", (2, 1, -1)): 1, ("b", (0,)): 1}, Fraction(0), Fraction(1), boxes)
    (plane,) = grids.planes(editions.SINGLE_INPUT, example)
    assert (plane.name, plane.tex, plane.rows, plane.columns) == ("o", "o_2", range(2), range(-1, 1))
    assert plane.marked == {(1, -1)}


def test_frames_keep_the_pixels_that_they_say() -> None:
    kept = {cells.name: sorted(cells.marked) for cells in grids.frames()}
    assert kept["FULL"] == [(r, c) for r in range(4) for c in range(4)]
    assert kept["VALID_U"] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert kept["VALID_S"] == [(0, 0), (0, 1), (1, 0), (1, 1)]


# --- words ---


@pytest.mark.parametrize(
    ("products", "text"),
    [
        ((("1", ("2", "3")),), "2·3 = 9"),
        ((("-1", ("2", "-3")), ("1", ("1/2", "4"))), "-2·(-3) + (1/2)·4 = 9"),
        ((("1", ("2",)), ("-3", ("5",))), "2 - 3·5 = 9"),
        ((("4", ()),), "4 = 9"),
        ((), "9"),
    ],
)
def test_a_sum_is_spelled_out(products: tuple[tuple[str, tuple[str, ...]], ...], text: str) -> None:
    assert grids.total([Product(c, (), numbers) for c, numbers in products], "9") == text


@pytest.mark.parametrize("claim", [claim for claim in EDITION.claims if claim.example], ids=lambda claim: claim.id)
def test_a_sum_as_it_is_spelled_comes_to_its_value(claim: Claim) -> None:
    assert claim.example is not None
    left, _, right = grids.total(claim.example.products, claim.example.value, "*").partition("=")
    value = eval(re.sub(r"\d+", r"Fraction(\g<0>)", left), {"Fraction": Fraction})
    row, column = claim.example.cell
    assert value == Fraction(right.strip()) == Fraction(claim.example.output.values[row][column])


NETWORK = {"H": 1, "units": 1, "units_next": 1}


@pytest.mark.parametrize(
    ("sizes", "entry", "tex"),
    [
        (NETWORK, ("o_prev", (0, 1, 2)), "o_0^{l-1}(1, 2)"),
        (NETWORK, ("w_next", (0, 1, 2, 3)), "w_{0,1}^{l+1}(2, 3)"),
        (NETWORK, ("b", (3,)), "b_3^l"),
        (NETWORK, ("a'(c)", (0, 0, 1)), "a'(c_0^l(0, 1))"),
        (NETWORK, ("t", (0, 0, 1)), "t_0(0, 1)"),
        (NETWORK, ("w", (1, 2)), "w_{1,2}^l"),  # a dense layer: units only
        ({"N": 1}, ("w", (0, 1, 2, 3)), "w_{0,1}(2, 3)"),
        ({"N": 1}, ("dy", (0, 1, 2, 3)), "dy_{0,1}(2, 3)"),
        ({"H": 1}, ("i", (0, 1)), "i(0, 1)"),  # the image of the definitions, not the input of a layer
        ({"H": 1}, ("delta", (0, 1)), r"\delta(0, 1)"),
        ({"H": 1}, ("s", (0, 1, 0, 0)), "s(0, 1, 0, 0)"),
        ({"H": 1}, ("unheard", (0, 1)), "unheard(0, 1)"),
        ({"H": 1}, ("E", ()), "E"),
    ],
)
def test_an_entry_has_the_letters_of_the_post(sizes: dict[str, int], entry: Any, tex: str) -> None:
    assert Letters.of(editions.SINGLE_INPUT, sizes).entry(entry) == tex


def test_equal_sizes_are_told_together_and_units_apart() -> None:
    sizes = {"H": 2, "W": 1, "N_w": 2, "units_prev": 1, "units": 1, "kh": 2}
    assert Letters.of(editions.SINGLE_INPUT, sizes).sizes(sizes) == "$H = N_w = k_h = 2$, $W = 1$, $M^{l-1} = M^l = 1$"
    assert Letters.of(editions.BAND, {}).sizes({"N_w": 2}) == "$N_k = 2$"


def test_the_unit_of_the_next_layer_is_the_posts_o() -> None:
    at = {"x": 0, "p": 1}
    assert Letters.of(editions.DELTA_STEP, NETWORK).indices(at) == "$x = 0$, $o = 1$ (a unit of layer $l+1$)"
    assert Letters.of(editions.DELTA_STEP, {"H": 1}).indices(at) == "$x = 0$, $p = 1$"


@pytest.mark.parametrize(
    ("prose", "formulas"),
    [
        ("1 <= N_k <= H, W", [r"1 \le N_k \le H, W"]),
        ("x', y' run over the kernel: 0 .. N_w - 1", ["x', y'", r"0, \ldots, N_w - 1"]),
        ("E is any function of c^{l+1}, and a(0) is not 0.", ["E", "c^{l+1}", "a(0)"]),
        ("H x W pixels of delta_m^l; unless n = 2.", [r"H \times W", r"\delta_m^l", "n = 2"]),
        ("entry floor(f / (H W)) mod k", [r"\lfloor f / (H\, W) \rfloor \bmod k"]),
        ("the image loses (N_k - 1)(H + 1) pixels", ["(N_k - 1)(H + 1)"]),
        ("A kernel's edge, e.g. in a weight's row (see the post's text), rot180, 3 of 4", []),
        ("`x_k` and $y_k$", ["y_k"]),
        ("output delta, and I", []),
    ],
)
def test_formulas_in_prose_are_found(prose: str, formulas: list[str]) -> None:
    assert [content for kind, content in stretches(prose) if kind == "math"] == formulas


def test_a_terminal_shows_formulas_as_they_are_typed() -> None:
    assert spoken(r"$\operatorname{rot}_{180}$ of $\delta_0^l(0, 0) = 1$; `x`") == "rot_{180} of delta_0^l(0, 0) = 1; x"


# --- the post at a glance ---


def displays_only(*frames: str) -> Edition:
    """Displays that hold in the frames in which all of `frames` do."""
    claims = tuple(c for c in EDITION.claims if c.place.startswith("display"))
    chosen = {name: meaning for name, meaning in EDITION.frames.items() if name in frames}
    return replace(EDITION, claims=claims, frames=chosen or EDITION.frames)


def test_one_sentence_says_where_all_displays_hold() -> None:
    sentence = overview.sentence(EDITION)
    assert sentence == (
        "No frame makes all 3 displays true: display 3 holds only in FULL and VALID_U; display 10 holds only in "
        "VALID_S; display 12 holds in none."
    )
    claims = (editions.SINGLE_INPUT, replace(editions.SINGLE_INPUT, id="again", place="display 4"))
    assert overview.sentence(replace(EDITION, claims=claims)) == "All 2 displays hold in FULL and VALID_U."


def test_a_table_has_a_row_per_display_and_marks_what_the_post_says(shown: Page) -> None:
    rows = {claim.place: cells for claim, cells in overview.displays(EDITION)}
    assert list(rows) == ["display 3", "display 10", "display 12"]
    assert [cell.chosen for cell in rows["display 10"]] == [False, False, True]
    assert [cell.lines for cell in rows["display 12"]] == ["lines 2, 3"] * 3
    assert shown.html.count("the post's own choice") == 1
    assert (
        "| 10 | [The weight gradient as a correlation](#weight-gradient-rot180) | ✗ refuted | ✗ refuted | ✓ proved ◆ |"
        in markdown.render(EDITION)
    )
    assert overview.displays(replace(EDITION, claims=(editions.SINGLE_INPUT,))) == []


# --- what a line is compared with ---


def test_a_line_is_compared_with_the_line_before_only_in_a_chain() -> None:
    first, term, last = editions.DELTA_STEP.rows
    found = editions.SHIFTED_WEIGHT.counterexample
    assert found is not None

    def outcome(row: Row, *rows: Row) -> str:
        return cases.outcome(replace(editions.DELTA_STEP, rows=(*rows, row)), row, found)

    assert outcome(first) == "the left side is 1, the right side is 0"
    assert outcome(term, first) == "this term is 1, the line before has 0"
    assert outcome(last, first) == "the line before is 1, this line is 0"
    assert outcome(last, first, term) == "line 1 is 1, this line is 0"
    assert outcome(replace(last, stated=False), first) == "the left side is 1, this line is 0"
    assert outcome(replace(last, reading={}), first) == "the left side is 1, this line is 0"
    assert outcome(replace(last, tex="c = d"), first) == "the left side is 1, the right side is 0"


# --- colours ---

#: What is seen by those who lack one kind of cones (Machado et al. 2009), in linear RGB.
SIGHT = {
    "all": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "no long": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "no middle": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "no short": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}


def lab(colour: str, sight: tuple[tuple[float, ...], ...]) -> tuple[float, float, float]:
    """A colour in CIELAB, where distances are about as they are seen."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    r, g, b = (min(max(sum(map(float.__mul__, row, linear)), 0.0), 1.0) for row in sight)
    xyz = (
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
    )
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("sight", SIGHT)
def test_the_colours_of_pairs_are_told_apart_by_everyone(shown: Page, sight: str) -> None:
    palettes = [re.findall(r"--pair-\d: (#\w+)", line) for line in shown.html.splitlines() if "--pair-1:" in line]
    assert [len(palette) for palette in palettes] == [6, 6, 6]  # light, dark, print
    for palette in palettes:
        seen = [lab(colour, SIGHT[sight]) for colour in palette]
        assert min(math.dist(one, other) for one, other in combinations(seen, 2)) > 15


# --- Markdown ---


def test_markdown_is_the_same_whatever_the_time_and_the_versions() -> None:
    def slower(verdict: Verdict) -> Verdict:
        return replace(verdict, seconds=verdict.seconds + 3)

    claims = tuple(
        replace(
            claim, rows=tuple(replace(r, verdicts={f: slower(v) for f, v in r.verdicts.items()}) for r in claim.rows)
        )
        for claim in EDITION.claims
    )
    later = replace(EDITION, claims=claims, seconds=99.0, versions={"sympy": "9.9"})
    assert markdown.render(later) == markdown.render(EDITION)
    assert page.render(later) != page.render(EDITION)


def test_markdown_has_every_formula_in_a_fence_or_between_its_marks() -> None:
    text = markdown.render(EDITION)
    missing = [
        tex
        for tex in formulas_of(EDITION)
        if f"```math\n{tex.strip()}\n```" not in text and f"$`{tex.strip()}`$" not in text
    ]
    assert missing == []
    assert text.count("```") % 2 == 0
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_markdown_tables_are_rectangular_and_links_have_targets() -> None:
    text = markdown.render(EDITION)
    for table in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table
    assert set(re.findall(r"\]\(#([^)]*)\)", text)) <= set(re.findall(r'<a id="([^"]*)">', text))


def test_markdown_says_what_the_page_says() -> None:
    text = markdown.render(EDITION).replace("\\", "")
    assert "| 6 | 2 | 3 | 1 | 6 |" in text
    assert "✗ refuted in VALID_S; ✓ proved in FULL and VALID_U" in text
    assert (
        "except $`o_0^{l-1}(0, 0) = 1`$ and $`w_{0,0}^l(1, 1) = 1`$; the left side is 1, the right side is 0." in text
    )
    assert "3 * 1 + 0 * (-2) + 2 * 0 + 1 * 2 = 5" in text
    assert "0 | [1] [2]  0     0 | [1][-2]" in text
    told = re.sub(r"[`$\\]", "", text)
    words = [content for line in EDITION.assurances for kind, content in stretches(line.text) if kind != "math"]
    assert [content for content in words if content not in told] == []


def test_markdown_escapes_its_own_signs() -> None:
    odd = replace(editions.IDEA, explanation="one*two_by <br> `x_y` $z_1$ [one](two)")
    text = markdown.render(replace(EDITION, claims=(odd,), errata=()))
    assert r"one\*two\_by \<br\> `x_y` $`z_1`$ \[one\](two)" in text


# --- JSON ---

SHAPE = {
    "Edition": "format claims errata assurances seconds frames versions",
    "Claim": "id title section place in_post tex explanation ranges assumptions rows claimed example notes "
    "checks equation",
    "Row": "id tex reason verdicts reading among stated encoding repairs",
    "Verdict": "status seconds counterexample reason",
    "Counterexample": "sizes indices entries left right boxes",
    "Repair": "tex tried verdicts",
    "Example": "frame sizes index inputs output cell products value",
    "Grid": "name tex lower values",
    "Product": "coefficient entries numbers",
    "Erratum": "claim row severity frames counterexample repair note",
    "Assurance": "kind text where",
}


def test_json_has_the_documented_shape() -> None:
    read = json.loads(data.as_json(EDITION))
    claim = read["claims"][2]
    row = claim["rows"][0]
    verdict = row["verdicts"]["VALID_S"]
    found = {
        "Edition": read,
        "Claim": claim,
        "Row": row,
        "Verdict": verdict,
        "Counterexample": verdict["counterexample"],
        "Repair": row["repairs"]["VALID_S"],
        "Example": claim["example"],
        "Grid": claim["example"]["output"],
        "Product": claim["example"]["products"][0],
        "Erratum": read["errata"][0],
        "Assurance": read["assurances"][0],
    }
    assert {name: " ".join(value) for name, value in found.items() if name != "Counterexample"} == {
        name: keys for name, keys in SHAPE.items() if name != "Counterexample"
    }
    assert set(found["Counterexample"]) == set(SHAPE["Counterexample"].split())
    assert data.FORMAT == read["format"] == 1


def test_json_has_values_that_json_has() -> None:
    (claim,) = (claim for claim in json.loads(data.as_json(EDITION))["claims"] if claim["id"] == "single-input")
    verdict = claim["rows"][0]["verdicts"]["VALID_S"]
    assert verdict["status"] == "refuted"
    assert verdict["counterexample"]["entries"] == [
        {"tensor": "o_prev", "index": [0, 0, 0], "value": 1},
        {"tensor": "w", "index": [0, 0, 1, 1], "value": 1},
    ]
    assert verdict["counterexample"]["left"] == "1"
    assert json.loads(data.as_json(editions.WEIGHTS))["example"]["output"]["values"] == [["-3", "0"], ["5/2", "1"]]


# --- the command ---


class Command:
    """Runs `backproof derive` in a folder of its own; judging is a stand-in that returns the sample."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.chdir(folder)
        self.folder, self.monkeypatch, self.capsys = folder, monkeypatch, capsys
        self.returns(EDITION)

    def returns(self, edition: Edition) -> None:
        def judge_all(only: str | None = None, progress: Any = None, processes: int = 1) -> Edition:
            chosen = tuple(claim for claim in edition.claims if only in (None, claim.id))
            for done, claim in enumerate(chosen, 1):
                progress(claim.id, done, len(chosen))
            errata = tuple(erratum for erratum in edition.errata if only in (None, erratum.claim))
            return replace(edition, claims=chosen, errata=errata)

        for name, content in (
            ("judge", {"judge_all": judge_all}),
            ("claims", {"CLAIMS": {claim.id: SimpleNamespace(lines=()) for claim in edition.claims}}),
        ):
            module = ModuleType(f"backproof_spec.derivation.{name}")
            vars(module).update(content)
            self.monkeypatch.setitem(sys.modules, module.__name__, module)

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["backproof", "derive", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = self.capsys.readouterr()
        return int(end.value.code or 0), out, err

    def files(self) -> list[str]:
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, monkeypatch, capsys)


def test_derive_writes_both_reports_and_says_so(command: Command) -> None:
    code, out, err = command()
    assert code == 0
    assert err == "judged 6 of 6 claims\n"
    assert command.files() == ["reports/derivation.html", "reports/derivation.md"]
    assert out.splitlines()[-2:] == ["report: reports/derivation.html", "report: reports/derivation.md"]
    assert (command.folder / "reports/derivation.md").read_text(encoding="utf-8") == markdown.render(LINKED)
    assert re.search(r"claims +proved +refuted +open +errata\s+6 +2 +3 +1 +6\b", out)


def test_derive_prints_errata_by_severity_and_nothing_that_nobody_claims(command: Command) -> None:
    command.monkeypatch.setenv("COLUMNS", "400")
    _, out, _ = command()
    headings = [f"{heading}: " for heading, _ in wording.SEVERITIES.values()]
    parts = re.split("|".join(map(re.escape, headings)), out)
    assert parts[0] == ""  # nothing that does not fit comes first
    for severity, part in zip(wording.SEVERITIES, parts[1:], strict=True):
        expected = {erratum.claim for erratum in EDITION.errata if erratum.severity is severity}
        assert set(re.findall(r"^  ([a-z0-9-]+)", part, re.MULTILINE)) == expected
    assert "fewer-weights" not in out  # refuted, but not what the post states
    assert ("  delta-step, line 3\n    H = N_w = 1, W = 2, M^l = M^{l+1} = 1, at m = x = x' = y' = 0, y = 1, ") in out
    assert "    proved: w_{m,o}^{l+1}(x', y')\\cdot" in out
    assert "  single-input in VALID_S\n    H = W = N_w = 2" in out
    assert "  delta-step: x'' is used outside the sum that binds it. The sum over x'', y''" in out
    assert "open mean-pooling, FULL, VALID_U and VALID_S: the factor 1/k is not an integer" in out
    assert "No frame makes all 3 displays true" in out


def test_lines_are_wrapped_but_not_inside_formulas(command: Command) -> None:
    command.monkeypatch.setenv("COLUMNS", "60")
    _, out, _ = command()
    lines = [line for line in out.splitlines() if "proved: " not in line]
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line.count("(") != line.count(")") and "unit of" not in line] == []


def test_derive_elsewhere(command: Command) -> None:
    assert command("--output", "a/b")[0] == 0
    assert command.files() == ["a/b/derivation.html", "a/b/derivation.md"]


def test_one_claim_is_shown_and_nothing_written(command: Command) -> None:
    code, out, err = command("--equation", "delta-step")
    assert (code, err, command.files()) == (0, "", [])
    assert out.startswith("How a pixel acts on the next layer  [delta-step; Backpropagation: Deltas, display 12]")
    assert "line 3: only the term with" in out
    assert "    w_{0,0}^{l+1}    a'(c_0^l)\n      | 0              | 0  1\n    0 |[1]           0 | 0 [1]\n" in out
    assert "proved instead in FULL, VALID_U and VALID_S:\n    w_{m,o}^{l+1}(x', y')" in out
    assert "Single input" not in out


def test_one_claim_is_written_where_a_folder_is_given(command: Command) -> None:
    _, out, _ = command("--equation", "single-input", "--output", "out")
    assert command.files() == ["out/derivation-single-input.html", "out/derivation-single-input.md"]
    assert out.endswith("report: out/derivation-single-input.md\n")
    assert "<title>Single input - Backproof</title>" in (command.folder / command.files()[0]).read_text(
        encoding="utf-8"
    )


def test_json_and_nothing_else(command: Command) -> None:
    code, out, _ = command("--json")
    assert (code, command.files()) == (0, [])
    assert out == data.as_json(LINKED) + "\n"
    _, out, _ = command("--json", "--equation", "single-input", "--output", "out")
    assert json.loads(out)["id"] == "single-input"
    assert len(command.files()) == 2


def test_a_formula_that_differs_from_its_encoding_comes_first_and_ends_with_1(command: Command) -> None:
    command.returns(differing(EDITION))
    code, out, _ = command()
    assert code == 1
    assert out.startswith(
        "DIFFERS single-input in FULL: the printed formula is not what was judged\n    printed: i_{n,m}^l"
    )
    assert "    judged:  Sum(o_prev[n, -x' + x, " in out
    assert "H = W = N_w = 2" in out.split("Wrong:")[0]
    assert "DIFFERS, see above: single-input\n" in out.split("errata")[-1]
    assert "what was judged is 1, the printed formula 0" in " ".join(out.split())
    assert len(command.files()) == 2
    _, out, _ = command("--equation", "single-input")
    assert out.startswith("DIFFERS single-input in FULL")


def test_what_does_not_fit_is_told_by_every_report() -> None:
    row = replace(editions.MEAN.rows[0], verdicts={"FULL": editions.SHIFTED_WEIGHT})
    unread = replace(editions.SINGLE_INPUT.rows[0], reading={"FULL": Verdict(Status.OPEN, 0, reason="no letter q")})
    claims = (replace(editions.MEAN, rows=(row,)), replace(editions.SINGLE_INPUT, rows=(unread,)))
    broken = replace(EDITION, claims=claims, errata=())
    for text in (said(page.render(broken)), re.sub(r"[*$`]", "", markdown.render(broken))):
        assert "One of our own claims is false: " in text
        assert "The printed formula could not be read: " in text
        assert "no letter q." in text
    assert trouble.unexpected(EDITION) == trouble.unread(EDITION) == trouble.disagreements(EDITION) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--equation", "single"], "there is no claim 'single'; did you mean single-input?"),
        (
            ["--equation", "zzz"],
            "there is no claim 'zzz'; the claims are fewer-weights, undefined-pixels, single-input",
        ),
        (["--output", "occupied/x"], "cannot write to occupied/x; choose another folder with --output ("),
        (["--colour"], "No such option"),
    ],
)
def test_what_cannot_run_ends_with_2(command: Command, arguments: list[str], message: str) -> None:
    (command.folder / "occupied").write_text("", encoding="utf-8")
    code, _, err = command(*arguments)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1 or "--colour" in arguments


def test_a_formula_that_is_none_is_named(command: Command) -> None:
    from backproof_spec.derivation.tokens import LatexError

    def printed(claim: Any, line: Any) -> None:
        raise LatexError("a bracket is not closed", "(x", 0)

    command.monkeypatch.setattr("backproof_spec.derivation.printed.printed", printed)
    claims = {"single-input": SimpleNamespace(id="single-input", lines=(1,))}
    command.monkeypatch.setattr(sys.modules["backproof_spec.derivation.claims"], "CLAIMS", claims)
    code, out, err = command()
    assert (code, out, command.files()) == (2, "", [])
    assert err.startswith("Error: the formula of single-input cannot be read: a bracket is not closed")


@pytest.mark.parametrize(
    ("absent", "arguments", "code"),
    [
        ("z3", ["--json"], 2),
        ("ziamath", [], 2),
        ("ziamath", ["--json"], 0),
        ("ziamath", ["--equation", "single-input"], 0),
    ],
)
def test_what_is_not_installed_is_named(command: Command, absent: str, arguments: list[str], code: int) -> None:
    command.monkeypatch.setattr(cli_derive, "find_spec", lambda name: None if name == absent else object())
    ended, _, err = command(*arguments)
    assert ended == code
    if code:
        assert err == f'Error: the derivation needs {absent}; install it with: pip install "backproof[derive]"\n'


def test_help_imports_nothing_heavy() -> None:
    program = """
import sys
from backproof.cli import main
sys.argv = ["backproof", "derive", "--help"]
try:
    main()
except SystemExit as end:
    assert end.code == 0, end.code
print(*sorted(name for name in sys.modules if "." not in name), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert "--equation" in done.stdout
    assert not set(done.stderr.split()) & {"sympy", "z3", "ziamath", "numpy", "rich", "jinja2", "backproof_spec"}


def test_the_sample_has_every_kind_of_thing() -> None:
    """A report is only tested for what the sample has."""
    verdicts = [v for claim in EDITION.claims for row in claim.rows for v in row.verdicts.values()]
    assert {v.status for v in verdicts} == set(Status)
    assert {erratum.severity for erratum in EDITION.errata} == set(wording.SEVERITIES)
    assert {bool(claim.tex) for claim in EDITION.claims} == {True, False}
    assert {claim.in_post for claim in EDITION.claims} == {True, False}
    assert {row.stated for claim in EDITION.claims for row in claim.rows} == {True, False}
    assert all(isinstance(erratum, Erratum) for erratum in EDITION.errata)
