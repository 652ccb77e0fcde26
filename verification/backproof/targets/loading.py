"""Import what TARGET names (in the worker only).

    numba                              a name registered in the entry-point group `backproof.implementations`
    my_conv.py                         a file
    package.module                     a module that can be imported from here
    my_conv.py:attribute               a module-like object, an instance, a class, or the function `forward`
    my_conv.py:my_forward,my_backward  the two functions

What in a module computes the convolution, `finding` finds.

The folder of a file, and the current folder, can be imported from, as when Python runs the file.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from backproof.targets.blame import describe
from backproof.targets.declarations import nearest
from backproof.targets.errors import TargetError
from backproof.targets.finding import find

GROUP = "backproof.implementations"
_SUFFIX = re.compile(r"(.+):([A-Za-z_][\w.]*(?:\s*,\s*[A-Za-z_][\w.]*)?)")


@dataclass(frozen=True, slots=True)
class Loaded:
    """`functions` by canonical name, or a `layer` (class or instance); `constants`: those in upper case.

    `chain`: delta, output_delta and error, as far as they are there.  `root`: folder of the user's code.
    """

    origin: str
    version: str | None
    root: Path
    functions: Mapping[str, Callable[..., Any]]
    constants: Mapping[str, Any]
    layer: Any = None
    chain: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


def load(target: str) -> Loaded:
    """Import a target and find its functions.

    Raises:
        TargetError: with one message that says what to write instead.
    """
    match = _SUFFIX.fullmatch(target)
    place, attributes = (match[1], re.split(r"\s*,\s*", match[2])) if match else (target, [])
    if place.endswith(".py") or "/" in place or "\\" in place:
        module, origin, version = _load_file(place), place, None
    else:
        module, version = _load_name(place)
        origin = module.__name__
    found = find(module, place, attributes)
    constants = {**_constants(module), **_constants(found.holder)}
    version = getattr(module, "__version__", None) or version
    file = module.__file__
    root = Path(file).resolve().parent if file else Path.cwd()
    return Loaded(origin, version, root, found.functions, constants, found.layer, found.chain)


# ---- the module


def _load_file(place: str) -> ModuleType:
    path = Path(place).resolve()
    if not path.is_file():
        folder = path.parent
        if not folder.is_dir():
            raise TargetError(f"{place}: there is no folder {folder}")
        here = sorted(item.name for item in folder.glob("*.py"))
        raise TargetError(f"{place}: no such file in {folder}{nearest(path.name, here)}")
    # The name that a sibling would import it by, unless that is something else's.
    taken = path.stem in sys.modules or path.stem in sys.stdlib_module_names or not path.stem.isidentifier()
    name = f"target_{path.stem}" if taken else path.stem
    sys.path.insert(0, str(path.parent))
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise TargetError(f"{place} is not a Python file; write for example my_conv.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    with _import_errors(place, path.parent):
        specification.loader.exec_module(module)
    return module


def _load_name(place: str) -> tuple[ModuleType, str | None]:
    """A registered name, else a module."""
    registered = {item.name: item for item in importlib.metadata.entry_points(group=GROUP)}
    if place in registered:
        return _load_registered(registered[place])
    if not all(part.isidentifier() for part in place.split(".")):
        raise _unknown(place, list(registered))
    try:
        with _import_errors(place, Path.cwd()):
            return importlib.import_module(place), _version(place)
    except TargetError as error:
        cause = error.__cause__
        if isinstance(cause, ModuleNotFoundError) and f"{place}.".startswith(f"{cause.name}."):
            raise _unknown(place, list(registered)) from None
        raise


def _load_registered(entry: importlib.metadata.EntryPoint) -> tuple[ModuleType, str | None]:
    """Import a registered module; an entry point names no attribute in this group."""
    distribution = entry.dist
    try:
        module = importlib.import_module(entry.module)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == entry.module.split(".")[0]:
            raise TargetError(f"the registered target {entry.name!r} is broken: {error}") from error
        package = distribution.name if distribution else entry.name
        extras = (distribution.metadata.get_all("Provides-Extra") if distribution else None) or []
        wanted = f"'{package}[{entry.name}]'" if entry.name in extras else str(error.name)
        raise TargetError(
            f"target {entry.name!r} needs {error.name}, which is not installed: pip install {wanted}"
        ) from error
    except Exception as error:
        raise TargetError(f"importing the registered target {entry.name!r} failed: {describe(error)}") from error
    return module, distribution.version if distribution else None


def _unknown(place: str, registered: list[str]) -> TargetError:
    return TargetError(
        f"unknown target {place!r}: no module of that name can be imported from here, and the registered names are "
        f"{', '.join(sorted(registered)) or 'none'}{nearest(place, registered)}; "
        "write a registered name, my_conv.py or package.module"
    )


@contextlib.contextmanager
def _import_errors(place: str, root: Path) -> Iterator[None]:
    """Whatever the target's import raises, `SystemExit` included, as one message with the user's line."""
    try:
        yield
    except (Exception, SystemExit) as error:
        hint = ""
        if isinstance(error, ImportError) and "relative import" in str(error):
            hint = "; a module of a package is written package.module"
        raise TargetError(f"importing {place} failed: {describe(error, root)}{hint}") from error


def _version(place: str) -> str | None:
    try:
        return importlib.metadata.version(place.split(".")[0])
    except importlib.metadata.PackageNotFoundError:
        return None


def _constants(holder: Any) -> dict[str, Any]:
    return {name: getattr(holder, name) for name in dir(holder) if name.isupper() and not name.startswith("_")}
