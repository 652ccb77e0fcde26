"""The package as a whole: what it offers, what it imports, and how kernels are compiled."""

from __future__ import annotations

import inspect
import subprocess
import sys

import numpy as np

import backproof_impl
from backproof_impl.geometry import Axis
from backproof_impl.kernels import activations as kernels_of_activations
from backproof_impl.kernels import convolution as kernels_of_convolution
from backproof_impl.kernels import pooling as kernels_of_pooling
from backproof_impl.kernels.compilation import compiled

OPTIONS = {
    "stride": (1, 1),
    "padding": ((0, 0), (0, 0)),
    "dilation": (1, 1),
    "groups": 1,
    "padding_mode": "zeros",
    "orientation": "convolution",
}


def test_signatures():
    arrays = {
        "forward": ["x", "w", "b"],
        "backward": ["dy", "x", "w", "b"],
        "input_gradient": ["dy", "x", "w"],
        "weight_gradient": ["dy", "x", "w"],
    }
    for name, expected in arrays.items():
        parameters = inspect.signature(getattr(backproof_impl, name)).parameters
        assert [p.name for p in parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD] == expected
        assert {p.name: p.default for p in parameters.values() if p.kind is p.KEYWORD_ONLY} == (
            OPTIONS if name == "weight_gradient" else OPTIONS | {"algorithm": "direct"}
        )
    for kind in ("max", "average", "sum"):
        for name, arguments in ((f"{kind}_pool", ["x"]), (f"{kind}_pool_gradient", ["dy", "x"])):
            parameters = list(inspect.signature(getattr(backproof_impl, name)).parameters)
            assert parameters[: len(arguments) + 4] == [*arguments, "kernel_size", "stride", "padding", "dilation"]


def test_it_imports_no_specification_no_verification_and_no_framework():
    code = (
        "import sys, backproof_impl; "
        "print(sorted({'backproof', 'backproof_spec', 'sympy', 'hypothesis', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_kernels_compile_where_no_cache_can_be_written():
    namespace = {}
    exec(compile("def double(a):\n    return 2 * a\n", "<no file>", "exec"), namespace)  # nowhere to cache
    assert compiled(namespace["double"])(21) == 42


def test_kernels_keep_ieee_arithmetic():
    """Asked of the compiler's options: with `fastmath`, results may still happen to be right."""
    kernels = [
        value
        for module in (kernels_of_convolution, kernels_of_activations)
        for value in vars(module).values()
        if hasattr(value, "targetoptions")
    ]
    pooling = (value for value in vars(kernels_of_pooling).values() if hasattr(value, "cache_info"))
    kernels += [factory(fixed) for factory in pooling for fixed in (0, 1, 2)]
    assert len(kernels) == 4 + 2 + 12
    assert not any(kernel.targetoptions.get("fastmath") for kernel in kernels)


def test_the_index_map_of_one_axis():
    axis = Axis(size=4, kernel=3, stride=2, before=1, after=1, dilation=1)
    assert axis.outputs == 2
    assert axis.source().tolist() == [[-1, 1], [0, 2], [1, 3]]
    assert axis.source(flip=True).tolist() == [[1, 3], [0, 2], [-1, 1]]
    assert axis.source(wrap=True).tolist() == [[3, 1], [0, 2], [1, 3]]
    assert axis.source().dtype == np.intp
