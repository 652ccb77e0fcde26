"""Parts that are scripts of their own beside `detection.py`, whose results files they write themselves.

`synthetic.py` has fresh mutants of the grammar.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from parts.kills import MissingError
from parts.machine import ROOT

Results = dict[str, Any]


def run(name: str) -> Results:
    """Run `benchmarks/NAME.py`, and take what it wrote.

    Raises:
        MissingError: There is no such script.
    """
    script = ROOT / "benchmarks" / f"{name}.py"
    if not script.exists():
        raise MissingError(f"benchmarks/{name}.py is missing: this version has no grammar of mutants")
    subprocess.run([sys.executable, str(script)], check=True)
    found: Results = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))
    return found
