"""Ways to get the border wrong: where pixels beyond the image come from."""

from __future__ import annotations

import numpy as np

from backproof.museum.synthetic.site import Site
from backproof.museum.synthetic.steps import Index, beyond, bordered


def wraps_to_zero(index: Index, s: Site) -> Index:
    """Zeros where padding wraps."""
    return beyond(index[0], s.H), beyond(index[1], s.W)


def clamped(index: Index, s: Site) -> Index:
    """The image's edge, whatever the padding."""
    return np.clip(index[0], 0, s.H - 1), np.clip(index[1], 0, s.W - 1)


def reflected(index: Index, s: Site) -> Index:
    """A mirror where padding wraps."""
    if not s.wrap:
        return bordered(index, s)
    rows, columns = (np.abs(a) % (2 * n) for a, n in zip(index, (s.H, s.W), strict=True))
    return np.where(rows < s.H, rows, 2 * s.H - 1 - rows), np.where(columns < s.W, columns, 2 * s.W - 1 - columns)


def wrapped_once(index: Index, s: Site) -> Index:
    """Wraps by one image at most; what is farther away is 0."""
    if not s.wrap:
        return bordered(index, s)
    rows, columns = (
        beyond(np.where(a < 0, a + n, np.where(a >= n, a - n, a)), n) for a, n in zip(index, (s.H, s.W), strict=True)
    )
    return rows, columns


def truncated(index: Index, s: Site) -> Index:
    """A remainder with the sign of the dividend: wraps at the bottom and right only."""
    if not s.wrap:
        return bordered(index, s)
    rows, columns = (np.where(a < 0, n, a % n) for a, n in zip(index, (s.H, s.W), strict=True))
    return rows, columns


def rows_only(index: Index, s: Site) -> Index:
    """Wraps rows; columns beyond are 0."""
    return bordered(index, s)[0], beyond(index[1], s.W)


def wraps_always(index: Index, s: Site) -> Index:
    """Wraps where padding is zeros."""
    return index[0] % s.H, index[1] % s.W


def last_missing(index: Index, s: Site) -> Index:
    """The image's last column counts as outside."""
    rows, columns = bordered(index, s)
    return rows, np.where(columns == s.W - 1, s.W, columns)
