"""Shapes on their way in (command line, file, settings, pytest) and out (terminal, page, sentences)."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from backproof import cli
from backproof.api import VerificationError
from backproof.contract import Geometry
from backproof.events import CheckFinished, Event, RunFinished, RunStarted, read_events
from backproof.options import RunOptions
from backproof.report import words
from backproof.report.html import render
from backproof.report.summary import Run
from backproof.report.terminal import Terminal
from backproof.settings import SettingsError, read_settings
from backproof.testing import CheckOfTarget

ONE, TWO, THREE = "x=1,3,8,8 w=4,3,3,3 stride=2", "x=1,1,4,4 w=1,1,3,3", "x=2,4,5,5 w=2,2,3,3 groups=2"
TABLE = f"""
[tool.backproof]
shapes = ["{ONE}"]
[tool.backproof.targets.mine]
target = "mine.py"
shapes = [{{x = [1, 1, 4, 4], w = [1, 1, 3, 3]}}]
"""


# ---- in


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Result, list[RunOptions]]]:
    """`asked(arguments...)`: what `backproof check` says, and what it would run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "layers.toml").write_text(f"shapes = ['{TWO}', '{THREE}']")
    (tmp_path / "wrong.toml").write_text("shapes = ['x=1,1,4,4']")

    def asked(*arguments: str) -> tuple[Result, list[RunOptions]]:
        options: list[RunOptions] = []
        monkeypatch.setattr(cli, "verify", lambda given, *_: options.append(given) or 0)
        return CliRunner().invoke(cli.cli, ["check", *arguments]), options

    return asked


def test_on_the_command_line_and_in_a_file(asked) -> None:
    _, (options,) = asked("numba", "--shape", ONE, "--shapes", "layers.toml")
    assert (options.shapes, options.checks) == ((ONE, TWO, THREE), ())
    _, (options,) = asked("numba", "--shape", ONE, "--only-shapes")
    assert (options.shapes, options.checks) == ((ONE,), ("shapes",))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shape", "x=1,1,4,4"], "shape 'x=1,1,4,4': w is missing; write w=O,C/groups,kh,kw"),
        (["--shape", f"{TWO} stride=a"], "stride=a must be one number or two, in whole numbers"),
        (["--shapes", "wrong.toml"], "wrong.toml: shape 'x=1,1,4,4': w is missing"),
        (["--shapes", "none.toml"], "File 'none.toml' does not exist"),
        (["--only-shapes"], "there is no shape to verify; write one, such as --shape 'x=1,3,8,8 w=4,3,3,3"),
        (["--check", "shapes"], "there is no shape to verify"),
    ],
)
def test_what_cannot_be_asked(asked, arguments: list[str], message: str) -> None:
    result, options = asked("numba", *arguments)
    assert (result.exit_code, options) == (2, [])
    assert message in " ".join(result.output.replace("│", "").split())


def test_in_settings_for_all_targets_and_for_one(asked, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(TABLE)
    settings = read_settings(tmp_path)
    assert (settings.shapes, settings.targets["mine"].shapes) == ((ONE,), ("x=1,1,4,4 w=1,1,3,3",))
    assert asked("mine")[1][0].shapes == (ONE, "x=1,1,4,4 w=1,1,3,3")
    assert asked("numba")[1][0].shapes == (ONE,)
    assert asked("mine", "--shape", THREE)[1][0].shapes == (THREE,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("shapes = 'x'", r"\[tool.backproof\] shapes \(='x'\) must be a list of shapes"),
        ("shapes = ['x=1']", r"\[tool.backproof\] shape 'x=1': x=1 must be N,C,H,W"),
        ("shapes = [1]", r"\[tool.backproof\] 1 is no shape; write for example"),
        ("[tool.backproof.targets.a]\nshapes = ['x=1']", r"\[tool.backproof.targets.a\] shape 'x=1': x=1 must be"),
    ],
)
def test_settings_that_cannot_be_used(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.backproof]\n{text}\n")
    with pytest.raises(SettingsError, match=rf"pyproject.toml: {problem}"):
        read_settings(tmp_path)


def test_in_pytest(pytester_free: Callable[..., str]) -> None:
    shown = pytester_free("--backproof=numpy", f"--backproof-shape={TWO}", "--collect-only", "-q")
    assert "backproof::numpy::shapes" in shown


def test_in_a_test_a_shape_that_was_not_verified_fails() -> None:
    right = Path(__file__).parent / "wrong" / "right.py"
    with pytest.raises(VerificationError, match=r"^shape x=1,4,5,5 w=2,2,2,2: not verified: forward has no parameter"):
        CheckOfTarget("shapes", {"shapes": ["x=1,4,5,5 w=2,2,2,2"], "seed": 1})(right)


