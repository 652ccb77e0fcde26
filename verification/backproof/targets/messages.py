"""What passes between parent and worker, apart from the arrays, which lie in shared memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from backproof.contract import AnyGeometry
from backproof.targets.arena import Slot
from backproof.targets.binding import Binding
from backproof.targets.calls import Step


@dataclass(frozen=True, slots=True)
class Load:
    """Parent to worker, first of all: `search` is the parent's `sys.path`.

    Without `trials`, functions are bound without being called, as after one of them ended the process.
    """

    target: str
    declarations: Mapping[str, str]
    search: tuple[str, ...]
    trials: bool = True


@dataclass(frozen=True, slots=True)
class Ready:
    """Worker to parent: the target is loaded."""

    binding: Binding


@dataclass(frozen=True, slots=True)
class Refused:
    """Worker to parent: the message of a `TargetError`."""

    message: str


@dataclass(frozen=True, slots=True)
class Call:
    """Parent to worker: inputs lie in the arena `memory`, and results go to `[room, size)` of it."""

    geometry: AnyGeometry
    functions: tuple[str, ...]
    inputs: Mapping[str, Slot]
    layouts: Mapping[str, str]
    memory: str
    room: int
    activation: str = ""


@dataclass(frozen=True, slots=True)
class Follow:
    """Parent to worker: a program whose arrays lie in the arena, as in `Call`."""

    steps: tuple[Step, ...]
    inputs: Mapping[str, Slot]
    layouts: Mapping[str, str]
    memory: str
    room: int


@dataclass(frozen=True, slots=True)
class Together:
    """Parent to worker: these calls, of one function each, at the same time, and so `rounds` times.

    `skipped`: lines at which a thread has been stopped in earlier ones.
    """

    calls: tuple[Call, ...]
    rounds: int
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Calling:
    """Worker to parent, before each function: the clock starts again."""

    function: str


@dataclass(frozen=True, slots=True)
class Returned:
    """Worker to parent: `Results` without its arrays, which lie in the arena or, having found no room, here."""

    slots: Mapping[str, Slot]
    loose: Mapping[str, tuple[bytes, str, tuple[int, ...]]]
    mutated: tuple[str, ...]
    aliased: tuple[str, ...]
    reused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Followed:
    """Worker to parent: `Trail` without its arrays, as `Returned`."""

    slots: Mapping[str, Slot]
    loose: Mapping[str, tuple[bytes, str, tuple[int, ...]]]
    overwritten: tuple[tuple[int, str], ...]
    stopped: int | None
    reply: Any


#: What a worker is asked to do once its target is loaded.
Order: TypeAlias = Call | Follow | Together
