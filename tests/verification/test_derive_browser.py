"""The page of `backproof derive` in a real Chromium: complete, quiet, legible on a telephone and without scripts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from verification import editions

pytestmark = pytest.mark.browser
pytest.importorskip("ziamath", reason="needs the extra `derive`")
playwright = pytest.importorskip("playwright.sync_api", reason="needs the extra `browser`")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("needs Chromium on the PATH", allow_module_level=True)

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}
OPEN_ALL = "document.querySelectorAll('details').forEach(d => d.open = true)"
#: Boxes of all formulas: [what it says, width, height].
FORMULAS = """[...document.querySelectorAll('.math')].map(m => {
  const boxes = [...m.querySelectorAll('svg')].map(s => s.getBoundingClientRect());
  return [m.getAttribute('aria-label'), Math.min(...boxes.map(b => b.width)), Math.min(...boxes.map(b => b.height))];
})"""
#: Pieces of formulas whose ink is empty, or reaches out of the box that is reserved for it.
OUTSIDE = """[...document.querySelectorAll('.math svg')].filter(s => {
  const box = s.viewBox.baseVal, ink = s.querySelector('use').getBBox(), slack = 3;
  return ink.width === 0 || ink.x < box.x - slack || ink.y < box.y - slack ||
    ink.x + ink.width > box.x + box.width + slack || ink.y + ink.height > box.y + box.height + slack;
}).map(s => s.parentElement.getAttribute('aria-label'))"""
#: Elements that reach beyond the right edge, though nothing around them scrolls or hides what overflows.
TOO_WIDE = """[...document.querySelectorAll('body *')].filter(e => {
  if (e.closest('svg') && e.tagName !== 'svg') return false;
  for (let p = e.parentElement; p; p = p.parentElement)
    if (getComputedStyle(p).overflowX !== 'visible') return false;
  return e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5;
}).map(e => e.outerHTML.slice(0, 120))"""


@dataclass
class Tab:
    """An open page, what it asked for, and what it complained about."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from backproof.edition.page import render

    path = tmp_path_factory.mktemp("page") / "derivation.html"
    path.write_text(render(editions.EDITION), encoding="utf-8")
    return path


@contextmanager
def opened(browser: Any, file: Path, **options: Any) -> Iterator[Tab]:
    context = browser.new_context(**{"viewport": DESKTOP, **options})
    tab = Tab(context.new_page())
    tab.page.on("request", lambda request: tab.requests.append(request.url))
    tab.page.on("console", lambda message: tab.complaints.append(message.text))
    tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.page.goto(file.as_uri())
    try:
        yield tab
    finally:
        context.close()


def test_it_asks_for_nothing_and_complains_about_nothing(browser: Any, file: Path) -> None:
    with opened(browser, file) as tab:
        tab.page.evaluate(OPEN_ALL)
        tab.page.mouse.wheel(0, 5000)
        tab.page.wait_for_load_state("networkidle")
        assert tab.requests == [file.as_uri()]
        assert tab.complaints == []


