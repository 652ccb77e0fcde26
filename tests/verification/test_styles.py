"""Layers as people write them, right and wrong, each in a style of its own: bound as they stand, and judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

STYLES = Path(__file__).parent / "styles"
TORCH = pytest.mark.torch

#: Targets without a mistake.
RIGHT = [
    "cached_dict.py",
    "hparameters_nhwc.py",
    "layer_attributes.py",
    "layer_updates.py",
    "instance.py:conv",
    "single_channel.py",
    "per_unit.py",
    pytest.param("torch_function.py", marks=TORCH),
    pytest.param("torch_module.py", marks=TORCH),
]

#: Targets with one mistake: the quantity that it spoils, and a part of what is said about it.
WRONG = [
    ("cached_slice.py", "dx", "dx has shape (1, 1, 0, 0)"),
    ("hparameters_stride.py", "dw", "dw differs"),
    ("layer_averaged.py", "dw", "dw differs"),
    ("layer_updated_first.py", "dx", "dx differs"),
    ("layer_none.py", "dx", "backward returned no dx; return an array of shape"),
    ("layer_redrawn.py", "y", "forward changed the attribute w that it was to use"),
    ("single_not_rotated.py", "dw", "dw differs"),
    ("jitted.py", "dx", "dx differs"),
    pytest.param("torch_detached.py", "db", "backward returned no db", marks=TORCH),
    pytest.param("autograd_function.py", "dx", "dx differs", marks=TORCH),
]


#: Numba compiles once for every dtype and layout.
FEWER = {"jitted.py": {"DTYPES": "float64", "LAYOUTS_EXCLUDED": "F, nhwc, reversed, sliced, channel-slice, read-only"}}


@pytest.fixture(autouse=True)
def _torch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("torch"):
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        pytest.importorskip("torch", reason="needs the extra `torch`")


@pytest.mark.parametrize("name", RIGHT)
def test_right(name: str, verify: Callable[..., Any]) -> None:
    outcome = verify(str(STYLES / name), checks=("contract", "exact", "finite-differences"))
    assert [finding.summary for finding in outcome.findings] == []
    assert outcome.status == 0
    quantities = {"y", "dx", "dw"} if name == "single_channel.py" else {"y", "dx", "dw", "db"}
    compared = outcome.checks["exact"].comparisons
    assert quantities == set(compared)
    assert min(compared.values()) > 40


@pytest.mark.parametrize(("name", "quantity", "said"), WRONG)
def test_wrong(name: str, quantity: str, said: str, verify: Callable[..., Any]) -> None:
    outcome = verify(str(STYLES / name), checks=("contract", "exact"), declarations=FEWER.get(name, {}))
    assert outcome.status == 1
    assert any(quantity == finding.quantity and said in finding.summary for finding in outcome.findings)
    # What is right is not blamed: where the weights are redrawn, nothing is.
    blamed = {part for finding in outcome.findings for part in finding.quantity.split("+")}
    assert blamed == {quantity} or name in ("torch_detached.py", "layer_redrawn.py")
