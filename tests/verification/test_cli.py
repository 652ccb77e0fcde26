"""The command line: what it hands to the runner, what it writes, and its exit status; the runner is a stand-in."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from backproof import cli
from backproof.events import Event, TargetBound
from backproof.options import CHECK_IDS, RunOptions
from backproof.report.ndjson import read
from backproof.targets.errors import TargetError

RECORDINGS = Path(__file__).parent / "recordings"
Run = Callable[[RunOptions, Callable[[Event], None], Callable[[str, int, int], None]], int]


def recording(name: str) -> list[Event]:
    return list(read(RECORDINGS / f"{name}.ndjson").events)


class Command:
    """Runs the command line in a folder of its own, with a runner that replays `events`."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.chdir(folder)
        self.folder, self.monkeypatch, self.capsys = folder, monkeypatch, capsys
        self.options: RunOptions | None = None

    def replay(self, name: str, status: int) -> None:
        def run(options: RunOptions, emit: Any, progress: Any) -> int:
            for event in recording(name):
                emit(event)
                progress("gradients", 1, 2)
            return status

        self.runner(run)

    def runner(self, run: Run) -> None:
        def remember(options: RunOptions, emit: Any, progress: Any) -> int:
            self.options = options
            return run(options, emit, progress)

        module = ModuleType("backproof.runner")
        vars(module).update(run=remember)
        self.monkeypatch.setitem(sys.modules, "backproof.runner", module)

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["backproof", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = self.capsys.readouterr()
        return int(end.value.code or 0), out, err


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, monkeypatch, capsys)


# ---- check


@pytest.mark.parametrize(
    ("name", "status", "word"),
    [("passing", 0, "PASSED"), ("failing", 1, "FAILED"), ("nothing-verified", 2, "NOT VERIFIED")],
)
def test_check_records_reports_and_says_so(command: Command, name: str, status: int, word: str) -> None:
    command.replay(name, status)
    code, out, err = command("check", "my_conv.py:Net")
    assert (code, err) == (status, "")
    assert out.splitlines()[-1] == "report: reports/my_conv-Net.html"
    assert out.splitlines()[-2].startswith(f"{word}: ")
    written = command.folder / "reports"
    assert list(read(written / "my_conv-Net.ndjson").events) == recording(name)
    assert f"<title>{word}: " in (written / "my_conv-Net.html").read_text(encoding="utf-8")


def test_check_hands_over_what_was_asked_for(command: Command) -> None:
    command.replay("passing", 0)
    command("check", "numba")
    assert command.options == RunOptions("numba")
    options = (
        "--declare A=1 --declare B=x=y --profile quick --examples 0 --seed 7 --time-limit 2.5 --check exact -q --strict"
    )
    expected = ("--expect-fail", "exact:dw=issue 12", "--expect-fail", "pooling=a = b")
    command("check", "numba", *options.split(), "--check", "pooling", *expected)
    assert command.options == RunOptions(
        "numba",
        {"A": "1", "B": "x=y"},
        "quick",
        0,
        7,
        time_limit=2.5,
        checks=("exact", "pooling"),
        expect_fail={"exact:dw": "issue 12", "pooling": "a = b"},
        strict=True,
    )


def test_check_quietly_and_elsewhere(command: Command) -> None:
    command.replay("passing", 0)
    code, out, _ = command("check", "numba", "-q", "--report-dir", "a/b")
    assert code == 0
    assert [line.partition(":")[0] for line in out.splitlines()] == ["", "PASSED", "report"]
    assert sorted(path.name for path in (command.folder / "a/b").iterdir()) == ["numba.html", "numba.ndjson"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--declare", "FOO"], "'FOO' is not KEY=VALUE; write for example ORIENTATION=cross-correlation"),
        (["--declare", "=1"], "'=1' is not KEY=VALUE"),
        (["--declare", "A="], "'A=' is not KEY=VALUE"),
        (["--declare", "A=1", "--declare", "A=2"], "A is given twice: '1' and '2'"),
        (["--check", "exct"], "there is no check 'exct'; did you mean exact?"),
        (["--check", "zzz"], "there is no check 'zzz'; the checks are " + ", ".join(CHECK_IDS)),
        (
            ["--expect-fail", "exact"],
            "'exact' is not CHECK=REASON or CHECK:QUANTITY=REASON; write for example exact:dw=",
        ),
        (["--expect-fail", "exact="], "'exact=' is not CHECK=REASON"),
        (["--expect-fail", "exct=why"], "expected failure 'exct': there is no check 'exct'; did you mean 'exact'?"),
        (["--expect-fail", "exact:dv=why"], "expected failure 'exact:dv': exact has no quantity 'dv'"),
        (["--expect-fail", "exact=a", "--expect-fail", "exact=b"], "exact is given twice: 'a' and 'b'"),
        (["--profile", "fast"], "'fast' is not one of 'quick', 'default', 'thorough', 'nightly'"),
        (["--examples", "-1"], "-1 is not in the range x>=0"),
        (["--examples", "many"], "'many' is not a valid integer range"),
        (["--seed", "-1"], "-1 is not in the range x>=0"),
        (["--time-limit", "0"], "0.0 is not a number of seconds above 0"),
        (["--time-limit", "nan"], "nan is not a number of seconds above 0"),
        (["--time-limit", "inf"], "inf is not a number of seconds above 0"),
        (
            ["--report-dir", "occupied"],
            "cannot write to occupied; choose another folder with --report-dir (File ",
        ),
        (["--colour"], "No such option"),
    ],
)
def test_wrong_arguments(command: Command, arguments: list[str], message: str) -> None:
    (command.folder / "occupied").write_text("", encoding="utf-8")
    command.replay("passing", 0)
    code, out, err = command("check", "numba", *arguments)
    assert code == 2
    assert message in err
    assert "Traceback" not in out + err
    assert command.options is None
    assert [path.name for path in command.folder.iterdir()] == ["occupied"]


