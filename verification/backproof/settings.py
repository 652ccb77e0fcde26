"""Settings: `[tool.backproof]` of the nearest pyproject.toml that has it, from a folder upward.

    [tool.backproof]                       # what the options of `backproof check` say; those given there win
    profile = "quick"
    examples = 50
    seed = 7
    time-limit = 10.0
    report-dir = "reports"                 # relative to this file, as is every path
    strict = true
    shapes = ["x=1,3,8,8 w=4,3,3,3 stride=2"]  # of your own, see `cases.shapes`; each target may have more

    [tool.backproof.targets.mine]          # `backproof check mine`; `backproof check` alone checks all targets
    target = "my_conv.py:Conv"             # where it is not given, the name is the target
    ORIENTATION = "convolution"            # or declare = { ORIENTATION = "convolution" }
    expect-fail = { "exact:dw" = "issue 12" }

What is written is read here with the standard library alone, so that a shell can complete names at once; `validated`
asks those who use it whether declarations and expected failures mean something.
"""

from __future__ import annotations

import difflib
import math
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROFILES = ("quick", "default", "thorough", "nightly")  # those of `options`, whose import would take a second to import
SECTION = "tool.backproof"
_TARGET_KEYS = ("target", "declare", "expect-fail", "shapes")


class SettingsError(ValueError):
    """Settings that cannot be used; one message with the file, the key and what to write."""


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """One target: its name, what to load, and what is declared and expected of it (`KEY -> text`)."""

    name: str
    target: str
    declarations: Mapping[str, str] = field(default_factory=dict)
    expect_fail: Mapping[str, str] = field(default_factory=dict)
    shapes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """What is written; None where nothing is.  `file` is None where no pyproject.toml has the section."""

    file: Path | None = None
    profile: str | None = None
    examples: int | None = None
    seed: int | None = None
    time_limit: float | None = None
    report_dir: Path | None = None
    strict: bool | None = None
    shapes: tuple[str, ...] = ()
    targets: Mapping[str, TargetSettings] = field(default_factory=dict)

    def find(self, target: str) -> TargetSettings:
        """The settings of a target given as on the command line; none but itself where there are none."""
        return self.targets.get(_located(target, Path()), TargetSettings(target, target))


def read_settings(folder: Path) -> Settings:
    """The settings that hold in a folder.

    Raises:
        SettingsError: A file that is not TOML, a key that does not exist, or a value of a wrong type.
    """
    for place in (folder.absolute(), *folder.absolute().parents):
        file = place / "pyproject.toml"
        if file.is_file():
            section = _section(file)
            if section is not None:
                return _Reader(file).settings(section)
    return Settings()


def validated(settings: Settings) -> Settings:
    """The same settings, once declarations and expected failures are known to mean something.

    Raises:
        SettingsError: They do not.
    """
    from backproof.expectations import Expectations
    from backproof.options import CHECK_IDS
    from backproof.targets.declarations import read_declarations

    for target in settings.targets.values():
        with _named(settings.file, f"{SECTION}.targets.{target.name}"):
            read_declarations({}, target.declarations)
            Expectations.of(target.expect_fail, CHECK_IDS)
    return settings


@contextmanager
def _named(file: Path | None, table: str) -> Iterator[None]:
    """Errors of others as ours, with file and table."""
    from backproof.targets.errors import TargetError

    try:
        yield
    except (TargetError, ValueError) as error:
        raise SettingsError(f"{_shown(file or Path())}: [{table}] {error}") from error


def _section(file: Path) -> Any:
    try:
        tool = tomllib.loads(file.read_text(encoding="utf-8")).get("tool")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{_shown(file)} cannot be read as TOML: {error}") from error
    return tool.get("backproof") if isinstance(tool, dict) else None


