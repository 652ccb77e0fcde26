"""A run: its events in order and according to the schema, its exit status, its repeatability, no false alarm."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import jsonschema
import pytest

import backproof
from backproof import events
from backproof.checks.bench import Bench, Tally, Wrong
from backproof.checks.hunt import Family, hunt
from backproof.runner import CHECK_IDS, PROFILES, RunOptions, run
from backproof.targets.calls import Results

SCHEMA = json.loads((Path(backproof.__file__).parent / "events.schema.json").read_text(encoding="utf-8"))
WRONG = Path(__file__).parent / "wrong"


@pytest.mark.parametrize("target", ["numpy", str(WRONG / "dw_not_rotated.py"), str(WRONG / "segfault.py")])
def test_the_events_of_a_run_follow_the_schema_and_their_order(verify, target: str) -> None:
    outcome = verify(target, checks=("contract", "exact"))
    for event in outcome.events:
        jsonschema.validate(json.loads(events.as_json(event)), SCHEMA)
        assert events.from_json(events.as_json(event)) == json_shaped(event)
    kinds = [event.kind for event in outcome.events if event.kind != "finding"]
    assert kinds == ["run-started", "target-bound", *["check-started", "check-finished"] * 2, "run-finished"]


def json_shaped(event: events.Event) -> events.Event:
    """Tuples become lists on the way through JSON."""
    return type(event)(**json.loads(json.dumps(asdict(event))))


def test_the_same_seed_finds_the_same_at_the_same_example(verify) -> None:
    first, second = (verify(str(WRONG / "channel_tail.py"), seed=11, checks=("exact",)) for _ in range(2))
    assert first.findings == second.findings
    assert first.checks["exact"].comparisons == second.checks["exact"].comparisons


POOLS_ONLY = """
import numpy as np

