"""The canonical functions, and the one table by which the parameters of any function find their roles."""

from __future__ import annotations

from dataclasses import dataclass

#: role: the names under which people write it (compared in lower case)
SYNONYMS: dict[str, tuple[str, ...]] = {
    "x": ("x", "input", "inputs", "image", "images", "a_prev", "o", "data"),
    "w": ("w", "weight", "weights", "kernel", "kernels", "filter", "filters"),
    "b": ("b", "bias", "biases"),
    "dy": ("dy", "dout", "dz", "grad_output", "grad_out", "output_gradient", "delta", "gy", "cotangent"),
    "x_shape": ("x_shape", "input_shape", "input_size"),
    "w_shape": ("w_shape", "weight_shape", "weight_size", "kernel_shape"),
    "kernel_size": ("kernel_size", "pool_size", "window", "window_size", "ksize", "kernel"),
    "stride": ("stride", "strides", "s"),
    "padding": ("padding", "pad", "pads", "p"),
    "dilation": ("dilation", "dilations"),
    "groups": ("groups", "group"),
    "padding_mode": ("padding_mode", "pad_mode"),
    "orientation": ("orientation",),
}

_SHAPES = ("x_shape", "w_shape", "kernel_size")
_CONVOLUTION = ("stride", "padding", "dilation", "groups", "padding_mode", "orientation")
_POOLING = ("kernel_size", "stride", "padding", "dilation")


@dataclass(frozen=True, slots=True)
class Function:
    """A canonical function: roles that it must and may take, and the quantities that it returns.

    Without an option of `matters`, it cannot compute a geometry in which that option is not neutral.
    """

    needs: tuple[str, ...]
    may: tuple[str, ...]
    returns: tuple[str, ...]
    matters: tuple[str, ...]


FUNCTIONS: dict[str, Function] = {
    "forward": Function(("x", "w"), ("b", *_SHAPES, *_CONVOLUTION), ("y",), _CONVOLUTION),
    "backward": Function(("dy", "x", "w"), ("b", *_SHAPES, *_CONVOLUTION), ("dx", "dw", "db"), _CONVOLUTION),
    "input_gradient": Function(("dy", "w"), ("x", *_SHAPES, *_CONVOLUTION), ("dx",), _CONVOLUTION),
    "weight_gradient": Function(("dy", "x"), ("w", *_SHAPES, *_CONVOLUTION), ("dw",), _CONVOLUTION),
    "bias_gradient": Function(("dy",), ("x", "w", "b", *_SHAPES, *_CONVOLUTION), ("db",), ()),
}
for _kind in ("max", "average", "sum"):
    FUNCTIONS[f"{_kind}_pool"] = Function(("x", "kernel_size"), _POOLING, ("y",), _POOLING)
    FUNCTIONS[f"{_kind}_pool_gradient"] = Function(
        ("dy", "kernel_size"), ("x", "x_shape", *_POOLING), ("dx",), _POOLING
    )

CONVOLUTIONS = tuple(name for name in FUNCTIONS if "pool" not in name)
POOLINGS = tuple(name for name in FUNCTIONS if "pool" in name)
GRADIENTS = tuple(name for name in CONVOLUTIONS if name != "forward")


def role_of(parameter: str, function: str) -> str | None:
    """The role of a parameter among those that a canonical function may take; None if it has none."""
    spelled = parameter.lower().strip("_")
    legal = (*FUNCTIONS[function].needs, *FUNCTIONS[function].may)
    return next((role for role, names in SYNONYMS.items() if role in legal and spelled in names), None)