def _shown(path: Path) -> str:
    """A path as one would write it from here."""
    try:
        return Path(os.path.relpath(path)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def _located(target: str, root: Path) -> str:
    """A target whose file is named relative to `root`, as one would write it from here; others as they are."""
    match = re.fullmatch(r"(.+\.py)(:.*)?", target)
    return _shown(root / match[1]) + (match[2] or "") if match else target


class _Reader:
    """Values and keys of one file, or an error that names it."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def settings(self, section: Any) -> Settings:
        table = self.table(SECTION, section)
        self.known(SECTION, table, (*_SCALARS, "shapes", "targets"))
        values = {key: self.scalar(key, value) for key, value in table.items() if key in _SCALARS}
        values["shapes"] = self.shapes(SECTION, table)
        if "report-dir" in values:
            values["report-dir"] = Path(_shown(self.file.parent / values["report-dir"]))
        named = self.table(f"{SECTION}.targets", table.get("targets", {}))
        targets = {_located(name, self.file.parent): self.target(name, value) for name, value in named.items()}
        return Settings(self.file, targets=targets, **{key.replace("-", "_"): value for key, value in values.items()})

    def target(self, name: str, value: Any) -> TargetSettings:
        where = f"{SECTION}.targets.{name}"
        table = self.table(where, value)
        # What is written in capitals can only be a declaration, whose keys are those of `--declare`.
        declared = {key: value for key, value in table.items() if key.isupper()}
        self.known(where, [key for key in table if key not in declared], _TARGET_KEYS)
        nested = self.table(f"{where}.declare", table.get("declare", {}))
        if twice := sorted(declared.keys() & nested.keys()):
            raise self.error(where, f"{twice[0]} is declared twice; leave one of the two out")
        texts = {key: self.text(f"{where}.{key}", value) for key, value in {**nested, **declared}.items()}
        reasons = self.table(f"{where}.expect-fail", table.get("expect-fail", {}))
        expected = {key: self.text(f"{where}.expect-fail.{key}", reason) for key, reason in reasons.items()}
        written = table.get("target", name)
        if not (isinstance(written, str) and written):
            raise self.error(where, f"target (={written!r}) must be a text such as 'my_conv.py:Conv'")
        shapes = self.shapes(where, table)
        return TargetSettings(name, _located(written, self.file.parent), texts, expected, shapes)

    def shapes(self, where: str, table: Mapping[str, Any]) -> tuple[str, ...]:
        """Texts or tables, as texts."""
        items = table.get("shapes", [])
        if not isinstance(items, list):
            raise self.error(where, f"shapes (={items!r}) must be a list of shapes")
        from backproof.cases.shapes import ShapeError, as_text, own_shape

        try:
            return tuple(own_shape(item).text for item in map(as_text, items))
        except ShapeError as error:
            raise self.error(where, str(error)) from error

    def scalar(self, key: str, value: Any) -> Any:
        legal, expected = _SCALARS[key]
        if not legal(value):
            hint = _nearest(value, PROFILES) if key == "profile" else ""
            raise self.error(SECTION, f"{key} (={value!r}) must be {expected}{hint}")
        return value

    def table(self, where: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.error(where, f"(={value!r}) must be a table of keys and values")
        return value

    def text(self, where: str, value: Any) -> str:
        """A text, or several of them joined by commas."""
        texts = value if isinstance(value, list) else [value]
        if not texts or not all(isinstance(text, str) and text for text in texts):
            raise self.error(where, f"(={value!r}) must be a text")
        return ",".join(texts)

    def known(self, where: str, keys: Iterable[str], legal: Iterable[str]) -> None:
        legal = tuple(legal)
        for key in keys:
            if key not in legal:
                raise self.error(
                    where, f"there is no key {key!r}; the keys are {', '.join(legal)}{_nearest(key, legal)}"
                )

    def error(self, where: str, problem: str) -> SettingsError:
        return SettingsError(f"{_shown(self.file)}: [{where}] {problem}")


def _nearest(name: object, known: Iterable[str]) -> str:
    match = difflib.get_close_matches(str(name).replace("_", "-").lower(), list(known), n=1, cutoff=0.5)
    return f"; did you mean {match[0]!r}?" if match else ""


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_seconds(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value > 0


#: Of every key but `targets`, what is legal, in code and in words.
_SCALARS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "profile": (lambda value: value in PROFILES, f"one of {', '.join(map(repr, PROFILES))}"),
    "examples": (_is_count, "a whole number of at least 0"),
    "seed": (_is_count, "a whole number of at least 0"),
    "time-limit": (_is_seconds, "a number of seconds above 0"),
    "report-dir": (lambda value: isinstance(value, str) and value != "", "the path of a folder, as a text"),
    "strict": (lambda value: type(value) is bool, "true or false"),
}
