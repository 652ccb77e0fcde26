"""The data of `chain` and `activations`: exact sums, right results, honest bounds."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from backproof.cases import activations, references
from backproof.cases.deltas import PointCase, point_example
from backproof.cases.networks import LayerLevels, NetworkCase, NoRoomError, geometries, network, simpler_networks
from backproof.cases.polynomials import POLYNOMIALS, Scaled, activated, slope
from backproof.targets.styles.activations import OURS


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials_are_those_of_the_worker(name: str) -> None:
    c = Scaled(np.arange(-4, 5), -1)
    for ours, theirs in zip((activated, slope), OURS[name], strict=True):
        assert np.array_equal(ours(name, c).floats(), theirs(c.floats()))


def test_there_are_no_other_polynomials() -> None:
    c = Scaled(np.arange(3))
    for function in (activated, slope):
        with pytest.raises(ValueError, match="no polynomial activation 'quartic'; there are identity, relu"):
            function("quartic", c)
    with pytest.raises(ValueError, match="powers 0 and 1 differ"):
        c.minus(Scaled(np.arange(3), 1))


# ---- networks

LAYERS = (
    LayerLevels((2, 1), (1, 1), (1, 1), "one", out_channels=2, activation="square", pool="sum"),
    LayerLevels((1, 2), (1, 2), (1, 1), out_channels=1, activation="identity"),
)
CASE = NetworkCase(LAYERS, (1, 2), 1, 2, seed=3)


def error_of(case: NetworkCase, values: dict[str, np.ndarray]) -> Fraction:
    """E by loops of its own, in fractions: forward only."""
    o = values["x1"]
    for k, ((g, pool), layer) in enumerate(zip(geometries(case), case.layers, strict=True), start=1):
        (top, bottom), (left, right) = g.padding
        x = np.pad(o, ((0, 0), (0, 0), (top, bottom), (left, right)))
        w, b = values[f"w{k}"], values[f"b{k}"]
        c = np.zeros(g.y_shape, dtype=object)
        for n, m, i, j in np.ndindex(*c.shape):
            taps = itertools.product(range(w.shape[1]), range(w.shape[2]), range(w.shape[3]))
            c[n, m, i, j] = b[m] + sum(
                w[m, q, w.shape[2] - 1 - u, w.shape[3] - 1 - v] * x[n, q, i * g.stride[0] + u, j * g.stride[1] + v]
                for q, u, v in taps
            )
        o = c * c if layer.activation == "square" else c
        if pool is not None:
            n, channels, height, width = o.shape
            o = o.reshape(n, channels, height // 2, 2, width // 2, 2).sum((3, 5))
    return sum((t - y) ** 2 for t, y in zip(values["t"].flat, o.flat, strict=True)) / Fraction(2)


def test_gradients_of_a_network_are_those_of_its_error() -> None:
    """E has degree 4 in every entry, so that five values give its slope exactly."""
    drawn = network(CASE)
    values = {name: np.vectorize(Fraction, otypes=[object])(array) for name, array in drawn.arrays.items()}
    assert error_of(CASE, values) == Fraction(float(drawn.expected["E"]))
    for name in ("x1", "w1", "b1", "w2", "b2"):
        gradient = drawn.expected[f"d{name}"]
        for at in np.ndindex(*gradient.shape):
            f = {}
            for step in (-2, -1, 1, 2):
                moved = values[name].copy()
                moved[at] += step
                f[step] = error_of(CASE, {**values, name: moved})
            assert (f[-2] - 8 * f[-1] + 8 * f[1] - f[2]) / 12 == Fraction(gradient[at]), (name, at)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_sum_is_exact_in_its_dtype(dtype: str) -> None:
    """Nothing rounds when a network is computed in its dtype: the largest value is an integer times a power of two."""
    drawn = network(replace(CASE, dtype=dtype))
    bits = {"float32": 24, "float64": 53}[dtype]
    for name, array in {**drawn.arrays, **drawn.expected}.items():
        mantissas, _ = np.frexp(array)
        assert np.array_equal(np.ldexp(mantissas, bits), np.rint(np.ldexp(mantissas, bits))), name
    assert all(drawn.evidence.values())


def test_a_network_without_room_is_refused() -> None:
    cube = LayerLevels((3, 3), out_channels=3, activation="cube")
    deep = NetworkCase((cube, cube, cube), (5, 5), 3, 3, dtype="float32")
    with pytest.raises(NoRoomError, match="a network of 3 layers leaves no room for exact float32 data"):
        network(deep)


def test_simpler_networks_fit_together() -> None:
    for case in [CASE, *simpler_networks(CASE)]:
        sizes = geometries(case)
        for (below, pool), (above, _) in itertools.pairwise(sizes):
            assert (pool.output_size if pool else below.output_size) == above.size
            assert below.out_channels == above.in_channels


def test_points_at_the_output() -> None:
    drawn = point_example(PointCase((2, 1, 1, 2), "square", seed=1))
    o, t, c = (drawn.arrays[role] for role in "otc")
    assert np.array_equal(o, c * c)
    assert np.array_equal(drawn.expected["output delta"], (o - t) * 2 * c)
    assert drawn.expected["E"] == ((t - o) ** 2).sum() / 2


# ---- activations: whoever computes by a textbook formula is right


def judged(name: str, derivative: bool, function, dtype: str = "float64", parameter: float = 0.0) -> list[float]:
    """The points at which a function is found wrong."""
    reference = references.reference_of(name)
    points = np.concatenate([activations.special(dtype), activations.grid(dtype)])
    case = activations.at(name, points)
    with np.errstate(all="ignore"):
        values = function(points)
    return [
        c
        for c, value in zip(case.points, values.tolist(), strict=True)
        if activations.judged(reference, derivative, c)
        and not activations.is_right(value, reference, derivative, case, c, parameter, "left", False)
    ]


def sigmoid(c):
    return 1 / (1 + np.exp(-c))


RIGHT = {
    "1 - tanh^2": ("tanh", True, lambda c: 1 - np.tanh(c) ** 2),
    "1 / cosh^2": ("tanh", True, lambda c: 1 / np.cosh(c) ** 2),
    "s (1 - s)": ("sigmoid", True, lambda c: sigmoid(c) * (1 - sigmoid(c))),
    "sigmoid": ("sigmoid", False, sigmoid),
    "sigmoid by tanh": ("logistic", False, lambda c: (1 + np.tanh(c / 2)) / 2),
    "y + alpha": ("elu", True, lambda c: np.where(c > 0, 1, np.exp(np.minimum(c, 0)) - 1 + 1).astype(c.dtype)),
    "exp - 1": ("ELU", False, lambda c: np.where(c > 0, c, np.exp(np.minimum(c, 0)) - 1)),
    "softplus": ("softplus", False, lambda c: np.logaddexp(c, c.dtype.type(0))),
    "c s": ("swish", False, lambda c: c * sigmoid(c)),
    "s + c s (1 - s)": ("SiLU", True, lambda c: sigmoid(c) * (1 + c * (1 - sigmoid(c)))),
    "softsign": ("soft_sign", False, lambda c: c / (1 + np.abs(c))),
    "softsign'": ("softsign", True, lambda c: 1 / (1 + np.abs(c)) - np.abs(c) / (1 + np.abs(c)) ** 2),
    "cube": ("cube", False, lambda c: c**3),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("formula", RIGHT)
def test_textbook_formulas_are_right(formula: str, dtype: str) -> None:
    name, derivative, function = RIGHT[formula]
    assert judged(name, derivative, function, dtype, parameter=float(name.lower() == "elu")) == []


WRONG = {
    "in float32": ("tanh", False, lambda c: np.tanh(c.astype(np.float32)).astype(c.dtype)),
    "a thousandth": ("tanh", True, lambda c: (1 - np.tanh(c) ** 2) * (1 - 8e-4 * np.exp(-c * c))),
    "1e-12": ("sigmoid", False, lambda c: sigmoid(c) * (1 + 1e-12)),
    "cancels next to 0": ("tanh", False, lambda c: 2 * sigmoid(2 * c) - 1),
    "overflows": ("softplus", False, lambda c: np.log(1 + np.exp(c))),
    "of the other side": ("relu", True, lambda c: (c >= 0).astype(c.dtype)),
    "hides NaN": ("relu", False, lambda c: np.where(c > 0, c, 0)),
    "the tanh approximation": (
        "gelu",
        False,
        lambda c: c * (1 + np.tanh(np.sqrt(2 / np.pi) * (c + 0.044715 * c**3))) / 2,
    ),
    "zero for the subnormal": ("identity", False, lambda c: np.where(np.abs(c) < np.finfo(c.dtype).tiny, 0, c)),
    "infinite": ("square", False, lambda c: np.where(np.abs(c) > 1e3, np.inf, c * c)),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_mistakes_are_not(mistake: str) -> None:
    name, derivative, function = WRONG[mistake]
    assert judged(name, derivative, function)


def test_the_truth_is_known_to_more_digits_than_a_float() -> None:
    high, low = references.truth("tanh", False, 0.5, 0.0)
    digits = "0.46211715726000975850231848364367254873"  # of tables
    assert abs(Fraction(high) + Fraction(low) - Fraction(digits)) < Fraction(1, 10**31)
    assert references.truth("relu", True, 0.0, 0.0, "mean") == (0.5, 0.0)
    with pytest.raises(ValueError, match="no activation 'mish'; the names are identity, relu, leakyrelu"):
        references.truth("mish", False, 1.0, 0.0)


@pytest.mark.parametrize("region", activations.REGIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_drawn_points_are_finite_numbers_of_the_dtype(region: str, dtype: str) -> None:
    points = activations.drawn(region, dtype, 5)
    assert (points.dtype, points.size) == (dtype, activations.COUNT)
    assert np.isfinite(points).all()