def test_a_target_that_cannot_be_used_keeps_the_last_recording(command: Command) -> None:
    command.replay("passing", 0)
    command("check", "numba")
    before = {path.name: path.read_bytes() for path in (command.folder / "reports").iterdir()}

    def run(options: RunOptions, emit: Any, progress: Any) -> int:
        emit(recording("failing")[0])
        raise TargetError("numba: it has no forward; write one")

    command.runner(run)
    code, out, err = command("check", "numba")
    assert (code, out, err) == (2, "", "Error: numba: it has no forward; write one\n")
    assert {path.name: path.read_bytes() for path in (command.folder / "reports").iterdir()} == before


def test_an_interrupted_run_keeps_what_it_found(command: Command) -> None:
    events = recording("interrupted")

    def run(options: RunOptions, emit: Any, progress: Any) -> int:
        for event in events:
            emit(event)
        raise KeyboardInterrupt

    command.runner(run)
    code, out, _ = command("check", "my_conv.py")
    assert code == 130
    assert "FINDING 1  [gradients] dw is the specification's rotated by 180 degrees" in out
    assert out.splitlines()[-2].startswith("INTERRUPTED: my_conv.py")
    assert out.splitlines()[-1] == "report: reports/my_conv.html"
    written = command.folder / "reports"
    assert list(read(written / "my_conv.ndjson").events) == events
    assert "<title>INTERRUPTED: " in (written / "my_conv.html").read_text(encoding="utf-8")


def test_interrupted_before_anything_was_found(command: Command) -> None:
    def run(options: RunOptions, emit: Any, progress: Any) -> int:
        raise KeyboardInterrupt

    command.runner(run)
    code, out, _ = command("check", "my_conv.py")
    assert code == 130
    assert "report:" not in out
    assert list((command.folder / "reports").iterdir()) == []


def test_events_are_on_disk_while_it_runs(command: Command) -> None:
    path = command.folder / "reports" / "numba.ndjson"
    seen = []

    def run(options: RunOptions, emit: Any, progress: Any) -> int:
        for event in recording("passing"):
            emit(event)
            seen.append(len(path.read_text(encoding="utf-8").splitlines()))
        return 0

    command.runner(run)
    command("check", "numba")
    assert seen == [0, 2, 3, 4, 5, 6, 7]


def test_a_mistake_of_ours_is_not_taken_for_a_finding(command: Command) -> None:
    def run(options: RunOptions, emit: Any, progress: Any) -> int:
        for event in recording("interrupted"):
            emit(event)
        raise ZeroDivisionError("ours")

    command.runner(run)
    code, out, err = command("check", "numba")
    assert code == 2
    assert "ZeroDivisionError: ours" in err
    assert err.splitlines()[-1].startswith("backproof: this is a mistake in backproof")
    assert "report: reports/numba.html" in out


# ---- report


def test_report_renders_again(command: Command) -> None:
    source = RECORDINGS / "failing.ndjson"
    (command.folder / "run.ndjson").write_bytes(source.read_bytes())
    assert command("report", "run.ndjson") == (0, "report: run.html\n", "")
    assert command("report", str(source), "-o", "other.html") == (0, "report: other.html\n", "")
    assert (command.folder / "run.html").read_bytes() == (command.folder / "other.html").read_bytes()
    assert b"FAILED" in (command.folder / "run.html").read_bytes()


def test_report_of_a_recording_that_is_cut_off(command: Command) -> None:
    text = (RECORDINGS / "failing.ndjson").read_bytes()
    (command.folder / "run.ndjson").write_bytes(text[:-30])
    code, out, err = command("report", "run.ndjson")
    assert (code, out) == (0, "report: run.html\n")
    assert err == "note: line 11 is cut off and left out: the run was ended while writing it\n"
    assert "Note: line 11 is cut off" in (command.folder / "run.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.ndjson"], "'gone.ndjson' does not exist"),
        (["."], "'.' is a directory"),
        (["code.py"], "code.py is not a recording of a run: line 1: not an event: 'import numpy'"),
        (["run.ndjson", "-o", "run.ndjson"], "run.ndjson is the recording itself; write the page elsewhere"),
        (["run.ndjson", "-o", "no/folder.html"], "cannot write no/folder.html (No such file or directory)"),
    ],
)
def test_report_errors(command: Command, arguments: list[str], message: str) -> None:
    (command.folder / "code.py").write_text("import numpy\n", encoding="utf-8")
    (command.folder / "run.ndjson").write_bytes((RECORDINGS / "failing.ndjson").read_bytes())
    code, out, err = command("report", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


# ---- all of it


def test_exit_status_of_an_unknown_command(command: Command) -> None:
    code, _, err = command("chek", "numba")
    assert code == 2
    assert "No such command 'chek'" in err


def test_version(command: Command) -> None:
    code, out, _ = command("--version")
    assert code == 0
    assert out.startswith("backproof, version ")


def test_help_tells_the_exit_status(command: Command) -> None:
    for arguments in (["--help"], ["check", "-h"]):
        code, out, _ = command(*arguments)
        assert code == 0
        assert "  1    findings\n" in out
        assert "  130  interrupted" in out


def test_with_the_runner_itself(command: Command) -> None:
    command.monkeypatch.setenv("BACKPROOF_CACHE_DIR", str(command.folder / "cache"))
    code, out, _ = command("check", "numpy", "--profile", "quick", "--seed", "1", "--check", "finite-differences")
    assert code == 0, out
    events = read(command.folder / "reports/numpy.ndjson").events
    assert any(isinstance(event, TargetBound) for event in events)
    assert "PASSED: numpy" in out
