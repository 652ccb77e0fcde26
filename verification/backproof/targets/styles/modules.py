"""`torch.nn.Module`, class or instance: its parameters are overwritten, and autograd differentiates its forward."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backproof.contract import AnyGeometry, Geometry
from backproof.targets.axes import Axes
from backproof.targets.binding import BoundFunction, BoundParameter
from backproof.targets.blame import describe
from backproof.targets.declarations import Declarations
from backproof.targets.errors import TargetError
from backproof.targets.styles import trials
from backproof.targets.styles.construction import Given, Maker, constructor, fixed_levels, fixed_options, of_instance
from backproof.targets.styles.layer import Layer
from backproof.targets.styles.libraries import Torch
from backproof.targets.styles.places import NAMES

_TORCH = Torch()


def module_layer(module: Any, declared: Declarations, root: Path) -> Layer:
    """Bind a `torch.nn.Module`.

    Raises:
        TargetError: its parameters cannot be found, or it cannot be constructed.
    """
    axes = Axes(declared.layout, declared.weights or "OIHW", declared.bias or "O")
    if not inspect.isclass(module):
        maker = Given(module, of_instance(module), axes)
        return _layer(maker, _names(module), _geometry_of(module, declared, axes))
    reasons: list[str] = []
    layers: list[Layer] = []
    for forms in trials.variants({"forward": constructor(module)}):
        bound = forms["forward"]
        made = Maker(module, bound, axes)
        stand_in = Layer("", {"forward": bound}, {}, axes, bias="optional")
        try:
            names = _names(made.layer(trials.geometries(stand_in)[0]))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the target's
            reasons.append(describe(error, root))
            continue
        layers.append(_layer(made, names, None))
    if not layers:
        raise TargetError(f"{module.__name__} cannot be constructed: {reasons[0]}; pass an instance")
    return trials.choose(layers, root)[0]


def _names(module: Any) -> dict[str, str]:
    """The names of the parameters that are w and b.

    Raises:
        TargetError: there is no such parameter, or there are others.
    """
    listed = [name for name, _ in module.named_parameters()]
    found: dict[str, str] = {}
    for role in ("w", "b"):
        called = [name for name in listed if name.split(".")[-1].lower().strip("_") in NAMES[role]]
        if len(called) == 1:
            found[role] = called[0]
    if "w" not in found or len(found) != len(listed):
        known = ", ".join(NAMES["w"])
        raise TargetError(
            f"{type(module).__name__} has the parameters {', '.join(listed) or 'none'}; one called like weights "
            f"({known}) and at most one like a bias are a convolution's"
        )
    return found


def _layer(maker: Maker | Given, names: Mapping[str, str], given: Geometry | None) -> Layer:
    calls = _Calls(maker, names)
    display = f"{maker.bound.display}(x)"
    parameters = [*maker.bound.parameters, BoundParameter("x", "x")]
    parameters += [BoundParameter(name, role) for role, name in names.items()]
    bound = {
        "forward": BoundFunction("forward", display, tuple(parameters)),
        "backward": BoundFunction(
            "backward", f"torch.autograd.grad of {display}", (BoundParameter("dy", "dy"),), after_forward=True
        ),
    }
    return Layer(
        style="a torch.nn.Module, differentiated by torch",
        bound=bound,
        functions={"forward": calls.forward, "backward": calls.backward},
        axes=maker.axes,
        notes=tuple(f"{role}: parameter {name}; overwritten before every call" for role, name in names.items()),
        bias="never" if "b" not in names else "optional" if maker.bias else "always",
        layouts_excluded=_TORCH.layouts_excluded,
        fixed=() if given is None else fixed_levels(given),
    )


class _Calls:
    def __init__(self, maker: Maker | Given, names: Mapping[str, str]) -> None:
        self._maker, self._names = maker, names

    def forward(self, geometry: AnyGeometry, values: Mapping[str, Any]) -> Any:
        """`y`."""
        with sys.modules["torch"].no_grad():
            return _TORCH.taken(self._applied(geometry, **_tensors(values)))

    def backward(self, geometry: AnyGeometry, values: Mapping[str, Any]) -> dict[str, Any]:
        """The gradients that autograd knows."""
        tensors = _tensors(values)
        dy = tensors.pop("dy")
        return _TORCH.gradients(lambda **operands: self._applied(geometry, **operands), tensors, dy)

    def _applied(self, geometry: Any, **operands: Any) -> Any:
        """The module as a function of x and its parameters."""
        module = self._maker.layer(geometry)
        replaced = {name: operands[role] for role, name in self._names.items() if role in operands}
        return sys.modules["torch"].func.functional_call(module, replaced, (operands["x"],))


def _tensors(values: Mapping[str, Any]) -> dict[str, Any]:
    return {role: _TORCH.given(value) for role, value in values.items()}


def _geometry_of(module: Any, declared: Declarations, axes: Axes) -> Geometry:
    """The shapes and options that an instance is made for."""
    sizes = dict(zip(axes.weights, module.get_parameter(_names(module)["w"]).shape, strict=True))
    options = fixed_options(module, declared)
    return Geometry(
        in_channels=sizes["I"] * options["groups"],
        out_channels=sizes["O"],
        kernel_size=(sizes["H"], sizes["W"]),
        stride=options["stride"],
        padding=options["padding"],
        dilation=options["dilation"],
        groups=options["groups"],
    )
