"""Rounds, and processes that are asked: their order, their end, and what they answer."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from backproof_bench.layers import REPORTED
from backproof_bench.lockstep import Budget, rounds, sampler
from backproof_bench.measure import Options
from backproof_bench.process import BenchError, Process, Sample
from backproof_bench.worker import measured

TINY = list(REPORTED[0])


def test_sides_take_turns() -> None:
    order: list[str] = []

    def side(name: str, processor: float = 1.0) -> Any:
        def taken() -> Sample:
            order.append(name)
            return Sample(processor, processor)

        return taken

    taken = rounds({"a": side("a"), "b": side("b"), "slow": side("slow", 1e9)}, Budget(2, 4, 60, slow=1e8))
    assert order == ["a", "b", "slow"] * 2 + ["a", "b"] * 2
    assert {name: len(samples) for name, samples in taken.items()} == {"a": 4, "b": 4, "slow": 2}
    assert len(rounds({"a": side("a")}, Budget(3, 9, 0))["a"]) == 3


def test_a_sample_counts_calls() -> None:
    calls: list[int] = []
    sample = Sample(*measured(lambda: calls.append(sum(range(10_000))), 5))
    assert len(calls) == 5
    assert min(sample.processor, sample.wall) > 0
    assert min(sample.faults, sample.switches) >= 0
    assert 0 <= sample.waited <= 1


def test_samples_in_which_others_ran_are_disturbed() -> None:
    assert [Sample(1, 1, 0, *rest).disturbed for rest in ((0, 0.01), (1, 0), (0, 0.5))] == [False, True, True]


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the system does not count this")
def test_another_process_on_the_same_processor_is_seen() -> None:
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(processors)})  # which the other process inherits
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.1)
        sample = Sample(*measured(lambda: sum(range(5_000_000)), 2))
    finally:
        other.kill()
        other.wait()
        os.sched_setaffinity(0, processors)
    assert sample.waited > 0.05
    assert sample.disturbed


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="a process cannot choose its processors here")
def test_a_process_stays_on_its_processor_with_all_its_threads() -> None:
    one = max(os.sched_getaffinity(0))
    with Process("ours", processor=one) as process:
        process.ask("prepare", TINY, "float32")
        number = process._process.pid
        threads = list(Path(f"/proc/{number}/task").iterdir())
        assert {frozenset(os.sched_getaffinity(int(thread.name))) for thread in threads} == {frozenset({one})}


@pytest.fixture(scope="module")
def ours() -> Any:
    with Process("ours") as process:
        yield process


def test_our_process_answers(ours: Process) -> None:
    assert ours.ask("about")["version"].startswith("numba ")
    assert ours.ask("prepare", TINY, "float64") == {"ours": ["y", "dx", "dw"]}
    entries = ours.ask("entries", "ours", "y", [0, 7])
    assert len(entries) == 2
    assert len(set(entries)) == 2
    once = Sample(*ours.ask("sample", "ours", "dw", 3))
    assert once.processor > 0
    assert ours.ask("peak", "float32") > 0
    assert sampler(ours, "ours", "y", 1e5)().wall > 0


def test_samples_are_long_enough_for_the_clock() -> None:
    """The calls of a sample: as many as it takes, but for at most ten thousand."""
    asked: list[int] = []

    class Fast:
        def ask(self, method: str, side: str, quantity: str, times: int) -> list[float]:
            asked.append(times)
            return [1e9 if len(asked) == 1 else 100.0, 100.0, 0, 0]

    fast: Any = Fast()
    sampler(fast, "ours", "y", 1e5)()
    assert asked[-1] == 1000  # the first call, which compiles, says nothing of the others
    sampler(fast, "ours", "y", 1e9)()
    assert asked[-1] == 10_000


def test_what_a_library_raises_is_told(ours: Process) -> None:
    with pytest.raises(BenchError, match="ours: KeyError: 'nobody'"):
        ours.ask("sample", "nobody", "y", 1)
    with pytest.raises(BenchError, match="epoch needs a network; call enrol first"):
        ours.ask("epoch", 0)


def test_a_process_that_ends_leaves_its_last_words() -> None:
    with (
        Process("nothing") as process,
        pytest.raises(BenchError, match=r"of nothing ended with status 1: .*sides\.nothing"),
    ):
        process.ask("about")


def test_allocator_and_threads_are_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[dict[str, Any]] = []

    class Started:
        stdin = stdout = None

        def __init__(self, command: list[str], **options: Any) -> None:
            started.append({**options["env"], "command": command})

        def wait(self, timeout: float | None = None) -> int:
            return 0

    monkeypatch.setattr("subprocess.Popen", Started)
    monkeypatch.setenv("MALLOC_MMAP_MAX_", "7")
    Process("ours", 2).close()
    Process("ours", pooled=False, processor=0).close()
    pooled, fresh = started
    assert (pooled["MALLOC_MMAP_MAX_"], pooled["OMP_NUM_THREADS"], pooled["NUMBA_NUM_THREADS"]) == ("0", "2", "2")
    assert "MALLOC_MMAP_MAX_" not in fresh
    assert fresh["command"][-3:] in (["ours", "1", "0"], fresh["command"][-3:])


def test_options_choose() -> None:
    assert len(Options().places()) == 108
    assert Options().total() == 217
    assert Options(only=("tiny",), threads=(1,)).total() == 6
    assert [layer.name for layer in Options(only=("LeNet conv", "tiny")).layers()] == [
        "tiny",
        "LeNet conv1",
        "LeNet conv2",
    ]
    assert Options(only=("LeNet",)).training
    assert Options(only=("lenet",)).total() == 0
    assert not Options(baselines=("jax",)).training
    assert not Options(tuning=True).training
    assert len(Options(quick=True, dtypes=("float32",)).layers()) == 6
    assert {layer.name for layer in Options(tuning=True, quick=True).layers()} == {
        "small", "middle", "deep", "strided", "pointwise", "depthwise",
    }  # fmt: skip
