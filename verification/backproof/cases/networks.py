"""Small networks: two or three convolutions with polynomial activations, and pooling between them.

    x1 --w1,b1--> c1 --a--> o1 [--pool--> p1] --w2,b2--> c2 --a--> o2 ...    E = 1/2 * sum((t - o_L)**2)
    delta_L = (o_L - t) * a'(c_L)     delta_l = do_l * a'(c_l),  do_l: dx of layer l+1, through the pooling

Levels say what each layer is and how large the last output is; the image sizes follow from there, upwards.  Data are
drawn so that every sum of every layer is exact: its absolute values are added up too, as integers, and hold in the
mantissa.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from backproof.cases.data import MANTISSA, Array
from backproof.cases.levels import derived_size, padding_sides
from backproof.cases.polynomials import POLYNOMIALS, Scaled, activated, degree, slope
from backproof.cases.shrink import below
from backproof.contract import Geometry, Orientation, PaddingMode, Pair, PoolGeometry
from backproof_spec import oracle

#: The largest |x| and |w| to try, in this order.
_AMPLITUDES = ((9, 5), (4, 3), (3, 2), (2, 1), (1, 1))
_SAFE = 2**62  # of int64


@dataclass(frozen=True, slots=True)
class LayerLevels:
    """One layer, without its image size; `padding` by its name, as in `levels`; `pool` is "", "sum" or "max"."""

    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    padding: str = "none"
    padding_mode: PaddingMode = "zeros"
    out_channels: int = 1
    groups: int = 1
    activation: str = "identity"
    pool: str = ""


@dataclass(frozen=True, slots=True)
class NetworkCase:
    """One network; `output` is the size of the last pre-activation, `layouts` are those of x1 and of every w."""

    layers: tuple[LayerLevels, ...]
    output: Pair = (1, 1)
    in_channels: int = 1
    batch: int = 1
    bias: bool = True
    orientation: Orientation = "convolution"
    dtype: str = "float64"
    layouts: tuple[tuple[str, str], ...] = ()
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for events."""
        geometries = [{**g.as_dict(), "activation": layer.activation} for layer, (g, _) in self._pairs()]
        pools = [pool.as_dict() if pool else None for _, (_, pool) in self._pairs()]
        return {
            "layers": [{**g, "pooling": pool} for g, pool in zip(geometries, pools, strict=True)],
            "dtype": self.dtype,
            "layouts": dict(self.layouts),
            "seed": self.seed,
        }

    def _pairs(self) -> Iterator[tuple[LayerLevels, tuple[Geometry, PoolGeometry | None]]]:
        return zip(self.layers, geometries(self), strict=True)


@dataclass(frozen=True, slots=True)
class Network:
    """A network with its data: `arrays` are x1, the weights, biases and t; `expected` every other variable."""

    case: NetworkCase
    arrays: dict[str, Array]
    expected: dict[str, Array]
    evidence: dict[str, bool]


def geometries(case: NetworkCase) -> list[tuple[Geometry, PoolGeometry | None]]:
    """Of each layer: its convolution, and the pooling above its activation.

    Where padding alone would give a larger output than wanted, there is none.
    """
    found: list[tuple[Geometry, PoolGeometry | None]] = []
    channels = [case.in_channels, *(layer.out_channels for layer in case.layers)]
    wanted = case.output
    for k, layer in reversed(list(enumerate(case.layers))):
        pool = None
        if layer.pool and k + 1 < len(case.layers):
            size = (2 * wanted[0], 2 * wanted[1])
            pool = PoolGeometry(layer.pool, case.batch, layer.out_channels, size, (2, 2), (2, 2))  # type: ignore[arg-type]
            wanted = size
        for padding in (layer.padding, "none"):
            geometry = _geometry(case, layer, channels[k], wanted, padding)
            if geometry.output_size == wanted:
                break
        found.append((geometry, pool))
        wanted = geometry.size
    return found[::-1]


def _geometry(case: NetworkCase, layer: LayerLevels, channels: int, output: Pair, padding: str) -> Geometry:
    extents = [d * (n - 1) + 1 for d, n in zip(layer.dilation, layer.kernel, strict=True)]
    sides = (padding_sides(padding, extents[0]), padding_sides(padding, extents[1]))
    height, width = (
        derived_size(output[a], layer.kernel[a], layer.stride[a], layer.dilation[a], sides[a], 0) for a in (0, 1)
    )
    return Geometry(
        case.batch,
        channels,
        layer.out_channels,
        (height, width),
        layer.kernel,
        layer.stride,
        sides,
        layer.dilation,
        layer.groups,
        layer.padding_mode,
        case.orientation,
        case.bias,
    )


# ---- data


class NoRoomError(ValueError):
    """A sum would leave the mantissa."""


