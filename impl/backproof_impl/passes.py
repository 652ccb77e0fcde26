"""How the tiles of a strided input gradient go through its kinds of pixels: in passes, each over the taps of one kind.

With 3 x 3 taps and a stride of 2, for example, the pixels of `dx` are of four kinds, the phases of `windows`::

    a b a b a b     a: 4 taps, b and c: 2 taps, d: 1 tap.  Kinds of rows that follow each other read almost the same
    c d c d c d     rows of dy.  Where channels are few, two of them share a tile, here (a, c) and (b, d): the taps
    a b a b a b     that both have are one pass, those that only one of them has another, of half a tile.

No pass has a tap that some of its pixels lack: there is nothing to multiply by zero.  With an odd stride, every second
row of a kind is a kind of its own if two are to share a tile.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .kernels.choice import COPYING, HALF, SMALL, SMALL_TILES, TILES
from .windows import Windows, every, joint

#: The windows of each kind of rows, or of columns; None for a kind that no tap reads.
Kinds = list[Windows | None]


@dataclass(frozen=True, slots=True)
class Form:
    """A tile of `rows x vectors`, its rows for one kind of rows of `dx` or, in `halves`, for two."""

    rows: int
    vectors: int
    halves: bool

    @property
    def kinds(self) -> int:
        """How many kinds of rows share a tile."""
        return 2 if self.halves else 1

    @property
    def channels(self) -> int:
        """How many channels of `dx` a tile has, of each kind of rows."""
        return self.rows // self.kinds


@dataclass(frozen=True, slots=True)
class Pass:
    """Taps that all of a tile has or, if it is not `whole`, only the half that begins with row `row` of the sums.

    `rows` and `columns` are where they lie in the joint windows, `taps` which they are, for one kind of rows after the
    other.  A pass `begins` the sums of its rows, or adds to them.
    """

    row: int
    whole: bool
    begins: bool
    rows: list[int]
    columns: list[int]
    taps: list[int]

    @property
    def size(self) -> int:
        """Number of taps of each kind."""
        return len(self.rows) * len(self.columns)


class Passes:
    """The passes of a form: those of whole tiles, then those of halves.  `size` are the rows and columns of `dx`."""

    def __init__(self, form: Form, rows: Kinds, columns: Kinds, kernel_columns: int, size: tuple[int, int]) -> None:
        if form.halves and len(rows) % 2:
            rows = [None if kind is None else every(kind, 2)[i] for i in range(2) for kind in rows]
        self.form, self.kinds, self.size = form, (len(rows), len(columns)), size
        self.rows, self.columns = _joint(rows, size[0]), _joint(columns, size[1])
        found = self._of(_taps(self.rows, rows), _taps(self.columns, columns), kernel_columns)
        self.all = sorted(found, key=lambda some: not some.whole)

    @property
    def sums(self) -> int:
        """How many rows the sums of a block of channels have."""
        return self.kinds[0] // self.form.kinds * self.kinds[1] * self.form.rows

    def row(self, r: int, k: int) -> int:
        """The first row of the sums of a kind of rows and of columns."""
        tile, half = divmod(r, self.form.kinds)
        return (tile * self.kinds[1] + k) * self.form.rows + half * self.form.channels

    def time(self, registers: int, lanes: int, channels: int) -> float:
        """Multiply-adds of vectors for each channel that is summed, over the speeds of tiles."""
        form, speed = self.form, TILES["pixels", registers][self.form.rows, self.form.vectors]
        pixels = (self.rows.outputs - 1) * self.columns.extent + self.columns.outputs
        tiles = math.ceil(channels / form.channels) * math.ceil(pixels / (form.vectors * lanes))
        taps = sum(some.size * (1 if some.whole else 0.5 / HALF) for some in self.all)
        return tiles * form.rows * form.vectors * taps / speed + COPYING * pixels * self.rows.stride / lanes

    def _of(self, rows: list[dict[int, int]], columns: list[dict[int, int]], kernel_columns: int) -> Iterator[Pass]:
        together = self.form.kinds
        for r, k in itertools.product(range(0, len(rows), together), range(len(columns))):
            kinds, across = rows[r : r + together], columns[k]
            shared = [u for u in kinds[0] if all(u in kind for kind in kinds)]
            parts = [(self.row(r, k), kinds, shared, True)]
            if self.form.halves:
                parts += [
                    (self.row(r + i, k), [kind], [u for u in kind if u not in shared], not shared)
                    for i, kind in enumerate(kinds)
                ]
            for row, some, offsets, begins in parts:
                if offsets and across:
                    taps = [kind[u] * kernel_columns + v for kind in some for u in offsets for v in across.values()]
                    yield Pass(row, len(some) == together, begins, offsets, list(across), taps)


def best_passes(
    registers: int, lanes: int, channels: int, work: float, rows: Kinds, columns: Kinds, kernel_columns: int,
    size: tuple[int, int],
) -> Passes:  # fmt: skip
    """Those that take the least time; of small sums (see `choice.SMALL`) those of the one tile that is compiled."""
    tiles = TILES["pixels", registers] if work >= SMALL else [SMALL_TILES[registers]]
    forms = [Form(*tile, halves) for tile in tiles for halves in (False, True) if work >= SMALL or not halves]
    made = [
        Passes(form, rows, columns, kernel_columns, size) for form in forms if not form.halves or form.rows % 2 == 0
    ]
    return min(made, key=lambda passes: passes.time(registers, lanes, channels))


def _joint(kinds: Kinds, pixels: int) -> Windows:
    """The windows that have the taps of all kinds, as many as the kind with the most pixels."""
    return replace(joint([kind for kind in kinds if kind is not None]), outputs=-(-pixels // len(kinds)))


def _taps(windows: Windows, kinds: Kinds) -> list[dict[int, int]]:
    """The taps of each kind by where they lie in the joint windows."""
    return [
        {windows.before - kind.before + offset: tap for offset, tap in zip(kind.offsets, kind.taps, strict=True)}
        if kind is not None
        else {}
        for kind in kinds
    ]
