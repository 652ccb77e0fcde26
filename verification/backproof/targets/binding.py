"""What of a target is bound to what: plain data that the worker reads from signatures, and the parent uses.

A signature says what is supported.  An option that it lacks only ever has its neutral value; the default of an option
shows its form (see `forms`).  No `b`: never a bias; `b=None`: with and without; `b` without a default: always one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from backproof.contract import (
    DTYPES,
    FRAMEWORKS,
    AnyGeometry,
    Geometry,
    Orientation,
    PaddingMode,
    Points,
    PoolConventions,
    PoolGeometry,
)
from backproof.targets.axes import CANONICAL, Axes
from backproof.targets.forms import Form, express, neutral
from backproof.targets.layouts import LAYOUTS
from backproof.targets.roles import CONVOLUTIONS, FUNCTIONS, described


@dataclass(frozen=True, slots=True)
class BoundParameter:
    """`name` as the target spells it, its `role`, for an option its `form`; `keyword`: passed by name.

    A name such as `conv_param["stride"]` is an entry of a dictionary, which is one argument.
    """

    name: str
    role: str
    form: Form | None = None
    keyword: bool = False
    required: bool = True

    @property
    def entry(self) -> tuple[str, str] | None:
        """Dictionary and key, for an entry of one."""
        container, bracket, key = self.name.partition('["')
        return (container, key.removesuffix('"]')) if bracket else None


@dataclass(frozen=True, slots=True)
class BoundFunction:
    """A canonical function (`role`), how the target writes it (`display`), and its parameters in order.

    `after_forward`: it works on what forward left behind, and is called right after forward on the same data.
    `counts_padding`: what count_include_pad is, where an average has no such parameter.
    """

    role: str
    display: str
    parameters: tuple[BoundParameter, ...]
    after_forward: bool = False
    counts_padding: bool = True

    @property
    def options(self) -> dict[str, Form]:
        """Options that it takes, with their forms."""
        return {item.role: item.form for item in self.parameters if item.form is not None}

    def takes(self, role: str) -> bool:
        """Whether a parameter has this role."""
        return any(item.role == role for item in self.parameters) or (self.after_forward and role in ("x", "w", "b"))

    def refuses(self, geometry: AnyGeometry) -> str | None:
        """Why this function cannot be asked for a geometry; None if it can."""
        if self.after_forward:
            return None  # the options are forward's
        values, forms = _values(geometry), self.options
        for option in dict.fromkeys((*described(self.role).matters, *forms)):
            if option in forms:
                try:
                    express(option, values[option], forms[option])
                except ValueError as error:
                    return f"{self.role}: {error}"
            elif (default := self._neutral(option, geometry)) is not None and values[option] != default:
                return f"{self.role} has no parameter for {option}={values[option]!r}"
        return None

    def _neutral(self, option: str, geometry: AnyGeometry) -> Any:
        return self.counts_padding if option == "count_include_pad" else neutral(option, geometry)

    def arguments(self, geometry: AnyGeometry, arrays: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Positional and keyword arguments of one call; a bias that is not among the arrays is None.

        `arrays` by role; whatever else it holds by role (a shape, a cache) stands for what the geometry says.
        """
        values: dict[str, Any] = {
            **_values(geometry),
            "b": None,
            "x_shape": geometry.x_shape,
            "w_shape": getattr(geometry, "w_shape", None),
            **arrays,
        }
        dictionaries: dict[str, dict[str, Any]] = {}
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        for item in self.parameters:
            value = values[item.role] if item.form is None else express(item.role, values[item.role], item.form)
            name = item.name
            if item.entry is not None:
                name, key = item.entry
                first = name not in dictionaries
                dictionaries.setdefault(name, {})[key] = value
                if not first:
                    continue
                value = dictionaries[name]
            if item.keyword:
                keywords[name] = value
            else:
                positional.append(value)
        return positional, keywords


