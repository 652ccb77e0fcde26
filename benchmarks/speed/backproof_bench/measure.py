"""The three parts: layers on one thread, layers on several, and the training; each row is saved when it is there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from . import exact, training
from .layers import DTYPES, QUANTITIES, QUICK, REPORTED, TUNING, Arrays, Layer, Quantity, arrays
from .lockstep import Budget, Sampler, rounds, sampler
from .process import Process, Sample
from .results import Results, rounded
from .sides import ALONE, BASELINES, DEFAULT, OURS, WINOGRAD

Save = Callable[[Results], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured: names of layers contain one of `only`; `threads` are the numbers of threads."""

    quick: bool = False
    tuning: bool = False
    only: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = DTYPES
    threads: tuple[int, ...] = (1, 2)
    baselines: tuple[str, ...] = tuple(BASELINES)

    def layers(self) -> list[Layer]:
        """Those that are asked for."""
        among = TUNING if self.tuning else REPORTED
        quick = [layer for layer in among if layer.name in QUICK] if self.quick and not self.tuning else among
        return [layer for layer in quick if self._names(layer.name)]

    @property
    def training(self) -> bool:
        """Whether the training is asked for: with PyTorch, on one thread."""
        return self._names(training.NAME) and "torch" in self.baselines and 1 in self.threads and not self.tuning

    def _names(self, name: str) -> bool:
        return not self.only or any(part in name for part in self.only)

    def places(self) -> list[tuple[Layer, str, Quantity]]:
        """Layers, dtypes and sums, in the order in which they are measured."""
        return [(layer, d, q) for d in self.dtypes for layer in self.layers() for q in QUANTITIES]

    def total(self) -> int:
        """The number of rows."""
        return len(self.places()) * len(self.threads) + self.training

    def as_data(self) -> Results:
        """As JSON has it."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def run(options: Options, results: Results, save: Save) -> None:
    """Measure what the results lack; `save` is called with each new row."""
    if 1 in options.threads and (missing := _missing(options, results["rows"])):
        for row in _one_thread(options, missing, results):
            results["rows"].append(row)
            save(row)
    for threads in options.threads:
        done = [row for row in results["threads"] if row["threads"] == threads]
        if threads > 1 and (missing := _missing(options, done)):
            for row in _several_threads(options, missing, threads):
                results["threads"].append(row)
                save(row)
    if options.training and results["training"] is None:
        trained = _training(12 if options.quick else 30)
        results["training"] = trained
        save(trained)
    results["complete"] = True


def processor() -> int | None:
    """The processor on which everything with one thread stays; None where a process cannot choose."""
    return max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def load() -> float:
    """How many processes wanted to run in the last minute."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else float("nan")


def _missing(options: Options, rows: Iterable[Results]) -> list[tuple[Layer, str, Quantity]]:
    done = {(Layer(*row["layer"]), row["dtype"], row["quantity"]) for row in rows}
    return [place for place in options.places() if place not in done]


# ---- one thread


def _one_thread(options: Options, places: Sequence[tuple[Layer, str, Quantity]], results: Results) -> Iterator[Results]:
    """Rows of all sides, on one processor; those of ours and PyTorch with the default allocator too."""
    wanted = {OURS, WINOGRAD, *options.baselines}
    libraries = dict.fromkeys(["ours", *(BASELINES[name].library for name in options.baselines)])
    default = [] if options.quick else [name for name in libraries if name in ("ours", "pytorch")]
    with ExitStack() as stack:
        pooled = [stack.enter_context(Process(name, processor=processor())) for name in libraries]
        fresh = [stack.enter_context(Process(name, processor=processor(), pooled=False)) for name in default]
        results["bandwidth"] = rounded(pooled[0].ask("bandwidth"))
        budget = Budget(3, 7, 0.3) if options.quick else Budget(5, 25, 1.2)
        at, data, sides = None, None, {}
        for layer, dtype, quantity in places:
            if at != (layer, dtype):
                at, data = (layer, dtype), arrays(layer, dtype)
                sides = _sides(pooled, layer, dtype, wanted)
                for process in fresh:
                    process.ask("prepare", list(layer), dtype)
            assert data is not None
            made = _Row(layer, dtype, quantity, data, pooled[0], sides, fresh)
            yield made.measured(budget)


def _sides(processes: Iterable[Process], layer: Layer, dtype: str, wanted: set[str]) -> dict[str, tuple[Process, Any]]:
    """By name: the process of each side, and the sums that it has or why it has none."""
    found = ((process, process.ask("prepare", list(layer), dtype)) for process in processes)
    return {name: (process, has) for process, sides in found for name, has in sides.items() if name in wanted}


