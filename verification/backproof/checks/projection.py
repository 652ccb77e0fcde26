"""One example of a large convolution, by random projection: every entry is held to the specification, none by itself.

    fold(y) = fold(general-forward(x, w, b)),   and so for dx, dw, db:   see `backproof_spec.oracle.projection`

Where two folds differ, the channel is known, and in it the oracle computes every entry: a finding has its index, the
expected and the actual value, as of a small example.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from backproof.cases.chances import missed
from backproof.cases.data import MANTISSA, Array, Draw, draw, specified
from backproof.cases.levels import Case
from backproof.checks.attempt import missing, results
from backproof.checks.bench import Bench, Wrong, compare, rounded
from backproof.contract import Geometry
from backproof_spec.oracle import Projection, chance

#: Bits of a float64 left free: the fewer bits an error can have, the less likely a projection misses it.
HEADROOM = 13


def attempt(bench: Bench, route: dict[str, str], case: Case, wanted: Iterable[str]) -> list[Wrong]:
    """What is wrong with the wanted quantities of a route at a case, as `attempt.attempt` has it."""
    drawn, found = draw(case), list[Wrong]()
    bench.tally.examples += 1
    functions = {q: route[q] for q in wanted if q != "db" or case.geometry.bias}
    for item in results(bench, case, drawn.arrays(), functions):
        if isinstance(item, Wrong):
            found.append(item)
            continue
        quantity, function, actual = item
        shape = case.geometry.shape_of(quantity)
        if actual is None:
            found.append(missing(quantity, function, shape))
            continue
        bench.tally.comparisons[quantity] += 1
        if bench.binding.algorithm == "direct":
            bench.tally.chances.add(quantity, function, case, chances(case, drawn.largest)[quantity])
        if wrong := _wrong(drawn, quantity, function, rounded(bench.binding, actual)):
            found.append(wrong)
    return found


def chances(case: Case, largest: dict[str, int]) -> dict[str, float]:
    """Per quantity: the data hide an error, or they do not and the projection does."""
    folds = {quantity: 0.0 if quantity == "db" else chance(_limit(case).bit_length() + 1) for quantity in _AXES}
    return {quantity: min(1.0, p + folds[quantity]) for quantity, p in missed(case, largest).items()}


def _limit(case: Case) -> int:
    """What no right result exceeds."""
    return MANTISSA[case.dtype] >> case.headroom


#: The axis of the channels of a quantity.
_AXES = {"y": 1, "dx": 1, "dw": 0, "db": 0}


def _wrong(drawn: Draw, quantity: str, function: str, actual: Array) -> Wrong | None:
    shape = drawn.case.geometry.shape_of(quantity)
    if actual.shape != shape:
        return compare(quantity, function, actual, np.zeros(shape))
    channels = _channels(drawn, quantity, actual)
    return _in_channel(drawn, quantity, function, actual, channels) if channels else None


def _channels(drawn: Draw, quantity: str, actual: Array) -> list[int]:
    """Those that differ: at once where an entry is no integer in range, else by their folds."""
    legal = (np.abs(actual) <= _limit(drawn.case)) & (actual == np.rint(actual))  # NaN is neither
    if not legal.all():
        return sorted({int(index[_AXES[quantity]]) for index in np.argwhere(~legal)})
    left, right = _folds(drawn, quantity, actual.astype(np.int64))
    return [int(channel) for channel in np.flatnonzero(left != right)]


def _folds(drawn: Draw, quantity: str, actual: Array) -> tuple[Array, Array]:
    """With vectors drawn now, of which neither the data nor the target knew."""
    g, given = drawn.case.geometry, drawn.integers
    rng = np.random.default_rng((drawn.case.seed, 0xF01D))
    projection = Projection(g.x_shape, g.w_shape, rng, **g.options())
    match quantity:
        case "y":
            return projection.y(actual, given["x"], given["w"], given.get("b"))
        case "dx":
            return projection.dx(actual, given["dy"], given["w"])
        case "dw":
            return projection.dw(actual, given["dy"], given["x"])
        case _:
            return projection.db(actual, given["dy"])


def _in_channel(drawn: Draw, quantity: str, function: str, actual: Array, channels: list[int]) -> Wrong:
    """The first wrong entry of the first wrong channel, by the oracle on this channel alone."""
    channel, axis = channels[0], _AXES[quantity]
    geometry, arrays = _sub_layer(drawn.case.geometry, drawn.integers, quantity, channel)
    expected = specified(geometry, arrays)[quantity].astype(actual.dtype)
    wrong = compare(quantity, function, actual.take([channel], axis), expected)
    if wrong is None:
        raise RuntimeError(f"the projection of {quantity} differs in channel {channel}, and no entry does")
    index = tuple(channel if a == axis else i for a, i in enumerate(wrong.index))
    size = actual.shape[axis]
    summary = f"{quantity} differs from the specification in {wrong.wrong} of {wrong.compared} entries of channel "
    many = f"{quantity} differs in {len(channels)} of {size} channels (by random projection)"
    return replace(wrong, index=index, summary=f"{summary}{channel}", details=(many,))


def _sub_layer(g: Geometry, given: dict[str, Array], quantity: str, channel: int) -> tuple[Geometry, dict[str, Array]]:
    """The layer that computes one output channel, or for dx one input channel."""
    ins, outs = g.in_channels // g.groups, g.out_channels // g.groups
    if quantity == "dx":
        group, within = divmod(channel, ins)
        taken = slice(group * outs, (group + 1) * outs)
        image, weights = slice(channel, channel + 1), given["w"][taken, within : within + 1]
    else:
        group = channel // outs
        taken = slice(channel, channel + 1)
        image, weights = slice(group * ins, (group + 1) * ins), given["w"][taken]
    arrays = {"x": given["x"][:, image], "w": weights, "dy": given["dy"][:, taken]}
    if "b" in given:
        arrays["b"] = given["b"][taken]
    geometry = replace(g, groups=1, in_channels=arrays["x"].shape[1], out_channels=len(weights))
    return geometry, arrays
