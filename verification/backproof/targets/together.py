"""Two calls at the same time, in threads of one process (in the worker).

A race needs one thread to come between two steps of the other, which left to itself it seldom does.  So, in turn:

    both begin at a barrier, and threads give way to each other as often as Python can make them
    one is stopped at a line of the target's own, each line in turn; the other's call is made from beginning to end

The second finds what goes on in lines of Python, such as a buffer that is filled in one and read in another; the first
reaches compiled code that lets other threads run.
"""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import CodeType, FrameType
from typing import Any, Protocol, TypeAlias, TypeVar

Answer = TypeVar("Answer")
#: Called by a call right before the target's function.
Start: TypeAlias = Callable[[], None]
Line: TypeAlias = tuple[CodeType, int]

#: Seconds after which a thread gives way to another that waits; Python's own choice is 5 ms.
_TURN = 1e-6
#: Seconds for which a thread stands still, halved whenever that was in vain: the other may wait for a lock that it has.
_PATIENCE = 0.2
#: Whose lines are none of the target's.
_LIBRARIES = {"numpy", *sys.stdlib_module_names}
_OURS, _TARGETS = "backproof.", ("backproof.targets.adapters.", "backproof.museum.")


def at_once(
    calls: Sequence[Callable[[Start], Answer]], rounds: int, same: Callable[[Answer, Answer], bool], skipped: int = 0
) -> list[Answer]:
    """What two calls give: in the first round in which one is not the `same` as when it is made alone, else the last.

    So many lines at which to stop are `skipped`, having had their turn.

    Raises:
        BaseException: whatever a call raised; calls of a target raise nothing.
    """
    counters = [_Counter() for _ in calls]
    alone = [counter.count(call) for counter, call in zip(counters, calls, strict=True)]
    answers, rng, patience = alone, random.Random(0), _PATIENCE
    with _turns(_TURN):
        for number in range(rounds):
            turn = skipped + number // 2
            lines = list(counters[turn % 2].visits.items())
            meeting: _Meeting = _Barrier()
            if number % 2 and lines:
                line, visits = lines[turn % len(lines)]
                meeting = _Stop(turn % 2, line, rng.randint(1, visits), patience)
            answers = _round(calls, meeting)
            patience /= 1 + meeting.in_vain
            if not all(map(same, answers, alone)):
                break
    return answers


class _Meeting(Protocol):
    """How two threads, 0 and 1, come together; `leave` may be called without `enter`.

    `in_vain`: whether one waited for the other as long as it could.
    """

    in_vain: bool

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

    in_vain = False

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2)

    def enter(self, thread: int) -> None:
        with suppress(threading.BrokenBarrierError):  # the other has left without coming here
            self._barrier.wait()

    def leave(self, thread: int) -> None:
        self._barrier.abort()


class _Stop:
    """The `first` thread is stopped when it comes to a line for the n-th time, until the other is through."""

    in_vain = False

    def __init__(self, first: int, line: Line, visits: int, patience: float) -> None:
        self._first, self._line, self._left, self._patience = first, line, visits, patience
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
        if event == "line" and _line(frame) == self._line:
            self._left -= 1
            if self._left == 0:
                self._stopped.set()
                self.in_vain = not self._through.wait(self._patience)
        return self._trace if self._left > 0 else None


class _Counter:
    """The lines of the target's own that a call runs through, in order of appearance, and how often each."""

    def __init__(self) -> None:
        self.visits: dict[Line, int] = {}

    def count(self, call: Callable[[Start], Answer]) -> Answer:
        before = sys.gettrace()
        try:
            return call(lambda: sys.settrace(self._trace))
        finally:
            sys.settrace(before)

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if _foreign(frame):
            return None
        if event == "line":
            self.visits[_line(frame)] = self.visits.get(_line(frame), 0) + 1
        return self._trace


def _line(frame: FrameType) -> Line:
    return frame.f_code, frame.f_lineno


def _foreign(frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    ours = name.startswith(_OURS) and not name.startswith(_TARGETS)
    return ours or name.partition(".")[0] in _LIBRARIES


@contextmanager
def _turns(seconds: float) -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
