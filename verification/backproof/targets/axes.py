"""The order in which a target numbers the axes of its arrays, and the way there and back, by views.

    LAYOUT    x, y, dx, dy      NCHW (ours), NHWC; without a batch axis: CHW, HWC, and HW for a single channel
    WEIGHTS   w, dw             OIHW (ours), OHWI, HWIO, IOHW; without channels: OHW (one input), HW (one kernel);
                                "IO,HW" or "OI,HW": nested lists of kernels, w[n][m]
    BIAS      b, db             O (ours), O1, 1O, O11, 1O11, 111O; scalar where there is one kernel

Without a batch axis a target is called once per sample; its dw and db are summed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backproof.contract import AnyGeometry, Geometry, Points, PoolGeometry
from backproof.targets.layouts import Array

#: Layouts of data, each with its axes in full: a leading N is the loop over samples, the rest axes of one element.
DATA: dict[str, str] = {"NCHW": "NCHW", "NHWC": "NHWC", "CHW": "NCHW", "HWC": "NHWC", "HW": "NCHW"}
WEIGHTS: dict[str, str] = {
    "OIHW": "OIHW",
    "OHWI": "OHWI",
    "HWIO": "HWIO",
    "IOHW": "IOHW",
    "OHW": "OIHW",
    "HW": "OIHW",
    "OI,HW": "OIHW",
    "IO,HW": "IOHW",
}
#: Layouts of the bias, as the shape of one whose only long axis is -1.
BIASES: dict[str, tuple[int, ...]] = {
    "O": (-1,),
    "O1": (-1, 1),
    "1O": (1, -1),
    "111O": (1, 1, 1, -1),
    "O11": (-1, 1, 1),
    "1O11": (1, -1, 1, 1),
    "scalar": (),
}
_ROLES = {
    **dict.fromkeys(("x", "y", "dx", "dy", "delta", "delta_next", "output delta", "c", "da", "o", "t"), "data"),
    **dict.fromkeys(("w", "dw", "w_next"), "weights"),
}


@dataclass(frozen=True, slots=True)
class Axes:
    """How a target numbers axes; the defaults are the canonical ones."""

    data: str = "NCHW"
    weights: str = "OIHW"
    bias: str = "O"

    @property
    def batched(self) -> bool:
        """Whether a call takes a whole batch."""
        return "N" in self.data

    @property
    def canonical(self) -> bool:
        """Whether nothing is to be converted."""
        return self is CANONICAL or self == CANONICAL

    def refuses(self, geometry: AnyGeometry) -> str | None:
        """Why a geometry cannot be written so; None if it can."""
        if isinstance(geometry, Points):
            return None
        channels = (
            (geometry.channels,)
            if isinstance(geometry, PoolGeometry)
            else (geometry.in_channels, geometry.out_channels)
        )
        if "C" not in self.data and max(channels) > 1:
            return f"LAYOUT={self.data} has no channels"
        if isinstance(geometry, Geometry):
            if "I" not in self.weights and geometry.in_channels // geometry.groups > 1:
                return f"WEIGHTS={self.weights} has one input channel"
            if ("O" not in self.weights or self.bias == "scalar") and geometry.out_channels > 1:
                return "there is one kernel only"
        return None

    def laid_out(self, role: str, array: Array) -> Array:
        """A canonical array with its axes in the target's order: what memory order is to be taken for."""
        return array if self.canonical or role not in _ROLES else array.transpose(self._order(role))

    def given(self, role: str, array: Array) -> Any:
        """A `laid_out` array as the target takes it, the batch axis always first where there is none of its own."""
        if self.canonical:
            return array
        if role == "b":
            return array.reshape(BIASES[self.bias]) if self.bias != "scalar" else array[0]
        if role not in _ROLES:
            return array
        view = array[tuple(0 if absent else slice(None) for absent in self._absent(role))]
        return [list(row) for row in view] if self._nested(role) else view

    def samples(self, arrays: Mapping[str, Any], count: int) -> Iterator[dict[str, Any]]:
        """What each call is given: everything, or one sample after the other."""
        if self.batched:
            yield dict(arrays)
            return
        for n in range(count):
            yield {role: array[n] if _ROLES.get(role) == "data" else array for role, array in arrays.items()}

    def array(self, quantity: str, value: Any) -> Any:
        """Nested lists of kernels as one array; everything else unchanged."""
        if self._nested(quantity) and isinstance(value, list | tuple):
            return _stacked(value)
        return value

    def taken(self, quantity: str, arrays: Sequence[Array]) -> Array:
        """The canonical array of what the calls returned; one of another number of axes is left as it is."""
        if self.canonical:
            return arrays[0]
        if quantity == "E":
            return _sum(arrays)
        if quantity == "db":
            flat = [array.reshape(-1) if _is_bias(array) else array for array in arrays]
            return flat[0] if self.batched else _sum(flat)
        whole = [self._whole(quantity, array) for array in arrays]
        if self.batched:
            return whole[0]
        return _sum(whole) if quantity == "dw" else np.concatenate(whole) if _alike(whole) else whole[0]

    def shape(self, role: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The target's shape of a canonical shape: of one sample where it has no batch axis."""
        if role in ("b", "db"):
            return tuple(shape[0] if size == -1 else size for size in BIASES[self.bias])
        ordered = [shape[axis] for axis in self._order(role)]
        kept = [size for size, absent in zip(ordered, self._absent(role), strict=True) if not absent]
        return tuple(kept if self.batched or _ROLES[role] == "weights" else kept[1:])

    def _letters(self, role: str) -> tuple[str, str, str]:
        """As declared, in full, and canonical."""
        if _ROLES[role] == "data":
            return self.data, DATA[self.data], "NCHW"
        return self.weights, WEIGHTS[self.weights], "OIHW"

    def _order(self, role: str) -> tuple[int, ...]:
        _, full, ours = self._letters(role)
        return tuple(ours.index(letter) for letter in full)

    def _absent(self, role: str) -> tuple[bool, ...]:
        declared, full, _ = self._letters(role)
        return tuple(letter not in declared and letter != "N" for letter in full)

    def _nested(self, role: str) -> bool:
        return _ROLES.get(role) == "weights" and "," in self.weights

    def _whole(self, quantity: str, array: Array) -> Array:
        absent = list(self._absent(quantity))
        if not self.batched and _ROLES[quantity] == "data":
            array = array[None]
        if array.ndim != absent.count(False):
            return array
        whole = array[tuple(None if gone else slice(None) for gone in absent)]
        return whole.transpose(np.argsort(self._order(quantity)))


#: Arrays as the contract has them.
CANONICAL = Axes()


def _stacked(value: Any) -> Any:
    """None where the kernels are of several shapes."""
    try:
        return np.array([list(row) for row in value])
    except (ValueError, TypeError):
        return None


def _is_bias(array: Array) -> bool:
    return array.size == max(array.shape, default=1)


def _alike(arrays: Sequence[Array]) -> bool:
    return len({array.shape[1:] for array in arrays}) == 1


def _sum(arrays: Sequence[Array]) -> Array:
    total = arrays[0]
    for array in arrays[1:]:
        total = total + array if array.shape == total.shape else total
    return total
