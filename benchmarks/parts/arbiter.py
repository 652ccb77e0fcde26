"""Who is right where a check and an implementation differ: fractions, summed over the definition's own loops.

    y[n, o, i, j] = b[o] + sum_{c, u, v} x[n, q, i*sh + t(u)*dh - top, j*sw + t(v)*dw - left] * w[o, c, u, v]

A gradient is the same sum of products, read from the other side.  Nothing of the verifier takes part: neither its
oracle nor its data, which come from the finding's own reproducer.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from backproof.contract import Geometry

Index = tuple[int, ...]
Values = dict[Index, Fraction]


def decide(finding: Mapping[str, Any]) -> dict[str, str]:
    """What the exact value says of a finding (an event as plain data).

    `decision` is "the implementation is wrong", "false alarm", "both are wrong" or "not decided", with the reason.
    """
    quantity, index = finding["quantity"], tuple(finding["index"])
    if quantity not in ("y", "dx", "dw", "db") or not index:
        return {"decision": "not decided", "reason": f"{finding['summary']}: no value of y, dx, dw or db to compute"}
    geometry, arrays = _call(finding["reproducer"])
    if geometry is None or not all(np.isfinite(array).all() for array in arrays.values()):
        return {"decision": "not decided", "reason": "the call's data are not finite numbers, or not written out"}
    value = exact(geometry, arrays)[quantity].get(index, Fraction(0))
    said, got = (_fraction(finding[name]) for name in ("expected", "actual"))
    decision = {
        (True, False): "the implementation is wrong",
        (False, True): "false alarm",
        (False, False): "both are wrong",
    }[said == value, got == value]
    return {"decision": decision, "reason": f"the exact value is {value}"}


def exact(g: Geometry, arrays: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, Values]:
    """`y`, `dx`, `dw`, `db` (as far as the arrays go), entry by entry; an entry without products is left out."""
    x, w, b, dy = ({k: Fraction(float(v)) for k, v in np.ndenumerate(arrays.get(r, ()))} for r in ("x", "w", "b", "dy"))
    y, dx, dw, db = Values(), Values(), Values(), Values()
    for n, o, i, j in np.ndindex(*g.y_shape):
        y[n, o, i, j] = b.get((o,), Fraction(0))
        db[o,] = db.get((o,), Fraction(0)) + dy.get((n, o, i, j), 0)
    for at, pixel, weight in products(g):
        y[at] += x.get(pixel, 0) * w.get(weight, 0)
        dx[pixel] = dx.get(pixel, Fraction(0)) + dy.get(at, 0) * w.get(weight, 0)
        dw[weight] = dw.get(weight, Fraction(0)) + dy.get(at, 0) * x.get(pixel, 0)
    return {"y": y, "dx": dx, "dw": dw, "db": db}


def products(g: Geometry) -> Iterator[tuple[Index, Index, Index]]:
    """Every product of the definition: the indices of y, of x and of w."""
    inner, outer = g.in_channels // g.groups, g.out_channels // g.groups
    for n, o, c in product(range(g.batch), range(g.out_channels), range(inner)):
        for (i, u, p), (j, v, q) in product(_axis(g, 0), _axis(g, 1)):
            yield (n, o, i, j), (n, o // outer * inner + c, p, q), (o, c, u, v)


def _axis(g: Geometry, a: int) -> Iterator[tuple[int, int, int]]:
    """Output, tap and pixel along one axis."""
    size, kernel = g.size[a], g.kernel_size[a]
    for i, u in product(range(g.output_size[a]), range(kernel)):
        met = kernel - 1 - u if g.orientation == "convolution" else u
        pixel = i * g.stride[a] + met * g.dilation[a] - g.padding[a][0]
        if g.padding_mode == "circular":
            yield i, u, pixel % size
        elif 0 <= pixel < size:
            yield i, u, pixel


def _fraction(text: str) -> Fraction | None:
    value = float(text)
    return Fraction(value) if np.isfinite(value) else None


def _call(reproducer: str) -> tuple[Geometry | None, dict[str, np.ndarray[Any, Any]]]:
    """The geometry and the arrays of the reproducer's last call; no geometry where it is no convolution."""
    names: dict[str, Any] = {"np": np, "Geometry": Geometry, "PoolGeometry": lambda **_: None}
    found: dict[str, Any] = {"geometry": None, "arrays": {}}
    for node in ast.walk(ast.parse(reproducer)):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in found:
            found[node.targets[0].id] = eval(compile(ast.Expression(node.value), "reproducer", "eval"), names)
    if any(array is ... for array in found["arrays"].values()):
        return None, {}
    return found["geometry"], found["arrays"]
