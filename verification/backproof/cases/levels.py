"""Semantic levels: a case of convolution is one small integer per factor, 0 being the simplest.

The output size and the remainder (rows and columns that the stride leaves over) are factors; the image size is derived:

    H = (OH - 1)*sh + dh*(kh - 1) + 1 - top - bottom + remainder

The factor *twin* makes dimensions so alike that confusing two of them leaves every shape legal; only values tell then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backproof.contract import ORIENTATIONS, Geometry, Orientation, Pair

#: name -> levels, ordered from simple to complex
FACTORS: dict[str, tuple[Any, ...]] = {
    "kernel": ((1, 1), (2, 2), (3, 3), (1, 2), (2, 1), (2, 3), (3, 2), (1, 3), (3, 1), (4, 3), (5, 1), (2, 4), (3, 5)),
    "stride": ((1, 1), (2, 2), (1, 2), (2, 1), (3, 1), (1, 3), (2, 3), (4, 4)),
    "dilation": ((1, 1), (2, 2), (1, 2), (2, 1), (3, 2)),
    "padding": (
        "none", "one", "half", "top-left", "bottom-right", "uneven", "early", "full", "beyond",
        "rows", "columns", "top-right", "late-columns", "wide",
    ),
    "padding_mode": ("zeros", "circular"),
    "output": (
        (1, 1), (2, 2), (1, 2), (2, 1), (3, 3), (2, 3), (4, 2), (5, 5), (3, 7), (1, 5), (2, 17), (9, 1), (3, 16),
        (3, 1), (1, 17), (11, 9), (18, 16),
    ),
    "remainder": ((0, 0), (1, 1), (1, 0), (0, 1), (3, 2)),
    "twin": ("none", "square", "square image", "strides", "dilations", "steps", "equal steps"),
    "channels": (  # (C/groups, O/groups, groups)
        (1, 1, 1), (2, 1, 1), (1, 2, 1), (2, 2, 1), (2, 3, 1), (3, 2, 1), (1, 1, 2), (2, 1, 2), (1, 2, 2),
        (2, 3, 2), (3, 2, 3), (5, 2, 1), (4, 4, 1), (2, 5, 1), (6, 3, 1), (9, 1, 1), (1, 9, 1), (17, 2, 1),
        (5, 1, 2), (1, 1, 5), (8, 8, 1), (3, 17, 1), (33, 1, 1), (1, 5, 2), (1, 1, 9), (7, 7, 1), (15, 1, 1),
        (1, 16, 1), (2, 31, 1), (1, 1, 3), (3, 3, 3), (2, 2, 4), (4, 4, 2), (9, 9, 1),
    ),
    "batch": (1, 2, 3, 5),
    "bias": (False, True),
    "dtype": ("float64", "float32"),
    "profile": ("distinct", "small", "wide", "wide-x", "wide-w", "wide-dy", "sparse", "scaled"),
    "x_layout": ("C", "nhwc", "F", "sliced", "reversed", "channel-slice", "read-only", "offset"),
    "w_layout": ("C", "F", "nhwc", "reversed", "sliced", "channel-slice", "read-only", "offset"),
    "dy_layout": ("C", "nhwc", "F", "broadcast", "sliced", "reversed", "channel-slice", "read-only"),
    "orientation": ORIENTATIONS,
}  # fmt: skip

Levels = Mapping[str, Any]

#: Bits that the data of an indirect algorithm leave free: its error may be this many times the last bit, over 4.
HEADROOM = 8


@dataclass(frozen=True, slots=True)
class Case:
    """One example: a geometry, how its arrays lie in memory, and from what its data are drawn.

    `headroom`: bits of the mantissa left free, so that an algorithm that rounds still rounds to the right integer.
    """

    geometry: Geometry
    dtype: str = "float64"
    profile: str = "small"
    layouts: tuple[tuple[str, str], ...] = ()
    seed: int = 0
    headroom: int = 0

    def layout(self, role: str) -> str:
        """The layout of `x`, `w`, `b` or `dy`; "C" unless given."""
        return dict(self.layouts).get(role, "C")

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for events."""
        return {
            "geometry": self.geometry.as_dict(),
            "dtype": self.dtype,
            "profile": self.profile,
            "layouts": dict(self.layouts),
            "seed": self.seed,
            **({"headroom": self.headroom} if self.headroom else {}),
        }


