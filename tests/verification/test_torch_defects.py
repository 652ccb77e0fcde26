"""The known defects of PyTorch: a program that shows each, and a predicate that is true there and not beside it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backproof.contract import Geometry, PoolGeometry
from backproof.targets.declarations import CallDescription, KnownDefect

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

from backproof.targets.adapters.pytorch_defects import KNOWN_DEFECTS, Tensor, dense  # noqa: E402 - needs torch

ROOT = Path(__file__).resolve().parents[2]
DEFECTS = {defect.name: defect for defect in KNOWN_DEFECTS}

#: These do not depend on the instruction set that oneDNN finds.
EVERYWHERE = ("C", "E", "P")


@pytest.mark.parametrize("defect", KNOWN_DEFECTS, ids=lambda defect: defect.name)
def test_the_program_shows_the_defect_or_its_end(defect: KnownDefect) -> None:
    done = subprocess.run([sys.executable, ROOT / defect.script], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    assert f"torch {torch.__version__}" in done.stdout
    if defect.name in EVERYWHERE and torch.__version__.startswith("2.13.0"):
        assert done.returncode == 1, done.stdout
    assert done.returncode in (0, 1)


def test_every_program_belongs_to_a_defect() -> None:
    assert {path.name for path in (ROOT / "examples" / "defects").glob("torch_*.py")} == {
        Path(defect.script).name for defect in KNOWN_DEFECTS
    }


def conv(*sizes: object, **options: object) -> Geometry:
    return Geometry(*sizes, orientation="cross-correlation", bias=False, **options)  # type: ignore[arg-type]


GROUPED = conv(2, 4, 4, (3, 1), (2, 1), groups=2)
COLUMN = conv(2, 1, 1, (3, 3), (2, 2), stride=(1, 2))
PADDED = replace(conv(2, 2, 1, (1, 1), (1, 1), stride=(1, 2), padding=((0, 0), (1, 1)), dilation=(1, 2)), bias=True)
POINTWISE = conv(2, 3, 2, (4, 4), (1, 1), stride=(2, 2))
RAISES = conv(1, 2, 1, (1, 2), (1, 2))
POOL = PoolGeometry("max", 1, 1, (4, 1), (2, 2), (1, 1), ((1, 1), (1, 1)), (2, 2))

INSIDE = {
    "B": CallDescription("forward", COLUMN, "float32", {"x": "nhwc"}),
    "C": CallDescription("backward", conv(1, 4, 2, (3, 1), (2, 1), groups=2), "float64", {"x": "F", "w": "nhwc"}),
    "E": CallDescription("backward", RAISES, "float64", {"x": "nhwc", "w": "F"}),
    "F": CallDescription("forward", PADDED, "float32", {"x": "nhwc"}),
    "G": CallDescription("backward", POINTWISE, "float32", {"x": "nhwc"}),
    "P": CallDescription("max_pool_gradient", POOL, "float32", {}),
}

BESIDE = {
    "A": [CallDescription("forward", GROUPED, dtype, {}) for dtype in ("float32", "float64")],
    "B": [
        replace(INSIDE["B"], layouts={}),
        replace(INSIDE["B"], function="backward"),
        replace(INSIDE["B"], geometry=replace(COLUMN, stride=(1, 1))),
        replace(INSIDE["B"], geometry=replace(COLUMN, size=(3, 5))),
    ],
    "C": [replace(INSIDE["C"], function="forward"), replace(INSIDE["C"], layouts={})],
    "E": [replace(INSIDE["E"], function="forward"), replace(INSIDE["E"], layouts={"x": "nhwc"})],
    "F": [
        replace(INSIDE["F"], layouts={}),
        replace(INSIDE["F"], geometry=replace(PADDED, bias=False)),
        replace(INSIDE["F"], geometry=replace(PADDED, size=(1, 2))),
    ],
    "G": [
        replace(INSIDE["G"], dtype="float64"),
        replace(INSIDE["G"], function="forward"),
        replace(INSIDE["G"], geometry=replace(POINTWISE, stride=(1, 1))),
        replace(INSIDE["G"], geometry=replace(POINTWISE, in_channels=16)),
    ],
    "P": [
        replace(INSIDE["P"], function="max_pool"),
        replace(INSIDE["P"], geometry=replace(POOL, dilation=(1, 1))),
        replace(INSIDE["P"], geometry=replace(POOL, size=(4, 4))),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", INSIDE)
def test_inside(name: str) -> None:
    assert [defect for defect in DEFECTS if DEFECTS[defect].applies(INSIDE[name])] == [name]


@pytest.mark.parametrize("name", BESIDE)
def test_beside(name: str) -> None:
    assert [call for call in BESIDE[name] if DEFECTS[name].applies(call)] == []


def test_a_is_delimited_by_strides_that_only_numpy_code_makes() -> None:
    """Channels-last weights whose axis of size 1 has an odd stride."""
    odd = Tensor((4, 2, 2, 1), (4, 1, 2, 0))
    assert odd.contiguous((0, 2, 3, 1))
    assert odd.strides != dense(odd.shape, (0, 2, 3, 1))


def test_memory_formats_are_those_that_torch_infers() -> None:
    for shape in ((2, 3, 4, 5), (1, 1, 3, 3), (2, 1, 1, 1), (1, 4, 1, 2), (3, 2, 1, 1)):
        for order in ((0, 1, 2, 3), (0, 2, 3, 1), (3, 2, 1, 0)):
            strides = dense(shape, order)
            tensor = torch.empty_strided(shape, strides)
            last = torch._prims_common.suggest_memory_format(tensor) == torch.channels_last
            assert Tensor(shape, strides).channels_last == last, (shape, strides)
            for wanted, format_ in (((0, 1, 2, 3), torch.contiguous_format), ((0, 2, 3, 1), torch.channels_last)):
                assert Tensor(shape, strides).contiguous(wanted) == tensor.is_contiguous(memory_format=format_)
