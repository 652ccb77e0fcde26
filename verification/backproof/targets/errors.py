"""The errors of this package."""

from __future__ import annotations


class TargetError(Exception):
    """A target cannot be used; the message says what to write instead (exit status 2)."""


class PartError(Exception):
    """What the target raised (`__cause__`) in a `function` that had to be called before the one asked for."""

    def __init__(self, function: str) -> None:
        super().__init__(function)
        self.function = function


class AnswerError(Exception):
    """`function` did not answer for `quantity` in any way that is known; `what` it did, and what to do instead."""

    def __init__(self, function: str, quantity: str, what: str) -> None:
        super().__init__(function, quantity, what)
        self.function, self.quantity, self.what = function, quantity, what
