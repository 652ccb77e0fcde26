"""A target in a process of its own: what crashes, hangs, exits or prints there does no harm here.

with Target.open("my_conv.py") as target:
    reply = target.call(Request(geometry, {"x": x, "w": w}, functions=("forward",)))
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import numpy as np

from backproof.contract import AnyGeometry, Geometry, Points, PoolGeometry
from backproof.targets.arena import Arena, Slot, aligned, view, write
from backproof.targets.binding import Binding
from backproof.targets.calls import Crashed, NotSupported, Program, Reply, Request, Results, TimedOut, Trail
from backproof.targets.child import Child, ChildEndedError, ChildSilentError
from backproof.targets.errors import TargetError
from backproof.targets.layouts import Array, legal
from backproof.targets.messages import Call, Calling, Follow, Followed, Load, Order, Ready, Refused, Returned, Together
from backproof.targets.roles import DATA, described

_GEOMETRIES: dict[str, type[AnyGeometry]] = {"convolution": Geometry, "pooling": PoolGeometry, "points": Points}


class Target:
    """A loaded target; a context manager, for one thread at a time.

    `binding`: what is bound to what; `restarts`: how often the worker had to be started again.
    """

    def __init__(self, name: str, declarations: Mapping[str, str], time_limit: float, load_limit: float) -> None:
        self._load = Load(name, dict(declarations), tuple(sys.path))
        self._time_limit = time_limit
        self._load_limit = load_limit
        self._arena = Arena()
        self._child: Child | None = None
        self._closed = False
        self.restarts = -1
        self.binding: Binding = self._start()

    @classmethod
    def open(
        cls,
        target: str,
        *,
        declarations: Mapping[str, str] | None = None,
        time_limit: float = 30.0,
        load_limit: float = 120.0,
    ) -> Self:
        """Start a worker and load a target in it; `time_limit`, in seconds, holds for each function call.

        Raises:
            TargetError: the target cannot be used; the message says what to write instead.
        """
        return cls(target, declarations or {}, time_limit, load_limit)

    def call(self, request: Request) -> Reply:
        """Call the functions of a request, up to the first that gives no result.

        Raises:
            ValueError: the request asks for what the binding excludes.
            TargetError: after a crash, the target could not be loaded again.
        """
        if self._closed:
            raise ValueError(f"{self.binding.name} is closed")
        if (reason := self._check(request)) is not None:
            return reason
        if not self._running:
            self._start()
        (order,) = self._hand_over([request])
        return self._results(self._reply(order, request.functions[0]))

    def follow(self, program: Program) -> Trail:
        """Run a program in the worker: what a function returns is handed to others as it is.

        Raises:
            TargetError: after a crash, the target could not be loaded again.
        """
        if not self._running:
            self._start()
        (inputs,), room, memory = self._share([program.arrays], 0)
        layouts = {name: program.layouts.get(name, "C") for name in program.arrays}
        message = self._reply(Follow(program.steps, inputs, layouts, memory, room), program.steps[0].function)
        if isinstance(message, Followed):
            return Trail(self._values(message), message.overwritten, message.stopped, message.reply)
        stopped = next((k for k, step in enumerate(program.steps) if step.function == message.function), 0)
        return Trail({}, (), stopped, message)

    def together(self, requests: Sequence[Request], rounds: int, skipped: int = 0) -> tuple[Reply, ...]:
        """Make requests, of one function each, at the same time, in threads of the worker, and so `rounds` times.

        What each comes to: the first result that differs from that of the same request made alone, else the last.
        Where the process ends, or does not answer, that is what all come to.  `skipped`: see `together.at_once`.

        Raises:
            ValueError, TargetError: as `call`; a request has several functions.
        """
        if self._closed:
            raise ValueError(f"{self.binding.name} is closed")
        for request in requests:
            if len(request.functions) != 1:
                raise ValueError(f"a thread makes one call, not {', '.join(request.functions)}; name one function")
            if (reason := self._check(request)) is not None:
                return (reason,) * len(requests)
        if not self._running:
            self._start()
        order = Together(tuple(self._hand_over(requests)), rounds, skipped)
        answer = self._reply(order, requests[0].functions[0])
        return tuple(map(self._results, answer if isinstance(answer, tuple) else (answer,) * len(requests)))

    def renew(self) -> None:
        """Give the worker up: the next call starts another, in which nothing has been called before.

        This is no restart in the sense of `restarts`, which counts those that a target made necessary.
        """
        if self._running:
            self._drop()
            self.restarts -= 1

    def close(self) -> None:
        """Stop the worker and give its memory back."""
        self._closed = True
        self._drop()
        self._arena.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- the worker

    @property
    def _running(self) -> bool:
        return self._child is not None

    def _start(self) -> Binding:
        child = self._child = Child()
        try:
            child.send(self._load)
            message = child.receive(self._load_limit)
        except (ChildSilentError, ChildEndedError) as error:
            if self._load.trials:  # it may be a function that was tried, and not the import
                self._drop()
                self._load = replace(self._load, trials=False)
                return self._start()
            problem = self._not_loaded(child, error)
        except BaseException:
            self.close()
            raise
        else:
            if isinstance(message, Ready):
                self.restarts += 1
                return message.binding
            problem = message.message if isinstance(message, Refused) else f"unexpected answer {message!r}"
        self.close()
        raise TargetError(problem)

    def _not_loaded(self, child: Child, error: Exception) -> str:
        name = self._load.target
        if isinstance(error, ChildSilentError):
            return f"importing {name} did not finish within {self._load_limit:g} s"
        line = f" at {where}" if (where := child.interrupted()) else ""
        return f"importing {name} ended the process{line}: {child.how()}\n{child.output()}".rstrip()

    def _drop(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child = None

    # ---- one call

    def _check(self, request: Request) -> NotSupported | None:
        """Refuse what is a mistake of the caller's, and answer what a signature already answers."""
        if (reason := self.binding.refuses(request.geometry)) is not None:
            raise ValueError(f"{self.binding.name}: {reason}")
        _check_functions(request, self.binding)
        _check_arrays(request, self.binding)
        for name in request.functions:
            function = self.binding.function(name)
            if function is not None and (reason := function.refuses(request.geometry)) is not None:
                return NotSupported(name, reason)
        return None

    def _hand_over(self, requests: Sequence[Request]) -> list[Call]:
        """Copy the arrays into the arena, with room for the results behind them."""
        inputs, room, memory = self._share([request.arrays for request in requests], sum(map(_result_size, requests)))
        return [
            Call(
                request.geometry,
                request.functions,
                slots,
                {role: request.layouts.get(role, "C") for role in request.arrays},
                memory,
                room,
                request.activation,
            )
            for request, slots in zip(requests, inputs, strict=True)
        ]

    def _share(self, groups: Sequence[Mapping[str, Array]], results: int) -> tuple[list[dict[str, Slot]], int, str]:
        """Groups of arrays in the arena, where room for results begins, and the arena's name."""
        room = sum(aligned(array.nbytes) for arrays in groups for array in arrays.values())
        memory = self._arena.reserve(room + results)
        offset, inputs = 0, list[dict[str, Slot]]()
        for arrays in groups:
            inputs.append({})
            for name, array in arrays.items():
                inputs[-1][name] = write(memory, offset, array)
                offset += aligned(array.nbytes)
        return inputs, room, memory.name

    def _reply(self, order: Order, first: str) -> Any:
        """What comes back; `first` is the function that is called first."""
        try:
            return self._exchange(order, first)
        except BaseException:  # an interrupted conversation cannot be taken up again
            self._drop()
            raise

    def _exchange(self, order: Order, function: str) -> Any:
        child = self._child
        if child is None:
            raise TargetError(f"{self.binding.name} is closed")
        message: Any = None
        child.send(order)
        try:
            while isinstance(message := child.receive(self._time_limit), Calling):
                function = message.function
        except ChildSilentError:
            self._drop()
            return TimedOut(function, self._time_limit)
        except ChildEndedError:
            crash = Crashed(function, child.how(), child.output(), child.interrupted())
            self._drop()
            return crash
        return message

    def _results(self, message: Any) -> Reply:
        if isinstance(message, Returned):
            return Results(self._values(message), message.mutated, message.aliased, message.reused)
        reply: Reply = message
        return reply

    def _values(self, returned: Returned | Followed) -> dict[str, Array]:
        memory = self._arena.reserve(0)
        values = {name: view(memory, slot).copy() for name, slot in returned.slots.items()}
        for name, (data, dtype, shape) in returned.loose.items():
            values[name] = np.frombuffer(data, dtype).reshape(shape).copy()
        return values


