"""What a mutant does wrong: one row per mistake, with the step that it spoils (see `steps`).

A spoiled step gets its value and the site, and gives another value.  Mistakes in the index map are changes of the
site's numbers, from which the map is made again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from backproof.contract import output_size
from backproof.museum.synthetic import borders
from backproof.museum.synthetic.site import Site
from backproof.museum.synthetic.spoils import (
    as_if_channels_last,
    as_packed,
    as_packed_last,
    channels_exchanged,
    doubled,
    each,
    exchanged,
    flat_tail,
    in_groups,
    limit,
    narrowed,
    of_first_group,
    regrouped,
    rolled,
    scaled,
    single,
    tail,
    transposed,
    zeroed,
)
from backproof.museum.synthetic.steps import Index, Spoil, grid


@dataclass(frozen=True, slots=True)
class Primitive:
    """One mistake in words, the step that has it, what it does there, and the quantities that it can spoil."""

    words: str
    step: str
    spoil: Spoil
    quantities: tuple[str, ...]


_OF_STEP: dict[str, tuple[str, ...]] = {
    "index": ("y", "dx", "dw"),
    "border": ("y", "dx", "dw"),
    "image": ("y", "dx", "dw"),
    "patches": ("y", "dx", "dw"),
    "scatter": ("dx",),
    "taps": ("y", "dx", "dw"),
    "output": ("y", "dx", "dw", "db"),
    "bias": ("y", "db"),
    "x": ("y", "dw"),
    "w": ("y", "dx"),
    "dy": ("dx", "dw", "db"),
    "numbers": ("y", "dx", "dw"),
}


def _index(words: str, changes: Callable[[Site], dict[str, Any]]) -> Primitive:
    def spoil(index: Index, site: Site) -> Index:
        changed = changes(site)
        return grid(site, **changed) if changed else index

    return Primitive(words, "index", spoil, _OF_STEP["index"])


def _at(step: str, words: str, spoil: Spoil, quantities: tuple[str, ...] | None = None) -> Primitive:
    return Primitive(words, step, spoil, quantities or _OF_STEP[step])


def stays(s: Site, **changed: Any) -> bool:
    """Whether the output has its size with other strides and dilations."""
    n = {key: changed.get(key, getattr(s, key)) for key in ("sh", "sw", "dh", "dw", "kh", "kw")}
    rows = output_size(s.H, n["kh"], n["sh"], s.top, s.bottom, n["dh"])
    columns = output_size(s.W, n["kw"], n["sw"], s.left, s.right, n["dw"])
    return (rows, columns) == (s.OH, s.OW)


def legal(changes: Callable[[Site], dict[str, Any]]) -> Callable[[Site], dict[str, Any]]:
    """The changes, where the output keeps its size with them."""
    return lambda s: changed if stays(s, **(changed := changes(s))) else {}


# ---- the table

PRIMITIVES: tuple[Primitive, ...] = (
    _index("rows are off by one", lambda s: {"top": s.top + 1}),
    _index("columns are off by one", lambda s: {"left": s.left - 1}),
    _index("the rows' stride is taken for their dilation", lambda s: {"dh": s.sh}),
    _index("the columns' stride is taken for their dilation", lambda s: {"dw": s.sw}),
    _index("the rows' dilation is taken for their stride", lambda s: {"sh": s.dh}),
    _index("the columns' dilation is taken for their stride", lambda s: {"sw": s.dw}),
    _index("the strides of the axes are exchanged", lambda s: {"sh": s.sw, "sw": s.sh}),
    _index("the dilations of the axes are exchanged", lambda s: {"dh": s.dw, "dw": s.dh}),
    _index(
        "the strides of the axes are exchanged if the output keeps its size",
        legal(lambda s: {"sh": s.sw, "sw": s.sh}),
    ),
    _index(
        "the dilations of the axes are exchanged if the output keeps its size",
        legal(lambda s: {"dh": s.dw, "dw": s.dh}),
    ),
    _index(
        "stride and dilation are exchanged if the output keeps its size",
        legal(lambda s: {"dh": s.sh, "dw": s.sw, "sh": s.dh, "sw": s.dw}),
    ),
    _index(
        "the rows' stride is taken for that of the columns if the output keeps its size", legal(lambda s: {"sw": s.sh})
    ),
    _index(
        "the columns' stride is taken for that of the rows if the output keeps its size", legal(lambda s: {"sh": s.sw})
    ),
    _index(
        "the rows' dilation is taken for that of the columns if the output keeps its size",
        legal(lambda s: {"dw": s.dh}),
    ),
    _index("the rows' stride is taken for that of the columns", lambda s: {"sw": s.sh}),
    _index("the columns' dilation is taken for that of the rows", lambda s: {"dh": s.dw}),
    _index("the stride of rows is ignored", lambda s: {"sh": 1}),
    _index("the dilation of columns is ignored", lambda s: {"dw": 1}),
    _index("the left padding is taken for the top", lambda s: {"top": s.left}),
    _index("the top padding is taken for the left", lambda s: {"left": s.top}),
    _index("the bottom padding is taken for the top", lambda s: {"top": s.bottom}),
    _index("the right padding is taken for the left", lambda s: {"left": s.right}),
    _index("the paddings of opposite sides are exchanged", lambda s: {"top": s.bottom, "left": s.right}),
    _index("the top padding is ignored", lambda s: {"top": 0}),
    _index("the left padding is at most the kernel's reach", lambda s: {"left": min(s.left, s.reach_w)}),
    _index("the top padding is at most kh - 1", lambda s: {"top": min(s.top, s.kh - 1)}),
    _index("the left padding is at most the image's width", lambda s: {"left": min(s.left, s.W)}),
    _index("the padding is split evenly over both sides", lambda s: {"top": (s.top + s.bottom) // 2}),
    _index("rows that are left over are left at the top", lambda s: {"top": s.top - s.rest}),
    _index("columns that are left over are left at the left", lambda s: {"left": s.left - s.rest_w}),
    _index("the stride is at most the kernel", lambda s: {"sh": min(s.sh, s.kh), "sw": min(s.sw, s.kw)}),
    _at("border", "zeros instead of wrapped pixels", borders.wraps_to_zero),
    _at("border", "the edge's pixels instead of what lies beyond", borders.clamped),
    _at("border", "mirrored instead of wrapped pixels", borders.reflected),
    _at("border", "pixels farther away than one image do not wrap", borders.wrapped_once),
    _at("border", "pixels before the image do not wrap", borders.truncated),
    _at("border", "columns do not wrap", borders.rows_only),
    _at("border", "pixels wrap where padding is zeros", borders.wraps_always),
    _at("border", "the image's last column counts as outside", borders.last_missing),
    _at("image", "rows and columns of a square image are exchanged", transposed),
    _at("image", "the channels are off by one", rolled(1, 1)),
    _at("image", "the channels of each group are off by one", in_groups(1, 1, "C")),
    _at("image", "the samples are off by one", rolled(1, 0)),
    _at("image", "the last sample is missing", zeroed(-1)),
    _at("image", "all samples but the first are missing", zeroed(slice(1, None))),
    _at("image", "the last channel is missing", zeroed(slice(None), -1)),
    _at("image", "the channels left after blocks of 4 are missing", tail(1, 4)),
    _at("image", "the channels left after blocks of 2 are missing", tail(1, 2)),
    _at("image", "the columns left after blocks of 8 are missing", tail(3, 8)),
    _at("image", "the columns left after blocks of 2 are missing", tail(3, 2)),
    _at("image", "the pixels of a plane left after blocks of 8 are missing", flat_tail(8)),
    _at("image", "the last row is missing", zeroed(..., -1, slice(None))),
    _at("image", "the last column is missing", zeroed(..., -1)),
    _at("image", "the columns beyond 16 are missing", limit(3, 16)),
    _at("image", "the channels beyond 8 are missing", limit(1, 8)),
    _at("image", "the channels of groups are interleaved", regrouped(1)),
    _at("image", "every group takes the first one's channels", of_first_group(1)),
    _at("image", "the first plane and the last are exchanged", exchanged),
    _at("image", "channels last are read as channels first", as_if_channels_last),
    _at("image", "the last pixel of all is missing", zeroed(-1, -1, -1, -1)),
    _at("taps", "the taps are in reverse order", lambda a, s: a[:, :, ::-1, ::-1]),
    _at("taps", "the rows of taps are in reverse order", lambda a, s: a[:, :, ::-1]),
    _at("taps", "the columns of taps are in reverse order", lambda a, s: a[..., ::-1]),
    _at("taps", "rows and columns of square kernels are exchanged", transposed),
    _at("taps", "the first tap is missing", zeroed(..., 0, 0)),
    _at("taps", "the last tap is missing", zeroed(..., -1, -1)),
    _at("taps", "the top right tap is missing", zeroed(..., 0, -1)),
    _at("taps", "the last row of taps is missing", zeroed(..., -1, slice(None))),
    _at("taps", "the last column of taps is missing", zeroed(..., -1)),
    _at("taps", "the first row of taps is missing", zeroed(..., 0, slice(None))),
    _at("taps", "the middle tap is missing", zeroed(lambda shape, s: (..., shape[2] // 2, shape[3] // 2))),
    _at("taps", "the taps left after blocks of 4 are missing", flat_tail(4)),
    _at("taps", "the first tap counts twice", doubled(..., 0, 0)),
    _at("taps", "the last tap counts twice", doubled(..., -1, -1)),
    _at("taps", "the columns of taps are off by one", rolled(1, 3)),
    _at("taps", "every group has the first one's weights", of_first_group(0)),
    _at("taps", "the output channels of groups are interleaved", regrouped(0)),
    _at("taps", "the output channels of each group are off by one", in_groups(1, 0, "O")),
    _at("taps", "input and output channels are exchanged if there are as many", channels_exchanged),
    _at("taps", "the input channels are in reverse order", lambda a, s: a[:, ::-1]),
    _at("taps", "the last input channel of each group is missing", zeroed(slice(None), -1)),
    _at("taps", "the input channels left after blocks of 4 are missing", tail(1, 4)),
    _at("taps", "the output channels left after blocks of 4 are missing", tail(0, 4)),
    _at("taps", "the last output channel is missing", zeroed(-1)),
    _at("taps", "taps are laid out with channels last and read as channels first", as_if_channels_last),
    _at("taps", "the sum is divided by the number of taps", scaled(lambda s: 1 / (s.kh * s.kw))),
    _at("output", "the last row is missing", zeroed(..., -1, slice(None))),
    _at("output", "the last column is missing", zeroed(..., -1)),
    _at("output", "the first row is missing", zeroed(..., 0, slice(None))),
    _at("output", "the output's columns left after blocks of 8 are missing", tail(3, 8)),
    _at("output", "the output's columns beyond 16 are missing", limit(3, 16)),
    _at("output", "the output's pixels left after blocks of 4 are missing", flat_tail(4)),
    _at("output", "the output's columns left after blocks of 2 are missing", tail(3, 2)),
    _at("output", "the output's rows left after blocks of 2 are missing", tail(2, 2)),
    _at("output", "the last sample of the output is missing", zeroed(-1)),
    _at("output", "all samples of the output but the first are missing", zeroed(slice(1, None))),
    _at("output", "the last channel of the output is missing", zeroed(slice(None), -1)),
    _at("output", "the output channels left after blocks of 4 are missing", tail(1, 4)),
    _at("output", "the output channels beyond 8 are missing", limit(1, 8)),
    _at("output", "rows and columns of a square output are exchanged", transposed, ("y", "dx", "dw")),
    _at("output", "the output channels are off by one", rolled(1, 1)),
    _at("output", "the samples of the output are off by one", rolled(-1, 0), ("y", "dx", "dw")),
    _at("output", "the sign is wrong", scaled(lambda s: -1)),
    _at("output", "a factor of 2", scaled(lambda s: 2)),
    _at("output", "divided by the number of samples", scaled(lambda s: 1 / s.N)),
    _at("output", "divided by the number of output pixels", scaled(lambda s: 1 / (s.OH * s.OW))),
    _at("output", "the last output of all is missing", zeroed(-1, -1, -1, -1)),
    _at("output", "the first output of all counts twice", doubled(0, 0, 0, 0)),
    _at("output", "two planes of the output are exchanged", exchanged),
    _at("output", "float64 results pass through float32", lambda a, s: single(a), ("y",)),
    _at("patches", "the last column of outputs lacks the last tap of rows", zeroed(..., -1, slice(None), -1)),
    _at("patches", "the first row of outputs lacks the first tap", zeroed(..., 0, 0, 0, slice(None))),
    _at("patches", "the last row of outputs lacks the first row of taps", zeroed(..., 0, slice(None), -1, slice(None))),
    _at("patches", "the last window is missing", zeroed(..., -1, -1)),
    _at("patches", "the last window of the last channel is missing", zeroed(slice(None), -1, ..., -1, -1)),
    _at("patches", "the corner tap of the first window counts twice", doubled(..., 0, 0, 0, 0)),
    _at("scatter", "where windows overlap, the last one is kept instead of the sum", lambda a, s: a),
    _at("bias", "the bias is missing", scaled(lambda s: 0), ("y",)),
    _at("bias", "the bias counts twice", scaled(lambda s: 2)),
    _at("bias", "the bias is another channel's", rolled(1, 0)),
    _at("bias", "the bias is added for each input channel", scaled(lambda s: s.C / s.G), ("y",)),
    _at("bias", "the bias is added for each tap", scaled(lambda s: s.kh * s.kw), ("y",)),
    _at("bias", "the bias of the first four channels is used for all", lambda a, s: a[np.arange(len(a)) % 4]),
    _at("bias", "every group takes the first one's bias", of_first_group(0)),
    _at("bias", "only the first channel's bias is used", zeroed(slice(1, None))),
    _at("bias", "the last channel's bias is missing", zeroed(-1)),
    _at("x", "the memory of x is read in disregard of its strides", as_packed),
    _at("x", "the memory of x is taken for channels last", as_packed_last),
    _at("w", "the memory of w is read in disregard of its strides", as_packed),
    _at("w", "the memory of w is taken for channels last", as_packed_last),
    _at("dy", "the memory of dy is read in disregard of its strides", as_packed),
    _at("numbers", "float64 operands pass through float32", each(single)),
    _at("numbers", "operands keep 10 bits of their mantissas", each(narrowed(10))),
    _at("numbers", "operands keep 7 bits of their mantissas", each(narrowed(7))),
)  # fmt: skip
