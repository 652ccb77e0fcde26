"""Code as people write it, made into canonical functions: one small module per style (in the worker).

    functions     forward(x, w, b, stride=1), backward(dy, x, w, b, stride=1)
                  conv_forward(x, w, b, conv_param) -> (y, cache), conv_backward(dy, cache) -> (dx, dw, db)
                  forward on tensors alone: differentiated by PyTorch or JAX (`libraries`)
    classes       Conv2D(in_channels, out_channels, kernel_size) with forward(x), backward(dy)
    modules       torch.nn.Module

    chain         ACTIVATIONS = {name: (a, a')}, delta, output_delta, error: beside any of these

`trials` finds out by shapes what nothing says, `dictionaries` and `places` where options and gradients lie.
"""

from __future__ import annotations

import inspect
import sys
from dataclasses import replace
from typing import Any

from backproof.targets.binding import Binding
from backproof.targets.declarations import Declarations
from backproof.targets.layouts import LAYOUTS
from backproof.targets.loading import Loaded
from backproof.targets.reading import binding
from backproof.targets.styles.chain import with_chain
from backproof.targets.styles.classes import class_layer
from backproof.targets.styles.functions import functions_layer
from backproof.targets.styles.layer import Layer
from backproof.targets.styles.modules import module_layer

__all__ = ["Layer", "bind_layer", "recognise"]


def recognise(loaded: Loaded, declared: Declarations, *, trials: bool = True) -> Layer:
    """The layer that a target is; without `trials`, functions are not called to be bound.

    Raises:
        TargetError: it is written in a way that is not known; the message says what to write.
    """
    if loaded.layer is None:
        layer = functions_layer(loaded.functions, declared, loaded.root, trials)
    elif _is_module(loaded.layer):
        layer = module_layer(loaded.layer, declared, loaded.root)
    else:
        layer = class_layer(loaded.layer, declared, loaded.root)
    return with_chain(layer, loaded, declared)


def bind_layer(layer: Layer, loaded: Loaded, declared: Declarations, name: str) -> Binding:
    """Everything that the parent is told about a layer."""
    known = binding(layer.bound, declared, name=name, origin=loaded.origin, version=loaded.version, bias=layer.bias)
    excluded = {*declared.layouts_excluded, *layer.layouts_excluded}
    size = declared.kernel_size
    kernels = () if size is None else (("kernel", size),)
    others = () if size is None else (f"kernels that are not {size[0]} x {size[1]}: KERNEL_SIZE",)
    dtypes = tuple(dtype for dtype in declared.dtypes if layer.dtypes is None or dtype in layer.dtypes)
    return replace(
        known,
        dtypes=dtypes,
        layouts=tuple(item for item in LAYOUTS if item not in excluded),
        style=layer.style,
        notes=layer.notes,
        axes=layer.axes,
        updates=layer.updates,
        fixed=layer.fixed or kernels,
        activations=tuple(layer.activations),
        not_bound=(*known.not_bound, *layer.gaps, *others),
    )


def _is_module(layer: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and issubclass(layer if inspect.isclass(layer) else type(layer), torch.nn.Module)
