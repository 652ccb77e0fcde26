"""The process of one library: `python -m backproof_bench.worker LIBRARY THREADS [PROCESSOR]`.

Questions come as lines of JSON, `[method, arguments...]`, and are answered by `{"answer": ...}` or `{"error": ...}`.
What libraries print goes to stderr.  With a PROCESSOR, the process and all its threads stay on that one.
"""

from __future__ import annotations

import glob
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from . import training
from .layers import Arrays, Layer, Quantity, arrays
from .sides import Sides

try:
    import resource
except ModuleNotFoundError:  # Windows: nothing is counted there
    resource = None  # type: ignore[assignment]


class Worker:
    """What a process can be asked; each method is a question."""

    def __init__(self, library: str, threads: int, processor: int | None = None) -> None:
        self._library: Any = importlib.import_module(f"backproof_bench.sides.{library}")
        if processor is not None:  # only now, so that libraries are imported side by side
            stay(processor)
        self._library.setup(threads)
        self._name = library
        self._sides: Sides = {}
        self._at: tuple[Any, ...] = ()
        self._data: Arrays | None = None
        self._student: training.Student | None = None

    def about(self) -> dict[str, str]:
        """The library's version, and which kernels it uses where it can say."""
        kernels = getattr(self._library, "kernels", lambda: "")
        return {"version": self._library.VERSION, "kernels": kernels()}

    def prepare(self, layer: list[Any], dtype: str) -> dict[str, list[str] | str]:
        """Make a layer's arrays and calls; for each side the quantities that it has, or why it has none."""
        if self._at != (*layer, dtype):
            self._at, made = (*layer, dtype), Layer(*layer)
            self._sides = self._library.sides(made, arrays(made, dtype))
        return {name: calls if isinstance(calls, str) else list(calls) for name, calls in self._sides.items()}

    def entries(self, side: str, quantity: Quantity, at: list[int]) -> list[float]:
        """Entries of a result, at positions in row-major order."""
        with self._library.mode():
            found: list[float] = np.asarray(self._call(side, quantity)()).reshape(-1)[at].astype(np.float64).tolist()
        return found

    def sample(self, side: str, quantity: Quantity, times: int) -> list[float]:
        """`Sample` of so many calls."""
        with self._library.mode():
            return measured(self._call(side, quantity), times)

    def peak(self, dtype: str) -> float:
        """Multiply-adds per nanosecond in registers."""
        return float(self._library.peak(dtype))

    def bandwidth(self) -> float:
        """Bytes per nanosecond of a copy."""
        return float(self._library.bandwidth())

    def enrol(self) -> None:
        """Make a new network for the training, after a rehearsal that compiles what has to be."""
        for rehearsal in (True, False):
            self._student = training.STUDENTS[self._name]()
            if rehearsal:
                self._student.epoch(0, training.REHEARSAL)

    def epoch(self, number: int) -> list[float]:
        """`Sample` of an epoch of the training."""
        student = self._student
        if student is None:
            raise RuntimeError("epoch needs a network; call enrol first")
        return measured(lambda: student.epoch(number), 1)

    def accuracy(self) -> float:
        """Share of the test's digits that the network knows."""
        if self._student is None:
            raise RuntimeError("accuracy needs a network; call enrol first")
        return self._student.accuracy()

    def _call(self, side: str, quantity: Quantity) -> Callable[[], Any]:
        calls = self._sides[side]
        if isinstance(calls, str):
            raise ValueError(f"{side} does not have this layer: {calls}")
        return calls[quantity]


def stay(processor: int) -> None:
    """Keep this thread, those that it will start, and those that there are already on one processor."""
    threads = Path("/proc/self/task")
    for thread in threads.iterdir() if threads.exists() else [Path("0")]:
        os.sched_setaffinity(int(thread.name), {processor})


def measured(call: Callable[[], Any], times: int) -> list[float]:
    """Nanoseconds of a call by the processor's time of all threads and by the wall; of all calls together page faults,
    involuntary context switches, and the part of the wall's time for which threads waited for a processor.
    """
    faults, switches, waited = _counts()
    wall, processor = time.perf_counter_ns(), time.process_time_ns()
    for _ in range(times):
        call()
    processor, wall = time.process_time_ns() - processor, time.perf_counter_ns() - wall
    after = _counts()
    return [processor / times, wall / times, after[0] - faults, after[1] - switches, (after[2] - waited) / wall]


def _counts() -> tuple[int, int, int]:
    if resource is None:
        return 0, 0, 0
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_minflt, used.ru_nivcsw, sum(map(_waited, glob.glob("/proc/self/task/*/schedstat")))


def _waited(file: str) -> int:
    """Nanoseconds that a thread was ready to run and did not, on Linux."""
    try:
        return int(Path(file).read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):  # the thread has ended, or nothing is counted
        return 0


def main() -> None:
    """Answer until there are no more questions."""
    library, threads, *processor = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    worker = Worker(library, int(threads), *map(int, processor))
    for line in sys.stdin:
        method, *arguments = json.loads(line)
        try:
            answer = {"answer": getattr(worker, method)(*arguments)}
        except Exception as error:  # noqa: BLE001  whatever a library raises is told to the command
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
