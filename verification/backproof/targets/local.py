"""A target in this very process, for targets that are known to do no harm: a call costs no message, a start no process.

Everything else is as in a worker, whose `Session` answers here: memory and layouts, and what is noticed of them.
What crashes, hangs or prints does so here; what a target keeps anywhere but in the object that is loaded, it keeps.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backproof.targets.binding import Binding
from backproof.targets.errors import TargetError
from backproof.targets.messages import Order
from backproof.targets.process import Target
from backproof.targets.session import Session


class LocalTarget(Target):
    """A `Target` without a worker and its time limit; `renew` loads it anew, which makes a fresh object of a class."""

    _session: Session | None = None

    @property
    def _running(self) -> bool:
        return self._session is not None

    def _start(self) -> Binding:
        self._session = Session.open(self._load, tell=lambda message: None)
        self.restarts += 1
        return self._session.binding

    def _drop(self) -> None:
        self._session = None

    def _exchange(self, order: Order, function: str) -> Any:
        if self._session is None:
            raise TargetError(f"{self.binding.name} is closed")
        with np.errstate(all="ignore"):  # a worker's warnings go nowhere, too
            return self._session.respond(order)
