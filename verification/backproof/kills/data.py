"""Results as plain data: `--json`, and the record that goes with the museum."""

from __future__ import annotations

import json
from typing import Any

from backproof.checks import CHECKS
from backproof.kill_record import FILE, museum_version
from backproof.kills.mutants import listed
from backproof.kills.results import Fate, Results


def as_json(results: Results) -> str:
    """Everything that a campaign found, as one JSON object."""
    return json.dumps(as_data(results), indent=2, ensure_ascii=False)


def as_data(results: Results) -> dict[str, Any]:
    """The same as plain data."""
    return {
        **_head(results),
        "matrix": results.plan.matrix,
        "seconds": round(results.seconds, 1),
        "families": {name: {"killed": k, "mutants": n} for name, (k, n) in results.families.items()},
        "examples": {name: round(value, 2) for name, value in results.examples.items()},
        "within": {name: round(value, 2) for name, value in results.within.items()},
        "only_one_check": results.only_one,
        "survivors": [fate.mutant.id for fate in results.survivors],
        "equivalent": [fate.mutant.id for fate in results.equivalent],
        "mutants": [_fate(fate) for fate in results.fates],
    }


def write_record(results: Results) -> None:
    """Make `museum/kills.json`, from which every report takes the kill rate.

    Raises:
        OSError: The file cannot be written.
    """
    record = {
        **_head(results),
        "killed": sum(fate.killed for fate in results.fates),
        "survivors": {fate.mutant.id: list(fate.survived) for fate in results.survivors},
        "kills": {
            fate.mutant.id: {"by": list(fate.checks), "examples": list(fate.within)}
            for fate in results.fates
            if fate.killed
        },
    }
    lines = [f"{json.dumps(key)}: {_value(value)}" for key, value in record.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8", newline="\n")


def _value(value: Any) -> str:
    """A line for every mutant, so that a difference can be read."""
    if not isinstance(value, dict) or not value:
        return json.dumps(value)
    return "{\n" + ",\n".join(f"  {json.dumps(key)}: {json.dumps(item)}" for key, item in value.items()) + "\n}"


def _head(results: Results) -> dict[str, Any]:
    return {
        "version": museum_version(len(listed())),
        "mutants": len(results.fates),
        "profile": results.plan.profile,
        "seeds": list(results.seeds),
        "checks": list(results.plan.checks or (check.id for check in CHECKS)),
    }


def _fate(fate: Fate) -> dict[str, Any]:
    mutant = fate.mutant
    return {
        "id": mutant.id,
        "family": mutant.family,
        "title": mutant.title,
        "quantity": mutant.quantity,
        "trigger": mutant.trigger,
        "target": mutant.target,
        "killed": fate.killed,
        "equivalent": fate.equivalent,
        "milliseconds": round(fate.milliseconds, 1),
        "trials": [{"seed": t.seed, "kills": t.kills, "examples": t.examples, "within": t.within} for t in fate.trials],
    }
