"""A user's own shapes, as text: everything that is not written is neutral, or as the target has it.

    x=1,3,8,8 w=4,3,3,3 stride=2 padding=1

    x             N,C,H,W
    w             O,C/groups,kh,kw
    stride        1 or 1,2 (vertical, horizontal)
    dilation      1 or 1,2
    padding       1, or 1,2 (vertical, horizontal), or 1,1,2,2 (top, bottom, left, right)
    groups        C / w[1] unless written
    padding_mode  zeros or circular
    orientation   convolution or cross-correlation; unless written, what the target is held to
    bias          true or false; unless written, true where the target takes one
    dtype         float32, float64 or both with a comma; unless written, all that the target has

In TOML, `shapes` is a list of such texts, or of tables with the same keys: {x = [1, 3, 8, 8], stride = 2, ...}.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backproof.contract import DTYPES, ORIENTATIONS, PADDING_MODES, Geometry, Orientation, Padding, Pair

EXAMPLE = "x=1,3,8,8 w=4,3,3,3 stride=2 padding=1"


class ShapeError(ValueError):
    """A shape that cannot be; the message names the value, and what to write instead."""


@dataclass(frozen=True, slots=True)
class OwnShape:
    """A shape as it was asked for (`text`); `orientation`, `bias` and `dtypes` are None where they were left open."""

    text: str
    geometry: Geometry
    orientation: Orientation | None = None
    bias: bool | None = None
    dtypes: tuple[str, ...] | None = None


def own_shape(item: str | Geometry | OwnShape) -> OwnShape:
    """A shape from text, or from a geometry, all of which then counts.

    Raises:
        ShapeError: It is no shape of a convolution.
    """
    if isinstance(item, OwnShape):
        return item
    if isinstance(item, Geometry):
        _check(written(item), item)
        return OwnShape(written(item), item, item.orientation, item.bias)
    if isinstance(item, str):
        return _Reader(item).shape()
    raise ShapeError(f"a shape is a text such as {EXAMPLE!r} or a Geometry, not {item!r}")


def read_shapes(path: str | Path) -> tuple[OwnShape, ...]:
    """The shapes of a TOML file.

    Raises:
        ShapeError: It cannot be read, has no list `shapes`, or one of these is no shape.
    """
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ShapeError(f"{path} cannot be read as TOML: {error}") from error
    items = content.get("shapes")
    if set(content) != {"shapes"} or not isinstance(items, list) or not items:
        raise ShapeError(f'{path} must hold one list, such as shapes = ["{EXAMPLE}"]; it holds {", ".join(content)}')
    try:
        return tuple(own_shape(as_text(item)) for item in items)
    except ShapeError as error:
        raise ShapeError(f"{path}: {error}") from error


def as_text(item: Any) -> str:
    """A shape that TOML holds as a text or as a table.

    Raises:
        ShapeError: It is neither.
    """
    if isinstance(item, str):
        return item
    if not isinstance(item, Mapping):
        raise ShapeError(f"{item!r} is no shape; write for example {EXAMPLE!r}")
    flat = {key: value if isinstance(value, list) else [value] for key, value in item.items()}
    return " ".join(f"{key}={','.join(map(_plain, values))}" for key, values in flat.items())


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def written(g: Geometry) -> str:
    """A geometry as text, without what is neutral."""
    parts: dict[str, Any] = {"x": g.x_shape, "w": g.w_shape}
    neutral = {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "padding_mode": "zeros"}
    parts |= {key: getattr(g, key) for key, value in neutral.items() if getattr(g, key) != value}
    parts |= {"orientation": g.orientation, "bias": g.bias}
    return " ".join(f"{key}={','.join(map(_plain, _flat(value)))}" for key, value in parts.items())


def _flat(value: Any) -> Iterator[Any]:
    for item in value if isinstance(value, tuple) else (value,):
        if isinstance(item, tuple):
            yield from _flat(item)
        else:
            yield item


class _Reader:
    """The items of one text, or an error that names it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.items: dict[str, str] = {}
        for item in text.split():
            key, equals, value = item.partition("=")
            if not (equals and key and value):
                raise self.error(f"{item!r} is not KEY=VALUE; write for example {EXAMPLE}, with no space after a comma")
            if key not in _KEYS:
                raise self.error(f"there is no key {key!r}; the keys are {', '.join(_KEYS)}{_nearest(key, _KEYS)}")
            if key in self.items:
                raise self.error(f"{key} is written twice, {self.items[key]} and {value}; leave one of them out")
            self.items[key] = value

    def shape(self) -> OwnShape:
        """All of it."""
        batch, channels, height, width = self.numbers("x", (4,), "N,C,H,W")
        out, per_group, kh, kw = self.numbers("w", (4,), "O,C/groups,kh,kw")
        (groups,) = self.numbers("groups", (1,), "one number", default=str(self.groups(channels, per_group)))
        sides = self.numbers("padding", (1, 2, 4), "one number, two or four", least=0, default="0")
        orientation = self.name("orientation", ORIENTATIONS)
        bias = self.name("bias", ("true", "false"))
        geometry = Geometry(
            batch=batch,
            in_channels=channels,
            out_channels=out,
            size=(height, width),
            kernel_size=(kh, kw),
            stride=self.pair("stride"),
            padding=_sides(sides),
            dilation=self.pair("dilation"),
            groups=groups,
            padding_mode=self.name("padding_mode", PADDING_MODES) or "zeros",
            orientation=orientation or "convolution",
            bias=bias == "true",
        )
        if per_group * groups != channels:
            raise self.error(
                f"x has {channels} channels, and w has {per_group} for each of {groups} groups; "
                f"write w={out},{channels // groups or 1},{kh},{kw}, or x with {per_group * groups} channels"
            )
        _check(self.text, geometry)
        names = self.items.get("dtype")
        dtypes = tuple(self.one_of("dtype", name, DTYPES) for name in names.split(",")) if names else None
        return OwnShape(self.text, geometry, orientation, None if bias is None else bias == "true", dtypes)

    def groups(self, channels: int, per_group: int) -> int:
        """What w's second axis says, where it divides the channels."""
        return channels // per_group if channels % per_group == 0 else 1

    def pair(self, key: str) -> Pair:
        values = self.numbers(key, (1, 2), "one number or two", default="1")
        return values[0], values[-1]

    def numbers(
        self, key: str, counts: tuple[int, ...], form: str, *, least: int = 1, default: str = ""
    ) -> tuple[int, ...]:
        text = self.items.get(key, default)
        if not text:
            raise self.error(f"{key} is missing; write {key}={form}, for example {EXAMPLE}")
        values = text.split(",")
        if not all(value.isascii() and value.isdecimal() for value in values) or len(values) not in counts:
            raise self.error(f"{key}={text} must be {form}, in whole numbers")
        if min(map(int, values)) < least:
            raise self.error(f"{key}={text} must be at least {least} everywhere")
        return tuple(map(int, values))

    def name(self, key: str, legal: tuple[Any, ...]) -> Any:
        return self.one_of(key, self.items[key], legal) if key in self.items else None

    def one_of(self, key: str, value: str, legal: Iterable[str]) -> str:
        names = tuple(legal)
        if value not in names:
            raise self.error(f"{key}={value} must be {' or '.join(names)}{_nearest(value, names)}")
        return value

    def error(self, problem: str) -> ShapeError:
        return ShapeError(f"shape {self.text!r}: {problem}")


