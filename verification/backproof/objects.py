"""A live Python object as a TARGET that another process can import: `my_conv.py:Conv`.

A target runs in a process of its own, which imports it again.  So an object must be found under a name in a module: a
module itself, a function or class at the top of one, an instance that a module's name refers to, or a pair
`(forward, backward)` of functions of one module.
"""

from __future__ import annotations

import importlib.machinery
import importlib.metadata
import inspect
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from backproof.targets.errors import TargetError
from backproof.targets.loading import GROUP

_REMEDY = "write it at the top of a module, and pass it, its module, or a text such as 'my_conv.py:forward'"


def target_of(item: Any) -> str:
    """The TARGET of an object; text and paths stand for themselves.

    Raises:
        TargetError: Another process could not import it; the message says what to pass instead.
    """
    if isinstance(item, str | os.PathLike):
        return os.fspath(item)
    if inspect.ismodule(item):
        return _place(item)
    if isinstance(item, tuple) and len(item) == 2 and all(map(callable, item)):
        return _pair(*item)
    if inspect.isclass(item) or hasattr(item, "__qualname__"):
        module, name = _named(item)
    else:
        module, name = _held(item)
    return f"{_place(module)}:{name}"


def label(item: Any) -> str:
    """A short name, for the ids of tests."""
    if isinstance(item, str | os.PathLike):
        return os.fspath(item)
    if isinstance(item, tuple):
        return ",".join(map(label, item))
    if inspect.ismodule(item):
        return item.__name__.rpartition(".")[2]
    return str(getattr(item, "__qualname__", None) or target_of(item).rpartition(":")[2])


def _pair(forward: Any, backward: Any) -> str:
    first, second = target_of(forward), target_of(backward)
    place, _, name = first.rpartition(":")
    other, _, backward_name = second.rpartition(":")
    if place != other:
        raise TargetError(f"forward is {first} and backward is {second}; both must be functions of one module")
    return f"{place}:{name},{backward_name}"


def _named(item: Any) -> tuple[ModuleType, str]:
    """The module and the name of a function or a class, where it is really found under that name."""
    name = item.__qualname__
    module = sys.modules.get(getattr(item, "__module__", None) or "")
    if "<lambda>" in name:
        raise TargetError(f"a lambda cannot be imported by another process; {_REMEDY}")
    if "<locals>" in name:
        raise TargetError(f"{name} is made inside a function, and cannot be imported by another process; {_REMEDY}")
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if module is None or found is not item:
        raise TargetError(f"{name} is not what {item.__module__} has under that name; {_REMEDY}")
    return module, name


def _held(item: Any) -> tuple[ModuleType, str]:
    """The module and the name that refer to an instance: first where its class is, then anywhere."""
    kind, home = type(item).__name__, sys.modules.get(type(item).__module__)
    if type(item).__module__ == "builtins":
        raise TargetError(
            f"{item!r} is no implementation; pass a function, a class, an instance or a module, or a text"
        )
    for module in dict.fromkeys([home, *sys.modules.values()]):
        if isinstance(module, ModuleType) and getattr(module, "__file__", None):
            for name, value in list(vars(module).items()):
                if value is item and name.isidentifier():
                    return module, name
    raise TargetError(
        f"this {kind} is in no module under a name of its own, so another process cannot import it; "
        f"write `conv = {kind}(...)` at the top of a module and pass that, or pass the class"
    )


def _place(module: ModuleType) -> str:
    """A module within a package by its name, which its relative imports need; another by its file."""
    name, file = module.__name__, getattr(module, "__file__", None)
    within = "." in name or hasattr(module, "__path__") or not str(file).endswith(".py")
    registered = {item.name for item in importlib.metadata.entry_points(group=GROUP)}
    if within and name not in registered and _finds(name, file):
        return name
    if file and file.endswith(".py"):
        return str(Path(file).resolve())
    raise TargetError(f"the module {name} has no file that another process could import; {_REMEDY}")


def _finds(name: str, file: str | None) -> bool:
    """Whether regular packages lead to `file` by this name, asked of the path and not of what is imported already."""
    parts = name.split(".")
    path, origin = None, None
    for end in range(1, len(parts) + 1):
        try:
            found = importlib.machinery.PathFinder.find_spec(".".join(parts[:end]), path)
        except (ImportError, ValueError):
            return False
        if found is None or found.origin is None:
            return False
        path, origin = list(found.submodule_search_locations or ()), found.origin
    return bool(file and origin and os.path.samefile(origin, file))
