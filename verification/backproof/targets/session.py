"""A loaded target that answers calls (in the worker)."""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from backproof.contract import AnyGeometry
from backproof.targets import calling
from backproof.targets.arena import Attachment, Slot, aligned, view, write
from backproof.targets.axes import CANONICAL, Axes
from backproof.targets.binding import Binding
from backproof.targets.blame import describe
from backproof.targets.calls import Excluded, Malformed, NotSupported, Raised, Step
from backproof.targets.declarations import CallDescription, Declarations, read_declarations
from backproof.targets.errors import TargetError
from backproof.targets.layouts import Array, layout_of, place
from backproof.targets.loading import load
from backproof.targets.messages import Call, Calling, Follow, Followed, Load, Order, Returned, Together
from backproof.targets.styles import Layer, bind_layer, recognise
from backproof.targets.styles.activations import derivative
from backproof.targets.styles.glue import GLUE
from backproof.targets.together import Start, at_once

NoResult: TypeAlias = Raised | NotSupported | Excluded | Malformed

_EFFORT = 10_000  # of an exact overlap search; beyond, two results count as apart


class Session:
    """A loaded target; `tell` sends what the parent must know before a function is called."""

    def __init__(
        self, binding: Binding, layer: Layer, root: Path, declared: Declarations, tell: Callable[[Any], None]
    ) -> None:
        self.binding = binding
        self._layer, self._root = layer, root
        self._defects = declared.known_defects
        self._tell = _one_by_one(tell)
        layer.parts.tell = lambda function: self._tell(Calling(function))
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

    def respond(self, order: Order) -> Returned | NoResult | Followed | tuple[Returned | NoResult, ...]:
        """Do what is asked."""
        match order:
            case Follow():
                return self.follow(order)
            case Together():
                return self.together(order)
            case _:
                return self.answer(order)

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

    def together(self, message: Together) -> tuple[Returned | NoResult, ...]:
        """Make calls at the same time, and answer each (see `together.at_once`)."""
        memory = self._memory.to(message.calls[0].memory)
        offset, answers = message.calls[0].room, list[Returned | NoResult]()
        calls = [functools.partial(self._at_once, memory, call) for call in message.calls]
        for outcome in at_once(calls, message.rounds, _alike, message.skipped):
            if isinstance(outcome, calling.Outcome):
                outbox = _Outbox(memory, offset)
                for quantity, array in outcome.arrays.items():
                    outbox.put(quantity, array)
                offset = outbox.offset
                answers.append(Returned(outbox.slots, outbox.loose, outcome.mutated, outcome.aliased, ()))
            else:
                answers.append(outcome)
        return tuple(answers)

    def _at_once(self, memory: SharedMemory, call: Call, start: Start) -> calling.Outcome | NoResult:
        """One call, its results copied before its thread does anything else."""
        self._tell(Calling(call.functions[0]))
        values = {role: view(memory, slot) for role, slot in call.inputs.items()}
        outcome = self._call(call.functions[0], call, values, start)
        if not isinstance(outcome, calling.Outcome):
            return outcome
        return replace(outcome, arrays={quantity: array.copy() for quantity, array in outcome.arrays.items()})

    def follow(self, message: Follow) -> Followed:
        """Run a program, up to the first step that gives no result."""
        memory = self._memory.to(message.memory)
        outbox = _Outbox(memory, message.room)
        variables = {
            name: place(view(memory, slot), message.layouts[name]).array for name, slot in message.inputs.items()
        }
        overwritten: list[tuple[int, str]] = []
        for number, step in enumerate(message.steps):
            before = {name: array.tobytes() for name, array in variables.items()}
            if number:  # the parent knows what comes first
                self._tell(Calling(step.function))
            results = self._step(step, variables)
            if not isinstance(results, dict):
                return Followed(outbox.slots, outbox.loose, tuple(overwritten), number, results)
            overwritten += [(number, name) for name, old in before.items() if calling.differs(variables[name], old)]
            for quantity, name in step.outputs:
                if quantity in results:
                    variables[name] = results[quantity]
                    outbox.put(name, results[quantity])
        return Followed(outbox.slots, outbox.loose, tuple(overwritten), None, None)

    def _step(self, step: Step, variables: Mapping[str, Array]) -> dict[str, Array] | NoResult:
        """One call of a program, on the variables as they are."""
        missing = next((name for _, name in step.inputs if name not in variables), None)
        if missing is not None:
            return Malformed(step.function, missing, "was not returned by the function that has to compute it")
        values = {role: variables[name] for role, name in step.inputs}
        if step.function in GLUE:
            try:
                return {step.outputs[0][0]: GLUE[step.function](*values.values())}
            except ValueError as error:  # a function returned another shape, which is told at its own step
                return Malformed(step.function, step.inputs[0][1], f"does not fit: {error}")
        layouts = {role: layout_of(array) for role, array in values.items()} if self._defects else {}
        if (refused := self._refused(step.function, step.geometry, values, layouts)) is not None:
            return refused
        bound, function = self.binding.function(step.function), self._layer.functions[step.function]
        if bound is None:
            return NotSupported(step.function, f"no {step.function}")
        others = self._others(step.activation)
        return calling.hand_on(function, bound, step.geometry, values, self._root, self._axes(step.function), others)

    def _others(self, activation: str) -> dict[str, Any]:
        """The function a' to hand in, where one is asked for."""
        if not activation:
            return {}
        return {"activation_derivative": derivative(activation, self._layer.activations, self._layer.arrays)}

    def _axes(self, function: str) -> Axes:
        """Activations take arrays of any shape, entry by entry."""
        return CANONICAL if function.startswith("activation ") else self._layer.axes

    def _refused(
        self, name: str, geometry: AnyGeometry, values: Mapping[str, Array], layouts: Mapping[str, str]
    ) -> Excluded | Raised | None:
        """Whether a known defect of the library applies, so that it is not called."""
        dtype = next(iter(values.values())).dtype.name
        description = CallDescription(name, geometry, dtype, layouts)
        for defect in self._defects:
            try:
                if defect.applies(description):
                    return Excluded(defect.name)
            except Exception as error:  # noqa: BLE001 - a predicate of the adapter's
                return Raised(f"KNOWN_DEFECTS {defect.name}", type(error).__name__, describe(error), "")
        return None

    def _call(
        self, name: str, call: Call, values: Mapping[str, Array], start: Start = lambda: None
    ) -> calling.Outcome | NoResult:
        if (refused := self._refused(name, call.geometry, values, call.layouts)) is not None:
            return refused
        bound = self.binding.function(name)
        if bound is None:  # the parent asks only for functions of the binding
            return NotSupported(name, f"no {name}")
        function, others, axes = self._layer.functions[name], self._others(call.activation), self._axes(name)

        def started(geometry: AnyGeometry, arrays: Mapping[str, Any]) -> Any:
            start()
            return function(geometry, arrays)

        return calling.call(started, bound, call.geometry, values, call.layouts, self._root, axes, others)


