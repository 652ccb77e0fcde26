"""What the results come to: ratios of one round, their median and quartiles, fractions of the peak."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .layers import Layer, Quantity
from .results import Results
from .sides import ALONE, BASELINES, DEFAULT, OURS

Place = tuple[Layer, str, Quantity]
Times = Sequence[float | None]
ENOUGH = 3  # rounds that must be left of those on several threads


class Spread(NamedTuple):
    """The median and the quartiles of some numbers, and of how many rounds they are."""

    median: float
    low: float
    high: float
    rounds: int

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


def spread(values: Sequence[float]) -> Spread | None:
    """None for no numbers."""
    if len(values) < 2:
        return Spread(values[0], values[0], values[0], 1) if values else None
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high, len(values))


def ratios(theirs: Times, ours: Times) -> Spread | None:
    """Their time over ours, round by round; rounds that one of them lacks do not count."""
    pairs = zip(theirs, ours, strict=False)
    return spread([a / b for a, b in pairs if a is not None and b is not None])


@dataclass(frozen=True, slots=True)
class Row:
    """A layer, a dtype and a sum on one thread."""

    data: Results

    @property
    def layer(self) -> Layer:
        """The layer."""
        return Layer(*self.data["layer"])

    @property
    def place(self) -> Place:
        """What is measured."""
        return self.layer, self.data["dtype"], self.data["quantity"]

    def times(self, side: str) -> list[float]:
        """Nanoseconds of a call in every round; none where the side has no valid result."""
        found = self.data["sides"].get(side)
        if found is None or found.get("rejected") or self.rejected(side.removesuffix(DEFAULT)):
            return []
        ns: list[float] = found["ns"]
        return ns

    def rejected(self, side: str) -> str | None:
        """Why the side's result does not count, or None."""
        why: str | None = self.data["sides"].get(side, {}).get("rejected")
        return why

    def ratio(self, baseline: str, side: str = OURS) -> Spread | None:
        """The baseline's time over that of a side of ours."""
        return ratios(self.times(baseline), self.times(side))

    def default_ratio(self) -> Spread | None:
        """PyTorch's time over ours where memory is not pooled."""
        return ratios(self.times("torch" + DEFAULT), self.times(OURS + DEFAULT))

    def fastest(self, side: str = OURS) -> tuple[str, Spread] | None:
        """The baseline with the smallest median, and its ratio."""
        found = [(name, ratio) for name in BASELINES if (ratio := self.ratio(name, side)) is not None]
        return min(found, key=lambda pair: statistics.median(self.times(pair[0])), default=None)

    def speed(self, side: str) -> float | None:
        """Multiply-adds per nanosecond, those with padding included."""
        times = self.times(side)
        return self.layer.multiply_adds / statistics.median(times) if times else None

    def fraction(self, side: str = OURS) -> float | None:
        """Of the largest peak that was probed in the row's rounds."""
        speed = self.speed(side)
        return None if speed is None else speed / max(self.data["peak"])

    def error(self, side: str) -> float | None:
        """The largest difference from exact sums."""
        value: float | None = self.data["sides"].get(side, {}).get("error")
        return value


@dataclass(frozen=True, slots=True)
class ThreadsRow:
    """A layer, a dtype and a sum on several threads; its ratios are None unless three rounds are left."""

    data: Results

    @property
    def place(self) -> Place:
        """What is measured."""
        return Layer(*self.data["layer"]), self.data["dtype"], self.data["quantity"]

    def times(self, side: str) -> Times:
        """Nanoseconds of a call in every round; None where it was disturbed."""
        times: Times = self.data["sides"].get(side, {}).get("ns", [])
        return times

    def survivors(self, side: str) -> list[float]:
        """Those that were not disturbed."""
        return [time for time in self.times(side) if time is not None]

    def scaling(self) -> Spread | None:
        """Our time on one thread over that on several."""
        return self._enough(ratios(self.times(ALONE), self.times(OURS)))

    def ratio(self) -> Spread | None:
        """PyTorch's time over ours, both on several threads."""
        return self._enough(ratios(self.times("torch"), self.times(OURS)))

    @staticmethod
    def _enough(found: Spread | None) -> Spread | None:
        return found if found is not None and found.rounds >= ENOUGH else None


def rows(results: Results) -> list[Row]:
    """Those on one thread."""
    return [Row(data) for data in results["rows"]]


def threads_rows(results: Results) -> list[ThreadsRow]:
    """Those on several threads."""
    return [ThreadsRow(data) for data in results["threads"]]


def mean(values: Iterable[float]) -> float | None:
    """The geometric mean, None for no numbers."""
    logs = [math.log(value) for value in values]
    return math.exp(math.fsum(logs) / len(logs)) if logs else None
