"""What is asked of a target, and what can come back: plain data that crosses the process boundary.

Request -> Results        the arrays that the functions returned
         | Raised         an exception of the target's
         | Crashed        the process ended: a signal, an exit
         | TimedOut       it did not return in time
         | NotSupported   NotImplementedError: not verified, no finding
         | Excluded       a known defect of the library, declared by its adapter: not called
         | Malformed      it returned something other than arrays
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from backproof.contract import AnyGeometry
from backproof.targets.layouts import Array


@dataclass(frozen=True, slots=True)
class Request:
    """Functions to call, in order, each with freshly placed arrays.

    `arrays`: NumPy arrays by role (`x`, `w`, `b`, `dy`; without `b` there is no bias), shapes those of `geometry`.
    `layouts`: a name of `LAYOUTS` by role; "C" where absent.
    `functions`: such as `("forward", "backward")`; no two that compute the same quantity.
    `activation`: whose derivative a function takes that takes one: a name of the target's, or `"our square"`.
    """

    geometry: AnyGeometry
    arrays: Mapping[str, Array]
    layouts: Mapping[str, str] = field(default_factory=dict)
    functions: tuple[str, ...] = ("forward",)
    activation: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a `Program`: `inputs` by role and `outputs` by quantity are names of variables.

    `function`: a canonical name, or a name of `styles.glue.GLUE`, for what the target does not have.
    """

    function: str
    geometry: AnyGeometry
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    activation: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """Calls one after the other, each on the very arrays that others returned; `arrays` and `layouts` by variable."""

    steps: tuple[Step, ...]
    arrays: Mapping[str, Array]
    layouts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trail:
    """What came of a program.

    `values`: variables as they were when they were returned.  `overwritten`: number of the step during which a
    variable changed, and its name.  `stopped`: the answer of the first step that gave no result, which is `reply`.
    """

    values: dict[str, Array]
    overwritten: tuple[tuple[int, str], ...] = ()
    stopped: int | None = None
    reply: Any = None


@dataclass(frozen=True, slots=True)
class Results:
    """What the functions returned.

    `values`: `y`, `dx`, `dw`, `db`, as far as computed: C-order copies, dtype and shape as returned.
    `mutated`: roles of the inputs whose memory, surroundings included, a function changed.
    `aliased`: quantities that shared memory with an input.
    `reused`: quantities that shared memory with another result of this call, or with any function's last one.
    """

    values: dict[str, Array]
    mutated: tuple[str, ...] = ()
    aliased: tuple[str, ...] = ()
    reused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception left `function`; `where` is the innermost line of the user's code, `"file.py:12 in forward"`."""

    function: str
    type: str
    message: str
    where: str


@dataclass(frozen=True, slots=True)
class Crashed:
    """The process ended in `function`.

    `how`: "killed by SIGSEGV (Segmentation fault)" or "exited with code 3".  `output`: the last lines printed.
    `where`: the line that a fatal signal interrupted, if known.
    """

    function: str
    how: str
    output: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """`function` did not return within `limit` seconds and was stopped."""

    function: str
    limit: float


@dataclass(frozen=True, slots=True)
class NotSupported:
    """The target says, or its signature shows, that `function` does not do this: not verified."""

    function: str
    reason: str


@dataclass(frozen=True, slots=True)
class Excluded:
    """A known defect of the library (its `name`) applies: the library was not called."""

    defect: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """`function` returned no array for `quantity`; `what` it returned, and what to return."""

    function: str
    quantity: str
    what: str


Reply: TypeAlias = Results | Raised | Crashed | TimedOut | NotSupported | Excluded | Malformed
