"""ACTIVATIONS, delta, output_delta and error: what is bound, and why something is not."""

from __future__ import annotations

import numpy as np
import pytest

from backproof import strictness
from backproof.contract import Geometry, Points
from backproof.events import TargetBound
from backproof.report import cases
from backproof.report.words import heading
from backproof.targets.calls import Program, Request, Step
from backproof.targets.errors import TargetError
from backproof.targets.process import Target
from backproof.targets.roles import activation_roles, described
from backproof.targets.styles.activations import OURS, read_activations

WRITE = 'write ACTIVATIONS = {"relu": (relu, relu_derivative)}, both functions of the pre-activation c'


def a(c):
    return c


def two(c, d):
    return c


PROBLEMS = [
    ([a, a], "ACTIVATIONS is of type list, not a dictionary"),
    ({}, "ACTIVATIONS is empty"),
    ({"f": a}, "ACTIVATIONS['f']: it is of type function, not a pair (a, a')"),
    ({"f": (a,)}, "ACTIVATIONS['f']: it is 1 items, not a pair (a, a')"),
    ({"f": (a, None)}, "ACTIVATIONS['f']: a' is None, not a function"),
    ({"f": (two, a)}, "ACTIVATIONS['f']: a, two, takes c, d; it must take c alone"),
    ({"f": (a, lambda: 1)}, "ACTIVATIONS['f']: a', <lambda>, takes no array; it must take c alone"),
    ({3: (a, a)}, "ACTIVATIONS[3]: the name is of type int, not a text"),
]


@pytest.mark.parametrize(("table", "problem"), PROBLEMS)
def test_entries_that_cannot_be_called(table, problem) -> None:
    assert read_activations({"ACTIVATIONS": table}) == ({}, (f"{problem}; {WRITE}",))


def test_entries_that_can() -> None:
    table = {"tanh": (np.tanh, lambda c, *, slope=1: c), "relu": [a, a]}
    pairs, gaps = read_activations({"ACTIVATIONS": table})
    assert (list(pairs), gaps) == (["tanh", "relu"], ())
    assert read_activations({}) == ({}, ("activations: no ACTIVATIONS",))


def test_names_of_the_functions() -> None:
    value, derivative = activation_roles("relu")
    assert (described(value).returns, described(derivative).returns) == (("o",), ("da",))


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ours_keep_shape_and_dtype_and_their_input(name, dtype) -> None:
    c = np.array([[-3, -1, 0, 2]], dtype)
    for function in OURS[name]:
        result = function(c)
        assert (result.shape, result.dtype) == (c.shape, c.dtype)
        assert not np.shares_memory(result, c)


def opened(tmp_path, text) -> Target:
    path = tmp_path / "chained.py"
    path.write_text(text, encoding="utf-8")
    return Target.open(str(path))


DELTAS = """
def forward(x, w): return x
def delta(delta_next, w_next, c): return c
def output_delta(o, t): return o - t
def error(message): raise RuntimeError(message)
ACTIVATIONS = ["relu"]
"""


def test_what_is_left_out_is_listed(tmp_path) -> None:
    with opened(tmp_path, DELTAS) as target:
        gaps = [gap for gap in target.binding.not_bound if gap.startswith(("delta", "output_delta", "ACT", "error"))]
        assert [function.role for function in target.binding.functions] == ["forward"]
    assert [gap[:30] for gap in gaps] == [
        "ACTIVATIONS is of type list, n",
        "delta: delta(delta_next, w_nex",
        "output_delta: output_delta(o, ",
    ]
    assert "delta has no parameter for activation_derivative (known as activation_derivative, derivative" in gaps[1]
    assert 'SIGNATURE = {"output_delta": "o, t, activation_derivative, c"}' in gaps[2]


def test_a_target_of_which_nothing_can_be_called(tmp_path) -> None:
    with pytest.raises(
        TargetError, match=r"chained.py: ACTIVATIONS\['relu'\]: it is of type int, not a pair \(a, a'\); write ACT"
    ):
        opened(tmp_path, 'ACTIVATIONS = {"relu": 3}')
    with pytest.raises(TargetError, match=r"chained.py: delta: delta\(x\): delta requires 'x', which is no name of"):
        opened(tmp_path, "def delta(x): return x")
    for text in ('ACTIVATIONS = ["relu"]', "def error(message): return 1"):
        with pytest.raises(TargetError, match="has no function `forward`"):
            opened(tmp_path, text)


ALONE = """
import numpy as np
def relu(c): return np.maximum(c, 0)
ACTIVATIONS = {"relu": (relu, lambda c: (c > 0).astype(c.dtype)), "tanh": (np.tanh, 3)}
"""


