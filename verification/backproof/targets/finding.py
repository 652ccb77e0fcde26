"""Find in a loaded module what computes the convolution: functions, a layer class, or an instance.

A module is searched by itself: `forward` and its gradients; else its only pair such as conv_forward, conv_backward;
else its only layer class, which has a forward and a backward method.  Among several, the only one called `conv`.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

from backproof.targets.declarations import nearest
from backproof.targets.errors import TargetError
from backproof.targets.roles import (
    BACKWARD_METHODS,
    CHAIN,
    CONVOLUTIONS,
    FORWARD_METHODS,
    FUNCTIONS,
    GRADIENTS,
    role_of,
)


@dataclass(frozen=True, slots=True)
class Found:
    """`functions` by canonical name, or a `layer`: a class or an instance; `holder` carries the constants.

    `chain`: functions that join layers, by canonical name.
    """

    holder: Any
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    layer: Any = None
    chain: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


def find(module: ModuleType, place: str, attributes: list[str]) -> Found:
    """What `attributes` name: none, one, or the two functions.

    Raises:
        TargetError: there is nothing of the kind; the message says what there is, and what to write.
    """
    if len(attributes) == 2:
        return _pair(module, place, attributes)
    holder: Any = _attribute(module, place, attributes[0]) if attributes else module
    if is_layer(holder):
        return Found(holder, layer=holder, chain=_chain(holder) or _chain(module))
    if inspect.isclass(holder):
        if (function := _autograd_function(holder)) is not None:
            return Found(module, {"forward": function})
        holder = _instance(holder, place)
    functions = {name: getattr(holder, name) for name in FUNCTIONS if callable(getattr(holder, name, None))}
    if attributes and not functions and callable(holder):
        return Found(module, {"forward": holder})
    gradients_only = any(name in functions for name in GRADIENTS) and "forward" not in functions
    if functions and not gradients_only:
        return Found(holder, functions, chain=_chain(holder))
    written = ":".join([place, *attributes])
    if not attributes and (found := _by_itself(module, place)) is not None:
        return replace(found, chain=_chain(module))
    chain = _chain(holder)
    if {"delta", "output_delta"} & set(chain) or isinstance(getattr(holder, "ACTIVATIONS", None), Mapping):
        return Found(holder, chain=chain)
    raise TargetError(_no_forward(holder, written, place))


def _chain(holder: Any) -> dict[str, Callable[..., Any]]:
    return {name: getattr(holder, name) for name in CHAIN if inspect.isroutine(getattr(holder, name, None))}


def _pair(module: ModuleType, place: str, attributes: list[str]) -> Found:
    found = {name: _attribute(module, place, name) for name in attributes}
    for name, function in found.items():
        if not callable(function):
            raise TargetError(f"{place}:{name} is {function!r}, not a function")
    return Found(module, dict(zip(("forward", "backward"), found.values(), strict=True)))


def _by_itself(module: ModuleType, place: str) -> Found | None:
    """The one pair of functions, else the one layer class, of a module without `forward`."""
    public = _public(module)
    functions = [name for name, kind in public.items() if kind == "function"]
    pairs = {name: other for name in functions if (other := _counterpart(name, functions)) is not None}
    classes = [name for name, kind in public.items() if kind == "class" and _usable(getattr(module, name))]
    if (name := _only(list(pairs))) is not None:
        return _pair(module, place, [name, pairs[name]])
    if (name := _only(classes)) is not None:
        return find(module, place, [name])
    if pairs or classes:
        written = [*(f"{place}:{name},{other}" for name, other in pairs.items()), *(f"{place}:{n}" for n in classes)]
        raise TargetError(f"{place} has several layers; name one: {' or '.join(written)}")
    return None


def _counterpart(name: str, functions: list[str]) -> str | None:
    """`conv_backward` of `conv_forward`."""
    for word, other in (("forward", "backward"), ("Forward", "Backward")):
        if word in name and (counterpart := name.replace(word, other)) in functions:
            return counterpart
    return None


def _only(names: list[str]) -> str | None:
    if len(names) == 1:
        return names[0]
    called = [name for name in names if "conv" in name.lower()]
    return called[0] if len(called) == 1 else None


def is_layer(holder: Any) -> bool:
    """Whether something is a layer that keeps its own weights: its forward takes x, and no w."""
    if inspect.ismodule(holder) or inspect.isroutine(holder):
        return False
    kind = holder if inspect.isclass(holder) else type(holder)
    forward = method(kind, FORWARD_METHODS)
    if forward is None or _autograd_function(kind) is not None:
        return False
    if _is_torch(kind, "Module"):
        return True
    return method(kind, BACKWARD_METHODS) is not None and not _takes_weights(getattr(kind, forward))


def method(kind: type, names: tuple[str, ...]) -> str | None:
    """The first of these names that a class has as a method."""
    return next((name for name in names if inspect.isroutine(getattr(kind, name, None))), None)


def _takes_weights(function: Callable[..., Any]) -> bool:
    """A signature that cannot be read may take them: it is declared, as that of a function."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        return True
    return any(role_of(item.name, "forward") == "w" or item.kind is item.VAR_POSITIONAL for item in parameters)


def _usable(kind: type) -> bool:
    return is_layer(kind) or _autograd_function(kind) is not None


def _is_torch(kind: type, name: str) -> bool:
    """Whether a class derives from `torch.nn.Module` or `torch.autograd.Function`; never imports torch."""
    torch = sys.modules.get("torch")
    if torch is None or not inspect.isclass(kind):
        return False
    base = torch.nn.Module if name == "Module" else torch.autograd.Function
    return issubclass(kind, base)


def _autograd_function(kind: type) -> Callable[..., Any] | None:
    """`apply` of a `torch.autograd.Function`, with the signature of its forward."""
    if not _is_torch(kind, "Function"):
        return None
    applied: Any = kind

    def function(*arguments: Any) -> Any:
        return applied.apply(*arguments)

    signature = inspect.signature(applied.forward)
    parameters = list(signature.parameters.values())
    if parameters and parameters[0].name in ("ctx", "context", "self"):
        parameters = parameters[1:]
    # `apply` takes no names and no defaults: everything is passed, in order.
    listed = [item.replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD) for item in parameters]
    function.__signature__ = inspect.Signature(listed)  # type: ignore[attr-defined]
    function.__name__ = f"{kind.__name__}.apply"
    return function


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
