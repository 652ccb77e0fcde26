"""Failures that are expected, each with its reason: known, tracked elsewhere, and no reason for a run to fail.

    {"exact:dw": "issue 12", "pooling": "this layer has none"}

A key is a check, or `CHECK:QUANTITY`.  It holds for its check alone, so that each check has the same outcome whether
it runs by itself or after others.  Quantities are `y`, `dx`, `dw`, `db`, for `contract` also the arrays that a function
is handed; for `pooling` the whole name, `pooling:max pooling dx`, or its last word, for every kind of pooling.

A whole check is also as expected where it could verify nothing, which a strict run would not accept otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from backproof.contract import QUANTITIES
from backproof.targets.declarations import nearest

_ARRAYS = ("x", "w", "b", "dy")
_POOLING = tuple(f"{kind} pooling {name}" for kind in ("sum", "average", "max") for name in ("y", "dx"))


def split(text: str) -> tuple[str, str]:
    """`CHECK=REASON` or `CHECK:QUANTITY=REASON` as key and reason.

    Raises:
        ValueError: One of the two is missing.
    """
    key, _, reason = (part.strip() for part in text.partition("="))
    if not (key and reason):
        raise ValueError(f'{text!r} is not CHECK=REASON; write for example exact:dw="issue 12"')
    return key, reason


@dataclass(frozen=True, slots=True)
class Expectations:
    """Expected failures by key; see the module."""

    reasons: Mapping[str, str]

    @classmethod
    def of(cls, reasons: Mapping[str, str], checks: Iterable[str]) -> Self:
        """Those given, once their keys are known to mean something.

        Raises:
            ValueError: A check or a quantity that does not exist, or a reason that is empty.
        """
        for key, reason in reasons.items():
            _validate(key, reason, tuple(checks))
        return cls(dict(reasons))

    def __or__(self, stronger: Expectations) -> Expectations:
        return Expectations({**self.reasons, **stronger.reasons})

    def reason(self, check: str, quantity: str) -> str:
        """Why a finding is expected, empty where it is not; of `dx+dw`, each must be."""
        keys = [self._key(check, part) for part in quantity.split("+")]
        return "; ".join(dict.fromkeys(self.reasons[key] for key in keys if key)) if all(keys) else ""

    def met(self, found: Iterable[tuple[str, str]]) -> dict[str, str]:
        """The expectations that findings, as `(check, quantity)`, have met, also in part."""
        keys = {self._key(check, part) for check, quantity in found for part in quantity.split("+")}
        return {key: reason for key, reason in self.reasons.items() if key in keys}

    def stale(self, check: str, met: Iterable[str]) -> tuple[str, ...]:
        """The expectations of a check that ran and did not meet them, as `KEY (REASON)`."""
        left = {key: reason for key, reason in self.reasons.items() if key.partition(":")[0] == check}
        return tuple(f"{key} ({reason})" for key, reason in left.items() if key not in set(met))

    def _key(self, check: str, part: str) -> str:
        """The narrowest key that covers one quantity of a check; empty if none does."""
        keys = (f"{check}:{part}", f"{check}:{part.rpartition(' ')[2]}", check)
        return next((key for key in keys if key in self.reasons), "")


def _validate(key: str, reason: str, checks: tuple[str, ...]) -> None:
    check, colon, quantity = key.partition(":")
    if check not in checks:
        hint = nearest(check, checks) or f"; there are {', '.join(checks)}"
        raise ValueError(f"expected failure {key!r}: there is no check {check!r}{hint}")
    known = _quantities(check)
    if colon and quantity not in known:
        hint = nearest(quantity, known) or f"; there are {', '.join(known)}"
        raise ValueError(f"expected failure {key!r}: {check} has no quantity {quantity!r}{hint}")
    if not isinstance(reason, str) or not reason.strip():
        raise ValueError(f"expected failure {key!r} needs a reason, a text such as 'issue 12', not {reason!r}")


def _quantities(check: str) -> tuple[str, ...]:
    if check == "pooling":
        return ("y", "dx", *_POOLING)
    return (*QUANTITIES, *_ARRAYS) if check == "contract" else QUANTITIES
