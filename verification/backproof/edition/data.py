"""The edition, or a claim, as JSON: dataclasses as objects with the fields' names, in their order.

Fractions are text (`"1/2"`); enumerations are their values; the entries of a counterexample are a list of
`{"tensor", "index", "value"}`, since JSON has no keys with parts; tuples are lists.  `FORMAT` grows when a field
changes its name or meaning, or goes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Any

from backproof_spec.derivation.edition import Claim, Edition
from backproof_spec.proof.verdict import Counterexample

FORMAT = 1


def as_json(what: Edition | Claim) -> str:
    """`what` with the number of the format, on lines of their own."""
    return json.dumps({"format": FORMAT, **_plain(what)}, indent=1, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Counterexample):
        entries = [{"tensor": name, "index": list(index), "value": v} for (name, index), v in value.entries.items()]
        return {**_fields(value, but="entries"), "entries": entries}
    if is_dataclass(value):
        return _fields(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str | Fraction) else value


def _fields(value: Any, but: str = "") -> dict[str, Any]:
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value) if field.name != but}
