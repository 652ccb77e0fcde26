"""What every check works with: a target to call, counts to keep, and where to send findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backproof.cases.chances import Evidence
from backproof.cases.designs import LEAST, fixed_set
from backproof.cases.levels import Case, Space
from backproof.cases.shapes import OwnShape
from backproof.contract import POOLINGS, AnyGeometry, Orientation
from backproof.events import NOT_ASKED
from backproof.targets.binding import Binding
from backproof.targets.calls import (
    Crashed,
    Excluded,
    Malformed,
    NotSupported,
    Raised,
    Reply,
    Request,
    TimedOut,
)
from backproof.targets.process import Target

Array = NDArray[Any]

#: What defines each quantity, as ids of the specification's equations.
EQUATIONS: dict[str, tuple[str, ...]] = {
    "y": ("general-forward", "complete-input"),
    "dx": ("deltas",),
    "dw": ("weight-gradient", "weight-gradient-rot180"),
    "db": ("bias-gradient",),
    "delta": ("deltas",),
    "output delta": ("output-delta",),
    "E": ("error",),
}


SINGLE_GRADIENTS = {"dx": "input_gradient", "dw": "weight_gradient", "db": "bias_gradient"}


@dataclass(frozen=True, slots=True)
class Wrong:
    """One quantity of one example that is not as it must be.

    `kind` is "value", "shape" or what the target did instead of returning ("raised", "crashed", "timed out",
    "malformed").
    """

    kind: str
    quantity: str
    function: str
    summary: str
    details: tuple[str, ...] = ()
    index: tuple[int, ...] = ()
    expected: str = ""
    actual: str = ""
    wrong: int = 0
    compared: int = 0

    @property
    def parts(self) -> set[tuple[str, str]]:
        """Each quantity with the function."""
        return {(quantity, self.function) for quantity in self.quantity.split("+")}


@dataclass(slots=True)
class Tally:
    """How often, per quantity, what that is worth, and what was left out."""

    examples: int = 0
    comparisons: Counter[str] = field(default_factory=Counter)
    without_evidence: Counter[str] = field(default_factory=Counter)
    excluded: Counter[str] = field(default_factory=Counter)
    not_supported: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    findings: int = 0
    chances: Evidence = field(default_factory=Evidence)
    calls: int = 0
    shapes: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """A failure as a check hands it on: the smallest case, its data, and when it was first seen."""

    wrong: Wrong
    case: Any
    arrays: dict[str, Array]
    after: int


@dataclass(slots=True)
class Bench:
    """A run's target and settings, and the tally of the check that is running.

    Attributes:
        space: The levels that the target supports.
        orientations: Those to hold it to: the declared or inferred one, or both where it takes the option.
        examples: Random examples for the search, besides the fixed set.
        seed: Of all data and of the search.
        database: Folder in which failing examples are kept for the next run, or None.
        shapes: The user's own, to be verified completely.
        hasty: Whether a check may end at its first failure, and report it as it was met: asked is whether, not where.
    """

    target: Target
    space: Space
    orientations: tuple[Orientation, ...]
    examples: int
    seed: int
    report: Callable[[Found], None]
    progress: Callable[[int, int], None]
    database: str | None = None
    shapes: tuple[OwnShape, ...] = ()
    hasty: bool = False
    tally: Tally = field(default_factory=Tally)
    _fixed: list[Case] = field(default_factory=list, repr=False)

    @property
    def fixed(self) -> list[Case]:
        """The fixed set as the target takes it, most useful first; fitted to it once, for all checks.

        The longer the search, the more of it goes before.
        """
        if not self._fixed:
            self._fixed += fixed_set(self.space, self.accepts, self.seed, max(LEAST, 3 * self.examples // 4))
        return self._fixed

    @property
    def binding(self) -> Binding:
        """What is bound to what."""
        return self.target.binding

    def accepts(self, geometry: AnyGeometry) -> bool:
        """Whether the target's signatures can be asked for this geometry."""
        return self.binding.refuses(geometry) is None

    def routes(self) -> list[dict[str, str]]:
        """Ways to compute the convolution's quantities, as `quantity -> function`.

        `backward` is one way, the single gradients are another; each quantity that a target has is in one of them.
        A target that only pools has none.
        """
        return routes(self.binding)

    def pools(self) -> dict[str, dict[str, str]]:
        """By kind of pooling, the functions that the target has, as `quantity -> function`."""
        bound = {function.role for function in self.binding.functions}
        every = {kind: {"y": f"{kind}_pool", "dx": f"{kind}_pool_gradient"} for kind in POOLINGS}
        return {
            kind: {quantity: name for quantity, name in functions.items() if name in bound}
            for kind, functions in every.items()
            if functions["y"] in bound
        }

    def call(
        self,
        geometry: AnyGeometry,
        arrays: dict[str, Array],
        functions: Sequence[str],
        layouts: dict[str, str] | None = None,
        activation: str = "",
    ) -> Reply:
        """Call the target, counting what it is not asked for."""
        self.tally.calls += 1
        taken = {role: layout for role, layout in (layouts or {}).items() if role in arrays}
        reply = self.target.call(Request(geometry, arrays, taken, tuple(functions), activation))
        if isinstance(reply, Excluded):
            self.tally.excluded[reply.defect] += 1
        elif isinstance(reply, NotSupported):
            self.tally.not_supported[f"{reply.function}: {reply.reason}"] += 1
        return reply


