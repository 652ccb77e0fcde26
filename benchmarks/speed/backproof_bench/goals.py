"""What was to be reached, and whether it was: the program compares, nobody else.

A goal is a number for a figure (a ratio, a fraction of the peak) of all layers, dtypes and sums of some kind, folded to
one: their geometric mean, or the smallest.  It is undecided while one of them is not measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .layers import DTYPES, QUANTITIES, REPORTED, WORDS, Layer, Quantity
from .results import Results
from .rows import Place, Row, Spread, mean, ratios, rows, threads_rows
from .sides import OURS, WINOGRAD

Verdict = Literal["met", "missed", "undecided"]
OF_THE_PEAK: dict[Quantity, float] = {"y": 0.88, "dx": 0.88, "dw": 0.82}
Figures = Mapping[Place, float]


@dataclass(frozen=True, slots=True)
class Fold:
    """How figures become one number."""

    name: str
    of: Callable[[Sequence[float]], float]


MEAN = Fold("geometric mean", lambda values: mean(values) or 0.0)
SMALLEST = Fold("smallest", min)
LARGEST = Fold("largest", max)


@dataclass(frozen=True, slots=True)
class Goal:
    """`fold` of the figures at `places` is to be `wanted` at least, or at most where it is the largest."""

    text: str
    wanted: float
    fold: Fold
    places: tuple[Place, ...]
    figures: Callable[[Results], Figures]
    percent: bool = False

    def judged(self, results: Results) -> Judged:
        """The verdict on some results."""
        figures = self.figures(results)
        found = {figures[place]: place for place in self.places if place in figures}
        measured = [figures[place] for place in self.places if place in figures]
        value = self.fold.of(measured) if measured else None
        at = None if value is None or self.fold is MEAN else found[value]
        if value is None or len(measured) < len(self.places):
            return Judged(self, value, len(measured), "undecided", at)
        reached = value <= self.wanted if self.fold is LARGEST else value >= self.wanted
        return Judged(self, value, len(measured), "met" if reached else "missed", at)

    @property
    def key(self) -> str:
        """What names it in a file of reasons."""
        return f"{self.text}: {self.fold.name}"


@dataclass(frozen=True, slots=True)
class Judged:
    """A goal, what was measured, on how many places, the verdict, and the place of the smallest or largest."""

    goal: Goal
    value: float | None
    measured: int
    verdict: Verdict
    at: Place | None = None


# ---- figures


def _of(figure: Callable[[Row], float | None]) -> Callable[[Results], Figures]:
    def figures(results: Results) -> Figures:
        found = ((row.place, figure(row)) for row in rows(results))
        return {place: value for place, value in found if value is not None}

    return figures


def _median(ratio: Spread | None) -> float | None:
    return None if ratio is None else ratio.median


def _fastest(row: Row) -> float | None:
    found = row.fastest()
    return None if found is None else found[1].median


def _errors(row: Row) -> float | None:
    ours, theirs = row.error(OURS), row.error("torch")
    return ours / theirs if ours is not None and theirs else None


def _scaling(results: Results) -> Figures:
    found = ((row.place, row.scaling()) for row in threads_rows(results) if row.data["threads"] == 2)
    return {place: ratio.median for place, ratio in found if ratio is not None}


def _slower(results: Results) -> Figures:
    """By the upper quartile: slower is what is so in three quarters of the rounds."""
    found = ((row.place, row.scaling()) for row in threads_rows(results) if row.data["threads"] == 2)
    return {place: ratio.high for place, ratio in found if ratio is not None}


TORCH = _of(lambda row: _median(row.ratio("torch")))
FASTEST = _of(_fastest)
PEAK = _of(lambda row: row.fraction())
BY_WINOGRAD = _of(lambda row: _median(row.ratio("torch", WINOGRAD)))
ERRORS = _of(_errors)


# ---- places


def _places(
    dtype: str, which: Callable[[Layer], bool], quantities: Iterable[Quantity] = QUANTITIES
) -> tuple[Place, ...]:
    return tuple((layer, dtype, q) for layer in REPORTED if which(layer) for q in quantities)


def _large_places(dtype: str, quantity: Quantity) -> tuple[Place, ...]:
    """The input gradient of few channels and a stride has a goal of its own."""
    found = _places(dtype, _large, [quantity])
    return tuple(place for place in found if quantity != "dx" or not _few_channels_strided(place[0]))


def _any(layer: Layer) -> bool:
    return True


def _large(layer: Layer) -> bool:
    return layer.category == "large"


def _small(layer: Layer) -> bool:
    return layer.category == "small"


def _tiny(layer: Layer) -> bool:
    return layer.category == "tiny"


def _small_or_tiny(layer: Layer) -> bool:
    return _small(layer) or _tiny(layer)


def _grouped(layer: Layer) -> bool:
    return layer.groups > 1


def _few_channels_strided(layer: Layer) -> bool:
    return layer.stride > 1 and layer.C < 16


def _deep_3x3(layer: Layer) -> bool:
    return layer.k == 3 and layer.groups == 1 and layer.C >= 64


def _pointwise(layer: Layer) -> bool:
    return layer.k == 1


def _for_winograd(layer: Layer) -> bool:
    return _deep_3x3(layer) and layer.stride == 1 and layer.H in (56, 28, 14)


def _goals() -> list[Goal]:
    f32, f64 = DTYPES
    forward, input_gradient, weight_gradient = (_large_places(f32, quantity) for quantity in QUANTITIES)
    strided, winograd = _places(f32, _few_channels_strided, ["dx"]), _places(f32, _for_winograd, ["y"])
    goals = [
        Goal("float32, large, forward", 1.03, MEAN, forward, TORCH),
        Goal("float32, large, forward", 0.95, SMALLEST, forward, TORCH),
        Goal("float32, large, weight gradient", 1.05, MEAN, weight_gradient, TORCH),
        Goal("float32, large, input gradient, but for the next", 1.1, MEAN, input_gradient, TORCH),
        Goal("float32, few channels and a stride, input gradient", 4.0, MEAN, strided, TORCH),
        Goal("float32, 3x3 on 56, 28, 14 pixels, forward by Winograd", 1.4, MEAN, winograd, BY_WINOGRAD),
        Goal("float64, large", 1.5, MEAN, _places(f64, _large), TORCH),
    ]
    for dtype, small, fastest in ((f32, 2.0, 1.0), (f64, 2.5, 1.4)):
        goals += [
            Goal(f"{dtype}, small", small, MEAN, _places(dtype, _small), TORCH),
            Goal(f"{dtype}, small and tiny", 1.05, SMALLEST, _places(dtype, _small_or_tiny), TORCH),
            Goal(f"{dtype}, tiny", 3.0, MEAN, _places(dtype, _tiny), TORCH),
            Goal(f"{dtype}, depthwise and grouped", 1.2, MEAN, _places(dtype, _grouped), TORCH),
            Goal(f"{dtype}, all, the fastest baseline of each", fastest, MEAN, _places(dtype, _any), FASTEST),
        ]
    for dtype in DTYPES:
        for quantity, least in OF_THE_PEAK.items():
            text = f"{dtype}, 3x3, 64 channels or more, {WORDS[quantity]}, of the peak"
            goals.append(Goal(text, least, SMALLEST, _places(dtype, _deep_3x3, [quantity]), PEAK, percent=True))
        goals.append(Goal(f"{dtype}, 1x1, of the peak", 0.8, SMALLEST, _places(dtype, _pointwise), PEAK, percent=True))
    goals.append(Goal("float32, error over PyTorch's", 2.0, LARGEST, _places(f32, _any), ERRORS))
    for dtype in DTYPES:
        few = _places(dtype, _small_or_tiny)
        goals += [
            Goal(f"{dtype}, large, two threads over one", 1.8, MEAN, _places(dtype, _large), _scaling),
            Goal(f"{dtype}, small and tiny, two threads over one, upper quartile", 1.0, SMALLEST, few, _slower),
        ]
    return goals


GOALS = _goals()


def training(results: Results) -> Spread | None:
    """PyTorch's time of an epoch over ours."""
    found = results["training"]
    return found and ratios(found["sides"]["torch"]["ns"], found["sides"]["ours"]["ns"])


def judged(results: Results) -> list[Judged]:
    """Every goal; the training, which is no layer, comes last."""
    verdicts = [goal.judged(results) for goal in GOALS]
    ratio = training(results)
    epoch = Goal("LeNet training, an epoch", 1.0, Fold("median", min), (), lambda results: {})
    reached: Verdict = "undecided" if ratio is None else "met" if ratio.median > 1 else "missed"
    return [*verdicts, Judged(epoch, _median(ratio), 0 if ratio is None else ratio.rounds, reached)]
