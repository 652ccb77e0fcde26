"""A library in a process of its own, seen from the command: ask it, and wait for the answer.

How memory is allocated and how many threads there are is read from the environment when a process starts.  `pooled`:
glibc keeps what is freed, so that no side pays for fresh pages; elsewhere than with glibc it changes nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import Any, NamedTuple, Self

POOLED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000", "MALLOC_TOP_PAD_": "268435456"}
THREADS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class BenchError(Exception):
    """The benchmark cannot go on; the message says why, and what to do."""


class Sample(NamedTuple):
    """Nanoseconds of a call, by processor time and by the wall; of all calls page faults, involuntary context switches,
    and the part of the time for which threads waited for a processor.
    """

    processor: float
    wall: float
    faults: float = 0
    switches: float = 0
    waited: float = 0

    @property
    def disturbed(self) -> bool:
        """Whether others had a processor in the meantime, so that the wall's time says little."""
        return self.switches > 0 or self.waited > 0.05


class Process:
    """A library's process; a context manager.  It has started, but need not be ready, when the constructor returns."""

    def __init__(self, library: str, threads: int = 1, *, pooled: bool = True, processor: int | None = None) -> None:
        self.library = library
        environment = {name: value for name, value in os.environ.items() if name not in POOLED}
        environment |= dict.fromkeys(THREADS, str(threads)) | (POOLED if pooled else {})
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  closed with the process
        place = [] if processor is None or not hasattr(os, "sched_setaffinity") else [str(processor)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "backproof_bench.worker", library, str(threads), *place],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            env=environment,
            text=True,
            encoding="utf-8",
        )

    def ask(self, method: str, *arguments: Any) -> Any:
        """The answer to a question.

        Raises:
            BenchError: The library raised something, or its process has ended.
        """
        to, back = self._process.stdin, self._process.stdout
        assert to is not None
        assert back is not None
        try:
            to.write(json.dumps([method, *arguments]) + "\n")
            to.flush()
            line = back.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise BenchError(self._obituary())
        answer = json.loads(line)
        if "error" in answer:
            raise BenchError(f"{self.library}: {answer['error']}")
        return answer["answer"]

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._words.close()

    def _obituary(self) -> str:
        status = self._process.wait()
        self._words.seek(0)
        words = self._words.read().decode("utf-8", "replace").strip().splitlines()
        last = f": {words[-1]}" if words else ""
        return f"the process of {self.library} ended with status {status}{last}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
