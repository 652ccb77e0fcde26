"""Which tile for which sums: the one whose multiply-adds, wasted lanes and rows included, take the least time.

A tile of `rows x vectors` registers takes `rows * vectors / speed` per term, where `speed` is the fraction of the
processor's peak that it was measured to reach.  Few rows are slow because every multiply-add then waits for a load;
many spill their addresses or accumulators.  Tiles were timed on layers other than those that `benchmarks/` reports.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from .processor import Processor

Lanes = Literal["channels", "pixels"]

#: Rows and vectors of a tile, and its speed, for processors with 32 and with 16 vector registers.
TILES: dict[tuple[Lanes, int], dict[tuple[int, int], float]] = {
    ("channels", 32): {(10, 2): 0.9, (8, 3): 0.9, (6, 4): 0.87, (8, 2): 0.85, (12, 1): 0.6},
    ("pixels", 32): {(8, 3): 0.92, (6, 4): 0.92, (4, 4): 0.83, (3, 6): 0.72, (2, 6): 0.54, (1, 8): 0.3, (1, 4): 0.28},
    ("channels", 16): {(6, 2): 0.85, (10, 1): 0.6},
    ("pixels", 16): {(6, 2): 0.85, (4, 3): 0.85, (2, 4): 0.54, (1, 8): 0.3, (1, 4): 0.28},
}
#: Tiles whose vectors hold one pixel of several images each (see `batch`): output channels and pixels, and the speed.
IMAGES: dict[int, dict[tuple[int, int], float]] = {
    32: {(8, 2): 0.95, (6, 2): 0.95, (4, 4): 0.96, (3, 4): 0.96, (2, 4): 0.87, (1, 14): 0.65, (1, 8): 0.62},
    16: {(6, 2): 0.95, (4, 3): 0.95, (3, 3): 0.95, (2, 4): 0.8, (1, 8): 0.64, (1, 4): 0.48},
}
#: The same in the weight gradient: output channels and taps.
TAPS_OF_IMAGES: dict[int, dict[tuple[int, int], float]] = {
    32: {(4, 5): 0.75, (3, 5): 0.75, (4, 3): 0.75, (1, 5): 0.4},
    16: {(3, 3): 0.75, (2, 5): 0.75, (1, 5): 0.4},
}
#: Channels again, where rows are taps, and each row reads another part of the image: the speed in the weight gradient.
TAPS: dict[int, dict[tuple[int, int], float]] = {
    32: {(6, 4): 0.87, (8, 3): 0.85, (10, 2): 0.82, (8, 2): 0.81, (12, 1): 0.6},
    16: TILES["channels", 16],
}

#: The speed of `dots`, whose multiply-adds each wait for a load, often of two cache lines.
DOTS = 0.4
#: What storing a vector of sums in the result takes, in multiply-adds of vectors; channels have to be transposed.
STORING: dict[Lanes, int] = {"channels": 8, "pixels": 3}
#: What copying a vector of an image takes, in multiply-adds of vectors.
COPYING = 20
#: The speed of half a tile (see `phases`), relative to that of the whole one.
HALF = 0.8
#: What packing a vector takes, in multiply-adds of vectors.
PACKING = 16
#: Multiply-adds of an image below which one tile with pixels in its lanes must do, and `dots` for the weight gradient:
#: compiling others takes longer than they save.
SMALL = 2**15
SMALL_TILES: dict[int, tuple[int, int]] = {32: (4, 4), 16: (4, 3)}
#: Multiply-adds of a batch below which kernels of one tap, and so dense layers, have a few tiles, for the same reason.
FEW = 2**22
FEW_TILES: dict[int, list[tuple[Lanes, int, int]]] = {
    32: [("channels", 8, 2), ("pixels", 4, 4)],
    16: [("channels", 6, 2), ("pixels", 4, 3)],
}
FEW_TAPS: dict[int, tuple[int, int]] = {32: (6, 4), 16: (6, 2)}


@dataclass(frozen=True, slots=True)
class Tile:
    """What lies in the lanes of its vectors, and its size in registers."""

    lanes: Lanes
    rows: int
    vectors: int


def choose(
    registers: int, width: int, channels: int, pixels: int, work: int, stretched: float | None = None,
    terms: float = math.inf, few: bool = False,
) -> Tile:  # fmt: skip
    """The tile for `channels` x `pixels` sums, by vectors of `width` lanes.

    `work` is the number of multiply-adds of all groups of an image.  `stretched` is the number of pixels where those
    between the rows of the image count too, as for the lanes of `pixels_in_lanes`; None where that form is not to
    be had: in the weight gradient, where `pixels` are taps.  Each sum has so many `terms`.  With `few`, there are but
    some tiles to choose from.
    """

    def time(tile: Tile) -> float:
        sums = pixels if tile.lanes == "channels" else stretched or 0
        storing = channels * sums / width * STORING[tile.lanes] / terms
        return cost(tile, registers, width, channels, sums, stretched is None) + storing

    if stretched is None:
        sizes = [FEW_TAPS[registers]] if few else [*TAPS[registers]]
        return min((Tile("channels", *size) for size in sizes), key=time)
    if work < SMALL:
        return Tile("pixels", *SMALL_TILES[registers])
    kinds: tuple[Lanes, ...] = ("channels", "pixels")
    tiles = FEW_TILES[registers] if few else [(kind, *size) for kind in kinds for size in TILES[kind, registers]]
    return min((Tile(*tile) for tile in tiles), key=time)


def dots_are_faster(
    tile: Tile, registers: int, width: int, outputs: int, taps: int, rows: int, columns: int, work: int
) -> bool:
    """Whether a weight gradient with so many taps, of all channels, is better made by `dots` than by this tile."""
    if work < SMALL:
        return True
    dots = outputs * taps * rows * math.ceil(columns / width) / DOTS
    return dots < cost(tile, registers, width, outputs, taps, True) * rows * columns


def exchange(processor: Processor, lanes: int, outputs: int, channels: int) -> bool:
    """Whether the weight gradient of kernels of one tap is made with `channels` in the lanes: if that saves a tenth."""

    def time(across: int, down: int) -> float:
        tile = choose(processor.registers, lanes, across, down, SMALL)
        return cost(tile, processor.registers, lanes, across, down, True) + PACKING * math.ceil(across / lanes)

    return time(channels, outputs) < 0.9 * time(outputs, channels)


def cost(tile: Tile, registers: int, width: int, channels: int, pixels: float, taps: bool = False) -> float:
    """Multiply-adds of vectors for each term, lanes and rows without a use included, over the tile's speed."""
    across, down = (channels, pixels) if tile.lanes == "channels" else (pixels, channels)
    tiles = math.ceil(across / (tile.vectors * width)) * math.ceil(down / tile.rows)
    speeds = TAPS[registers] if taps else TILES[tile.lanes, registers]
    return tiles * tile.rows * tile.vectors / speeds[tile.rows, tile.vectors]
