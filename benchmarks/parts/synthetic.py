"""Fresh mutants of the grammar, by `benchmarks/synthetic.py`, whose results file is this part's."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from parts.kills import MissingError
from parts.machine import ROOT

Results = dict[str, Any]


def run() -> Results:
    """Run the script, and take what it wrote.

    Raises:
        MissingError: There is no such script.
    """
    script = ROOT / "benchmarks" / "synthetic.py"
    if not script.exists():
        raise MissingError(f"{script.relative_to(ROOT)} is missing: this version has no grammar of mutants")
    subprocess.run([sys.executable, str(script)], check=True)
    found: Results = json.loads((ROOT / "benchmarks" / "results" / "synthetic.json").read_text(encoding="utf-8"))
    return found
