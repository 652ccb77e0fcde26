"""Numbers that parts share: processor seconds, which say more than a clock on a shared machine, and medians."""

from __future__ import annotations

import resource
from collections.abc import Sequence
from statistics import median


def processor_seconds() -> float:
    """Of this process and of those it started that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(item.ru_utime + item.ru_stime for item in used)


def middle(values: Sequence[float]) -> float:
    """The median; 0 of nothing."""
    return float(median(values)) if values else 0.0
