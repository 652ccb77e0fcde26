"""The page about a run: complete, self-contained, well-formed, and harmless whatever the target is called."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from backproof.events import (
    CheckFinished,
    Event,
    RunFinished,
    RunStarted,
    TargetBound,
    as_json,
    from_json,
    read_events,
)
from backproof.report.html import render, write_html
from backproof.report.summary import Run

RECORDINGS = Path(__file__).parent / "recordings"
NAMES = ("passing", "failing", "nothing-verified", "interrupted")
HOSTILE = """</style></code><script src="http://evil.example/x.js">alert('1')</script><b onclick=x>"&{{ 1 }}{% x %}"""
VOID = {"meta", "br", "hr", "img", "link", "input"}


def recording(name: str) -> list[Event]:
    return list(read_events((RECORDINGS / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()))


class Page(HTMLParser):
    """A page taken apart; ValueError where its tags do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[tuple[str, tuple[str, ...]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        if self.open:
            raise ValueError(f"not closed: {self.open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside.append((tag, tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            raise ValueError(f"</{tag}> closes {self.open[-1:]}")
        self.open.pop()
        if tag in ("td", "th", "dt", "dd", "li", "p", "span"):
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return squeeze("".join(self.words))


def squeeze(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def page(events: list[Event]) -> Page:
    return Page(render(Run.of(events)))


def outside(page: Page) -> list[str]:
    """Everything in a page that runs, or that asks for something outside of it."""
    wrong = [
        tag for tag, _ in page.tags if tag in ("script", "link", "img", "iframe", "object", "embed", "base", "form")
    ]
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            if name.startswith("on") or name in ("src", "srcset", "action", "style"):
                wrong.append(f"{tag} {name}")
            if name == "href" and not str(value).startswith("#"):
                wrong.append(f"{tag} {name}={value}")
    style = "".join(re.findall(r"<style>(.*?)</style>", page.html, re.DOTALL))
    return wrong + re.findall(r"url\(|@import|https?:|//", style)


@pytest.mark.parametrize("name", NAMES)
def test_self_contained(name: str) -> None:
    shown = page(recording(name))
    assert outside(shown) == []
    assert "http" not in shown.html


@pytest.mark.parametrize(
    "html",
    [
        "<script>1</script>",
        "<p><a href='http://x.example'>x</a></p>",
        "<p onclick='x'>x</p>",
        "<style>@import 'x.css'; a { background: url(x.png) }</style>",
        "<link rel='stylesheet' href='x.css'>",
    ],
)
def test_what_is_not_self_contained_is_seen(html: str) -> None:
    assert outside(Page(html))


def test_tags_that_do_not_nest_are_seen() -> None:
    with pytest.raises(ValueError, match="closes"):
        Page("<p><b></p></b>")


@pytest.mark.parametrize("name", NAMES)
def test_structure(name: str) -> None:
    shown = page(recording(name))
    ids = [attributes["id"] for _, attributes in shown.tags if "id" in attributes]
    links = [str(attributes["href"])[1:] for tag, attributes in shown.tags if tag == "a"]
    levels = [int(tag[1]) for tag, _ in shown.tags if re.fullmatch("h[1-6]", tag)]
    assert len(ids) == len(set(ids))
    assert set(links) <= set(ids)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert ("html", {"lang": "en"}) in shown.tags
    assert all("scope" in attributes for tag, attributes in shown.tags if tag == "th")
    # what may be wide scrolls in its own box
    wide = [around for tag, around in shown.inside if tag == "table"]
    assert wide or name == "nothing-verified"
    assert all("div" in around for around in wide)


def leaves(value: Any) -> Iterator[Any]:
    """Every string and number in plain data."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif value is not None and not isinstance(value, bool):
        yield value


#: Said in other words, and the keys of records.
ELSEWHERE = {"both", "role", "display", "parameters", "name", "summary", "script", "sides", "pair", "int", "version"}


def marked(name: str) -> list[Event]:
    """A recording in which every number of the events themselves is one that occurs nowhere else."""
    marks = iter(range(1_000_003, 2_000_000, 1_009))

    def mark(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: item if key in ("case", "format", "exit_status") else mark(item) for key, item in value.items()
            }
        if isinstance(value, int) and not isinstance(value, bool):
            return next(marks)
        return [mark(item) for item in value] if isinstance(value, list) else value

    return [from_json(json.dumps(mark(json.loads(as_json(event))))) for event in recording(name)]


def said(event: Event) -> list[Any]:
    """What a page must say of an event, as it says it."""
    data = asdict(event)
    data.pop("seconds", None)  # rounded to a readable duration
    data.pop("case", None)  # see the tests of cases
    data["missed"] = [[row["configurations"], row["rare"]] for row in data.pop("missed", {}).values()]  # and of words
    if isinstance(event, RunFinished):
        data["verdict"] = event.verdict.upper()
    return [leaf for leaf in leaves(list(data.values())) if leaf not in ELSEWHERE]


@pytest.mark.parametrize("name", NAMES)
def test_every_field_has_a_place(name: str) -> None:
    events = marked(name)
    shown = page(events)
    text = shown.text.replace(",", "")
    missing = [leaf for event in events for leaf in said(event) if squeeze(str(leaf)).replace(",", "") not in text]
    assert missing == []


def test_a_field_without_a_place_is_seen() -> None:
    events = marked("failing")
    shown = page([event for event in events if not isinstance(event, RunFinished)])
    assert "float16 was not asked for" in page(events).text
    assert "float16 was not asked for" not in shown.text


def test_the_case_is_a_table() -> None:
    text = page(recording("failing")).text
    assert "x (N, C, H, W) (1, 1, 3, 3)" in text
    assert "w (O, C/groups, kh, kw) (1, 1, 1, 2)" in text
    assert "stride (2, 1)" in text
    assert "everything else padding ((0, 0), (0, 0)), dilation (1, 1), groups 1, padding mode zeros, no bias" in text


VERDICTS = {
    "passing": """
        PASSED numba numba, as convolution and cross-correlation, agrees with the specification
        in all of 600 exact comparisons over 400 examples, in 2.5 s.""",
    "failing": """
        FAILED my_conv.py my_conv.py, as cross-correlation (inferred from forward), differs from the
        specification: 2 findings in 391 exact comparisons over 400 examples, in 2.5 s.""",
    "nothing-verified": """
        NOT VERIFIED my_conv.py my_conv.py was not verified: 0 exact comparisons over 0 examples, in 0.2 s.
        This is no pass.""",
    "interrupted": """
        INTERRUPTED my_conv.py The run on my_conv.py, as cross-correlation (inferred from forward), was
        interrupted: 1 of 2 started checks ended, 1 finding in 200 exact comparisons over 200 examples.
        This is no pass.""",
}


@pytest.mark.parametrize(("name", "start"), VERDICTS.items())
def test_the_verdict_is_one_sentence_at_the_top(name: str, start: str) -> None:
    text = page(recording(name)).text
    assert f"exact verification of convolution and backpropagation{squeeze(start)}" in text


def test_only_an_inferred_orientation_is_called_inferred() -> None:
    events = [
        replace(event, orientation_inferred=False) if isinstance(event, TargetBound) else event
        for event in recording("failing")
    ]
    assert "inferred from forward)" not in page(events).text


def test_nothing_left_out_is_said_only_where_it_is_so() -> None:
    claim = "Nothing of what this run covers was left out."
    assert claim in page(recording("passing")).text
    assert all(claim not in page(recording(name)).text for name in NAMES[1:])


def test_the_limits_are_on_every_page() -> None:
    for name in NAMES:
        text = page(recording(name)).text
        assert "no proof for all shapes" in text
        assert "Threads and devices are not covered" in text
        assert "Known defects are left out" in text


def test_a_check_that_found_only_what_was_found_before() -> None:
    ended = next(event for event in recording("failing") if isinstance(event, CheckFinished))
    events = [*recording("failing")[:-1], replace(ended, check="later", verdict="failed")]
    assert "failed found by a check above" in page(events).text


def test_many_gaps_are_folded_and_all_there() -> None:
    ended = next(event for event in recording("failing") if isinstance(event, CheckFinished))
    reasons = {f"reason {number} of many": number for number in range(1, 31)}
    shown = page([*recording("passing"), replace(ended, check="later", not_supported=reasons)])
    assert "30 rows, 465 times in all" in shown.text
    assert all(f"{reason} later {count}" in shown.text for reason, count in reasons.items())


def hostile(value: Any) -> Any:
    """Plain data with every string hostile, keys of free dictionaries included."""
    if isinstance(value, dict):
        return {key: hostile(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return HOSTILE if isinstance(value, str) else value


def test_hostile_text_is_only_text() -> None:
    kept = {"verdict", "event", "check"}
    lines = []
    for event in recording("failing"):
        data = json.loads(as_json(event))
        data = {key: value if key in kept else hostile(value) for key, value in data.items()}
        for name in ("comparisons", "not_supported", "excluded", "environment", "declarations", "options"):
            if isinstance(data.get(name), dict):
                data[name] = dict.fromkeys([HOSTILE], next(iter(data[name].values()), 1))
        lines.append(json.dumps(data))
    shown = page([from_json(line) for line in lines])
    assert outside(shown) == []
    assert {tag for tag, _ in shown.tags} == {tag for tag, _ in page(recording("failing")).tags}
    assert shown.text.count("<script src=") > 20


def test_no_events_make_a_page() -> None:
    assert "No check ran." in page([]).text


def test_a_start_alone_makes_a_page() -> None:
    started = next(event for event in recording("failing") if isinstance(event, RunStarted))
    assert "The run ended before the target was bound." in page([started]).text


def test_the_file_is_utf8_and_holds_the_notes(tmp_path: Path) -> None:
    write_html(recording("failing"), tmp_path / "page.html", notes=["line 9 is cut off"])
    text = (tmp_path / "page.html").read_bytes().decode("utf-8")
    assert '<meta charset="utf-8">' in text
    assert "Note: line 9 is cut off." in text
    assert text.startswith("<!DOCTYPE html>")
