"""The post as mathematics: every equation as a SymPy object, and the exact oracle generated from it.

from backproof_spec import EQUATIONS, oracle
"""

from __future__ import annotations

from backproof_spec.equations import EQUATIONS
from backproof_spec.model import FRAMES, FULL, VALID_S, VALID_U, Equation, Frame, Maximum, Source, Tensor

__all__ = [
    "EQUATIONS",
    "FRAMES",
    "FULL",
    "VALID_S",
    "VALID_U",
    "Equation",
    "Frame",
    "Maximum",
    "Source",
    "Tensor",
]
