"""The false-alarm campaign: right layers, whose backward codes are independent of each other, checked at length.

It runs in chunks, each with a seed of its own, adds them to what its results file has, and can be stopped after any.
The next chunk is always that of the implementation which is furthest from its goal.  An exact example is one draw of
shapes, layouts and data; it counts if gradients were compared, which is not so where a library does not support a call,
or is known to get it wrong.  A difference is decided by
`arbiter`, and not by what the implementation is called.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import backproof
from backproof.checks.bench import Tally
from backproof.events import CheckFinished, Finding
from parts.arbiter import decide
from parts.machine import ROOT, source
from parts.sampling import opened, sample
from parts.used import processor_seconds

Results = dict[str, Any]
HERE = Path("benchmarks") / "implementations"

#: target -> what its gradients are made of, and how many exact examples it is to have.
IMPLEMENTATIONS: dict[str, tuple[str, int]] = {
    "numba": ("register tiles, compiled", 200_000),
    "numpy": ("one einsum for each tap", 380_000),
    "torch": ("PyTorch's own kernels", 100_000),
    "scipy-signal": ("convolve2d and correlate2d, plane by plane", 100_000),
    (HERE / "im2col.py").as_posix(): ("im2col, matrix product, np.add.at", 300_000),
    (HERE / "toeplitz.py").as_posix(): ("the layer as a matrix, and its transpose", 100_000),
    (HERE / "windows.py").as_posix(): ("sliding windows over a dilated cotangent", 100_000),
    "scipy-ndimage": ("ndimage.convolve and correlate with origins", 10_000),
    "scipy-fft": ("FFT, rounded to integers", 10_000),
    "jax": ("XLA; 0.1 s or more for each new shape", 300),
}
MIXED = 100_000  # examples of all checks together, over the implementations with at least 100,000 exact ones
CHUNK = {"jax": 20}  # random examples of a chunk, where not the usual number
USUAL = 4_000


def run(
    results: Results, save: Callable[[Results], None], minutes: float, say: Callable[[str], None], scale: float = 1.0
) -> Results:
    """Add chunks to `results` until every goal (times `scale`) is reached or `minutes` are over."""
    table = results.setdefault("implementations", {})
    results.setdefault("findings", [])
    end = time.monotonic() + 60 * minutes
    while (chosen := _next(table, scale)) is not None:
        target, kind = chosen
        chunk(results, target, kind, max(1, int(CHUNK.get(target, USUAL) * min(1.0, scale))))
        save(results)
        row = table[target]
        say(f"{target}: {row['exact']['counted']:,} exact, {mixed(row):,} mixed; in all {_brief(total(results))}")
        if time.monotonic() > end:
            break
    return results


def chunk(results: Results, target: str, kind: str, examples: int) -> None:
    """Examples of one target, with the next seed, added to the results."""
    row = results["implementations"].setdefault(target, _empty(target))
    row["chunks"] += 1
    seed, began = 1_000_000 + row["chunks"], processor_seconds()
    place = str(ROOT / target) if target.endswith(".py") else target
    findings = (_exact if kind == "exact" else _mixed)(row, place, seed, examples)
    row["processor_seconds"] = round(row["processor_seconds"] + processor_seconds() - began, 1)
    alarming = [finding for finding in findings if not finding.expected_failure]
    results["findings"] += [{"target": target, "seed": seed, **asdict(f), **decide(asdict(f))} for f in alarming]
    row["expected_failures"] += len(findings) - len(alarming)
    counts = results.setdefault("examples_by_source", {})
    counts[source()] = counts.get(source(), 0) + examples


def _exact(row: Results, place: str, seed: int, examples: int) -> list[Finding]:
    """Draws of levels, each one example of the check `exact`."""
    bench = opened(place, seed)
    try:
        findings = sample(bench, examples)
        row["version"] = bench.binding.version or "this repository"
        _add(row["exact"], bench.tally)
    finally:
        bench.target.close()
    return findings


def _mixed(row: Results, place: str, seed: int, examples: int) -> list[Finding]:
    """A run of all checks, as a user runs them."""
    report = backproof.check(place, examples=max(1, examples // 5), seed=seed)
    for event in report.events:
        if isinstance(event, CheckFinished):
            _add(row["mixed"].setdefault(event.check, _nothing()), event)
    return [event for event in report.events if isinstance(event, Finding)]


def total(results: Results) -> dict[str, int]:
    """Of the whole campaign: exact examples, mixed examples, comparisons, findings that nobody expected."""
    rows = results["implementations"].values()
    kinds = [kind for row in rows for kind in (row["exact"], *row["mixed"].values())]
    return {
        "exact": sum(row["exact"]["counted"] for row in rows),
        "mixed": sum(mixed(row) for row in rows),
        "comparisons": sum(sum(kind["comparisons"].values()) for kind in kinds),
        "alarms": len(results["findings"]),
    }


def _brief(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.items())


def mixed(row: Results) -> int:
    """Examples of the runs with all checks."""
    return sum(kind["examples"] for kind in row["mixed"].values())


def _next(table: Results, scale: float) -> tuple[str, str] | None:
    """The target and the kind of run that is furthest from its goal; None when all are reached."""
    large = [target for target, (_, goal) in IMPLEMENTATIONS.items() if goal >= 100_000]
    shares = {}
    for target, (_, goal) in IMPLEMENTATIONS.items():
        row = table.get(target, _empty(target))
        shares[target, "exact"] = row["exact"]["counted"] / (goal * scale)
        if target in large:
            shares[target, "mixed"] = mixed(row) / (MIXED / len(large) * scale)
    chosen = min(shares, key=lambda key: shares[key])
    return chosen if shares[chosen] < 1 else None


def _empty(target: str) -> Results:
    gradients, goal = IMPLEMENTATIONS.get(target, ("", 0))
    made = {"gradients": gradients, "goal": goal, "version": "", "chunks": 0, "expected_failures": 0}
    return {**made, "processor_seconds": 0.0, "exact": _nothing(), "mixed": {}}


def _nothing() -> Results:
    return {"examples": 0, "counted": 0, "comparisons": {}, "not_called": {}}


def _add(kind: Results, tally: Tally | CheckFinished) -> None:
    kind["examples"] += tally.examples
    kind["counted"] += tally.comparisons.get("dx", 0)
    kind["comparisons"] = dict(Counter(kind["comparisons"]) + Counter(tally.comparisons))
    kind["not_called"] = dict(Counter(kind["not_called"]) + Counter(tally.excluded) + Counter(tally.not_supported))
