"""Ways to spoil an array: parts missing or counted twice, planes in another order, memory misread, bits lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backproof.museum.misread import packed
from backproof.museum.reference import Array
from backproof.museum.synthetic.site import Site
from backproof.museum.synthetic.steps import Spoil


def zeroed(*where: Any) -> Spoil:
    """The part at an index becomes 0; a function of the shape and the site where the index depends on them."""

    def spoil(a: Array, s: Site) -> Array:
        index = where[0](a.shape, s) if len(where) == 1 and callable(where[0]) else where
        changed = a.copy()
        changed[index] = 0
        return changed

    return spoil


def tail(axis: int, block: int, least: int = 0) -> Spoil:
    """What is left after whole blocks along an axis is 0, where there is at least one block (and `least` of all)."""

    def spoil(a: Array, s: Site) -> Array:
        size = a.shape[axis]
        if size % block == 0 or size < max(block, least):
            return a
        changed = a.copy()
        changed[(slice(None),) * (axis % a.ndim) + (slice(size - size % block, None),)] = 0
        return changed

    return spoil


def limit(axis: int, count: int) -> Spoil:
    """Nothing beyond the first `count` along an axis."""
    return zeroed(*(slice(None),) * axis, slice(count, None))


def flat_tail(block: int) -> Spoil:
    """The pixels of a plane that are left after whole blocks are 0, where there is at least one block."""

    def spoil(a: Array, s: Site) -> Array:
        flat = a.reshape(*a.shape[:2], -1)
        return np.asarray(tail(2, block)(flat, s)).reshape(a.shape)

    return spoil


def rolled(step: int, axis: int) -> Spoil:
    """Each takes its neighbour's place."""
    return lambda a, s: np.roll(a, step, axis)


def scaled(factor: Callable[[Site], float]) -> Spoil:
    """Times a number."""
    return lambda a, s: a * a.dtype.type(factor(s))


def doubled(*where: Any) -> Spoil:
    """The part at an index counts twice."""

    def spoil(a: Array, s: Site) -> Array:
        changed = a.copy()
        changed[where] *= 2
        return changed

    return spoil


def transposed(a: Array, s: Site) -> Array:
    """Rows and columns exchanged, where there are as many of both."""
    return a.swapaxes(2, 3) if a.shape[2] == a.shape[3] else a


def exchanged(a: Array, s: Site) -> Array:
    """The first plane and the last change places."""
    return a[:, [-1, *range(1, a.shape[1] - 1), 0]] if a.shape[1] > 1 else a


def regrouped(axis: int) -> Spoil:
    """Channels of (groups, channels/groups) read as (channels/groups, groups)."""

    def spoil(a: Array, s: Site) -> Array:
        size = a.shape[axis]
        return np.asarray(np.take(a, np.arange(size).reshape(-1, s.G).T.ravel(), axis))

    return spoil


def of_first_group(axis: int) -> Spoil:
    """Every group takes what is the first one's."""

    def spoil(a: Array, s: Site) -> Array:
        size = a.shape[axis]
        return np.asarray(np.take(a, np.arange(size) % (size // s.G), axis))

    return spoil


def in_groups(step: int, axis: int, counted: str) -> Spoil:
    """Each channel takes its neighbour's place within its group."""

    def spoil(a: Array, s: Site) -> Array:
        each = getattr(s, counted) // s.G
        number = np.arange(a.shape[axis])
        return np.asarray(np.take(a, number // each * each + (number + step) % each, axis))

    return spoil


def channels_exchanged(a: Array, s: Site) -> Array:
    """Weights with input and output channels exchanged, where there are as many of both in a group."""
    each = a.shape[1]
    if each * s.G != a.shape[0]:
        return a
    return a.reshape(s.G, each, each, *a.shape[2:]).swapaxes(1, 2).reshape(a.shape)


def as_if_channels_last(a: Array, s: Site) -> Array:
    """Reshaped from channels last where a transposition is meant."""
    return a.transpose(0, 2, 3, 1).reshape(a.shape)


def each(convert: Callable[[Array], Array]) -> Spoil:
    """Every operand that there is, converted."""
    return lambda operands, s: tuple(None if a is None else convert(a) for a in operands)


def narrowed(bits: int) -> Callable[[Array], Array]:
    """Only so many bits of the mantissa are kept."""

    def convert(a: Array) -> Array:
        mantissa, exponent = np.frexp(a.astype(np.float64))
        kept: Array = np.ldexp(np.trunc(np.ldexp(mantissa, bits)), exponent - bits).astype(a.dtype)
        return kept

    return convert


def single(a: Array) -> Array:
    """Rounded to float32, and back."""
    return a.astype(np.float32).astype(a.dtype)


def as_packed(a: Array, s: Site) -> Array:
    """Memory read in disregard of strides."""
    return packed(a)


def as_packed_last(a: Array, s: Site) -> Array:
    """Memory taken for channels last where the last axis is not the fastest."""
    if a.flags.c_contiguous or a.strides[1] != a.itemsize:
        return a
    n, c, height, width = a.shape
    return packed(a, (n, height, width, c)).transpose(0, 3, 1, 2)
