"""What a target declares about itself where its signatures cannot say it.

As constants of its module (or class), or, stronger, by `--declare KEY=VALUE`:

    ORIENTATION = "cross-correlation"             or "convolution"; undeclared, it is inferred from forward
    DTYPES = ("float32", "float64")               those that it supports
    ALGORITHM = "direct"                          or "indirect": FFT, Winograd, anything that is not a plain sum
    ERROR_GROWTH = 36                             of an indirect algorithm: its rounding errors, over a direct sum's
    KERNEL_SIZE = (3, 3)                          the only one that it takes
    FLUSHES_SUBNORMALS = True                     numbers below the smallest normal one may become 0
    THREAD_SAFE = True                            functions may be called by several threads at once, which is tried
    SPECIFICATION = "none"                        forward is another linear operator; only adjoint identities hold
    POOLING = {"ties": "last"}                    or "ties=last, divisor=valid": see `contract.PoolConventions`
    SIGNATURE = "x, w, b, stride, padding"        of forward, where Python cannot read it; of several functions:
    SIGNATURE = "forward: x, w; backward: dy, x, w"
    LAYOUTS_EXCLUDED = ("reversed",)              memory layouts that its library cannot express
    LAYOUT = "NHWC"                               axes of x, y, dx, dy; also WEIGHTS and BIAS: see `axes`
    WEIGHTS = "HWIO"                              axes of w and dw; with NHWC and HWC, this is what is assumed
    BIAS = "O1"                                   shape of b and db; tried where it matters
    PARAMETERS = "stride, pad"                    keys of a dictionary of options; tried where undeclared
    OPTIONS = "stride=2, padding=1"               those of an instance, where its attributes do not say them
    ACTIVATION_AT_KINK = "left"                   a'(0) of ReLU, leaky ReLU, ELU: the slope from the "left" (0 for
                                                  ReLU), from the "right", or their "mean"
    LIBRARY = "torch"                             or "jax": forward takes its arrays, and is differentiated by it
    KNOWN_DEFECTS = (KnownDefect(...),)           of its library; constants only
    EXPECTED_FAILURES = {"exact:dw": "reason"}    by CHECK or CHECK:QUANTITY; constants only
    VERSION = "2.13.0"                            of its library; constants only
"""

from __future__ import annotations

import ast
import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from backproof.contract import DTYPES, FRAMEWORKS, ORIENTATIONS, AnyGeometry, Orientation, Pair, PoolConventions
from backproof.targets.axes import BIASES, DATA, WEIGHTS
from backproof.targets.errors import TargetError
from backproof.targets.layouts import LAYOUTS
from backproof.targets.roles import CHAIN, FUNCTIONS

#: The keys and values of POOLING.
CONVENTIONS = {"ties": ("first", "last", "split", "any"), "divisor": ("kernel", "valid")}
ALGORITHMS = ("direct", "indirect")
SPECIFICATIONS = ("convolution", "none")
LIBRARIES = ("numpy", "torch", "jax")
KINKS = ("left", "right", "mean")
#: The keys that `--declare` takes.
KEYS = (
    *("ORIENTATION", "DTYPES", "ALGORITHM", "FLUSHES_SUBNORMALS", "POOLING", "SIGNATURE", "LAYOUTS_EXCLUDED"),
    *("ERROR_GROWTH", "KERNEL_SIZE", "THREAD_SAFE", "SPECIFICATION", "ACTIVATION_AT_KINK"),
    *("LAYOUT", "WEIGHTS", "BIAS", "PARAMETERS", "OPTIONS", "LIBRARY"),
)


@dataclass(frozen=True, slots=True)
class CallDescription:
    """What a known defect may depend on: `function` is a canonical name, `layouts` are by role."""

    function: str
    geometry: AnyGeometry
    dtype: str
    layouts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class KnownDefect:
    """A defect of a library that `applies` to some calls, which are then not made.

    `script` is a stand-alone program that shows it.
    """

    name: str
    summary: str
    script: str
    applies: Callable[[CallDescription], bool]