def test_a_target_of_activations_alone(tmp_path) -> None:
    with opened(tmp_path, ALONE) as target:
        assert target.binding.activations == ("relu",)
        assert [function.display for function in target.binding.functions] == ["relu(c)", "<lambda>(c)"]
        assert any("a' is 3, not a function" in gap for gap in target.binding.not_bound)
        c = np.array([-1.0, 0.0, 2.0])
        reply = target.call(Request(Points((3,)), {"c": c}, {"c": "reversed"}, activation_roles("relu")))
        assert reply.values["o"].tolist() == [0, 0, 2]
        assert reply.values["da"].tolist() == [0, 0, 1]
        with pytest.raises(ValueError, match="no forward"):
            target.call(Request(Geometry(bias=False), {"c": c}, {}, activation_roles("relu")[:1]))
        with pytest.raises(ValueError, match="needs the array c"):
            target.call(Request(Points((3,)), {"o": c}, {}, activation_roles("relu")[:1]))


CHAIN = """
import numpy as np
from backproof.targets.adapters.plain_numpy import delta, output_delta
def loud(c):
    c[...] = 7
    return c + 1
ACTIVATIONS = {"relu": (lambda c: np.maximum(c, 0), lambda c: (c > 0).astype(c.dtype)), "loud": (loud, loud)}
"""


def test_a_derivative_is_handed_in_by_name(tmp_path) -> None:
    c = np.array([[[[-1.0, 0.0, 2.0]]]])
    with opened(tmp_path, CHAIN) as target:
        arrays = {"o": 2 * c, "t": c, "c": c}
        for activation, expected in (("our square", [2, 0, 8]), ("relu", [0, 0, 2])):
            reply = target.call(Request(Points(c.shape), arrays, {}, ("output_delta",), activation))
            assert reply.values["output delta"].ravel().tolist() == expected
        with pytest.raises(ValueError, match="delta does not go with a Points"):
            target.call(Request(Points(c.shape), arrays, {}, ("delta",), "relu"))
        with pytest.raises(ValueError, match="takes a derivative; name an activation, such as 'our square'"):
            target.call(Request(Points(c.shape), arrays, {}, ("output_delta",)))


def test_a_program_hands_arrays_on_and_sees_them_change(tmp_path) -> None:
    points, c = Points((2,)), np.array([-1.0, 3.0])
    steps = (
        Step("our square", points, (("c", "c"),), (("o", "o"),)),
        Step("subtract", points, (("o", "o"), ("t", "c")), (("do", "do"),)),
        Step("multiply", points, (("u", "do"), ("v", "o")), (("delta", "product"),)),
        Step("activation loud", points, (("c", "o"),), (("o", "loud"),)),
        Step("activation relu", points, (("c", "nothing"),), (("o", "last"),)),
    )
    with opened(tmp_path, CHAIN) as target:
        trail = target.follow(Program(steps, {"c": c}, {"c": "reversed"}))
    assert {name: value.tolist() for name, value in trail.values.items()} == {
        "o": [1, 9],
        "do": [2, 6],
        "product": [2, 54],
        "loud": [8, 8],
    }
    assert trail.overwritten == ((3, "o"),)
    assert trail.stopped == 4
    assert trail.reply.what == "was not returned by the function that has to compute it"


# ---- how it is told


def bound(functions, not_bound=()) -> TargetBound:
    roles = [{"role": role, "display": "", "parameters": []} for role in functions]
    return TargetBound("t", "t.py", None, "convolution", False, roles, {}, "never", [], [], [], [], [], list(not_bound))


def test_activations_are_named_in_one_line() -> None:
    told = heading(bound(["forward", "activation relu", "activation relu derivative", "activation tanh"]))
    assert told == "t (t.py): forward, activations (relu, tanh); convolution"


def test_each_check_asks_for_its_own_gaps() -> None:
    gaps = [
        "activations: no ACTIVATIONS",
        "ACTIVATIONS['f']: it is 1 items",
        "delta: no a'",
        "pooling: none",
        "y: none",
    ]
    target = bound([], gaps)
    assert strictness.not_bound(target, ["activations"]) == gaps[:2]
    assert strictness.not_bound(target, ["pooling"]) == ["pooling: none"]
    assert strictness.not_bound(target, ["chain"]) == ["delta: no a'", "y: none"]
    assert strictness.not_bound(target, ["exact"]) == ["y: none"]


NETWORK = {
    "layers": [
        {**Geometry(1, 1, 2, (2, 2), (1, 2)).as_dict(), "activation": "square", "pooling": {"kind": "sum"}},
        {**Geometry(1, 2, 1, (1, 1)).as_dict(), "activation": "relu", "pooling": None},
    ],
    "dtype": "float32",
}


def test_a_network_is_told_layer_by_layer() -> None:
    assert cases.line(NETWORK) == (
        "2 layers: x (1, 1, 2, 2), w (2, 1, 1, 2) square with sum pooling, w (1, 2, 1, 1) relu, float32"
    )
    layers = next(row for row in cases.rows(NETWORK) if row.label.startswith("layers"))
    first, second = layers.text.splitlines()
    assert first.startswith("1. x (1, 1, 2, 2), w (2, 1, 1, 2)")
    assert "square" in first
    assert first.endswith("sum pooling")
    assert "relu" in second


def test_points_are_told() -> None:
    assert cases.line({"activation": "tanh", "points": ["0.5"], "shape": [1], "dtype": "float64"}) == (
        "tanh, c (0.5), float64"
    )
    assert "of shape (2, 3)" in cases.line({"activation": "relu", "shape": [2, 3], "dtype": "float64"})
