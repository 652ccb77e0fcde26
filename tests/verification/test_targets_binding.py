"""Signatures, synonyms, forms and declarations are read as documented; what cannot be read is said clearly."""

import re
from dataclasses import replace

import numba
import numpy as np
import pytest

from backproof.contract import Geometry, PoolConventions, PoolGeometry
from backproof.targets.declarations import CallDescription, KnownDefect, read_declarations
from backproof.targets.errors import TargetError
from backproof.targets.forms import express, form_of
from backproof.targets.reading import bind

GEOMETRY = Geometry(size=(5, 5), kernel_size=(3, 2), stride=(2, 2), padding=((1, 1), (1, 1)), bias=False)


def binding(declared=None, constants=None, **functions):
    declarations = read_declarations(constants or {}, declared or {})
    return bind(functions, declarations, name="mine", origin="mine.py", version=None)


def arguments(function, geometry=GEOMETRY, declared=None, **arrays):
    bound = binding(declared, forward=function).function("forward")
    return bound.arguments(geometry, {"x": "X", "w": "W", **arrays})


# ---- synonyms, forms, how arguments are passed


def test_synonyms_and_forms():
    def forward(A_prev, kernel, bias=None, strides=1, pad=(0, 0), *, dilation=(1, 1), groups=1): ...

    assert arguments(forward, b="B") == (["X", "W", "B", 2, (1, 1)], {"dilation": (1, 1), "groups": 1})
    assert arguments(forward)[0][2] is None


def test_without_defaults_options_come_in_full_form():
    def forward(x, w, stride, padding): ...

    assert arguments(forward) == (["X", "W", (2, 2), ((1, 1), (1, 1))], {})


def test_behind_an_unknown_default_options_go_by_name():
    def forward(x, w, epsilon=1e-9, stride=1): ...

    assert arguments(forward) == (["X", "W"], {"stride": 2})


def test_shapes_are_given_to_gradients_that_ask_for_them():
    def input_gradient(grad_output, weight, input_shape): ...

    bound = binding(forward=lambda x, w: x, input_gradient=input_gradient).function("input_gradient")
    assert bound.arguments(GEOMETRY, {"dy": "D", "w": "W", "x": "X"}) == (["D", "W", (1, 1, 5, 5)], {})


def test_pooling():
    def max_pool(x, kernel, stride=None): ...

    bound = binding(max_pool=max_pool)
    geometry = PoolGeometry(size=(4, 4), kernel_size=(2, 2), stride=(2, 2))
    assert bound.function("max_pool").arguments(geometry, {"x": "X"})[0] == ["X", (2, 2), (2, 2)]
    assert bound.refuses(geometry) is None
    assert "y: no forward" in bound.not_bound
    assert "dx of max_pool: no max_pool_gradient" in bound.not_bound


def test_a_pooling_without_stride_steps_by_its_kernel():
    bound = binding(sum_pool=lambda x, pool_size: x)
    assert bound.refuses(PoolGeometry("sum", kernel_size=(2, 2), size=(4, 4), stride=(2, 2))) is None
    refusal = bound.refuses(PoolGeometry("sum", kernel_size=(2, 2), size=(4, 4), stride=(1, 1)))
    assert refusal == "sum_pool has no parameter for stride=(1, 1)"


def test_annotations_are_not_displayed():
    def forward(x: np.ndarray, w: np.ndarray, *, stride: int = 1) -> np.ndarray: ...

    assert binding(forward=forward).function("forward").display == "forward(x, w, *, stride=1)"


def test_numba_dispatchers_are_read():
    @numba.njit
    def forward(x, w, stride=1):
        return x

    assert dict(binding(forward=forward).options) == {"stride": "int"}


