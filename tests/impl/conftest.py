"""Integer data: with it, every sum in these tests is exact, and results are compared with `==`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="session")
def integers() -> Callable[..., np.ndarray[Any, Any]]:
    """`integers(shape, dtype, seed)`: integers from -4 to 4, none of them 0, as floats."""

    def draw(shape: tuple[int, ...], dtype: Any = np.float64, seed: int = 0) -> np.ndarray[Any, Any]:
        rng = np.random.default_rng([seed, *shape])
        return (rng.integers(1, 5, shape) * rng.choice([-1, 1], shape)).astype(dtype)

    return draw
