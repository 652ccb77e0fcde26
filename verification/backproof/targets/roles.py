"""The canonical functions, and the one table by which the parameters of any function find their roles."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

#: A convolution, a pooling, or entry by entry.
On: TypeAlias = Literal["convolution", "pooling", "points"]

#: role: the names under which people write it (compared in lower case)
SYNONYMS: dict[str, tuple[str, ...]] = {
    "x": ("x", "input", "inputs", "image", "images", "a_prev", "o", "data"),
    "w": ("w", "weight", "weights", "kernel", "kernels", "filter", "filters"),
    "b": ("b", "bias", "biases"),
    "dy": (
        *(
            "dy",
            "dout",
            "dz",
            "grad_output",
            "grad_out",
            "output_gradient",
            "delta",
            "gy",
            "cotangent",
            "grad",
            "d_out",
        ),
        *("gradient", "d_y", "dl_dy", "dl_dout", "d_l_d_out", "grad_y", "error", "upstream", "upstream_gradient"),
    ),
    "x_shape": ("x_shape", "input_shape", "input_size"),
    "w_shape": ("w_shape", "weight_shape", "weight_size", "kernel_shape"),
    "kernel_size": (
        *("kernel_size", "pool_size", "window", "window_size", "ksize", "kernel", "filter_size", "kernel_shape"),
        *("filter_shape", "size", "k", "f"),
    ),
    "stride": ("stride", "strides", "s"),
    "padding": ("padding", "pad", "pads", "p"),
    "dilation": ("dilation", "dilations"),
    "groups": ("groups", "group"),
    "padding_mode": ("padding_mode", "pad_mode"),
    "orientation": ("orientation",),
    "ceil_mode": ("ceil_mode", "ceil", "use_ceil"),
    "count_include_pad": ("count_include_pad", "count_include_padding", "include_pad", "include_padding"),
    # what forward hands to backward, and dictionaries of options
    "cache": ("cache", "caches", "ctx", "context", "saved", "memory", "cached", "tape", "residuals"),
    "dictionary": (
        *("conv_param", "conv_params", "hparameters", "hyperparameters", "hparams", "hyper_parameters", "params"),
        *("parameters", "param", "options", "config"),
    ),
    # of the constructor of a layer class
    "in_channels": (
        *("in_channels", "in_channel", "in_ch", "c_in", "in_c", "input_channels", "num_channels", "n_channels"),
        *("input_depth", "in_depth", "n_in", "channels", "in_features", "num_in", "cin"),
    ),
    "out_channels": (
        *("out_channels", "out_channel", "out_ch", "c_out", "out_c", "output_channels", "num_filters", "n_filters"),
        *("num_kernels", "n_kernels", "filters", "depth", "out_depth", "n_out", "number_of_filters", "num_out", "cout"),
    ),
    "image_shape": ("input_shape", "in_shape", "input_dim", "input_dims", "image_shape", "input_size"),
    "with_bias": ("bias", "use_bias", "with_bias", "has_bias"),
    "learning_rate": ("learning_rate", "lr", "learn_rate", "eta", "alpha", "rate", "step_size"),
    # of the chain: delta, output_delta and error
    "delta_next": (
        "delta_next",
        "next_delta",
        "delta_above",
        "delta_l1",
        "d_next",
        "dy",
        "dc_next",
        "dz_next",
        "delta",
    ),
    "w_next": ("w_next", "next_w", "weights_next", "next_weights", "weight_next", "w_above", "w", "weights", "weight"),
    "c": ("c", "z", "pre_activation", "preactivation", "net", "net_input", "complete_input", "logits"),
    "o": ("o", "output", "outputs", "prediction", "predictions", "y_hat", "y_pred", "a"),
    "t": ("t", "target", "targets", "label", "labels", "y_true"),
    "activation_derivative": (
        *("activation_derivative", "derivative", "a_prime", "activation_prime", "activation_gradient", "da_dc"),
        *("dactivation", "d_activation", "activation_grad", "slope"),
    ),
    "da": ("da", "a_prime_c", "derivative_values", "derivatives", "slopes", "activation_slopes"),
}

_SHAPES = ("x_shape", "w_shape", "kernel_size")
_CONVOLUTION = ("stride", "padding", "dilation", "groups", "padding_mode", "orientation")
_POOLING = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")


@dataclass(frozen=True, slots=True)
class Function:
    """A canonical function: roles that it must and may take, and the quantities that it returns.

    Without an option of `matters`, it cannot compute a geometry in which that option is not neutral.  `instead` are
    roles that stand for others which it would need.  `on` says what it is a function of.
    """

    needs: tuple[str, ...]
    may: tuple[str, ...]
    returns: tuple[str, ...]
    matters: tuple[str, ...]
    instead: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    on: On = "convolution"

    def needed(self, present: Collection[str]) -> tuple[str, ...]:
        """The roles that it must take beside those `present`, of which some stand for others."""
        spared = {role for stand_in, roles in self.instead.items() if stand_in in present for role in roles}
        return tuple(role for role in self.needs if role not in spared)


FUNCTIONS: dict[str, Function] = {
    "forward": Function(("x", "w"), ("b", *_SHAPES, *_CONVOLUTION, "dictionary"), ("y",), _CONVOLUTION),
    "backward": Function(
        ("dy", "x", "w"), ("b", *_SHAPES, *_CONVOLUTION, "dictionary", "cache"), ("dx", "dw", "db"), _CONVOLUTION
    ),
    "input_gradient": Function(("dy", "w"), ("x", *_SHAPES, *_CONVOLUTION), ("dx",), _CONVOLUTION),
    "weight_gradient": Function(("dy", "x"), ("w", *_SHAPES, *_CONVOLUTION), ("dw",), _CONVOLUTION),
    "bias_gradient": Function(("dy",), ("x", "w", "b", *_SHAPES, *_CONVOLUTION), ("db",), ()),
}
for _kind in ("max", "average", "sum"):
    _options = (*_POOLING, "count_include_pad") if _kind == "average" else _POOLING
    FUNCTIONS[f"{_kind}_pool"] = Function(("x", "kernel_size"), _options, ("y",), _options, on="pooling")
    FUNCTIONS[f"{_kind}_pool_gradient"] = Function(
        ("dy", "kernel_size"), ("x", "x_shape", *_options), ("dx",), _options, on="pooling"
    )

#: The chain of layers: what is optional, and left out where it cannot be bound.
_VALUES = {"da": ("activation_derivative", "c")}  # a'(c) itself, in place of the function a' and of c
CHAIN: dict[str, Function] = {
    "delta": Function(
        ("delta_next", "w_next", "activation_derivative", "c"),
        ("da", *_SHAPES, *_CONVOLUTION),
        ("delta",),
        _CONVOLUTION,
        _VALUES,
    ),
    "output_delta": Function(
        ("o", "t", "activation_derivative", "c"), ("da",), ("output delta",), (), _VALUES, on="points"
    ),
    "error": Function(("o", "t"), (), ("E",), (), on="points"),
}
_ACTIVATION = Function(("c",), (), ("o",), (), on="points")
_DERIVATIVE = Function(("c",), (), ("da",), (), on="points")

#: Roles of arrays that a call cannot do without.
DATA = ("x", "w", "dy", "delta_next", "w_next", "c", "o", "t", "da")

#: Of a layer class: how it is made, and its two methods.
CONSTRUCTOR = Function(
    (), ("in_channels", "out_channels", "kernel_size", "image_shape", "with_bias", *_CONVOLUTION), (), ()
)
METHODS: dict[str, Function] = {
    "constructor": CONSTRUCTOR,
    "forward method": Function(("x",), (), ("y",), ()),
    "backward method": Function(("dy",), ("x", "learning_rate"), ("dx", "dw", "db"), ()),
}
FORWARD_METHODS = ("forward", "forward_pass", "forward_prop", "feedforward", "__call__")
BACKWARD_METHODS = ("backward", "backward_pass", "backward_prop", "backprop", "backpropagate", "back_propagate")

CONVOLUTIONS = tuple(name for name, function in FUNCTIONS.items() if function.on == "convolution")
GRADIENTS = tuple(name for name in CONVOLUTIONS if name != "forward")


def activation_roles(name: str) -> tuple[str, str]:
    """The canonical names of an entry `name -> (a, a')` of ACTIVATIONS: of the activation and of its derivative."""
    return f"activation {name}", f"activation {name} derivative"


def described(role: str) -> Function:
    """What a canonical function, a method of a layer class, or one of a target's activations takes and returns."""
    if role.startswith("activation "):
        return _DERIVATIVE if role.endswith(" derivative") else _ACTIVATION
    return FUNCTIONS.get(role) or CHAIN.get(role) or METHODS[role]


def role_of(parameter: str, function: str) -> str | None:
    """The role of a parameter among those that a canonical function may take; None if it has none."""
    spelled = parameter.lower().strip("_")
    legal = legal_roles(function)
    known = next((role for role, names in SYNONYMS.items() if role in legal and spelled in names), None)
    return "cache" if known is None and "cache" in legal and "cache" in spelled else known


def legal_roles(function: str) -> tuple[str, ...]:
    """The roles that parameters of a canonical function, or of a method of a layer class, may have."""
    found = described(function)
    return (*found.needs, *found.may)
