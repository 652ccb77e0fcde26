"""Tables of the page, as plain data for its template."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from parts.used import middle

Results = dict[str, Any]

#: A checker's name in the results -> in the table.
NAMED = {
    "gradcheck": "`torch.autograd.gradcheck`",
    "gradcheck, fast mode": "`gradcheck(fast_mode=True)`",
    "check_grads, float32": "`jax.test_util.check_grads`, float32",
    "check_grads, x64": "`check_grads`, x64",
    "allclose": "`np.allclose`, finite differences",
    "exact": "`exact`",
}
BACKPROOF = "`backproof check`"
ORDER = ("y", "dx", "dw", "db", "all at once", "always", "shape", "memory layout", "values and dtypes", "state")
LISTS = {"naive": "usual", "strong": "Backproof's"}


# ---- peers


def peers(results: Results, kills: Results | None) -> Results:
    """How many mutants each checker kills, on either list, and by what and when they are wrong."""
    rows = results["subjects"]
    mutants = {name: row for name, row in rows.items() if row["family"] != "right"}
    right = {name: row for name, row in rows.items() if row["family"] == "right"}
    table = [
        _checker(NAMED[checker], shapes, [row[name][checker] for row in mutants.values()], right, name, checker)
        for name, shapes in LISTS.items()
        for checker in NAMED
    ]
    fates = _backproof(mutants, kills)
    if fates is not None:
        alarms = sum(row["backproof"]["verdict"] != "passed" for row in right.values())
        killed = sum(fate["killed"] for fate in fates.values())
        table.append(
            {
                "checker": BACKPROOF,
                "shapes": "its own",
                "killed": killed,
                "mutants": len(mutants),
                "missed": len(mutants) - killed,
                "alarms": alarms,
                "right": f"{len(right)} runs",
                "seconds": sum(fate["seconds"] for fate in fates.values()),
            }
        )
    families = Counter(row["family"] for row in mutants.values())
    return {
        "machine": results["machine"],
        "mutants": len(mutants),
        "left": results["planned"] - len(rows),
        "families": ", ".join(f"{number} {name}" for name, number in families.items()),
        "right": len(right),
        **results["shapes"],
        "table": table,
        **_grouped(mutants, fates),
        "missed": [name for name, fate in (fates or {}).items() if not fate["killed"]],
    }


def _checker(named: str, shapes: str, cells: list[Results], right: Results, name: str, checker: str) -> Results:
    killed = sum(bool(cell["objections"]) for cell in cells)
    tried = [row[name][checker] for row in right.values()]
    return {
        "checker": named,
        "shapes": shapes,
        "killed": killed,
        "mutants": len(cells),
        "missed": len(cells) - killed,
        "alarms": sum(len(cell["objections"]) for cell in tried),
        "right": sum(cell["shapes"] for cell in tried),
        "seconds": sum(cell["seconds"] for cell in cells),
    }


def _backproof(mutants: Results, kills: Results | None) -> Results | None:
    """What `backproof check` did with each mutant; None where the museum was not run."""
    if kills is None:
        return None
    ran = {
        row["id"]: {"killed": row["killed"], "seconds": row["milliseconds"] / 1000} for row in kills["runs"]["mutants"]
    }
    own = {
        name: {"killed": row["backproof"]["verdict"] == "failed", "seconds": row["backproof"]["seconds"]}
        for name, row in mutants.items()
        if "backproof" in row
    }
    fates = ran | own
    return {name: fates[name] for name in mutants} if mutants.keys() <= fates.keys() else None


def _grouped(mutants: Results, fates: Results | None) -> Results:
    """Killed and all, by quantity and by trigger; on Backproof's shapes."""
    quantities = _in_order({row["quantity"] for row in mutants.values()})
    triggers = _in_order({row["trigger"] for row in mutants.values() if row["family"] != "consistent"})
    groups: list[tuple[str, Callable[[Results], bool]]] = [
        (q, lambda row, q=q: row["quantity"] == q)  # type: ignore[misc]
        for q in quantities
    ]
    groups += [
        (t, lambda row, t=t: row["trigger"] == t and row["family"] != "consistent")  # type: ignore[misc]
        for t in triggers
    ]
    judges: dict[str, Callable[[str], bool]] = {
        named: lambda name, checker=checker: bool(mutants[name]["strong"][checker]["objections"])  # type: ignore[misc]
        for checker, named in NAMED.items()
    }
    if fates is not None:
        judges[BACKPROOF] = lambda name: bool(fates[name]["killed"])
    members = [[name for name, row in mutants.items() if belongs(row)] for _, belongs in groups]
    by_group = [
        {"checker": named, "cells": [(sum(map(kills, group)), len(group)) for group in members]}
        for named, kills in judges.items()
    ]
    return {"groups": [name for name, _ in groups], "by_group": by_group}


def _in_order(names: set[str]) -> list[str]:
    """Those of `ORDER` in its order, then any others."""
    return [name for name in ORDER if name in names] + sorted(names - set(ORDER))


# ---- museum


