"""How each style is found and bound, what `show` says of it, and one message for what cannot be bound."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from backproof.contract import Geometry
from backproof.report.binding import print_binding
from backproof.targets.axes import Axes
from backproof.targets.binding import Binding
from backproof.targets.calls import Raised, Request, Results
from backproof.targets.errors import TargetError
from backproof.targets.process import Target

STYLES = Path(__file__).parent / "styles"
Write = Callable[[str], str]

LAYER = """
import numpy as np

class Conv:
    def __init__(self, in_channels, out_channels, kernel_size{parameters}):
        self.w = np.zeros((out_channels, in_channels, kernel_size, kernel_size))
        {state}
    def forward(self, x{inputs}):
        windows = np.lib.stride_tricks.sliding_window_view(x, self.w.shape[2:], axis=(2, 3))
        self.windows = windows
        return np.einsum("nchwuv,ocuv->nohw", windows, self.w)
    def backward(self, dy):
        {backward}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> str:
        path = tmp_path / "target.py"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return str(path)

    return write


def opened(target: str, **declared: str) -> Binding:
    with Target.open(target, declarations=declared) as target_:
        return target_.binding


def error(target: str, **declared: str) -> str:
    with pytest.raises(TargetError) as caught, Target.open(target, declarations=declared):
        pass
    return str(caught.value)


def layer(write: Write, *, parameters: str = "", state: str = "pass", inputs: str = "", backward: str = "pass") -> str:
    return write(LAYER.format(parameters=parameters, state=state, inputs=inputs, backward=backward))


# ---- found and shown


def test_show_of_cached_functions(capsys: pytest.CaptureFixture[str]) -> None:
    from dataclasses import asdict

    print_binding(asdict(opened(str(STYLES / "hparameters_nhwc.py"))), Console(width=200))
    shown = capsys.readouterr().out
    for line in (
        "  style          cached functions\n",
        "  axes           data NHWC, weights HWIO, bias 111O\n",
        '    hparameters["pad"]     ->  padding  one int\n',
        "    cache  ->  cache\n",
        "  - keys of hparameters: found by trying\n",
        "  - found by trying: stride as int, padding as int\n",
    ):
        assert line in shown


def test_layer_class() -> None:
    binding = opened(str(STYLES / "layer_attributes.py"))
    assert (binding.style, binding.bias, dict(binding.options)["kernel_size"]) == ("a layer class", "always", "int")
    assert binding.axes == Axes(bias="O1")
    assert "dx: returned by backward" in binding.notes
    assert "dw: attribute grad_weights after backward" in binding.notes
    assert not binding.updates


def test_updates_are_differences() -> None:
    binding = opened(str(STYLES / "layer_updates.py"))
    assert binding.updates
    assert "dw: filters before backward minus after, with a learning rate of 1" in binding.notes


def test_instance_has_its_shapes_and_options_only() -> None:
    binding = opened(f"{STYLES / 'instance.py'}:conv")
    assert dict(binding.fixed) == {
        "kernel": (2, 2),
        "stride": (2, 2),
        "dilation": (1, 1),
        "padding": ((1, 1), (1, 1)),
        "channels": (3, 2, 1),
    }
    assert binding.refuses(Geometry(1, 3, 2, (4, 4), (2, 2))) == "the instance has stride=(2, 2), and not (1, 1)"


def test_weights_in_another_order_are_found_by_their_shape(write: Write) -> None:
    target = write("""
        import numpy as np
        class Conv:
            def __init__(self, kernel_size, in_channels, out_channels):
                self.params = {"W": np.zeros((kernel_size, kernel_size, in_channels, out_channels))}
                self.grads = {}
            def forward(self, x):
                w = self.params["W"]
                self.windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[:2], axis=(2, 3))
                return np.einsum("nchwuv,uvco->nohw", self.windows, w)
            def backward(self, dout):
                self.grads["W"] = np.einsum("nohw,nchwuv->uvco", dout, self.windows)
    """)
    binding = opened(target)
    assert binding.axes.weights == "HWIO"
    assert 'dw: attribute grads["W"] after backward' in binding.notes
    assert "dx: not found; backward neither returns it nor leaves it in an attribute such as dx" in binding.notes


def test_declared_keys_and_options(write: Write) -> None:
    text = """
        def conv_forward(x, w, conv_param): return x, x
        def conv_backward(dout, cache): return cache, cache
    """
    assert 'declare them: PARAMETERS = "stride, pad"' in error(write(text))
    assert dict(opened(write(text), PARAMETERS="stride=1, pad=(0, 0)").options) == {"stride": "int", "padding": "pair"}
    assert "the key 'speed' of conv_param is no name of an option" in error(write(text), PARAMETERS="speed")


def test_dictionary_shown_by_its_default(write: Write) -> None:
    target = write("def forward(x, w, conv_param={'stride': (1, 1), 'pad': 0}): return x\n")
    assert dict(opened(target).options) == {"stride": "pair", "padding": "int"}


def test_forms_without_defaults_are_tried(write: Write) -> None:
    target = write("""
        import numpy as np
        def forward(x, w, stride, pad):
            wide = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
            windows = np.lib.stride_tricks.sliding_window_view(wide, w.shape[2:], axis=(2, 3))
            return np.einsum("nchwuv,ocuv->nohw", windows[:, :, ::stride, ::stride], w)
    """)
    binding = opened(target)
    assert dict(binding.options) == {"stride": "int", "padding": "int"}
    assert binding.notes == ("found by trying: stride as int, padding as int",)


def test_a_crash_in_a_trial_is_no_crash_of_the_import(write: Write) -> None:
    target = write("import ctypes\ndef forward(x, w, stride):\n    ctypes.string_at(0)\n")
    binding = opened(target)
    assert dict(binding.options) == {"stride": "pair"}
    assert binding.notes == ("nothing was tried, since a trial ended the process: the fullest forms are assumed",)


