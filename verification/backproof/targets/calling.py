"""Call one function of the target on freshly placed arrays, and look at what it did (in the worker)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from backproof.contract import AnyGeometry, Geometry, Points
from backproof.targets.axes import CANONICAL, Axes
from backproof.targets.binding import BoundFunction
from backproof.targets.blame import message_of, where
from backproof.targets.calls import Malformed, NotSupported, Raised
from backproof.targets.errors import AnswerError, PartError
from backproof.targets.layouts import Array, Placed, place
from backproof.targets.roles import described

#: A function of a target in whatever style: arrays by role, in the target's axes, one sample where it has no batch.
Function: TypeAlias = Callable[[AnyGeometry, Mapping[str, Any]], Any]

NoOutcome: TypeAlias = Raised | NotSupported | Malformed

_NUMERIC = "biufc"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Arrays by quantity, as the function returned them, and the inputs whose memory it changed or returned."""

    arrays: dict[str, Array]
    mutated: tuple[str, ...]
    aliased: tuple[str, ...]


def call(
    function: Function,
    bound: BoundFunction,
    geometry: AnyGeometry,
    values: Mapping[str, Array],
    layouts: Mapping[str, str],
    root: Path,
    axes: Axes = CANONICAL,
    others: Mapping[str, Any] | None = None,
) -> Outcome | NoOutcome:
    """One call, or one per sample; `values` and `layouts` by role, those that the function takes.

    `others` are values by role that are no arrays.
    """
    taken = {role: axes.laid_out(role, array) for role, array in values.items() if bound.takes(role)}
    placed = {role: place(array, layouts.get(role, "C")) for role, array in taken.items()}
    before = {role: item.memory.tobytes() for role, item in placed.items()}
    arrays = {role: axes.given(role, item.array) for role, item in placed.items()}
    results = _results(function, bound, geometry, arrays, "b" in values, root, axes, others or {})
    if not isinstance(results, dict):
        return results
    mutated = tuple(role for role, item in placed.items() if differs(item.memory, before[role]))
    return Outcome(results, mutated, _aliased(results, placed))


def hand_on(
    function: Function,
    bound: BoundFunction,
    geometry: AnyGeometry,
    values: Mapping[str, Array],
    root: Path,
    axes: Axes = CANONICAL,
    others: Mapping[str, Any] | None = None,
) -> dict[str, Array] | NoOutcome:
    """A call on arrays as they are, in whatever memory another function left them; arrays by quantity."""
    taken = {role: axes.laid_out(role, array) for role, array in values.items() if bound.takes(role)}
    arrays = {role: axes.given(role, array) for role, array in taken.items()}
    return _results(function, bound, geometry, arrays, "b" in values, root, axes, others or {})


def _results(
    function: Function,
    bound: BoundFunction,
    geometry: AnyGeometry,
    arrays: Mapping[str, Any],
    bias: bool,
    root: Path,
    axes: Axes,
    others: Mapping[str, Any],
) -> dict[str, Array] | NoOutcome:
    if geometry.batch == 0 and not axes.batched:
        return NotSupported(bound.role, f"an empty batch, with LAYOUT={axes.data}")
    answers: list[dict[str, Array]] = []
    try:
        for sample in axes.samples(arrays, geometry.batch):
            told = geometry if axes.batched else _of_one(geometry)
            answer = read(bound.role, function(told, {**sample, **others}), geometry, bias, axes)
            if isinstance(answer, Malformed):
                return answer
            answers.append(answer)
    except AnswerError as error:
        return Malformed(error.function, error.quantity, error.what)
    except PartError as error:
        return _raised(error.function, error.__cause__ or error, root)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - all are the target's
        return _raised(bound.role, error, root)
    return {name: axes.taken(name, [answer[name] for answer in answers]) for name in answers[0]}


def _of_one(geometry: AnyGeometry) -> AnyGeometry:
    """The geometry of one sample."""
    return Points((1, *geometry.shape[1:])) if isinstance(geometry, Points) else replace(geometry, batch=1)


def _raised(role: str, error: BaseException, root: Path) -> Raised | NotSupported:
    if isinstance(error, NotImplementedError):
        return NotSupported(role, message_of(error) or "NotImplementedError")
    return Raised(role, type(error).__name__, message_of(error), where(error, root))


def read(
    role: str,
    answer: Any,
    geometry: AnyGeometry,
    bias: bool,
    axes: Axes = CANONICAL,
) -> dict[str, Array] | Malformed:
    """The arrays in what a function returned: one, or for `backward` dx, dw and, with a bias, db.

    A style that knows which array is which answers with a dictionary, which holds those that there are.
    """
    wanted = described(role).returns if bias else tuple(q for q in described(role).returns if q != "db")
    if role == "bias_gradient":
        wanted = ("db",)
    found: Sequence[Any] = [answer]
    if isinstance(answer, Mapping):
        wanted = tuple(quantity for quantity in wanted if answer.get(quantity) is not None)
        found = [answer[quantity] for quantity in wanted]
    elif role == "backward":
        if not isinstance(answer, tuple | list):
            return Malformed(role, "dx", f"returned {_kind(answer)}; return {_shown(wanted)}")
        found = answer
        if not len(wanted) <= len(found) <= 3:
            return Malformed(role, wanted[-1], f"returned {len(found)} results; return {_shown(wanted)}")
    arrays: dict[str, Array] = {}
    for quantity, value in zip(wanted, found, strict=False):
        array = _array(np.float64(value) if _is_number(quantity, value) else axes.array(quantity, value))
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


def _is_number(quantity: str, value: Any) -> bool:
    """Whether this is E as a number of Python's, or of a dtype."""
    return quantity == "E" and isinstance(value, int | float) and not isinstance(value, bool)


def _shape(geometry: AnyGeometry, quantity: str) -> tuple[int, ...]:
    if isinstance(geometry, Geometry):
        return geometry.shape_of(quantity)
    if isinstance(geometry, Points):
        return () if quantity == "E" else geometry.shape
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


def differs(memory: Array, before: bytes) -> bool:
    """By bytes: NaN equals itself, and -0.0 is not 0.0."""
    return memory.tobytes() != before


def _aliased(results: Mapping[str, Array], placed: Mapping[str, Placed]) -> tuple[str, ...]:
    """`memory` has no gaps, so that overlapping bounds mean shared memory."""
    memories = [item.memory for item in placed.values()]
    return tuple(name for name, array in results.items() if any(np.may_share_memory(array, m) for m in memories))