@pytest.mark.parametrize(
    ("option", "default", "form"),
    [
        ("stride", 1, "int"),
        ("stride", (1, 1), "pair"),
        ("stride", [1, 1], "pair"),
        ("stride", None, "pair"),
        ("stride", "1", None),
        ("stride", True, None),
        ("stride", (1, 1, 1), None),
        ("stride", ((0, 0), (0, 0)), None),
        ("padding", 0, "int"),
        ("padding", (0, 0), "pair"),
        ("padding", ((0, 0), (0, 0)), "sides"),
        ("padding", "valid", None),
        ("groups", 1, "int"),
        ("groups", (1, 1), None),
        ("padding_mode", "zeros", "name"),
        ("padding_mode", 0, None),
    ],
)
def test_form_of(option, default, form):
    assert form_of(option, default) == form


def test_express():
    assert express("padding", ((1, 1), (1, 1)), "int") == 1
    assert express("padding", ((1, 1), (2, 2)), "pair") == (1, 2)
    assert express("stride", (3, 3), "int") == 3
    with pytest.raises(ValueError, match=re.escape("stride=(2, 1) cannot be written in the form 'int'")):
        express("stride", (2, 1), "int")
    for form in ("int", "pair"):
        with pytest.raises(ValueError, match="cannot be written"):
            express("padding", ((1, 0), (0, 0)), form)


# ---- what is supported


def test_bias_is_read_from_the_signature():
    assert binding(forward=lambda x, w: x).bias == "never"
    assert binding(forward=lambda x, w, b=None: x).bias == "optional"
    assert binding(forward=lambda x, w, b: x).bias == "always"


def test_refuses():
    bound = binding(forward=lambda x, w, stride=1: x)
    assert bound.refuses(Geometry(stride=(2, 2), bias=False)) is None
    assert bound.refuses(Geometry(stride=(2, 2))) == "forward takes a bias never, and bias=True"
    assert bound.refuses(Geometry(stride=(2, 1), bias=False)).startswith("forward: stride=(2, 1)")
    assert bound.refuses(Geometry(groups=2, bias=False)) == "forward has no parameter for groups=2"
    assert bound.refuses(PoolGeometry()) == "no max_pool"


def test_orientation_is_the_targets_unless_it_takes_one():
    assert binding(forward=lambda x, w: x).refuses(Geometry(orientation="cross-correlation", bias=False)) is None
    declared = binding({"ORIENTATION": "convolution"}, forward=lambda x, w: x)
    assert declared.orientation == "convolution"
    refusal = declared.refuses(Geometry(orientation="cross-correlation", bias=False))
    assert refusal == "forward computes a convolution, not a cross-correlation"


def test_not_bound():
    bound = binding(forward=lambda x, w, b, stride, dilation: x, weight_gradient=lambda dy, x, stride: x)
    assert bound.not_bound == (
        "dx: no backward or input_gradient",
        "db: no backward or bias_gradient",
        "weight_gradient with dilation: it has no such parameter, unlike forward",
        "pooling: no max_pool, average_pool or sum_pool",
    )


# ---- signatures that do not say enough


def refused(function, declared=None, role="forward") -> str:
    with pytest.raises(TargetError) as caught:
        binding(declared, **{role: function})
    return str(caught.value)


def test_unknown_required_parameter():
    def forward(x, w, strid): ...

    assert refused(forward) == (
        "forward(x, w, strid): forward requires 'strid', which is no name of x, w, b, x_shape, w_shape, kernel_size, "
        "stride, padding, dilation, groups, padding_mode, orientation; did you mean 'stride'?; rename it, or "
        'declare what it takes, in order: SIGNATURE = "x, w, b, stride, padding"'
    )


def test_star_arguments():
    def backward(*everything): ...

    message = refused(backward, role="backward")
    assert message.startswith("backward(*everything): *everything hides what backward takes; declare")
    assert 'SIGNATURE = {"backward": "dy, x, w, stride, padding"}' in message


def test_signature_that_python_cannot_read():
    message = refused(max)
    assert message.startswith("the signature of forward cannot be read")
    assert 'SIGNATURE = "x, w, b, stride, padding"' in message


def test_missing_and_doubled_roles():
    def forward(x, stride): ...

    def doubled(x, image, w): ...

    assert "forward has no parameter for w (known as w, weight, weights, kernel" in refused(forward)
    assert "x and image both mean x" in refused(doubled)


