"""The numbers of a call: what gates ask about, and what index mistakes confuse.

Each field is one number, or an array of the numbers of many calls, so that a gate can be asked about thousands at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from backproof.museum.reference import Array, Options, outputs_of


@dataclass(frozen=True, slots=True)
class Site:
    """`x (N, C, H, W)`, `w (O, C/G, kh, kw)`, `dy (N, O, OH, OW)` and the options, by the letters of the contract.

    `wrap`: circular padding.  `packed_x`, `packed_w`, `packed_dy`: whether memory is in C order without gaps; True
    where there is no such array.
    """

    N: Any
    C: Any
    O: Any  # noqa: E741
    G: Any
    H: Any
    W: Any
    kh: Any
    kw: Any
    OH: Any
    OW: Any
    sh: Any
    sw: Any
    dh: Any
    dw: Any
    top: Any
    bottom: Any
    left: Any
    right: Any
    wrap: Any
    float32: Any
    bias: Any
    packed_x: Any
    packed_w: Any
    packed_dy: Any

    @classmethod
    def of(cls, x: Array, w: Array, b: Array | None, dy: Array | None, o: Options) -> Self:
        """The site of a call with these operands.

        Raises:
            ValueError: No window fits.
        """
        rows, columns = outputs_of(x.shape[2:], w.shape[2:], o)
        (top, bottom), (left, right) = o.padding
        batch, channels, height, width = x.shape
        return cls(
            N=batch,
            C=channels,
            O=w.shape[0],
            G=o.groups,
            H=height,
            W=width,
            kh=w.shape[2],
            kw=w.shape[3],
            OH=rows,
            OW=columns,
            sh=o.stride[0],
            sw=o.stride[1],
            dh=o.dilation[0],
            dw=o.dilation[1],
            top=top,
            bottom=bottom,
            left=left,
            right=right,
            wrap=o.padding_mode == "circular",
            float32=x.dtype == np.float32,
            bias=b is not None,
            packed_x=bool(x.flags.c_contiguous),
            packed_w=bool(w.flags.c_contiguous),
            packed_dy=dy is None or bool(dy.flags.c_contiguous),
        )

    @classmethod
    def many(cls, sites: Sequence[Self]) -> Self:
        """One site whose fields are the arrays of those of many."""
        return cls(*(np.array([getattr(site, field.name) for site in sites]) for field in fields(cls)))

    @property
    def reach(self) -> Any:
        """Rows between the first tap and the last."""
        return self.dh * (self.kh - 1)

    @property
    def reach_w(self) -> Any:
        """Columns between the first tap and the last."""
        return self.dw * (self.kw - 1)

    @property
    def rest(self) -> Any:
        """Rows at the bottom that no window reaches, because the stride steps over them."""
        return (self.H + self.top + self.bottom - self.reach - 1) % self.sh

    @property
    def rest_w(self) -> Any:
        """Columns at the right that no window reaches, because the stride steps over them."""
        return (self.W + self.left + self.right - self.reach_w - 1) % self.sw