@dataclass(frozen=True, slots=True)
class Declarations:
    """Everything declared; the defaults hold where nothing is."""

    orientation: Orientation | None = None
    dtypes: tuple[str, ...] = DTYPES
    algorithm: str = "direct"
    error_growth: int | None = None
    kernel_size: Pair | None = None
    flushes_subnormals: bool = False
    thread_safe: bool = False
    specification: str = "convolution"
    pooling: PoolConventions = FRAMEWORKS
    signature: Mapping[str, inspect.Signature] = field(default_factory=dict)
    layouts_excluded: tuple[str, ...] = ()
    known_defects: tuple[KnownDefect, ...] = ()
    expected_failures: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None
    layout: str = "NCHW"
    weights: str | None = None
    bias: str | None = None
    parameters: inspect.Signature | None = None
    options: inspect.Signature | None = None
    library: str | None = None
    activation_at_kink: str = "left"


def nearest(name: str, known: Iterable[str]) -> str:
    """`"; did you mean 'stride'?"`, or nothing where no known name is near."""
    match = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {match[0]!r}?" if match else ""


def read_declarations(constants: Mapping[str, Any], declared: Mapping[str, str]) -> Declarations:
    """Constants of the target, overridden by `declared` (`--declare`, values as text).

    Raises:
        TargetError: an unknown key, or a value that the key does not take.
    """
    for key in declared:
        if key not in KEYS:
            raise TargetError(f"unknown declaration {key!r}; the keys are {', '.join(KEYS)}{nearest(key, KEYS)}")
    values = {key: value for key, value in {**constants, **declared}.items() if value is not None}
    known = {item.name: _READERS[item.name] for item in fields(Declarations)}
    read = {name: reader(values[name.upper()]) for name, reader in known.items() if name.upper() in values}
    return replace(Declarations(), **read)


