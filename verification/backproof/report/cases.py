"""A case as a person reads it: rows of a table, and one line with what is not neutral.

    x (1, 1, 3, 3), w (1, 1, 2, 2), stride (2, 1), convolution, float64

`case` is plain data with a `geometry` of a convolution or a pooling; whatever else it holds is shown as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_NEUTRAL: dict[str, Any] = {
    "stride": [1, 1],
    "padding": [[0, 0], [0, 0]],
    "dilation": [1, 1],
    "groups": 1,
    "padding_mode": "zeros",
    "bias": False,
    "ceil_mode": False,
    "count_include_pad": True,
}
#: Shown by the shapes of x and w.
_IN_SHAPES = ("batch", "in_channels", "out_channels", "channels", "size", "kernel_size")
_AXES = {"x": "(N, C, H, W)", "w": "(O, C/groups, kh, kw)"}
_LABELS = {
    "batch": "batch N",
    "in_channels": "input channels C",
    "out_channels": "output channels O",
    "channels": "channels C",
    "size": "image size (H, W)",
    "kernel_size": "kernel size (kh, kw)",
    "padding_mode": "padding mode",
    "profile": "data",
    "ties": "rule for ties",
    "poison": "poisoned entry",
    "before": "calls before it",
    "beside": "at the same time",
    "layers": "layers, the first below",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; `block` where its text has several lines."""

    label: str
    text: str
    block: bool = False


def rows(case: Mapping[str, Any]) -> list[Row]:
    """Every field of a case: the shapes of `x` and `w`, what is not neutral, the rest, and all that is neutral."""
    geometry = _geometry(case)
    shapes = [Row(f"{name} {_AXES.get(name, '')}", text) for name, text in _shapes(geometry)]
    hidden = _IN_SHAPES if len(shapes) == 2 else ()
    shown = {name: value for name, value in geometry.items() if name not in hidden}
    rest = {name: value for name, value in case.items() if name != "geometry" or not geometry}
    neutral = [_short(name, value) for name, value in shown.items() if _neutral(name, value)]
    table = [_row(name, value) for name, value in {**shown, **rest}.items() if not _neutral(name, value)]
    return [*shapes, *table, *([Row("everything else", ", ".join(neutral))] if neutral else [])]


def line(case: Mapping[str, Any]) -> str:
    """The case in one line; empty for an empty case."""
    geometry = _geometry(case)
    parts = [*_network(case), *(f"{name} {text}" for name, text in _shapes(geometry))]
    parts += [_text(name, case[name]) for name in ("activation",) if name in case]
    parts += [f"c {_text('points', case['points'])}"] if len(case.get("points", ())) == 1 else []
    parts += [f"of shape {_text('shape', case['shape'])}"] if case.get("shape") not in (None, [1]) else []
    for name, value in geometry.items():
        if name not in (*_IN_SHAPES, "activation", "pooling") and not _neutral(name, value):
            parts.append(_short(name, value))
    if "kind" in geometry:
        parts.append(f"kernel {_text('kernel_size', geometry.get('kernel_size'))}")
    parts += [_text(name, case[name]) for name in ("dtype",) if name in case]
    parts += [f"{role} laid out {name!r}" for role, name in _layouts(case).items() if name != "C"]
    parts += [_text(name, case[name]) for name in ("poison",) if name in case]
    if before := case.get("before"):
        parts.append("after another call" if len(before) == 1 else f"after {len(before)} other calls")
    if case.get("beside"):
        parts.append("beside another call")
    return ", ".join(parts)


def _network(case: Mapping[str, Any]) -> Iterator[str]:
    """`2 layers: x (1, 1, 2, 2), w (1, 1, 1, 2) square, w (1, 1, 2, 1) relu`; nothing for another case."""
    layers = case.get("layers")
    if not isinstance(layers, list) or not all(isinstance(layer, Mapping) for layer in layers):
        return
    shapes = [dict(_shapes(layer)) for layer in layers]
    told = [f"w {of.get('w', '')} {layer.get('activation', '')}" for of, layer in zip(shapes, layers, strict=True)]
    pools = [f" with {layer['pooling'].get('kind')} pooling" if layer.get("pooling") else "" for layer in layers]
    yield f"{len(layers)} layers: x {shapes[0].get('x', '') if shapes else ''}"
    yield from (f"{text}{pool}" for text, pool in zip(told, pools, strict=True))


def _layer(layer: Mapping[str, Any]) -> str:
    """One layer of a network in one line."""
    text = line({"geometry": layer, "activation": layer.get("activation", "")})
    return f"{text}, {layer['pooling'].get('kind')} pooling" if layer.get("pooling") else text


def _geometry(case: Mapping[str, Any]) -> Mapping[str, Any]:
    geometry = case.get("geometry")
    return geometry if isinstance(geometry, Mapping) else {}


def _layouts(case: Mapping[str, Any]) -> Mapping[str, Any]:
    layouts = case.get("layouts")
    return layouts if isinstance(layouts, Mapping) else {}


def _shapes(g: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Shapes of `x` and, for a convolution, `w`; nothing where the geometry is of no known kind."""
    try:
        x = (g["batch"], g["in_channels"] if "in_channels" in g else g["channels"], *g["size"])
        if "out_channels" not in g:
            return [("x", str(x))]
        return [("x", str(x)), ("w", str((g["out_channels"], x[1] // g["groups"], *g["kernel_size"])))]
    except (KeyError, TypeError, ZeroDivisionError):
        return []


def _neutral(name: str, value: Any) -> bool:
    return name in _NEUTRAL and json.dumps(value) == json.dumps(_NEUTRAL[name])


def _short(name: str, value: Any) -> str:
    if name in ("orientation", "kind"):
        return f"{value} pooling" if name == "kind" else str(value)
    if name == "bias":
        return "with bias" if value else "no bias"
    return f"{_LABELS.get(name, name)} {_text(name, value)}"


def _row(name: str, value: Any) -> Row:
    text = _text(name, value)
    return Row(_LABELS.get(name, name), text, "\n" in text)


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "layouts" and isinstance(value, Mapping):
        return ", ".join(f"{role}: {layout}" for role, layout in value.items()) or "C order"
    if name == "functions" and isinstance(value, list):
        return ", ".join(map(str, value))
    if name in ("before", "beside") and isinstance(value, list) and all(isinstance(step, Mapping) for step in value):
        return "\n".join(f"{number}. {_step(step)}" for number, step in enumerate(value, start=1))
    if name == "layers" and isinstance(value, list) and all(isinstance(layer, Mapping) for layer in value):
        return "\n".join(f"{number}. {_layer(layer)}" for number, layer in enumerate(value, start=1))
    if isinstance(value, list | tuple) and _depth(value) > 1 and len(json.dumps(value)) > 40:
        return _array(value)
    return json.dumps(value, ensure_ascii=False).replace("[", "(").replace("]", ")").replace('"', "")


def _step(step: Mapping[str, Any]) -> str:
    """One call of a sequence: its functions, and its case in one line."""
    data = ", all NaN" if step.get("poisoned") else ""
    return f"{_text('functions', step.get('functions', []))}: {line(step)}{data}"


def _depth(value: Any) -> int:
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list | tuple) else 0


def _array(value: list[Any] | tuple[Any, ...]) -> str:
    """Nested lists as rows of numbers, matrices parted by an empty line."""
    if _depth(value) == 1:
        return "  ".join(str(item) for item in value)
    gap = "\n" if _depth(value) == 2 else "\n\n"
    return gap.join(_array(item) if isinstance(item, list | tuple) else str(item) for item in value)
