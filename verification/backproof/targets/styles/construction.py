"""Make layers of a class: one per geometry, since its constructor takes the options; or use the one instance given.

An instance's options are fixed.  They are read from its attributes (`stride`, `padding`, ...), or declared:
`OPTIONS = "stride=2, padding=1"`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backproof.contract import Geometry
from backproof.targets.axes import Axes
from backproof.targets.binding import BoundFunction, BoundParameter
from backproof.targets.declarations import Declarations
from backproof.targets.errors import TargetError
from backproof.targets.forms import FULLEST
from backproof.targets.reading import bind_signature
from backproof.targets.roles import role_of

_KEPT = 64  # layers, so that a search does not fill the memory


@dataclass(slots=True)
class Maker:
    """`layer(geometry)` is a layer for a geometry, the same one for the same arguments."""

    kind: Any
    bound: BoundFunction
    axes: Axes
    made: dict[str, Any] = field(default_factory=dict)

    @property
    def bias(self) -> bool | None:
        """Whether the constructor takes a flag for the bias; None where it takes none."""
        return True if self.bound.takes("with_bias") else None

    def layer(self, geometry: Geometry) -> Any:
        """Constructed at the first call, then kept."""
        positional, keywords = self.bound.arguments(geometry, self._values(geometry))
        key = repr((positional, keywords))
        if key not in self.made:
            if len(self.made) >= _KEPT:
                self.made.clear()
            self.made[key] = self.kind(*positional, **keywords)
        return self.made[key]

    def _values(self, geometry: Geometry) -> Mapping[str, Any]:
        shape = self.axes.shape("x", geometry.x_shape)
        return {
            "in_channels": geometry.in_channels,
            "out_channels": geometry.out_channels,
            "image_shape": shape[1:] if self.axes.batched else shape,
            "with_bias": geometry.bias,
        }


@dataclass(slots=True)
class Given:
    """The one instance that there is, whatever the geometry."""

    instance: Any
    bound: BoundFunction
    axes: Axes

    @property
    def bias(self) -> bool | None:
        """It was decided when the instance was made."""
        return None

    def layer(self, geometry: Geometry) -> Any:
        """The instance."""
        return self.instance


def constructor(kind: type) -> BoundFunction:
    """The parameters of a class, bound to what they mean.

    Raises:
        TargetError: one that is required is not known.
    """
    try:
        signature = inspect.signature(kind)
    except (ValueError, TypeError) as error:
        raise TargetError(f"the signature of {kind.__name__} cannot be read ({error}); pass an instance") from error
    empty = inspect.Parameter.empty
    bare = signature.replace(
        parameters=[item.replace(annotation=empty) for item in signature.parameters.values()], return_annotation=empty
    )
    return bind_signature("constructor", bare, f"{kind.__name__}{bare}")


def of_instance(instance: Any) -> BoundFunction:
    """An instance stands for its constructor: it has options, which nobody passes."""
    options = (BoundParameter(name, name, FULLEST[name]) for name in ("stride", "padding", "dilation", "groups"))
    return BoundFunction("constructor", f"{type(instance).__name__} object", tuple(options))


def fixed_options(instance: Any, declared: Declarations) -> dict[str, Any]:
    """Stride, padding, dilation and groups of an instance, in canonical form.

    Raises:
        TargetError: an attribute has a value that is no option's.
    """
    found = {name: value for name, value in _attributes(instance).items() if role_of(name, "forward") in FULLEST}
    if declared.options is not None:
        found = {**found, **{item.name: item.default for item in declared.options.parameters.values()}}
    options = {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}
    for name, value in found.items():
        role = role_of(name, "forward")
        if role in options:
            options[role] = _canonical(str(role), name, value)
    return options


def fixed_levels(geometry: Geometry) -> tuple[tuple[str, Any], ...]:
    """The one level of each factor that an instance decides."""
    g = geometry
    return (
        ("kernel", g.kernel_size),
        ("stride", g.stride),
        ("dilation", g.dilation),
        ("padding", g.padding),
        ("channels", (g.in_channels // g.groups, g.out_channels // g.groups, g.groups)),
    )


def _attributes(instance: Any) -> dict[str, Any]:
    attributes = dict(getattr(instance, "__dict__", {}))
    return {name: value for name, value in attributes.items() if isinstance(value, int | tuple | list | str)}


def _canonical(role: str, name: str, value: Any) -> Any:
    """One int, a pair, or sides, in full."""
    if role == "groups" and isinstance(value, int):
        return value
    if isinstance(value, int):
        value = (value, value)
    if isinstance(value, str) and value.lower() == "valid":
        value = (0, 0)
    if isinstance(value, tuple | list) and len(value) == 2:
        if role == "padding":
            return tuple((side, side) if isinstance(side, int) else tuple(side) for side in value)
        return tuple(value)
    raise TargetError(f'{name} = {value!r} is no {role} that is known; declare it: OPTIONS = "{role}=1"')
