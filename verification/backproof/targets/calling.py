"""Call one function of the target on freshly placed arrays, and look at what it did (in the worker)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backproof.contract import Geometry, PoolGeometry
from backproof.targets.binding import BoundFunction
from backproof.targets.blame import message_of, where
from backproof.targets.calls import Malformed, NotSupported, Raised
from backproof.targets.layouts import Array, Placed, place
from backproof.targets.roles import FUNCTIONS

_NUMERIC = "biufc"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Arrays by quantity, as the function returned them, and the inputs whose memory it changed or returned."""

    arrays: dict[str, Array]
    mutated: tuple[str, ...]
    aliased: tuple[str, ...]


def call(
    function: Callable[..., Any],
    bound: BoundFunction,
    geometry: Geometry | PoolGeometry,
    values: Mapping[str, Array],
    layouts: Mapping[str, str],
    root: Path,
) -> Outcome | Raised | NotSupported | Malformed:
    """One call; `values` and `layouts` by role, those that the function takes."""
    placed = {role: place(array, layouts.get(role, "C")) for role, array in values.items() if bound.takes(role)}
    before = {role: item.memory.copy() for role, item in placed.items()}
    arrays = {role: item.array for role, item in placed.items()}
    arguments, keywords = bound.arguments(geometry, arrays)
    try:
        answer = function(*arguments, **keywords)
    except NotImplementedError as error:
        return NotSupported(bound.role, message_of(error) or "NotImplementedError")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - all are the target's
        return Raised(bound.role, type(error).__name__, message_of(error), where(error, root))
    results = read(bound.role, answer, geometry, "b" in values)
    if isinstance(results, Malformed):
        return results
    mutated = tuple(role for role, item in placed.items() if _differs(item.memory, before[role]))
    return Outcome(results, mutated, _aliased(results, placed))


def read(role: str, answer: Any, geometry: Geometry | PoolGeometry, bias: bool) -> dict[str, Array] | Malformed:
    """The arrays in what a function returned: one, or for `backward` dx, dw and, with a bias, db."""
    wanted = FUNCTIONS[role].returns if bias else tuple(q for q in FUNCTIONS[role].returns if q != "db")
    if role == "bias_gradient":
        wanted = ("db",)
    found: Sequence[Any] = [answer]
    if role == "backward":
        if not isinstance(answer, tuple | list):
            return Malformed(role, "dx", f"returned {_kind(answer)}; return {_shown(wanted)}")
        found = answer
        if not len(wanted) <= len(found) <= 3:
            return Malformed(role, wanted[-1], f"returned {len(found)} results; return {_shown(wanted)}")
    arrays: dict[str, Array] = {}
    for quantity, value in zip(wanted, found, strict=False):
        array = _array(value)
        if array is None:
            advice = f"an array of shape {_shape(geometry, quantity)}"
            return Malformed(role, quantity, f"returned {_kind(value)}; return {advice}")
        arrays[quantity] = array
    return arrays


def _array(value: Any) -> Array | None:
    """`value` as a numeric NumPy array without a copy, where it is one in any library; no lists."""
    if not isinstance(value, np.ndarray | np.generic) and not hasattr(value, "__array__"):
        return None
    array = np.asarray(value)
    return array if array.dtype.kind in _NUMERIC else None


def _shape(geometry: Geometry | PoolGeometry, quantity: str) -> tuple[int, ...]:
    if isinstance(geometry, Geometry):
        return geometry.shape_of(quantity)
    return geometry.y_shape if quantity == "y" else geometry.x_shape


def _shown(wanted: tuple[str, ...]) -> str:
    return f"({', '.join(wanted)})"


def _kind(value: Any) -> str:
    """What something is, in a few words."""
    if value is None:
        return "None"
    if isinstance(value, tuple | list):
        kinds = ", ".join(type(item).__name__ for item in value[:4])
        return f"a {type(value).__name__} of {len(value)} ({kinds}{', ...' if len(value) > 4 else ''})"
    if isinstance(value, np.ndarray):
        return "one array" if value.dtype.kind in _NUMERIC else f"an array of dtype {value.dtype}"
    return f"a {type(value).__name__}"


def _differs(memory: Array, before: Array) -> bool:
    """By bytes: NaN equals itself, and -0.0 is not 0.0."""
    return not np.array_equal(memory.view(np.uint8), before.view(np.uint8))


def _aliased(results: Mapping[str, Array], placed: Mapping[str, Placed]) -> tuple[str, ...]:
    """`memory` has no gaps, so that overlapping bounds mean shared memory."""
    memories = [item.memory for item in placed.values()]
    return tuple(name for name, array in results.items() if any(np.may_share_memory(array, m) for m in memories))
