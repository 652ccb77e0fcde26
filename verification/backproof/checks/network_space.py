"""Which networks a target is tried on: two or three layers, every pair of polynomial activations, levels at random.

Levels are those of single convolutions, as far as they are small.  A network that the target does not accept, or whose
sums would leave the mantissa, is made simpler until it can be: smaller powers first, then plainer layers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

from backproof.cases.networks import LayerLevels, NetworkCase, NoRoomError, geometries, network, simpler_networks
from backproof.cases.polynomials import POLYNOMIALS, degree
from backproof.checks.bench import Bench

#: name -> levels, ordered from simple to complex, as far as the target's own levels have them.
_LAYER: dict[str, tuple[Any, ...]] = {
    "kernel": ((1, 1), (2, 2), (1, 2), (2, 1), (3, 2), (2, 3)),
    "stride": ((1, 1), (1, 2), (2, 1), (2, 2)),
    "dilation": ((1, 1), (2, 1), (1, 2)),
    "padding": ("none", "one", "uneven", "full"),
    "padding_mode": ("zeros", "circular"),
    "width": (1, 2, 3),
    "groups": (1, 2),
    "activation": POLYNOMIALS,
}
_WHOLE: dict[str, tuple[Any, ...]] = {
    "output": ((1, 1), (2, 2), (1, 2), (3, 2)),
    "in_channels": (1, 2, 3),
    "batch": (1, 2, 3),
}
_LARGEST = 900  # pixels of an image: networks are small


_TRIPLES = (("relu", "identity", "square"), ("leaky_relu", "relu", "identity"), ("square", "leaky_relu", "relu"))


@dataclass(frozen=True)
class NetworkSpace:
    """The networks of a target that has these kinds of pooling."""

    bench: Bench
    pools: tuple[str, ...]

    @cached_property
    def factors(self) -> dict[str, tuple[Any, ...]]:
        """name -> levels; those of layer k end in k."""
        known = self.bench.space.factors
        layer = {
            name: tuple(v for v in levels if name not in known or v in known[name]) or known[name][:1]
            for name, levels in _LAYER.items()
        }
        layer["groups"] = tuple(sorted({groups for _, _, groups in known["channels"]} & {1, 2})) or (1,)
        most = max(max(size_in, size_out) for size_in, size_out, _ in known["channels"])
        layer["width"] = tuple(width for width in layer["width"] if width <= most)
        whole = {**_WHOLE, "in_channels": layer["width"]}
        factors: dict[str, tuple[Any, ...]] = {"layers": (2, 3), **whole}
        for name in ("bias", "dtype", "orientation", "x_layout", "w_layout"):
            factors[name] = tuple(known[name])
        for k in range(3):
            factors |= {f"{name} {k}": levels for name, levels in layer.items()}
            factors[f"pool {k}"] = ("", *self.pools)
        return factors

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many levels each factor has."""
        return tuple(len(levels) for levels in self.factors.values())

    def fixed(self, seed: int) -> list[NetworkCase]:
        """Every pair of activations, and a few triples, on other levels that are the same in every run."""
        rng, names = random.Random(20), list(self.factors)
        cases = []
        for k, powers in enumerate([*product(POLYNOMIALS, repeat=2), *_TRIPLES]):
            row = [rng.randrange(size) for size in self.sizes]
            row[0] = len(powers) - 2
            for level, name in enumerate(powers):
                row[names.index(f"activation {level}")] = POLYNOMIALS.index(name)
            cases.append(self.case(row, seed + k))
        return cases

    def case(self, row: Sequence[int], seed: int) -> NetworkCase:
        """The network that a row of level numbers stands for, or one that is simpler.

        Raises:
            NoRoomError: None is accepted.
        """
        levels = {name: self.factors[name][k] for name, k in zip(self.factors, row, strict=True)}
        layouts = tuple((role, levels[f"{role}_layout"]) for role in ("x", "w") if levels[f"{role}_layout"] != "C")
        case = NetworkCase(
            tuple(_layer(levels, k) for k in range(levels["layers"])),
            levels["output"],
            levels["in_channels"] * levels["groups 0"],
            levels["batch"],
            levels["bias"],
            levels["orientation"],
            levels["dtype"],
            layouts,
            seed,
        )
        found = next(filter(self.possible, _weaker(case)), None)
        if found is None:
            raise NoRoomError(f"{self.bench.binding.name} accepts no two layers that fit together")
        return found

    def simpler(self, case: NetworkCase) -> Iterator[NetworkCase]:
        """Simpler networks that are possible too."""
        return filter(self.possible, simpler_networks(case))

    def possible(self, case: NetworkCase) -> bool:
        """Whether the target accepts every layer, and the data can be exact."""
        if case.dtype not in self.bench.binding.dtypes:
            return False
        for convolution, pool in geometries(case):
            if min(convolution.output_size) < 1 or convolution.size[0] * convolution.size[1] > _LARGEST:
                return False
            if not self.bench.accepts(convolution) or (pool is not None and not self.bench.accepts(pool)):
                return False
        try:
            network(case)
        except NoRoomError:
            return False
        return True


def _layer(levels: dict[str, Any], k: int) -> LayerLevels:
    """Layer k; its channels are divided by its own groups and by those of the layer above."""
    above = levels[f"groups {k + 1}"] if k + 1 < levels["layers"] else 1
    return LayerLevels(
        out_channels=levels[f"width {k}"] * max(levels[f"groups {k}"], above),
        **{n: levels[f"{n} {k}"] for n in ("kernel", "stride", "dilation", "padding", "padding_mode")},
        **{n: levels[f"{n} {k}"] for n in ("groups", "activation", "pool")},
    )


def _weaker(case: NetworkCase) -> Iterator[NetworkCase]:
    """The case; with smaller powers, the largest first; simpler and simpler."""
    yield case
    powers = [layer.activation for layer in case.layers]
    while max(map(degree, powers)) > 1:
        k = max(range(len(powers)), key=lambda n: degree(powers[n]))
        powers[k] = POLYNOMIALS[POLYNOMIALS.index(powers[k]) - 1]
        layers = (replace(layer, activation=a) for layer, a in zip(case.layers, powers, strict=True))
        case = replace(case, layers=tuple(layers))
        yield case
    layers = (replace(layer, padding="none", stride=(1, 1), dilation=(1, 1), pool="") for layer in case.layers)
    yield (case := replace(case, layers=tuple(layers)))
    if len(case.layers) > 2:
        yield (case := replace(case, layers=case.layers[1:], in_channels=case.layers[0].out_channels))
    seen = {case}
    while True:
        simpler = next((c for c in simpler_networks(case) if c not in seen), None)
        if simpler is None:
            return
        seen.add(simpler)
        yield (case := simpler)