_KEYS = ("x", "w", "stride", "padding", "dilation", "groups", "padding_mode", "orientation", "bias", "dtype")


def _nearest(name: str, known: Iterable[str]) -> str:
    match = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {match[0]!r}?" if match else ""


def _sides(values: tuple[int, ...]) -> Padding:
    if len(values) == 4:
        return (values[0], values[1]), (values[2], values[3])
    return (values[0], values[0]), (values[-1], values[-1])


def _check(text: str, g: Geometry) -> None:
    """What every convolution must be, however it was written."""
    checks: tuple[tuple[Callable[[], bool], str], ...] = (
        (lambda: min(*g.x_shape, *g.w_shape, *g.stride, *g.dilation, g.groups) >= 1, "every size must be at least 1"),
        (
            lambda: g.out_channels % g.groups == 0 and g.in_channels % g.groups == 0,
            f"{g.in_channels} input and {g.out_channels} output channels must be multiples of groups (={g.groups})",
        ),
    )
    for holds, problem in checks:
        if not holds():
            raise ShapeError(f"shape {text!r}: {problem}")
    for axis, name in enumerate(("rows", "columns")):
        kernel, image = g.dilation[axis] * (g.kernel_size[axis] - 1) + 1, g.size[axis] + sum(g.padding[axis])
        if kernel > image:
            raise ShapeError(
                f"shape {text!r}: the kernel spans {kernel} {name} and the padded image has {image}, so that no "
                f"window fits; write a larger image or padding"
            )
