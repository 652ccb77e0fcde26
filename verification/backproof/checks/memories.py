"""What a result that should be independent of earlier calls has kept of them, as a sentence.

Held against it are what an earlier call had to return, the sum of both, and what comes of this call's arrays with one
of them, or one option, taken from an earlier call.  This explains a finding of `state`, and decides none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from backproof.cases.data import Array, Example, specified
from backproof.cases.sequences import CallSequence
from backproof.contract import Geometry

_OPTIONS = ("stride", "padding", "dilation", "padding_mode", "groups", "orientation")


def kept_of(failures: Sequence[tuple[CallSequence, Array]], quantity: str) -> str | None:
    """The first explanation that gives exactly the actual values of every failure (each a last step's)."""
    explained = [list(_explained(sequence, quantity, actual)) for sequence, actual in failures]
    return next((text for text in explained[0] if all(text in others for others in explained)), None)


def _explained(sequence: CallSequence, quantity: str, actual: Array) -> Iterator[str]:
    last = sequence.last.drawn()
    for step in sequence.steps[:-1]:
        for sentence, values in _explanations(step.drawn(), last, quantity):
            if values.shape == actual.shape and np.array_equal(values, actual):
                yield f"{sentence} of an earlier call"


def _explanations(earlier: Example, last: Example, quantity: str) -> Iterator[tuple[str, Array]]:
    quantity = quantity.rpartition(" ")[2]  # of "max pooling dx"
    due = last.expected[quantity]
    if quantity in earlier.expected:
        old = earlier.expected[quantity]
        if old.size == due.size:
            yield f"this is {quantity}", old.reshape(due.shape)
        if old.shape == due.shape:
            yield f"this is the sum of {quantity} and {quantity}", old + due
    before, now = earlier.case.geometry, last.case.geometry
    if not isinstance(before, Geometry) or not isinstance(now, Geometry):
        return
    for option in _OPTIONS:
        value = getattr(before, option)
        if value != getattr(now, option):
            yield from _given(quantity, last, now, {option: value}, f"this is {quantity} with the {option}")
    for role, array in earlier.arrays.items():
        if role in last.arrays and array.size == last.arrays[role].size:
            taken = {**last.arrays, role: array.reshape(last.arrays[role].shape)}
            yield from _computed(quantity, taken, now, f"this is {quantity} with {role}")


def _given(
    quantity: str, last: Example, now: Geometry, options: dict[str, object], sentence: str
) -> Iterator[tuple[str, Array]]:
    changed = replace(now, **options)  # type: ignore[arg-type]
    if changed.w_shape == now.w_shape and changed.output_size == now.output_size:
        yield from _computed(quantity, last.arrays, changed, sentence)


def _computed(quantity: str, arrays: dict[str, Array], g: Geometry, sentence: str) -> Iterator[tuple[str, Array]]:
    if all(np.isfinite(array).all() and (array == np.rint(array)).all() for array in arrays.values()):
        integers = {role: array.astype(np.int64) for role, array in arrays.items()}
        yield sentence, specified(g, integers)[quantity]
