"""Backproof verifies convolution layers and their backpropagation.

    backproof.check("my_conv.py").raise_for_findings()

    @backproof.parametrize_with_checks([my_conv, "numba"])
    def test_my_conv(implementation, check):
        check(implementation)

What is named here is imported when it is first used: `import backproof` loads neither NumPy nor SymPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backproof.api import Report, VerificationError, check
    from backproof.runner import RunOptions
    from backproof.targets.errors import TargetError
    from backproof.testing import StaleExpectationWarning, parametrize_with_checks

__all__ = [
    "Report",
    "RunOptions",
    "StaleExpectationWarning",
    "TargetError",
    "VerificationError",
    "check",
    "parametrize_with_checks",
]

_HOMES = {
    "Report": "api",
    "RunOptions": "runner",
    "StaleExpectationWarning": "testing",
    "TargetError": "targets.errors",
    "VerificationError": "api",
    "check": "api",
    "parametrize_with_checks": "testing",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
