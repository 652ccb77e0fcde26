"""The reference's steps over one index map, each of which a primitive spoils.

index      rows (kh, OH) and columns (kw, OW) of the image that taps and outputs meet, beyond its border too
border     the same within the image, H or W where a pixel is 0; spoiled, it is made of index anew
image      x for y and dw, the result for dx           (N, C, H, W)
patches    what windows see                            (N, C, kh, kw, OH, OW)
taps       w in the order of the image for y and dx, the result for dw     (O, C/G, kh, kw)
output     the result for y, dy for the gradients      (N, O, OH, OW)
bias       b for y, the result for db                  (O,)
x, w, dy   an operand as it lies in memory;  numbers: each of them
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from backproof.museum.reference import Array, Options, correlate, meet, spread, taps
from backproof.museum.synthetic.site import Site

Spoil: TypeAlias = Callable[[Any, Site], Any]
Index: TypeAlias = tuple[Array, Array]


@dataclass(frozen=True, slots=True)
class Operands:
    """The arrays of a call, and its options; `dy` is None in a forward call."""

    x: Array
    w: Array
    b: Array | None
    dy: Array | None
    o: Options

    @property
    def site(self) -> Site:
        """The call's numbers."""
        return Site.of(self.x, self.w, self.b, self.dy, self.o)


class UnchangedError(Exception):
    """The step gave what it would have given unspoiled, so the result is right."""


def compute(quantity: str, given: Operands, site: Site, step: str = "", spoil: Spoil | None = None) -> Array:
    """`y`, `dx`, `dw` or `db` with one step spoiled; right where there is none.

    Raises:
        UnchangedError: The spoiled step changed nothing.
    """

    def do(name: str, value: Any) -> Any:
        if spoil is None or name != step:
            return value
        spoilt = spoil(value, site)
        if spoilt is value or _alike(spoilt, value):
            raise UnchangedError
        return spoilt

    x, w, dy = do("numbers", tuple(do(role, getattr(given, role)) for role in ("x", "w", "dy")))
    if quantity == "db":
        return np.asarray(do("bias", do("output", dy).sum((0, 2, 3))))
    raw, index = _indices(site)
    if step == "index" and spoil is not None:
        index = bordered(do("index", raw), site)
    if step == "border" and spoil is not None and _alike(index, index := spoil(raw, site)):
        raise UnchangedError
    if quantity == "y":
        y = correlate(do("patches", gather(do("image", x), index)), do("taps", taps(w, given.o)), site.G)
        return np.asarray(do("output", y if given.b is None else y + do("bias", given.b[:, None, None])))
    if quantity == "dw":
        return taps(do("taps", meet(do("patches", gather(do("image", x), index)), do("output", dy), site.G)), given.o)
    patches = do("patches", spread(do("output", dy), do("taps", taps(w, given.o)), site.G))
    overwritten = step == "scatter" and spoil is not None
    return np.asarray(do("image", scatter(patches, index, site, overwritten)))


def spoilt(step: str, spoil: Spoil, quantity: str, given: Operands, site: Site, right: Array) -> Array:
    """What a spoiled step makes of a quantity of which `right` is the right result."""
    try:
        with np.errstate(all="ignore"):
            return compute(quantity, given, site, step, spoil)
    except UnchangedError:
        return right


def differs(step: str, spoil: Spoil, quantity: str, given: Operands, site: Site, right: Array) -> bool:
    """Whether a spoiled step shows in a quantity of which `right` is the right result."""
    wrong = spoilt(step, spoil, quantity, given, site, right)
    return wrong is not right and not np.array_equal(wrong, right)


@lru_cache(maxsize=256)
def _indices(site: Site) -> tuple[Index, Index]:
    raw = grid(site)
    return raw, bordered(raw, site)


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, tuple):
        return all(np.array_equal(left, right) for left, right in zip(a, b, strict=True))
    return a.dtype == b.dtype and np.array_equal(a, b)


def grid(site: Site, **changed: Any) -> Index:
    """`rows[u, i] = i*sh + u*dh - top` and the columns likewise, with some numbers of the site changed."""
    s = replace(site, **changed) if changed else site
    rows = np.add.outer(np.arange(s.kh) * s.dh, np.arange(s.OH) * s.sh - s.top)
    columns = np.add.outer(np.arange(s.kw) * s.dw, np.arange(s.OW) * s.sw - s.left)
    return rows, columns


def bordered(index: Index, site: Site) -> Index:
    """An index within the image: modulo its size where padding wraps, else the size itself, where a zero is."""
    rows, columns = index
    if site.wrap:
        return rows % site.H, columns % site.W
    return beyond(rows, site.H), beyond(columns, site.W)


def beyond(index: Array, size: int) -> Array:
    """What lies outside becomes `size`."""
    return np.where((index >= 0) & (index < size), index, size)


def gather(image: Array, index: Index) -> Array:
    """Patches of an image to which a row and a column of zeros are added."""
    framed = np.zeros((*image.shape[:2], image.shape[2] + 1, image.shape[3] + 1), image.dtype)
    framed[:, :, :-1, :-1] = image
    rows, columns = index
    return framed[:, :, rows[:, None, :, None], columns[None, :, None, :]]


def scatter(patches: Array, index: Index, site: Site, overwritten: bool = False) -> Array:
    """The transpose of `gather`; or, `overwritten`, with the last of several patches in place of their sum."""
    framed = np.zeros((*patches.shape[:2], site.H + 1, site.W + 1), patches.dtype)
    rows, columns = index
    where: Any = (slice(None), slice(None), rows[:, None, :, None], columns[None, :, None, :])
    if overwritten:
        framed[where] = patches
    else:
        np.add.at(framed, where, patches)
    return framed[:, :, :-1, :-1]