@dataclass(frozen=True, slots=True)
class _Row:
    layer: Layer
    dtype: str
    quantity: Quantity
    data: Arrays
    ours: Process
    sides: dict[str, tuple[Process, Any]]
    fresh: list[Process]

    def measured(self, budget: Budget) -> Results:
        has = {name: process for name, (process, sums) in self.sides.items() if self.quantity in _sums(sums)}
        reference = exact.sample(self.layer, self.data, self.quantity)
        told: Results = {name: self._error(process, name, reference) for name, process in has.items()}
        samplers = {name: sampler(process, name, self.quantity, budget.sample) for name, process in has.items()}
        for process, name in zip(self.fresh, ("ours", "torch"), strict=False):
            samplers[name + DEFAULT] = sampler(process, name, self.quantity, budget.sample)
            told[name + DEFAULT] = {}
        peaks: list[float] = []
        probe: Sampler = partial(_peak, self.ours, self.dtype, peaks)
        taken = rounds({**samplers, "peak": probe}, budget)
        for name, side in told.items():
            side["ns"] = [rounded(sample.processor) for sample in taken[name]]
            side["faults"] = int(sum(sample.faults for sample in taken[name]))
        return {
            "layer": list(self.layer),
            "dtype": self.dtype,
            "quantity": self.quantity,
            "load": load(),
            "entries": len(reference.at),
            "peak": [rounded(value) for value in peaks],
            "sides": told,
            "without": {name: why for name, (_, why) in self.sides.items() if isinstance(why, str)},
        }

    def _error(self, process: Process, side: str, reference: exact.Sample) -> Results:
        error, within = reference.error(process.ask("entries", side, self.quantity, reference.at))
        return {"error": rounded(error), "rejected": objection(error, within, max(reference.bounds))}


def objection(error: float, within: bool, bound: float) -> str | None:
    """Why a result does not count, or None."""
    if error == 0:
        return "an error of exactly 0, which real-valued data does not have"
    return None if within else f"an error of {error:.1e}, which no order of a sum explains (at most {bound:.1e})"


def _sums(has: list[Quantity] | str) -> list[Quantity]:
    return [] if isinstance(has, str) else has


def _peak(process: Process, dtype: str, into: list[float]) -> Sample:
    into.append(process.ask("peak", dtype))
    return Sample(0, 0)


# ---- several threads


def _several_threads(
    options: Options, places: Sequence[tuple[Layer, str, Quantity]], threads: int
) -> Iterator[Results]:
    """Rows of ours on one and on several threads, and PyTorch's on several, by the wall."""
    budget = Budget(5, 40, 0.6, sample=5e5)
    with ExitStack() as stack:
        processes = {ALONE: Process("ours", 1), OURS: Process("ours", threads)}
        if "torch" in options.baselines:
            processes["torch"] = Process("pytorch", threads)
        for process in processes.values():
            stack.enter_context(process)
        for layer, dtype, quantity in places:
            samplers = {}
            for name, process in processes.items():
                process.ask("prepare", list(layer), dtype)
                side = "torch" if name == "torch" else OURS
                samplers[name] = sampler(process, side, quantity, budget.sample)
            taken = rounds(samplers, budget)
            times = {name: [None if s.disturbed else rounded(s.wall) for s in taken[name]] for name in taken}
            yield {
                "layer": list(layer),
                "dtype": dtype,
                "quantity": quantity,
                "threads": threads,
                "load": load(),
                "sides": {name: {"ns": ns} for name, ns in times.items()},
            }


# ---- training


def _training(epochs: int) -> Results:
    """Epochs in turns, each side in its process on the same processor, and what the two networks know afterwards."""
    with Process("ours", processor=processor()) as ours, Process("pytorch", processor=processor()) as torch:
        processes = {"ours": ours, "torch": torch}
        samplers = {}
        for name, process in processes.items():
            process.ask("enrol")
            samplers[name] = _epochs(process)
        taken = rounds(samplers, Budget(epochs, epochs, 0, slow=float("inf")))
        return {
            "epochs": epochs,
            "load": load(),
            "sides": {
                name: {
                    "ns": [rounded(sample.processor) for sample in taken[name]],
                    "accuracy": process.ask("accuracy"),
                }
                for name, process in processes.items()
            },
        }


def _epochs(process: Process) -> Sampler:
    """A sampler whose i-th sample is the i-th epoch."""
    numbers = iter(range(10**6))
    return lambda: Sample(*process.ask("epoch", next(numbers)))
