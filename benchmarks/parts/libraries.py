"""Defects of libraries: what the adapters declare, and what the program that belongs to each shows at this version."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from parts.machine import ROOT

Results = dict[str, Any]

#: library -> the module in which its adapter's KNOWN_DEFECTS are declared
DECLARED = {
    "PyTorch": "backproof.targets.adapters.pytorch_defects",
    "JAX": "backproof.targets.adapters.jax_defects",
    "SciPy": "backproof.targets.adapters.scipy_defects",
}


def run(results: Results, say: Callable[[str], None]) -> Results:
    """Run every defect's program; exit status 1 says that the defect is there, 0 that it is gone."""
    results.clear()
    results["defects"] = declared()
    for defect in results["defects"]:
        done = subprocess.run(
            [sys.executable, str(ROOT / defect["script"])], capture_output=True, text=True, check=False, timeout=300
        )
        first, *rest = done.stdout.strip().splitlines() or [""]
        defect |= {"version": first, "status": done.returncode, "output": rest}
        say(f"{defect['library']} {defect['name']}: {'shown' if done.returncode == 1 else 'not shown'}")
    return results


def declared() -> list[Results]:
    """Every known defect, as its adapter declares it, with its program's own account.

    Raises:
        ModuleNotFoundError: A library is not installed.
    """
    found = []
    for library, module in DECLARED.items():
        for defect in importlib.import_module(module).KNOWN_DEFECTS:
            text = ast.get_docstring(ast.parse((ROOT / defect.script).read_text(encoding="utf-8"))) or ""
            title, _, account = text.partition("\n")
            told = {"name": defect.name, "summary": defect.summary, "script": defect.script}
            found.append({"library": library, **told, "title": title.strip(), "account": account.strip()})
    return found
