"""Whether a mutant is one: a bounded domain of calls, on all of which an *equivalent* mutant gives the right results.

The domain is a list, the same in every run: small levels of every number of a call, each drawn apart from the others,
with both dtypes and with memory in several layouts.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np

from backproof.contract import Geometry
from backproof.museum.reference import Array, Options
from backproof.museum.synthetic.literals import Literal, hold
from backproof.museum.synthetic.primitives import Primitive
from backproof.museum.synthetic.site import Site
from backproof.museum.synthetic.steps import Operands, compute, differs
from backproof.museum.witness import laid_out

SIZE, SEED = 20_000, 2016

_LEVELS: dict[str, tuple[Any, ...]] = {
    "kernel": (1, 1, 2, 3, 3, 4, 5),
    "stride": (1, 1, 2, 3),
    "dilation": (1, 1, 2, 3),
    "padding": (0, 0, 0, 1, 1, 2, 4),
    "size": (1, 2, 3, 4, 5, 6, 7, 9, 12, 18),
    "group": (1, 1, 2, 3, 4, 5, 9),
    "groups": (1, 1, 2, 3),
    "batch": (1, 2, 3),
    "mode": ("zeros", "zeros", "circular"),
    "dtype": ("float64", "float32"),
    "layout": ("C", "C", "F", "nhwc", "sliced", "reversed"),
}
#: Largest integers of the operand that uses many bits, which in float64 is a multiple of `_SPREAD`, and of the others.
_WIDE, _NARROW, _SPREAD = 1500, 7, 2**30 + 1


@dataclass(frozen=True, slots=True)
class Place:
    """A call of the domain."""

    geometry: Geometry
    dtype: str
    layouts: tuple[str, str, str]  # of x, w, dy

    @property
    def site(self) -> Site:
        """Its numbers; a memory layout counts as one even where an array is too small to tell."""
        g = self.geometry
        (top, bottom), (left, right) = g.padding
        x, w, dy = (layout == "C" for layout in self.layouts)
        return Site(
            *(g.batch, g.in_channels, g.out_channels, g.groups, *g.size, *g.kernel_size, *g.output_size, *g.stride),
            *(*g.dilation, top, bottom, left, right, g.padding_mode == "circular", self.dtype == "float32", g.bias),
            *(x, w, dy),
        )


@cache
def domain() -> tuple[Place, ...]:
    """The calls, each of which computes all four quantities."""
    rng, found = random.Random(SEED), list[Place]()
    while len(found) < SIZE:
        place = _place(rng)
        if min(place.geometry.output_size) >= 1:
            found.append(place)
    return tuple(found)


def is_equivalent(
    primitive: Primitive,
    quantity: str,
    gate: Iterable[Literal],
    among: Callable[[Place], bool] = lambda place: True,
) -> bool:
    """Whether a mutant gives the right results on the whole domain, or on a part of it."""
    where = np.flatnonzero(np.broadcast_to(hold(gate, _sites()), (SIZE,)))
    return not any(_differs(primitive, quantity, int(number)) for number in where if among(domain()[number]))


def _place(rng: random.Random) -> Place:
    def one(name: str) -> Any:
        return rng.choice(_LEVELS[name])

    def two(name: str) -> tuple[int, int]:  # often alike, for only then do some confusions leave shapes alone
        first = one(name)
        return first, first if rng.random() < 0.4 else one(name)

    groups, (group_in, group_out), kind = one("groups"), two("group"), rng.randrange(3)
    sides = two("padding"), two("padding")
    g = Geometry(
        batch=one("batch"),
        in_channels=groups * group_in,
        out_channels=groups * group_out,
        size=two("size"),
        kernel_size=two("kernel"),
        stride=two("stride"),
        padding=(((0, 0), (0, 0)), sides, (sides[0], sides[0]))[kind],
        dilation=two("dilation"),
        groups=groups,
        padding_mode=one("mode"),
        bias=rng.random() < 0.5,
    )
    return Place(g, one("dtype"), (one("layout"), one("layout"), one("layout")))


@cache
def _sites() -> Site:
    return Site.many([place.site for place in domain()])


@cache
def _differs(primitive: Primitive, quantity: str, number: int) -> bool:
    if quantity == "db" and not domain()[number].geometry.bias:
        return False
    given = _given(number)
    return differs(primitive.step, primitive.spoil, quantity, given, given.site, _right(number, quantity))


@lru_cache(maxsize=4096)
def _given(number: int) -> Operands:
    """Integers of which one operand's have many bits, and so few that no sum rounds."""
    place, rng = domain()[number], np.random.default_rng(number)
    g, wide = place.geometry, ("x", "w", "dy")[number % 3]

    def drawn(role: str, layout: str = "C") -> Array:
        largest = _WIDE if role == wide else _NARROW
        values = rng.integers(-largest, largest, size=g.shape_of(role), endpoint=True)
        many = role == wide and place.dtype == "float64"
        return laid_out((values * _SPREAD if many else values).astype(place.dtype), layout)

    x, w, dy = (drawn(role, layout) for role, layout in zip(("x", "w", "dy"), place.layouts, strict=True))
    return Operands(x, w, drawn("b") if g.bias else None, dy, Options(**g.options()))


@lru_cache(maxsize=16384)
def _right(number: int, quantity: str) -> Array:
    given = _given(number)
    return compute(quantity, given, given.site)
