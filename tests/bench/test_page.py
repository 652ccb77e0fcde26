"""The results file, and the page and plots that are made of it alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bench.made import everything, results, row

from backproof_bench import page, plots
from backproof_bench.goals import judged
from backproof_bench.layers import DTYPES, QUANTITIES, REPORTED
from backproof_bench.process import BenchError
from backproof_bench.results import begun, read, rounded, text, write

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "benchmarks" / "results" / "speed.json"
AGAIN = "run `backproof bench --json benchmarks/results/speed.json --render`"


def test_the_file_has_a_line_for_each_row(tmp_path: Path) -> None:
    found = everything()
    write(found, tmp_path / "new" / "speed.json")
    assert read(tmp_path / "new" / "speed.json") == found
    lines = text(found).splitlines()
    assert len([line for line in lines if line.startswith('  {"layer"')]) == 216
    assert json.loads(text(results())) == results()


def test_only_an_unfinished_file_of_the_same_run_goes_on(tmp_path: Path) -> None:
    file, about, options = tmp_path / "speed.json", {"source": "1"}, {"quick": True}
    new = begun(file, about, options)
    assert (new["rows"], new["complete"]) == ([], False)
    new["rows"].append({"layer": []})
    write(new, file)
    assert begun(file, about, options) == new
    assert begun(file, {"source": "2"}, options)["rows"] == []
    assert begun(file, about, {"quick": False})["rows"] == []
    write({**new, "complete": True}, file)
    assert begun(file, about, options)["rows"] == []
    assert begun(None, about, options)["rows"] == []


def test_what_is_no_results_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"cannot read .*speed.json: No such file.*backproof bench --json .* makes it"):
        read(tmp_path / "speed.json")
    for wrong in ("[]", "{}", "not json"):
        (tmp_path / "speed.json").write_text(wrong, encoding="utf-8")
        with pytest.raises(BenchError, match=r"speed.json is no results file"):
            read(tmp_path / "speed.json")


def test_times_have_four_digits() -> None:
    assert [rounded(value) for value in (123456.0, 0.00123456)] == [123500.0, 0.001235]


def test_the_page_says_what_the_results_say() -> None:
    made = page.page(everything(), ["a.svg"])
    assert "| float32, large, forward | >= 1.03 | 2.00 | geometric mean | 11 of 11 | met |" in made
    assert "| float32, small and tiny | >= 1.05 | 2.00 | smallest: LeNet conv2, dw | 9 of 9 | met |" in made
    assert "| 3x3 with" not in made
    assert "| LeNet training, an epoch | > 1.00 | 2.00 | median | 2 epochs | met |" in made
    assert "![a.svg](a.svg)" in made
    assert "| ours | 0.0 | 2.00 (2.00-2.00) | 2 | 97.50% | 0.5 |" in made
    assert "- scipy: too large (VGG-16 conv1_1, " in made
    assert '- scipy: not installed; pip install "backproof[scipy]"' in made
    assert "No result was rejected." in made
    assert "| load | 0.5 to 1.5 |" in made
    assert "Not complete" not in made
    assert "**Not complete**" in page.page({**everything(), "complete": False}, [])


def test_cells_of_the_page_are_as_many_in_every_line() -> None:
    previous = 0
    for line in page.page(everything(), []).splitlines():
        cells = line.replace("\\|", "").count("|") if line.startswith("|") else 0
        assert not cells or previous in (0, cells), line
        previous = cells


def test_the_committed_page_is_that_of_the_committed_results() -> None:
    found = read(COMMITTED)
    names = sorted(path.name for path in (ROOT / "reports").glob("speed-*.svg"))
    made = page.page(found, names, page.told(COMMITTED))
    assert (ROOT / "reports" / "speed.md").read_text(encoding="utf-8") == made, AGAIN
    for name in names:
        drawn = (ROOT / "reports" / name).read_text(encoding="utf-8")
        assert f"results {plots.checksum(found)}<" in drawn, AGAIN


def test_the_committed_results_are_complete_and_of_ours_nothing_was_rejected() -> None:
    found = read(COMMITTED)
    assert found["complete"]
    assert found["options"]["only"] == []
    assert all(row["sides"]["ours"]["rejected"] is None for row in found["rows"])
    assert not any("/" in str(value) for value in found["about"].values())


def test_missed_goals_have_their_reasons(tmp_path: Path) -> None:
    key = "float64, small: geometric mean"
    (tmp_path / "speed.toml").write_text(f'"{key}" = """\n  the bandwidth\n  of the cache"""\n', encoding="utf-8")
    reasons = page.told(tmp_path / "speed.json")
    assert f"- {key}. the bandwidth of the cache\n" in page.page(everything(), [], reasons)
    assert f"- {key}. *Not explained.*\n" in page.page(everything(), [])
    assert "float32, small: geometric mean" not in page.page(everything(), [])
    assert page.told(tmp_path / "other.json") == {}
    (tmp_path / "speed.toml").write_text("no toml", encoding="utf-8")
    with pytest.raises(BenchError, match=r"speed.toml is no TOML"):
        page.told(tmp_path / "speed.json")


def test_no_reason_is_stale() -> None:
    missed = {one.goal.key for one in judged(read(COMMITTED)) if one.verdict == "missed"}
    assert set(page.told(COMMITTED)) <= missed, "these goals are not missed: delete what is said of them"


def few(ours: float) -> dict[str, Any]:
    """Two layers: drawing all takes seconds."""
    return results([row(layer, dtype, q, ours) for layer in REPORTED[5:7] for dtype in DTYPES for q in QUANTITIES])


@pytest.mark.bench
def test_plots_are_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `bench`")
    file = tmp_path / "speed.json"
    write(few(1000.0), file)
    here = plots.plots(read(file))
    program = """
import pathlib, sys
from backproof_bench.command import render
file, out = map(pathlib.Path, sys.argv[1:])
render(None, out, file)
"""
    subprocess.run([sys.executable, "-c", program, str(file), str(tmp_path / "out")], check=True, timeout=120)
    names = [f"speed-{dtype}-{kind}.svg" for dtype in ("float32", "float64") for kind in ("ratios", "roofline")]
    assert sorted(here) == names
    for name in names:
        assert (tmp_path / "out" / name).read_text(encoding="utf-8") == here[name]
        assert "ResNet-50 conv2 3x3" in here[name] or "roofline" in name
    assert page.page(read(file), list(here)) == (tmp_path / "out" / "speed.md").read_text(encoding="utf-8")


@pytest.mark.bench
def test_plots_change_with_the_results() -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `bench`")
    fast, slow = plots.plots(few(500.0)), plots.plots(few(1000.0))
    assert all(fast[name] != slow[name] for name in fast)
    assert plots.plots(results()) == {}