@pytest.fixture
def pytester_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """pytest in an empty folder, in a process of its own: what it prints."""
    import subprocess
    import sys

    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        return done.stdout + done.stderr

    return run


# ---- out


def record(**changes: Any) -> dict[str, Any]:
    done = {
        "shape": ONE,
        "geometry": Geometry(1, 3, 4, (8, 8), (3, 3), (2, 2)).as_dict(),
        "dtypes": ["float32", "float64"],
        "products": 972,
        "verdict": "passed",
        "method": "draws",
        "calls": 1063,
        "log2_missed": {"y": -45.04, "dx": -42.1},
        "log2_layouts": {"y": -44.0, "dx": -5.0},
        "log2_linear": 0.0,
        "reason": "no proof: too many",
    }
    return {**done, **changes}


UNSEEN = "chance that a bilinear error went unseen: at most 2^-42.1"
GIVEN = "given linearity, tested with a chance of error of at most 2^-41.0"
SAID = [
    (
        record(),
        f"entry by entry, 1,063 calls; {UNSEEN}, 0.04 in other memory layouts",
        "Every entry was compared, on as many independent random examples",
    ),
    (
        record(method="projection", log2_layouts={}),
        f"by random projection, 1,063 calls; {UNSEEN}",
        "by random projection in the integers modulo 2^64",
    ),
    (
        record(method="proof", log2_linear=-41.0, reason=""),
        f"proved by every pair of entries, 1,063 calls; {GIVEN}",
        "Proved for this shape: each product of two entries was asked for by itself",
    ),
    (
        record(log2_missed={}, log2_layouts={}),
        "entry by entry, 1,063 calls; no bound, for what was rounded may hide a difference",
        "Every entry was compared",
    ),
    (record(verdict="failed"), "differs from the specification; 1,063 calls", "Here it differs from"),
    (
        record(verdict="not verified", method="none", calls=0, reason="no such option"),
        "not verified: no such option",
        "It was not verified here. This is no pass.",
    ),
]


@pytest.mark.parametrize(("shape", "short", "long"), SAID)
def test_what_is_said_of_a_shape(shape: dict[str, Any], short: str, long: str) -> None:
    events = with_shapes([shape])
    assert words.shape(shape) == short
    assert long in words.shape_statement(shape)
    assert f"your shapes:\n  - {ONE}: {short}\n" in shown(events)
    page = render(Run.of(events))
    assert '<section id="shapes">' in page
    assert long in page
    assert f"<code>{ONE}</code>" in page


def test_without_shapes_nothing_is_said_of_them() -> None:
    assert "your shapes" not in shown(with_shapes([]))
    assert "Your shapes" not in render(Run.of(with_shapes([])))


def test_a_shape_that_was_not_verified_is_in_the_verdict() -> None:
    events = with_shapes([record(), record(verdict="not verified")])
    events[-1] = replace(events[-1], verdict="not verified", exit_status=2)
    statement = words.statement(Run.of(events))
    assert "has no findings in" in statement
    assert statement.endswith("but 1 of your 2 shapes could not be verified. This is no pass.")


def test_the_run_is_repeated_with_its_shapes() -> None:
    events = with_shapes([record()])
    events[0] = replace(events[0], shapes=[ONE])
    assert f"--shape '{ONE}'" in words.command(Run.of(events))


@pytest.mark.parametrize(
    ("log2", "text"),
    [(0, "1"), (-0.415, "0.76"), (-2.25, "0.22"), (-5.99, "0.02"), (-6.01, "2^-6.0"), (-42, "2^-42.0")],
)
def test_a_bound_is_rounded_up(log2: float, text: str) -> None:
    assert words.chance(log2) == text


def with_shapes(shapes: list[dict[str, Any]]) -> list[Any]:
    """A recording whose first check had these shapes."""
    path = Path(__file__).parent / "recordings" / "passing.ndjson"
    events: list[Event] = list(read_events(path.read_text(encoding="utf-8").splitlines()))
    number = next(k for k, event in enumerate(events) if isinstance(event, CheckFinished))
    events[number] = replace(events[number], shapes=shapes)
    assert (type(events[0]), type(events[-1])) == (RunStarted, RunFinished)
    return events


def shown(events: list[Any]) -> str:
    out = io.StringIO()
    with Terminal(Console(file=out, width=60, highlight=False, markup=False, emoji=False)) as terminal:
        for event in events:
            terminal.handle(event)
    return out.getvalue()
