"""What every style makes of a target: canonical functions, and what is to be said about them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from backproof.targets.axes import CANONICAL, Axes
from backproof.targets.binding import BoundFunction
from backproof.targets.calling import Function
from backproof.targets.errors import PartError
from backproof.targets.styles.libraries import NumPy


@dataclass(slots=True)
class Parts:
    """Says which function is being called where one has to be called before another; the session sets `tell`."""

    tell: Callable[[str], None] = lambda function: None

    @contextlib.contextmanager
    def before(self, function: str, then: str) -> Iterator[None]:
        """`function` is called, and blamed for what it raises; `then` comes next.

        Raises:
            PartError: it raised.
        """
        self.tell(function)
        try:
            yield
        except (Exception, SystemExit) as error:
            raise PartError(function) from error
        self.tell(then)


@dataclass(frozen=True, slots=True)
class Layer:
    """Functions by canonical name, and how they are bound; the rest as in `Binding`.

    `functions` take a geometry and arrays in the target's `axes`.  `arrays` is the library whose arrays the target
    takes, `activations` are its pairs (a, a') as they are, `gaps` says what could not be bound.
    """

    style: str
    bound: Mapping[str, BoundFunction]
    functions: Mapping[str, Function]
    axes: Axes = CANONICAL
    parts: Parts = field(default_factory=Parts)
    notes: tuple[str, ...] = ()
    bias: Literal["always", "optional", "never"] | None = None
    updates: bool = False
    layouts_excluded: tuple[str, ...] = ()
    dtypes: tuple[str, ...] | None = None
    fixed: tuple[tuple[str, Any], ...] = ()
    arrays: NumPy = field(default_factory=NumPy)
    activations: Mapping[str, tuple[Callable[..., Any], Callable[..., Any]]] = field(default_factory=dict)
    gaps: tuple[str, ...] = ()
