"""How things are put, for every view alike: numbers, the verdict in one sentence, commands."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from typing import Any

from backproof.events import Finding, TargetBound
from backproof.report.summary import Run

QUANTITIES = {
    "y": "output of forward",
    "dx": "gradient of the input x",
    "dw": "gradient of the weights w",
    "db": "gradient of the bias b",
}

FORMS = {
    "int": "one int",
    "pair": "a pair (vertical, horizontal)",
    "sides": "((top, bottom), (left, right))",
    "name": "a string",
}


def number(value: int) -> str:
    """`1234567` as `1,234,567`."""
    return f"{value:,}"


def counted(value: int, singular: str) -> str:
    """`1 finding`, `1,200 findings`."""
    return f"{number(value)} {singular if value == 1 else singular + 's'}"


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def orientation(bound: TargetBound | None) -> str:
    """The orientation that the target was held to."""
    if bound is None:
        return "orientation unknown"
    if bound.orientation == "unknown":  # forward agrees with neither
        return "orientation unknown, held to cross-correlation"
    if bound.orientation == "both":
        return "convolution and cross-correlation"
    return f"{bound.orientation} (inferred from forward)" if bound.orientation_inferred else bound.orientation


def heading(bound: TargetBound) -> str:
    """`numpy 2.4.0 (adapter): forward, backward; cross-correlation`: a target in one line."""
    version = f" {bound.version}" if bound.version else ""
    roles = [str(function["role"]) for function in bound.functions]
    entries = [r.removeprefix("activation ") for r in roles if r.startswith("activation ")]
    names = ", ".join(name for name in entries if not name.endswith(" derivative"))
    told = [role for role in roles if not role.startswith("activation ")]
    functions = ", ".join((*told, *([f"activations ({names})"] if names else []))) or "no function bound"
    return f"{bound.name}{version} ({bound.origin}): {functions}; {orientation(bound)}"


def sentence(run: Run) -> str:
    """The verdict, after its word: what, held to what, and on how much evidence."""
    parts = [counted(run.found, "finding") if run.found or run.verdict != "passed" else "no findings"]
    if run.expected_failures:
        parts.append(counted(run.expected_failures, "expected failure"))
    if run.strict:
        parts.append(f"{number(len(run.strict))} not accepted by a strict run")
    parts += [counted(run.examples, "example"), counted(run.comparisons, "exact comparison"), duration(run.seconds)]
    if run.verdict == "interrupted":
        done = f"{len(run.ended)} of {counted(len(run.checks), 'started check')} ended"
        parts = [done, *parts]
    return f"{run.target}, {orientation(run.bound)}: {', '.join(parts)}"


def kill_rate(run: Run) -> str:
    """How many of the wrong layers of the museum the checks reject; empty where that is not known."""
    if run.started is None or run.started.museum is None:
        return ""
    told = run.started.museum
    killed = f"{number(told['killed'])} of {counted(told['mutants'], 'mutant')} killed"
    return f"museum {told['version']}: {killed} ({told['profile']} profile, {counted(told['seeds'], 'seed')})"


def statement(run: Run) -> str:
    """The verdict as a whole sentence, for readers who know nothing of the run."""
    evidence = f"{counted(run.comparisons, 'exact comparison')} over {counted(run.examples, 'example')}"
    spent = f"in {duration(run.seconds)}"
    known = run.bound is not None and run.bound.orientation != "unknown"
    name = f"{run.target}, as {orientation(run.bound)}," if known else run.target
    match run.verdict:
        case "passed" if run.expected_failures:
            came = counted(run.expected_failures, "expected failure")
            return f"{name} differs from the specification only as expected: {came} in {evidence}, {spent}."
        case "passed":
            return f"{name} agrees with the specification in all of {evidence}, {spent}."
        case "failed" if not run.found and run.strict:
            objections = counted(len(run.strict), "objection")
            return f"{name} has no findings in {evidence}, {spent}; the run was strict, and has {objections}."
        case "failed":
            found = counted(run.found, "finding")
            return f"{name} differs from the specification: {found} in {evidence}, {spent}."
        case "not verified" if run.shapes and run.comparisons:
            lacking = sum(shape["verdict"] != "passed" for shape in run.shapes)
            shapes = f"{number(lacking)} of your {counted(len(run.shapes), 'shape')} could not be verified"
            return f"{name} has no findings in {evidence}, {spent}, but {shapes}. This is no pass."
        case "not verified":
            return f"{name} was not verified: {evidence}, {spent}. This is no pass."
    ended = f"{len(run.ended)} of {counted(len(run.checks), 'started check')} ended"
    found = counted(run.found, "finding")
    return f"The run on {name} was interrupted: {ended}, {found} in {evidence}. This is no pass."


def chance(log2: float) -> str:
    """A probability by its logarithm, rounded up: `1`, `0.21`, `2^-40.2`."""
    return f"2^{math.ceil(10 * log2) / 10:.1f}" if log2 < -6 else f"{math.ceil(100 * 2**log2) / 100:g}"


def missed(row: Mapping[str, float]) -> str:
    """How likely an error went unseen, at most, over the configurations of a check."""
    tried = int(row["configurations"])
    if tried == 1:
        return f"at most {chance(row['log2_worst'])}"
    return (
        f"at most {chance(row['log2_median'])} at the median of {number(tried)} configurations, "
        f"{chance(row['log2_worst'])} at the worst, below 2^-20 at {number(int(row['rare']))}"
    )


def shape(record: Mapping[str, Any]) -> str:
    """What was done at a shape of the user's own, and what that is worth."""
    if record["verdict"] == "not verified":
        return f"not verified: {record['reason'] or 'nothing was compared'}"
    if record["verdict"] == "failed":
        return f"differs from the specification; {counted(record['calls'], 'call')}"
    if record["method"] == "proof":
        linear = f"given linearity, tested with a chance of error of at most {chance(record['log2_linear'])}"
        return f"proved by every pair of entries, {counted(record['calls'], 'call')}; {linear}"
    way = {"projection": "by random projection", "draws": "entry by entry"}[record["method"]]
    return f"{way}, {counted(record['calls'], 'call')}{_worth(record)}"