@dataclass(frozen=True, slots=True)
class Binding:
    """Everything known about a target before its first call.

    `name`: as asked for; `origin`: file or module; `version`: of the library, where known; `options`: those of
    forward, with forms; `orientation`: as declared, else None; `known_defects`: `(name, summary, script)`;
    `expected_failures`: `(key, reason)`; `not_bound`: what will not be verified, each with the
    reason.  `style`: how the target is written, in a phrase;
    `notes`: what was found where; `axes`: how it numbers axes; `updates`: it applies its gradients to w and b, so that
    they are read as differences; `pooling`: its conventions; `fixed`: the only level of a factor (see `cases.levels`);
    `activations`: the names of those that are bound; `at_kink`: which slope their derivatives give there.
    """

    name: str
    origin: str
    version: str | None
    functions: tuple[BoundFunction, ...]
    options: tuple[tuple[str, Form], ...] = ()
    bias: Literal["always", "optional", "never"] = "never"
    dtypes: tuple[str, ...] = DTYPES
    orientation: Orientation | None = None
    padding_modes: tuple[PaddingMode, ...] = ("zeros",)
    layouts: tuple[str, ...] = LAYOUTS
    algorithm: str = "direct"
    error_growth: int | None = None
    flushes_subnormals: bool = False
    thread_safe: bool = False
    specification: str = "convolution"
    pooling: PoolConventions = FRAMEWORKS
    at_kink: str = "left"
    known_defects: tuple[tuple[str, str, str], ...] = ()
    expected_failures: tuple[tuple[str, str], ...] = ()
    not_bound: tuple[str, ...] = ()
    style: str = "plain functions"
    notes: tuple[str, ...] = ()
    axes: Axes = CANONICAL
    updates: bool = False
    fixed: tuple[tuple[str, Any], ...] = ()
    activations: tuple[str, ...] = ()

    def function(self, role: str) -> BoundFunction | None:
        """The function bound to a canonical name, if any."""
        return next((item for item in self.functions if item.role == role), None)

    def refuses(self, geometry: AnyGeometry) -> str | None:
        """Why `forward`, or the pooling, cannot be asked for a geometry; None if it can."""
        if isinstance(geometry, Points):
            return None
        if (reason := self.axes.refuses(geometry)) is not None:
            return reason
        if isinstance(geometry, PoolGeometry):
            name = f"{geometry.kind}_pool"
            if geometry.divides_by_zero:
                return "the average of a window without pixels is 0/0"
        else:
            name = "forward" if self.function("forward") or not self.function("delta") else "delta"
            if self.bias != "optional" and geometry.bias != (self.bias == "always"):
                return f"forward takes a bias {self.bias}, and bias={geometry.bias}"
            for factor, level in self.fixed:
                if (given := _level(factor, geometry)) != level:
                    return f"the instance has {factor}={level}, and not {given}"
            if self.orientation not in (None, geometry.orientation):
                return f"forward computes a {self.orientation}, not a {geometry.orientation}"
        function = self.function(name)
        return f"no {name}" if function is None else function.refuses(geometry)


def _values(geometry: AnyGeometry) -> dict[str, Any]:
    """Options by role, those included that are neutral."""
    switches = {name: getattr(geometry, name) for name in ("ceil_mode", "count_include_pad") if hasattr(geometry, name)}
    return {"kernel_size": geometry.kernel_size, **switches, **geometry.options()}


def _level(factor: str, geometry: Geometry) -> Any:
    """A geometry's level of a factor that an instance fixes."""
    if factor == "channels":
        groups = geometry.groups
        return geometry.in_channels // groups, geometry.out_channels // groups, groups
    return geometry.kernel_size if factor == "kernel" else getattr(geometry, factor)


def not_bound(functions: Mapping[str, BoundFunction], bias: str) -> tuple[str, ...]:
    """Which quantities no function computes, and which options a gradient lacks that forward takes."""
    reasons = [] if "forward" in functions else ["y: no forward"]
    for quantity, single in (("dx", "input_gradient"), ("dw", "weight_gradient"), ("db", "bias_gradient")):
        if "backward" not in functions and single not in functions and (quantity != "db" or bias != "never"):
            reasons.append(f"{quantity}: no backward or {single}")
    forward = functions["forward"].options if "forward" in functions else {}
    for name in CONVOLUTIONS:
        lacks = [
            o
            for o in forward
            if name in functions
            and not functions[name].after_forward
            and o in FUNCTIONS[name].matters
            and o not in functions[name].options
        ]
        if lacks:
            reasons.append(f"{name} with {', '.join(lacks)}: it has no such parameter, unlike forward")
    pools = [kind for kind in ("max", "average", "sum") if f"{kind}_pool" in functions]
    if not pools:
        reasons.append("pooling: no max_pool, average_pool or sum_pool")
    gradients = (f"{kind}_pool_gradient" for kind in pools)
    return (
        *reasons,
        *(f"dx of {name.removesuffix('_gradient')}: no {name}" for name in gradients if name not in functions),
    )