def padding_sides(name: str, extent: int, axis: int = 0) -> Pair:
    """`(before, after)` along one axis for a kernel that spans `extent = dilation*(kernel - 1) + 1` pixels."""
    reach, rows = extent - 1, axis == 0
    return {
        "none": (0, 0),
        "one": (1, 1),
        "half": (reach // 2, reach // 2),
        "top-left": (reach, 0),
        "bottom-right": (0, reach),
        "uneven": (1, reach + 2),
        "early": (reach + 2, 0),
        "full": (reach, reach),
        "beyond": (reach + 1, reach + 2),  # windows that lie wholly in the padding
        "rows": (1, 2) if rows else (0, 0),
        "columns": (0, 0) if rows else (2, 1),
        "top-right": (2, 0) if rows else (0, 1),
        "late-columns": (1, 0) if rows else (reach + 1, 3),
        "wide": (5, 4) if rows else (4, 5),  # often wider than the image
    }[name]


def derived_size(output: int, kernel: int, stride: int, dilation: int, sides: Pair, remainder: int) -> int:
    """The image size that gives this output size and leaves `remainder % stride` pixels over; at least 1."""
    size = (output - 1) * stride + dilation * (kernel - 1) + 1 - sum(sides) + remainder % stride
    return max(1, size)


def geometry(levels: Levels, orientation: Orientation) -> Geometry:
    """The geometry that levels stand for; always one in which at least one window fits."""
    levels = twin_levels(levels)
    kernel, stride, dilation = levels["kernel"], levels["stride"], levels["dilation"]
    named = levels["padding"]
    rows, columns = (
        padding_sides(named, dilation[a] * (kernel[a] - 1) + 1, a * (levels["twin"] != "square"))
        if isinstance(named, str)
        else named[a]
        for a in (0, 1)
    )
    padding = (rows, columns)
    height, width = (
        derived_size(levels["output"][a], kernel[a], stride[a], dilation[a], padding[a], levels["remainder"][a])
        for a in (0, 1)
    )
    if levels["twin"] == "square image":
        height = width = max(height, width)
    group_in, group_out, groups = levels["channels"]
    return Geometry(
        batch=levels["batch"],
        in_channels=group_in * groups,
        out_channels=group_out * groups,
        size=(height, width),
        kernel_size=kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        padding_mode=levels["padding_mode"],
        orientation=orientation,
        bias=levels["bias"],
    )


def twin_levels(levels: Levels) -> Levels:
    """Levels changed so that the confusion that their twin is named after leaves the output's size as it is.

    Exchanged strides (s, s + 1) fit an image made for s + 1 and at most s outputs; exchanged dilations (1, 2) need
    strides of at least the kernel, for what one axis has too much; stride and dilation can be exchanged where the
    output is as large as the kernel, and confused where they are equal.
    """
    (kh, kw), (sh, sw), (dh, dw) = levels["kernel"], levels["stride"], levels["dilation"]
    changes: dict[str, Any] = {}
    match levels["twin"]:
        case "square":
            same = ("kernel", "stride", "dilation", "output", "remainder")
            changes = {name: (levels[name][0], levels[name][0]) for name in same}
        case "strides":
            least, lower = max(2, min(4, *levels["output"])), sh <= sw
            oh, ow = (min(size, least) for size in levels["output"])
            changes = {"output": (oh, ow), "stride": (least, least + 1) if lower else (least + 1, least)}
            changes["remainder"] = (oh - 1, 0) if lower else (0, ow - 1)
        case "dilations":
            lower = dh <= dw
            changes = {"stride": (max(sh, kh), max(sw, kw)), "dilation": (1, 2) if lower else (2, 1)}
            changes["remainder"] = (kh - 1, 0) if lower else (0, kw - 1)
        case "steps":
            changes = {"output": (kh, kw), "remainder": (0, 0)}
        case "equal steps":
            changes = {"dilation": (sh, sw)}
    return {**levels, **changes}


@dataclass(frozen=True, slots=True)
class Space:
    """The levels that a target supports, by factor; the first level of a factor is its simplest."""

    factors: dict[str, tuple[Any, ...]]
    accepts: Callable[[Geometry], bool] = lambda geometry: True
    headroom: int = 0

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many levels each factor has."""
        return tuple(len(levels) for levels in self.factors.values())

    def case(self, row: Sequence[int], seed: int) -> Case:
        """The case that a row of level numbers stands for."""
        return self.case_of({name: self.factors[name][k] for name, k in zip(self.factors, row, strict=True)}, seed)

    def case_of(self, levels: Levels, seed: int) -> Case:
        """The case that levels, or other values of the factors, stand for."""
        layouts = {role: levels[f"{role}_layout"] for role in ("x", "w", "dy")}
        return Case(
            geometry=self._geometry(levels),
            dtype=levels["dtype"],
            profile=levels["profile"],
            layouts=tuple((role, layout) for role, layout in layouts.items() if layout != "C"),
            seed=seed,
            headroom=self.headroom,
        )

    def takes(self, name: str, value: Any) -> bool:
        """Whether a value is a level of its factor, or, of the geometry, another that the target accepts."""
        if value in self.factors[name]:
            return True
        if name in ("orientation", "dtype", "profile") or name.endswith("_layout"):
            return False
        neutral = {name: levels[0] for name, levels in self.factors.items()}
        return self.accepts(geometry({**neutral, name: value}, neutral["orientation"]))

    def _geometry(self, levels: Levels) -> Geometry:
        """Padding and twins follow from other levels, and may come out in a form that the target cannot take."""
        known = self.factors["padding"]
        paddings = (levels["padding"], "one" if "one" in known else known[0], known[0])
        changes = [{"padding": padding} for padding in paddings]
        changes += [{**change, "twin": self.factors["twin"][0]} for change in changes]
        tried = (geometry({**levels, **change}, levels["orientation"]) for change in changes)
        return next(g for g in tried if self.accepts(g))


def space(
    accepts: Callable[[Geometry], bool],
    *,
    orientations: Sequence[Orientation],
    dtypes: Sequence[str],
    layouts: Sequence[str],
    direct: bool = True,
    fixed: Mapping[str, Any] | None = None,
) -> Space:
    """The levels that remain for a target: those that it accepts while every other factor is neutral.

    An algorithm that is not `direct` rounds: its data are integers that leave `HEADROOM`.  A factor that is `fixed`
    has this one level; a fixed padding is `((top, bottom), (left, right))`.

    Raises:
        ValueError: A factor would have no level left.
    """
    factors = FACTORS | {name: (level,) for name, level in (fixed or {}).items()}
    neutral = {name: levels[0] for name, levels in factors.items()} | {"kernel": (3, 3), "output": (2, 2)}
    neutral |= fixed or {}
    neutral["orientation"] = orientations[0]
    if not accepts(geometry(neutral, orientations[0])):
        neutral["bias"] = not neutral["bias"]

    def accepted(name: str, level: Any) -> bool:
        if name == "dtype":
            return level in dtypes
        if name.endswith("_layout"):
            return level in layouts
        if name == "profile":
            return direct or level in ("distinct", "small", "sparse")
        levels = {**neutral, name: level}
        return level in orientations if name == "orientation" else accepts(geometry(levels, neutral["orientation"]))

    kept = {name: tuple(level for level in levels if accepted(name, level)) for name, levels in factors.items()}
    if empty := [name for name, levels in kept.items() if not levels]:
        raise ValueError(f"the target accepts no {' and no '.join(empty)} of {[factors[name] for name in empty]}")
    return Space(kept, accepts, headroom=0 if direct else HEADROOM)
