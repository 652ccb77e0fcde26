"""The foreign mutants: their bases are right, and each is wrong where it says so, and nearly nowhere else.

Right means: equal, to the last bit, to the loop `convolution` below, which is written from the contract alone.
"""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from backproof.cli import cli
from backproof.contract import Geometry, PoolGeometry
from backproof.museum.foreign import FOREIGN, Foreign, Witness
from backproof.museum.foreign.bases import Columns, Loops, Plain
from backproof.museum.foreign.pools import Pools
from backproof.museum.foreign.windows import Indexed, Shifted, Sliding

NEUTRAL: dict[str, Any] = {
    "stride": (1, 1),
    "padding": ((0, 0), (0, 0)),
    "dilation": (1, 1),
    "groups": 1,
    "padding_mode": "zeros",
}


# Geometries and calls


def uniform(name: str, value: Any, default: Any) -> tuple[Any, Any]:
    """What can be said in the form of the default (one int, a pair, four sides), and how it is said."""
    first = value[0][0] if name == "padding" else value[0]
    if isinstance(default, int):
        return ((first, first), (first, first)) if name == "padding" else (first, first), first
    if name == "padding" and default is not inspect.Parameter.empty and isinstance(default[0], int):
        pair = (value[0][0], value[1][0])
        return tuple((p, p) for p in pair), pair
    return value, value


def fitted(function: Any, geometry: Any) -> tuple[Any, dict[str, Any]]:
    """The geometry as far as the signature goes, and the options to pass."""
    parameters, changes, passed = inspect.signature(function).parameters, {}, {}
    for name, value in geometry.options().items():
        if name in parameters:
            changes[name], passed[name] = value, value
            if name in ("stride", "padding", "dilation"):
                changes[name], passed[name] = uniform(name, value, parameters[name].default)
        elif name in NEUTRAL:
            changes[name] = NEUTRAL[name]
    return replace(geometry, **changes), passed


def random_geometry(rng: np.random.Generator, target: Any, pool: str = "") -> Any:
    """Outputs and remainders are drawn first, and the image size follows."""

    def pair(high: int, low: int = 1) -> tuple[int, int]:
        return int(rng.integers(low, high)), int(rng.integers(low, high))

    while True:
        kernel, stride, dilation = pair(4), pair(4), pair(3)
        padding = (pair(3, 0), pair(3, 0)) if rng.random() < 0.6 else ((0, 0), (0, 0))
        common = {"batch": int(rng.integers(1, 4)), "kernel_size": kernel}
        options = {"stride": stride, "padding": padding, "dilation": dilation}
        if pool:
            kernel_reach = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
            options["padding"] = tuple((min(a, r), min(b, r)) for (a, b), r in zip(padding, kernel_reach, strict=True))
            drawn: Any = PoolGeometry(pool, channels=int(rng.integers(1, 4)), **common, **options)  # type: ignore[arg-type]
            fit, _ = fitted(getattr(target, f"{pool}_pool"), drawn)
        else:
            g = int(rng.integers(1, 4))
            channels = {"in_channels": g * int(rng.integers(1, 3)), "out_channels": g * int(rng.integers(1, 4))}
            mode = {"padding_mode": str(rng.choice(["zeros", "circular"]))}
            turned = {"orientation": str(rng.choice(["convolution", "cross-correlation"]))}
            drawn = Geometry(groups=g, **channels, **common, **options, **mode, **turned)  # type: ignore[arg-type]
            fit, _ = fitted(target.forward, drawn)
        s, p, d = fit.stride, fit.padding, fit.dilation
        out, rest = pair(5), (int(rng.integers(0, s[0])), int(rng.integers(0, s[1])))
        size = tuple((out[a] - 1) * s[a] + d[a] * (kernel[a] - 1) + 1 - sum(p[a]) + rest[a] for a in (0, 1))
        if min(size) > 0:
            return replace(fit, size=size)


def numbers(rng: np.random.Generator, shape: tuple[int, ...], data: str) -> np.ndarray[Any, Any]:
    odd = 2 * rng.integers(0, 2**14, shape) + 1
    kinds = {
        "large": odd * rng.choice([-1, 1], shape),
        "halves": (2 * rng.integers(-4, 4, shape) + 1) / 2,
        "tiny": rng.integers(1, 4, shape) / 2**12,
        "negative": -rng.integers(1, 9, shape),
        "constant": np.ones(shape),
    }
    return np.asarray(kinds.get(data, rng.integers(1, 9, shape) * rng.choice([-1, 1], shape)), float)


