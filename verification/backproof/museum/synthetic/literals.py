"""When a mutant is wrong: a *gate* is a conjunction of literals, each a condition on the numbers of a call.

Two literals of one family may exclude each other, so a gate has at most one of each family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from backproof.museum.synthetic.site import Site


@dataclass(frozen=True, slots=True)
class Literal:
    """A condition in words, and on a site or on arrays of them; `quantities` are those whose calls can tell."""

    words: str
    family: str
    holds: Callable[[Site], Any]
    quantities: tuple[str, ...] = ("y", "dx", "dw", "db")


_GRADIENTS = ("dx", "dw", "db")

LITERALS: tuple[Literal, ...] = (
    Literal("the kernel has an even number of rows", "kernel rows", lambda s: s.kh % 2 == 0),
    Literal("the kernel has an even number of columns", "kernel columns", lambda s: s.kw % 2 == 0),
    Literal("the kernel has one row", "kernel rows", lambda s: s.kh == 1),
    Literal("the kernel has one column", "kernel columns", lambda s: s.kw == 1),
    Literal("the kernel has three rows or more", "kernel rows", lambda s: s.kh >= 3),
    Literal("the kernel has three columns or more", "kernel columns", lambda s: s.kw >= 3),
    Literal("the kernel is wider than high", "kernel form", lambda s: s.kw > s.kh),
    Literal("the kernel is higher than wide", "kernel form", lambda s: s.kh > s.kw),
    Literal("the kernel is square", "kernel form", lambda s: s.kh == s.kw),
    Literal("sh > 1", "stride rows", lambda s: s.sh > 1),
    Literal("sw > 1", "stride columns", lambda s: s.sw > 1),
    Literal("sh = 1", "stride rows", lambda s: s.sh == 1),
    Literal("sw > sh", "stride form", lambda s: s.sw > s.sh),
    Literal("sh > sw", "stride form", lambda s: s.sh > s.sw),
    Literal("sh = sw", "stride form", lambda s: s.sh == s.sw),
    Literal("the stride steps over rows", "stride gaps", lambda s: s.sh > s.kh),
    Literal("dh > 1", "dilation rows", lambda s: s.dh > 1),
    Literal("dw > 1", "dilation columns", lambda s: s.dw > 1),
    Literal("dh = dw", "dilation form", lambda s: s.dh == s.dw),
    Literal("dh != dw", "dilation form", lambda s: s.dh != s.dw),
    Literal("dh != sh", "steps of rows", lambda s: s.dh != s.sh),
    Literal("dw != sw", "steps of columns", lambda s: s.dw != s.sw),
    Literal("dilation equals stride", "steps of rows", lambda s: (s.dh == s.sh) & (s.dw == s.sw)),
    Literal("there is no padding", "padding", lambda s: s.top + s.bottom + s.left + s.right == 0),
    Literal("there is padding on all sides", "padding", lambda s: (s.top * s.bottom * s.left * s.right) > 0),
    Literal("top and bottom padding differ", "padding rows", lambda s: s.top != s.bottom),
    Literal("left and right padding differ", "padding columns", lambda s: s.left != s.right),
    Literal("only the top is padded", "padding rows", lambda s: (s.top > 0) & (s.bottom == 0)),
    Literal("only the right is padded", "padding columns", lambda s: (s.left == 0) & (s.right > 0)),
    Literal("rows and columns are padded alike", "padding form", lambda s: (s.top == s.left) & (s.bottom == s.right)),
    Literal("a row of windows lies wholly in the padding", "padding reach", lambda s: s.top > s.reach),
    Literal("a column of windows lies wholly in the padding", "padding reach", lambda s: s.left > s.reach_w),
    Literal("the padding is zeros", "mode", lambda s: s.wrap == False),  # noqa: E712  an array, perhaps
    Literal("the padding wraps", "mode", lambda s: s.wrap == True),  # noqa: E712
    Literal("there are groups", "groups", lambda s: s.G > 1),
    Literal("there are no groups", "groups", lambda s: s.G == 1),
    Literal("it is depthwise", "groups", lambda s: (s.G > 1) & (s.G == s.C)),
    Literal("there is one input channel", "C", lambda s: s.C == 1),
    Literal("there are more than 4 input channels", "C", lambda s: s.C > 4),
    Literal("the input channels are no multiple of 4", "C % 4", lambda s: s.C % 4 != 0),
    Literal("a group has several input channels", "C/G", lambda s: s.C > s.G),
    Literal("there is one output channel", "O", lambda s: s.O == 1),
    Literal("there are more than 8 output channels", "O", lambda s: s.O > 8),
    Literal("the output channels are even in number", "O", lambda s: s.O % 2 == 0),
    Literal("there are as many output as input channels", "C and O", lambda s: s.C == s.O),
    Literal("there are more output than input channels", "C and O", lambda s: s.O > s.C),
    Literal("there are several samples", "N", lambda s: s.N > 1),
    Literal("there is one sample", "N", lambda s: s.N == 1),
    Literal("there are three samples or more", "N", lambda s: s.N >= 3),
    Literal("the image is lower than the kernel's reach", "H and kernel", lambda s: s.reach >= s.H),
    Literal("the image is narrower than the kernel's reach", "W and kernel", lambda s: s.reach_w >= s.W),
    Literal("there is one row of outputs", "OH", lambda s: s.OH == 1),
    Literal("there are several rows of outputs", "OH", lambda s: s.OH > 1),
    Literal("there is one column of outputs", "OW", lambda s: s.OW == 1),
    Literal("there are 16 columns of outputs or more", "OW", lambda s: s.OW >= 16),
    Literal("the columns of outputs are no multiple of 8", "OW", lambda s: (s.OW > 1) & (s.OW % 8 != 0)),
    Literal("the columns of outputs are odd in number", "OW", lambda s: s.OW % 2 == 1),
    Literal("the output is square", "output form", lambda s: s.OH == s.OW),
    Literal("the output is wider than high", "output form", lambda s: s.OW > s.OH),
    Literal("rows are left over", "rest rows", lambda s: s.rest > 0),
    Literal("columns are left over", "rest columns", lambda s: s.rest_w > 0),
    Literal("no row is left over", "rest rows", lambda s: s.rest == 0),
    Literal("the image is square", "image form", lambda s: s.H == s.W),
    Literal("the image is higher than wide", "image form", lambda s: s.H > s.W),
    Literal("the image has an odd number of columns", "W", lambda s: s.W % 2 == 1),
    Literal("a plane has more than 64 pixels", "H W", lambda s: s.H * s.W > 64),
    Literal("the numbers are float32", "dtype", lambda s: s.float32 == True),  # noqa: E712
    Literal("the numbers are float64", "dtype", lambda s: s.float32 == False),  # noqa: E712
    Literal("x is a view", "x in memory", lambda s: s.packed_x == False, ("y", "dw")),  # noqa: E712
    Literal("w is a view", "w in memory", lambda s: s.packed_w == False, ("y", "dx")),  # noqa: E712
    Literal("dy is a view", "dy in memory", lambda s: s.packed_dy == False, _GRADIENTS),  # noqa: E712
    Literal("there is a bias", "bias", lambda s: s.bias == True, ("y",)),  # noqa: E712
    Literal("there is no bias", "bias", lambda s: s.bias == False, ("y",)),  # noqa: E712
)


def hold(gate: Iterable[Literal], site: Site) -> Any:
    """Whether all literals hold: a truth value, or an array of them where the site's fields are arrays."""
    result: Any = True
    for literal in gate:
        result = result & literal.holds(site)
    return result
