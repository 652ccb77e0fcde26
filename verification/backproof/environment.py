"""The machine and the libraries of a run: what a difference between two results could come from."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path


def describe() -> dict[str, str]:
    """What a difference between two machines' results could come from."""
    names = ("numpy", "numba", "llvmlite", "sympy", "hypothesis")
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "byteorder": sys.byteorder,
        **{name: version(name) for name in names},
    }


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def version(distribution: str) -> str:
    """The installed version of a distribution, or "not installed"."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