def kills(results: Results, told: Mapping[str, str]) -> Results:
    """Every mutant with its source and what killed it; survivors and lone kills with their explanations."""
    runs, matrix, sources = results["runs"], results["matrix"], results["sources"]
    by_id = {row["id"]: row for row in runs["mutants"]}
    survivors = [
        {
            **by_id[name],
            "survived": ", ".join(str(trial["seed"]) for trial in by_id[name]["trials"] if not trial["kills"]),
            "why": told.get(name, "**not explained**"),
        }
        for name in runs["survivors"]
    ]
    return {
        "machine": results["machine"],
        "runs": runs,
        "matrix": matrix,
        "survivors": survivors,
        "alone": {check: _alone(check, names, matrix, told) for check, names in matrix["only_one_check"].items()},
        "rows": [_mutant(row, sources.get(row["id"], "")) for row in runs["mutants"]],
    }


def _alone(check: str, names: list[str], matrix: Results, told: Mapping[str, str]) -> list[Results]:
    """Mutants that one check kills, together where one explanation holds for all with a trigger."""
    triggers = {row["id"]: row["trigger"] for row in matrix["mutants"]}
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        keys = (name, f"{check}:{triggers[name]}", check)
        groups[next((told[key] for key in keys if key in told), "**not explained**")].append(f"`{name}`")
    return [{"why": why, "ids": ", ".join(ids), "number": len(ids)} for why, ids in groups.items()]


def _mutant(row: Results, source: str) -> Results:
    checks = Counter(check for trial in row["trials"] for check in trial["kills"])
    counts = [trial["within"] for trial in row["trials"] if trial["kills"]]
    return {
        **row,
        "source": linked(source),
        "killed_by": ", ".join(name for name, _ in checks.most_common()) or "**nothing**",
        "examples": f"{middle(counts):g}" if counts else "",
    }


def linked(source: str) -> str:
    """`owner/name#12` as a link to its thread."""
    return re.sub(r"\b([\w.-]+/[\w.-]+)#(\d+)", r"[\1#\2](https://github.com/\1/issues/\2)", source)


# ---- false alarms


def alarms(results: Results) -> Results:
    """Counts by implementation, by check, and in all."""
    rows, checks = [], Counter[str]()
    for target, row in results["implementations"].items():
        kinds = [row["exact"], *row["mixed"].values()]
        checks["exact, alone"] += row["exact"]["counted"]
        checks.update({name: kind["examples"] for name, kind in row["mixed"].items()})
        rows.append(
            {
                "name": f"[{target.split('/')[-1]}](../{target})" if target.endswith(".py") else target,
                **{key: row[key] for key in ("gradients", "version", "goal")},
                "exact": row["exact"]["counted"],
                "mixed": sum(kind["examples"] for kind in row["mixed"].values()),
                "comparisons": sum(sum(kind["comparisons"].values()) for kind in kinds),
                "alarms": sum(finding["target"] == target for finding in results["findings"]),
                "seconds": row["processor_seconds"],
            }
        )
    total = {key: sum(row[key] for row in rows) for key in ("exact", "mixed", "comparisons", "alarms")}
    return {
        "machine": results["machine"],
        "rows": sorted(rows, key=lambda row: -row["exact"]),
        "total": total,
        "expected": sum(row["expected_failures"] for row in results["implementations"].values()),
        "checks": dict(checks),
        "findings": results["findings"],
        "sources": results["examples_by_source"],
    }


# ---- all


def summary(parts: Mapping[str, Results | None]) -> list[dict[str, str]]:
    """The page in a few lines, each beside its goal."""
    lines: list[tuple[str, str, str]] = []
    if found := parts["kills"]:
        runs = found["runs"]
        killed, number = (sum(row[key] for row in runs["families"].values()) for key in ("killed", "mutants"))
        lines.append((f"museum, {len(runs['seeds'])} seeds in a row", f"{killed} of {number} killed", "all"))
        spread = "{median:g}, {mean:.1f}, {p99:g}".format(**runs["within"])
        lines.append(("examples of the killing check: median, mean, 99 %", spread, "1, 3, 40"))
    if found := parts["synthetic"]:
        goals = {"3": "99.5 %", "4": "98 %"}
        for literals, row in found["literals"].items():
            rate = f"{100 * row['killed_1000'] / row['mutants']:.2f} % of {row['mutants']:,}"
            many = "literal" if literals == "1" else "literals"
            lines.append((f"fresh mutants, gates of {literals} {many}", rate, goals.get(literals, "100 %")))
    if found := parts["alarms"]:
        total = found["total"]
        said = f"{total['alarms']} in {total['exact']:,} exact and {total['mixed']:,} mixed examples"
        lines.append(("false alarms", said, "0 in 1,000,000 and 100,000"))
    if found := parts["times"]:
        goals = {"quick": "0.5 s", "default": "2 s"}
        small = [run for run in found["runs"] if run["target"] == found["runs"][0]["target"]]
        lines += [
            (
                f"`{run['profile']}` run, small layer",
                f"{run['wall']:.2f} s, {run['processor']:.2f} s of a processor",
                goals[run["profile"]],
            )
            for run in small
        ]
    return [{"what": what, "measured": measured, "goal": goal} for what, measured, goal in lines]
