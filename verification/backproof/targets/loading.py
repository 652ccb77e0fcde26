"""Resolve TARGET to its functions (in the worker only: this imports the target).

    numba                              a name registered in the entry-point group `backproof.implementations`
    my_conv.py                         a file
    package.module                     a module that can be imported from here
    my_conv.py:attribute               a module-like object, an instance, a class, or the function `forward`
    my_conv.py:my_forward,my_backward  the two functions

The folder of a file, and the current folder, can be imported from, as when Python runs the file.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from backproof.targets.blame import describe
from backproof.targets.declarations import nearest
from backproof.targets.errors import TargetError
from backproof.targets.roles import CONVOLUTIONS, FUNCTIONS, GRADIENTS

GROUP = "backproof.implementations"
_SUFFIX = re.compile(r"(.+):([A-Za-z_][\w.]*(?:\s*,\s*[A-Za-z_][\w.]*)?)")


@dataclass(frozen=True, slots=True)
class Loaded:
    """`functions` by canonical name; `constants`: those in upper case; `root`: folder of the user's code."""

    origin: str
    version: str | None
    root: Path
    functions: Mapping[str, Callable[..., Any]]
    constants: Mapping[str, Any]


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
    holder, functions = _find(module, place, attributes)
    constants = {**_constants(module), **_constants(holder)}
    version = getattr(module, "__version__", None) or version
    file = module.__file__
    root = Path(file).resolve().parent if file else Path.cwd()
    return Loaded(origin, version, root, functions, constants)


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


# ---- its functions


def _find(module: ModuleType, place: str, attributes: list[str]) -> tuple[Any, dict[str, Callable[..., Any]]]:
    """The object that carries constants, and functions by canonical name."""
    if len(attributes) == 2:
        names = ("forward", "backward")
        found = {role: _attribute(module, place, name) for role, name in zip(names, attributes, strict=True)}
        for name, function in zip(attributes, found.values(), strict=True):
            if not callable(function):
                raise TargetError(f"{place}:{name} is {function!r}, not a function")
        return module, found
    holder: Any = _attribute(module, place, attributes[0]) if attributes else module
    if inspect.isclass(holder):
        holder = _instance(holder, place)
    functions = {name: getattr(holder, name) for name in FUNCTIONS if callable(getattr(holder, name, None))}
    if attributes and not functions and callable(holder):
        return module, {"forward": holder}
    gradients_only = any(name in functions for name in GRADIENTS) and "forward" not in functions
    if not functions or gradients_only:
        raise TargetError(_no_forward(holder, ":".join([place, *attributes]), place))
    return holder, functions


def _attribute(module: ModuleType, place: str, dotted: str) -> Any:
    value: Any = module
    for name in dotted.split("."):
        if not hasattr(value, name):
            public = [item for item in dir(value) if not item.startswith("_")]
            raise TargetError(f"{place} has no attribute {dotted!r}{nearest(name, public)}")
        value = getattr(value, name)
    return value


def _instance(kind: type, place: str) -> Any:
    if not any(hasattr(kind, name) for name in FUNCTIONS):
        raise TargetError(f"{place}:{kind.__name__} is a class without forward; {_expected()}")
    try:
        return kind()
    except TypeError as error:
        raise TargetError(
            f"{place}:{kind.__name__} cannot be constructed without arguments ({error}); "
            f"pass an instance: write `conv = {kind.__name__}(...)` there and {place}:conv here"
        ) from error


def _no_forward(holder: Any, written: str, place: str) -> str:
    listed = _public(holder)
    functions = [name for name, kind in listed.items() if kind == "function"]
    if len(functions) > 1:
        remedy = f"name two of them: {place}:{functions[0]},{functions[1]}"
    elif functions:
        remedy = f"name it: {place}:{functions[0]}"
    else:
        remedy = _expected()
    shown = ", ".join(f"{name} (class)" if kind == "class" else name for name, kind in listed.items())
    return f"{written} has no function `forward`; it has {shown or 'no public functions'}; {remedy}"


def _expected() -> str:
    return "write forward(x, w, b, *, stride, padding) and " + ", ".join(CONVOLUTIONS[1:])


def _public(holder: Any) -> dict[str, str]:
    """Public functions and classes that the holder itself defines, in order."""
    home = getattr(holder, "__name__", None) if inspect.ismodule(holder) else None
    found: dict[str, str] = {}
    for name, value in vars(holder).items() if hasattr(holder, "__dict__") else ():
        foreign = home is not None and getattr(value, "__module__", home) != home
        if not name.startswith("_") and callable(value) and not foreign:
            found[name] = "class" if inspect.isclass(value) else "function"
    return found


def _constants(holder: Any) -> dict[str, Any]:
    return {name: getattr(holder, name) for name in dir(holder) if name.isupper() and not name.startswith("_")}
