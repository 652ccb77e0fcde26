"""`backproof bench`: its options, what is missing, its exit statuses; and one run of the smallest layer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bench.made import everything, results, row
from click.testing import CliRunner, Result

from backproof import cli_bench
from backproof.cli import cli
from backproof_bench import command, measure
from backproof_bench.process import BenchError
from backproof_bench.results import read, write
from backproof_bench.sides import BASELINES

Modules = Callable[..., None]
ROOT = Path(__file__).resolve().parents[2]


def bench(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["bench", *arguments])


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> Modules:
    """`absent("torch", ...)`: these modules are not there."""
    found = command.find_spec

    def absent(*names: str) -> None:
        monkeypatch.setattr(command, "find_spec", lambda name: None if name in names else (found(name) or object()))

    return absent


@pytest.fixture
def nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> list[measure.Options]:
    """What `run` is asked for; the results stay empty."""
    asked: list[measure.Options] = []

    def run(options: measure.Options, found: Any, save: Any) -> None:
        asked.append(options)
        found["complete"] = True

    monkeypatch.setattr(command.measure, "run", run)
    monkeypatch.setattr(command, "_about", lambda machine: {"processor": machine["processor"]})
    return asked


def test_options_are_handed_on(nothing_is_measured: list[measure.Options], absent: Modules) -> None:
    absent()
    assert bench("--only", "tiny", "--dtype", "float64", "--threads", "2", "--baseline", "jax").exit_code == 0
    assert bench("--quick").exit_code == 0
    assert bench("--tuning", "--threads", "2", "--threads", "1", "--threads", "2").exit_code == 0
    assert nothing_is_measured == [
        measure.Options(only=("tiny",), dtypes=("float64",), threads=(2,), baselines=("jax",)),
        measure.Options(quick=True, dtypes=("float32",), threads=(1,)),
        measure.Options(tuning=True, threads=(2, 1)),
    ]


def test_the_help_names_the_baselines() -> None:
    text = " ".join(bench("--help").output.split())
    assert all(f"{name}" in text for name in BASELINES)
    assert "130 interrupted" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--baseline", "caffe"], "there is no baseline 'caffe'; there are torch, torch-channels-last, jax, scipy"),
        (["--only", "AlexNet"], "no layer's name contains AlexNet; there are tiny, LeNet conv1,"),
        (["--dtype", "float16"], "'float16' is not one of 'float32', 'float64'"),
        (["--threads", "0"], "0 is not in the range x>=1"),
        (["--threads", "4096"], "--threads is 4096, but this process may use"),
        (["--render"], "--render makes the page of a results file; name it with --json"),
        (["--render", "--json", "nowhere.json"], "cannot read nowhere.json: No such file or directory"),
    ],
)
def test_what_cannot_run_is_one_message_and_status_2(
    arguments: list[str], message: str, nothing_is_measured: list[measure.Options], absent: Modules
) -> None:
    absent()
    done = bench(*arguments)
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())
    assert "Traceback" not in done.output


def test_an_extra_that_is_asked_for_and_missing(nothing_is_measured: list[measure.Options], absent: Modules) -> None:
    absent("jax")
    done = bench("--baseline", "jax")
    assert done.exit_code == 2
    assert 'jax is not installed; pip install "backproof[jax]"' in done.output


def test_a_missing_extra_is_left_out_and_named(nothing_is_measured: list[measure.Options], absent: Modules) -> None:
    absent("jax", "scipy")
    done = bench("--only", "tiny")
    assert done.exit_code == 0
    assert nothing_is_measured[0].baselines == ("torch", "torch-channels-last")
    assert 'not installed: scipy; pip install "backproof[scipy]"' in done.output


def test_without_any_baseline_there_is_nothing_to_do(absent: Modules) -> None:
    absent("torch", "jax", "scipy")
    done = bench()
    assert done.exit_code == 2
    assert 'nothing to compare with; install the baselines with: pip install "backproof[bench]"' in done.output


def test_plots_and_training_need_their_libraries(absent: Modules, tmp_path: Path) -> None:
    absent("matplotlib")
    assert 'the plots need matplotlib; install it with: pip install "backproof[bench]"' in bench("-o", "reports").output
    write(everything(), tmp_path / "speed.json")
    done = bench("--render", "--json", str(tmp_path / "speed.json"))
    assert (done.exit_code, "the plots need matplotlib" in done.output) == (2, True)
    absent("sklearn")
    assert "the training needs scikit-learn" in bench("--only", "training").output


def test_a_rejected_result_of_ours_is_status_1(
    nothing_is_measured: list[measure.Options], absent: Modules, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    absent()
    file = tmp_path / "speed.json"

    def run(options: Any, found: Any, save: Any) -> None:
        found["rows"].append(row(measure.REPORTED[0], "float32", "y"))
        found["rows"][0]["sides"][side]["rejected"] = "an error of 3"
        save(found["rows"][0])

    monkeypatch.setattr(command.measure, "run", run)
    for side, status in (("torch", 0), ("ours", 1)):
        done = bench("--json", str(file))
        assert done.exit_code == status
        assert f"rejected: float32, tiny, y, {side}: an error of 3" in done.output
        file.unlink()


def test_an_interrupted_run_keeps_what_it_has(
    nothing_is_measured: list[measure.Options], absent: Modules, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    absent()
    file = tmp_path / "speed.json"

    def run(options: Any, found: Any, save: Any) -> None:
        found["rows"].append(row(measure.REPORTED[len(found["rows"])], "float32", "y"))
        save(found["rows"][-1])
        raise KeyboardInterrupt

    monkeypatch.setattr(command.measure, "run", run)
    for count in (1, 2):
        done = bench("--json", str(file))
        assert (done.exit_code, len(read(file)["rows"])) == (130, count)
    assert "going on with" in done.output
    assert "1 of 217 rows" in done.output


def test_a_folder_that_cannot_be_written(nothing_is_measured: list[measure.Options], absent: Modules) -> None:
    absent()
    done = bench("--only", "tiny", "--json", "/proc/nowhere/speed.json")
    assert done.exit_code == 2
    assert "cannot write the results; choose another file with --json" in done.output


def test_baselines_are_checked_by_name(absent: Modules) -> None:
    absent()
    with pytest.raises(BenchError, match="there is no baseline 'a'"):
        command.baselines(["a"])
    assert command.baselines([]) == tuple(BASELINES)
    assert command.baselines(["jax", "torch", "jax"]) == ("jax", "torch")


@pytest.mark.parametrize(("processors", "threads"), [(1, (1,)), (2, (1, 2)), (64, (1, 2))])
def test_two_threads_need_two_processors(processors: int, threads: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(processors)), raising=False)
    assert command.threads(()) == threads
    assert command.threads([processors, 1, processors]) == tuple(dict.fromkeys([processors, 1]))


def test_the_command_reaches_the_measuring_by_name() -> None:
    assert "backproof_bench" not in vars(cli_bench)
    assert results()["rows"] == []


@pytest.mark.torch
@pytest.mark.timeout(240)
def test_the_smallest_layer_from_an_empty_folder(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra `torch`")
    arguments = ["--quick", "--only", "tiny", "--baseline", "torch", "--baseline", "torch-channels-last"]
    done = subprocess.run(
        [sys.executable, "-m", "backproof", "bench", *arguments, "--json", "speed.json"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = read(tmp_path / "speed.json")
    assert found["complete"]
    assert [one["quantity"] for one in found["rows"]] == ["y", "dx", "dw"]
    for one in found["rows"]:
        assert set(one["sides"]) == {"ours", "torch", "torch-channels-last"}
        assert all(side["rejected"] is None and side["error"] > 0 for side in one["sides"].values())
        assert len(one["peak"]) == len(one["sides"]["ours"]["ns"]) >= 3
    assert done.stdout.count(" of the peak  torch ") == 3
    assert "float32, tiny" in done.stdout
