"""JAX's adapter agrees with sums of Python integers; its known defects are shown by programs and delimited."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backproof.contract import Geometry, PoolGeometry
from backproof.targets.calls import Excluded, NotSupported, Request, Results
from backproof.targets.declarations import CallDescription, KnownDefect
from backproof.targets.process import Target
from backproof_spec import oracle

pytestmark = pytest.mark.jax
jax = pytest.importorskip("jax", reason="the extra `jax` is not installed")

from backproof.targets.adapters.jax_defects import KNOWN_DEFECTS  # noqa: E402 - its adapter needs jax

ROOT = Path(__file__).resolve().parents[2]
DEFECTS = {defect.name: defect for defect in KNOWN_DEFECTS}


def conv(*sizes: Any, **options: Any) -> Geometry:
    return Geometry(*sizes, orientation="cross-correlation", **options)


GEOMETRIES = [
    conv(2, 4, 6, (5, 4), (3, 2), stride=(2, 1), padding=((2, 1), (0, 1)), dilation=(1, 2), groups=2),
    conv(2, 3, 2, (3, 4), (2, 3), padding=((4, 0), (0, 5)), padding_mode="circular", bias=False),
    conv(0, 2, 3, (3, 3), (2, 2)),
]
POOLS = [
    PoolGeometry(kind, 2, 2, (5, 4), (3, 2), (2, 1), ((1, 1), (3, 0)), (1, 1 if kind == "max" else 2))  # type: ignore[arg-type]
    for kind in ("max", "average", "sum")
]


@pytest.fixture(scope="module")
def target() -> Any:
    with Target.open("backproof.targets.adapters.jax_lax") as target:
        yield target


def integers(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).integers(-9, 10, shape)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("g", GEOMETRIES, ids=str)
def test_convolution(target: Target, g: Geometry, dtype: str) -> None:
    drawn = {role: integers(g.shape_of(role), n) for n, role in enumerate(("x", "w", "b", "dy"))}
    if not g.bias:
        del drawn["b"]
    layouts = {"x": "reversed", "w": "F", "dy": "sliced"} if g.batch else {}
    arrays = {role: array.astype(dtype) for role, array in drawn.items()}
    reply = target.call(Request(g, arrays, layouts, ("forward", "backward")))
    assert isinstance(reply, Results), reply
    y = oracle.convolution(drawn["x"], drawn["w"], drawn.get("b"), **g.options())
    gradients = oracle.convolution_gradients(drawn["dy"], drawn["x"], drawn["w"], **g.options())
    expected = dict(zip(("y", "dx", "dw", "db"), (y, *gradients), strict=True))
    for quantity, array in reply.values.items():
        assert array.dtype == dtype
        np.testing.assert_array_equal(array, expected[quantity], err_msg=quantity)
    assert set(reply.values) == {"y", "dx", "dw"} | ({"db"} if g.bias else set())
    assert (reply.mutated, reply.reused) == ((), ())


@pytest.mark.parametrize("g", POOLS, ids=lambda g: g.kind)
def test_pooling_with_ties(target: Target, g: PoolGeometry) -> None:
    """Of a tie, the first maximum has the gradient, row by row: the convention of the specification."""
    area = 6 if g.kind == "average" else 1
    x, dy = integers(g.x_shape, 0) // 5 * area, integers(g.y_shape, 1) * area
    arrays = {"x": x.astype("float32"), "dy": dy.astype("float32")}
    reply = target.call(Request(g, arrays, {}, (f"{g.kind}_pool", f"{g.kind}_pool_gradient")))
    assert isinstance(reply, Results), reply
    y = oracle.pooling(g.kind, x, **g.options())
    np.testing.assert_array_equal(reply.values["y"], np.where(y == oracle.LOWEST, -np.inf, y))
    np.testing.assert_array_equal(reply.values["dx"], oracle.pooling_gradient(g.kind, dy, x, **g.options()))


def test_it_says_what_it_leaves_out(target: Target) -> None:
    assert target.binding.orientation == "cross-correlation"
    assert target.binding.version == jax.__version__
    g = PoolGeometry("max", 1, 1, (3, 3), (2, 2), (1, 1), dilation=(1, 2))
    arrays = {"x": np.zeros(g.x_shape), "dy": np.zeros(g.y_shape)}
    reply = target.call(Request(g, arrays, {}, ("max_pool_gradient",)))
    assert isinstance(reply, NotSupported)
    assert "window dilation" in reply.reason
    arrays["x"][0, 0, 1, 1] = np.nan
    reply = target.call(
        Request(replace(g, dilation=(1, 1)), {**arrays, "dy": np.zeros((1, 1, 2, 2))}, {}, ("max_pool_gradient",))
    )
    assert isinstance(reply, NotSupported)
    assert "a maximum that is NaN" in reply.reason
    reply = target.call(Request(PIXEL, {"x": np.ones((1, 1, 1, 1)), "dy": np.ones((1, 1, 1, 1))}, {}, (SUM,)))
    assert reply == Excluded("pool-gradient")


# ---- known defects

SUM = "sum_pool_gradient"
EARLY = conv(1, 1, 8, (4, 3), (1, 2), padding=((0, 0), (2, 0)), bias=False)
PIXEL = PoolGeometry("sum", 1, 1, (1, 1), (1, 2), (1, 1), ((0, 0), (1, 1)), (1, 2))

INSIDE = [
    ("input-gradient", CallDescription("backward", EARLY, "float32", {})),
    ("input-gradient", CallDescription("backward", replace(EARLY, in_channels=2, groups=2), "float32", {})),
    ("pool-gradient", CallDescription(SUM, PIXEL, "float32", {})),
    ("pool-gradient", CallDescription("average_pool_gradient", replace(PIXEL, kind="average"), "float64", {})),
    ("pool-gradient", CallDescription(SUM, replace(PIXEL, batch=2, channels=3, stride=(3, 3)), "float64", {})),
]
BESIDE = [
    CallDescription("forward", EARLY, "float32", {}),
    CallDescription("backward", EARLY, "float64", {}),
    *(
        CallDescription("backward", replace(EARLY, **change), "float32", {})
        for change in (
            {"padding": ((0, 0), (2, 1))},
            {"padding": ((0, 0), (1, 0))},
            {"padding_mode": "circular"},
            {"stride": (1, 2)},
            {"dilation": (1, 2)},
            {"out_channels": 17},
            {"out_channels": 1},
        )
    ),
    CallDescription("sum_pool", PIXEL, "float32", {}),
    *(
        CallDescription(SUM, replace(PIXEL, **change), "float32", {})
        for change in (
            {"dilation": (1, 1), "padding": ((0, 0), (1, 0))},
            {"dilation": (1, 4), "padding": ((0, 0), (2, 2))},
            {"kernel_size": (1, 3), "padding": ((0, 0), (2, 2))},
            {"size": (1, 2)},
        )
    ),
]


@pytest.mark.parametrize(("name", "call"), INSIDE)
def test_inside(name: str, call: CallDescription) -> None:
    assert [defect.name for defect in KNOWN_DEFECTS if defect.applies(call)] == [name]


@pytest.mark.parametrize("call", BESIDE)
def test_beside(call: CallDescription) -> None:
    assert [defect.name for defect in KNOWN_DEFECTS if defect.applies(call)] == []


@pytest.mark.parametrize("call", [call for call in BESIDE if "pool" in call.function or call.dtype == "float64"])
def test_beside_is_right(target: Target, call: CallDescription) -> None:
    """What is delimited from outside is called, and right."""
    g = call.geometry
    drawn = {role: integers(getattr(g, f"{role.removeprefix('d')}_shape"), n) for n, role in enumerate(("x", "dy"))}
    if isinstance(g, Geometry):
        drawn["w"] = integers(g.w_shape, 2)
        expected = oracle.convolution_gradients(drawn["dy"], drawn["x"], drawn["w"], **g.options())[0]
    elif call.function == SUM:
        expected = oracle.pooling_gradient("sum", drawn["dy"], drawn["x"], **g.options())
    else:
        expected = oracle.pooling("sum", drawn["x"], **g.options())
    arrays = {role: array.astype(call.dtype) for role, array in drawn.items()}
    reply = target.call(Request(g, arrays, {}, (call.function,)))
    assert isinstance(reply, Results), reply
    np.testing.assert_array_equal(next(iter(reply.values.values())), expected)


@pytest.mark.parametrize("defect", KNOWN_DEFECTS, ids=lambda defect: defect.name)
def test_the_program_shows_the_defect_or_its_end(defect: KnownDefect) -> None:
    done = subprocess.run([sys.executable, ROOT / defect.script], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    assert f"jax {jax.__version__}" in done.stdout
    if jax.__version__ == "0.10.2" and defect.name == "pool-gradient":  # the other depends on the instruction set
        assert done.returncode == 1, done.stdout
    assert done.returncode in (0, 1)


def test_every_program_belongs_to_a_defect() -> None:
    programs = {path.name for path in (ROOT / "examples" / "defects").glob("jax_*.py")}
    assert programs == {Path(defect.script).name for defect in KNOWN_DEFECTS}
