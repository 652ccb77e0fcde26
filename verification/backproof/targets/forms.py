"""Options of a call, and the forms in which implementations take them.

    form     its default in a signature      the value
    int      stride=1, padding=0             one int for both axes (and, for padding, for both sides)
    pair     stride=(1, 1), padding=(0, 0)   (vertical, horizontal)
    sides    padding=((0, 0), (0, 0))        ((top, bottom), (left, right))
    name     padding_mode="zeros"            a string
    flag     ceil_mode=False                 True or False

Without a default, or with None, an option is taken in its fullest form: a pair, for padding its sides.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from backproof.contract import AnyGeometry, PoolGeometry

Form: TypeAlias = Literal["int", "pair", "sides", "name", "flag"]

#: The fullest form of every option.
FULLEST: dict[str, Form] = {
    "kernel_size": "pair",
    "stride": "pair",
    "padding": "sides",
    "dilation": "pair",
    "groups": "int",
    "padding_mode": "name",
    "orientation": "name",
    "ceil_mode": "flag",
    "count_include_pad": "flag",
}

_MISSING = object()


def form_of(option: str, default: Any = _MISSING) -> Form | None:
    """The form that `default` shows; None where it shows none that we know."""
    fullest = FULLEST[option]
    if default is _MISSING or default is None:
        return fullest
    shown = _shape(default)
    if shown in (None, "name", "flag") or fullest in ("name", "flag", "int"):
        return shown if shown == fullest else None
    return None if shown == "sides" and fullest == "pair" else shown


def _shape(value: Any) -> Form | None:
    if isinstance(value, str):
        return "name"
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int):
        return "int"
    if isinstance(value, tuple | list) and len(value) == 2:
        return {"int": "pair", "pair": "sides"}.get(_shape(value[0]) or "")  # type: ignore[return-value]
    return None


def alternatives(option: str) -> tuple[Form, ...]:
    """The forms that an option may have, the fullest first."""
    every: tuple[Form, ...] = ("sides", "pair", "int")
    return every[every.index(FULLEST[option]) :] if FULLEST[option] in every else (FULLEST[option],)


def neutral(option: str, geometry: AnyGeometry) -> Any:
    """The value that an option has where a signature lacks it; a pooling's stride is its kernel size.

    None: whatever the geometry says (the orientation of a target is its own, the kernel size that of `w`).
    """
    if option == "stride" and isinstance(geometry, PoolGeometry):
        return geometry.kernel_size
    values = {
        "stride": (1, 1),
        "padding": ((0, 0), (0, 0)),
        "dilation": (1, 1),
        "groups": 1,
        "padding_mode": "zeros",
        "ceil_mode": False,
        "count_include_pad": True,
    }
    return values.get(option)


def express(option: str, value: Any, form: Form) -> Any:
    """The canonical `value` of an option in a form.

    Raises:
        ValueError: the value has no such form, for example `stride=(2, 1)` as one int.
    """
    if form == FULLEST[option]:
        return value
    narrower = value
    if option == "padding":
        (top, bottom), (left, right) = value
        narrower = (top, left) if (top, left) == (bottom, right) else None
    if form == "int" and narrower is not None:
        narrower = narrower[0] if narrower[0] == narrower[1] else None
    if narrower is None:
        raise ValueError(f"{option}={value!r} cannot be written in the form {form!r}")
    return narrower
