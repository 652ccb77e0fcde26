"""`backproof init`: what it writes is right as far as it goes; filled in wrongly it is rejected; nothing is lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backproof.scaffold import ScaffoldError, next_commands, write

WEIGHT_GRADIENT = """
    (kh, kw), (OH, OW) = w.shape[2:], dy.shape[2:]
    dw = np.zeros_like(w)
    for u in range(kh):
        for v in range(kw):
            dw[:, :, u, v] = np.einsum("nohw,nchw->oc", dy, x[:, :, u : u + OH, v : v + OW])
    return {returned}
"""
INPUT_GRADIENT = """
    kh, kw = w.shape[2:]
    dx = np.zeros_like(x)
    H, W = x.shape[2:]
    dy = np.pad(dy, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
    for u in range(kh):
        for v in range(kw):
            dx += np.einsum("nohw,oc->nchw", dy[:, :, u : u + H, v : v + W], w[:, :, u, v])
    return dx
"""


def fill_in(file: Path, **bodies: str) -> None:
    """Replace what raises NotImplementedError."""
    text = file.read_text(encoding="utf-8")
    for name, body in bodies.items():
        line = f'    raise NotImplementedError("{name} is not written yet")\n'
        assert text.count(line) == 1
        text = text.replace(line, body.removeprefix("\n"))
    file.write_text(text, encoding="utf-8")


def test_what_is_written_is_right_as_far_as_it_goes(tmp_path: Path, verify: Callable[..., Any]) -> None:
    file, test = write(tmp_path / "my_layer.py")
    assert (file, test) == (tmp_path / "my_layer.py", tmp_path / "test_my_layer.py")
    assert "my_conv" not in file.read_text(encoding="utf-8") + test.read_text(encoding="utf-8")
    outcome = verify(str(file))
    assert outcome.status == 0
    exact = outcome.checks["exact"]
    assert exact.comparisons.keys() == {"y"}
    assert exact.not_supported.keys() == {
        f"{name}: {name} is not written yet" for name in ("input_gradient", "weight_gradient", "bias_gradient")
    }
    assert outcome.checks["finite-differences"].verdict == "not verified"


def test_filled_in_wrongly_it_is_rejected(tmp_path: Path, verify: Callable[..., Any]) -> None:
    file, _ = write(tmp_path / "my_conv.py")
    fill_in(file, weight_gradient=WEIGHT_GRADIENT.format(returned="dw"))
    outcome = verify(str(file))
    assert outcome.status == 1
    assert {finding.quantity for finding in outcome.findings} == {"dw"}


def test_filled_in_as_its_comments_say_it_is_right(tmp_path: Path, verify: Callable[..., Any]) -> None:
    file, _ = write(tmp_path / "my_conv.py")
    fill_in(
        file,
        weight_gradient=WEIGHT_GRADIENT.format(returned="dw[:, :, ::-1, ::-1]"),
        input_gradient=INPUT_GRADIENT,
        bias_gradient="    return dy.sum((0, 2, 3))\n",
    )
    outcome = verify(str(file))
    assert outcome.status == 0
    assert outcome.checks["exact"].comparisons.keys() == {"y", "dx", "dw", "db"}
    assert not outcome.checks["exact"].not_supported


@pytest.mark.parametrize(
    ("returned", "status", "ends"), [("", 0, r"\d+ passed, \d+ skipped"), ("dw", 1, r"\d+ failed, \d+ passed")]
)
def test_its_test_runs(tmp_path: Path, returned: str, status: int, ends: str) -> None:
    file, test = write(tmp_path / "my_conv.py")
    if returned:
        fill_in(file, weight_gradient=WEIGHT_GRADIENT.format(returned=returned))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test.name],
        cwd=tmp_path,
        env={**os.environ, "BACKPROOF_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert re.match(ends, done.stdout.splitlines()[-1]), done.stdout


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    file, test = tmp_path / "my_conv.py", tmp_path / "test_my_conv.py"
    test.write_text("mine", encoding="utf-8")
    with pytest.raises(ScaffoldError, match=r"test_my_conv\.py exists; .*, or overwrite with --force"):
        write(file)
    assert not file.exists()
    assert test.read_text(encoding="utf-8") == "mine"
    file.write_text("mine", encoding="utf-8")
    with pytest.raises(ScaffoldError, match=r"my_conv\.py and .*test_my_conv\.py exist; "):
        write(file)
    assert file.read_text(encoding="utf-8") == "mine"
    write(file, force=True)
    assert "def forward" in file.read_text(encoding="utf-8")
    assert "parametrize_with_checks" in test.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my_conv", "my_conv cannot be imported by a test; choose a name such as my_conv.py"),
        ("my-conv.py", "my-conv.py cannot be imported"),
        ("class.py", "class.py cannot be imported"),
        ("test_conv.py", "test_conv.py cannot be imported"),
        ("__main__.py", "__main__.py cannot be imported"),
        ("sys.py", "sys is the name of another Python module"),
        ("random.py", "random is the name of another Python module; choose a name such as my_conv.py"),
        ("numpy.py", "numpy is the name of another Python module"),
        ("backproof.py", "backproof is the name of another Python module"),
        ("no/my_conv.py", "there is no folder no; make it first"),
    ],
)
def test_names_that_no_test_could_import(
    name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScaffoldError) as error:
        write(Path(name))
    assert message in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_the_next_commands() -> None:
    lines = next_commands(Path("a.py"), Path("test_a.py")).splitlines()
    assert [line.partition("#")[0].strip() for line in lines] == [
        "next:",
        "backproof show a.py",
        "backproof check a.py",
        "python -m pytest test_a.py",
    ]