def test_a_request_and_a_complaint_are_seen(browser: Any, file: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text('<img src="missing.png"><script>console.error("no")</script>', encoding="utf-8")
    with opened(browser, broken) as tab:
        tab.page.wait_for_load_state("networkidle")
        assert len(tab.requests) == 2
        assert "no" in tab.complaints


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_formula_is_visible_in_its_box(browser: Any, file: Path, viewport: dict[str, int]) -> None:
    with opened(browser, file, viewport=viewport) as tab:
        tab.page.evaluate(OPEN_ALL)
        boxes = tab.page.evaluate(FORMULAS)
        assert len(boxes) > 40
        assert [name for name, width, height in boxes if width < 3 or height < 3] == []
        assert max(height for _, _, height in boxes) < 140  # no bracket grew without bounds
        assert tab.page.evaluate(OUTSIDE) == []


def test_a_formula_that_leaves_its_box_is_seen(browser: Any, file: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.html"
    text = file.read_text(encoding="utf-8")
    damaged.write_text(text.replace('<use href="#f.', '<use y="40" href="#f.', 1), encoding="utf-8")
    with opened(browser, damaged) as tab:
        assert len(tab.page.evaluate(OUTSIDE)) == 1


def test_nothing_overflows_on_a_telephone(browser: Any, file: Path) -> None:
    with opened(browser, file, viewport=PHONE) as tab:
        tab.page.evaluate(OPEN_ALL)
        assert tab.page.evaluate(TOO_WIDE) == []
        assert tab.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        # what is wider than the screen can be scrolled, with the keyboard too
        hidden = "[...document.querySelectorAll('.formula')].filter(f => f.scrollWidth > f.clientWidth + 1)"
        assert tab.page.evaluate(f"{hidden}.length") > 0
        assert tab.page.evaluate(f"{hidden}.filter(f => f.tabIndex < 0).length") == 0


def test_what_overflows_is_seen(browser: Any, file: Path) -> None:
    with opened(browser, file, viewport=PHONE) as tab:
        tab.page.add_style_tag(content=".formula { overflow: visible !important; }")
        tab.page.evaluate(OPEN_ALL)
        assert tab.page.evaluate(TOO_WIDE) != []


def test_it_can_be_read_without_scripts(browser: Any, file: Path) -> None:
    with opened(browser, file, java_script_enabled=False) as tab:
        text = tab.page.locator("main").inner_text()
        assert "Smallest counterexample" in text
        summary = tab.page.locator("#delta-step details summary").first
        boxes = tab.page.locator("#rests-on .grid")
        assert boxes.count() == len(editions.FRAMES)
        assert all((box := boxes.nth(k).bounding_box()) and box["width"] > 50 for k in range(boxes.count()))
        details = tab.page.locator("nav details").last
        link = details.locator("a").first
        assert not link.is_visible()
        details.locator("summary").click()  # folding is the browser's own
        assert link.is_visible()
        assert summary.is_visible()


def test_a_link_of_the_contents_leads_to_its_claim(browser: Any, file: Path) -> None:
    with opened(browser, file) as tab:
        tab.page.click('nav a[href="#weight-gradient-rot180"]')
        top = tab.page.evaluate("document.getElementById('weight-gradient-rot180').getBoundingClientRect().top")
        assert 0 <= top < DESKTOP["height"]


def contrast(one: list[float], other: list[float]) -> float:
    """The contrast ratio of WCAG between two colours."""

    def luminance(colour: list[float]) -> float:
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour[:3])]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_formulas_and_pictures_stand_out_in_light_and_dark(browser: Any, file: Path, scheme: str) -> None:
    with opened(browser, file, color_scheme=scheme) as tab:
        tab.page.evaluate(OPEN_ALL)
        colours = tab.page.evaluate("""() => {
          const of = (selector, property) => [...document.querySelectorAll(selector)].map(
            e => [selector, getComputedStyle(e)[property].match(/[\\d.]+/g).map(Number)]);
          return {
            paper: getComputedStyle(document.querySelector('.claim')).backgroundColor.match(/[\\d.]+/g).map(Number),
            ink: [...of('.claim p', 'color'), ...of('.claim .badge', 'color'), ...of('.claim .math svg', 'fill'),
                  ...of('.grid text', 'fill')],
            pairs: [...document.querySelectorAll('.grid [class^=pair]')].map(g => [
              getComputedStyle(g.querySelector('rect')).fill.match(/[\\d.]+/g).map(Number),
              getComputedStyle(g.querySelector('text')).fill.match(/[\\d.]+/g).map(Number)]),
          };
        }""")
        assert (sum(colours["paper"][:3]) < 200) == (scheme == "dark")
        assert {what for what, colour in colours["ink"] if contrast(colour, colours["paper"]) < 4.5} == set()
        assert colours["pairs"] != []
        assert all(contrast(box, text) > 4.5 for box, text in colours["pairs"])


def test_it_can_be_printed(browser: Any, file: Path) -> None:
    with opened(browser, file) as tab:
        tab.page.emulate_media(media="print")
        tab.page.set_viewport_size({"width": 700, "height": 990})  # A4 without its margins
        assert tab.page.evaluate(TOO_WIDE) == []
        assert tab.page.pdf(format="A4").startswith(b"%PDF-")
