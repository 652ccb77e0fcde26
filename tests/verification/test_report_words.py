"""Cases, numbers and sentences, as people read them."""

from __future__ import annotations

from typing import Any

import pytest

from backproof.cases.levels import Case
from backproof.contract import Geometry, PoolGeometry
from backproof.report import cases, words
from backproof.report.summary import Run


def lines(case: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row.label, row.text) for row in cases.rows(case)]


def test_the_case_of_a_convolution() -> None:
    geometry = Geometry(2, 4, 6, (5, 4), (3, 2), stride=(2, 1), padding=((1, 0), (0, 2)), groups=2)
    case = Case(geometry, dtype="float32", profile="wide", layouts=(("x", "nhwc"), ("dy", "C")), seed=11).as_dict()
    assert cases.line(case) == (
        "x (2, 4, 5, 4), w (6, 2, 3, 2), stride (2, 1), padding ((1, 0), (0, 2)), groups 2, convolution, with bias, "
        "float32, x laid out 'nhwc'"
    )
    assert lines(case) == [
        ("x (N, C, H, W)", "(2, 4, 5, 4)"),
        ("w (O, C/groups, kh, kw)", "(6, 2, 3, 2)"),
        ("stride", "(2, 1)"),
        ("padding", "((1, 0), (0, 2))"),
        ("groups", "2"),
        ("orientation", "convolution"),
        ("bias", "yes"),
        ("dtype", "float32"),
        ("data", "wide"),
        ("layouts", "x: nhwc, dy: C"),
        ("seed", "11"),
        ("everything else", "dilation (1, 1), padding mode zeros"),
    ]


@pytest.mark.parametrize("field", Geometry.__dataclass_fields__)
def test_every_field_of_a_geometry_is_in_the_table(field: str) -> None:
    changed = {
        "size": (7, 9), "kernel_size": (7, 9), "stride": (7, 9), "dilation": (7, 9), "padding": ((7, 9), (7, 9)),
        "padding_mode": "circular", "orientation": "cross-correlation", "bias": False, "groups": 3,
    }  # fmt: skip
    plain = Geometry(in_channels=9, bias=True)
    values = {name: getattr(plain, name) for name in Geometry.__dataclass_fields__}
    other = Geometry(**{**values, field: changed.get(field, 97)})
    assert lines({"geometry": plain.as_dict()}) != lines({"geometry": other.as_dict()})
    assert cases.line({"geometry": plain.as_dict()}) != cases.line({"geometry": other.as_dict()})


def test_the_case_of_a_pooling() -> None:
    case = {"geometry": PoolGeometry("max", 1, 2, (4, 5), (2, 2), stride=(2, 2)).as_dict(), "dtype": "float64"}
    assert cases.line(case) == "x (1, 2, 4, 5), max pooling, stride (2, 2), kernel (2, 2), float64"
    assert ("kernel size (kh, kw)", "(2, 2)") in lines(case)
    assert ("kind", "max") in lines(case)


@pytest.mark.parametrize("case", [{}, {"geometry": {}}, {"geometry": None}])
def test_no_case(case: dict[str, Any]) -> None:
    assert cases.line(case) == ""


def test_a_case_of_another_kind_is_shown_as_it_is() -> None:
    case = {
        "formula": "E",
        "x": [[[1.5, -2.0, 3.25], [4.0, 5.0, 6.0]], [[7.0, 8.0, 9.0], [1.0, 1.0, 1.0]]],
        "n": [1, 2],
    }
    assert lines(case) == [
        ("formula", "E"),
        ("x", "1.5  -2.0  3.25\n4.0  5.0  6.0\n\n7.0  8.0  9.0\n1.0  1.0  1.0"),
        ("n", "(1, 2)"),
    ]
    assert [row.block for row in cases.rows(case)] == [False, True, False]


def test_a_geometry_with_missing_or_odd_fields() -> None:
    assert lines({"geometry": {"batch": 2, "size": 3}}) == [("batch N", "2"), ("image size (H, W)", "3")]
    assert lines({"geometry": {"groups": 0, "in_channels": 1, "out_channels": 1, "batch": 1, "size": [1, 1]}})


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0.0 s"),
        (0.449, "0.4 s"),
        (9.949, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3723, "62 min 3 s"),
    ],
)  # fmt: skip
def test_durations(seconds: float, expected: str) -> None:
    assert words.duration(seconds) == expected


def test_numbers() -> None:
    assert [words.counted(n, "example") for n in (0, 1, 1234567)] == ["0 examples", "1 example", "1,234,567 examples"]


def test_what_is_printable() -> None:
    assert words.printable("ä × \n[b]\t\x1b\u202e\x85") == "ä × \n[b]\\t\\x1b\\u202e\\x85"


def test_a_run_without_events() -> None:
    run = Run.of([])
    assert run.verdict == "interrupted"
    assert words.command(run) == ""
    assert words.sentence(run) == (
        "unknown target, orientation unknown: 0 of 0 started checks ended, 0 findings, 0 examples, "
        "0 exact comparisons, 0.0 s"
    )
