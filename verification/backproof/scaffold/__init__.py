"""`backproof init`: a layer whose gradients are left to its author, and the test that verifies it.

The two texts lie beside this module as they are written, but for the name `my_conv`.
"""

from __future__ import annotations

import importlib.util
import keyword
from importlib.resources import files
from pathlib import Path


class ScaffoldError(ValueError):
    """Nothing was written; one message says why and what to do instead."""


def write(file: Path, *, force: bool = False) -> tuple[Path, Path]:
    """Write the implementation `file` and, beside it, its test; return both paths.

    Raises:
        ScaffoldError: `file` is no name for a module, its folder is missing, or it is there and not to be overwritten.
        OSError: The operating system refuses.
    """
    _check_name(file)
    if not file.parent.is_dir():
        raise ScaffoldError(f"there is no folder {file.parent.as_posix()}; make it first")
    test = file.with_name(f"test_{file.name}")
    there = [path.as_posix() for path in (file, test) if path.exists()]
    if there and not force:
        raise ScaffoldError(
            f"{' and '.join(there)} exist{'s' * (len(there) == 1)}; choose another name, or overwrite with --force"
        )
    for path, template in ((file, "my_conv.py.txt"), (test, "test_my_conv.py.txt")):
        text = files(__package__).joinpath(template).read_text(encoding="utf-8")
        path.write_text(text.replace("my_conv", file.stem), encoding="utf-8")
    return file, test


def next_commands(file: Path, test: Path) -> str:
    """What to type next."""
    lines = [
        (f"backproof show {file.as_posix()}", "what is bound to what"),
        (f"backproof check {file.as_posix()}", "forward is verified, the gradients are listed as not verified"),
        (f"python -m pytest {test.as_posix()}", "the same as tests"),
    ]
    width = max(len(command) for command, _ in lines)
    return "\n".join(["next:", *(f"  {command:<{width}}  # {comment}" for command, comment in lines)])


def _check_name(file: Path) -> None:
    """The test imports the file by its name, which must mean this file and no other."""
    name = file.stem
    if file.suffix != ".py" or not _importable(name):
        raise ScaffoldError(f"{file.as_posix()} cannot be imported by a test; choose a name such as my_conv.py")
    found = importlib.util.find_spec(name)
    if found is not None and (found.origin is None or Path(found.origin).resolve() != file.resolve()):
        raise ScaffoldError(f"{name} is the name of another Python module; choose a name such as my_conv.py")


def _importable(name: str) -> bool:
    """Whether a test can import it, and pytest does not take it for a test."""
    return (
        name.isascii() and name.isidentifier() and not keyword.iskeyword(name) and not name.startswith(("test_", "__"))
    )