def routes(binding: Binding) -> list[dict[str, str]]:
    """As `Bench.routes`."""
    bound = {function.role for function in binding.functions}
    gradients = ("dx", "dw", "db") if binding.bias != "never" else ("dx", "dw")
    whole = dict.fromkeys(gradients, "backward") if "backward" in bound else {}
    single = {q: f for q, f in SINGLE_GRADIENTS.items() if q in gradients and f in bound}
    first = {"y": "forward", **(whole or single)} if "forward" in bound else whole or single
    return [route for route in (first, single if whole else {}) if route]


@dataclass(frozen=True, slots=True)
class Check:
    """A check by its id; `equations` are what it tests, `run` works on a bench.

    `of_shapes`: it is about the user's own shapes, and runs where there are some.
    One that is not `specified` also runs where forward has no specification (SPECIFICATION = "none").
    """

    id: str
    title: str
    equations: tuple[str, ...]
    run: Callable[[Bench], None]
    of_shapes: bool = False
    specified: bool = True

    def on(self, bench: Bench) -> None:
        """Run it, where it applies."""
        if self.specified and bench.binding.specification == "none":
            bench.tally.not_supported[f"{NOT_ASKED}SPECIFICATION = 'none' is declared"] += 1
        else:
            self.run(bench)


def misbehaviour(reply: Reply, quantities: Sequence[str]) -> list[Wrong]:
    """What a reply without results says, for each quantity that was wanted of the function."""
    match reply:
        case Raised(function, kind, message, where):
            text, details = f"{function} raised {kind}: {message}", (f"raised in {where}",) if where else ()
            name = "raised"
        case Crashed(function, how, output, where):
            text = f"{function} ended its process: {how}"
            details = (*((f"in {where}",) if where else ()), *output.splitlines()[-5:])
            name = "crashed"
        case TimedOut(function, limit):
            text, details, name = f"{function} did not return within {limit:g} s", (), "timed out"
        case Malformed(function, quantity, what):
            return [Wrong("malformed", quantity, function, f"{function}: {quantity} {what}")]
        case _:
            return []
    return [Wrong(name, "+".join(quantities), function, text, details)]


def of_pooling(wrong: Wrong, kind: str) -> Wrong:
    """The same, said of a kind of pooling."""
    quantity = "+".join(f"{kind} pooling {part}" for part in wrong.quantity.split("+"))
    return replace(wrong, quantity=quantity, summary=f"{kind} pooling: {wrong.summary}")


def rounded(binding: Binding, actual: Array) -> Array:
    """What an indirect algorithm (FFT, Winograd) meant: the nearest integer, where its error stays below 1/4.

    Its data leave so much of the mantissa free (`levels.HEADROOM`) that a larger error is no rounding.
    """
    if binding.algorithm == "direct":
        return actual
    nearest = np.rint(actual)
    return np.where(np.abs(actual - nearest) < 0.25, nearest, actual)


def compare(quantity: str, function: str, actual: Array, expected: Array) -> Wrong | None:
    """The first difference in value; None if every entry is equal.  No tolerance; NaN equals nothing."""
    if actual.shape != expected.shape:
        summary = f"{quantity} has shape {actual.shape}; it must have shape {expected.shape}"
        return Wrong("shape", quantity, function, summary, expected=str(expected.shape), actual=str(actual.shape))
    different = ~(actual == expected)
    count = int(np.count_nonzero(different))
    if count == 0:
        return None
    index = tuple(int(i) for i in np.argwhere(different)[0])
    return Wrong(
        "value",
        quantity,
        function,
        f"{quantity} differs from the specification in {count} of {expected.size} entries",
        index=index,
        expected=repr(expected[index].item()),
        actual=repr(actual[index].item()),
        wrong=count,
        compared=int(expected.size),
    )