def max_pool(x, *, kernel_size, stride):
    (kh, kw), (sh, sw) = kernel_size, stride
    rows, columns = ((n - k) // s + 1 for n, k, s in zip(x.shape[2:], kernel_size, stride))
    windows = [[x[:, :, i*sh:i*sh+kh, j*sw:j*sw+kw].max((2, 3)) for j in range(columns)] for i in range(rows)]
    return np.array(windows, x.dtype).transpose(2, 3, 0, 1)
"""


def test_a_target_may_pool_and_do_nothing_else(verify, tmp_path: Path) -> None:
    file = tmp_path / "pools.py"
    file.write_text(POOLS_ONLY, encoding="utf-8")
    outcome = verify(str(file))
    assert outcome.findings == []
    assert outcome.checks["pooling"].verdict == "passed"
    assert outcome.checks["exact"].verdict == "not verified"


def test_a_reproducer_shows_the_failure_again(verify) -> None:
    (finding,) = verify(str(WRONG / "dw_not_rotated.py"), checks=("exact",)).findings
    shown: list[Results] = []
    exec(finding.reproducer, {"print": shown.append})
    assert shown[0].values["dw"][tuple(finding.index)] == float(finding.actual) != float(finding.expected)
    assert f"must be {finding.expected}, and is {finding.actual}" in finding.reproducer


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile": "fast"}, f"profile must be one of {', '.join(PROFILES)}, not 'fast'"),
        ({"checks": ("exakt",)}, f"no check exakt; there are {', '.join(CHECK_IDS)}"),
    ],
)
def test_what_does_not_exist_is_refused_before_anything_runs(options, message: str) -> None:
    emitted: list[events.Event] = []
    with pytest.raises(ValueError, match=message):
        run(RunOptions("numpy", **options), emitted.append)
    assert emitted == []


def _not_asked(ended: events.CheckFinished) -> bool:
    """Whether a check did nothing because the target does not declare that it may be tried."""
    return all(reason.startswith(events.NOT_ASKED) for reason in ended.not_supported) and not ended.examples


@pytest.mark.parametrize("target", ["numba", "numpy", pytest.param("torch", marks=pytest.mark.torch)])
def test_registered_targets_pass(verify, target: str) -> None:
    if target == "torch":
        pytest.importorskip("torch")
    outcome = verify(target, examples=60)
    assert (outcome.status, outcome.findings) == (0, [])
    asked = {name: event for name, event in outcome.checks.items() if not _not_asked(event)}
    assert {event.verdict for event in asked.values()} == {"passed"}
    assert set(outcome.checks) - set(asked) == ({"threads"} if target == "torch" else set())
    if target == "torch":
        assert outcome.checks["pooling"].excluded, "the known defects of PyTorch are met, counted and left out"


@pytest.mark.slow
@pytest.mark.timeout(900)
def _not_asked(ended: events.CheckFinished) -> bool:
    """Whether a check did nothing because the target does not declare that it may be tried."""
    return all(reason.startswith(events.NOT_ASKED) for reason in ended.not_supported) and not ended.examples


@pytest.mark.parametrize("target", ["numba", "numpy", pytest.param("torch", marks=pytest.mark.torch)])
def test_no_false_alarm(verify, target: str) -> None:
    if target == "torch":
        pytest.importorskip("torch")
    outcome = verify(target, examples=2_000, seed=99)
    assert (outcome.status, outcome.findings) == (0, [])
    assert outcome.end.examples > 2_000


# --- the hunt, on cases that are plain numbers ---


def family(failing: dict[str, range], search: int, kinds: str = "value") -> Family[int]:
    """Quantities that fail for some numbers; the fixed set is 0 ... 9, the search reaches 999."""

    def attempt(case: int, wanted):
        return [Wrong(kinds, q, "f", f"{q} at {case}") for q in wanted if case in failing.get(q, ())]

    return Family(
        quantities=("y", "dx"),
        fixed=range(10),
        search=search,
        sizes=(10, 100),
        case=lambda row, seed: 100 * row[0] + row[1],
        attempt=attempt,
        simpler=lambda case: iter([n for n in (case // 2, case - 50, case - 1) if n >= 0]),
        arrays=lambda case: {},
    )


def hunted(
    failing: dict[str, range], examples: int, kinds: str = "value", seed: int = 1, database: Path | None = None
) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    bench = Bench(
        target=None,
        space=None,
        orientations=("convolution",),
        examples=0,
        seed=seed,
        database=str(database) if database else None,
        report=lambda f: found.append((f.wrong.quantity, f.case)),
        progress=lambda done, total: None,
        tally=Tally(),
    )
    hunt(bench, family(failing, examples, kinds))
    return found


def test_each_quantity_is_found_once_and_shrunk() -> None:
    assert hunted({"dx": range(7, 1000), "y": range(5, 1000)}, examples=0) == [("y", 5), ("dx", 7)]


def test_the_search_finds_what_the_fixed_set_does_not_have() -> None:
    assert hunted({"dx": range(300, 1000)}, examples=0) == []
    assert hunted({"dx": range(300, 1000)}, examples=200) == [("dx", 300)]


def test_the_search_goes_on_for_the_other_quantities() -> None:
    assert hunted({"dx": range(300, 1000), "y": range(600, 1000)}, examples=300) == [("y", 600), ("dx", 300)]


def test_a_hang_is_not_shrunk() -> None:
    assert hunted({"y": range(3, 10)}, examples=0, kinds="timed out") == [("y", 3)]
    assert hunted({"y": range(9, 400)}, examples=0, kinds="timed out") == [("y", 9)]


def test_what_failed_is_tried_first_in_the_next_run_and_forgotten_once_it_is_right(tmp_path: Path) -> None:
    rare = {"dx": range(640, 650)}
    seeds = (seed for seed in range(100) if hunted(rare, examples=100, seed=seed, database=tmp_path))
    next(seeds)  # some run finds it
    assert hunted(rare, examples=0, database=tmp_path) == [("dx", 640)], "no search: the kept row"
    assert hunted({}, examples=0, database=tmp_path) == []
    assert hunted(rare, examples=0, database=tmp_path) == [], "it was right once, and is forgotten"
