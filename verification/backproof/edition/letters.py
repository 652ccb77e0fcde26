"""Sizes, indices and entries in the post's letters: `units_prev` is M^{l-1}, and `o_prev[0, 1, 2]` is o_0^{l-1}(1, 2).

What a counterexample or a worked example fixes is told as prose with $formulas$, which every view can show.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from backproof_spec.derivation.edition import Claim
from backproof_spec.proof.verdict import Entry


@dataclass(frozen=True, slots=True)
class _Letter:
    """How a tensor is printed, and how many of its first indices are units, which are subscripts."""

    tex: str
    layer: str = ""
    units: int = 0
    pixels: int = 2


_TENSORS = {
    "o_prev": _Letter("o", "l-1", 1),
    "o": _Letter("o", "l", 1),
    "i": _Letter("i", "l", 2),
    "w": _Letter("w", "l", 2),
    "b": _Letter("b", "l", 1, 0),
    "c": _Letter("c", "l", 1),
    "c_prev": _Letter("c", "l-1", 1),
    "c_next": _Letter("c", "l+1", 1),
    "delta": _Letter(r"\delta", "l", 1),
    "delta_next": _Letter(r"\delta", "l+1", 1),
    "w_next": _Letter("w", "l+1", 2),
    "b_next": _Letter("b", "l+1", 1, 0),
    "t": _Letter("t", "", 1),
    "g": _Letter("g", "", 2),
    "r": _Letter("r", "", 2),
    "dy": _Letter("dy", "", 2),
    "x": _Letter("x", "", 2),
    "y": _Letter("y", "", 2),
    "z": _Letter("z", "", 2),
    "s": _Letter("s", "", 2, 4),
}

_UNITS = {"units_prev": "M^{l-1}", "units": "M^l", "units_next": "M^{l+1}"}
_TWO_LETTERS = re.compile(r"([A-Za-z])([a-z])")  # kh, Cg: the second is a subscript

#: The index of a unit of layer l+1: the program's letter, and the post's, which is also that of the outputs.
_NEXT_UNIT, _POSTS = "p", "o"


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters of one claim at given sizes."""

    kernel: str  # what the claim calls the size of a kernel
    layered: bool  # whether tensors belong to layers of the post's network
    next_layer: bool

    @classmethod
    def of(cls, claim: Claim, sizes: Mapping[str, int]) -> Letters:
        """The letters in which `claim` is printed; `sizes` say which network it is about."""
        printed = " ".join((claim.tex, *claim.ranges, *(row.tex for row in claim.rows)))
        kernel = "N_k" if "N_k" in printed and "N_w" not in printed else "N_w"
        return cls(kernel, any(name in sizes for name in _UNITS), "units_next" in sizes)

    def sizes(self, named: Mapping[str, int]) -> str:
        """`$H = W = 2$, $M^l = 1$`: equal sizes together, numbers of units apart."""
        units = {_UNITS[name]: value for name, value in named.items() if name in _UNITS}
        others = {self._size(name): value for name, value in named.items() if name not in _UNITS}
        return ", ".join(filter(None, (_equal(others), _equal(units))))

    def indices(self, named: Mapping[str, int]) -> str:
        """`$x = y = 0$, $o = 0$ (a unit of layer $l+1$)`."""
        unit = named.get(_NEXT_UNIT) if self.next_layer else None
        others = {name: value for name, value in named.items() if name != _NEXT_UNIT or unit is None}
        told = [_equal(others)] if others else []
        if unit is not None:
            told.append(f"${_POSTS} = {unit}$ (a unit of layer $l+1$)")
        return ", ".join(told)

    def entry(self, read: Entry) -> str:
        """One entry as LaTeX: `o_0^{l-1}(0, 0)`; an entry of `a(c)` is a(c_0^l(0, 0))."""
        name, index = read
        if name.endswith(")"):
            function, inner = name[:-1].split("(")
            return f"{function}({self.entry((inner, index))})"
        letter = _TENSORS.get(name, _Letter(name))
        units = index[: self._units(letter, len(index))]
        pixels = ", ".join(map(str, index[len(units) :]))
        return self.tensor(name, units, len(index)) + (f"({pixels})" if pixels else "")

    def tensor(self, name: str, units: tuple[int, ...], rank: int) -> str:
        """A tensor's plane as LaTeX: `o_0^{l-1}`."""
        if name.endswith(")"):
            function, inner = name[:-1].split("(")
            return f"{function}({self.tensor(inner, units, rank)})"
        letter = _TENSORS.get(name, _Letter(name))
        below = f"_{_braced(','.join(map(str, units)))}" if units else ""
        in_layer = self.layered and letter.layer and self._units(letter, rank) == letter.units
        return letter.tex + below + (f"^{_braced(letter.layer)}" if in_layer else "")

    def _units(self, letter: _Letter, rank: int) -> int:
        """How many indices are units: all of them in a dense layer, none in a layer that has one image."""
        return letter.units if rank == letter.units + letter.pixels or (self.layered and rank == letter.units) else 0

    def _size(self, name: str) -> str:
        if name == "N_w":
            return self.kernel
        return r"{}_{}".format(*parts.groups()) if (parts := _TWO_LETTERS.fullmatch(name)) else name


def _equal(named: Mapping[str, int]) -> str:
    """`$H = W = 2$, $N_w = 1$`: names with equal values together."""
    groups: dict[int, list[str]] = {}
    for name, value in named.items():
        groups.setdefault(value, []).append(name)
    return ", ".join(f"${' = '.join(names)} = {value}$" for value, names in groups.items())


def _braced(text: str) -> str:
    return text if len(text) == 1 else f"{{{text}}}"