def _one_of(key: str, value: Any, legal: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in legal:
        return value
    hint = nearest(str(value), legal)
    raise TargetError(f"{key} must be one of {', '.join(map(repr, legal))}, not {value!r}{hint}")


def _names(key: str, value: Any, legal: tuple[str, ...]) -> tuple[str, ...]:
    """Names given as a list, or as one text with commas; types such as `numpy.float32` count as their names."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, Iterable):
        raise TargetError(f"{key} must be names such as {legal[:2]!r}, not {value!r}")
    names = (item.strip() if isinstance(item, str) else getattr(item, "__name__", str(item)) for item in items)
    return tuple(_one_of(key, name, legal) for name in names)


def _dtypes(value: Any) -> tuple[str, ...]:
    names = _names("DTYPES", value, DTYPES)
    if not names:
        raise TargetError(f"DTYPES is empty; name at least one of {', '.join(DTYPES)}")
    return names


def _yes_or_no(key: str, value: Any) -> bool:
    """`True` of a constant, `"true"` of the command line."""
    return _one_of(key, str(value).lower(), ("true", "false")) == "true"


def _growth(value: Any) -> int:
    try:
        growth = int(str(value))
    except ValueError:
        growth = 0
    if growth < 1:
        raise TargetError(f"ERROR_GROWTH must be a whole number of at least 1, such as 36, not {value!r}")
    return growth


def _kernel_size(value: Any) -> Pair:
    """`(3, 3)` of a constant, `"3,3"` of the command line."""
    items = value.split(",") if isinstance(value, str) else value
    try:
        rows, columns = (int(str(item)) for item in items)
    except (TypeError, ValueError):
        rows = columns = 0
    if min(rows, columns) < 1:
        raise TargetError(f"KERNEL_SIZE must be rows and columns, such as (3, 3) or 3,3, not {value!r}")
    return rows, columns


def _pooling(value: Any) -> PoolConventions:
    """A dictionary, or its items as one text."""
    if isinstance(value, str):
        pairs = (item.partition("=") for item in value.split(","))
        value = {key.strip(): chosen.strip() for key, _, chosen in pairs}
    if not isinstance(value, Mapping):
        raise TargetError(f'POOLING must be such as {{"ties": "last"}} or "ties=last, divisor=valid", not {value!r}')
    for key in value:
        if key == "ceil_mode":
            raise TargetError("ceil_mode is no key of POOLING; it is an option of the signature: ceil_mode=False")
        _one_of("a key of POOLING", key, tuple(CONVENTIONS))
    chosen: dict[str, Any] = {key: _one_of(f"{key} of POOLING", name, CONVENTIONS[key]) for key, name in value.items()}
    return PoolConventions(**chosen)


def _defects(value: Any) -> tuple[KnownDefect, ...]:
    for defect in value:
        if not isinstance(defect, KnownDefect):
            raise TargetError(f"KNOWN_DEFECTS must hold KnownDefect(name, summary, script, applies), not {defect!r}")
    return tuple(value)


def _expected(value: Any) -> dict[str, str]:
    """Reasons by check, or by check and quantity; the runner knows which there are."""
    if isinstance(value, Mapping) and all(isinstance(text, str) for item in value.items() for text in item):
        return dict(value)
    raise TargetError(f'EXPECTED_FAILURES must be such as {{"exact:dw": "the reason"}}, not {value!r}')


def _signatures(value: Any) -> dict[str, inspect.Signature]:
    """`"x, w"`, `"forward: x, w; backward: dy, x, w"`, or a dictionary of function names to parameter lists."""
    if isinstance(value, Mapping):
        parts = dict(value)
    else:
        pairs = (part.rpartition(":") if _is_named(part) else ("forward", ":", part) for part in str(value).split(";"))
        parts = {name.strip(): text for name, _, text in pairs}
    return {
        _one_of("a function in SIGNATURE", name, (*FUNCTIONS, *CHAIN)): _parse(text) for name, text in parts.items()
    }


def _is_named(part: str) -> bool:
    return part.partition(":")[0].strip().isidentifier() and ":" in part


def _parse(text: str, key: str = "SIGNATURE", example: str = "x, w, b, stride, padding") -> inspect.Signature:
    """The parameter list of a `def` statement, defaults being literals."""
    try:
        arguments = ast.parse(f"def f({text}): pass").body[0].args  # type: ignore[attr-defined]
        return _signature_of(arguments)
    except (SyntaxError, ValueError) as error:
        raise TargetError(f'{key} = "{text}" is not a list of parameters; write for example "{example}"') from error


def _signature_of(arguments: ast.arguments) -> inspect.Signature:
    if arguments.vararg or arguments.kwarg:
        raise ValueError("names only")
    positional = [*arguments.posonlyargs, *arguments.args]
    absent: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    kinds: list[Any] = [inspect.Parameter.POSITIONAL_ONLY] * len(positional)
    kinds += [inspect.Parameter.KEYWORD_ONLY] * len(arguments.kwonlyargs)
    names = [item.arg for item in (*positional, *arguments.kwonlyargs)]
    defaults = [*absent, *arguments.defaults, *arguments.kw_defaults]
    literals = [inspect.Parameter.empty if item is None else ast.literal_eval(item) for item in defaults]
    return inspect.Signature(
        [inspect.Parameter(n, k, default=d) for n, k, d in zip(names, kinds, literals, strict=True)]
    )


_READERS: dict[str, Callable[[Any], Any]] = {
    "orientation": lambda value: _one_of("ORIENTATION", value, ORIENTATIONS),
    "dtypes": _dtypes,
    "algorithm": lambda value: _one_of("ALGORITHM", value, ALGORITHMS),
    "error_growth": _growth,
    "kernel_size": _kernel_size,
    "flushes_subnormals": lambda value: _yes_or_no("FLUSHES_SUBNORMALS", value),
    "thread_safe": lambda value: _yes_or_no("THREAD_SAFE", value),
    "specification": lambda value: _one_of("SPECIFICATION", value, SPECIFICATIONS),
    "pooling": _pooling,
    "signature": _signatures,
    "layouts_excluded": lambda value: _names("LAYOUTS_EXCLUDED", value, LAYOUTS),
    "known_defects": _defects,
    "expected_failures": _expected,
    "version": str,
    "layout": lambda value: _one_of("LAYOUT", value, tuple(DATA)),
    "weights": lambda value: _one_of("WEIGHTS", value, tuple(WEIGHTS)),
    "bias": lambda value: _one_of("BIAS", value, tuple(BIASES)),
    "parameters": lambda value: _parse(str(value), "PARAMETERS", "stride, pad"),
    "options": lambda value: _parse(str(value), "OPTIONS", "stride=2, padding=1"),
    "library": lambda value: _one_of("LIBRARY", value, LIBRARIES),
    "activation_at_kink": lambda value: _one_of("ACTIVATION_AT_KINK", value, KINKS),
}
