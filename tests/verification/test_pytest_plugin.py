"""pytest's plug-in, in projects of its own: what is collected, what is said, and that it is not in the way."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backproof import pytest_session, testing
from backproof.events import RunFinished, read_events
from backproof.options import chosen
from backproof.recording import joined
from backproof.report import finding as findings
from backproof.report.summary import Run
from backproof.runner import RunOptions

WRONG = Path(__file__).parent / "wrong"
CHECK_IDS = tuple(check.id for check in chosen(RunOptions("right.py")))
HEAVY = {"numpy", "numba", "llvmlite", "sympy", "torch", "hypothesis", "rich", "jinja2"}

#: A project that has packages of the same names as our folders, tests of its own, and no mercy with warnings.
PROJECT = {
    "pytest.ini": """[pytest]
testpaths = tests
pythonpath = .
filterwarnings = error
addopts = -p no:cacheprovider
""",
    "conftest.py": "import pytest\n\n@pytest.fixture\ndef two():\n    return 2\n",
    "spec/__init__.py": "",
    "spec/a.py": "X = 1\n",
    "impl/__init__.py": "",
    "impl/b.py": "from spec.a import X\n\nY = X + 1\n",
    "tests/test_own.py": "from impl.b import Y\n\ndef test_own(two):\n    assert Y == two\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name, text in PROJECT.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    for name in ("right.py", "dw_not_rotated.py"):
        (root / name).write_text((WRONG / name).read_text(encoding="utf-8"), encoding="utf-8")
    return root


@pytest.fixture
def run(project: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run pytest in the project; the examples that the search keeps are those of this test alone."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
    variables = {**inherited, "BACKPROOF_CACHE_DIR": str(tmp_path / "cache"), "COLUMNS": "200"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "--backproof-examples=0", "--backproof-seed=3", *arguments]
        return subprocess.run(
            command, cwd=project, env=variables, capture_output=True, text=True, encoding="utf-8", timeout=250
        )

    return run


def counts(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """`{"passed": 2, "failed": 1}`, of the last line."""
    return {word: int(n) for n, word in re.findall(r"(\d+) ([a-z]+)", done.stdout.strip().splitlines()[-1])}


def files(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix not in (".pyc",)
    }


def test_without_paths_the_targets_alone(run, project: Path) -> None:
    before = files(project)
    done = run("--backproof=right.py", "--backproof=dw_not_rotated.py", "-k", "exact or pooling", "-rs")
    assert done.returncode == 1
    assert {k: v for k, v in counts(done).items() if k != "s"} == {
        "failed": 1,
        "passed": 1,
        "skipped": 2,
        "deselected": 2 * (len(CHECK_IDS) - 2),
    }
    assert "backproof: right.py (right.py): forward, backward; convolution" in done.stdout
    assert "backproof: default, seed 3" in done.stdout
    assert "test_own" not in done.stdout
    assert "not verified: pooling: no max_pool, average_pool or sum_pool" in done.stdout
    assert "Traceback" not in done.stdout
    assert "Error" not in done.stdout, "the finding, and no way to it"
    assert files(project) == before, "no file is written"


def test_a_failing_test_says_the_finding_as_the_terminal_does(run) -> None:
    done = run("--backproof=dw_not_rotated.py", "backproof::dw_not_rotated.py::exact")
    assert counts(done)["failed"] == 1
    one = testing.opened(RunOptions(str(WRONG / "dw_not_rotated.py"), examples=0, seed=3))
    try:
        (finding,) = one.verification.check("exact").findings
        text = findings.text(finding, Run.of(one.events), program=False)
    finally:
        testing.close_all()
    assert text in done.stdout
    assert "    geometry = Geometry(" in done.stdout
    command = "backproof check dw_not_rotated.py --profile default --examples 0 --seed 3 --check exact"
    assert f"to run this check again  {command}\n" in done.stdout


@pytest.mark.slow
def test_with_paths_in_several_processes(run, project: Path) -> None:
    done = run("tests", "--backproof=right.py", "-n", "2", "--junitxml=j.xml", "--backproof-report=out")
    assert (done.returncode, counts(done)["passed"], counts(done)["skipped"]) == (0, len(CHECK_IDS) - 2, 3)
    cases = ET.parse(project / "j.xml").iter("testcase")
    names = sorted((case.get("classname"), case.get("name")) for case in cases)
    assert names == sorted([("tests.test_own", "test_own"), *(("backproof.right.py", name) for name in CHECK_IDS)])
    assert files(project / "out") == {"right.html", "right.ndjson"}
    with (project / "out" / "right.ndjson").open(encoding="utf-8") as lines:
        events = list(read_events(lines))
    assert [event.check for event in events if event.kind == "check-finished"] == list(CHECK_IDS)
    assert sum(event.kind == "run-finished" for event in events) == 1
    assert events[-1].verdict == "passed"
    assert "PASSED" in (project / "out" / "right.html").read_text(encoding="utf-8")


def test_ids(run) -> None:
    done = run("--backproof=right.py", "--backproof=numpy", "--backproof-strict", "--collect-only", "-q")
    expected = [f"backproof::{target}::{name}" for target in ("right.py", "numpy") for name in (*CHECK_IDS, "strict")]
    assert done.stdout.splitlines()[: len(expected)] == expected


@pytest.mark.parametrize("more", [[], ["-n", "2"]])
def test_a_target_that_cannot_be_used_is_one_error(run, more: list[str]) -> None:
    done = run("--backproof=right.py", "--backproof=numpi", *more)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("ERROR: backproof: unknown target 'numpi'")
    assert "did you mean 'numpy'" in line


def test_an_option_that_means_nothing_is_one_error(run) -> None:
    done = run("--backproof=right.py", "--backproof-expect-fail=exakt=issue 12")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    message = "expected failure 'exakt': there is no check 'exakt'; did you mean 'exact'?"
    assert done.stderr.strip() == f"ERROR: backproof: {message}"


class Config:
    """The part of pytest's configuration from which the options are read."""

    def __init__(self, **given: Any) -> None:
        self.given = {
            "declare": [],
            "expect-fail": [],
            "profile": "default",
            "strict": False,
            "shape": [],
            "": ["right.py"],
            **given,
        }

    def getoption(self, name: str) -> Any:
        return self.given.get(name.removeprefix("--backproof").removeprefix("-"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"declare": ["ORIENTATION"]}, "'ORIENTATION' is not KEY=VALUE; write for example ORIENTATION=cross-"),
        ({"declare": ["DTYPES=float32", "DTYPES=float64"]}, "DTYPES is given twice: 'float32' and 'float64'"),
        ({"expect-fail": ["exact"]}, "'exact' is not CHECK=REASON"),
        ({"expect-fail": ["exact:dww=x"]}, "did you mean 'dw'"),
        ({"shape": ["x=1,1,4,4"]}, "shape 'x=1,1,4,4': w is missing"),
        ({"report": __file__}, "cannot write to .* choose another --backproof-report"),
    ],
)
def test_options_that_mean_nothing(given: dict[str, Any], message: str) -> None:
    config: Any = Config(**given)
    with pytest.raises(ValueError, match=message):
        list(pytest_session._options(config)), pytest_session._folder(config)


