"""The same mutants and the same shapes through the gradient checkers that people use, and Backproof's comparison.

Each checker has its own defaults, and goes through a list of shapes until it objects.  An objection that it makes to
the right layer too, at the same shape and data, is a false alarm and kills nothing.  Seconds are a processor's.  What
`backproof check` does with the mutants is in the results of the part `kills`; right layers and consistent mistakes,
which are not among those, are checked here.
"""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Callable, Container, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

import backproof
from backproof.contract import Geometry
from parts.checkers import CHECKERS, Checker
from parts.layers import Layer, Signature, Subject, right, subjects
from parts.shapes import STRONG, naive, strong
from parts.used import processor_seconds

Results = dict[str, Any]
SEED = 1


def run(
    results: Results,
    save: Callable[[Results], None],
    say: Callable[[str], None],
    mutants: Iterable[Subject] | None = None,
    layers: Iterable[Subject] | None = None,
) -> Results:
    """Every subject through every checker; what `results` has of an interrupted run is kept."""
    if results.get("complete"):
        results.clear()
    results["shapes"] = {"naive": len(naive()), "strong": STRONG}
    rows = results.setdefault("subjects", {})
    everything = [*(right() if layers is None else layers), *(shuffled() if mutants is None else mutants)]
    results["planned"] = len(everything)
    for number, subject in enumerate(everything, start=1):
        if subject.id not in rows:
            rows[subject.id] = _row(subject)
            say(f"{number} of {len(everything)}: {subject.id}")
            save(results)
    results["complete"] = True
    return results


def shuffled() -> list[Subject]:
    """All mutants, the same order each time, so that what an interrupted run has is a fair sample."""
    mutants = subjects()
    random.Random(SEED).shuffle(mutants)
    return mutants


def lists(signature: Signature) -> dict[str, tuple[Geometry, ...]]:
    """What a layer with these options takes of the shapes that people test, and those of its own fixed set."""
    usual = (
        naive() if signature.orientation is None else [replace(g, orientation=signature.orientation) for g in naive()]
    )
    return {"naive": tuple(g for g in usual if signature.takes(g)), "strong": strong(signature)}


def _row(subject: Subject) -> Results:
    told = {name: getattr(subject, name) for name in ("family", "quantity", "trigger")}
    cells = {
        name: {
            checker: tried(subject, CHECKERS[checker], shapes, _excused(subject.base, checker, shapes))
            for checker in CHECKERS
        }
        for name, shapes in lists(subject.make().signature).items()
    }
    checked = {"backproof": _backproof(subject)} if subject.family in ("right", "consistent") else {}
    return {**told, **cells, **checked}


def tried(subject: Subject, checker: Checker, shapes: Iterable[Geometry], excused: Container[int] = ()) -> Results:
    """One checker on one layer: where it objected, of how many shapes, for how long; a mutant needs one objection."""
    layer, clock = subject.make(), time.process_time()
    objections: list[int] = []
    number = 0
    for position, g in enumerate(shapes):
        with suppress(NotImplementedError):
            passed = _passes(checker, layer, g, SEED + position)
            number += 1
            if not passed and position not in excused:
                objections.append(position)
        if objections and subject.quantity:
            break
    return {"objections": objections, "shapes": number, "seconds": round(time.process_time() - clock, 4)}


@cache
def _excused(base: Callable[[], Layer] | None, checker: str, shapes: tuple[Geometry, ...]) -> tuple[int, ...]:
    """Where a checker objects to the right layer."""
    if base is None:
        return ()
    right_one = Subject("", "right", "", "", "", base)
    return tuple(tried(right_one, CHECKERS[checker], shapes)["objections"])


def _passes(checker: Checker, layer: Layer, g: Geometry, seed: int) -> bool:
    """What raises is an objection, unless it says that the layer does not support the geometry."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return checker(layer, g, seed)
    except NotImplementedError:
        raise
    except Exception as error:
        if "NotImplementedError" in str(error):  # through JAX's callback
            raise NotImplementedError(str(error)) from error
        return False


def _backproof(subject: Subject) -> Results:
    before = processor_seconds()
    report = backproof.check(subject.target, seed=SEED)
    return {
        "verdict": report.verdict,
        "findings": [f"{finding.check}:{finding.quantity}" for finding in report.findings],
        "seconds": round(processor_seconds() - before, 2),
    }
