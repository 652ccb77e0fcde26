"""`import backproof` and `backproof --help` are immediate: they import nothing heavy."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"numpy", "numba", "llvmlite", "sympy", "torch", "hypothesis", "rich", "jinja2", "pytest"}
PROGRAM = """
import sys
{statements}
print(*sorted(name for name in sys.modules if "." not in name), file=sys.stderr)
"""


def imported(statements: str) -> set[str]:
    """The top-level modules that a fresh interpreter has imported after some statements."""
    program = PROGRAM.format(statements=statements)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    return set(done.stderr.split())


def run(*arguments: str) -> str:
    return f"""
from backproof.cli import main
sys.argv = {["backproof", *arguments]!r}
try:
    main()
except SystemExit as end:
    assert end.code == 0, end.code
"""


def test_the_package_imports_nothing_heavy() -> None:
    assert not imported("import backproof") & HEAVY


def test_help_imports_nothing_heavy() -> None:
    commands = ("check", "show", "init", "report", "mutants", "bench", "completion")
    for arguments in (["--help"], ["--version"], *([command, "--help"] for command in commands)):
        modules = imported(run(*arguments))
        assert "click" in modules
        assert not modules & HEAVY, arguments


def test_heavy_imports_are_seen() -> None:
    assert imported("import backproof.report.terminal, backproof.contract, numpy") & HEAVY == {"rich", "numpy"}


def test_reports_know_events_only() -> None:
    statements = """
import backproof.report.binding, backproof.report.html, backproof.report.naming, backproof.report.terminal
ours = {name for name in sys.modules if name.startswith("backproof")}
print(*sorted(name for name in ours if not name.startswith("backproof.report")))
"""
    program = PROGRAM.format(statements=statements)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["backproof", "backproof.events"]