@lru_cache(maxsize=32)
def network(case: NetworkCase) -> Network:
    """Draw a network's data, and compute what the specification makes of them.

    The largest amplitudes with which every sum is exact, and, of these, the first with which no result is constant.

    Raises:
        NoRoomError: With numbers of -1, 0 and 1, a sum is too long still: take fewer layers, pixels or powers.
    """
    first: Network | None = None
    for number, (image, weights) in enumerate(_AMPLITUDES):
        try:
            drawn = _drawn(case, image, weights, number)
        except NoRoomError:
            continue
        if all(drawn.evidence.values()):
            return drawn
        first = first or drawn
    if first is None:
        raise NoRoomError(f"a network of {len(case.layers)} layers leaves no room for exact {case.dtype} data")
    return first


def _drawn(case: NetworkCase, image: int, weights: int, number: int) -> Network:
    rng = np.random.default_rng((case.seed, number))
    exact = _Exact(MANTISSA[case.dtype])
    shapes = geometries(case)
    value: dict[str, Scaled] = {"x1": _integers(rng, shapes[0][0].x_shape, image)}
    below = "x1"
    inputs = ["x1"]
    for k, ((g, pool), layer) in enumerate(zip(shapes, case.layers, strict=True), start=1):
        value[f"w{k}"] = _integers(rng, g.w_shape, weights)
        if g.bias:
            value[f"b{k}"] = Scaled(_integers(rng, g.b_shape, image).integers, value[below].power)
        value[f"c{k}"] = exact.forward(g, value[below], value[f"w{k}"], value.get(f"b{k}"))
        value[f"o{k}"] = exact.activated(layer.activation, value[f"c{k}"])
        below = f"o{k}"
        if pool is not None:
            value[f"p{k}"] = exact.pooled(pool, value[below])
            below = f"p{k}"
        inputs.append(below)
    last = len(shapes)
    o = value[f"o{last}"]
    reach = max(3, int(np.abs(o.integers).max(initial=0)))
    value["t"] = Scaled(rng.integers(-reach, reach, size=o.integers.shape, endpoint=True), o.power)
    value["E"] = exact.error(o, value["t"])
    value[f"do{last}"] = exact.difference(o, value["t"])
    for k in range(last, 0, -1):
        (g, _), layer = shapes[k - 1], case.layers[k - 1]
        value[f"da{k}"] = slope(layer.activation, value[f"c{k}"])
        value[f"delta{k}"] = exact.product(value[f"do{k}"], value[f"da{k}"])
        gradients = exact.gradients(g, value[f"delta{k}"], value[inputs[k - 1]], value[f"w{k}"])
        value[f"dx{k}"], value[f"dw{k}"], value[f"db{k}"] = gradients
        if k > 1:
            pool = shapes[k - 2][1]
            value[f"do{k - 1}"] = (
                value[f"dx{k}"] if pool is None else exact.unpooled(pool, value[f"dx{k}"], value[f"o{k - 1}"])
            )
    given = {"t", *(name for name in value if name[0] in "xwb" and name[1:].isdigit())}
    floats = {name: scaled.floats(case.dtype) for name, scaled in value.items()}
    evidence = {n: _varies(floats[n]) for n in floats if n not in given and not n.startswith(("da", "do", "p"))}
    return Network(
        case,
        {name: array for name, array in floats.items() if name in given},
        {name: array for name, array in floats.items() if name not in given},
        evidence,
    )


