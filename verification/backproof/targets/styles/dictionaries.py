"""Dictionaries of options: `conv_param["stride"]`.

Their keys are declared, `PARAMETERS = "stride, pad"`, or shown by a default, `conv_param={"stride": 1}`, or found: in a
trial the target is given a dictionary that knows every key under which people write an option, and notes which it is
asked for.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from backproof.contract import Geometry
from backproof.targets.binding import BoundFunction, BoundParameter
from backproof.targets.errors import TargetError
from backproof.targets.forms import FULLEST, Form, alternatives, express, form_of
from backproof.targets.roles import role_of


class Recorder(dict[str, Any]):
    """Answers for every option of a geometry, in the narrowest form up to `form`; `asked` are the keys, in order."""

    def __init__(self, geometry: Geometry, form: Form) -> None:
        super().__init__()
        self._geometry, self._form = geometry, form
        self.asked: dict[str, None] = {}
        self.unknown: dict[str, None] = {}

    def __missing__(self, key: str) -> Any:
        role = role_of(key, "forward") if isinstance(key, str) else None
        if role not in FULLEST:
            self.unknown[key] = None
            raise KeyError(key)
        self.asked[key] = None
        forms = alternatives(role)
        values = {**self._geometry.options(), "kernel_size": self._geometry.kernel_size}
        return express(role, values[role], self._form if self._form in forms else forms[0])

    def get(self, key: str, default: Any = None) -> Any:
        """The value of an option, under whatever key; `default` for what is none."""
        return self[key] if key in self else default  # noqa: SIM401 - `get` is this one

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and role_of(key, "forward") in FULLEST


def dictionary_of(function: BoundFunction) -> BoundParameter | None:
    """The parameter that is a dictionary, if any."""
    return next((item for item in function.parameters if item.role == "dictionary"), None)


def expanded(function: BoundFunction, keys: inspect.Signature) -> BoundFunction:
    """The function with the entries of its dictionary in the place of the dictionary.

    Raises:
        TargetError: a key is no name of any option.
    """
    parameters: list[BoundParameter] = []
    for item in function.parameters:
        parameters += _entries(item, keys, function.display) if item.role == "dictionary" else [item]
    return replace(function, parameters=tuple(parameters))


def _entries(item: BoundParameter, keys: inspect.Signature, display: str) -> Iterator[BoundParameter]:
    for key in keys.parameters.values():
        role = role_of(key.name, "forward")
        if role not in FULLEST:
            raise TargetError(
                f"{display}: the key {key.name!r} of {item.name} is no name of an option; "
                'declare those that are: PARAMETERS = "stride, pad"'
            )
        required = key.default is key.empty
        form = form_of(role) if required else form_of(role, key.default)
        if form is None:
            raise TargetError(f"{display}: {key.name}={key.default!r} shows no form of {role} that is known")
        yield BoundParameter(f'{item.name}["{key.name}"]', role, form, item.keyword, required)


def signature_of(keys: dict[str, Any] | list[str]) -> inspect.Signature:
    """Keys, with the values that a default gives them, as parameters."""
    empty = inspect.Parameter.empty
    given = keys if isinstance(keys, dict) else dict.fromkeys(keys, empty)
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Signature([inspect.Parameter(name, kind, default=value) for name, value in given.items()])