def shape_statement(record: Mapping[str, Any]) -> str:
    """The same in sentences, with what remains assumed."""
    assumed = "Assumed: the target is a function of its arguments, without state between calls."
    match record["verdict"], record["method"]:
        case "failed", _:
            return "Here it differs from the specification: see the findings, each of which names the shape."
        case "not verified", _:
            return "It was not verified here. This is no pass."
        case _, "proof":
            return (
                "Proved for this shape: each product of two entries was asked for by itself, and each was right, in "
                "plain memory. The proof needs functions that are linear in each argument. That was tested exactly, on "
                f"random integers, against polynomials of any coefficients up to degree 8. {assumed}"
            )
        case _, "projection":
            return (
                "Every entry was held to the specification by random projection in the integers modulo 2^64, with "
                f"numbers drawn after the results were in; the bounds below include its own chance of error. {assumed}"
            )
    return f"Every entry was compared, on as many independent random examples as the bounds below need. {assumed}"


def _worth(record: Mapping[str, Any]) -> str:
    plain, laid = record["log2_missed"], record["log2_layouts"]
    if not plain:
        return "; no bound, for what was rounded may hide a difference"
    other = f", {chance(max(laid.values()))} in other memory layouts" if laid else ""
    return f"; chance that a bilinear error went unseen: at most {chance(max(plain.values()))}{other}"


def location(finding: Finding) -> str:
    """`dw[0, 0, 1, 0]`, or the quantity alone."""
    return f"{finding.quantity}{finding.index}" if finding.index else finding.quantity


def share(finding: Finding) -> str:
    """How many entries are wrong; empty where none were compared."""
    if not finding.compared:
        return ""
    return f"{number(finding.wrong)} of {number(finding.compared)} entries wrong"


def command(run: Run, *more: str) -> str:
    """The command line that repeats a run, with `more` arguments; empty where the start of the run is unknown."""
    if (started := run.started) is None:
        return ""
    words = ["backproof", "check", started.target]
    for key, value in started.declarations.items():
        words += ["--declare", f"{key}={value}"]
    for key, reason in started.expect_fail.items():
        words += ["--expect-fail", f"{key}={reason}"]
    for shape in started.shapes:
        words += ["--shape", shape]
    if started.strict:
        words.append("--strict")
    words += ["--profile", started.profile, "--examples", str(started.examples), "--seed", str(started.seed)]
    return shlex.join((*words, *more))


def printable(text: str) -> str:
    """Text of a target as a terminal may show it: control characters, escape sequences included, as escapes."""
    return "".join(
        character if character.isprintable() or character == "\n" else ascii(character)[1:-1] for character in text
    )
