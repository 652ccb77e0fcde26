"""A grammar of mutants: a mistake, the quantity that has it, and a gate of conditions under which it is made.

    backproof check backproof.museum.synthetic:s7_3_17

is the mutant that the seed 7 draws as number 17 of those whose gates have 3 literals.  There is no end of them, and
each is the same in every run.  They spoil `museum.reference`, whose results they give where the gate does not hold.  A
gradient of the bias that is asked for alone (`bias_gradient`) comes without the numbers that gates need: it is right.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any

from backproof.contract import Padding, Pair
from backproof.museum.reference import NO_PADDING, Array, Convolution, Options
from backproof.museum.synthetic.domain import is_equivalent
from backproof.museum.synthetic.literals import LITERALS, Literal, hold
from backproof.museum.synthetic.primitives import PRIMITIVES, Primitive
from backproof.museum.synthetic.site import Site
from backproof.museum.synthetic.steps import Operands, spoilt

__all__ = ["LITERALS", "PRIMITIVES", "Literal", "Operands", "Primitive", "Site", "Synthetic", "draw"]

#: The most literals of a gate.
MOST_LITERALS = 8


@dataclass(frozen=True, slots=True)
class Synthetic:
    """A mutant of the grammar; `target` is what `backproof check` takes."""

    name: str
    primitive: Primitive
    quantity: str
    gate: tuple[Literal, ...]

    @property
    def target(self) -> str:
        """What `backproof check` takes."""
        return f"backproof.museum.synthetic:{self.name}"

    @property
    def equivalent(self) -> bool:
        """Whether it gives the right results on the whole bounded domain (see `domain`): then it is none."""
        return is_equivalent(self.primitive, self.quantity, self.gate)

    @property
    def title(self) -> str:
        """What is wrong and when, in words."""
        when = " and ".join(literal.words for literal in self.gate)
        return f"{self.quantity}: {self.primitive.words}{', where ' if when else ''}{when}"


def draw(seed: int, literals: int, number: int) -> Synthetic:
    """The mutant of these numbers.

    Raises:
        ValueError: More literals than gates may have.
    """
    if not 0 <= literals <= MOST_LITERALS:
        raise ValueError(f"literals (={literals}) must be from 0 to {MOST_LITERALS}")
    rng = random.Random(f"{seed} {literals} {number}")
    primitive = rng.choice(PRIMITIVES)
    quantity = rng.choice(primitive.quantities)
    gate: list[Literal] = []
    while len(gate) < literals:
        known = {literal.family for literal in gate}
        gate.append(rng.choice([a for a in LITERALS if quantity in a.quantities and a.family not in known]))
    return Synthetic(f"s{seed}_{literals}_{number}", primitive, quantity, tuple(gate))


class _Spoilt(Convolution):
    """The reference, with one mutant's mistake in it."""

    mutant: Synthetic

    def _spoilt(self, quantity: str, given: Operands, right: Array) -> Array:
        mutant = self.mutant
        if quantity != mutant.quantity or not hold(mutant.gate, site := given.site):
            return right
        return spoilt(mutant.primitive.step, mutant.primitive.spoil, quantity, given, site, right)

    def _y(self, x: Array, w: Array, b: Array | None, o: Options) -> Array:
        return self._spoilt("y", Operands(x, w, b, None, o), super()._y(x, w, b, o))

    def _dx(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return self._spoilt("dx", Operands(x, w, None, dy, o), super()._dx(dy, x, w, o))

    def _dw(self, dy: Array, x: Array, w: Array, o: Options) -> Array:
        return self._spoilt("dw", Operands(x, w, None, dy, o), super()._dw(dy, x, w, o))

    def backward(
        self,
        dy: Array,
        x: Array,
        w: Array,
        b: Array | None = None,
        *,
        stride: Pair = (1, 1),
        padding: Padding = NO_PADDING,
        dilation: Pair = (1, 1),
        groups: int = 1,
        padding_mode: str = "zeros",
        orientation: str = "convolution",
    ) -> tuple[Array, Array, Array | None]:
        """`dx, dw, db`; `db` is None where `b` is."""
        o = Options(stride, padding, dilation, groups, padding_mode, orientation)
        db = None if b is None else self._spoilt("db", Operands(x, w, b, dy, o), self._db(dy))
        return self._dx(dy, x, w, o), self._dw(dy, x, w, o), db


def __getattr__(name: str) -> type[Convolution]:
    """A mutant by its name, so that `backproof.museum.synthetic:s7_3_17` is a target."""
    if match := re.fullmatch(r"s(\d+)_([0-8])_(\d+)", name):
        mutant = draw(*map(int, match.groups()))
        members: dict[str, Any] = {"mutant": mutant, "__doc__": f"{mutant.title}.", "__module__": __name__}
        return type(name, (_Spoilt,), members)
    raise AttributeError(f"the grammar has no mutant {name!r}; write sSEED_LITERALS_NUMBER, such as s7_3_17")
