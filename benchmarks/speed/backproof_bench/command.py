"""What `backproof bench` does, once its options are read: measure, show, save, and write the page."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from . import measure, training
from .layers import REPORTED, TUNING
from .measure import Options
from .process import BenchError, Process
from .results import Results, begun, checksum, read, write
from .rows import rows
from .sides import BASELINES, OURS
from .terminal import Terminal, show

INTERRUPTED = 130


def bench(options: Options, machine: Mapping[str, str], file: Path | None, folder: Path | None) -> int:
    """Measure, show, and write; the exit status is 0, 1 where a result of ours was rejected, or 130.

    Raises:
        BenchError: Nothing can be measured, or not what was asked for by name.
    """
    if folder is not None:
        require_plots()
    options, absent = installed(options)
    if not options.total():
        raise BenchError(f"no layer's name contains {' or '.join(options.only)}; {_names(options)}")
    results = begun(file, _about(machine), options.as_data())
    results["absent"] = absent
    status = 0
    done = len(results["rows"]) + len(results["threads"]) + (results["training"] is not None)
    with Terminal(options.total(), done) as terminal:
        if done:
            terminal.say(f"going on with {file}, which has {done} of {options.total()} rows")

        def save(row: Results) -> None:
            terminal.row(row)
            if file is not None:
                write(results, file)

        try:
            measure.run(options, results, save)
        except KeyboardInterrupt:
            terminal.say("interrupted")
            status = INTERRUPTED
    if file is not None:
        write(results, file)
    show(results, terminal.console)
    if folder is not None and not status:
        render(results, folder, file)
    return status or int(any(row.rejected(OURS) for row in rows(results)))


def render(results: Results | None, folder: Path, file: Path | None) -> list[Path]:
    """Write the page and the plots of results, or of those in the file; reasons are in a TOML file beside it.

    Raises:
        BenchError: A file cannot be read, or matplotlib is not installed.
    """
    require_plots()
    from .page import told
    from .page import write as write_page

    if results is None:
        if file is None:
            raise BenchError("--render makes the page of a results file; name it with --json")
        results = read(file)
    return write_page(results, folder, {} if file is None else told(file))


def require_plots() -> None:
    """Raise BenchError unless matplotlib is installed."""
    if find_spec("matplotlib") is None:
        raise BenchError('the plots need matplotlib; install it with: pip install "backproof[bench]"')


def baselines(names: Sequence[str]) -> tuple[str, ...]:
    """Those names, each once; all that there are for none.

    Raises:
        BenchError: One is unknown, or not installed.
    """
    for name in names:
        if name not in BASELINES:
            raise BenchError(f"there is no baseline {name!r}; there are {', '.join(BASELINES)}")
        if find_spec(BASELINES[name].imports) is None:
            raise BenchError(f"{name} is not installed; {_install(name)}")
    return tuple(dict.fromkeys(names or BASELINES))


def threads(numbers: Sequence[int]) -> tuple[int, ...]:
    """Those numbers of threads, each once; one and two, where there are two processors, for none.

    Raises:
        BenchError: There are fewer processors.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if numbers and max(numbers) > processors:
        raise BenchError(f"--threads is {max(numbers)}, but this process may use {processors} processors")
    return tuple(dict.fromkeys(numbers)) or tuple(range(1, min(processors, 2) + 1))


def installed(options: Options) -> tuple[Options, dict[str, str]]:
    """The options with the baselines that are there, and what installs the others.

    Raises:
        BenchError: None is there.
    """
    absent = {name: _install(name) for name in options.baselines if find_spec(BASELINES[name].imports) is None}
    present = tuple(name for name in options.baselines if name not in absent)
    if not present:
        raise BenchError('there is nothing to compare with; install the baselines with: pip install "backproof[bench]"')
    if options.training and find_spec("sklearn") is None:
        raise BenchError('the training needs scikit-learn; install it with: pip install "backproof[bench]"')
    return replace(options, baselines=present), absent


def _install(name: str) -> str:
    return f'pip install "backproof[{BASELINES[name].extra}]"'


def _names(options: Options) -> str:
    among = TUNING if options.tuning else REPORTED
    return f"there are {', '.join(layer.name for layer in among)}, and {training.NAME}"


def _about(machine: Mapping[str, str]) -> Results:
    """The machine, the versions, the kernels that are used, and a checksum of the sources."""
    with Process("ours", processor=measure.processor()) as ours:
        kernels = ours.ask("about")["kernels"]
    kept = {name: machine[name] for name in ("processor", "cores", "python", "numpy", "numba")}
    others = {name: _version(name) for name in ("torch", "jax", "scipy")}
    return {**kept, **others, "kernels": kernels, "source": checksum()}


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
