"""Which way round forward reads the kernel, where the target does not declare it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backproof.cases.data import example
from backproof.cases.levels import FACTORS, Case, geometry
from backproof.checks.bench import rounded
from backproof.contract import ORIENTATIONS, Geometry, Orientation
from backproof.targets.calls import Request, Results
from backproof.targets.process import Target

#: Kernels without symmetry, on shapes at which few other mistakes show.
_PROBES = (Geometry(1, 1, 1, (2, 2), (2, 2)), Geometry(1, 1, 1, (3, 3), (2, 2)), Geometry(1, 1, 1, (4, 4), (3, 3)))


def _probes(target: Target) -> list[Geometry]:
    """Where an instance decides its shapes, those: an image of as many pixels as fit two windows."""
    fixed = dict(target.binding.fixed)
    if not fixed:
        return list(_PROBES)
    neutral = {name: levels[0] for name, levels in FACTORS.items()}
    return [geometry({**neutral, **fixed, "output": output}, "convolution") for output in ((2, 2), (3, 2))]


def infer(target: Target) -> Orientation | None:
    """The orientation with which forward agrees on every probe that it accepts; None if with neither."""
    if target.binding.function("forward") is None:
        return None
    agreeing = set(ORIENTATIONS)
    tried = 0
    for probe in _probes(target):
        shape = replace(probe, bias=target.binding.bias == "always")
        results = {o: example(Case(replace(shape, orientation=o), target.binding.dtypes[0])) for o in ORIENTATIONS}
        drawn = results["convolution"]
        if target.binding.refuses(shape) is not None:
            continue
        arrays = {role: array for role, array in drawn.arrays.items() if role != "dy"}
        reply = target.call(Request(shape, arrays, {}, ("forward",)))
        if not isinstance(reply, Results) or "y" not in reply.values:
            continue
        tried += 1
        y = rounded(target.binding, reply.values["y"])
        agreeing = {o for o in agreeing if np.array_equal(y, results[o].expected["y"])}
    return agreeing.pop() if tried and len(agreeing) == 1 else None
