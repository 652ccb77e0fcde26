"""The plots: the fraction of the peak of every layer under the roof that memory leaves, and ratios as bars.

The same results give the same bytes with one version of matplotlib: ids are salted by a constant, no date is written,
and text stays text.  A checksum of the results is in the description of each plot.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .layers import CATEGORIES, DTYPES, QUANTITIES, WORDS
from .results import Results, text
from .rows import Row, rows
from .sides import BASELINES, OURS

MARKS = {"large": "o", "small": "s", "tiny": "^", "depthwise and grouped": "D"}
COLOURS = {OURS: "#0b6e4f", "torch": "#d1495b", "torch-channels-last": "#edae49", "jax": "#30638e", "scipy": "#888888"}


def checksum(results: Results) -> str:
    """What the descriptions of the plots and the page name."""
    return f"{zlib.crc32(text(results).encode()):08x}"


def plots(results: Results) -> dict[str, str]:
    """SVG by file name; none where nothing is measured."""
    made = {}
    for dtype in DTYPES:
        some = [row for row in rows(results) if row.data["dtype"] == dtype and row.times(OURS)]
        if some:
            bandwidth = results["bandwidth"]
            with _style():
                made[f"speed-{dtype}-ratios.svg"] = _svg(_ratios(some, dtype), results)
                made[f"speed-{dtype}-roofline.svg"] = _svg(_roofline(some, dtype, bandwidth), results)
    return made


@contextmanager
def _style() -> Iterator[None]:
    import matplotlib as mpl

    settings = {
        "svg.hashsalt": "backproof", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 8,
        "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 9, "path.simplify": False,
    }  # fmt: skip
    with mpl.rc_context(settings):
        yield


def _svg(figure: Any, results: Results) -> str:
    buffer = io.StringIO()
    description = f"results {checksum(results)}"
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Description": description})
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _ratios(some: list[Row], dtype: str) -> Any:
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(row.layer.name for row in some))
    sides = [side for side in BASELINES if side != "scipy" and any(row.ratio(side) for row in some)]
    figure = Figure(figsize=(11, 1.4 + 0.42 * len(names)))
    left, width = 0.17, 0.26
    bottom, top = 0.6 / figure.get_figheight(), 1 - 0.5 / figure.get_figheight()
    for position, quantity in enumerate(QUANTITIES):
        axes = figure.add_axes((left + position * (width + 0.015), bottom, width, top - bottom))
        for number, side in enumerate(sides):
            found = {row.layer.name: row.ratio(side) for row in some if row.data["quantity"] == quantity}
            for place, name in enumerate(names):
                ratio = found.get(name)
                if ratio is not None:
                    height = 0.8 / len(sides)
                    y = place - 0.4 + height * (number + 0.5)
                    axes.barh(y, ratio.median - 1, height, left=1, color=COLOURS[side])
                    axes.plot([ratio.low, ratio.high], [y, y], color="black", linewidth=0.6)
        axes.set_xscale("log")
        axes.set_xlim(1 / 16, 64)
        axes.set_xticks([2.0**i for i in range(-4, 6)], ["1/16", "", "1/4", "", "1", "", "4", "", "16", ""])
        axes.minorticks_off()
        axes.axvline(1, color="black", linewidth=0.8)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_yticks(range(len(names)), names if position == 0 else [""] * len(names))
        axes.set_title(WORDS[quantity])
    bars = [figure.axes[0].barh(-9, 0, color=COLOURS[side], label=side) for side in sides]
    figure.legend(handles=bars, loc="upper left", bbox_to_anchor=(left, 0.999), ncols=len(sides), frameon=False)
    figure.text(
        left,
        0.12 / figure.get_figheight(),
        f"{dtype}: time of the baseline over ours; right of 1, ours is faster; cut at 1/16 and 64",
    )
    return figure


def _roofline(some: list[Row], dtype: str, bandwidth: float | None) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.2))
    peak = max(max(row.data["peak"]) for row in some)
    itemsize = 4 if dtype == "float32" else 8
    for position, quantity in enumerate(QUANTITIES):
        axes = figure.add_axes((0.06 + position * 0.315, 0.2, 0.285, 0.66))
        for row in some:
            intensity = row.layer.multiply_adds / (row.layer.numbers * itemsize)
            mark = MARKS[row.layer.category]
            for side in ("torch", OURS):
                fraction = row.fraction(side)
                if row.data["quantity"] == quantity and fraction is not None:
                    filled = COLOURS[side] if side == OURS else "none"
                    axes.plot(intensity, fraction, mark, color=filled, markeredgecolor=COLOURS[side], markersize=5)
        axes.set_xscale("log")
        axes.set_xlim(0.05, 500)
        axes.set_ylim(0, 1.15)
        axes.axhline(1, color="black", linewidth=0.8)
        if bandwidth:
            limit = peak / bandwidth  # multiply-adds per byte from which memory is fast enough
            steps = [limit * 10 ** (i / 20 - 3) for i in range(61)]
            axes.plot(steps, [step / limit for step in steps], color="black", linewidth=0.8)
        axes.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"] if position == 0 else [""] * 5)
        axes.set_title(WORDS[quantity])
        axes.set_xlabel("multiply-adds per byte of x, w and y")
    for category in CATEGORIES:
        figure.axes[0].plot([], [], MARKS[category], color="#555555", label=category)
    for side in (OURS, "torch"):
        figure.axes[0].plot([], [], "s", color=COLOURS[side], label=f"{side}{' (hollow)' if side == 'torch' else ''}")
    handles, _ = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.05, 1), ncols=len(handles), frameon=False)
    figure.text(
        0.06,
        0.03,
        f"{dtype}: fraction of the measured peak; the curve is what a copy's bandwidth allows without caches",
    )
    return figure
