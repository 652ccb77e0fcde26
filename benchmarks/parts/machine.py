"""What the numbers of a results file depend on: the processor, the libraries, and Backproof's own source."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from backproof.environment import describe, version

ROOT = Path(__file__).resolve().parents[2]


def machine() -> dict[str, str]:
    """Processor, cores and versions; no names of hosts or users, no paths."""
    told = describe()
    kept = {name: told[name] for name in ("processor", "cores", "python", "numpy", "numba")}
    return {**kept, **{name: version(name) for name in ("scipy", "torch", "jax")}, "source": source()}


def source() -> str:
    """Twelve digits that change whenever the specification or the verifier does."""
    digest = hashlib.sha256()
    for package in ("backproof_spec", "backproof"):
        found = importlib.util.find_spec(package)
        if found is None or found.origin is None:
            raise ModuleNotFoundError(f"{package} is not installed; pip install -e . in the clone")
        for path in sorted(Path(found.origin).parent.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
