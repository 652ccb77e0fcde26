"""Two calls at the same time, in threads of one process (in the worker).

A race needs one thread to come between two steps of the other, which left to itself it seldom does.  So, in turn:

    both begin at a barrier, and threads give way to each other as often as Python can make them
    one is stopped at a line, drawn at random, of the target's own; the other's call is made from beginning to end

The second finds what goes on in lines of Python (a buffer that is filled in one and read in another) within a few
rounds; the first reaches compiled code that lets other threads run.
"""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Protocol, TypeAlias, TypeVar

Answer = TypeVar("Answer")
#: Called by a call right before the target's function.
Start: TypeAlias = Callable[[], None]

#: Seconds after which a thread gives way to another that waits; Python's own choice is 5 ms.
_TURN = 1e-6
#: Seconds for which a thread stands still; the other may be waiting for a lock that it holds.
_PATIENCE = 0.01
#: Whose lines are none of the target's.
_LIBRARIES = ("numpy", "threading", "contextlib")
_OURS, _ADAPTERS = "backproof.targets", "backproof.targets.adapters"


def at_once(
    calls: Sequence[Callable[[Start], Answer]], rounds: int, same: Callable[[Answer, Answer], bool]
) -> list[Answer]:
    """What two calls give: in the first round in which one is not the `same` as when it is made alone, else the last.

    Raises:
        BaseException: whatever a call raised; calls of a target raise nothing.
    """
    counters = [_Counter() for _ in calls]
    alone = [counter.count(call) for counter, call in zip(counters, calls, strict=True)]
    answers, rng = alone, random.Random(0)
    with _turns(_TURN):
        for number in range(rounds):
            first = number // 2 % 2
            lines = counters[first].lines
            meeting = _Stop(first, rng.randint(1, lines)) if number % 2 and lines else _Barrier()
            answers = _round(calls, meeting)
            if not all(map(same, answers, alone)):
                break
    return answers


class _Meeting(Protocol):
    """How two threads, 0 and 1, come together; `leave` may be called without `enter`."""

    def enter(self, thread: int) -> None: ...

    def leave(self, thread: int) -> None: ...


def _round(calls: Sequence[Callable[[Start], Answer]], meeting: _Meeting) -> list[Answer]:
    """Each call in a thread of its own."""
    answers: dict[int, Answer] = {}
    errors: list[BaseException] = []

    def run(thread: int) -> None:
        entered = threading.Event()

        def start() -> None:  # a call may be one of the function for each sample
            if not entered.is_set():
                entered.set()
                meeting.enter(thread)

        try:
            answers[thread] = calls[thread](start)
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)
        finally:
            meeting.leave(thread)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        raise error
    return [answers[number] for number in range(len(calls))]


class _Barrier:
    """Both begin at once."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2)

    def enter(self, thread: int) -> None:
        with suppress(threading.BrokenBarrierError):  # the other has left without coming here
            self._barrier.wait()

    def leave(self, thread: int) -> None:
        self._barrier.abort()


class _Stop:
    """The `first` thread is stopped after so many lines, until the other is through."""

    def __init__(self, first: int, lines: int) -> None:
        self._first, self._left = first, lines
        self._stopped, self._through = threading.Event(), threading.Event()

    def enter(self, thread: int) -> None:
        if thread == self._first:
            sys.settrace(self._trace)
        else:
            self._stopped.wait()

    def leave(self, thread: int) -> None:
        if thread == self._first:
            sys.settrace(None)
            self._stopped.set()
        else:
            self._through.set()

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if _foreign(frame):
            return None
        self._left -= event == "line"
        if self._left == 0:
            self._left = -1
            self._stopped.set()
            self._through.wait(_PATIENCE)
        return self._trace if self._left > 0 else None


class _Counter:
    """How many lines of the target's own a call runs through."""

    def __init__(self) -> None:
        self.lines = 0

    def count(self, call: Callable[[Start], Answer]) -> Answer:
        before = sys.gettrace()
        try:
            return call(lambda: sys.settrace(self._trace))
        finally:
            sys.settrace(before)

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if _foreign(frame):
            return None
        self.lines += event == "line"
        return self._trace


def _foreign(frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    ours = name.startswith(_OURS) and not name.startswith(_ADAPTERS)
    return ours or name.partition(".")[0] in _LIBRARIES


@contextmanager
def _turns(seconds: float) -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