def test_options_as_given(tmp_path: Path) -> None:
    config: Any = Config(**{"": ["a.py", "numpy", "a.py"], "expect-fail": ["exact:dw=x=1"], "strict": True, "seed": 7})
    config.given |= {"declare": ["DTYPES = float32"], "report": str(tmp_path / "new" / "folder")}
    config.given |= {"shape": ["x=1,1,4,4 w=1,1,2,2"]}
    first, second = pytest_session._options(config)
    assert (first.target, second.target) == ("a.py", "numpy")
    assert (first.declarations, first.expect_fail) == ({"DTYPES": "float32"}, {"exact:dw": "x=1"})
    assert (first.strict, first.seed, first.examples) == (True, 7, None)
    assert first.shapes == second.shapes == ("x=1,1,4,4 w=1,1,2,2",)
    folder = pytest_session._folder(config)
    assert folder is not None
    assert folder.is_dir()


def test_every_process_of_a_run_has_the_same_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testing, "default_seed", None)
    main: Any = Config()
    main.args, main.args_source = [], None
    targets = pytest_session.Targets(main)
    node: Any = SimpleNamespace(workerinput={})
    targets.pytest_configure_node(node)
    assert node.workerinput == {"backproof_seed": testing.default_seed}
    main.workerinput = node.workerinput
    assert pytest_session.Targets(main)._seed() == node.workerinput["backproof_seed"]
    main.given["seed"] = 7
    assert pytest_session.Targets(main)._seed() == 7
    monkeypatch.setattr(testing, "default_seed", 7)
    try:
        assert testing.opened(RunOptions("numpy")).verification.seed == 7
    finally:
        testing.close_all()