def arrays(rng: np.random.Generator, geometry: Any, witness: Witness) -> list[np.ndarray[Any, Any]]:
    """`x, w, b, dy`, or `x, dy` for a pooling."""
    g = geometry
    pooling = isinstance(g, PoolGeometry)
    shapes = [g.x_shape, g.y_shape] if pooling else [g.x_shape, g.w_shape, g.b_shape, g.y_shape]
    made = [numbers(rng, shape, witness.data) for shape in shapes]
    if witness.data == "symmetric":
        made[1] = made[1] + made[1].swapaxes(2, 3)
    if witness.data == "cancelling":
        made[-1].flat[0] -= made[-1].sum()
    if witness.data in ("last only", "not a number"):
        made[-1][0] = 0
    if witness.data == "not a number":
        made[0].flat[0] = np.nan
    return [np.array(a, witness.dtype, order=witness.layout) for a in made]


def steps(target: Any, geometry: Any, given: list[Any]) -> list[tuple[tuple[str, ...], Any]]:
    """The calls of one forward and backward pass: what each returns, and how it is made."""
    if isinstance(geometry, PoolGeometry):
        x, dy = given
        name = f"{geometry.kind}_pool"
        pool, gradient = getattr(target, name), getattr(target, f"{name}_gradient")
        options = fitted(pool, geometry)[1]
        return [((name,), lambda: pool(x, **options)), ((f"{name}_gradient",), lambda: gradient(dy, x, **options))]
    x, w, b, dy = given
    options = fitted(target.forward, geometry)[1]
    forward = (("y",), lambda: target.forward(x, w, b, **options))
    if hasattr(target, "backward"):
        return [forward, (("dx", "dw", "db"), lambda: target.backward(dy, x, w, b, **options))]
    return [
        forward,
        (("dx",), lambda: target.input_gradient(dy, x, w, **options)),
        (("dw",), lambda: target.weight_gradient(dy, x, w, **options)),
        (("db",), lambda: target.bias_gradient(dy)),
    ]


def results(target: Any, witness: Witness) -> list[tuple[str, Any]]:
    """All results of all calls, looked at in the end; a changed argument and a refusal are results, too.

    All forward passes come first.  A witness with refilled memory has one pass after the other in the same arrays.
    """
    rng, kept = np.random.default_rng(1), []
    held = [arrays(rng, geometry, witness) for geometry in witness.calls]
    if witness.refilled:
        held = [held[0]] * len(held)
    passes = [[(given, step) for step in steps(target, g, given)] for g, given in zip(witness.calls, held, strict=True)]
    plan = [p[0] for p in passes] + [step for p in passes for step in p[1:]]
    for given, (names, call) in [step for p in passes for step in p] if witness.refilled else plan:
        if witness.refilled:
            for old in given:
                old[...] = numbers(rng, old.shape, witness.data)
        before = [a.copy() for a in given]
        try:
            made = call()
        except (IndexError, ValueError) as error:
            made = [type(error).__name__] * len(names)
        kept += zip(names, made if len(names) > 1 or isinstance(made, list) else [made], strict=True)
        kept += [
            (names[0], not np.array_equal(old, now, equal_nan=True)) for old, now in zip(before, given, strict=True)
        ]
    return kept


def same(one: Any, other: Any) -> bool:
    """Equal in type, shape and every bit that counts."""
    if not isinstance(one, np.ndarray) or not isinstance(other, np.ndarray):
        return bool(type(one) is type(other) and one == other)
    return one.dtype == other.dtype and one.shape == other.shape and np.array_equal(one, other, equal_nan=True)


def differing(mutant: Foreign, witness: Witness) -> set[str]:
    """The quantities in which a fresh mutant and its base differ."""
    wrong, right = results(type(mutant.target)(), witness), results(mutant.base(), witness)
    assert [name for name, _ in wrong] == [name for name, _ in right]
    return {name for (name, a), (_, b) in zip(wrong, right, strict=True) if not same(a, b)}


# The bases are right


def convolution(g: Geometry, x: Any, w: Any, b: Any, dy: Any) -> tuple[Any, Any, Any, Any]:
    """`y, dx, dw, db`, one product at a time."""
    y, dx, dw = np.zeros(g.y_shape), np.zeros(g.x_shape), np.zeros(g.w_shape)
    per_group = g.out_channels // g.groups
    for n, o, i, j in np.ndindex(*g.y_shape):
        y[n, o, i, j] = b[o]
        for c, u, v in np.ndindex(*g.w_shape[1:]):
            t, s = (
                (u, v) if g.orientation == "cross-correlation" else (g.kernel_size[0] - 1 - u, g.kernel_size[1] - 1 - v)
            )
            p = i * g.stride[0] + t * g.dilation[0] - g.padding[0][0]
            q = j * g.stride[1] + s * g.dilation[1] - g.padding[1][0]
            if g.padding_mode == "circular":
                p, q = p % g.size[0], q % g.size[1]
            if 0 <= p < g.size[0] and 0 <= q < g.size[1]:
                channel = o // per_group * g.w_shape[1] + c
                y[n, o, i, j] += x[n, channel, p, q] * w[o, c, u, v]
                dx[n, channel, p, q] += dy[n, o, i, j] * w[o, c, u, v]
                dw[o, c, u, v] += dy[n, o, i, j] * x[n, channel, p, q]
    return y, dx, dw, np.array([dy[:, o].sum() for o in range(g.out_channels)])