def _result_size(request: Request) -> int:
    """Bytes of what the functions should return, in float64."""
    shapes = [array.shape for array in request.arrays.values()]
    expected = [request.geometry.y_shape, *shapes]
    return sum(aligned(8 * math.prod(shape)) for shape in expected)


def _check_functions(request: Request, binding: Binding) -> None:
    if not request.functions:
        raise ValueError("functions is empty; name at least one, such as 'forward'")
    computed: list[str] = []
    for name in request.functions:
        function = binding.function(name)
        if function is None:
            bound = ", ".join(item.role for item in binding.functions)
            raise ValueError(f"{binding.name} has no function {name!r}; it has {bound}")
        if not isinstance(request.geometry, _GEOMETRIES[described(name).on]):
            raise ValueError(f"{name} does not go with a {type(request.geometry).__name__}")
        for role in DATA:
            if function.takes(role) and role not in request.arrays:
                raise ValueError(f"{name} needs the array {role}")
        if function.takes("activation_derivative") and not request.activation:
            raise ValueError(f"{name} takes a derivative; name an activation, such as 'our square'")
        computed += described(name).returns
    for quantity in computed:
        if computed.count(quantity) > 1:
            raise ValueError(f"{quantity} is computed twice by {', '.join(request.functions)}; ask in two requests")


def _check_arrays(request: Request, binding: Binding) -> None:
    if isinstance(request.geometry, Geometry) and request.geometry.bias != ("b" in request.arrays):
        raise ValueError(f"geometry.bias is {request.geometry.bias}, and the arrays are {', '.join(request.arrays)}")
    for role, array in request.arrays.items():
        if not array.flags.c_contiguous:
            raise ValueError(f"{role} must be C-contiguous; lay it out with layouts={{{role!r}: ...}}")
        layout = request.layouts.get(role, "C")
        if layout not in binding.layouts:
            raise ValueError(
                f"{binding.name} takes the layouts {', '.join(binding.layouts)}, not {layout!r} for {role}"
            )
        if not legal(layout, array):
            raise ValueError(f"layout {layout!r} cannot hold {role} of shape {array.shape}")
