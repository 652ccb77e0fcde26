"""The same mutants and the same shapes through the gradient checkers that people use, and through Backproof.

Each checker has its own defaults, and goes through a list of shapes until it objects.  `backproof check` is run as a
user runs it, in its default profile, on shapes of its own choice.  Seconds are processor seconds of everything that it
took, Backproof's worker, shrinking and diagnosis included.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import backproof
from backproof.contract import Geometry
from parts.checkers import CHECKERS, Checker
from parts.layers import Layer, Subject, right, subjects
from parts.shapes import naive, strong
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
    lists = {"naive": naive(), "strong": strong()}
    results["shapes"] = {name: [g.as_dict() for g in shapes] for name, shapes in lists.items()}
    rows = results.setdefault("subjects", {})
    everything = [*(right() if layers is None else layers), *(subjects() if mutants is None else mutants)]
    for number, subject in enumerate(everything, start=1):
        if subject.id not in rows:
            rows[subject.id] = _row(subject, lists)
            say(f"{number} of {len(everything)}: {subject.id}")
            save(results)
    results["complete"] = True
    return results


def _row(subject: Subject, lists: dict[str, list[Geometry]]) -> Results:
    told = {name: getattr(subject, name) for name in ("family", "quantity", "trigger")}
    cells = {
        name: {checker: tried(subject, CHECKERS[checker], shapes) for checker in CHECKERS}
        for name, shapes in lists.items()
    }
    return {**told, **cells, "backproof": _backproof(subject)}


def tried(subject: Subject, checker: Checker, shapes: Iterable[Geometry]) -> Results:
    """One checker on one layer: where it objected, of how many shapes, for how long; one objection is a kill."""
    layer, clock = subject.make(), time.process_time()
    objections: list[int] = []
    number = 0
    for g in shapes:
        if (shape := _for(layer, g)) is None:
            continue
        with suppress(NotImplementedError):
            passed = _passes(checker, layer, shape, SEED + number)
            number += 1
            if not passed:
                objections.append(number)
        if objections and subject.quantity:
            break
    return {"objections": objections, "shapes": number, "seconds": round(time.process_time() - clock, 4)}


def _for(layer: Layer, g: Geometry) -> Geometry | None:
    """The geometry in the orientation that the layer has; None where it lacks an option."""
    shape = g if layer.orientation is None else replace(g, orientation=layer.orientation)
    return shape if layer.takes(shape) else None


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
    clock, before = time.monotonic(), processor_seconds()
    report = backproof.check(subject.target, seed=SEED)
    return {
        "verdict": report.verdict,
        "findings": [f"{finding.check}:{finding.quantity}" for finding in report.findings],
        "after": min((finding.after for finding in report.findings), default=0),
        "seconds": round(processor_seconds() - before, 2),
        "wall": round(time.monotonic() - clock, 2),
    }