# ---- outcomes


def test_expected_failures(run) -> None:
    told = "--backproof-expect-fail=exact:dw=issue 12"
    done = run("--backproof=dw_not_rotated.py", "-k", "exact or symbolic", "-rx", told)
    assert {"xfailed": 1, "failed": 1}.items() <= counts(done).items()
    assert "XFAIL backproof::dw_not_rotated.py::exact - issue 12" in done.stdout


@pytest.fixture
def opened() -> Iterator[Callable[..., testing.Opened]]:
    """`opened(target, **RunOptions)`, closed after the test."""
    yield lambda target, **options: testing.opened(RunOptions(str(target), **{"examples": 0, "seed": 3, **options}))
    testing.close_all()


def test_runxfail_shows_the_failure(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    one = opened(WRONG / "dw_not_rotated.py", expect_fail={"exact": "issue 12"})
    with pytest.raises(pytest.xfail.Exception, match="issue 12"):
        testing.conclude(one, "exact")
    monkeypatch.setattr(pytest, "xfail", lambda reason: None)  # as --runxfail does
    with pytest.raises(testing.VerificationError, match="FINDING 1"):
        testing.conclude(one, "exact")


def test_stale_expectations(opened) -> None:
    message = r"numpy, symbolic: expected to fail, and did not: symbolic:db \(issue 12\)"
    with pytest.warns(testing.StaleExpectationWarning, match=message):
        testing.conclude(opened("numpy", expect_fail={"symbolic:db": "issue 12"}), "symbolic")
    strict = opened("numpy", expect_fail={"symbolic:db": "issue 12"}, strict=True)
    with pytest.raises(
        testing.VerificationError, match=r"not accepted:\n  - expected to fail, and did not: symbolic:db"
    ):
        testing.conclude(strict, "symbolic")


def test_strict(opened) -> None:
    strict = opened(WRONG / "right.py", strict=True)
    with pytest.raises(
        testing.VerificationError, match=r"strict, and not accepted:\n  - not bound: pooling: no max_pool"
    ):
        testing.conclude(strict, "strict")
    with pytest.raises(testing.VerificationError, match=r"\n  - \[pooling\] nothing was compared"):
        testing.conclude(strict, "pooling")
    none = dict.fromkeys(("pooling", "activations"), "this layer has none")
    excused = opened(WRONG / "right.py", strict=True, expect_fail=none)
    testing.conclude(excused, "strict")
    with pytest.raises(pytest.skip.Exception, match="not verified: as expected: this layer has none"):
        testing.conclude(excused, "pooling")


# ---- in a project's own tests

OWN = """
import backproof
import right

def forward(x, w):
    return x * w

@backproof.parametrize_with_checks([right, forward, "numpy"], examples=0, seed=3, checks=("exact", "pooling"))
def test_mine(implementation, check):
    check(implementation)
"""


def test_three_lines_in_a_test(run, project: Path) -> None:
    (project / "tests" / "test_mine.py").write_text(OWN, encoding="utf-8")
    done = run("tests/test_mine.py", "-n", "2", "-v", "-rs")
    lines = re.findall(r"(PASSED|FAILED|SKIPPED) tests/test_mine\.py::test_mine\[(.*?)\]", done.stdout)
    assert {name: outcome for outcome, name in lines} == {
        "right-exact": "PASSED",
        "right-pooling": "SKIPPED",
        "forward-exact": "FAILED",
        "forward-pooling": "SKIPPED",
        "numpy-exact": "PASSED",
        "numpy-pooling": "PASSED",
    }
    assert "VerificationError: FINDING 1  [exact] forward raised ValueError: operands" in done.stdout
    assert "testing.py" not in done.stdout.replace("tests/test_mine.py", ""), "our frames are hidden"


def test_the_mark_names_every_check() -> None:
    mark = testing.parametrize_with_checks(["numpy"], strict=True).mark
    assert mark.args[0] == ("implementation", "check")
    assert [parameter.id for parameter in mark.args[1]] == [f"numpy-{name}" for name in (*CHECK_IDS, "strict")]


@pytest.mark.parametrize(
    ("targets", "options", "message"),
    [
        ("numpy", {}, r"targets must be a list such as \[my_conv, 'numba'\], not 'numpy'"),
        (3, {}, "targets must be a list"),
        (["numpy"], {"profil": "quick"}, "did you mean 'profile'"),
    ],
)
def test_what_cannot_be_parametrized(targets: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        testing.parametrize_with_checks(targets, **options)


def test_one_process_for_a_target_closed_at_the_end() -> None:
    options = RunOptions("numpy", examples=0, seed=3)
    try:
        one = testing.opened(options)
        assert testing.opened(RunOptions("numpy", examples=0, seed=3)) is one
        assert testing.opened(RunOptions("numpy", examples=1, seed=3)) is not one
        one.verification.check("symbolic")
    finally:
        (events,) = testing.close_all()  # of those, the one that ran a check
    assert isinstance(events[-1], RunFinished)
    assert testing.opened.__globals__["_OPEN"] == {}
    with pytest.raises(ValueError, match="is closed"):
        one.verification.check("symbolic")


def test_a_target_that_cannot_be_opened_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    enter = testing.Verification.__enter__

    def counted(self: testing.Verification) -> Any:
        tried.append(self.options.target)
        return enter(self)

    monkeypatch.setattr(testing.Verification, "__enter__", counted)
    for _ in range(3):
        with pytest.raises(testing.TargetError, match="unknown target 'numpi'"):
            testing.opened(RunOptions("numpi"))
    assert tried == ["numpi"]
    assert testing.close_all() == []


def test_parts_of_a_run_are_joined() -> None:
    options = RunOptions("numpy", examples=0, seed=3)
    parts = []
    for name in ("symbolic", "contract"):
        testing.opened(options).verification.check(name)
        parts += testing.close_all()
    whole = joined(parts)
    assert [event.kind for event in whole] == [
        "run-started",
        "target-bound",
        *["check-started", "check-finished"] * 2,
        "run-finished",
    ]
    assert [event.check for event in whole if event.kind == "check-finished"] == ["contract", "symbolic"]
    assert whole[-1].examples == sum(part[-1].examples for part in parts) > 0
    assert joined(parts[:1]) == parts[0]


# ---- what it costs the others

PROGRAM = """
import sys
import pytest
status = pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]])
print("loaded:", *sorted({name.split(".")[0] for name in sys.modules}), "backproof.pytest_plugin" in sys.modules)
sys.exit(status)
"""


def loaded(folder: Path, *arguments: str) -> set[str]:
    """What a run of pytest on a project without numbers has imported."""
    (folder / "test_nothing.py").write_text("def test_nothing():\n    pass\n", encoding="utf-8")
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), *arguments],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return set(done.stdout.strip().splitlines()[-1].removeprefix("loaded: ").split())


def test_the_plug_in_imports_nothing_heavy(tmp_path: Path) -> None:
    names = loaded(tmp_path, "-p", "no:hypothesispytest")  # which imports hypothesis at the end of every run
    assert {"backproof", "True"} <= names, "the plug-in is installed and loaded"
    assert not names & HEAVY


def test_heavy_imports_are_seen(tmp_path: Path) -> None:
    assert {"numpy", "sympy"} <= loaded(tmp_path, "-p", "no:hypothesispytest", "-p", "backproof.testing") & HEAVY
