"""`[tool.backproof]` in pyproject.toml: where it is found, what it says, and what it says where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from backproof import options
from backproof.settings import PROFILES, Settings, SettingsError, TargetSettings, read_settings, validated

FULL = """
[tool.backproof]
profile = "quick"
examples = 50
seed = 7
time-limit = 10
report-dir = "out/reports"
strict = true

[tool.backproof.targets.mine]
target = "src/my_conv.py:Conv"
ORIENTATION = "convolution"
declare = { DTYPES = ["float32", "float64"] }
expect-fail = { "exact:dw" = "issue 12" }

[tool.backproof.targets.numpy]
[tool.backproof.targets."conv.py"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with nothing in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")


def test_everything_that_can_be_written(folder: Path) -> None:
    write(folder, FULL)
    mine = TargetSettings(
        "mine",
        "src/my_conv.py:Conv",
        {"ORIENTATION": "convolution", "DTYPES": "float32,float64"},
        {"exact:dw": "issue 12"},
    )
    targets = {"mine": mine, "numpy": TargetSettings("numpy", "numpy"), "conv.py": TargetSettings("conv.py", "conv.py")}
    settings = read_settings(folder)
    assert settings == Settings(
        folder / "pyproject.toml", "quick", 50, 7, 10, Path("out/reports"), strict=True, targets=targets
    )
    assert validated(settings) is settings
    assert settings.find("mine") == mine
    assert settings.find("./conv.py") == targets["conv.py"]
    assert settings.find("numba") == TargetSettings("numba", "numba")


def test_nothing_is_written(folder: Path) -> None:
    assert read_settings(folder) == Settings()
    write(folder, "[project]\nname = 'mine'\n")
    assert read_settings(folder) == Settings()


def test_they_are_found_upward_past_a_file_of_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, FULL)
    write(folder / "package", "[tool.ruff]\n")
    deep = folder / "package" / "deep"
    deep.mkdir()
    monkeypatch.chdir(deep)
    settings = read_settings(Path())
    assert settings.file == folder / "pyproject.toml"
    # Paths are the file's, written as one would write them from here; names are names anywhere.
    assert settings.report_dir == Path("../../out/reports")
    assert settings.find("mine").target == "../../src/my_conv.py:Conv"
    assert settings.find("../../conv.py") == TargetSettings("conv.py", "../../conv.py")
    assert settings.find("conv.py") == TargetSettings("conv.py", "conv.py"), "another file of that name, here"
    assert settings.find("numpy").target == "numpy"


def test_the_nearest_wins_as_a_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, FULL)
    write(folder / "inner", "[tool.backproof]\nseed = 1\n")
    settings = read_settings(folder / "inner")
    assert (settings.seed, settings.profile, settings.targets) == (1, None, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profle = 'quick'", "[tool.backproof] there is no key 'profle'; the keys are profile, examples, seed, "),
        ("profle = 'quick'", "; did you mean 'profile'?"),
        ("time_limit = 3", "; did you mean 'time-limit'?"),
        ("profile = 'quik'", "profile (='quik') must be one of 'quick', 'default', 'thorough', 'nightly'; did you"),
        ("profile = ['quick']", "profile (=['quick']) must be one of"),
        ("examples = 'many'", "examples (='many') must be a whole number of at least 0"),
        ("examples = true", "examples (=True) must be a whole number"),
        ("examples = 1.0", "examples (=1.0) must be a whole number"),
        ("seed = -1", "seed (=-1) must be a whole number of at least 0"),
        ("time-limit = 0", "time-limit (=0) must be a number of seconds above 0"),
        ("time-limit = inf", "time-limit (=inf) must be a number of seconds above 0"),
        ("time-limit = true", "time-limit (=True) must be a number of seconds"),
        ("report-dir = ''", "report-dir (='') must be the path of a folder, as a text"),
        ("report-dir = 3", "report-dir (=3) must be the path"),
        ("strict = 1", "strict (=1) must be true or false"),
        ("targets = 'numba'", "[tool.backproof.targets] (='numba') must be a table of keys and values"),
        ("targets.a = 'a.py'", "[tool.backproof.targets.a] (='a.py') must be a table"),
        ("targets.a.taget = 'a.py'", "[tool.backproof.targets.a] there is no key 'taget'; the keys are target, "),
        ("targets.a.taget = 'a.py'", "; did you mean 'target'?"),
        ("targets.a.target = ''", "[tool.backproof.targets.a] target (='') must be a text such as 'my_conv.py:Conv'"),
        ("targets.a.target = 3", "target (=3) must be a text"),
        ("targets.a.ORIENTATION = 3", "[tool.backproof.targets.a.ORIENTATION] (=3) must be a text"),
        ("targets.a.DTYPES = []", "[tool.backproof.targets.a.DTYPES] (=[]) must be a text"),
        ("targets.a.declare = []", "[tool.backproof.targets.a.declare] (=[]) must be a table"),
        ("targets.a = { DTYPES = 'float32', declare = { DTYPES = 'float64' } }", "DTYPES is declared twice; leave one"),
        ("targets.a.expect-fail = ['exact']", "[tool.backproof.targets.a.expect-fail] (=['exact']) must be a table"),
        ("targets.a.expect-fail.exact = true", "[tool.backproof.targets.a.expect-fail.exact] (=True) must be a text"),
        ("targets.a.ORIENTATON = 'x'", "[tool.backproof.targets.a] unknown declaration 'ORIENTATON'"),
        ("targets.a.ORIENTATION = 'convolutoin'", "[tool.backproof.targets.a] ORIENTATION must be one of"),
        ("targets.a.expect-fail.exct = 'x'", "there is no check 'exct'; did you mean 'exact'?"),
        ("targets.a.expect-fail.'exact:dv' = 'x'", "exact has no quantity 'dv'"),
        ("profile = ", "cannot be read as TOML: Invalid value (at line 2"),
    ],
)
def test_what_is_wrong_is_one_message(folder: Path, text: str, message: str) -> None:
    write(folder, f"[tool.backproof]\n{text}\n")
    with pytest.raises(SettingsError) as error:
        validated(read_settings(folder))
    assert message in str(error.value)
    assert str(error.value).startswith("pyproject.toml")
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("value", ["3", "['a']", "true"])
def test_a_section_that_is_no_table(folder: Path, value: str) -> None:
    write(folder, f"[tool]\nbackproof = {value}\n")
    with pytest.raises(SettingsError, match=r"\[tool.backproof\] \(=.*\) must be a table"):
        read_settings(folder)


def test_a_file_that_is_no_text(folder: Path) -> None:
    (folder / "pyproject.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"pyproject\.toml cannot be read as TOML: "):
        read_settings(folder)


def test_the_profiles_are_those_of_a_run() -> None:
    assert tuple(options.PROFILES) == PROFILES
