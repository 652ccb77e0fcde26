"""The one error of this package."""

from __future__ import annotations


class TargetError(Exception):
    """A target cannot be used; the message says what to write instead (exit status 2)."""