@pytest.mark.parametrize("base", [Plain, Loops, Columns, Shifted, Indexed, Sliding])
def test_a_base_is_right(base: type) -> None:
    rng, target = np.random.default_rng(3), base()
    for _ in range(40):
        g = random_geometry(rng, target)
        g = replace(g, orientation=getattr(target, "ORIENTATION", g.orientation))
        given = arrays(rng, g, Witness((g,)))
        x, w, b, dy = given
        expected = dict(zip(("y", "dx", "dw", "db"), convolution(g, x, w, b, dy), strict=True))
        for names, call in steps(target, g, given):
            made = call()
            for name, value in zip(names, made if len(names) > 1 else [made], strict=True):
                assert same(np.asarray(value), expected[name]), (base, name, g)


@pytest.mark.parametrize("kind", ["max", "average", "sum"])
def test_the_pooling_base_is_right(kind: str) -> None:
    rng, target = np.random.default_rng(4), Pools()
    for _ in range(40):
        g = random_geometry(rng, target, kind)
        x, dy = arrays(rng, g, Witness((g,)))
        x += np.arange(x.size).reshape(x.shape) / 2**12  # no two pixels are equal
        count = g.kernel_size[0] * g.kernel_size[1]
        dy *= count
        y, dx = np.zeros(g.y_shape), np.zeros(g.x_shape)
        for n, c, i, j in np.ndindex(*g.y_shape):
            places = [
                (
                    i * g.stride[0] + u * g.dilation[0] - g.padding[0][0],
                    j * g.stride[1] + v * g.dilation[1] - g.padding[1][0],
                )
                for u, v in np.ndindex(*g.kernel_size)
            ]
            pixels = {pq: x[n, c, pq[0], pq[1]] for pq in places if 0 <= pq[0] < g.size[0] and 0 <= pq[1] < g.size[1]}
            best = max(pixels, key=lambda pq: pixels[pq], default=None)
            y[n, c, i, j] = max(pixels.values(), default=-np.inf) if kind == "max" else sum(pixels.values())
            for pq in pixels:
                share = {"max": float(pq == best), "sum": 1, "average": 1 / count}[kind]
                dx[n, c, pq[0], pq[1]] += round(dy[n, c, i, j] * share)
        if kind == "average":
            y /= count
        (_, pool), (_, gradient) = steps(target, g, [x, dy])
        assert same(pool(), y), g
        assert same(gradient(), dx), g


# The mutants are wrong


def test_there_are_enough_and_each_has_a_story() -> None:
    assert len(FOREIGN) >= 60
    assert sum(mutant.kind == "rare" for mutant in FOREIGN.values()) >= 10
    for name, mutant in FOREIGN.items():
        assert name == mutant.id
        assert mutant.story.endswith(".")
        assert mutant.story != inspect.getdoc(mutant.base)
    assert len({mutant.story for mutant in FOREIGN.values()}) == len(FOREIGN)
    assert len({type(mutant.target).__name__ for mutant in FOREIGN.values()}) == len(FOREIGN)


@pytest.mark.parametrize("name", FOREIGN)
def test_a_mutant_differs_at_its_witness(name: str) -> None:
    mutant = FOREIGN[name]
    for geometry in mutant.witness.calls:
        pool = getattr(mutant.target, f"{geometry.kind}_pool") if isinstance(geometry, PoolGeometry) else None
        assert fitted(pool or mutant.target.forward, geometry)[0] == geometry, "the target cannot be called like this"
    assert mutant.quantity in differing(mutant, mutant.witness)


@pytest.mark.parametrize("name", FOREIGN)
def test_a_mutant_agrees_somewhere_unless_it_is_always_wrong(name: str) -> None:
    mutant, rng = FOREIGN[name], np.random.default_rng(5)
    kind = mutant.quantity.split("_")[0] if "pool" in mutant.quantity else ""
    sampled = (Witness((random_geometry(rng, mutant.target, kind),)) for _ in range(60))
    agreed = any(mutant.quantity not in differing(mutant, witness) for witness in sampled)
    assert agreed != mutant.always


@pytest.mark.parametrize("name", ["RotationForgotten", "InterleavedGroups", "WrapsOnce", "EveryTieWins"])
def test_a_mutant_is_a_target(name: str) -> None:
    shown = CliRunner().invoke(cli, ["show", f"backproof.museum.foreign:{name}"])
    assert shown.exit_code == 0, shown.output
    pooling = "pool" in {type(m.target).__name__: m for m in FOREIGN.values()}[name].quantity
    assert ("max_pool(x, *, kernel_size, stride, padding, dilation)" in shown.output) == pooling
    assert "no trial succeeded" not in shown.output
