"""File names: readable, legal everywhere, and different for different targets."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from backproof.report.naming import stem

PLAIN = {
    "numba": "numba",
    "my_conv.py": "my_conv",
    "my_conv.py:Net": "my_conv-Net",
    "my-conv.py": "my-conv",
    "package.module": "package.module",
    "package.module:attribute": "package.module-attribute",
    "my_conv.py:forward,backward": "my_conv-forward,backward",
}
DIGESTED = {
    "students/ada/my_conv.py": "my_conv",
    "students/bob/my_conv.py": "my_conv",
    "../my_conv.py:Net": "my_conv-Net",
    "C:\\work\\my_conv.py": "my_conv",
    "C:\\work\\my_conv.py:Net": "my_conv-Net",
    "/tmp/my conv.py": "my_conv",
    "faltung_ä.py": "faltung__",
    "<script>": "_script_",
    "con.py": "target-con",
    "NUL": "target-NUL",
    "..": "target",
    "": "target",
    "a" * 300: "a" * 80,
    "line\nbreak": "line_break",
}


@pytest.mark.parametrize(("target", "expected"), PLAIN.items())
def test_plain_names(target: str, expected: str) -> None:
    assert stem(target) == expected


@pytest.mark.parametrize(("target", "start"), DIGESTED.items())
def test_what_a_name_loses_is_in_its_digest(target: str, start: str) -> None:
    assert re.fullmatch(re.escape(start) + "-[0-9a-f]{8}", stem(target))


def test_different_targets_have_different_names() -> None:
    for one, other in combinations((*PLAIN, *DIGESTED), 2):
        assert stem(one).lower() != stem(other).lower(), (one, other)


@pytest.mark.parametrize("target", [*PLAIN, *DIGESTED])
def test_legal_on_every_system(target: str) -> None:
    name = stem(target)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._,-]{0,100}", name)
    assert not name.endswith(".")
    assert not re.match(r"(con|nul|prn|aux|com\d|lpt\d)(\.|$)", name, re.IGNORECASE)