def test_default_of_unknown_form():
    def forward(x, w, padding="valid"): ...

    assert (
        "the default of padding shows no form of padding that is known; write 0, (0, 0) or ((0, 0), (0, 0))"
        in refused(forward)
    )


# ---- declarations


def test_signature_declared():
    def forward(*everything): ...

    positional, keywords = arguments(forward, declared={"SIGNATURE": "x, w, b=None, stride=1, padding=(0, 0)"})
    assert (positional, keywords) == (["X", "W", None, 2, (1, 1)], {})
    both = {"SIGNATURE": "forward: x, w; backward: dy, x, w"}
    bound = binding(both, forward=forward, backward=forward)
    assert [item.role for item in bound.function("backward").parameters] == ["dy", "x", "w"]
    table = binding(constants={"SIGNATURE": {"forward": "w, x"}}, forward=forward)
    assert [item.role for item in table.function("forward").parameters] == ["w", "x"]


def test_declarations_are_stronger_than_constants():
    declared = read_declarations({"ORIENTATION": "convolution"}, {"ORIENTATION": "cross-correlation"})
    assert declared.orientation == "cross-correlation"


def test_values():
    declared = read_declarations(
        {"DTYPES": [np.float32], "LAYOUTS_EXCLUDED": ("reversed", "F"), "ALGORITHM": "indirect", "VERSION": "1.2"}, {}
    )
    assert declared.dtypes == ("float32",)
    assert declared.layouts_excluded == ("reversed", "F")
    assert (declared.algorithm, declared.version) == ("indirect", "1.2")
    assert read_declarations({"FLUSHES_SUBNORMALS": True}, {}).flushes_subnormals
    assert not read_declarations({"FLUSHES_SUBNORMALS": True}, {"FLUSHES_SUBNORMALS": "false"}).flushes_subnormals
    assert binding(constants={"FLUSHES_SUBNORMALS": True}, forward=lambda x, w: x).flushes_subnormals
    assert read_declarations({}, {"DTYPES": "float32, float64"}).dtypes == ("float32", "float64")
    bound = binding(constants={"LAYOUTS_EXCLUDED": ["reversed"]}, forward=lambda x, w: x)
    assert "reversed" not in bound.layouts
    assert len(bound.layouts) == 8


def test_conventions_of_pooling():
    assert read_declarations({}, {}).pooling == PoolConventions("first", "kernel")
    assert read_declarations({"POOLING": {"ties": "any"}}, {}).pooling == PoolConventions("any", "kernel")
    assert read_declarations({}, {"POOLING": "ties=split, divisor = valid"}).pooling == PoolConventions(
        "split", "valid"
    )
    with pytest.raises(TargetError, match=r'POOLING must be such as \{"ties": "last"\} or "ties=last.*", not 3'):
        read_declarations({"POOLING": 3}, {})


POOL = PoolGeometry("average", size=(3, 3), kernel_size=(2, 2), stride=(2, 2), padding=((1, 1), (1, 1)))


def test_the_divisor_is_an_option_or_declared():
    def average_pool(x, *, kernel_size, padding=0): ...

    def with_option(x, *, kernel_size, padding=0, include_pad=True): ...

    without = replace(POOL, count_include_pad=False, size=(4, 4))
    for declared, refused, accepted in ((None, without, POOL), ({"POOLING": "divisor=valid"}, POOL, without)):
        bound = binding(declared, average_pool=average_pool)
        assert bound.refuses(accepted) is None
        value = refused.count_include_pad
        assert bound.refuses(refused) == f"average_pool has no parameter for count_include_pad={value}"
        assert binding(declared, average_pool=with_option).refuses(refused) is None
    parameters = binding(average_pool=with_option).function("average_pool").arguments(without, {"x": "X"})
    assert parameters == (["X"], {"kernel_size": (2, 2), "padding": 1, "include_pad": False})
    nowhere = replace(without, size=(1, 1), kernel_size=(1, 1), stride=(1, 1))
    assert binding(average_pool=with_option).refuses(nowhere) == "the average of a window without pixels is 0/0"


