"""Every command block of the README runs, in a copy of the repository that has nothing but what is committed or new."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from readme_blocks import ROOT, Block, blocks

BLOCKS = blocks()
RUN = {block.name: block for block in BLOCKS if block.kind == "run"}
#: What each block must end with, and its exit status.
ENDS = {
    "own": (1, r"FAILED: my_conv\.py, convolution: .*\nreport: reports/my_conv\.html\s*$"),
    "verify": (0, r"PASSED: numba, .*\nreport: reports/numba\.html\s*$"),
    "test": (0, r"\d+ passed.*\s*$"),
    "uv-verify": (0, r"PASSED: numba, .*\nreport: reports/numba\.html\s*$"),
    "uv-test": (0, r"\d+ passed.*\s*$"),
    "targets": (0, r"reports/numba\.html\s*$"),
    "shape": (0, r"PASSED: numba, .*\nreport: reports/numba\.html\s*$"),
    "mutants": (0, r"ALL KILLED: 5 of 5 mutants killed.*\s*$"),
    "derive": (0, r"(?s)report: reports/derivation\.md\n.*proved.*$"),
    "init": (0, r"\d+ passed, \d+ skipped.*\s*$"),
    "pytest": (0, r"\d+ passed.*\s*$"),
}


def test_every_command_block_is_known() -> None:
    assert [block.text for block in BLOCKS if block.language == "bash" and block.kind != "run"] == []
    assert set(RUN) == set(ENDS)


@dataclass(frozen=True)
class Copy:
    """A copy of the repository, and an empty folder, with one for each block that uses its environment from outside."""

    root: Path
    folder: Path

    def run(self, block: Block, *, inside: bool) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV_"))}
        environment |= {
            "BACKPROOF_CACHE_DIR": str(self.root / ".cache"),
            "UV_CACHE_DIR": str(self.root / ".uv-cache"),
            "NO_COLOR": "1",
        }
        environment.pop("VIRTUAL_ENV", None)
        folder = self.root if inside else self.folder / block.name
        folder.mkdir(exist_ok=True)
        if inside:
            environment["PYTEST_ADDOPTS"] = "tests/spec/test_model.py"  # CI runs the whole suite by the same command
        else:
            environment["PATH"] = f"{self.root / '.venv' / 'bin'}{os.pathsep}{environment['PATH']}"
        return subprocess.run(
            ["bash", "-c", block.text],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    root, folder = tmp_path / "clone", tmp_path / "empty"
    (folder / "own").mkdir(parents=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    for block in BLOCKS:
        if block.kind == "file":
            (folder / "own" / block.name).write_text(block.text, encoding="utf-8")
    return Copy(root, folder)


def check(name: str, done: subprocess.CompletedProcess[str]) -> None:
    """The exit status, the last lines, and what the README says is printed."""
    status, end = ENDS[name]
    assert done.returncode == status, f"{name}: {done.stdout}{done.stderr}"
    assert re.search(end, done.stdout), f"{name}: {done.stdout}{done.stderr}"
    for block in BLOCKS:
        if (block.kind, block.name) == ("output", name):
            assert block.text in done.stdout, done.stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_commands(copy: Copy) -> None:
    """One test: the later commands use the environment that the first one makes."""
    for name in ("verify", "test", "own", "targets", "shape", "mutants", "derive", "init", "pytest"):
        check(name, copy.run(RUN[name], inside=name in ("verify", "test")))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_uv_commands(copy: Copy) -> None:
    if shutil.which("uv") is None:
        pytest.skip("uv is not installed")
    shutil.rmtree(copy.root / ".venv", ignore_errors=True)
    for name in ("uv-verify", "uv-test"):
        check(name, copy.run(RUN[name], inside=True))
