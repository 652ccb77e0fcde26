"""Read a loaded target's signatures and declarations into a `Binding` (in the worker)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from backproof.contract import PADDING_MODES
from backproof.targets.binding import Binding, BoundFunction, BoundParameter, not_bound
from backproof.targets.declarations import Declarations, nearest
from backproof.targets.errors import TargetError
from backproof.targets.forms import FULLEST, Form, form_of
from backproof.targets.layouts import LAYOUTS
from backproof.targets.roles import METHODS, SYNONYMS, described, legal_roles, role_of

Bias: TypeAlias = Literal["always", "optional", "never"]

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_EXAMPLES = {
    "stride": "1 or (1, 1)",
    "padding": "0, (0, 0) or ((0, 0), (0, 0))",
    "dilation": "1 or (1, 1)",
    "kernel_size": "2 or (2, 2)",
    "groups": "1",
    "padding_mode": '"zeros"',
    "orientation": '"convolution"',
    "ceil_mode": "False",
    "count_include_pad": "True",
}


def bind(
    functions: Mapping[str, Callable[..., Any]],
    declared: Declarations,
    *,
    name: str,
    origin: str,
    version: str | None,
) -> Binding:
    """The binding of functions by canonical name.

    Raises:
        TargetError: a signature that cannot be read, or that lacks or has one parameter too many.
    """
    bound = {role: bind_function(role, function, declared) for role, function in functions.items()}
    return binding(bound, declared, name=name, origin=origin, version=version)


def binding(
    bound: Mapping[str, BoundFunction],
    declared: Declarations,
    *,
    name: str,
    origin: str,
    version: str | None,
    bias: Bias | None = None,
) -> Binding:
    """The binding of functions whose parameters have found their roles; `bias` where forward does not show it."""
    if declared.pooling.divisor == "valid":
        bound = {role: replace(item, counts_padding=False) for role, item in bound.items()}
    forward = bound.get("forward")
    options = forward.options if forward else {}
    bias = bias or bias_of(forward)
    return Binding(
        name=name,
        origin=origin,
        version=declared.version or version,
        functions=tuple(bound.values()),
        options=tuple(options.items()),
        bias=bias,
        dtypes=declared.dtypes,
        orientation=declared.orientation,
        padding_modes=PADDING_MODES if "padding_mode" in options else PADDING_MODES[:1],
        layouts=tuple(layout for layout in LAYOUTS if layout not in declared.layouts_excluded),
        algorithm=declared.algorithm,
        error_growth=declared.error_growth,
        flushes_subnormals=declared.flushes_subnormals,
        thread_safe=declared.thread_safe,
        specification=declared.specification,
        pooling=declared.pooling,
        at_kink=declared.activation_at_kink,
        expected_failures=tuple(declared.expected_failures.items()),
        known_defects=tuple((item.name, item.summary, item.script) for item in declared.known_defects),
        not_bound=not_bound(bound, bias),
    )


def bias_of(forward: BoundFunction | None) -> Bias:
    """Whether forward always takes a bias: where it has no default."""
    required = next((item.required for item in forward.parameters if item.role == "b"), None) if forward else None
    return "never" if required is None else "always" if required else "optional"


def bind_function(role: str, function: Callable[..., Any], declared: Declarations) -> BoundFunction:
    """Bind each parameter of one function to its role.

    Raises:
        TargetError: as `bind`.
    """
    signature = declared.signature.get(role) or _read(role, function)
    display = f"{getattr(function, '__name__', role)}{_bare(signature)}"
    return bind_signature(role, signature, display)


def bind_signature(role: str, signature: inspect.Signature, display: str) -> BoundFunction:
    """Bind each parameter of a signature to its role; `role` may also be a method of a layer class.

    Raises:
        TargetError: as `bind`.
    """
    bound: list[BoundParameter] = []
    by_name = False  # behind a parameter that is left to its default, all are passed by name
    for item in signature.parameters.values():
        parameter = _bind_parameter(role, item, display, by_name)
        if parameter is None:
            by_name = True
        else:
            bound.append(parameter)
    after_forward = any(item.role == "cache" for item in bound)
    # a cache stands for x and w
    needs = ("dy",) if after_forward else described(role).needed([item.role for item in bound])
    _complete(role, display, bound, needs)
    return BoundFunction(role, display, tuple(bound), after_forward)


def _read(role: str, function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except (ValueError, TypeError) as error:
        raise TargetError(f"the signature of {role} cannot be read ({error}); {_remedy(role)}") from error


def _bare(signature: inspect.Signature) -> inspect.Signature:
    """Without annotations, which say nothing about roles."""
    empty = inspect.Parameter.empty
    parameters = [item.replace(annotation=empty) for item in signature.parameters.values()]
    return signature.replace(parameters=parameters, return_annotation=empty)


def _remedy(role: str) -> str:
    """What to write where a signature does not say enough."""
    if role in METHODS:
        return "give it a default"
    if role == "forward":
        return 'declare what it takes, in order: SIGNATURE = "x, w, b, stride, padding"'
    names = ", ".join((*described(role).needs, *(("stride", "padding") if described(role).matters else ())))
    return f'declare what it takes, in order: SIGNATURE = {{"{role}": "{names}"}}'


def _bind_parameter(role: str, item: inspect.Parameter, display: str, by_name: bool) -> BoundParameter | None:
    """None for a parameter that keeps its default."""
    if item.kind is inspect.Parameter.VAR_POSITIONAL:
        raise TargetError(f"{display}: *{item.name} hides what {role} takes; {_remedy(role)}")
    if item.kind is inspect.Parameter.VAR_KEYWORD:
        return None
    required = item.default is inspect.Parameter.empty
    meant = role_of(item.name, role)
    if meant is None or (by_name and item.kind is inspect.Parameter.POSITIONAL_ONLY):
        if not required:
            return None
        raise TargetError(
            f"{display}: {role} requires {item.name!r}, which is no name of {_legal(role)}"
            f"{nearest(item.name, _spellings(role))}; rename it, or {_remedy(role)}"
        )
    if meant in ("dictionary", "cache") and not required and not isinstance(item.default, dict):
        return None
    if role in METHODS and item.default in ("valid", "VALID"):
        return None  # the name of no padding
    form = _form(role, item, meant, display) if meant in FULLEST else None
    keyword = by_name or item.kind not in _POSITIONAL
    return BoundParameter(item.name, meant, form, keyword, required)


def _legal(role: str) -> str:
    return ", ".join(meant for meant in legal_roles(role) if meant not in ("dictionary", "cache"))


def _spellings(role: str) -> list[str]:
    return [name for meant in legal_roles(role) for name in SYNONYMS[meant]]


def _form(role: str, item: inspect.Parameter, option: str, display: str) -> Form:
    given = () if item.default is inspect.Parameter.empty else (item.default,)
    form = form_of(option, *given)
    if form is None:
        raise TargetError(
            f"{display}: the default of {item.name} shows no form of {option} that is known; "
            f"write {_EXAMPLES[option]}, or {_remedy(role)}"
        )
    return form


def _complete(role: str, display: str, bound: list[BoundParameter], needs: tuple[str, ...]) -> None:
    """Every role that the function needs, and none twice."""
    found = [item.role for item in bound]
    for needed in needs:
        if needed not in found:
            names = ", ".join(SYNONYMS[needed])
            raise TargetError(f"{display}: {role} has no parameter for {needed} (known as {names}); {_remedy(role)}")
    for meant in found:
        if found.count(meant) > 1:
            names = " and ".join(item.name for item in bound if item.role == meant)
            raise TargetError(f"{display}: {names} both mean {meant}; {_remedy(role)}")
