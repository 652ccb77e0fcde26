"""Settings and the command line: which of them holds, and `check` without a target; the runner is a stand-in."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from backproof import cli
from backproof.options import RunOptions
from backproof.report.ndjson import read
from backproof.targets.errors import TargetError

EVENTS = list(read(Path(__file__).parent / "recordings" / "passing.ndjson").events)
SETTINGS = """
[tool.backproof]
profile = "quick"
examples = 5
seed = 7
time-limit = 10
report-dir = "out"
strict = true
[tool.backproof.targets.one]
target = "a.py"
ORIENTATION = "convolution"
expect-fail = { "exact:dw" = "issue 12" }
[tool.backproof.targets.two]
target = "b.py:Conv"
"""
ONE = RunOptions(
    "a.py", {"ORIENTATION": "convolution"}, "quick", 5, 7, 10, expect_fail={"exact:dw": "issue 12"}, strict=True
)
TWO = RunOptions("b.py:Conv", {}, "quick", 5, 7, 10, strict=True)


class Command:
    """Runs the command line in a folder of its own; `ends` says with what each target's run ends."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.chdir(folder)
        self.folder, self.monkeypatch, self.capsys = folder, monkeypatch, capsys
        self.options: list[RunOptions] = []
        self.ends: dict[str, int | BaseException] = {}
        module = ModuleType("backproof.runner")
        vars(module).update(run=self.run)
        monkeypatch.setitem(sys.modules, "backproof.runner", module)

    def run(self, options: RunOptions, emit: Callable[[Any], None], progress: Any) -> int:
        self.options.append(options)
        end = self.ends.get(options.target, 0)
        for event in EVENTS[: 1 if isinstance(end, TargetError) else None]:
            emit(event)
        if isinstance(end, BaseException):
            raise end
        return end

    def settings(self, text: str) -> None:
        (self.folder / "pyproject.toml").write_text(text, encoding="utf-8")

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["backproof", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = self.capsys.readouterr()
        return int(end.value.code or 0), out, err


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, monkeypatch, capsys)


def reports(command: Command, folder: str) -> list[str]:
    return sorted(path.name for path in (command.folder / folder).iterdir())


def test_settings_hold_where_the_command_line_says_nothing(command: Command) -> None:
    command.settings(SETTINGS)
    assert command("check", "one")[0] == 0
    assert command.options == [ONE]
    assert reports(command, "out") == ["one.html", "one.ndjson"]
    command("check", "numba")
    assert command.options[1:] == [RunOptions("numba", {}, "quick", 5, 7, 10, strict=True)]


def test_the_command_line_wins(command: Command) -> None:
    command.settings(SETTINGS)
    words = "--profile default --examples 0 --seed 0 --time-limit 2 --report-dir here --no-strict"
    more = (
        "--declare",
        "ORIENTATION=cross-correlation",
        "--expect-fail",
        "exact:dw=other",
        "--expect-fail",
        "pooling=b",
    )
    command("check", "one", *words.split(), *more)
    declared, expected = {"ORIENTATION": "cross-correlation"}, {"exact:dw": "other", "pooling": "b"}
    assert command.options == [RunOptions("a.py", declared, "default", 0, 0, 2, expect_fail=expected)]
    assert reports(command, "here") == ["one.html", "one.ndjson"]
    assert not (command.folder / "out").exists()


def test_without_a_target_all_are_checked(command: Command) -> None:
    command.settings(SETTINGS)
    code, out, _ = command("check")
    assert code == 0
    assert command.options == [ONE, TWO]
    assert [line for line in out.splitlines() if line.startswith("report:")] == [
        "report: out/one.html",
        "report: out/two.html",
    ]


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        (0, 1, 1),
        (1, 0, 1),
        (1, 2, 2),
        (2, 1, 2),
        (TargetError("a.py: no such file"), 1, 2),
        (1, TargetError("b.py: no such file"), 2),
    ],
)
def test_the_worst_exit_status_and_every_target(command: Command, first: Any, second: Any, status: int) -> None:
    command.settings(SETTINGS)
    command.ends = {"a.py": first, "b.py:Conv": second}
    code, _, err = command("check")
    assert code == status
    assert command.options == [ONE, TWO]
    assert err.count("Error: ") == isinstance(first, TargetError) + isinstance(second, TargetError)


def test_an_interrupt_ends_all_of_it(command: Command) -> None:
    command.settings(SETTINGS)
    command.ends = {"a.py": KeyboardInterrupt()}
    assert command("check")[0] == 130
    assert command.options == [ONE]


