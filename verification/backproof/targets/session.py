"""A loaded target that answers calls (in the worker)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from backproof.targets import calling
from backproof.targets.arena import Attachment, Slot, aligned, view, write
from backproof.targets.binding import Binding
from backproof.targets.blame import describe
from backproof.targets.calls import Excluded, Malformed, NotSupported, Raised
from backproof.targets.declarations import CallDescription, Declarations, read_declarations
from backproof.targets.errors import TargetError
from backproof.targets.layouts import Array
from backproof.targets.loading import load
from backproof.targets.messages import Call, Calling, Load, Returned
from backproof.targets.styles import Layer, bind_layer, recognise

NoResult: TypeAlias = Raised | NotSupported | Excluded | Malformed

_EFFORT = 10_000  # of an exact overlap search; beyond, two results count as apart


class Session:
    """A loaded target; `tell` sends what the parent must know before a function is called."""

    def __init__(
        self, binding: Binding, layer: Layer, root: Path, declared: Declarations, tell: Callable[[Any], None]
    ) -> None:
        self.binding = binding
        self._layer, self._root = layer, root
        layer.parts.tell = lambda function: tell(Calling(function))
        self._defects = declared.known_defects
        self._tell = tell
        self._memory = Attachment()
        # The last results of each function, kept alive so that new ones cannot lie there by chance.
        self._previous: dict[str, list[Array]] = {}

    @classmethod
    def load(cls, message: Load, tell: Callable[[Any], None]) -> Session:
        """Import the target and find out how it is written.

        Raises:
            TargetError: as `open`.
        """
        sys.path.insert(0, os.getcwd())
        sys.path += [item for item in message.search if item not in sys.path]
        return cls.open(message, tell)

    @classmethod
    def open(cls, message: Load, tell: Callable[[Any], None]) -> Session:
        """The same with the path as it is.

        Raises:
            TargetError: as `load`, `read_declarations` and `recognise`.
        """
        name = message.target
        loaded = load(name)
        try:
            declared = read_declarations(loaded.constants, message.declarations)
            layer = recognise(loaded, declared, trials=message.trials)
        except TargetError as error:
            raise TargetError(f"{name}: {error}") from error
        return cls(bind_layer(layer, loaded, declared, name), layer, loaded.root, declared, tell)

    def answer(self, call: Call) -> Returned | NoResult:
        """Call the functions one after the other, up to the first that gives no result."""
        memory = self._memory.to(call.memory)
        outbox = _Outbox(memory, call.room)
        kept: dict[str, list[Array]] = {}
        mutated: dict[str, None] = {}
        aliased: list[str] = []
        reused: list[str] = []
        for number, name in enumerate(call.functions):
            if number:  # the parent knows what comes first
                self._tell(Calling(name))
            outcome = self._call(name, call, {role: view(memory, slot) for role, slot in call.inputs.items()})
            if not isinstance(outcome, calling.Outcome):
                return outcome
            for quantity, array in outcome.arrays.items():
                earlier = [*self._previous.values(), *kept.values()]
                if _overlaps(array, [result for results in earlier for result in results]):
                    reused.append(quantity)
                kept.setdefault(name, []).append(array)
                outbox.put(quantity, array)
            mutated |= dict.fromkeys(outcome.mutated)
            aliased += outcome.aliased
        self._previous |= kept
        return Returned(outbox.slots, outbox.loose, tuple(mutated), tuple(aliased), tuple(reused))

    def _call(self, name: str, call: Call, values: Mapping[str, Array]) -> calling.Outcome | NoResult:
        dtype = next(iter(values.values())).dtype.name
        description = CallDescription(name, call.geometry, dtype, call.layouts)
        for defect in self._defects:
            try:
                if defect.applies(description):
                    return Excluded(defect.name)
            except Exception as error:  # noqa: BLE001 - a predicate of the adapter's
                return Raised(f"KNOWN_DEFECTS {defect.name}", type(error).__name__, describe(error), "")
        bound = self.binding.function(name)
        if bound is None:  # the parent asks only for functions of the binding
            return NotSupported(name, f"no {name}")
        function, axes = self._layer.functions[name], self._layer.axes
        return calling.call(function, bound, call.geometry, values, call.layouts, self._root, axes)


class _Outbox:
    """Results on their way: copied at once, before the next function can write over them."""

    def __init__(self, memory: SharedMemory, offset: int) -> None:
        self._memory = memory
        self._offset = offset
        self.slots: dict[str, Slot] = {}
        self.loose: dict[str, tuple[bytes, str, tuple[int, ...]]] = {}

    def put(self, quantity: str, array: Array) -> None:
        """Into shared memory, or, where it is larger than expected, next to the answer."""
        if self._offset + array.nbytes <= self._memory.size:
            self.slots[quantity] = write(self._memory, self._offset, array)
            self._offset += aligned(array.nbytes)
        else:
            self.loose[quantity] = (array.tobytes(), array.dtype.str, tuple(array.shape))


def _overlaps(array: Array, others: Iterable[Array]) -> bool:
    """Exactly, not by bounds: gradients may be interleaved columns of one matrix."""
    for other in others:
        try:
            if np.shares_memory(array, other, max_work=_EFFORT):  # type: ignore[arg-type] # NumPy's stubs
                return True
        except np.exceptions.TooHardError:
            continue
    return False