class _Exact:
    """The specification on integers; each sum is made of absolute values too, which must stay within `limit`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def forward(self, g: Geometry, x: Scaled, w: Scaled, b: Scaled | None) -> Scaled:
        bias = None if b is None else b.integers
        options = g.options()
        taps = int(np.prod(g.w_shape[1:]))
        self._fits(taps * _peak(x) * _peak(w))
        magnitude = None if bias is None else np.abs(bias)
        self._hold(oracle.convolution(np.abs(x.integers), np.abs(w.integers), magnitude, **options))
        return Scaled(oracle.convolution(x.integers, w.integers, bias, **options), x.power + w.power)

    def gradients(self, g: Geometry, delta: Scaled, x: Scaled, w: Scaled) -> tuple[Scaled, Scaled, Scaled]:
        terms = int(np.prod(g.y_shape)) * int(np.prod(g.kernel_size))
        self._fits(terms * _peak(delta) * max(_peak(x), _peak(w)))
        options = g.options()
        for sums in oracle.convolution_gradients(
            np.abs(delta.integers), np.abs(x.integers), np.abs(w.integers), **options
        ):
            self._hold(sums)
        dx, dw, db = oracle.convolution_gradients(delta.integers, x.integers, w.integers, **options)
        return Scaled(dx, delta.power + w.power), Scaled(dw, delta.power + x.power), Scaled(db, delta.power)

    def activated(self, name: str, c: Scaled) -> Scaled:
        self._fits(3 * max(_peak(c), 4) ** degree(name))  # a'(c) is less
        o = activated(name, c)
        self._hold(o.integers)
        return o

    def product(self, do: Scaled, da: Scaled) -> Scaled:
        self._fits(_peak(do) * _peak(da))
        product = do.times(da)
        self._hold(product.integers)
        return product

    def difference(self, o: Scaled, t: Scaled) -> Scaled:
        self._hold(np.abs(o.integers) + np.abs(t.integers))
        return o.minus(t)

    def error(self, o: Scaled, t: Scaled) -> Scaled:
        difference = self.difference(o, t)
        self._fits(difference.integers.size * _peak(difference) ** 2)
        total = (difference.integers**2).sum()
        self._hold(total)
        return Scaled(np.asarray(total), 2 * difference.power - 1)

    def pooled(self, g: PoolGeometry, x: Scaled) -> Scaled:
        self._fits(4 * _peak(x))
        self._hold(oracle.pooling("sum", np.abs(x.integers), **g.options()))
        return Scaled(oracle.pooling(g.kind, x.integers, **g.options()), x.power)

    def unpooled(self, g: PoolGeometry, dy: Scaled, x: Scaled) -> Scaled:
        return Scaled(oracle.pooling_gradient(g.kind, dy.integers, x.integers, **g.options()), dy.power)

    def _hold(self, sums: Array) -> None:
        if int(np.abs(sums).max(initial=0)) > self.limit:
            raise NoRoomError

    def _fits(self, bound: int) -> None:
        """`bound` is a Python int."""
        if bound > _SAFE:
            raise NoRoomError


def _peak(value: Scaled) -> int:
    return int(np.abs(value.integers).max(initial=0))


def _integers(rng: np.random.Generator, shape: tuple[int, ...], largest: int) -> Scaled:
    """Integers with signs; at least one is not 0."""
    values = rng.integers(-largest, largest, size=shape, endpoint=True)
    if values.size and not values.any():
        values.flat[int(rng.integers(values.size))] = largest
    return Scaled(values)


def _varies(values: Array) -> bool:
    return bool(values.any()) if values.size < 2 else bool(np.ptp(values) > 0)


# ---- simpler ones


def simpler_networks(case: NetworkCase) -> Iterator[NetworkCase]:
    """Networks with one thing simpler, down to two layers."""
    if case.layouts:
        yield replace(case, layouts=())
    if len(case.layers) > 2:
        yield replace(case, layers=case.layers[1:], in_channels=case.layers[0].out_channels)
        yield replace(case, layers=case.layers[:-1])
    if case.dtype != "float64":
        yield replace(case, dtype="float64")
    for smaller in below(case.batch):
        yield replace(case, batch=smaller)
    if case.bias:
        yield replace(case, bias=False)
    for axis in (0, 1):
        for smaller in below(case.output[axis]):
            yield replace(case, output=_at(case.output, axis, smaller))
    for k, layer in enumerate(case.layers):
        for simpler in _simpler_layers(layer):
            yield replace(case, layers=(*case.layers[:k], simpler, *case.layers[k + 1 :]))
    yield from _fewer_channels(case)


def _simpler_layers(layer: LayerLevels) -> Iterator[LayerLevels]:
    if layer.pool:
        yield replace(layer, pool="")
    for name in POLYNOMIALS[: POLYNOMIALS.index(layer.activation)]:
        yield replace(layer, activation=name)
    if layer.padding != "none":
        yield replace(layer, padding="none")
    if layer.padding_mode != "zeros":
        yield replace(layer, padding_mode="zeros")
    for field in ("stride", "dilation", "kernel"):
        pair = getattr(layer, field)
        for axis in (0, 1):
            for smaller in below(pair[axis]):
                changed: dict[str, Any] = {field: _at(pair, axis, smaller)}
                yield replace(layer, **changed)


def _fewer_channels(case: NetworkCase) -> Iterator[NetworkCase]:
    if any(layer.groups > 1 for layer in case.layers):
        yield replace(case, layers=tuple(replace(layer, groups=1) for layer in case.layers))
        return
    for smaller in below(case.in_channels):
        yield replace(case, in_channels=smaller)
    for k, layer in enumerate(case.layers):
        for smaller in below(layer.out_channels):
            fewer = replace(layer, out_channels=smaller)
            yield replace(case, layers=(*case.layers[:k], fewer, *case.layers[k + 1 :]))


def _at(pair: Pair, axis: int, value: int) -> Pair:
    return (value, pair[1]) if axis == 0 else (pair[0], value)