def test_from_a_folder_below(command: Command) -> None:
    command.settings(SETTINGS)
    (command.folder / "below").mkdir()
    command.monkeypatch.chdir(command.folder / "below")
    command("check")
    assert [options.target for options in command.options] == ["../a.py", "../b.py:Conv"]
    assert reports(command, "out") == ["one.html", "one.ndjson", "two.html", "two.ndjson"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            None,
            "Error: there is no TARGET, and no pyproject.toml here or above has [tool.backproof]; write for example",
        ),
        ("[tool.backproof]\nseed = 1\n", "pyproject.toml names no targets; write for example `backproof check my_conv"),
    ],
)
def test_neither_target_nor_settings(command: Command, settings: str | None, message: str) -> None:
    if settings:
        command.settings(settings)
    code, out, err = command("check")
    assert (code, out) == (2, "")
    assert message in err
    assert '    [tool.backproof.targets.my_conv]\n    target = "my_conv.py"\n' in err


@pytest.mark.parametrize("arguments", [("check",), ("check", "numba"), ("show", "numba")])
def test_settings_that_are_wrong(command: Command, arguments: tuple[str, ...]) -> None:
    command.settings("[tool.backproof]\nprofle = 'quick'\n")
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("Error: pyproject.toml: [tool.backproof] there is no key 'profle'; ")
    assert err.endswith("; did you mean 'profile'?\n")
    assert command.options == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("expect-fail.exct = 'x'", "expected failure 'exct': there is no check 'exct'; did you mean 'exact'?"),
        ("ORIENTATON = 'convolution'", "unknown declaration 'ORIENTATON'; the keys are ORIENTATION, "),
    ],
)
def test_settings_that_mean_nothing(command: Command, line: str, message: str) -> None:
    command.settings(f"[tool.backproof.targets.mine]\n{line}\n")
    code, out, err = command("check")
    assert (code, out) == (2, "")
    assert err.startswith(f"Error: pyproject.toml: [tool.backproof.targets.mine] {message}")
    assert command.options == []


def test_show_knows_them(command: Command) -> None:
    command.settings("[tool.backproof.targets.mine]\ntarget = 'numpy'\nDTYPES = ['float64']\n")
    code, out, err = command("show", "mine", "--json")
    assert (code, err) == (0, "")
    assert '"dtypes": [\n    "float64"\n  ]' in out
    assert '"float32"' in command("show", "mine", "--json", "--declare", "DTYPES=float32")[1]


def test_init(command: Command) -> None:
    code, out, err = command("init")
    assert (code, err) == (0, "")
    assert out.splitlines()[:3] == ["wrote my_conv.py", "wrote test_my_conv.py", "next:"]
    code, out, err = command("init", "my_conv.py")
    assert (code, out) == (2, "")
    assert err == "Error: my_conv.py and test_my_conv.py exist; choose another name, or overwrite with --force\n"
    assert command("init", "--force")[0] == 0


# ---- completion


def complete(command: Command, typed: str) -> list[str]:
    """What bash is told for `backproof TYPED`, as `type,value`."""
    words = ["backproof", *typed.split(" ")]
    command.monkeypatch.setenv("_BACKPROOF_COMPLETE", "bash_complete")
    command.monkeypatch.setenv("COMP_WORDS", " ".join(words))
    command.monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    code, out, err = command()
    assert (code, err) == (0, "")
    return out.split()


def test_targets_are_completed(command: Command) -> None:
    command.settings(SETTINGS)
    for name in ("nice.py", "notes.txt", "code/deep.py"):
        (command.folder / name).parent.mkdir(exist_ok=True)
        (command.folder / name).write_text("", encoding="utf-8")
    assert complete(command, "check n") == ["plain,numba", "plain,numpy", "plain,nice.py"]
    assert complete(command, "show o") == ["plain,one"]
    assert complete(command, "check code/") == ["plain,code/deep.py"]
    assert complete(command, "check co") == ["dir,co"]
    assert {"plain,one", "plain,two", "plain,torch", "plain,nice.py"} <= set(complete(command, "check "))
    command.settings("[tool.backproof\n")
    assert complete(command, "check num") == ["plain,numba", "plain,numpy"], "wrong settings complete nothing"


def test_commands_are_completed(command: Command) -> None:
    assert complete(command, "co") == ["plain,completion"]
    assert complete(command, "check --profile q") == ["plain,quick"]


@pytest.mark.parametrize(
    ("shell", "line"),
    [("bash", "complete -o nosort -F"), ("zsh", "#compdef backproof"), ("fish", "complete --no-files")],
)
def test_the_scripts(command: Command, shell: str, line: str) -> None:
    code, out, _ = command("completion", shell)
    assert code == 0
    assert line in out
    assert "_BACKPROOF_COMPLETE" in out


def test_a_shell_that_is_not_known(command: Command) -> None:
    code, _, err = command("completion", "tcsh")
    assert code == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in err