class _Outbox:
    """Results on their way: copied at once, before the next function can write over them."""

    def __init__(self, memory: SharedMemory, offset: int) -> None:
        self._memory = memory
        self.offset = offset
        self.slots: dict[str, Slot] = {}
        self.loose: dict[str, tuple[bytes, str, tuple[int, ...]]] = {}

    def put(self, quantity: str, array: Array) -> None:
        """Into shared memory, or, where it is larger than expected, next to the answer."""
        if self.offset + array.nbytes <= self._memory.size:
            self.slots[quantity] = write(self._memory, self.offset, array)
            self.offset += aligned(array.nbytes)
        else:
            self.loose[quantity] = (array.tobytes(), array.dtype.str, tuple(array.shape))


def _one_by_one(tell: Callable[[Any], None]) -> Callable[[Any], None]:
    """`tell` for several threads: a message is sent whole."""
    lock = threading.Lock()

    def locked(message: Any) -> None:
        with lock:
            tell(message)

    return locked


def _alike(one: calling.Outcome | NoResult, other: calling.Outcome | NoResult) -> bool:
    """Whether two calls came to the same, by bytes: NaN equals itself."""
    if not isinstance(one, calling.Outcome) or not isinstance(other, calling.Outcome):
        return one == other
    arrays = zip(one.arrays.values(), other.arrays.values(), strict=False)
    equal = all(a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in arrays)
    return equal and one.mutated == other.mutated and one.arrays.keys() == other.arrays.keys()


def _overlaps(array: Array, others: Iterable[Array]) -> bool:
    """Exactly, not by bounds: gradients may be interleaved columns of one matrix."""
    for other in others:
        try:
            if np.shares_memory(array, other, max_work=_EFFORT):  # type: ignore[arg-type] # NumPy's stubs
                return True
        except np.exceptions.TooHardError:
            continue
    return False
