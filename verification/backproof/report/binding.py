"""What `backproof show` prints: what of a target is bound to what, and what will not be verified.

Reads the binding as plain data (`dataclasses.asdict`), so that this package knows no targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from backproof.report.words import FORMS, printable


def print_binding(binding: Mapping[str, Any], console: Console, *, excluded: Iterable[str] = ()) -> None:
    """Print the functions, their parameters with roles and forms, then the gaps; `excluded` are memory layouts."""
    for text, style in _lines(binding, tuple(excluded)):
        console.print(Text(printable(text), style), soft_wrap=True)


def _lines(binding: Mapping[str, Any], excluded: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    version = f" {binding['version']}" if binding["version"] else ""
    yield f"{binding['name']}{version} ({binding['origin']})", "bold"
    if binding["style"] != "plain functions":
        yield f"  style          {binding['style']}", ""
    axes = binding["axes"]
    if (axes["data"], axes["weights"], axes["bias"]) != ("NCHW", "OIHW", "O"):
        yield f"  axes           data {axes['data']}, weights {axes['weights']}, bias {axes['bias']}", ""
    takes = "both: forward takes it as an option" if "orientation" in dict(binding["options"]) else ""
    yield f"  orientation    {takes or binding['orientation'] or 'undeclared; inferred from what forward computes'}", ""
    yield f"  bias           {binding['bias']}", ""
    for label in ("dtypes", "padding_modes", "layouts"):
        yield f"  {label.replace('_', ' '):<15}{', '.join(binding[label])}", ""
    if any("pool" in function["role"] for function in binding["functions"]):
        yield f"  pooling        {', '.join(f'{key}: {value}' for key, value in binding['pooling'].items())}", ""
    if binding["algorithm"] != "direct":
        yield f"  algorithm      {binding['algorithm']}", ""
    if binding["flushes_subnormals"]:
        yield "  subnormals     may become 0", ""
    for function in binding["functions"]:
        yield "", ""
        yield function["role"], "bold"
        yield f"  {function['display']}", ""
        yield from ((line, "") for line in _parameters(function["parameters"]))
    if binding["notes"]:
        yield "", ""
        yield "found:", "bold"
        yield from ((f"  - {note}", "") for note in binding["notes"])
    yield "", ""
    yield from _gaps(binding, excluded)


def _parameters(parameters: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    items = list(parameters)
    names = max((len(item["name"]) for item in items), default=0)
    roles = max((len(item["role"]) for item in items), default=0)
    for item in items:
        form = FORMS.get(item["form"], item["form"]) if item["form"] else ""
        yield f"    {item['name']:<{names}}  ->  {item['role']:<{roles}}  {form}".rstrip()


def _gaps(binding: Mapping[str, Any], excluded: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    gaps = [*binding["not_bound"], *_lacking(binding), *(f"memory layout {name}: excluded" for name in excluded)]
    yield ("will not be verified:" if gaps else "will not be verified: nothing is known to be left out"), "bold"
    yield from ((f"  - {gap}", "") for gap in gaps)
    if binding["known_defects"]:
        yield "known defects (calls that run into them are not made):", "bold"
    for name, summary, script in binding["known_defects"]:
        yield f"  - {name}: {summary} ({script})", ""


def _lacking(binding: Mapping[str, Any]) -> Iterator[str]:
    if any(function["role"] == "forward" for function in binding["functions"]):
        options = dict(binding["options"])
        for name in ("stride", "padding", "dilation", "groups", "padding_mode"):
            if name not in options:
                yield f"{name}: forward takes no such option, so it only ever has its neutral value"
