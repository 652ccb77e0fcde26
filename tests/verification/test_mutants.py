"""`backproof mutants`: which check kills which mutant, survivors loudly, and the kill rate that reports show."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from backproof import kill_record
from backproof.checks import CHECKS
from backproof.cli import cli
from backproof.contract import Geometry
from backproof.kill_record import kill_rate, museum_version
from backproof.kills.data import write_record
from backproof.kills.mutants import Mutant, UnknownMutantError, listed, named
from backproof.kills.results import results, spread
from backproof.kills.table import show
from backproof.kills.trial import Plan, Trial, trial
from backproof.museum import MUSEUM
from backproof.museum.foreign import FOREIGN
from backproof.museum.reference import Convolution
from backproof.report.summary import Run
from backproof.report.words import kill_rate as told
from backproof.targets.calls import Request, Results
from backproof.targets.local import LocalTarget
from backproof.targets.process import Target

#: One of each kind: always wrong, wrong in a corner, in memory that is not C order, by what was called before.
FEW = ("H007", "rotation-forgotten", "L002", "weights-flipped-in-place")
QUICK = Plan("quick", ("contract", "exact"))
#: Which example is the first that they get wrong is up to the allocator, and differs from process to process.
BY_ADDRESS = ("columns-cached-by-address",)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["mutants", "--profile", "quick", "--jobs", "1", *arguments])


@pytest.fixture
def right(monkeypatch: pytest.MonkeyPatch) -> Mutant:
    """A layer that is right, in the museum as if it were not."""
    entry = replace(MUSEUM["H007"], id="H999", title="Nothing is wrong with this one", layer=Convolution)
    monkeypatch.setitem(MUSEUM, "H999", entry)
    (mutant,) = named(["H999"])
    return mutant


def made(killed: dict[str, list[dict[str, int]]], matrix: bool = False) -> Any:
    """Results in which each mutant had these kills, seed by seed."""
    mutants = named(list(killed))
    trials = [
        Trial(mutant, seed, kills, min(kills.values(), default=700), min(kills.values(), default=0), 0.5)
        for mutant in mutants
        for seed, kills in enumerate(killed[mutant.id])
    ]
    return results(mutants, trials, Plan(matrix=matrix), 1.0)


# ---- the command


def test_a_handful_is_killed() -> None:
    done = run(*FEW, "--check", "contract", "--check", "exact")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert [line.split()[:2] for line in lines[:4]] == [["killed", name] for name in FEW]
    assert "by exact  after" in lines[0]
    assert "weights-flipped-in-place" in lines[3]
    assert lines[-1].startswith("ALL KILLED: 4 of 4 mutants killed, ")
    assert "museum: 2 of 2 killed (100.0 %), quick profile, 1 seed" in lines


def test_a_survivor_is_told_last_and_loudly(right: Mutant) -> None:
    done = run("H999", "H007", "--check", "exact")
    assert done.exit_code == 1, done.output
    *_, survivor, command, last = done.output.splitlines()
    assert survivor.startswith("SURVIVED  H999: Nothing is wrong with this one")
    assert command == "    backproof check backproof.museum:H999 --seed 0"
    assert last.startswith("SURVIVORS: 1 of 2 mutants killed")


def test_json_and_a_file(right: Mutant, tmp_path: Path) -> None:
    file = tmp_path / "kills.json"
    done = run("H007", "H999", "--check", "exact", "--seeds", "2", "--first-seed", "5", "--json", "-o", str(file))
    data = json.loads(done.output)
    assert data == json.loads(file.read_text(encoding="utf-8"))
    assert (done.exit_code, data["seeds"], data["checks"], data["survivors"]) == (1, [5, 6], ["exact"], ["H999"])
    assert data["families"] == {"museum": {"killed": 1, "mutants": 2}}
    killed, survived = data["mutants"]
    assert [item["seed"] for item in killed["trials"]] == [5, 6]
    assert all(item["kills"] == {"exact": item["examples"]} for item in killed["trials"])
    assert (killed["killed"], survived["killed"], survived["trials"][0]["kills"]) == (True, False, {})
    assert data["examples"]["max"] == max(item["examples"] for item in killed["trials"])


def test_a_matrix_says_what_one_check_alone_kills() -> None:
    done = run("H007", "L002", "--check", "exact", "--check", "symbolic", "--matrix", "--json")
    data = json.loads(done.output)
    assert data["only_one_check"] == {"exact": ["L002"]}
    kills = data["mutants"][0]["trials"][0]["kills"]
    assert list(kills) == ["exact", "symbolic"]
    assert kills["symbolic"] > kills["exact"], "examples of the whole run"


def test_several_processes_find_the_same() -> None:
    arguments = ("H007", "L002", "--check", "exact", "--json")
    alone, together = (json.loads(run(*arguments, "--jobs", jobs).output) for jobs in ("1", "2"))
    trials = [[mutant["trials"] for mutant in data["mutants"]] for data in (alone, together)]
    assert trials[0] == trials[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("h007",), "there is no mutant 'h007'; did you mean H007"),
        (("rotation-forgoten",), "did you mean rotation-forgotten"),
        (("zzz",), "there is no mutant 'zzz'; ids are such as "),
        (("H007", "--check", "exakt"), "there is no check 'exakt'; did you mean exact?"),
        (("H007", "--family", "museum"), "leave out --family"),
        (("--family", "museum", "--write"), "--write records all listed mutants"),
    ],
)
def test_what_is_not_there_is_one_message(arguments: tuple[str, ...], message: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert message in done.output
    assert "Traceback" not in done.output


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    done = run("H007", "--check", "exact", "-o", str(tmp_path / "nowhere" / "kills.json"))
    assert done.exit_code == 2
    assert "cannot write" in done.output


# ---- the registries


def test_all_that_is_registered_is_listed_once() -> None:
    assert [mutant.id for mutant in listed()] == [*MUSEUM, *FOREIGN]
    assert [mutant.id for mutant in listed(("foreign",))] == list(FOREIGN)
    assert [mutant.id for mutant in named(["H007", "H007"])] == ["H007"]


def test_a_mutant_of_the_grammar_is_named_by_its_numbers() -> None:
    grammar = pytest.importorskip("backproof.museum.synthetic")
    (mutant,) = named(["s7_1_17"])
    assert (mutant.family, mutant.title) == ("synthetic", grammar.draw(7, 1, 17).title)
    with pytest.raises(UnknownMutantError, match="s7_99_17"):
        named(["s7_99_17"])


# ---- a target in this process


def test_a_target_in_this_process_is_as_one_in_a_worker() -> None:
    (mutant,) = named(["weights-flipped-in-place"])
    g = Geometry(size=(3, 3), kernel_size=(2, 2))
    rng = np.random.default_rng(1)
    arrays = {role: rng.integers(-4, 5, g.shape_of(role)).astype(float) for role in ("x", "w", "b")}
    request = Request(g, arrays, {"x": "nhwc"}, ("forward",))
    replies = []
    for kind in (LocalTarget, Target):
        with kind.open(mutant.target) as target:
            reply = target.call(request)
            assert isinstance(reply, Results)
            replies.append((reply.values["y"].tolist(), reply.mutated, reply.aliased, reply.reused, target.binding))
    assert replies[0] == replies[1]
    assert replies[0][1] == ("w",)
    with pytest.raises(ValueError, match="is closed"):
        target.call(request)


def test_a_renewed_target_in_this_process_has_seen_no_call() -> None:
    (mutant,) = named(["gradient-accumulates"])
    g = Geometry(size=(3, 3), kernel_size=(2, 2))
    arrays = {role: np.ones(g.shape_of(role)) for role in ("x", "w", "dy", "b")}
    with LocalTarget.open(mutant.target) as target:
        seen = []
        for renew in (False, False, True):
            if renew:
                target.renew()
            reply = target.call(Request(g, arrays, {}, ("weight_gradient",)))
            assert isinstance(reply, Results)
            seen.append(reply.values["dw"].tolist())
        assert seen[0] == seen[2] != seen[1]
        assert target.restarts == 0


@pytest.mark.parametrize("name", FEW)
def test_both_find_the_same_after_as_many_examples(name: str) -> None:
    (mutant,) = named([name])
    here, apart = (trial(mutant, 3, QUICK, kind.open) for kind in (LocalTarget, Target))
    assert here.killed
    assert (here.kills, here.examples) == (apart.kills, apart.examples)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", listed()[::4], ids=lambda mutant: mutant.id)
def test_both_find_the_same_on_every_fourth_mutant(mutant: Mutant) -> None:
    here, apart = (trial(mutant, 3, Plan("quick"), kind.open) for kind in (LocalTarget, Target))
    assert here.killed == apart.killed
    if mutant.id not in BY_ADDRESS:
        assert (here.kills, here.examples) == (apart.kills, apart.examples)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", listed(("museum",)), ids=lambda mutant: mutant.id)
def test_every_mutant_of_the_museum_is_killed(mutant: Mutant) -> None:
    assert trial(mutant, 0, Plan()).killed


# ---- what it comes to


def test_a_mutant_is_killed_if_it_is_at_every_seed() -> None:
    found = made({"L005": [{"exact": 3}, {}], "H007": [{"exact": 1}, {"contract": 9}], "bias-as-channel": [{}, {}]})
    assert [fate.mutant.id for fate in found.survivors] == ["L005", "bias-as-channel"]
    assert found.survivors[0].survived == (1,)
    assert found.families == {"museum": (1, 2), "foreign": (0, 1)}
    assert found.examples["max"] == 9


def test_the_table_on_a_terminal() -> None:
    found = made({"L005": [{"exact": 3}, {"exact": 8}], "H007": [{"exact": 1}, {}]}, matrix=True)
    shown = StringIO()
    show(found, Console(file=shown, force_terminal=True, color_system=None, width=160))
    head, row, *rest = (line.rstrip() for line in shown.getvalue().splitlines())
    assert head.split() == ["mutant", "title", "quantity", "trigger", "killed", "by", "after", "ms"]
    assert (row.split()[0], row.split()[-3:]) == ("L005", ["exact", "3-8", "500"])
    assert "killed by exact alone (2): L005, H007" in rest
    assert any(line.startswith("SURVIVED  H007 at 1 of 2 seeds (1): ") for line in rest)


def test_the_spread_of_examples() -> None:
    assert spread(range(1, 101)) == {"median": 50.5, "mean": 50.5, "p90": 90, "p99": 99, "max": 100}
    assert spread([]) == {}


# ---- the kill rate in reports


def test_the_recorded_kill_rate_is_that_of_these_sources() -> None:
    rate = kill_rate()
    assert rate is not None
    command = "run `backproof mutants --write` and commit museum/kills.json"
    assert rate["version"] == museum_version(len(listed())), f"the museum has changed; {command}"
    record = json.loads(kill_record.FILE.read_text(encoding="utf-8"))
    assert record["checks"] == [check.id for check in CHECKS], f"the checks have changed; {command}"
    assert {*record["kills"], *record["survivors"]} == {mutant.id for mutant in listed()}
    assert rate["killed"] == len(record["kills"])


def test_a_record_is_what_was_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kill_record, "FILE", tmp_path / "kills.json")
    monkeypatch.setattr("backproof.kills.data.FILE", tmp_path / "kills.json")
    assert kill_rate() is None
    write_record(made({"L005": [{"exact": 3}, {}], "H007": [{"exact": 1}, {"contract": 9}]}))
    version = museum_version(len(listed()))
    assert kill_rate() == {"version": version, "mutants": 2, "killed": 1, "profile": "default", "seeds": 2}
    record = json.loads((tmp_path / "kills.json").read_text(encoding="utf-8"))
    assert record["survivors"] == {"L005": [1]}
    assert record["kills"] == {"H007": {"by": ["exact", "contract"], "examples": [1, 9]}}


def test_every_report_says_how_much_the_checks_reject(verify: Any) -> None:
    outcome = verify("numpy", checks=("contract",))
    rate = kill_rate()
    assert rate is not None
    words = f"museum {rate['version']}: {rate['killed']} of {rate['mutants']} mutants killed (default profile, "
    assert told(Run.of(outcome.events)).startswith(words)
