"""The benchmark of detection: the page from small results, and the command that makes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import detection
import pytest
from click.testing import CliRunner
from parts import kills, machine, page, scripts, views

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SMALL = HERE / "results"


@pytest.fixture
def found() -> dict[str, Any]:
    return page.load(SMALL)


def test_the_page_has_what_the_results_say(found: dict[str, Any]) -> None:
    told = {"H099": "nobody calls it like this", "exact:a size": "only where the channels are many", "lessons": "Look."}
    text = page.detection(found, told)
    assert "| museum, 2 seeds in a row | 1 of 2 killed | all |" in text
    assert "| `H099` | never wrong \\| nearly | 1 | nobody calls it like this |" in text
    assert "- `L005`: only where the channels are many" in text
    assert "[pytorch/pytorch#21597](https://github.com/pytorch/pytorch/issues/21597)" in text
    assert "| 3 | 10 | 1 | 8 | 9 | 90.00 % | 1, 1.2, 4, 5 |" in text
    assert "| no options | 9 of 10 |" in text
    assert "| examples of the killing check: median, mean, 99 % | 1, 1.5, 2 | 1, 3, 40 |" in text
    assert "0 in 3,000 exact and 120 mixed examples" in text
    assert "upper limit is 1.0e-03" in text
    assert "What this teaches. Look." in text
    assert "not explained" not in text
    assert "Not measured" not in text


def test_a_table_has_as_many_cells_in_every_row(found: dict[str, Any]) -> None:
    for text in (page.detection(found, {}), page.libraries(found["libraries"])):
        previous = 0
        for line in text.splitlines():
            cells = line.replace("\\|", "").count("|") if line.startswith("|") else 0
            assert not cells or previous in (0, cells), line
            previous = cells


def test_the_peers_are_counted_with_backproof_beside_them(found: dict[str, Any]) -> None:
    view = views.peers(found["peers"], found["kills"])
    rows = {(row["checker"], row["shapes"]): row for row in view["table"]}
    slow = rows["`torch.autograd.gradcheck`", "usual"]
    assert (slow["killed"], slow["missed"], slow["alarms"], slow["right"]) == (1, 2, 0, 6)
    ours = rows["`backproof check`", "its own"]
    assert (ours["killed"], ours["missed"], ours["alarms"]) == (2, 1, 0)
    assert view["missed"] == ["H099"]
    assert view["left"] == 2
    assert view["groups"] == ["y", "dx", "all at once", "shape"]


def test_without_the_museum_s_run_the_peers_stand_alone(found: dict[str, Any]) -> None:
    assert all(row["checker"] != "`backproof check`" for row in views.peers(found["peers"], None)["table"])


def test_what_is_not_measured_is_said_to_be_missing(tmp_path: Path) -> None:
    text = page.detection(page.load(tmp_path), {})
    for part in detection.PARTS:
        assert f"*Not measured: `python benchmarks/detection.py --parts {part}` does.*" in text


def test_what_is_not_explained_is_found(found: dict[str, Any]) -> None:
    assert page.unexplained(found["kills"], {}) == ["H099", "L005"]
    assert page.unexplained(found["kills"], {"H099": "why", "L005": "why"}) == []
    assert page.unexplained(found["kills"], {"H099": "why", "state:a size": "why"}) == ["L005"]
    assert "**not explained**" in page.detection(found, {})


def test_every_survivor_and_every_lone_kill_is_explained() -> None:
    results = page.load(ROOT / "benchmarks" / "results")["kills"]
    if results is None:
        pytest.skip("benchmarks/results/kills.json is not there: `python benchmarks/detection.py --parts kills`")
    assert page.unexplained(results, page.explanations()) == []


@pytest.mark.parametrize("name", ["detection.md", "libraries.md"])
def test_the_pages_are_those_of_the_committed_results(name: str) -> None:
    results = page.load(ROOT / "benchmarks" / "results")
    if name == "detection.md":
        made = page.detection(results, page.explanations())
    else:
        made = page.libraries(results["libraries"] or {})
    assert (ROOT / "reports" / name).read_text(encoding="utf-8") == made, "run `benchmarks/detection.py --parts page`"


def test_the_summary_in_the_readme_is_that_of_the_committed_results() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    results = page.load(ROOT / "benchmarks" / "results")
    assert page.readme(text, results, page.explanations()) == text, "run `benchmarks/detection.py --parts page`"


def test_a_readme_without_marks_is_not_written_to() -> None:
    with pytest.raises(ValueError, match="measured: detection"):
        page.readme("# Backproof\n", page.load(SMALL), {})


# ---- the command


def pages(folder: Path) -> list[str]:
    """Options that have the pages, and a README, written to a folder."""
    readme = folder / "README.md"
    readme.write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n", encoding="utf-8")
    return ["--out", str(folder / "page.md"), "--readme", str(readme)]


def test_the_command_writes_the_pages(tmp_path: Path) -> None:
    out = tmp_path / "page.md"
    result = CliRunner().invoke(detection.main, ["--parts", "page", "--results", str(SMALL), *pages(tmp_path)])
    assert result.exit_code == 0, result.output
    before, begin, first, *rest, end, after = (tmp_path / "README.md").read_text(encoding="utf-8").splitlines()
    assert (before, begin, first, end, after) == ("before", page.BEGIN, "| | measured | goal |", page.END, "after")
    assert rest[-1].startswith("Measured on")
    assert out.read_text(encoding="utf-8").startswith("# What the checks detect")
    assert (tmp_path / "libraries.md").read_text(encoding="utf-8").startswith("# Defects of libraries")


def test_a_part_that_does_not_exist() -> None:
    result = CliRunner().invoke(detection.main, ["--parts", "pears"])
    assert result.exit_code == 2
    assert "there is no part 'pears'; there are kills, synthetic, peers" in result.output


def test_without_a_choice_the_parts_without_results_are_measured(tmp_path: Path) -> None:
    (tmp_path / "peers.json").write_text("{}", encoding="utf-8")
    assert detection.chosen("", tmp_path) == ["kills", "synthetic", "alarms", "libraries", "times"]
    assert detection.chosen("page", tmp_path) == []
    assert detection.chosen("times, kills", tmp_path) == ["times", "kills"]


def test_a_script_that_is_missing_is_named() -> None:
    with pytest.raises(kills.MissingError, match=r"benchmarks/pears\.py is missing"):
        scripts.run("pears")


def test_a_part_whose_command_is_missing_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any) -> Any:
        raise kills.MissingError("there is no `backproof mutants`")

    monkeypatch.setitem(detection.RUN, "kills", missing)
    options = ["--parts", "kills", "--results", str(tmp_path), *pages(tmp_path)]
    result = CliRunner().invoke(detection.main, options)
    assert result.exit_code == 1
    assert "kills: there is no `backproof mutants`" in result.output
    assert "Not measured" in (tmp_path / "page.md").read_text(encoding="utf-8")


def test_results_are_written_with_their_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(detection.RUN, "times", lambda before, save, options: {"rounds": before.get("rounds", 0) + 1})
    for _ in range(2):
        detection.measure("times", tmp_path, {})
    written = json.loads((tmp_path / "times.json").read_text(encoding="utf-8"))
    assert written == {"rounds": 2, "machine": machine.machine()}


def test_a_machine_is_named_without_names_of_hosts_and_paths() -> None:
    told = machine.machine()
    assert set(told) == {"processor", "cores", "python", "numpy", "numba", "scipy", "torch", "jax", "source"}
    assert not any("/" in value for value in told.values())
