"""Results that were never measured, for what is made of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from backproof_bench.layers import DTYPES, QUANTITIES, REPORTED, Layer

Results = dict[str, Any]


def row(layer: Layer, dtype: str, quantity: str, ours: float = 1000.0, torch: float = 2000.0, **more: Any) -> Results:
    """Three rounds, in which the times are 0.9, 1 and 1.1 of these; the peak is what `ours` reaches twice as fast."""
    times = {
        "ours": ours,
        "torch": torch,
        "jax": 3 * torch,
        "ours, default allocator": ours,
        "torch, default allocator": 2 * torch,
    }
    sides = {name: {"ns": [time * f for f in (0.9, 1.0, 1.1)], "faults": 0} for name, time in times.items()}
    for name in ("ours", "torch", "jax"):
        sides[name] |= {"error": 1e-6, "rejected": None}
    return {
        "layer": list(layer), "dtype": dtype, "quantity": quantity, "load": 0.5, "entries": 9,
        "peak": [2 * layer.multiply_adds / ours] * 3, "sides": sides,
        "without": {"scipy": "too large"} if layer.category == "large" else {}, **more,
    }  # fmt: skip


def several(layer: Layer, dtype: str, quantity: str, sides: dict[str, list[float | None]]) -> Results:
    """A row on two threads."""
    named = {name: {"ns": ns} for name, ns in sides.items()}
    return {
        "layer": list(layer), "dtype": dtype, "quantity": quantity, "threads": 2, "load": 1.5, "sides": named,
    }  # fmt: skip


def results(rows: Iterable[Results] = (), threads: Iterable[Results] = (), training: Results | None = None) -> Results:
    return {
        "about": {"processor": "a processor", "torch": "2.0"},
        "options": {},
        "complete": True,
        "absent": {"scipy": 'pip install "backproof[scipy]"'},
        "bandwidth": 20.0,
        "rows": list(rows),
        "threads": list(threads),
        "training": training,
    }


def everything(ours: float = 1000.0, torch: float = 2000.0) -> Results:
    """All reported layers with the same times, two threads that are 1.9 times as fast as one, and a training."""

    places = [(layer, dtype, q) for dtype in DTYPES for layer in REPORTED for q in QUANTITIES]
    times: dict[str, list[float | None]] = {"ours, 1 thread": [1900.0] * 3, "ours": [1000.0] * 3, "torch": [None] * 3}
    trained = {
        "epochs": 2,
        "load": 0.5,
        "sides": {
            "ours": {"ns": [ours, ours], "accuracy": 0.975},
            "torch": {"ns": [torch, torch], "accuracy": 0.9625},
        },
    }
    return results(
        [row(*place, ours, torch) for place in places], [several(*place, times) for place in places], trained
    )