# ---- called


def test_backward_alone_runs_forward_which_is_blamed_for_what_it_raises(write: Write) -> None:
    target = write("""
        def forward(x, w):
            if x.shape[2] == 1:
                raise KeyError("one row")
            return x, x
        def backward(dy, cache):
            return cache, cache
    """)
    with Target.open(target) as opened_:
        ones = {role: np.ones((1, 1, 2, 2)) for role in ("x", "w", "dy")}
        square = Geometry(size=(2, 2), kernel_size=(2, 2), bias=False)
        assert isinstance(opened_.call(Request(square, ones, {}, ("backward",))), Results)
        ones = {role: np.ones((1, 1, 1, 1)) for role in ("x", "w", "dy")}
        reply = opened_.call(Request(Geometry(bias=False), ones, {}, ("backward",)))
        assert isinstance(reply, Raised)
        assert (reply.function, reply.message) == ("forward", "'one row'")
        assert reply.where.endswith("in forward")


def test_memory_layouts_reach_the_code(write: Write) -> None:
    target = write("""
        LAYOUT = "NHWC"
        def forward(x, w):
            return x * x.flags.c_contiguous
    """)
    with Target.open(target) as opened_:
        geometry = Geometry(2, 3, 3, (4, 5), bias=False)
        arrays = {"x": np.ones((2, 3, 4, 5)), "w": np.ones((3, 3, 1, 1))}
        for name, contiguous in (("C", True), ("F", False), ("sliced", False)):
            reply = opened_.call(Request(geometry, arrays, {"x": name}, ("forward",)))
            assert isinstance(reply, Results)
            assert reply.values["y"].shape == (2, 3, 4, 5)
            assert bool(reply.values["y"].all()) == contiguous


@pytest.mark.parametrize("data", ["NCHW", "NHWC", "CHW", "HWC", "HW"])
@pytest.mark.parametrize("weights", ["OIHW", "OHWI", "HWIO", "IOHW", "OHW", "HW", "IO,HW", "OI,HW"])
def test_axes_there_and_back(data: str, weights: str) -> None:
    axes = Axes(data, weights)
    channels = 1 if data == "HW" or weights in ("OHW", "HW") else 2
    x, w = (
        np.arange(3 * channels * 20.0).reshape(3, channels, 4, 5),
        np.arange(channels * 6.0).reshape(1, channels, 2, 3),
    )
    given = {"x": axes.given("x", axes.laid_out("x", x)), "w": axes.given("w", axes.laid_out("w", w))}
    samples = list(axes.samples(given, 3))
    assert len(samples) == (1 if axes.batched else 3)
    assert np.array_equal(axes.taken("dx", [sample["x"] for sample in samples]), x)
    kernels = [axes.array("dw", sample["w"]) for sample in samples]
    assert np.array_equal(axes.taken("dw", kernels), len(samples) * w)
    if "," not in weights:
        assert np.shares_memory(given["w"], w)
        assert samples[0]["w"].shape == axes.shape("w", w.shape)
    assert samples[0]["x"].shape == axes.shape("x", x.shape)


# ---- refused


def test_several_layers(write: Write) -> None:
    methods = "\n    def forward(self, x): ...\n    def backward(self, dy): ...\n"
    target = write(f"class A:{methods}class B:{methods}")
    assert error(target) == f"{target} has several layers; name one: {target}:A or {target}:B"


def test_weights_of_an_unknown_name(write: Write) -> None:
    text = LAYER.format(parameters="", state="pass", inputs="", backward="pass").replace("self.w ", "self.theta ")
    target = write(text.replace("self.w.", "self.theta.").replace("self.w)", "self.theta)"))
    assert error(target).endswith(
        "Conv: no attribute is called like weights (w, weight, weights, kernel, kernels, filter, filters); "
        "it keeps theta, windows"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"parameters": ", activation"}, "constructor requires 'activation', which is no name of in_channels, out_ch"),
        ({"inputs": ", mask"}, "Conv.forward(x, mask): forward method requires 'mask'"),
        ({"state": "self.w = self.w.reshape(-1, out_channels)"}, "where WEIGHTS = 'OIHW' means (4, 3, 3, 3)"),
        ({"state": "self.b = np.zeros((7, 3))"}, "b has shape (7, 3), which is no bias of 4 output channels"),
        ({"state": "self.nothing()"}, "could not be constructed and called on a small image: AttributeError"),
    ],
)
def test_layers_that_cannot_be_bound(write: Write, changes: dict[str, str], said: str) -> None:
    assert said in error(layer(write, **changes))


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"LAYUOT": "NHWC"}, "unknown declaration 'LAYUOT'"),
        (
            {"LAYOUT": "NWHC"},
            "LAYOUT must be one of 'NCHW', 'NHWC', 'CHW', 'HWC', 'HW', not 'NWHC'; did you mean 'NHWC'?",
        ),
        ({"WEIGHTS": "HWOI"}, "WEIGHTS must be one of"),
        ({"BIAS": "2O"}, "BIAS must be one of"),
        (
            {"PARAMETERS": "stride pad"},
            'PARAMETERS = "stride pad" is not a list of parameters; write for example "stride',
        ),
        ({"LIBRARY": "torhc"}, "LIBRARY must be one of 'numpy', 'torch', 'jax', not 'torhc'; did you mean 'torch'?"),
        ({"LIBRARY": "jax"}, "LIBRARY is jax, and the target does not import jax; import it there"),
    ],
)
def test_wrong_declarations(write: Write, declared: dict[str, str], said: str) -> None:
    assert said in error(write("def forward(x, w): return x\n"), **declared)
