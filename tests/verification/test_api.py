"""`backproof.check`, its report, and live objects as targets."""

from __future__ import annotations

import functools
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import backproof
from backproof.objects import label, target_of
from backproof.targets.errors import TargetError

WRONG = Path(__file__).parent / "wrong"
ROTATED = str(WRONG / "dw_not_rotated.py")
HERE = str(Path(__file__).resolve())


# ---- targets of this module


def forward(x, w):
    """Right for single pixels only."""
    return x * w


def backward(dy, x, w):
    return dy * w, dy * x


class Layer:
    forward = staticmethod(forward)
    backward = staticmethod(backward)

    class Inner:
        forward = staticmethod(forward)


layer = Layer()


@pytest.fixture(autouse=True)
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the search keeps is that of one test alone."""
    monkeypatch.setenv("BACKPROOF_CACHE_DIR", str(tmp_path / "cache"))


def check(target: Any, **options: Any) -> backproof.Report:
    return backproof.check(target, **{"examples": 0, "seed": 3, "checks": ("exact",), **options})


def test_a_report_on_what_is_right(tmp_path: Path) -> None:
    report = check("numpy", checks=["symbolic"])
    assert report.passed
    assert (report.verdict, report.findings, report.stale, report.strict) == ("passed", (), (), ())
    report.raise_for_findings()
    assert repr(report).startswith("<Report passed: numpy, convolution and cross-correlation: no findings, ")
    report.write_html(tmp_path / "page.html")
    report.write_ndjson(tmp_path / "run.ndjson")
    assert "PASSED" in (tmp_path / "page.html").read_text(encoding="utf-8")
    with (tmp_path / "run.ndjson").open(encoding="utf-8") as lines:
        assert len(list(lines)) == len(report.events)


def test_a_report_on_what_is_wrong() -> None:
    report = check(Path(ROTATED))
    assert not report.passed
    (finding,) = report.findings
    with pytest.raises(AssertionError) as caught:
        report.raise_for_findings()
    text = str(caught.value)
    assert text == str(report)
    for said in ("FINDING 1  [exact] dw differs", "  case       x (1, 1, ", f"expected {finding.expected}, got"):
        assert said in text
    for line in finding.reproducer.splitlines():
        assert line in text
    assert "FAILED: " in text


def test_nothing_verified_is_no_pass() -> None:
    report = check(ROTATED, checks=("pooling",))
    assert (report.verdict, report.passed) == ("not verified", False)
    with pytest.raises(AssertionError, match="NOT VERIFIED"):
        report.raise_for_findings()


def test_expected_and_strict() -> None:
    report = check(ROTATED, expect_fail={"exact:dw": "issue 12", "exact:dx": "gone"})
    assert report.passed
    assert ([f.quantity for f in report.expected_failures], report.stale) == (["dw"], ("exact:dx (gone)",))
    assert "expected to fail, and did not: exact:dx (gone)" in str(report)
    strict = check(ROTATED, expect_fail={"exact:dw": "issue 12", "exact:dx": "gone"}, strict=True)
    assert not strict.passed
    assert "strict: expected to fail, and did not: exact:dx (gone)" in str(strict)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"profil": "quick"}, TypeError, "there is no option 'profil'; .*did you mean 'profile'"),
        ({"checks": "exact"}, TypeError, r"checks must be a tuple of ids such as \('exact',\), not 'exact'"),
        ({"profile": "fast"}, ValueError, "profile must be one of quick"),
        ({"expect_fail": {"exakt": "x"}}, ValueError, "did you mean 'exact'"),
    ],
)
def test_options_that_do_not_exist(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        check("numpy", **options)


def test_an_unknown_target() -> None:
    with pytest.raises(backproof.TargetError, match="did you mean 'numpy'"):
        check("numpi")


# ---- objects


@pytest.mark.parametrize(
    ("item", "target", "name"),
    [
        ("numba", "numba", "numba"),
        (Path("a/my_conv.py"), str(Path("a/my_conv.py")), str(Path("a/my_conv.py"))),
        (forward, f"{HERE}:forward", "forward"),
        (Layer, f"{HERE}:Layer", "Layer"),
        (Layer.Inner, f"{HERE}:Layer.Inner", "Layer.Inner"),
        (layer, f"{HERE}:layer", "layer"),
        ((forward, backward), f"{HERE}:forward,backward", "forward,backward"),
        (sys.modules[__name__], HERE, __name__.rpartition(".")[2]),
        (types, str(Path(types.__file__).resolve()), "types"),
        (sys.modules["backproof.contract"], "backproof.contract", "contract"),
        (sys.modules["numpy"], str(Path(sys.modules["numpy"].__file__).resolve()), "numpy"),  # `numpy` is ours
    ],
)
def test_an_object_as_a_target(item: Any, target: str, name: str) -> None:
    assert (target_of(item), label(item)) == (target, name)


@pytest.mark.parametrize("item", [forward, Layer, layer, (forward, backward)])
def test_the_object_is_what_is_verified(item: Any) -> None:
    report = check(item)
    assert report.events[1].origin == HERE
    assert not report.passed
    assert report.findings[0].quantity == "y"


def made() -> Any:
    def forward(x, w):
        return x

    return forward


renamed = made()
renamed.__qualname__ = "forward"


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (lambda x, w: x, "a lambda cannot be imported by another process; write it at the top of a module"),
        (made(), r"made.<locals>.forward is made inside a function"),
        (renamed, r"forward is not what .*test_api has under that name"),
        (Layer(), "this Layer is in no module under a name of its own.*conv = Layer"),
        (functools.partial(forward), "this partial is in no module under a name"),
        (types.ModuleType("made_up"), "the module made_up has no file"),
        ((forward, sys.modules["shutil"].copy), "both must be functions of one module"),
        (3, "3 is no implementation; pass a function"),
        ([1], r"\[1\] is no implementation"),
    ],
)
def test_what_another_process_cannot_import(item: Any, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        check(item)


# ---- the package


def test_what_the_package_names_is_there() -> None:
    for name in backproof.__all__:
        assert getattr(backproof, name).__name__ == name
    assert set(backproof.__all__) <= set(dir(backproof))
    assert set(backproof.__all__) == set(backproof._HOMES)
    with pytest.raises(AttributeError, match="has no attribute 'chekc'"):
        _ = backproof.chekc


def test_check_is_the_function_also_after_the_checks_were_imported() -> None:
    program = "import backproof.checks, backproof; print(backproof.check.__module__, backproof.checks.__name__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["backproof.api", "backproof.checks"]