def test_ceil_mode_is_an_option():
    def max_pool(x, kernel_size, ceil=False): ...

    def max_pool_gradient(dy, x, kernel_size): ...

    pool = replace(POOL, kind="max", padding=((0, 0), (0, 0)), ceil_mode=True)
    bound = binding(max_pool=max_pool, max_pool_gradient=max_pool_gradient)
    assert bound.refuses(pool) is None
    assert bound.function("max_pool").arguments(pool, {"x": "X"}) == (["X", (2, 2), True], {})
    assert bound.function("max_pool").arguments(replace(pool, ceil_mode=False), {"x": "X"})[0][2] is False
    refusal = bound.function("max_pool_gradient").refuses(pool)
    assert refusal == "max_pool_gradient has no parameter for ceil_mode=True"


def test_a_flag_is_no_number():
    assert form_of("ceil_mode", False) == form_of("count_include_pad") == "flag"
    assert form_of("ceil_mode", 0) is form_of("stride", True) is form_of("padding", False) is None

    def max_pool(x, kernel_size, ceil_mode=1): ...

    with pytest.raises(TargetError, match=r"the default of ceil_mode shows no form of ceil_mode .*; write False"):
        binding(max_pool=max_pool)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("ORIENTATON", "x", "unknown declaration 'ORIENTATON'; the keys are .*; did you mean 'ORIENTATION'?"),
        (
            "ORIENTATION",
            "convolutoin",
            r"ORIENTATION must be one of 'convolution', .*, not 'convolutoin'; did you mean 'convolution'\?",
        ),
        ("DTYPES", "float16", "DTYPES must be one of 'float32', 'float64', not 'float16'; did you mean"),
        ("ALGORITHM", "fft", "ALGORITHM must be one of 'direct', 'indirect', not 'fft'"),
        ("POOLING", "tie=last", "a key of POOLING must be one of 'ties', 'divisor', not 'tie'; did you mean 'ties'"),
        ("POOLING", "ties=lst", "ties of POOLING must be one of 'first', 'last', .*; did you mean 'last'"),
        ("POOLING", "divisor=vaild", "divisor of POOLING must be one of 'kernel', 'valid', .*; did you mean 'valid'"),
        (
            "POOLING",
            "ceil_mode=True",
            "ceil_mode is no key of POOLING; it is an option of the signature: ceil_mode=False",
        ),
        ("FLUSHES_SUBNORMALS", "yes", "FLUSHES_SUBNORMALS must be one of 'true', 'false', not 'yes'"),
        ("LAYOUTS_EXCLUDED", "revresed", r"LAYOUTS_EXCLUDED must be one of .*; did you mean 'reversed'\?"),
        ("SIGNATURE", "x w", 'SIGNATURE = "x w" is not a list of parameters; write for example "x, w, b'),
        ("SIGNATURE", "x, *w", "is not a list of parameters"),
        ("SIGNATURE", "forwad: x, w", r"a function in SIGNATURE must be one of .*; did you mean 'forward'\?"),
    ],
)
def test_wrong_declarations(key, value, message):
    with pytest.raises(TargetError, match=message):
        read_declarations({}, {key: value})


def test_wrong_constants():
    with pytest.raises(TargetError, match=r"DTYPES is empty; name at least one of float32, float64"):
        read_declarations({"DTYPES": ()}, {})
    with pytest.raises(TargetError, match=r"DTYPES must be names such as .*, not 32"):
        read_declarations({"DTYPES": 32}, {})
    with pytest.raises(TargetError, match=r"KNOWN_DEFECTS must hold KnownDefect\(.*\), not 'L092'"):
        read_declarations({"KNOWN_DEFECTS": ["L092"]}, {})


def test_known_defects_are_listed_without_their_predicates():
    def never(call: CallDescription) -> bool:
        return False

    defects = (KnownDefect("D1", "summary", "script.py", never),)
    assert binding(constants={"KNOWN_DEFECTS": defects}, forward=lambda x, w: x).known_defects == (
        ("D1", "summary", "script.py"),
    )
